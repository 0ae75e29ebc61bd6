// SPDX-License-Identifier: Apache-2.0
//! One STIX object, split into properties and references.

mod lift;
mod references;

use std::collections::BTreeMap;

use durward_catalog::{OPENCTI_TYPE, stix};
use durward_model::limits::{LIST_ITEMS_MAX, OBJECT_BYTES_MAX, VALUE_BYTES_MAX};
use durward_model::number::check_json;
use durward_model::{Instant, Value};
use serde_json::{Map, Value as Json};

use crate::kinds;
use crate::markings;
use crate::members;
use crate::standard_id::standard_id;

/// What is said of numbers that a reader has rounded.
const EXACT: &str = "free of numbers beyond 64 bits, which would be rounded";
/// Members of relationships and sightings by which their ids are made, and whether they name ends.
const ENDS: [(&str, bool); 9] = [
    ("source_ref", true),
    ("target_ref", true),
    ("sighting_of_ref", true),
    ("where_sighted_refs", true),
    ("relationship_type", false),
    ("start_time", false),
    ("stop_time", false),
    ("first_seen", false),
    ("last_seen", false),
];
/// What an allocation of a text costs beside the text.
const TEXT_BYTES: usize = 16;
/// What a member of an object costs beside its name and its text.
const MEMBER_BYTES: usize = 96;

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
    /// Of relationships: the members that the rules of deterministic ids read.
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
    /// A member that is worked out from the others.
    #[error("its {0} is worked out from its other members and cannot be set")]
    Derived(&'static str),
    /// The id does not begin with the type, or does not end with a UUID.
    #[error("its id {id:?} is not of the form {stix_type}--<uuid>")]
    Id {
        /// The id.
        id: String,
        /// The type.
        stix_type: String,
    },
    /// It has the id of a marking that everybody knows, and is another one.
    #[error("its id is that of {is}, and its definition says otherwise")]
    Marking {
        /// The marking whose id it is.
        is: &'static str,
    },
    /// A list is too long.
    #[error("its {member} has more than {limit} items")]
    TooLong {
        /// Name of the member.
        member: String,
        /// The limit.
        limit: usize,
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
        let other_ids = lift::extensions(&mut members)?;
        lift::mitre_id(&stix_type, &mut members);
        let is_marking = stix_type == "marking-definition";
        if is_marking {
            lift::name_marking(&mut members)?;
        }
        if stix_type == "location" {
            lift::place(&mut members)?;
        }
        let standard = standard_id(&stix_type, &members).unwrap_or_else(|| id.clone());
        if let Some(tlp) = markings::of_id(&id).filter(|tlp| is_marking && tlp.id() != standard) {
            return Err(ObjectError::Marking { is: tlp.name });
        }
        let mut object = Self {
            position: 0,
            id,
            standard_id: standard,
            stix_type,
            other_ids,
            properties: Vec::new(),
            references: Vec::new(),
            modified: None,
            members: Map::new(),
        };
        object.split(members)?;
        Ok(object)
    }

    /// Whether it becomes a relationship of the graph.
    pub fn is_relationship(&self) -> bool {
        kinds::is_relationship(&self.stix_type)
    }

    pub(crate) fn text(&self, member: &str) -> Option<&str> {
        self.members.get(member).and_then(Json::as_str)
    }

    /// Every STIX id that it is known by.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        let own = [self.id.as_str(), self.standard_id.as_str()];
        own.into_iter()
            .chain(self.other_ids.iter().map(String::as_str))
    }

    /// The ids of the ends of a relationship or sighting.
    pub(crate) fn ends(&self) -> impl Iterator<Item = &str> {
        let ends = ENDS.iter().filter(|(_, is_end)| *is_end);
        let ends = ends.filter_map(|(name, _)| self.members.get(*name));
        ends.flat_map(|json| {
            let one = std::iter::once(json);
            let many = json.as_array().map(|items| items.iter());
            one.chain(many.into_iter().flatten())
                .filter_map(Json::as_str)
        })
    }

    /// Roughly how many bytes it takes in memory beside its properties and references.
    pub(crate) fn frame_bytes(&self) -> usize {
        let members = self.members.iter().map(|(name, json)| {
            let items = json.as_array().map_or(1, Vec::len);
            name.len() + (items + 1) * (MEMBER_BYTES + self.id.len())
        });
        size_of::<Self>()
            + self
                .ids()
                .map(|id| id.len() + 2 * TEXT_BYTES)
                .sum::<usize>()
            + members.sum::<usize>()
    }

    fn split(&mut self, mut members: Map<String, Json>) -> Result<(), ObjectError> {
        let display_name = display_name(&members).or_else(|| first_hash(&members));
        let display_name = display_name.map(str::to_owned);
        if self.is_relationship() {
            for (name, is_end) in ENDS {
                let json = if is_end {
                    members.remove(name)
                } else {
                    members.get(name).cloned()
                };
                if let Some(json) = json {
                    self.members.insert(name.to_owned(), json);
                }
            }
        }
        let is_told = stix::named(&self.stix_type).is_some_and(|known| known.told.is_some());
        if is_told && members.contains_key(OPENCTI_TYPE) {
            return Err(ObjectError::Derived(OPENCTI_TYPE));
        }
        let mut properties = BTreeMap::new();
        let mut bytes = 0usize;
        for (name, json) in members {
            if json.is_null() || name == "spec_version" {
                continue;
            }
            let Some(json) = self.reference(&name, json)? else {
                continue;
            };
            let value = members::value(&self.stix_type, &name, json)?;
            let size = value.byte_size();
            if size > VALUE_BYTES_MAX {
                return Err(ObjectError::TooLarge {
                    member: name,
                    limit: VALUE_BYTES_MAX,
                });
            }
            bytes = bytes.saturating_add(size);
            if name == "modified"
                && let Value::Instant(instant) = &value
            {
                self.modified = Some(*instant);
            }
            properties.insert(name, value);
        }
        if bytes > OBJECT_BYTES_MAX {
            let member = "members".to_owned();
            return Err(ObjectError::TooLarge {
                member,
                limit: OBJECT_BYTES_MAX,
            });
        }
        if let Some(name) = display_name {
            properties
                .entry("displayName".to_owned())
                .or_insert_with(|| Value::from(name));
        }
        self.properties = properties.into_iter().collect();
        Ok(())
    }

    /// Takes a member as references if it is one; gives it back if it is not.
    fn reference(&mut self, name: &str, json: Json) -> Result<Option<Json>, ObjectError> {
        let wrong = |expected| ObjectError::Wrong {
            member: name.to_owned(),
            expected,
        };
        let items = |json| match json {
            Json::Array(items) if items.len() > LIST_ITEMS_MAX => Err(ObjectError::TooLong {
                member: name.to_owned(),
                limit: LIST_ITEMS_MAX,
            }),
            Json::Array(items) => Ok(items),
            _ => Err(wrong("a list")),
        };
        match name {
            "external_references" => {
                for item in items(json)? {
                    let expected = "a list of objects whose names, descriptions and addresses are \
                                    texts";
                    let reference = references::external(item).ok_or_else(|| wrong(expected))?;
                    self.references.push(Reference::External(reference));
                }
            }
            "kill_chain_phases" => {
                for item in items(json)? {
                    let (chain, phase) = references::phase(&item)
                        .ok_or_else(|| wrong("a list of chain and phase names"))?;
                    self.references.push(Reference::Phase { chain, phase });
                }
            }
            "labels" => {
                for item in items(json)? {
                    let Json::String(label) = item else {
                        return Err(wrong("a list of texts"));
                    };
                    // A label of blanks says nothing.
                    if !label.trim().is_empty() {
                        self.references.push(Reference::Label(label));
                    }
                }
            }
            // What marks a part marks the whole: the graph cannot show half an object.
            "granular_markings" => {
                let expected = "a list of objects with a marking_ref or a lang";
                for id in references::granular(&json).ok_or_else(|| wrong(expected))? {
                    self.object(kinds::MARKED, id);
                }
                return Ok(Some(json));
            }
            _ if name.ends_with("_refs") => {
                let verb = reference_verb(name);
                for item in items(json)? {
                    let Json::String(id) = item else {
                        return Err(wrong("a list of ids"));
                    };
                    self.object(&verb, id);
                }
            }
            // ATT&CK writes empty references where it has none; they are kept as they are.
            _ if name.ends_with("_ref") && json.as_str() == Some("") => return Ok(Some(json)),
            _ if name.ends_with("_ref") => {
                let Json::String(id) = json else {
                    return Err(wrong("an id"));
                };
                self.object(&reference_verb(name), id);
            }
            _ => return Ok(Some(json)),
        }
        Ok(None)
    }

    fn object(&mut self, verb: &str, id: String) {
        self.references.push(Reference::Object {
            verb: verb.to_owned(),
            id,
        });
    }
}

