// SPDX-License-Identifier: Apache-2.0
//! Authenticated encryption: AES-256-GCM with a random nonce and bound context.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};

use crate::{Secret, VaultError, random};

/// Length of every symmetric key in bytes.
pub(crate) const KEY_BYTES: usize = 32;
/// Format of a sealed value: this byte, number of the key, nonce, ciphertext with tag.
const FORMAT: u8 = 1;
const HEADER_BYTES: usize = 1 + 4;

/// A symmetric key.
pub(crate) type Key = Secret<[u8; KEY_BYTES]>;

/// A new random key.
pub(crate) fn new_key() -> Result<Key, VaultError> {
    random::bytes().map(Secret::new)
}

/// Seals `plain`. It opens only with the same key, key number and context, where `context` is a
/// list of parts (each with its length, so that no two lists read the same).
pub(crate) fn seal(
    key: &Key,
    number: u32,
    context: &[&str],
    plain: &[u8],
) -> Result<Vec<u8>, VaultError> {
    let failed = |_| VaultError::Crypto {
        action: "seal a value",
    };
    let cipher = RandomizedNonceKey::new(&AES_256_GCM, key.expose()).map_err(failed)?;
    let mut body = plain.to_vec();
    let nonce = cipher
        .seal_in_place_append_tag(Aad::from(associated(number, context)), &mut body)
        .map_err(failed)?;
    let mut sealed = Vec::with_capacity(HEADER_BYTES + NONCE_LEN + body.len());
    sealed.push(FORMAT);
    sealed.extend_from_slice(&number.to_be_bytes());
    sealed.extend_from_slice(nonce.as_ref());
    sealed.extend_from_slice(&body);
    Ok(sealed)
}

/// The number of the key that sealed a value.
pub(crate) fn key_number(sealed: &[u8]) -> Result<u32, VaultError> {
    let Some((&[FORMAT, one, two, three, four], _)) = sealed.split_first_chunk::<HEADER_BYTES>()
    else {
        return Err(VaultError::Sealed);
    };
    Ok(u32::from_be_bytes([one, two, three, four]))
}

/// Opens what [`seal`] made.
pub(crate) fn open(
    key: &Key,
    context: &[&str],
    sealed: &[u8],
) -> Result<Secret<Vec<u8>>, VaultError> {
    let number = key_number(sealed)?;
    let after_header = sealed.get(HEADER_BYTES..).ok_or(VaultError::Sealed)?;
    let (nonce, body) = after_header
        .split_first_chunk::<NONCE_LEN>()
        .ok_or(VaultError::Sealed)?;
    let cipher =
        RandomizedNonceKey::new(&AES_256_GCM, key.expose()).map_err(|_| VaultError::Crypto {
            action: "open a value",
        })?;
    let mut body = body.to_vec();
    let aad = Aad::from(associated(number, context));
    let plain = cipher
        .open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut body)
        .map_err(|_| VaultError::Sealed)?
        .len();
    body.truncate(plain);
    Ok(Secret::new(body))
}

fn associated(number: u32, context: &[&str]) -> Vec<u8> {
    let mut bytes = vec![FORMAT];
    bytes.extend_from_slice(&number.to_be_bytes());
    for part in context {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_in_its_context() {
        let (key, other) = (new_key().unwrap(), new_key().unwrap());
        let sealed = seal(&key, 7, &["org", "ab", "c"], b"content").unwrap();
        assert_eq!(key_number(&sealed).unwrap(), 7);
        assert_eq!(
            open(&key, &["org", "ab", "c"], &sealed).unwrap().expose(),
            b"content"
        );
        let refused = |key: &Key, context: &[&str], sealed: &[u8]| {
            assert!(matches!(
                open(key, context, sealed),
                Err(VaultError::Sealed)
            ));
        };
        refused(&other, &["org", "ab", "c"], &sealed);
        refused(&key, &["org", "a", "bc"], &sealed);
        refused(&key, &["other", "ab", "c"], &sealed);
        for position in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[position] ^= 1;
            refused(&key, &["org", "ab", "c"], &altered);
            refused(&key, &["org", "ab", "c"], &sealed[..position]);
        }
    }

    #[test]
    fn equal_values_seal_differently() {
        let key = new_key().unwrap();
        assert_ne!(
            seal(&key, 1, &[], b"x").unwrap(),
            seal(&key, 1, &[], b"x").unwrap()
        );
    }
}
