// SPDX-License-Identifier: Apache-2.0
//! The STIX types: their classes in the graph and their names in OpenCTI.

use serde_json::{Map, Value as Json};

use crate::standard_id::{location_type, threat_actor_type};

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

/// What sort of object a STIX type is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A STIX domain object.
    Domain,
    /// A STIX cyber-observable object.
    Observable,
    /// A reference shared by many objects: label, marking, phase, external reference.
    Meta,
    /// A type that OpenCTI does not have; it is in the graph and in J1QL only.
    Foreign,
}

/// One STIX type.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// STIX type, with `-`.
    pub stix_type: &'static str,
    /// Class in the graph.
    pub class: &'static str,
    /// Name in OpenCTI; types with several names there (identity, location, threat actor) have none
    /// of their own here, see [`opencti_name`].
    pub opencti: &'static str,
    /// What sort it is.
    pub sort: Sort,
}

const fn domain(stix_type: &'static str, class: &'static str, opencti: &'static str) -> Kind {
    Kind {
        stix_type,
        class,
        opencti,
        sort: Sort::Domain,
    }
}

const fn observable(stix_type: &'static str, opencti: &'static str) -> Kind {
    Kind {
        stix_type,
        class: "Observable",
        opencti,
        sort: Sort::Observable,
    }
}

const fn meta(stix_type: &'static str, class: &'static str, opencti: &'static str) -> Kind {
    Kind {
        stix_type,
        class,
        opencti,
        sort: Sort::Meta,
    }
}

/// Every STIX type that is known by name.
pub const KINDS: &[Kind] = &[
    domain("attack-pattern", "AttackPattern", "Attack-Pattern"),
    domain("campaign", "Campaign", "Campaign"),
    domain("case-incident", "Case", "Case-Incident"),
    domain("case-rfi", "Case", "Case-Rfi"),
    domain("case-rft", "Case", "Case-Rft"),
    domain("channel", "Channel", "Channel"),
    domain("course-of-action", "CourseOfAction", "Course-Of-Action"),
    domain("data-component", "DataComponent", "Data-Component"),
    domain("data-source", "DataSource", "Data-Source"),
    domain("event", "Event", "Event"),
    domain("feedback", "Case", "Feedback"),
    domain("grouping", "Grouping", "Grouping"),
    domain("identity", "Identity", ""),
    domain("incident", "Incident", "Incident"),
    domain("indicator", "Indicator", "Indicator"),
    domain("infrastructure", "Infrastructure", "Infrastructure"),
    domain("intrusion-set", "ThreatActor", "Intrusion-Set"),
    domain("language", "Language", "Language"),
    domain("location", "Location", ""),
    domain("malware", "Malware", "Malware"),
    domain("malware-analysis", "MalwareAnalysis", "Malware-Analysis"),
    domain("narrative", "Narrative", "Narrative"),
    domain("note", "Note", "Note"),
    domain("observed-data", "ObservedData", "Observed-Data"),
    domain("opinion", "Opinion", "Opinion"),
    domain("report", "Report", "Report"),
    domain("security-coverage", "SecurityCoverage", "Security-Coverage"),
    domain("task", "Task", "Task"),
    domain("threat-actor", "ThreatActor", ""),
    domain("tool", "Tool", "Tool"),
    domain("vulnerability", "Vulnerability", "Vulnerability"),
    observable("ai-prompt", "AI-Prompt"),
    observable("artifact", "Artifact"),
    observable("autonomous-system", "Autonomous-System"),
    observable("bank-account", "Bank-Account"),
    observable("credential", "Credential"),
    observable("cryptocurrency-wallet", "Cryptocurrency-Wallet"),
    observable("cryptographic-key", "Cryptographic-Key"),
    observable("directory", "Directory"),
    observable("domain-name", "Domain-Name"),
    observable("email-addr", "Email-Addr"),
    observable("email-message", "Email-Message"),
    observable("file", "StixFile"),
    observable("hostname", "Hostname"),
    observable("iccid", "ICCID"),
    observable("imei", "IMEI"),
    observable("imsi", "IMSI"),
    observable("ipv4-addr", "IPv4-Addr"),
    observable("ipv6-addr", "IPv6-Addr"),
    observable("mac-addr", "Mac-Addr"),
    observable("media-content", "Media-Content"),
    observable("mutex", "Mutex"),
    observable("network-traffic", "Network-Traffic"),
    observable("payment-card", "Payment-Card"),
    observable("persona", "Persona"),
    observable("phone-number", "Phone-Number"),
    observable("process", "Process"),
    observable("software", "Software"),
    observable("ssh-key", "SSH-Key"),
    observable("text", "Text"),
    observable("tracking-number", "Tracking-Number"),
    observable("url", "Url"),
    observable("user-account", "User-Account"),
    observable("user-agent", "User-Agent"),
    observable("windows-registry-key", "Windows-Registry-Key"),
    observable("x509-certificate", "X509-Certificate"),
    meta(
        "external-reference",
        "ExternalReference",
        "External-Reference",
    ),
    meta("kill-chain-phase", "KillChainPhase", "Kill-Chain-Phase"),
    meta("label", "Label", "Label"),
    meta(
        "marking-definition",
        "MarkingDefinition",
        "Marking-Definition",
    ),
    meta("vocabulary", "Vocabulary", "Vocabulary"),
];

