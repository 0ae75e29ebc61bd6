// SPDX-License-Identifier: Apache-2.0
//! Retiring the keys that sign: a new one takes over, and what the old one signed ends or, for
//! heads of the journal, ends at the present transaction.

use durward_journal::{Head, HeadSigner as _};
use durward_vault::TokenSort;

use crate::first::system;
use crate::{IdentityError, Organization, Organizations};

/// A key of an organization that signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningKey {
    /// That of long-lived tokens.
    Token,
    /// That of tokens which are granted for minutes or hours.
    Grant,
    /// That of the heads of the journal.
    Head,
}

/// What retiring a key did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetiredKey {
    /// Name of the organization.
    pub organization: String,
    /// Id of the key that signed until now.
    pub old: String,
    /// Id of the key that signs from now on.
    pub new: String,
}

impl Organizations {
    /// Makes a new signing key in an organization and ends the old one. The journal says so before
    /// this returns.
    pub fn retire_key(
        &self,
        name: Option<&str>,
        key: SigningKey,
    ) -> Result<RetiredKey, IdentityError> {
        let organization = self.find_or_only(name)?;
        let retired = organization.retire_key(key)?;
        self.forget_credentials();
        Ok(retired)
    }
}

impl Organization {
    fn retire_key(&self, key: SigningKey) -> Result<RetiredKey, IdentityError> {
        let old = self.signing_key_id(key);
        let mut origin = system(match key {
            SigningKey::Token => "token key retired",
            SigningKey::Grant => "grant key retired",
            SigningKey::Head => "head key retired",
        });
        match key {
            SigningKey::Token => self.vault().replace_token_keys(TokenSort::Token)?,
            SigningKey::Grant => self.vault().replace_token_keys(TokenSort::Grant)?,
            SigningKey::Head => {
                let (sequence, hash) = self.store().head();
                let head = Head {
                    sequence,
                    hash,
                    ..Head::default()
                };
                let over = self.vault().replace_head_key(&head)?;
                origin.detail = serde_json::to_string(&over).unwrap_or_default();
            }
        }
        let new = self.signing_key_id(key);
        if origin.detail.is_empty() {
            origin.detail = format!("key {new} follows key {old}");
        }
        // This append is the first that a new head key signs.
        self.store().note(origin)?;
        self.remember_head();
        Ok(RetiredKey {
            organization: self.name(),
            old,
            new,
        })
    }

    fn signing_key_id(&self, key: SigningKey) -> String {
        match key {
            SigningKey::Token => self.vault().token_keys().current_key_id().to_owned(),
            SigningKey::Grant => self.vault().grant_keys().current_key_id().to_owned(),
            SigningKey::Head => self.vault().head_key().key_id(),
        }
    }
}
