// SPDX-License-Identifier: Apache-2.0
//! Built-in rights and sets of them.
//!
//! Rights are stored by name; their positions may change from release to release.

mod set;
mod table;
mod vocabulary;

use std::fmt;

use table::TABLE;

pub use set::{EVERY_RIGHT, Rights};
pub use vocabulary::Vocabulary;

/// One right. An action of a dialect asks for exactly one, or for any of a few.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Right(u8);

/// A name that is no right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no right named {name:?}")]
pub struct UnknownRight {
    /// The name, shortened.
    pub name: String,
}

/// Prefix of the rights that are OpenCTI capabilities.
pub(crate) const OPENCTI_PREFIX: &str = "opencti:";
/// Prefix of the rights that are StrongDM permissions.
pub(crate) const STRONGDM_PREFIX: &str = "strongdm:";
/// Prefix of the rights that are Cyral permissions.
pub(crate) const CYRAL_PREFIX: &str = "cyral:";
/// Prefix of the rights that Sonrai's roles give.
pub(crate) const SONRAI_PREFIX: &str = "sonrai:";

impl Right {
    /// Read the graph, in whatever query language.
    pub const READ_GRAPH: Self = Self(0);
    /// Create, change and delete entities and relationships one by one.
    pub const WRITE_GRAPH: Self = Self(1);
    /// Read the raw data that was uploaded with an entity.
    pub const READ_RAW_DATA: Self = Self(2);
    /// Bring data in through synchronization jobs and imports.
    pub const SYNCHRONIZE: Self = Self(3);
    /// Read the entity that stands for the organization.
    pub const READ_ACCOUNT_ENTITY: Self = Self(4);
    /// Read a compliance standard.
    pub const READ_COMPLIANCE_STANDARD: Self = Self(5);
    /// Read the compliance summary.
    pub const READ_COMPLIANCE_SUMMARY: Self = Self(6);
    /// View a dashboard.
    pub const VIEW_DASHBOARD: Self = Self(7);
    /// Read the settings.
    pub const READ_SETTINGS: Self = Self(8);
    /// Read a query parameter.
    pub const READ_PARAMETER: Self = Self(9);
    /// List the query parameters.
    pub const LIST_PARAMETERS: Self = Self(10);
    /// Set a query parameter.
    pub const WRITE_PARAMETER: Self = Self(11);
    /// Delete a query parameter.
    pub const DELETE_PARAMETER: Self = Self(12);
    /// Make and revoke credentials of one's own account.
    pub const MANAGE_OWN_CREDENTIALS: Self = Self(13);
    /// Make and revoke credentials of any account.
    pub const MANAGE_CREDENTIALS: Self = Self(14);
    /// List accounts and see their names and addresses.
    pub const READ_ACCOUNTS: Self = Self(15);
    /// Make, change and suspend accounts.
    pub const MANAGE_ACCOUNTS: Self = Self(16);
    /// Read the audit log.
    pub const READ_AUDIT: Self = Self(17);
    /// See the organization's own data: name, counts, types.
    pub const READ_ORGANIZATION: Self = Self(18);
    /// Change the organization.
    pub const MANAGE_ORGANIZATION: Self = Self(19);
    /// See roles, grants, policies and who reaches what.
    pub const READ_ACCESS: Self = Self(20);
    /// Give and take roles and grants; write policies.
    pub const MANAGE_ACCESS: Self = Self(21);
    /// List resources and nodes.
    pub const READ_RESOURCES: Self = Self(22);
    /// Make, change and delete resources and nodes.
    pub const MANAGE_RESOURCES: Self = Self(23);
    /// Every OpenCTI capability at once.
    pub const OPENCTI_BYPASS: Self = Self(24);

    /// The right of this name.
    pub fn named(name: &str) -> Option<Self> {
        let position = TABLE.iter().position(|entry| entry.name == name)?;
        u8::try_from(position).ok().map(Self)
    }

    /// The right that an action of a JupiterOne policy stands for.
    pub fn of_jupiterone_action(action: &str) -> Option<Self> {
        let position = TABLE
            .iter()
            .position(|entry| entry.jupiterone == Some(action))?;
        u8::try_from(position).ok().map(Self)
    }

    /// The right of an OpenCTI capability such as `KNOWLEDGE_KNUPDATE`.
    pub fn of_capability(capability: &str) -> Option<Self> {
        Self::prefixed(OPENCTI_PREFIX, capability)
    }

    /// The right of a Cyral permission such as `Modify Users`.
    pub fn of_cyral(name: &str) -> Option<Self> {
        Self::prefixed(CYRAL_PREFIX, name)
    }

    fn prefixed(prefix: &str, rest: &str) -> Option<Self> {
        let position = TABLE
            .iter()
            .position(|entry| entry.name.strip_prefix(prefix) == Some(rest))?;
        u8::try_from(position).ok().map(Self)
    }

    /// All rights.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..TABLE.len()).filter_map(|position| u8::try_from(position).ok().map(Self))
    }

    /// Its name, such as `graph:read`.
    pub fn name(self) -> &'static str {
        TABLE
            .get(usize::from(self.0))
            .map_or("", |entry| entry.name)
    }

    /// The action of JupiterOne's policies that stands for it.
    pub fn jupiterone_action(self) -> Option<&'static str> {
        TABLE
            .get(usize::from(self.0))
            .and_then(|entry| entry.jupiterone)
    }

    /// The OpenCTI capability that it is.
    pub fn capability(self) -> Option<&'static str> {
        self.name().strip_prefix(OPENCTI_PREFIX)
    }

    /// The StrongDM permission key that it is.
    pub fn strongdm_key(self) -> Option<&'static str> {
        self.name().strip_prefix(STRONGDM_PREFIX)
    }

    /// The Cyral permission that it is.
    pub fn cyral_name(self) -> Option<&'static str> {
        self.name().strip_prefix(CYRAL_PREFIX)
    }

    /// The right of Sonrai's roles that it is.
    pub fn sonrai_name(self) -> Option<&'static str> {
        self.name().strip_prefix(SONRAI_PREFIX)
    }
}

impl fmt::Debug for Right {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl fmt::Display for Right {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests;
