// SPDX-License-Identifier: Apache-2.0
//! Digests of random secrets, and comparison without a hint.
//!
//! A plain SHA-256 is right for secrets with at least 112 random bits: there is nothing to guess.
//! It is wrong for passwords, which belong under argon2.

use aws_lc_rs::digest::{Context, SHA256};
use subtle::ConstantTimeEq as _;

/// Length of a digest in bytes.
pub const DIGEST_BYTES: usize = 32;

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> [u8; DIGEST_BYTES] {
    sha256_of(&[bytes])
}

/// SHA-256 of several byte strings, one after the other.
pub fn sha256_of(parts: &[&[u8]]) -> [u8; DIGEST_BYTES] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut result = [0; DIGEST_BYTES];
    for (to, from) in result.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    result
}

/// Whether two byte strings are equal, in a time that depends on their lengths only.
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// Lower-case hexadecimal digits of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)])
        .collect()
}

/// The bytes that hexadecimal digits stand for; none when they are not pairs of digits.
pub fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    let value = |digit: u8| char::from(digit).to_digit(16);
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(value(*high)? << 4 | value(*low)?).ok(),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_and_compares() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hex(&sha256(b"")), empty);
        assert_eq!(from_hex(empty), Some(sha256(b"").to_vec()));
        assert_eq!(from_hex("abc"), None);
        assert_eq!(from_hex("gg"), None);
        assert_eq!(sha256_of(&[b"a", b"", b"bc"]), sha256(b"abc"));
        assert!(equal(b"abc", b"abc"));
        assert!(!equal(b"abc", b"abd"));
        assert!(!equal(b"abc", b"ab"));
    }
}
