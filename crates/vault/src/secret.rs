// SPDX-License-Identifier: Apache-2.0
//! A value that must not be shown.

use zeroize::Zeroize;

/// A secret: wiped when it goes, never printed, never serialized. Whoever needs the content asks
/// for it by name, so that every use can be found.
#[expect(
    missing_debug_implementations,
    reason = "a secret has no printed form, not even by mistake"
)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes charge of a secret value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The content.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize + Clone> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
