// SPDX-License-Identifier: Apache-2.0
//! How STIX types lie in the graph.

use durward_catalog::stix;

/// Class that every STIX object carries beside its own.
pub const STIX_CLASS: &str = "StixObject";
/// Type of entities that stand for external references.
pub const EXTERNAL_REFERENCE: &str = "external_reference";
/// Type of entities that stand for kill-chain phases.
pub const KILL_CHAIN_PHASE: &str = "kill_chain_phase";
/// Type of entities that stand for labels.
pub const LABEL: &str = "label";
/// Type of entities that stand for markings.
pub const MARKING_DEFINITION: &str = "marking_definition";
/// Verb from an object to its external references.
pub const REFERS: &str = "REFERS";
/// Verb from an object to its kill-chain phases.
pub const IN_PHASE: &str = "IN_PHASE";
/// Verb from an object to its labels.
pub const LABELED: &str = "LABELED";
/// Verb from an object to its markings.
pub const MARKED: &str = "MARKED";
/// Verb from an object to the identity that created it.
pub const CREATED_BY: &str = "CREATED_BY";
/// Verb from a container (report, note, grouping, ...) to what it holds.
pub const CONTAINS: &str = "CONTAINS";
/// Verb from what was sighted to where it was.
pub const SIGHTED: &str = "SIGHTED";

/// Whether objects of a STIX type become relationships of the graph.
pub fn is_relationship(stix_type: &str) -> bool {
    matches!(stix_type, "relationship" | "sighting")
}

/// Entity type of a STIX type in the graph: `_` for `-`, unless the catalog says otherwise.
pub fn entity_type(stix_type: &str) -> String {
    let known = stix::named(stix_type).map(|known| known.entity_type.clone());
    known.unwrap_or_else(|| stix_type.replace('-', "_"))
}

/// Verb of a STIX relationship type: capitals, `_` for `-`.
pub fn verb(relationship_type: &str) -> String {
    relationship_type.to_uppercase().replace('-', "_")
}

/// Classes of the entities of a STIX type. A type of nobody's knowledge gets a class made of its
/// name (`x-mitre-analytic` becomes `XMitreAnalytic`).
pub fn classes(stix_type: &str) -> Vec<String> {
    let known = stix::named(stix_type).map(|known| known.class.clone());
    let own = known.unwrap_or_else(|| title_case(stix_type));
    vec![own, STIX_CLASS.to_owned()]
}

fn title_case(stix_type: &str) -> String {
    let capital = |part: &str| {
        let mut characters = part.chars();
        let first = characters
            .next()
            .map(|first| first.to_uppercase().collect::<String>());
        first.unwrap_or_default() + characters.as_str()
    };
    stix_type.split('-').map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules() {
        assert_eq!(verb("subtechnique-of"), "SUBTECHNIQUE_OF");
        assert_eq!(entity_type("intrusion-set"), "intrusion_set");
        let credential = stix::of_entity_type(&entity_type("credential"));
        assert_eq!(credential.map(|known| &*known.name), Some("credential"));
        assert!(
            stix::of_entity_type("credential").is_none(),
            "that is a core kind"
        );
        assert_eq!(
            classes("x-mitre-analytic"),
            ["XMitreAnalytic", "StixObject"]
        );
        assert_eq!(classes("threat-actor"), ["ThreatActor", "StixObject"]);
    }
}
