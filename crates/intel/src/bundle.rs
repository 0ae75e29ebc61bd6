// SPDX-License-Identifier: Apache-2.0
//! STIX bundles: a list of objects of which some may be broken.

use std::fmt;

use durward_budget::json::{self, JsonError};
use durward_model::error::ClientMessage;
use durward_model::{ErrorKind, Value};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::object::{StixObject, references_bytes};
use crate::room::{Room, Stop};

/// What a rejected object costs beside its id and the reason, in the report and in the answer.
const REJECTED_BYTES: usize = 256;
/// What a property costs beside its name and its value.
const PROPERTY_BYTES: usize = 96;

/// A bundle, read.
#[derive(Debug, Default)]
pub struct Bundle {
    /// The usable objects, in the order of the bundle.
    pub objects: Vec<StixObject>,
    /// The others.
    pub rejected: Vec<Rejected>,
}

/// An object that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Its position in the bundle, from 0.
    pub position: usize,
    /// Its id, where it has one.
    pub id: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Why a text is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Not JSON.
    #[error("the bundle is not JSON: {0}")]
    Syntax(#[source] serde_json::Error),
    /// JSON, but no bundle.
    #[error("the text is neither a STIX bundle (type \"bundle\", a list of objects) nor an object")]
    NotABundle,
    /// It was not read to its end.
    #[error(transparent)]
    Stopped(#[from] Stop),
}

impl ClientMessage for BundleError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Syntax(_) | Self::NotABundle => ErrorKind::Invalid,
            Self::Stopped(stop) => stop.kind(),
        }
    }

    fn client_message(&self) -> String {
        self.to_string()
    }
}

/// Reads a bundle, a list of objects, or one object.
///
/// # Errors
/// When the text is not JSON or none of these. A broken object is no error: it is in
/// [`Bundle::rejected`] and the others are there.
pub fn parse_bundle(text: &[u8]) -> Result<Bundle, BundleError> {
    read_bundle(text, &Room::unlimited())
}

/// The same in the room of an import. Objects are read one by one, so that the JSON of one is let
/// go before the next is looked at.
pub(crate) fn read_bundle(text: &[u8], room: &Room) -> Result<Bundle, BundleError> {
    let mut reader = Reader {
        room,
        bundle: Bundle::default(),
        position: 0,
        stopped: None,
    };
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let read = deserializer.deserialize_any(Top(&mut reader));
    let read = read.and_then(|shape| deserializer.end().map(|()| shape));
    if let Some(stop) = reader.stopped {
        return Err(stop.into());
    }
    match read {
        Ok(Shape::Bundle) => Ok(reader.bundle),
        Ok(Shape::Object) => {
            let text = std::str::from_utf8(text).map_err(|_| BundleError::NotABundle)?;
            reader.take(text)?;
            Ok(reader.bundle)
        }
        Ok(Shape::Other) => Err(BundleError::NotABundle),
        Err(error) if error.is_data() => Err(BundleError::NotABundle),
        Err(error) => Err(BundleError::Syntax(error)),
    }
}

/// What a text turned out to be.
enum Shape {
    /// A bundle or a list, whose objects are taken.
    Bundle,
    /// One object, which is not taken yet.
    Object,
    Other,
}

struct Reader<'r> {
    room: &'r Room,
    bundle: Bundle,
    position: usize,
    stopped: Option<Stop>,
}

impl Reader<'_> {
    /// Takes the text of one object.
    fn take(&mut self, text: &str) -> Result<(), Stop> {
        let position = self.position;
        self.position += 1;
        // Its JSON, and what is made of it before that is let go.
        let step = self.room.step();
        let json = match json::from_slice(text.as_bytes(), step.lease()) {
            Ok(json) => json,
            Err(JsonError::Exhausted(exhausted)) => return Err(exhausted.into()),
            Err(JsonError::Syntax(error)) => {
                return self.reject(position, String::new(), error.to_string());
            }
        };
        step.hold(usize::try_from(step.used_bytes()).unwrap_or(usize::MAX))?;
        let id = json.get("id").and_then(Json::as_str);
        let id = id.unwrap_or_default().to_owned();
        match StixObject::parse(json) {
            Ok(object) => {
                let properties = properties_bytes(&object.properties);
                let references = references_bytes(&object.references);
                self.room
                    .hold(object.frame_bytes() + properties + references)?;
                self.bundle.objects.push(StixObject { position, ..object });
                Ok(())
            }
            Err(error) => self.reject(position, id, error.to_string()),
        }
    }

    fn reject(&mut self, position: usize, id: String, reason: String) -> Result<(), Stop> {
        // The answer repeats both.
        self.room
            .hold(2 * (REJECTED_BYTES + id.len() + reason.len()))?;
        self.bundle.rejected.push(Rejected {
            position,
            id,
            reason,
        });
        Ok(())
    }
}

