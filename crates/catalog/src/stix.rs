// SPDX-License-Identifier: Apache-2.0
//! The types of STIX and what OpenCTI calls them, read from `contracts/catalog/stix.toml`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;
use toml::Spanned;

use crate::CatalogError;
use crate::place::Text;
use crate::telling::{RawRule, Telling};

const FILE: Text = Text {
    file: "stix.toml",
    text: include_str!("../../../contracts/catalog/stix.toml"),
};

/// Abstract types of OpenCTI above all objects, from the widest.
const ROOTS_OF_ALL: [&str; 2] = ["Basic-Object", "Stix-Object"];
/// What the root fields that ask for the content of a container end with.
const CONTAINS: &str = "ContainsStixObjectOrStixRelationship";
/// What the types of answers with a page of a list end with.
const CONNECTION: &str = "Connection";

/// What sort of object a STIX type is.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// A STIX domain object.
    Domain,
    /// A STIX cyber-observable object.
    Observable,
    /// A reference shared by many objects: label, marking, phase, external reference.
    Meta,
}

/// One STIX type.
#[derive(Clone, Debug)]
pub struct StixType {
    /// STIX type, with `-`.
    pub name: String,
    /// Type of its entities in the graph.
    pub entity_type: String,
    /// Class of its entities.
    pub class: String,
    /// What sort it is.
    pub sort: Sort,
    /// What its objects are called in OpenCTI.
    pub opencti: Vec<String>,
    /// Which of its objects has which of several names.
    pub told: Option<Telling>,
    /// OpenCTI's abstract types above them, from the widest.
    pub parents: Vec<String>,
}

/// OpenCTI's root fields for one of its types, concrete or abstract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The type.
    pub of: String,
    /// The field that lists its objects.
    pub list: String,
    /// GraphQL type of what that answers.
    pub connection: String,
    /// The field that reads one of them by any of its ids.
    pub read: String,
    /// The field that asks whether one of them holds an object; empty where none holds any.
    pub contains: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    r#type: Vec<RawType>,
    root: Vec<RawRoot>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawType {
    name: Spanned<String>,
    entity: Option<String>,
    class: String,
    sort: Sort,
    opencti: Vec<String>,
    #[serde(default)]
    told: Vec<RawRule>,
    #[serde(default)]
    general: String,
    #[serde(default)]
    parents: Vec<String>,
    #[serde(default)]
    list: String,
    #[serde(default)]
    read: String,
    #[serde(default)]
    contains: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRoot {
    of: Spanned<String>,
    list: String,
    read: String,
}

#[derive(Debug, Default)]
struct Table {
    types: Vec<StixType>,
    roots: Vec<Root>,
}

static BUILT_IN: LazyLock<Result<Table, CatalogError>> = LazyLock::new(|| parse(FILE));

/// Every STIX type that is known by name.
pub fn types() -> &'static [StixType] {
    BUILT_IN.as_ref().map_or(&[], |table| &table.types)
}

/// Every type of OpenCTI that has root fields.
pub fn roots() -> &'static [Root] {
    BUILT_IN.as_ref().map_or(&[], |table| &table.roots)
}

/// What is known about a STIX type.
pub fn named(stix_type: &str) -> Option<&'static StixType> {
    types().iter().find(|known| known.name == stix_type)
}

/// The STIX type whose entities are of a type of the graph.
pub fn of_entity_type(entity_type: &str) -> Option<&'static StixType> {
    types()
        .iter()
        .find(|known| known.entity_type == entity_type)
}

impl StixType {
    /// The name of an object in OpenCTI. `told` is what tells it apart, where there are several.
    pub fn opencti_name(&self, told: Option<&str>) -> &str {
        let found = told.and_then(|told| self.opencti.iter().find(|name| *name == told));
        found.or(self.opencti.first()).map_or("", String::as_str)
    }

    /// Whether an object that OpenCTI calls `own` is of another, concrete or abstract, type too.
    pub fn is_a(&self, own: &str, wanted: &str) -> bool {
        let mut names = self.parents.iter().map(String::as_str).chain([own]);
        names.any(|name| name.eq_ignore_ascii_case(wanted))
    }
}

/// Whether the types of the catalog can be used.
///
/// # Errors
/// The first mistake in the file.
pub(crate) fn check() -> Result<(), CatalogError> {
    match &*BUILT_IN {
        Ok(_) => Ok(()),
        Err(error) => Err(error.clone()),
    }
}

