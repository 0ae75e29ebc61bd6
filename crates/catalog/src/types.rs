// SPDX-License-Identifier: Apache-2.0
//! What is known beforehand about types, read from `contracts/catalog/*.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::place::Text;
use crate::telling::{OPENCTI_TYPE, Telling};
use crate::{cloud, credentials, kinds, stix};

/// What the catalog says about one entity type.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeEntry {
    /// Name of the type in `snake_case`.
    pub name: String,
    /// Classes that its entities carry when the writer names none.
    #[serde(default)]
    pub class: Vec<String>,
    /// Whether only commands of the core may write it.
    #[serde(default)]
    pub protected: bool,
    /// Properties that never leave the vault.
    #[serde(default)]
    pub secret: Vec<String>,
    /// Properties unique among the living entities of the type.
    #[serde(default)]
    pub unique: Vec<UniqueProperty>,
}

/// A property whose value names one living entity of its type.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UniqueProperty {
    /// Name of the property.
    pub property: String,
    /// Whether upper and lower case are the same.
    #[serde(default)]
    pub fold: bool,
}

/// The type of credentials.
pub const CREDENTIAL: &str = "credential";

/// The type of the organization itself.
pub const ORGANIZATION: &str = "organization";

/// Property with the data from which an entity was made, as its source gave it.
pub const RAW_DATA: &str = "_rawData";

/// All catalog entries.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    types: BTreeMap<String, TypeEntry>,
    /// By entity type.
    tellings: BTreeMap<&'static str, &'static Telling>,
}

/// A catalog file that cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CatalogError {
    /// It is not TOML of the expected shape.
    #[error("catalog file {file} is not valid")]
    Syntax {
        /// Name of the file.
        file: &'static str,
        /// What is wrong.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// It says something that does not fit.
    #[error("contracts/catalog/{file}:{line}: {reason}")]
    Wrong {
        /// Name of the file.
        file: &'static str,
        /// The line, from 1.
        line: usize,
        /// What does not fit.
        reason: String,
    },
    /// Two entries have one name.
    #[error("catalog type {name} is declared twice")]
    Twice {
        /// The name.
        name: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogFile {
    #[serde(default, rename = "type")]
    types: Vec<TypeEntry>,
}

const FILE: Text = Text {
    file: "core.toml",
    text: include_str!("../../../contracts/catalog/core.toml"),
};

impl Catalog {
    /// The catalog that is built into the binary.
    pub fn built_in() -> Result<Self, CatalogError> {
        kinds::check()?;
        credentials::check()?;
        stix::check()?;
        cloud::check()?;
        let parsed: CatalogFile = FILE.read()?;
        let mut types = BTreeMap::new();
        for entry in kinds::types().chain(parsed.types) {
            let name = entry.name.clone();
            if types.insert(name.clone(), entry).is_some() {
                return Err(CatalogError::Twice { name });
            }
        }
        let tellings = stix::types().iter();
        let tellings =
            tellings.filter_map(|known| Some((&*known.entity_type, known.told.as_ref()?)));
        Ok(Self {
            types,
            tellings: tellings.collect(),
        })
    }

    /// What is known about a type.
    pub fn entry(&self, entity_type: &str) -> Option<&TypeEntry> {
        self.types.get(entity_type)
    }

    /// Whether only commands of the core may write this type.
    pub fn is_protected(&self, entity_type: &str) -> bool {
        self.types
            .get(entity_type)
            .is_some_and(|entry| entry.protected)
    }

    /// Whether a property of a type must never be shown, filtered, sorted or searched. Raw data is
    /// so for every type: it has a right of its own, which reading the graph does not bring.
    pub fn is_secret(&self, entity_type: &str, property: &str) -> bool {
        if property == RAW_DATA {
            return true;
        }
        self.types
            .get(entity_type)
            .is_some_and(|entry| entry.secret.iter().any(|secret| secret == property))
    }

    /// How entities of a type are told apart, where they have an [`OPENCTI_TYPE`].
    pub fn telling(&self, entity_type: &str) -> Option<&'static Telling> {
        self.tellings.get(entity_type).copied()
    }

    /// Whether a property of a type is worked out from the others, so that nobody writes it.
    pub fn is_derived(&self, entity_type: &str, property: &str) -> bool {
        property == OPENCTI_TYPE && self.tellings.contains_key(entity_type)
    }

    /// The rules by which properties are worked out, as a text that is another for other rules.
    pub fn derivations(&self) -> String {
        format!("{:?}", self.tellings)
    }

    /// All entries by name.
    pub fn types(&self) -> impl Iterator<Item = &TypeEntry> {
        self.types.values()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn built_in_catalog_protects_the_core() {
        let catalog = Catalog::built_in().unwrap();
        for core in ["account", CREDENTIAL, ORGANIZATION] {
            assert!(catalog.is_protected(core), "{core}");
        }
        assert!(!catalog.is_protected("okta_user"));
        assert!(catalog.is_secret(CREDENTIAL, "secretHash"));
        assert!(!catalog.is_secret("okta_user", "secretHash"));
        assert!(catalog.is_secret("okta_user", RAW_DATA));
    }
}
