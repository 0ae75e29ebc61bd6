// SPDX-License-Identifier: Apache-2.0
//! Built-in rights and sets of them.
//!
//! Rights are stored by name; their positions may change from release to release.

use std::fmt;

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

struct Entry {
    name: &'static str,
    /// The action of JupiterOne's policies that stands for it; a right without one is covered by
    /// the lone `*` only.
    jupiterone: Option<&'static str>,
}

const fn plain(name: &'static str) -> Entry {
    Entry {
        name,
        jupiterone: None,
    }
}

const fn shared(name: &'static str, jupiterone: &'static str) -> Entry {
    Entry {
        name,
        jupiterone: Some(jupiterone),
    }
}

const TABLE: &[Entry] = &[
    shared("graph:read", "query:ReadGraphData"),
    plain("graph:write"),
    shared("graph:read-raw-data", "persister:GetEntityRawData"),
    shared("graph:synchronize", "persister:Synchronize"),
    shared("graph:read-account-entity", "query:GetAccountEntity"),
    shared("compliance:read-standard", "compliance:GetStandard"),
    shared("compliance:read-summary", "compliance:GetSummary"),
    shared("dashboard:view", "dashboard:View"),
    shared("settings:read", "settings:GetSettings"),
    shared("parameters:read", "parameters:GetParameter"),
    shared("parameters:list", "parameters:GetParameterList"),
    shared("parameters:write", "parameters:SetParameter"),
    shared("parameters:delete", "parameters:DeleteParameter"),
    plain("credentials:manage-own"),
    plain("credentials:manage"),
    plain("accounts:read"),
    plain("accounts:manage"),
    plain("audit:read"),
    plain("organization:read"),
    plain("organization:manage"),
    plain("opencti:BYPASS"),
    plain("opencti:AUTOMATION"),
    plain("opencti:AUTOMATION_AUTMANAGE"),
    plain("opencti:CONNECTORAPI"),
    plain("opencti:EXPLORE"),
    plain("opencti:EXPLORE_EXUPDATE"),
    plain("opencti:EXPLORE_EXUPDATE_EXDELETE"),
    plain("opencti:EXPLORE_EXUPDATE_PUBLISH"),
    plain("opencti:INGESTION"),
    plain("opencti:INGESTION_SETINGESTIONS"),
    plain("opencti:INVESTIGATION"),
    plain("opencti:INVESTIGATION_INUPDATE"),
    plain("opencti:INVESTIGATION_INUPDATE_INDELETE"),
    plain("opencti:KNOWLEDGE"),
    plain("opencti:KNOWLEDGE_KNASKIMPORT"),
    plain("opencti:KNOWLEDGE_KNENRICHMENT"),
    plain("opencti:KNOWLEDGE_KNGETEXPORT"),
    plain("opencti:KNOWLEDGE_KNGETEXPORT_KNASKEXPORT"),
    plain("opencti:KNOWLEDGE_KNPARTICIPATE"),
    plain("opencti:KNOWLEDGE_KNUPDATE"),
    plain("opencti:KNOWLEDGE_KNUPDATE_KNDELETE"),
    plain("opencti:KNOWLEDGE_KNUPDATE_KNMANAGEAUTHMEMBERS"),
    plain("opencti:KNOWLEDGE_KNUPDATE_KNMERGE"),
    plain("opencti:KNOWLEDGE_KNUPDATE_KNORGARESTRICT"),
    plain("opencti:KNOWLEDGE_KNUPLOAD"),
    plain("opencti:MODULES"),
    plain("opencti:MODULES_MODMANAGE"),
    plain("opencti:SETTINGS"),
    plain("opencti:SETTINGS_SECURITYACTIVITY"),
    plain("opencti:SETTINGS_SETACCESSES"),
    plain("opencti:SETTINGS_SETKILLCHAINPHASES"),
    plain("opencti:SETTINGS_SETLABELS"),
    plain("opencti:SETTINGS_SETMARKINGS"),
    plain("opencti:SETTINGS_SETPARAMETERS"),
    plain("opencti:SETTINGS_SETVOCABULARIES"),
    plain("opencti:TAXIIAPI"),
    plain("opencti:VIRTUAL_ORGANIZATION_ADMIN"),
];

/// Prefix of the rights that are OpenCTI capabilities.
pub(crate) const OPENCTI_PREFIX: &str = "opencti:";

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
    /// Every OpenCTI capability at once.
    pub const OPENCTI_BYPASS: Self = Self(20);

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
        let position = TABLE
            .iter()
            .position(|entry| entry.name.strip_prefix(OPENCTI_PREFIX) == Some(capability))?;
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

const WORDS: usize = 4;

/// A set of rights. It is closed: a capability brings the ones it includes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Rights([u64; WORDS]);

/// How a set that holds every right, those of later releases too, is written.
pub const EVERY_RIGHT: &str = "*";

impl Rights {
    /// No right.
    pub const NONE: Self = Self([0; WORDS]);
    /// Every right, those of later releases too.
    pub const ALL: Self = Self([u64::MAX; WORDS]);