impl Reference {
    /// Roughly how many bytes it takes in memory.
    fn byte_size(&self) -> usize {
        let held = match self {
            Self::Object { verb, id } => verb.len() + id.len() + 2 * TEXT_BYTES,
            Self::External(content) => content
                .iter()
                .map(|(name, json)| {
                    MEMBER_BYTES + name.len() + json.as_str().map_or(MEMBER_BYTES, str::len)
                })
                .sum(),
            Self::Phase { chain, phase } => chain.len() + phase.len() + 2 * TEXT_BYTES,
            Self::Label(label) => label.len() + TEXT_BYTES,
        };
        // A vector may be twice as large as what is in it.
        2 * size_of::<Self>() + held
    }
}

/// Roughly how many bytes references take in memory.
pub(crate) fn references_bytes(references: &[Reference]) -> usize {
    references.iter().map(Reference::byte_size).sum()
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

/// What people call the object: its name, else its pattern, value or the like.
fn display_name(members: &Map<String, Json>) -> Option<&str> {
    [
        "name",
        "pattern",
        "value",
        "result_name",
        "definition",
        "opinion",
        "abstract",
        "attribute_abstract",
        "path",
        "key",
        "content",
        "product",
    ]
    .iter()
    .filter_map(|member| members.get(*member).and_then(Json::as_str))
    .map(|text| text.trim().lines().next().unwrap_or_default().trim())
    .find(|text| !text.is_empty())
}

/// One of the hashes of a file or certificate, which is called by it when nothing names it.
fn first_hash(members: &Map<String, Json>) -> Option<&str> {
    let hashes = members.get("hashes")?.as_object()?;
    hashes.values().find_map(Json::as_str)
}
