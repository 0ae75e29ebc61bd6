// SPDX-License-Identifier: Apache-2.0
//! Message authentication codes (HMAC-SHA256), for clients that sign with a shared secret.

use std::fmt;

use aws_lc_rs::hmac;

use crate::digest::DIGEST_BYTES;

/// A key, prepared once for many messages.
#[derive(Clone)]
pub struct MacKey(hmac::Key);

impl MacKey {
    /// A key of any length.
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The code of a message.
    pub fn sign(&self, message: &[u8]) -> [u8; DIGEST_BYTES] {
        let mut code = [0; DIGEST_BYTES];
        let tag = hmac::sign(&self.0, message);
        for (to, from) in code.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        code
    }

    /// Whether a code is that of a message, in a time that does not tell how much of it fits.
    pub fn is_code_of(&self, message: &[u8], code: &[u8]) -> bool {
        hmac::verify(&self.0, message, code).is_ok()
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MacKey").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest;

    #[test]
    fn codes_are_those_of_rfc_4231() {
        let key = MacKey::new(b"Jefe");
        let message = b"what do ya want for nothing?";
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let code = key.sign(message);
        assert_eq!(digest::hex(&code), expected);
        assert!(key.is_code_of(message, &code));
        assert!(!key.is_code_of(b"what", &code));
        assert!(!key.is_code_of(message, code.get(..31).unwrap_or_default()));
        assert_eq!(format!("{key:?}"), "MacKey { .. }");
    }
}
