// SPDX-License-Identifier: Apache-2.0
//! One STIX object, split into properties and references.

use std::collections::BTreeMap;

use durward_model::limits::{LIST_ITEMS_MAX, OBJECT_BYTES_MAX, VALUE_BYTES_MAX};
use durward_model::number::check_json;
use durward_model::{Instant, Value};
use serde_json::{Map, Value as Json};

use crate::kinds;
use crate::markings;
use crate::standard_id::{location_type, standard_id};

const EXACT: &str = "free of numbers beyond 64 bits, which would be rounded";
/// Members that hold moments (STIX 2.1 and OpenCTI's own types).
const TIMESTAMPS: &[&str] = &[
    "account_created",
    "account_expires",
    "account_first_login",
    "account_last_login",
    "analysis_ended",
    "analysis_started",
    "atime",
    "created",
    "credential_last_changed",
    "ctime",
    "date",
    "due_date",
    "end",
    "expiration_date",
    "first_observed",
    "first_seen",
    "last_observed",
    "last_seen",
    "modified",
    "modified_time",
    "mtime",
    "published",
    "start",
    "start_date",
    "start_time",
    "stop_date",
    "stop_time",
    "submitted",
    "valid_from",
    "valid_until",
    "validity_not_after",
    "validity_not_before",
];
/// OpenCTI's extensions (objects, observables, MITRE), whose members are lifted to the object.
const LIFTED_EXTENSIONS: &[&str] = &[
    "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba",
    "extension-definition--f93e2c80-4231-4f9a-af8b-95c9bd566a82",
    "extension-definition--322b8f77-262a-4cb8-a915-1e441e00329b",
];
/// Members of those extensions that describe the sending platform, not the object.
const NOT_LIFTED: &[&str] = &[
    "extension_type",
    "id",
    "stix_ids",
    "created_at",
    "updated_at",
];

/// A STIX object that is ready for the graph.
#[derive(Clone, Debug)]
pub struct StixObject {
    /// Its position in the bundle, from 0.
    pub position: usize,
    /// The id it came with.
    pub id: String,
    /// Its deterministic id, or its own where its type has no rule. Relationships get theirs when
    /// their ends are known.
    pub standard_id: String,
    /// STIX type, with `-`.
    pub stix_type: String,
    /// Further STIX ids that it is known by.
    pub other_ids: Vec<String>,
    /// Properties of the entity or relationship.
    pub properties: Vec<(String, Value)>,
    /// What it points at.
    pub references: Vec<Reference>,
    /// When it was last modified at its source.
    pub modified: Option<Instant>,
    /// The members that the rules of deterministic ids read.
    pub(crate) members: Map<String, Json>,
}

/// Something that an object points at.
#[derive(Clone, Debug, PartialEq)]
pub enum Reference {
    /// Another object of the bundle or the graph, by STIX id.
    Object {
        /// Verb of the relationship.
        verb: String,
        /// STIX id of the object.
        id: String,
    },
    /// An external reference, by content.
    External(Map<String, Json>),
    /// A kill-chain phase: chain and phase name.
    Phase {
        /// Name of the chain.
        chain: String,
        /// Name of the phase.
        phase: String,
    },
    /// A label.
    Label(String),
}

