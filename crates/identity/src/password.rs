// SPDX-License-Identifier: Apache-2.0
//! Passwords: argon2id, never anything faster.
//!
//! Both functions take tens of milliseconds on purpose; asynchronous callers run them on a bounded
//! blocking pool.

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use durward_catalog::Kind;
use durward_graph::{CoreReader, EntityRef};
use durward_model::{ObjectId, Value};
use durward_vault::{Secret, VaultError, random};

use crate::effective::is_suspended;
use crate::{IdentityError, Organization, names};

/// Property with the address of an account.
pub(crate) const EMAIL: &str = "email";
/// Property with the hash of a password.
pub(crate) const PASSWORD_HASH: &str = "passwordHash";

/// Shortest password that is accepted, in characters.
pub const PASSWORD_CHARACTERS_MIN: usize = 12;
/// Longest password that is looked at, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// How much work a password costs whoever guesses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PasswordCost {
    /// 19 MiB of memory, two passes.
    #[default]
    Standard,
    /// As little as the algorithm permits. For tests only.
    Minimal,
}

impl PasswordCost {
    fn argon2(self) -> Option<Argon2<'static>> {
        let params = match self {
            Self::Standard => Params::new(19 * 1024, 2, 1, None),
            Self::Minimal => Params::new(Params::MIN_M_COST, 1, 1, None),
        };
        params
            .ok()
            .map(|params| Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }

    /// The hash of a password in its standard text form, with a new salt.
    pub fn hash(self, password: &str) -> Result<String, VaultError> {
        let failed = VaultError::Crypto {
            action: "hash a password",
        };
        let Some(argon2) = self.argon2() else {
            return Err(failed);
        };
        let Ok(salt) = SaltString::encode_b64(&random::bytes::<16>()?) else {
            return Err(failed);
        };
        let hash = argon2.hash_password(password.as_bytes(), &salt);
        hash.map(|hash| hash.to_string()).map_err(|_| failed)
    }
}

impl Organization {
    /// The hash of a password in the form in which accounts keep it, after a check of its length.
    /// It takes tens of milliseconds on purpose.
    pub fn hash_password(&self, password: &Secret<String>) -> Result<String, IdentityError> {
        check_password(password)?;
        Ok(self.password_cost().hash(password.expose())?)
    }

    /// The account with this address, if the password is its own and it is not suspended.
    pub fn account_of_password(&self, email: &str, password: &Secret<String>) -> Option<ObjectId> {
        let view = self.head();
        let reader = CoreReader::new(&view);
        let has_address = |account: &EntityRef| {
            let known = reader.text(*account, EMAIL).unwrap_or_default();
            names::is_same_email(&known, email.trim())
        };
        let account = reader
            .live(Kind::USER.type_name())
            .into_iter()
            .find(has_address);
        let hash = account.map(|account| reader.secret(account, PASSWORD_HASH));
        let hash = hash.as_ref().and_then(Value::as_str);
        let fits = is_password_of(hash, password.expose(), self.password_cost());
        let usable = account.filter(|account| !is_suspended(reader, *account));
        let usable = usable.filter(|_| fits && !self.is_suspended());
        usable.map(|account| view.entity_id(account))
    }
}

fn check_password(password: &Secret<String>) -> Result<(), IdentityError> {
    let characters = password.expose().chars().count();
    if characters < PASSWORD_CHARACTERS_MIN {
        let reason = format!("needs at least {PASSWORD_CHARACTERS_MIN} characters");
        return Err(IdentityError::input("the password", reason));
    }
    if password.expose().len() > PASSWORD_BYTES_MAX {
        return Err(IdentityError::input("the password", "is too long"));
    }
    Ok(())
}

/// Whether a password belongs to a hash. Without a hash the same work is done in vain, so that the
/// time does not tell which accounts exist.
pub fn is_password_of(hash: Option<&str>, password: &str, cost: PasswordCost) -> bool {
    if password.len() > PASSWORD_BYTES_MAX {
        return false;
    }
    let Some(parsed) = hash.and_then(|hash| PasswordHash::new(hash).ok()) else {
        // The result is of no interest, only the time it takes.
        let _ = cost.hash(password);
        return false;
    };
    Argon2::default()
        .verify_password(password.as_bytes(), &parsed)
        .is_ok()
}

/// A random password of 24 characters.
pub(crate) fn generate() -> Result<Secret<String>, VaultError> {
    random::base64_url::<18>().map(Secret::new)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_fits() {
        let cost = PasswordCost::Minimal;
        let hash = cost.hash("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$"), "{hash}");
        assert_ne!(hash, cost.hash("correct horse").unwrap(), "salts differ");
        assert!(is_password_of(Some(&hash), "correct horse", cost));
        assert!(!is_password_of(Some(&hash), "correct  horse", cost));
        assert!(!is_password_of(Some("not a hash"), "correct horse", cost));
        assert!(!is_password_of(None, "correct horse", cost));
        let long = "x".repeat(PASSWORD_BYTES_MAX + 1);
        assert!(!is_password_of(
            Some(&cost.hash(&long).unwrap()),
            &long,
            cost
        ));
    }

    #[test]
    fn the_standard_cost_is_the_one_that_is_written() {
        let hash = PasswordCost::default().hash("x").unwrap();
        assert!(hash.contains("m=19456,t=2,p=1"), "{hash}");
        assert_eq!(generate().unwrap().expose().len(), 24);
    }
}
