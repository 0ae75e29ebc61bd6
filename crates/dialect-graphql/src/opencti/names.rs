// SPDX-License-Identifier: Apache-2.0
//! Names of OpenCTI: types, their parents, and the GraphQL types that show them.

use std::collections::HashMap;
use std::sync::LazyLock;

use durward_intel::kinds::{self, Kind, Sort};
use serde_json::{Map, Value as Json};

/// Abstract type of all STIX objects.
const STIX_OBJECT: &str = "Stix-Object";
/// Abstract type of everything.
const BASIC_OBJECT: &str = "Basic-Object";
/// Types whose objects hold other objects.
const CONTAINERS: [&str; 10] = [
    "Case-Incident",
    "Case-Rfi",
    "Case-Rft",
    "Feedback",
    "Grouping",
    "Note",
    "Observed-Data",
    "Opinion",
    "Report",
    "Task",
];

/// Name of the GraphQL type that shows objects of an OpenCTI type: the same without dashes.
pub(super) fn graphql_type(opencti: &'static str) -> &'static str {
    static NAMES: LazyLock<HashMap<&'static str, String>> = LazyLock::new(|| {
        let names = kinds::KINDS.iter().flat_map(possible_names);
        names.map(|name| (name, name.replace('-', ""))).collect()
    });
    NAMES.get(opencti).map_or(opencti, String::as_str)
}

/// The abstract types above an OpenCTI type, from the widest.
pub(super) fn parent_types(opencti: &str, sort: Sort) -> Vec<&'static str> {
    let mut parents = vec![BASIC_OBJECT, STIX_OBJECT];
    match sort {
        Sort::Domain => {
            parents.extend(["Stix-Core-Object", "Stix-Domain-Object"]);
            match opencti {
                "Individual" | "Organization" | "Sector" | "System" | "SecurityPlatform" => {
                    parents.push("Identity");
                }
                "City" | "Country" | "Region" | "Administrative-Area" | "Position" => {
                    parents.push("Location");
                }
                "Threat-Actor-Group" | "Threat-Actor-Individual" => parents.push("Threat-Actor"),
                _ => {}
            }
            if CONTAINERS.contains(&opencti) {
                parents.push("Container");
            }
            if matches!(
                opencti,
                "Case-Incident" | "Case-Rfi" | "Case-Rft" | "Feedback"
            ) {
                parents.push("Case");
            }
        }
        Sort::Observable => {
            parents.extend(["Stix-Core-Object", "Stix-Cyber-Observable"]);
            if matches!(opencti, "StixFile" | "Artifact" | "X509-Certificate") {
                parents.push("Hashed-Observable");
            }
        }
        Sort::Meta => parents.push("Stix-Meta-Object"),
        Sort::Foreign => {}
    }
    parents
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

/// Properties by which identities, locations and threat actors are told apart.
pub(super) const TELLING_PROPERTIES: [&str; 9] = [
    "identity_class",
    "x_opencti_location_type",
    "x_opencti_type",
    "resource_level",
    "latitude",
    "longitude",
    "city",
    "country",
    "region",
];

/// The STIX kind of a type of the graph, if OpenCTI has it.
pub(super) fn kind_of(entity_type: &str) -> Option<&'static Kind> {
    kinds::kind(&kinds::stix_type(entity_type))
}

/// Types of the graph whose objects can be of an OpenCTI type, concrete or abstract.
pub(super) fn graph_types(opencti: &str) -> Vec<String> {
    let folded = opencti.to_ascii_lowercase().replace('_', "-");
    let wants = |kind: &&Kind| {
        let names = possible_names(kind);
        names.iter().any(|name| {
            name.eq_ignore_ascii_case(&folded)
                || parent_types(name, kind.sort)
                    .iter()
                    .any(|parent| parent.eq_ignore_ascii_case(&folded))
        }) || kind.stix_type == folded
    };
    kinds::KINDS
        .iter()
        .filter(wants)
        .map(|kind| kinds::entity_type(kind.stix_type))
        .collect()
}

/// Whether an object of an OpenCTI type is of another, concrete or abstract, type.
pub(super) fn is_a(opencti: &str, sort: Sort, wanted: &str) -> bool {
    opencti.eq_ignore_ascii_case(wanted)
        || parent_types(opencti, sort)
            .iter()
            .any(|parent| parent.eq_ignore_ascii_case(wanted))
}

/// The names that objects of one STIX type can have in OpenCTI.
pub(super) fn possible_names(kind: &Kind) -> Vec<&'static str> {
    match kind.stix_type {
        "identity" => vec![
            "Individual",
            "Organization",
            "Sector",
            "System",
            "SecurityPlatform",
        ],
        "location" => vec![
            "City",
            "Country",
            "Region",
            "Administrative-Area",
            "Position",
        ],
        "threat-actor" => vec!["Threat-Actor-Group", "Threat-Actor-Individual"],
        _ => vec![kind.opencti],
    }
}

/// Name of an object's type in OpenCTI. A location or identity of a kind that OpenCTI does not know
/// counts as the kind's first name.
pub(super) fn name_of(kind: &'static Kind, telling: &Map<String, Json>) -> &'static str {
    let names = possible_names(kind);
    let first = names.first().copied().unwrap_or(kind.opencti);
    let Some(name) = kinds::opencti_name(kind.stix_type, telling) else {
        return first;
    };
    names
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(&name))
        .unwrap_or(first)
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
        assert!(is_a("City", Sort::Domain, "Location"));
    }

    #[test]
    fn graphql_types_have_no_dashes() {
        assert_eq!(graphql_type("IPv4-Addr"), "IPv4Addr");
        assert_eq!(graphql_type("StixFile"), "StixFile");
    }
}
