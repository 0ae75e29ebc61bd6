// SPDX-License-Identifier: Apache-2.0
//! STIX bundles: a list of objects of which some may be broken.

use serde_json::Value as Json;

use crate::object::StixObject;

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
}

impl BundleError {
    /// Always invalid: the text is at fault.
    pub fn kind(&self) -> durward_model::ErrorKind {
        durward_model::ErrorKind::Invalid
    }
}

/// Reads a bundle, a list of objects, or one object.
///
/// # Errors
/// When the text is not JSON or none of these. A broken object is no error: it is in
/// [`Bundle::rejected`] and the others are there.
pub fn parse_bundle(text: &[u8]) -> Result<Bundle, BundleError> {
    let objects = match serde_json::from_slice(text).map_err(BundleError::Syntax)? {
        Json::Array(objects) => objects,
        Json::Object(mut members) => match members.get("type").and_then(Json::as_str) {
            Some("bundle") => match members.remove("objects") {
                Some(Json::Array(objects)) => objects,
                None => Vec::new(),
                Some(_) => return Err(BundleError::NotABundle),
            },
            Some(_) => vec![Json::Object(members)],
            None => return Err(BundleError::NotABundle),
        },
        _ => return Err(BundleError::NotABundle),
    };
    let mut bundle = Bundle::default();
    for (position, json) in objects.into_iter().enumerate() {
        let id = json
            .get("id")
            .and_then(Json::as_str)
            .unwrap_or_default()
            .to_owned();
        match StixObject::parse(json) {
            Ok(object) => bundle.objects.push(StixObject { position, ..object }),
            Err(error) => {
                let reason = error.to_string();
                bundle.rejected.push(Rejected {
                    position,
                    id,
                    reason,
                });
            }
        }
    }
    Ok(bundle)
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