/// Bytes that the values of an object take until they move into the draft.
pub(crate) fn properties_bytes(properties: &[(String, Value)]) -> usize {
    let properties = properties.iter();
    properties
        .map(|(name, value)| PROPERTY_BYTES + name.len() + value.byte_size())
        .sum()
}

/// The whole text.
struct Top<'t, 'r>(&'t mut Reader<'r>);

impl<'de> Visitor<'de> for Top<'_, '_> {
    type Value = Shape;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a STIX bundle, a list of objects, or an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Shape, A::Error> {
        Objects(self.0).visit_seq(items)?;
        Ok(Shape::Bundle)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Shape, A::Error> {
        let mut is_bundle = None;
        let mut has_objects = false;
        while let Some(name) = members.next_key::<String>()? {
            if name == "objects" {
                has_objects = true;
                members.next_value_seed(Objects(self.0))?;
                continue;
            }
            if name != "type" {
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            let json: &RawValue = members.next_value()?;
            let kind = serde_json::from_str::<String>(json.get());
            is_bundle = Some(kind.is_ok_and(|kind| kind == "bundle"));
        }
        Ok(match (is_bundle, has_objects) {
            (Some(true), _) => Shape::Bundle,
            (Some(false), false) => Shape::Object,
            _ => Shape::Other,
        })
    }
}

/// The list of objects.
struct Objects<'t, 'r>(&'t mut Reader<'r>);

impl<'de> DeserializeSeed<'de> for Objects<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Objects<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(text) = items.next_element::<&RawValue>()? {
            if let Err(stop) = self.0.take(text.get()) {
                self.0.stopped = Some(stop);
                return Err(serde::de::Error::custom("the import stops here"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]
mod tests {
    use durward_model::Value;
    use serde_json::json;

    use super::*;
    use crate::object::Reference;

    #[test]
    fn a_broken_object_is_named_and_the_others_arrive() {
        let text = json!({"type": "bundle", "id": "bundle--1", "objects": [
            {"type": "tool", "id": "tool--8e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c", "name": "ssh"},
            {"type": "tool", "id": "malware--8e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c"},
            {"type": "note", "id": "note--1e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c", "created": "soon"},
            7,
        ]})
        .to_string();
        let bundle = parse_bundle(text.as_bytes()).unwrap();
        assert_eq!(bundle.objects.len(), 1);
        let positions: Vec<usize> = bundle.rejected.iter().map(|item| item.position).collect();
        assert_eq!(positions, [1, 2, 3]);
        assert!(
            bundle.rejected[0]
                .reason
                .contains("not of the form tool--<uuid>")
        );
        assert_eq!(bundle.rejected[1].reason, "its created is not a timestamp");
    }

    #[test]
    fn what_is_no_bundle_is_refused() {
        for text in ["", "{", "{}", "3", r#"{"type":"bundle","objects":{}}"#] {
            assert!(parse_bundle(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn properties_and_references_are_told_apart() {
        let text = json!({"type": "attack-pattern", "name": "Phishing",
            "id": "attack-pattern--a62a8db3-f23a-4d8f-afd6-9dbc77e7813b",
            "created": "2020-03-02T18:45:07.892Z", "labels": ["mail"],
            "created_by_ref": "identity--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5",
            "kill_chain_phases": [{"kill_chain_name": "c", "phase_name": "p"}],
            "external_references": [{"source_name": "mitre-attack", "external_id": "T1566"}],
            "x_mitre_platforms": ["Linux"], "x_nested": {"a": [1]}})
        .to_string();
        let bundle = parse_bundle(text.as_bytes()).unwrap();
        let object = &bundle.objects[0];
        assert_eq!(
            object.standard_id,
            "attack-pattern--d041e624-3991-5138-9544-d3ba2ce68ff7"
        );
        let value = |name: &str| {
            object
                .properties
                .iter()
                .find(|(own, _)| own == name)
                .map(|(_, value)| value.clone())
        };
        assert_eq!(value("displayName"), Some(Value::from("Phishing")));
        assert_eq!(value("x_mitre_id"), Some(Value::from("T1566")));
        assert_eq!(
            value("x_nested"),
            Some(Value::Document(json!({"a": [1]}).into()))
        );
        assert!(matches!(value("created"), Some(Value::Instant(_))));
        assert_eq!(value("labels"), None);
        assert_eq!(object.references.len(), 4);
        assert!(
            object
                .references
                .contains(&Reference::Label("mail".to_owned()))
        );
    }
}