/// Why an object of a bundle cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// Not an object at all.
    #[error("it is not a JSON object")]
    NotAnObject,
    /// A member is missing.
    #[error("it has no {0}")]
    Missing(&'static str),
    /// A member is of the wrong kind.
    #[error("its {member} is not {expected}")]
    Wrong {
        /// Name of the member.
        member: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The id does not begin with the type, or does not end with a UUID.
    #[error("its id {id:?} is not of the form {stix_type}--<uuid>")]
    Id {
        /// The id.
        id: String,
        /// The type.
        stix_type: String,
    },
    /// Too large.
    #[error("its {member} is larger than the limit of {limit} bytes")]
    TooLarge {
        /// Name of the member, or `members` for the object.
        member: String,
        /// The limit.
        limit: usize,
    },
}

impl StixObject {
    /// Reads one object of a bundle.
    ///
    /// # Errors
    /// When it is not a STIX object, or passes a limit of the model.
    pub fn parse(json: Json) -> Result<Self, ObjectError> {
        let Json::Object(mut members) = json else {
            return Err(ObjectError::NotAnObject);
        };
        // What a reader rounded cannot be told from what was sent: such an object is refused.
        for (name, member) in &members {
            check_json(member).map_err(|_| ObjectError::Wrong {
                member: name.clone(),
                expected: EXACT,
            })?;
        }
        let stix_type = take_text(&mut members, "type")?;
        let id = take_text(&mut members, "id")?;
        check_id(&id, &stix_type)?;
        let other_ids = lift_extensions(&mut members)?;
        lift_mitre_id(&stix_type, &mut members);
        if stix_type == "marking-definition" {
            name_marking(&mut members)?;
        }
        if stix_type == "location"
            && !members.contains_key("x_opencti_location_type")
            && let Some(kind) = location_type(&members).map(str::to_owned)
        {
            members.insert("x_opencti_location_type".to_owned(), kind.into());
        }
        let standard = standard_id(&stix_type, &members).unwrap_or_else(|| id.clone());
        let mut object = Self {
            position: 0,
            id,
            standard_id: standard,
            stix_type,
            other_ids,
            properties: Vec::new(),
            references: Vec::new(),
            modified: None,
            members,
        };
        object.split()?;
        Ok(object)
    }

    /// Whether it becomes a relationship of the graph.
    pub fn is_relationship(&self) -> bool {
        matches!(self.stix_type.as_str(), "relationship" | "sighting")
    }

    pub(crate) fn text(&self, member: &str) -> Option<&str> {
        self.members.get(member).and_then(Json::as_str)
    }

    fn split(&mut self) -> Result<(), ObjectError> {
        let is_relationship = self.is_relationship();
        let members = std::mem::take(&mut self.members);
        let mut properties = BTreeMap::new();
        let mut bytes = 0usize;
        for (name, json) in &members {
            if json.is_null() || name == "spec_version" {
                continue;
            }
            let is_end = matches!(
                name.as_str(),
                "source_ref" | "target_ref" | "sighting_of_ref" | "where_sighted_refs"
            );
            if (is_relationship && is_end) || self.reference(name, json)? {
                continue;
            }
            let value = property(&self.stix_type, name, json)?;
            let size = value.byte_size();
            if size > VALUE_BYTES_MAX {
                return Err(ObjectError::TooLarge {
                    member: name.clone(),
                    limit: VALUE_BYTES_MAX,
                });
            }
            bytes = bytes.saturating_add(size);
            if name == "modified"
                && let Value::Instant(instant) = &value
            {
                self.modified = Some(*instant);
            }
            properties.insert(name.clone(), value);
        }
        if bytes > OBJECT_BYTES_MAX {
            let member = "members".to_owned();
            return Err(ObjectError::TooLarge {
                member,
                limit: OBJECT_BYTES_MAX,
            });
        }
        if let Some(name) = display_name(&members) {
            properties
                .entry("displayName".to_owned())
                .or_insert_with(|| Value::from(name));
        }
        self.properties = properties.into_iter().collect();
        self.members = members;
        Ok(())
    }

    /// Takes a member as references if it is one; answers whether it was.
    fn reference(&mut self, name: &str, json: &Json) -> Result<bool, ObjectError> {
        let wrong = |expected| ObjectError::Wrong {
            member: name.to_owned(),
            expected,
        };
        match name {
            "external_references" => {
                for item in json.as_array().ok_or_else(|| wrong("a list"))? {
                    let reference = item.as_object().ok_or_else(|| wrong("a list of objects"))?;
                    self.references.push(Reference::External(reference.clone()));
                }
            }
            "kill_chain_phases" => {
                for item in json.as_array().ok_or_else(|| wrong("a list"))? {
                    let part = |member| item.get(member).and_then(Json::as_str).map(str::to_owned);
                    let (chain, phase) = part("kill_chain_name")
                        .zip(part("phase_name"))
                        .ok_or_else(|| wrong("a list of chain and phase names"))?;
                    self.references.push(Reference::Phase { chain, phase });
                }
            }
            "labels" => {
                for item in json.as_array().ok_or_else(|| wrong("a list"))? {
                    let label = item.as_str().ok_or_else(|| wrong("a list of texts"))?;
                    self.references.push(Reference::Label(label.to_owned()));
                }
            }
            _ if name.ends_with("_refs") => {
                let verb = reference_verb(name);
                for item in json.as_array().ok_or_else(|| wrong("a list"))? {
                    let id = item
                        .as_str()
                        .ok_or_else(|| wrong("a list of ids"))?
                        .to_owned();
                    self.references.push(Reference::Object {
                        verb: verb.clone(),
                        id,
                    });
                }
            }
            // ATT&CK writes empty references where it has none; they are kept as they are.
            _ if name.ends_with("_ref") && json.as_str() == Some("") => return Ok(false),
            _ if name.ends_with("_ref") => {
                let id = json.as_str().ok_or_else(|| wrong("an id"))?.to_owned();
                self.references.push(Reference::Object {
                    verb: reference_verb(name),
                    id,
                });
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn take_text(members: &mut Map<String, Json>, name: &'static str) -> Result<String, ObjectError> {
    match members.remove(name) {
        Some(Json::String(text)) if !text.is_empty() => Ok(text),
        Some(_) => Err(ObjectError::Wrong {
            member: name.to_owned(),
            expected: "a text",
        }),
        None => Err(ObjectError::Missing(name)),
    }
}

fn check_id(id: &str, stix_type: &str) -> Result<(), ObjectError> {
    let tail = id
        .strip_prefix(stix_type)
        .and_then(|rest| rest.strip_prefix("--"));
    match tail.map(uuid::Uuid::try_parse) {
        Some(Ok(_)) => Ok(()),
        _ => Err(ObjectError::Id {
            id: id.to_owned(),
            stix_type: stix_type.to_owned(),
        }),
    }
}

/// Lifts the members of OpenCTI's extensions to `x_opencti_<member>` (MITRE's to
/// `x_mitre_<member>`) where the object has none of its own. Answers with the further STIX ids.
fn lift_extensions(members: &mut Map<String, Json>) -> Result<Vec<String>, ObjectError> {
    let mut other_ids = Vec::new();
    let mut take_ids = |json: Option<&Json>| {
        let items = json.and_then(Json::as_array).into_iter().flatten();
        other_ids.extend(items.filter_map(Json::as_str).map(str::to_owned));
    };
    take_ids(members.remove("x_opencti_stix_ids").as_ref());
    let Some(extensions) = members.get("extensions").cloned() else {
        return Ok(other_ids);
    };
    let expected = "an object of objects";
    let wrong = || ObjectError::Wrong {
        member: "extensions".to_owned(),
        expected,
    };
    let extensions = extensions.as_object().ok_or_else(wrong)?.clone();
    for key in LIFTED_EXTENSIONS {
        let Some(extension) = extensions.get(*key) else {
            continue;
        };
        let extension = extension.as_object().ok_or_else(wrong)?;
        take_ids(extension.get("stix_ids"));
        let is_mitre = key.ends_with("1e441e00329b");
        for (name, value) in extension {
            let is_mitre_id = is_mitre && name == "id";
            if (NOT_LIFTED.contains(&name.as_str()) && !is_mitre_id)
                || name.ends_with("_ref")
                || name.ends_with("_refs")
            {
                continue;
            }
            let prefix = if is_mitre { "x_mitre_" } else { "x_opencti_" };
            let lifted = if name.starts_with(prefix) {
                name.clone()
            } else {
                format!("{prefix}{name}")
            };
            members.entry(lifted).or_insert_with(|| value.clone());
        }
    }
    Ok(other_ids)
}

/// OpenCTI's form of a marking: the definition is a text, and a marking of the Traffic Light
/// Protocol is named whole, with its place in the order.
fn name_marking(members: &mut Map<String, Json>) -> Result<(), ObjectError> {
    let expected = "a text";
    let wrong = || ObjectError::Wrong {
        member: "definition".to_owned(),
        expected,
    };
    let definition = match members.get("definition") {
        None => return Ok(()),
        Some(Json::Object(inner)) => inner.values().next().cloned().unwrap_or_default(),
        Some(other) => other.clone(),
    };
    let definition = definition.as_str().ok_or_else(wrong)?;
    let kind = members
        .get("definition_type")
        .and_then(Json::as_str)
        .unwrap_or_default();
    let is_tlp = kind.eq_ignore_ascii_case("tlp");
    let name = match definition.strip_prefix("TLP:") {
        _ if !is_tlp => definition.to_owned(),
        Some(_) => definition.to_uppercase(),
        None => format!("TLP:{}", definition.to_uppercase()),
    };
    if is_tlp {
        members.insert("definition_type".to_owned(), "TLP".into());
        if let Some((order, color)) = markings::tlp_looks(&name) {
            members
                .entry("x_opencti_order")
                .or_insert_with(|| order.into());
            members
                .entry("x_opencti_color")
                .or_insert_with(|| color.into());
        }
    }
    members.insert("definition".to_owned(), name.into());
    Ok(())
}

/// ATT&CK's techniques and mitigations carry their id in the external reference of a `mitre-*`
/// source.
fn lift_mitre_id(stix_type: &str, members: &mut Map<String, Json>) {
    if !matches!(stix_type, "attack-pattern" | "course-of-action")
        || members.contains_key("x_mitre_id")
    {
        return;
    }
    let references = members.get("external_references").and_then(Json::as_array);
    let found = references.into_iter().flatten().find_map(|reference| {
        let source = reference.get("source_name")?.as_str()?;
        let id = reference.get("external_id")?.as_str()?;
        source.starts_with("mitre-").then(|| id.to_owned())
    });
    if let Some(id) = found {
        members.insert("x_mitre_id".to_owned(), id.into());
    }
}

fn reference_verb(member: &str) -> String {
    match member {
        "created_by_ref" => kinds::CREATED_BY.to_owned(),
        "object_marking_refs" => kinds::MARKED.to_owned(),
        "object_refs" => kinds::CONTAINS.to_owned(),
        _ => {
            let stem = member
                .strip_suffix("_refs")
                .or_else(|| member.strip_suffix("_ref"));
            stem.unwrap_or(member).to_uppercase()
        }
    }
}

fn property(_stix_type: &str, name: &str, json: &Json) -> Result<Value, ObjectError> {
    let wrong = |expected| ObjectError::Wrong {
        member: name.to_owned(),
        expected,
    };
    if TIMESTAMPS.contains(&name) {
        // Windows' file times and process tables may be numbers here; those stay what they are.
        if let Some(text) = json.as_str() {
            return text
                .parse()
                .map(Value::Instant)
                .map_err(|_| wrong("a timestamp"));
        }
    }
    if json
        .as_array()
        .is_some_and(|items| items.len() > LIST_ITEMS_MAX)
    {
        return Err(ObjectError::TooLarge {
            member: name.to_owned(),
            limit: LIST_ITEMS_MAX,
        });
    }
    match json {
        Json::Object(_) => Ok(Value::Document(json.clone().into())),
        Json::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            Ok(Value::Document(json.clone().into()))
        }
        _ => Ok(Value::from_json(json).unwrap_or_else(|_| Value::Document(json.clone().into()))),
    }
}

/// What people call the object: its name, else its value, pattern, or the like.
fn display_name(members: &Map<String, Json>) -> Option<&str> {
    [
        "name",
        "value",
        "result_name",
        "definition",
        "opinion",
        "abstract",
        "attribute_abstract",
        "path",
        "key",
        "content",
    ]
    .iter()
    .find_map(|member| members.get(*member).and_then(Json::as_str))
    .map(|text| text.lines().next().unwrap_or(text).trim())
    .filter(|text| !text.is_empty())
}
