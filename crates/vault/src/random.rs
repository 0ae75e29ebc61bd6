// SPDX-License-Identifier: Apache-2.0
//! The one source of randomness for keys, secrets and salts.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::VaultError;

/// Fills `bytes` from the system's cryptographic source.
pub fn fill(bytes: &mut [u8]) -> Result<(), VaultError> {
    aws_lc_rs::rand::fill(bytes).map_err(|_| VaultError::Crypto {
        action: "draw random bytes",
    })
}

/// `N` random bytes.
pub fn bytes<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// `N` random bytes in standard padded base64.
pub fn base64<const N: usize>() -> Result<String, VaultError> {
    Ok(STANDARD.encode(bytes::<N>()?))
}

/// `N` random bytes in URL-safe base64 without padding.
pub fn base64_url<const N: usize>() -> Result<String, VaultError> {
    Ok(URL_SAFE_NO_PAD.encode(bytes::<N>()?))
}

/// `N` random bytes as lower-case hexadecimal digits.
pub fn hex<const N: usize>() -> Result<String, VaultError> {
    Ok(crate::digest::hex(&bytes::<N>()?))
}

/// A random UUID of version 4.
pub fn uuid_v4() -> Result<String, VaultError> {
    let bits = u128::from_be_bytes(bytes::<16>()?);
    let bits = bits & !(0xf_u128 << 76) | (4_u128 << 76);
    let bits = bits & !(0b11_u128 << 62) | (0b10_u128 << 62);
    Ok(format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        bits >> 96,
        (bits >> 80) & 0xffff,
        (bits >> 64) & 0xffff,
        (bits >> 48) & 0xffff,
        bits & 0xffff_ffff_ffff
    ))
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
    fn uuids_are_of_version_four_and_differ() {
        let (one, two) = (uuid_v4().unwrap(), uuid_v4().unwrap());
        assert_ne!(one, two);
        for uuid in [one, two] {
            let parts: Vec<usize> = uuid.split('-').map(str::len).collect();
            assert_eq!(parts, [8, 4, 4, 4, 12]);
            assert_eq!(uuid.as_bytes()[14], b'4');
            assert!(b"89ab".contains(&uuid.as_bytes()[19]), "{uuid}");
        }
    }
}
