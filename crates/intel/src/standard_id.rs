// SPDX-License-Identifier: Apache-2.0
//! Deterministic STIX ids: a UUID of version 5 over the properties that make an object what it is.
//!
//! The rules are OpenCTI's; where its client and its server differ, the server's rule is here. An
//! object of a type without a rule keeps the id it came with.

use durward_catalog::{Said, Telling, stix};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::canonical::canonical_json;
use crate::markings;

/// Namespace of deterministic ids (STIX 2.1, section 2.9).
const NAMESPACE: Uuid = Uuid::from_u128(0x00ab_edb4_aa42_466c_9c01_fed2_3315_a9b7);
/// Hashes in the order of preference; one contributes.
const HASH_ORDER: [&str; 7] = [
    "MD5", "SHA-1", "SHA-256", "SHA-512", "SHA3-256", "SHA3-512", "SSDEEP",
];
type Members = Map<String, Json>;

/// The deterministic id of an object given by its STIX properties, or `None` when its type has no
/// rule or it lacks what the rule needs. `stix_type` is the STIX type, with `-`.
///
/// For relationships and sightings the references must already be standard ids.
pub fn standard_id(stix_type: &str, object: &Members) -> Option<String> {
    if stix_type == "marking-definition" {
        return marking(object);
    }
    let contributing = contributing(stix_type, object)?;
    if contributing.is_empty() {
        return None;
    }
    Some(id_over(stix_type, contributing))
}

/// The fixed or deterministic id of a marking. `object` is either a STIX marking definition
/// (`definition` an object) or its OpenCTI form (`definition` a text).
fn marking(object: &Members) -> Option<String> {
    let definition_type = text(object, "definition_type")?;
    let definition = match object.get("definition")? {
        Json::String(definition) => definition.clone(),
        Json::Object(inner) => {
            let value = inner.values().next().and_then(Json::as_str)?;
            let is_tlp = definition_type.eq_ignore_ascii_case("tlp") && !value.contains(':');
            if is_tlp {
                format!("TLP:{value}")
            } else {
                value.to_owned()
            }
        }
        _ => return None,
    };
    let upper = definition.to_uppercase();
    if let Some(tlp) = markings::named(&upper) {
        return Some(tlp.id());
    }
    let mut members = Members::new();
    members.insert("definition".to_owned(), definition.into());
    members.insert("definition_type".to_owned(), definition_type.into());
    Some(id_over("marking-definition", members))
}

fn id_over(stix_type: &str, contributing: Members) -> String {
    let canonical = canonical_json(&Json::Object(contributing));
    format!(
        "{stix_type}--{}",
        Uuid::new_v5(&NAMESPACE, canonical.as_bytes())
    )
}