/// What is known about a STIX type.
pub fn kind(stix_type: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.stix_type == stix_type)
}

/// Whether objects of a STIX type become relationships of the graph.
pub fn is_relationship(stix_type: &str) -> bool {
    matches!(stix_type, "relationship" | "sighting")
}

/// Type of the graph for STIX's `credential`, whose own name is that of Durward's credentials.
const CREDENTIAL_OBSERVABLE: &str = "credential_observable";

/// Entity type of a STIX type in the graph: `_` for `-`.
pub fn entity_type(stix_type: &str) -> String {
    match stix_type {
        "credential" => CREDENTIAL_OBSERVABLE.to_owned(),
        other => other.replace('-', "_"),
    }
}

/// STIX type of an entity type in the graph; one that nothing knows for types that do not come from
/// STIX.
pub fn stix_type(entity_type: &str) -> String {
    match entity_type {
        CREDENTIAL_OBSERVABLE => "credential".to_owned(),
        "credential" => "x-durward-credential".to_owned(),
        other => other.replace('_', "-"),
    }
}

/// Verb of a STIX relationship type: capitals, `_` for `-`.
pub fn verb(relationship_type: &str) -> String {
    relationship_type.to_uppercase().replace('-', "_")
}

/// Classes of the entities of a STIX type. A type of nobody's knowledge gets a class made of its
/// name (`x-mitre-analytic` becomes `XMitreAnalytic`).
pub fn classes(stix_type: &str) -> Vec<String> {
    let own = kind(stix_type).map_or_else(|| title_case(stix_type), |kind| kind.class.to_owned());
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

/// Name of an object's type in OpenCTI, or `None` for a type that OpenCTI does not have.
/// `object` holds the STIX properties by which identities, locations and threat actors are told
/// apart.
pub fn opencti_name(stix_type: &str, object: &Map<String, Json>) -> Option<String> {
    let kind = kind(stix_type)?;
    let name = match stix_type {
        "identity" => {
            let class = object
                .get("identity_class")
                .and_then(Json::as_str)
                .unwrap_or("");
            match class.to_ascii_lowercase().as_str() {
                "organization" => {
                    let is_platform = object.get("x_opencti_type").and_then(Json::as_str)
                        == Some("SecurityPlatform");
                    if is_platform {
                        "SecurityPlatform"
                    } else {
                        "Organization"
                    }
                }
                "class" => "Sector",
                "system" => "System",
                "securityplatform" => "SecurityPlatform",
                _ => "Individual",
            }
        }
        "location" => location_type(object).unwrap_or("Region"),
        "threat-actor" => threat_actor_type(object),
        _ => kind.opencti,
    };
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules() {
        assert_eq!(verb("subtechnique-of"), "SUBTECHNIQUE_OF");
        assert_eq!(entity_type("intrusion-set"), "intrusion_set");
        assert_eq!(stix_type(&entity_type("credential")), "credential");
        assert!(
            kind(&stix_type("credential")).is_none(),
            "that is a core kind"
        );
        assert_eq!(
            classes("x-mitre-analytic"),
            ["XMitreAnalytic", "StixObject"]
        );
        assert_eq!(classes("threat-actor"), ["ThreatActor", "StixObject"]);
    }
}