    /// The set of these names; `*` stands for all.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, UnknownRight> {
        let mut rights = Self::NONE;
        for name in names {
            if name == EVERY_RIGHT {
                return Ok(Self::ALL);
            }
            let unknown = || UnknownRight {
                name: name.chars().take(64).collect(),
            };
            rights = rights.with(Right::named(name).ok_or_else(unknown)?);
        }
        Ok(rights)
    }

    /// The names of the set; `*` alone when it holds every right.
    pub fn names(&self) -> Vec<&'static str> {
        if *self == Self::ALL {
            return vec![EVERY_RIGHT];
        }
        Right::all()
            .filter(|right| self.contains(*right))
            .map(Right::name)
            .collect()
    }

    /// This set and one right more, with all that the right includes.
    #[must_use]
    pub fn with(mut self, right: Right) -> Self {
        self.insert(right);
        let Some(capability) = right.capability() else {
            return self;
        };
        if right == Right::OPENCTI_BYPASS {
            Right::all()
                .filter(|other| other.capability().is_some())
                .for_each(|other| {
                    self.insert(other);
                });
        }
        let mut rest = capability;
        while let Some((parent, _)) = rest.rsplit_once('_') {
            if let Some(parent) = Right::of_capability(parent) {
                self.insert(parent);
            }
            rest = parent;
        }
        self
    }

    /// Whether the right is in the set.
    pub fn contains(&self, right: Right) -> bool {
        let word = self
            .0
            .get(usize::from(right.0 / 64))
            .copied()
            .unwrap_or_default();
        word & (1 << (right.0 % 64)) != 0
    }

    /// Rights in either set.
    #[must_use]
    pub fn union(mut self, other: Self) -> Self {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word |= other;
        }
        self
    }

    /// Rights in both sets.
    #[must_use]
    pub fn intersect(mut self, other: Self) -> Self {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word &= other;
        }
        self
    }

    /// Whether every right of this set is in the other.
    pub fn is_within(&self, other: &Self) -> bool {
        self.intersect(*other) == *self
    }

    fn insert(&mut self, right: Right) {
        if let Some(word) = self.0.get_mut(usize::from(right.0 / 64)) {
            *word |= 1 << (right.0 % 64);
        }
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        rights.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.names()).finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn constants_name_what_they_say() {
        for (right, name) in [
            (Right::READ_GRAPH, "graph:read"),
            (Right::WRITE_GRAPH, "graph:write"),
            (Right::READ_RAW_DATA, "graph:read-raw-data"),
            (Right::SYNCHRONIZE, "graph:synchronize"),
            (Right::READ_ACCOUNT_ENTITY, "graph:read-account-entity"),
            (Right::READ_COMPLIANCE_STANDARD, "compliance:read-standard"),
            (Right::READ_COMPLIANCE_SUMMARY, "compliance:read-summary"),
            (Right::VIEW_DASHBOARD, "dashboard:view"),
            (Right::READ_SETTINGS, "settings:read"),
            (Right::READ_PARAMETER, "parameters:read"),
            (Right::LIST_PARAMETERS, "parameters:list"),
            (Right::WRITE_PARAMETER, "parameters:write"),
            (Right::DELETE_PARAMETER, "parameters:delete"),
            (Right::MANAGE_OWN_CREDENTIALS, "credentials:manage-own"),
            (Right::MANAGE_CREDENTIALS, "credentials:manage"),
            (Right::READ_ACCOUNTS, "accounts:read"),
            (Right::MANAGE_ACCOUNTS, "accounts:manage"),
            (Right::READ_AUDIT, "audit:read"),
            (Right::READ_ORGANIZATION, "organization:read"),
            (Right::MANAGE_ORGANIZATION, "organization:manage"),
            (Right::OPENCTI_BYPASS, "opencti:BYPASS"),
        ] {
            assert_eq!(right.name(), name);
            assert_eq!(Right::named(name), Some(right));
        }
        let names: std::collections::BTreeSet<_> = TABLE.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), TABLE.len(), "names are unique");
        assert!(TABLE.len() <= WORDS * 64);
    }

    #[test]
    fn capabilities_include_their_prefixes() {
        let right = Right::of_capability("KNOWLEDGE_KNUPDATE_KNDELETE").unwrap();
        let rights = Rights::NONE.with(right);
        let expected = [
            "opencti:KNOWLEDGE",
            "opencti:KNOWLEDGE_KNUPDATE",
            "opencti:KNOWLEDGE_KNUPDATE_KNDELETE",
        ];
        assert_eq!(rights.names(), expected);
        let bypass = Rights::NONE.with(Right::OPENCTI_BYPASS);
        assert!(
            Right::all().all(|right| { bypass.contains(right) == right.capability().is_some() })
        );
    }

    #[test]
    fn sets_behave_as_sets() {
        let reader: Rights = [Right::READ_GRAPH, Right::READ_AUDIT].into_iter().collect();
        let writer: Rights = [Right::READ_GRAPH, Right::WRITE_GRAPH]
            .into_iter()
            .collect();
        assert_eq!(reader.intersect(writer).names(), ["graph:read"]);
        assert!(reader.is_within(&Rights::ALL) && !Rights::ALL.is_within(&reader));
        assert_eq!(
            Rights::from_names(reader.union(writer).names()),
            Ok(reader.union(writer))
        );
        assert_eq!(Rights::ALL.names(), ["*"]);
        assert_eq!(Rights::from_names(["graph:read", "*"]), Ok(Rights::ALL));
        let error = Rights::from_names(["graph:fly"]).unwrap_err();
        assert_eq!(error.to_string(), "there is no right named \"graph:fly\"");
        assert_eq!(Rights::NONE.names(), Vec::<&str>::new());
    }
}