fn contributing(stix_type: &str, object: &Members) -> Option<Members> {
    let pick = Pick { object };
    Some(match stix_type {
        "campaign" | "channel" | "data-component" | "data-source" | "event" | "infrastructure"
        | "intrusion-set" | "language" | "malware" | "narrative" | "tool" | "vulnerability" => {
            pick.members(&[lower("name")])?
        }
        "attack-pattern" | "course-of-action" => pick
            .members(&[lower("x_mitre_id")])
            .or_else(|| pick.members(&[lower("name")]))?,
        "case-incident" | "case-rfi" | "case-rft" | "incident" | "task" | "feedback" => {
            pick.members(&[lower("name"), exact("created")])?
        }
        "report" => pick.members(&[lower("name"), exact("published")])?,
        "grouping" => pick.members(&[lower("name"), lower("context"), optional("created")])?,
        "identity" => pick.members(&[lower("name"), lower("identity_class")])?,
        "location" => location(&pick)?,
        "threat-actor" => {
            let mut members = pick.members(&[lower("name")])?;
            members.insert("opencti_type".to_owned(), threat_actor_type(object)?.into());
            members
        }
        "indicator" => pick.members(&[trimmed("pattern")])?,
        "malware-analysis" => pick.members(&[
            lower("result_name"),
            exact("product"),
            optional("submitted"),
        ])?,
        "note" => pick.members(&[trimmed("content"), optional("created")])?,
        "opinion" => pick.members(&[trimmed("opinion"), optional("created")])?,
        "observed-data" => {
            let mut refs = texts(object, "object_refs")?;
            refs.sort();
            Members::from_iter([("objects".to_owned(), Json::from(refs))])
        }
        "security-coverage" => pick.members(&[lower("covered_ref")])?,
        "external-reference" => pick
            .members(&[exact("url")])
            .or_else(|| pick.members(&[exact("source_name"), exact("external_id")]))?,
        "kill-chain-phase" => pick.members(&[exact("phase_name"), exact("kill_chain_name")])?,
        "label" => pick.members(&[lower("value")])?,
        "vocabulary" => pick.members(&[lower("name"), exact("category")])?,
        "relationship" => pick.members(&[
            exact("relationship_type"),
            exact("source_ref"),
            exact("target_ref"),
            optional("start_time"),
            optional("stop_time"),
        ])?,
        "sighting" => {
            let mut members = pick.members(&[
                exact("sighting_of_ref"),
                optional("first_seen"),
                optional("last_seen"),
            ])?;
            members.insert("type".to_owned(), "sighting".into());
            let places = object
                .get("where_sighted_refs")
                .cloned()
                .unwrap_or_else(|| Json::Array(Vec::new()));
            members.insert("where_sighted_refs".to_owned(), places);
            members
        }
        _ => observable(stix_type, &pick)?,
    })
}

fn location(pick: &Pick<'_>) -> Option<Members> {
    let kind = location_type(pick.object)?;
    if kind == "Position" {
        let places = pick.members(&[optional("latitude"), optional("longitude")]);
        return places
            .filter(|members| !members.is_empty())
            .or_else(|| pick.members(&[lower("name")]));
    }
    let mut members = pick.members(&[lower("name")])?;
    members.insert("x_opencti_location_type".to_owned(), kind.into());
    Some(members)
}

/// Kind of a location in OpenCTI's words: as the object says, else by its most precise property.
pub(crate) fn location_type(object: &Members) -> Option<&str> {
    let said = text(object, "x_opencti_location_type");
    said.or_else(|| telling("location")?.by_rule(said_by(object)))
}

/// Kind of a threat actor in OpenCTI's words.
fn threat_actor_type(object: &Members) -> Option<&'static str> {
    Some(telling("threat-actor")?.name(said_by(object)))
}

fn telling(stix_type: &str) -> Option<&'static Telling> {
    stix::named(stix_type)?.told.as_ref()
}

/// What an object says, by property.
fn said_by<'o>(object: &'o Members) -> impl Fn(&str) -> Said<'o> {
    |name| match object.get(name) {
        None | Some(Json::Null) => Said::Nothing,
        Some(Json::String(text)) => Said::Text(text),
        Some(_) => Said::Other,
    }
}

