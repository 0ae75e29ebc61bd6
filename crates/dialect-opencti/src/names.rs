// SPDX-License-Identifier: Apache-2.0
//! Names of OpenCTI: types of objects and relationships, and the GraphQL types that show them.

use std::collections::HashMap;
use std::sync::LazyLock;

use durward_catalog::stix::{self, StixType};

/// Name of the GraphQL type that shows objects of an OpenCTI type: the same without dashes.
pub(super) fn graphql_type(opencti: &'static str) -> &'static str {
    static NAMES: LazyLock<HashMap<&'static str, String>> = LazyLock::new(|| {
        let names = stix::types().iter().flat_map(|known| &known.opencti);
        let names = names.map(|name| (name.as_str(), name.replace('-', "")));
        names.collect()
    });
    NAMES.get(opencti).map_or(opencti, String::as_str)
}

/// The abstract types above a relationship.
pub(super) const RELATIONSHIP_PARENTS: [&str; 3] = [
    "basic-relationship",
    "stix-relationship",
    "stix-core-relationship",
];
/// The abstract types above a sighting.
pub(super) const SIGHTING_PARENTS: [&str; 2] = ["basic-relationship", "stix-relationship"];
/// The abstract types above an embedded reference.
pub(super) const REFERENCE_PARENTS: [&str; 3] = [
    "basic-relationship",
    "stix-relationship",
    "stix-ref-relationship",
];

/// The OpenCTI types that are some objects of a type of the graph: that type, and the name by which
/// the graph tells them apart.
pub(super) fn told_apart() -> impl Iterator<Item = (&'static str, &'static str)> {
    let several = stix::types().iter().filter(|known| known.told.is_some());
    several.flat_map(|known| {
        let names = known.opencti.iter();
        names.map(|name| (known.entity_type.as_str(), name.as_str()))
    })
}

/// Types of the graph whose objects can be of an OpenCTI type, concrete or abstract.
pub(super) fn graph_types(opencti: &str) -> Vec<String> {
    let folded = opencti.to_ascii_lowercase().replace('_', "-");
    let wants = |known: &&StixType| {
        let mut names = known.opencti.iter();
        known.name == folded || names.any(|name| known.is_a(name, &folded))
    };
    let found = stix::types().iter().filter(wants);
    found.map(|known| known.entity_type.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abstract_types_reach_their_members() {
        assert_eq!(graph_types("Identity"), ["identity"]);
        assert_eq!(graph_types("Organization"), ["identity"]);
        assert!(graph_types("Container").contains(&"report".to_owned()));
        assert!(graph_types("Stix-Domain-Object").contains(&"malware".to_owned()));
        assert!(!graph_types("Stix-Domain-Object").contains(&"label".to_owned()));
        assert_eq!(graph_types("StixFile"), ["file"]);
    }

    #[test]
    fn graphql_types_have_no_dashes() {
        assert_eq!(graphql_type("IPv4-Addr"), "IPv4Addr");
        assert_eq!(graphql_type("StixFile"), "StixFile");
    }
}
