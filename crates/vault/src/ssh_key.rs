// SPDX-License-Identifier: Apache-2.0
//! Keys with which the data plane enters servers: the public half is for the server's list of keys.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
    KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{Secret, VaultError};

/// The sorts of keys, as StrongDM names them.
const KINDS: &[(&str, Kind)] = &[
    ("ed25519", Kind::Ed25519),
    ("rsa-2048", Kind::Rsa(KeySize::Rsa2048)),
    ("rsa-4096", Kind::Rsa(KeySize::Rsa4096)),
    (
        "ecdsa-256",
        Kind::Ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING, "nistp256"),
    ),
    (
        "ecdsa-384",
        Kind::Ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING, "nistp384"),
    ),
    (
        "ecdsa-521",
        Kind::Ecdsa(&ECDSA_P521_SHA512_FIXED_SIGNING, "nistp521"),
    ),
];

#[derive(Clone, Copy)]
enum Kind {
    Ed25519,
    Rsa(KeySize),
    Ecdsa(&'static EcdsaSigningAlgorithm, &'static str),
}

/// A key pair just made.
#[expect(
    missing_debug_implementations,
    reason = "half of it is a secret, which has no printed form"
)]
pub struct SshKeyPair {
    /// The public key as one line of OpenSSH: kind and base64.
    pub public: String,
    /// The private key in PKCS#8 form, in base64.
    pub private: Secret<String>,
}

/// The names of the sorts of keys.
pub fn ssh_key_kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(name, _)| *name)
}

/// Makes a key pair of a sort (`ed25519`, `rsa-2048`, `ecdsa-256`, ...); `None` when there is no
/// such sort. Large RSA keys take a second.
pub fn ssh_key_pair(kind: &str) -> Result<Option<SshKeyPair>, VaultError> {
    let known = KINDS.iter().find(|(name, _)| *name == kind);
    let failed = |_| VaultError::Crypto {
        action: "make an SSH key",
    };
    let Some((_, kind)) = known else {
        return Ok(None);
    };
    kind.generate().map(Some).map_err(failed)
}

impl Kind {
    fn generate(self) -> Result<SshKeyPair, Unspecified> {
        let (name, parts, private) = match self {
            Self::Ed25519 => {
                let pair = Ed25519KeyPair::generate()?;
                let private = pair.to_pkcs8()?.as_ref().to_vec();
                let public = pair.public_key().as_ref().to_vec();
                ("ssh-ed25519".to_owned(), vec![public], private)
            }
            Self::Rsa(size) => {
                let pair = RsaKeyPair::generate(size)?;
                let public = pair.public_key();
                let number = |bytes: &[u8]| integer(bytes);
                let exponent = number(public.exponent().big_endian_without_leading_zero());
                let modulus = number(public.modulus().big_endian_without_leading_zero());
                let private = AsDer::<Pkcs8V1Der>::as_der(&pair)?.as_ref().to_vec();
                ("ssh-rsa".to_owned(), vec![exponent, modulus], private)
            }
            Self::Ecdsa(algorithm, curve) => {
                let document = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new())?;
                let private = document.as_ref().to_vec();
                let pair = EcdsaKeyPair::from_pkcs8(algorithm, &private);
                let public = pair.map_err(|_| Unspecified)?;
                let public = public.public_key().as_ref().to_vec();
                let parts = vec![curve.as_bytes().to_vec(), public];
                (format!("ecdsa-sha2-{curve}"), parts, private)
            }
        };
        let mut blob = Vec::new();
        put(&mut blob, name.as_bytes());
        for part in &parts {
            put(&mut blob, part);
        }
        Ok(SshKeyPair {
            public: format!("{name} {}", STANDARD.encode(&blob)),
            private: Secret::new(STANDARD.encode(Secret::new(private).expose())),
        })
    }
}

/// Appends bytes after their length, as SSH writes them.
fn put(blob: &mut Vec<u8>, bytes: &[u8]) {
    blob.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    blob.extend_from_slice(bytes);
}

/// A positive number as SSH writes it: a zero in front when its first bit is set.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let is_high = bytes.first().is_some_and(|first| first & 0x80 != 0);
    let mut number = Vec::with_capacity(bytes.len() + 1);
    if is_high {
        number.push(0);
    }
    number.extend_from_slice(bytes);
    number
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn every_kind_makes_a_public_line() {
        for (kind, start) in [
            ("ed25519", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"),
            ("rsa-2048", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ"),
            (
                "ecdsa-256",
                "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABB",
            ),
            (
                "ecdsa-521",
                "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACF",
            ),
        ] {
            let pair = ssh_key_pair(kind).unwrap().unwrap();
            assert!(pair.public.starts_with(start), "{}", pair.public);
            assert!(!pair.private.expose().is_empty());
        }
        assert!(ssh_key_pair("dsa").unwrap().is_none());
        assert_eq!(ssh_key_kinds().count(), 6);
    }
}
