// SPDX-License-Identifier: Apache-2.0
//! Salts of the block digests: they keep a digest from telling what a short content was, once the
//! content itself is erased.

use std::fmt::Debug;

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};

use crate::JournalError;

/// Length of a salt in bytes.
pub const SALT_BYTES: usize = 16;

/// Where salts come from; handed in, so that tests can be exact.
pub trait SaltSource: Send + Debug {
    /// A salt that nobody can guess and that never comes again.
    fn next_salt(&mut self) -> [u8; SALT_BYTES];
}

/// Salts from a cryptographic generator that the operating system has seeded.
pub struct SystemSalts(StdRng);

impl SystemSalts {
    /// Seeds a generator.
    pub fn new() -> Result<Self, JournalError> {
        StdRng::try_from_os_rng()
            .map(Self)
            .map_err(|_| JournalError::NoRandomness)
    }
}

impl Debug for SystemSalts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SystemSalts(..)")
    }
}

impl SaltSource for SystemSalts {
    fn next_salt(&mut self) -> [u8; SALT_BYTES] {
        let mut salt = [0; SALT_BYTES];
        self.0.fill_bytes(&mut salt);
        salt
    }
}

/// Salts that count up: for golden files and tests, where output must repeat exactly.
#[cfg(any(test, feature = "testing"))]
#[derive(Debug, Default)]
pub struct CountingSalts(u64);

#[cfg(any(test, feature = "testing"))]
impl SaltSource for CountingSalts {
    fn next_salt(&mut self) -> [u8; SALT_BYTES] {
        self.0 = self.0.wrapping_add(1);
        u128::from(self.0).to_be_bytes()
    }
}