fn observable(stix_type: &str, pick: &Pick<'_>) -> Option<Members> {
    Some(match stix_type {
        "ipv4-addr"
        | "ipv6-addr"
        | "domain-name"
        | "url"
        | "email-addr"
        | "mac-addr"
        | "hostname"
        | "text"
        | "user-agent"
        | "cryptocurrency-wallet"
        | "phone-number"
        | "credential"
        | "tracking-number"
        | "cryptographic-key"
        | "ai-prompt"
        | "imei"
        | "iccid"
        | "imsi" => pick.members(&[exact("value")])?,
        "autonomous-system" => pick.members(&[exact("number")])?,
        "directory" => pick.members(&[exact("path")])?,
        "mutex" => pick.members(&[exact("name")])?,
        "file" => hash(pick).or_else(|| pick.members(&[exact("name")]))?,
        "artifact" => hash(pick).or_else(|| pick.members(&[exact("url")]))?,
        "x509-certificate" => hash(pick)
            .or_else(|| pick.members(&[exact("serial_number")]))
            .or_else(|| pick.members(&[exact("subject")]))?,
        "software" => pick.members(&[
            exact("name"),
            optional("cpe"),
            optional("swid"),
            optional("vendor"),
            optional("version"),
        ])?,
        "user-account" => pick.members(&[
            optional("account_type"),
            optional("user_id"),
            optional("account_login"),
        ])?,
        "windows-registry-key" => pick.members(&[exact("key")])?,
        "process" => pick.members(&[exact("command_line"), optional("pid")])?,
        "network-traffic" => pick.members(&[
            optional("start"),
            optional("end"),
            optional("src_ref"),
            optional("dst_ref"),
            optional("src_port"),
            optional("dst_port"),
            exact("protocols"),
        ])?,
        "bank-account" => pick.members(&[exact("iban")])?,
        "payment-card" => pick.members(&[exact("card_number")])?,
        "media-content" => pick.members(&[exact("url")])?,
        "ssh-key" => pick.members(&[exact("fingerprint_sha256")])?,
        "persona" => pick.members(&[exact("persona_name"), exact("persona_type")])?,
        _ => return None,
    })
}

fn hash(pick: &Pick<'_>) -> Option<Members> {
    let hashes = pick.object.get("hashes")?.as_object()?;
    let (name, value) = HASH_ORDER
        .iter()
        .find_map(|name| Some((*name, hashes.get(*name)?)))?;
    let one = Members::from_iter([(name.to_owned(), value.clone())]);
    Some(Members::from_iter([(
        "hashes".to_owned(),
        Json::Object(one),
    )]))
}

/// How one property contributes.
#[derive(Clone, Copy)]
struct Part {
    member: &'static str,
    folded: bool,
    trimmed: bool,
    required: bool,
}

const fn lower(member: &'static str) -> Part {
    Part {
        member,
        folded: true,
        trimmed: true,
        required: true,
    }
}

const fn trimmed(member: &'static str) -> Part {
    Part {
        member,
        folded: false,
        trimmed: true,
        required: true,
    }
}

const fn exact(member: &'static str) -> Part {
    Part {
        member,
        folded: false,
        trimmed: false,
        required: true,
    }
}

const fn optional(member: &'static str) -> Part {
    Part {
        member,
        folded: false,
        trimmed: false,
        required: false,
    }
}

struct Pick<'a> {
    object: &'a Members,
}

impl Pick<'_> {
    /// The contributing members; empty ones drop out, and `None` if a required one is missing.
    fn members(&self, parts: &[Part]) -> Option<Members> {
        let mut members = Members::new();
        for part in parts {
            let value = match self.object.get(part.member) {
                Some(Json::String(text)) => {
                    let text = if part.trimmed { text.trim() } else { text };
                    let text = if part.folded {
                        text.to_lowercase()
                    } else {
                        text.to_owned()
                    };
                    if text.is_empty() {
                        None
                    } else {
                        Some(Json::String(text))
                    }
                }
                Some(Json::Null) | None => None,
                Some(Json::Array(items)) if items.is_empty() => None,
                Some(other) => Some(other.clone()),
            };
            match value {
                Some(value) => {
                    members.insert(part.member.to_owned(), value);
                }
                None if part.required => return None,
                None => {}
            }
        }
        Some(members)
    }
}

fn text<'a>(object: &'a Members, member: &str) -> Option<&'a str> {
    object.get(member).and_then(Json::as_str)
}

fn texts(object: &Members, member: &str) -> Option<Vec<String>> {
    let items = object.get(member)?.as_array()?;
    Some(
        items
            .iter()
            .filter_map(Json::as_str)
            .map(str::to_owned)
            .collect(),
    )
}