fn parse(file: Text) -> Result<Table, CatalogError> {
    let read: File = file.read()?;
    let mut table = Table::default();
    let (mut seen, mut names) = (BTreeSet::new(), BTreeSet::new());
    for raw in read.r#type {
        let at = raw.name.span().start;
        let name = raw.name.get_ref().clone();
        if raw.opencti.is_empty() {
            return Err(file.wrong(at, format!("{name} needs a name in OpenCTI")));
        }
        let has_several = raw.opencti.len() > 1;
        if has_several == raw.general.is_empty() || has_several == raw.told.is_empty() {
            let reason = format!(
                "{name}: several names in OpenCTI, and only they, need a general one and rules"
            );
            return Err(file.wrong(at, reason));
        }
        if raw.contains && raw.read.is_empty() {
            return Err(file.wrong(at, format!("{name}: `contains` needs `read`")));
        }
        let entity_type = raw.entity.clone().unwrap_or_else(|| name.replace('-', "_"));
        if !seen.insert(entity_type.clone()) {
            return Err(file.wrong(at, format!("the type {entity_type} is declared twice")));
        }
        for name in &raw.opencti {
            if !names.insert(name.to_ascii_lowercase()) {
                return Err(file.wrong(at, format!("two types are called {name} in OpenCTI")));
            }
        }
        table.roots.extend(raw.root());
        let parents = raw.all_parents();
        let told = has_several.then(|| Telling::read(file, at, &raw.opencti, raw.told));
        table.types.push(StixType {
            parents,
            told: told.transpose()?,
            name,
            entity_type,
            class: raw.class,
            sort: raw.sort,
            opencti: raw.opencti,
        });
    }
    for raw in read.root {
        let of = raw.of.get_ref();
        let is_there = |known: &StixType| {
            let mut names = known.opencti.iter().chain(&known.parents);
            names.any(|name| name == of)
        };
        if !table.types.iter().any(is_there) {
            let reason = format!("there is no type {of} in OpenCTI");
            return Err(file.wrong(raw.of.span().start, reason));
        }
        table.roots.push(root(of, raw.list, raw.read, false));
    }
    Ok(table)
}

fn root(of: &str, list: String, read: String, contains: bool) -> Root {
    Root {
        of: of.to_owned(),
        connection: format!("{}{CONNECTION}", of.replace('-', "")),
        contains: if contains {
            format!("{read}{CONTAINS}")
        } else {
            String::new()
        },
        list,
        read,
    }
}

impl RawType {
    /// What all its objects together are called in OpenCTI.
    fn general(&self) -> &str {
        match self.opencti.as_slice() {
            [only] => only,
            _ => &self.general,
        }
    }

    fn root(&self) -> Option<Root> {
        let has_root = !self.list.is_empty() || !self.read.is_empty();
        let make = || {
            root(
                self.general(),
                self.list.clone(),
                self.read.clone(),
                self.contains,
            )
        };
        has_root.then(make)
    }

    fn all_parents(&self) -> Vec<String> {
        let of_sort: &[&str] = match self.sort {
            Sort::Domain => &["Stix-Core-Object", "Stix-Domain-Object"],
            Sort::Observable => &["Stix-Core-Object", "Stix-Cyber-Observable"],
            Sort::Meta => &["Stix-Meta-Object"],
        };
        let above = ROOTS_OF_ALL.iter().chain(of_sort);
        let mut parents: Vec<String> = above.map(|name| (*name).to_owned()).collect();
        if !self.general.is_empty() {
            parents.push(self.general.clone());
        }
        parents.extend(self.parents.iter().cloned());
        parents
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn types_have_their_names_parents_and_roots() {
        check().unwrap();
        let report = named("report").unwrap();
        assert_eq!(report.entity_type, "report");
        let above = [
            "Basic-Object",
            "Stix-Object",
            "Stix-Core-Object",
            "Stix-Domain-Object",
        ];
        assert_eq!(report.parents, [&above[..], &["Container"]].concat());
        let case = named("case-rfi").unwrap();
        assert!(case.is_a("Case-Rfi", "container") && case.is_a("Case-Rfi", "Case"));
        assert!(!case.is_a("Case-Rfi", "Case-Rft"));
        let identity = of_entity_type("identity").unwrap();
        assert_eq!(identity.opencti_name(None), "Individual");
        assert_eq!(identity.opencti_name(Some("Sector")), "Sector");
        assert!(identity.is_a("Sector", "Identity"));
        let credential = named("credential").unwrap();
        assert_eq!(credential.entity_type, "credential_observable");
        assert!(
            of_entity_type("credential").is_none(),
            "that is a core type"
        );
        let of = |of: &str| roots().iter().find(|root| root.of == of).unwrap();
        assert_eq!(
            of("Malware-Analysis").connection,
            "MalwareAnalysisConnection"
        );
        assert_eq!(
            of("Note").contains,
            "noteContainsStixObjectOrStixRelationship"
        );
        assert_eq!(
            (&*of("Identity").list, &*of("Identity").contains),
            ("identities", "")
        );
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        let refusal = |from: &str, to: &str| {
            assert!(FILE.text.contains(from), "{from}");
            let text: &'static str = FILE.text.replacen(from, to, 1).leak();
            let file = Text { text, ..FILE };
            parse(file).unwrap_err().to_string()
        };
        let twice = refusal("name = \"campaign\"", "name = \"attack-pattern\"");
        assert!(
            twice.contains("stix.toml:") && twice.contains("declared twice"),
            "{twice}"
        );
        let general = refusal("general = \"Location\"\n", "");
        assert!(general.contains("need a general one"), "{general}");
        let name = refusal("\"Threat-Actor-Group\", ", "\"malware\", ");
        assert!(name.contains("two types are called"), "{name}");
        let root = refusal("of = \"Threat-Actor-Group\"", "of = \"Threat-Actor-Crowd\"");
        assert!(root.contains("no type Threat-Actor-Crowd"), "{root}");
        let container = refusal("read = \"caseIncident\"\n", "");
        assert!(container.contains("`contains` needs `read`"), "{container}");
    }
}
