// SPDX-License-Identifier: Apache-2.0
//! AWS: JSON files as the AWS command line prints them.
//!
//! | command | what it gives |
//! |---|---|
//! | `aws iam get-account-authorization-details` | users, groups, roles, policies, trust |
//! | `aws organizations list-roots` | the root of the organization |
//! | `aws organizations list-organizational-units-for-parent` | organizational units |
//! | `aws organizations list-accounts-for-parent` | accounts |
//!
//! The last two do not print whose children they list: the file name must hold the parent's id
//! (`ou-ab12-cdefgh34.accounts.json`, `list-accounts-for-parent-r-ab12.json`), unless the only
//! parent there can be is the one root.

mod account;
mod builder;
mod document;
mod error;
mod organization;
mod policy;
mod srn;
mod trust;

pub use error::AwsImportError;

use durward_model::record::{EntityRecord, RelationshipRecord};
use serde_json::Value as Json;

use crate::aws::builder::Builder;
use crate::aws::organization::Organization;

/// Collects files, then turns them into records.
#[derive(Debug, Default)]
pub struct AwsImport {
    organization: Organization,
    accounts: Vec<account::AuthorizationDetails>,
}

/// What an import gives.
#[derive(Debug, Default)]
pub struct AwsRecords {
    /// Entities, by key.
    pub entities: Vec<EntityRecord>,
    /// Relationships between them.
    pub relationships: Vec<RelationshipRecord>,
    /// Sentences about what could not be placed; the rest is there.
    pub warnings: Vec<String>,
    /// Whether the files did not tell everything: what is absent may be there all the same.
    pub is_partial: bool,
}

impl AwsImport {
    /// An import of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the content of one file. `name` is its file name, which may tell the parent.
    ///
    /// # Errors
    /// When the text is not JSON, is of none of the four kinds, or lacks what its kind must have.
    /// Nothing of the file is kept then.
    pub fn add_file(&mut self, name: &str, text: &[u8]) -> Result<(), AwsImportError> {
        let json: Json = serde_json::from_slice(text).map_err(|source| AwsImportError::Syntax {
            file: name.to_owned(),
            source,
        })?;
        let has = |member: &str| json.get(member).is_some();
        if has("UserDetailList") || has("RoleDetailList") || has("Policies") {
            self.accounts
                .push(account::AuthorizationDetails::parse(name, json)?);
            return Ok(());
        }
        if has("Roots") || has("OrganizationalUnits") || has("Accounts") {
            return self.organization.add(name, &json);
        }
        Err(AwsImportError::UnknownKind {
            file: name.to_owned(),
        })
    }

    /// Turns everything that was added into records.
    ///
    /// # Errors
    /// When children were listed whose parent cannot be told.
    pub fn finish(self) -> Result<AwsRecords, AwsImportError> {
        let mut builder = Builder::default();
        for file in &self.organization.cut_off {
            builder.incomplete(format!("{file} is one page of several"));
        }
        let pages: Vec<(&str, bool)> = self
            .accounts
            .iter()
            .map(account::AuthorizationDetails::page)
            .collect();
        for (account, _) in &pages {
            let is_whole = pages.iter().any(|page| page == &(*account, false));
            let why = format!("the last page of account {account} is not among the files");
            if !is_whole && !builder.warnings.contains(&why) {
                builder.incomplete(why);
            }
        }
        let scopes = self.organization.emit(&mut builder)?;
        for details in &self.accounts {
            details.emit(&scopes, &mut builder);
        }
        Ok(builder.finish())
    }
}
