// SPDX-License-Identifier: Apache-2.0
//! Collects records, one per key.

use std::collections::BTreeMap;

use durward_catalog::{CloudType, cloud};
use durward_model::Value;
use durward_model::record::{EntityRecord, RelationshipRecord};
use serde_json::Value as Json;

use crate::aws::{AwsRecords, document, organization};

/// Records under construction. Ordered, so that the same files give the same records.
#[derive(Debug, Default)]
pub(super) struct Builder {
    entities: BTreeMap<String, EntityRecord>,
    relationships: BTreeMap<String, RelationshipRecord>,
    pub(super) warnings: Vec<String>,
    is_partial: bool,
}

impl Builder {
    /// Something that was there to be read is not among the records: what is absent from them may
    /// be there all the same.
    pub(super) fn incomplete(&mut self, why: String) {
        self.is_partial = true;
        self.warnings.push(why);
    }
}

/// Properties under construction: absent and empty values are left out.
#[derive(Debug, Default)]
pub(super) struct Properties(Vec<(String, Value)>);

impl Properties {
    pub(super) fn new(display_name: &str) -> Self {
        Self::default()
            .text("displayName", display_name)
            .text("name", display_name)
    }

    /// Sets a property; one that is there already is replaced.
    pub(super) fn value(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value.into()));
        self
    }

    pub(super) fn text(self, name: &str, text: &str) -> Self {
        if text.is_empty() {
            self
        } else {
            self.value(name, text)
        }
    }

    /// A text member of a JSON object under the name of a property.
    pub(super) fn member(self, name: &str, json: &Json, member: &str) -> Self {
        match json.get(member) {
            Some(Json::String(text)) => self.text(name, text),
            Some(Json::Bool(value)) => self.value(name, *value),
            Some(Json::Number(number)) => match number.as_i64() {
                Some(value) => self.value(name, value),
                None => self,
            },
            _ => self,
        }
    }

    /// A date member as an instant; the command line prints RFC 3339 or, in older versions,
    /// seconds.
    pub(super) fn date(self, name: &str, json: &Json, member: &str) -> Self {
        let instant = match json.get(member) {
            Some(Json::String(text)) => text.parse::<durward_model::Instant>().ok(),
            Some(Json::Number(number)) => number
                .as_f64()
                .map(|seconds| durward_model::Instant::from_millis((seconds * 1000.0) as i64)),
            _ => None,
        };
        match instant {
            Some(instant) => self.value(name, instant),
            None => self,
        }
    }

    /// A policy document as JSON text, where there is one.
    pub(super) fn document(self, name: &str, document: Option<&Json>) -> Self {
        let text = document.and_then(document::text).unwrap_or_default();
        self.text(name, &text)
    }

    /// The cloud, a scope path, the same path in names, its first two segments, the path above.
    pub(super) fn scope(self, scope: &str, friendly: &str) -> Self {
        let root = scope.match_indices('/').nth(1);
        let root = root.and_then(|(end, _)| scope.get(..end)).unwrap_or(scope);
        let parent = scope.rsplit_once('/').map_or("", |(parent, _)| parent);
        // Above a root there is the cloud, which is no scope.
        let parent = if parent.contains('/') { parent } else { "" };
        self.text("cloudType", organization::CLOUD)
            .text("scope", scope)
            .text("scopeFriendlyName", friendly)
            .text("rootScope", root)
            .text("parentScope", parent)
    }

    /// The `Tags` list as `tag.<Key>` properties. `true` and `false` become booleans.
    /// All of them as `key:value` texts are the list `tagSet`.
    pub(super) fn tags(mut self, json: &Json) -> Self {
        let tags = json.get("Tags").and_then(Json::as_array);
        let mut set: Vec<String> = Vec::new();
        for tag in tags.into_iter().flatten() {
            let key = tag.get("Key").and_then(Json::as_str);
            let value = tag.get("Value").and_then(Json::as_str);
            let (Some(key), Some(value)) = (key, value) else {
                continue;
            };
            set.push(format!("{key}:{value}"));
            let value = match value.to_ascii_lowercase().as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => Value::from(value),
            };
            self.0.push((format!("tag.{key}"), value));
        }
        if set.is_empty() {
            self
        } else {
            self.value("tagSet", set)
        }
    }
}

impl Builder {
    /// Adds an entity; one that is there already under the key is replaced.
    pub(super) fn entity(&mut self, key: &str, of: CloudType, properties: Properties) {
        let mut seen = std::collections::BTreeSet::new();
        let properties = properties
            .0
            .into_iter()
            .filter(|(name, _)| seen.insert(name.clone()))
            .collect();
        let record = EntityRecord {
            key: key.to_owned(),
            entity_type: of.name().to_owned(),
            classes: vec![of.entry().class.clone()],
            properties,
        };
        self.entities.insert(key.to_owned(), record);
    }

    /// Adds an entity unless one is there under the key.
    pub(super) fn entity_if_absent(&mut self, key: &str, of: CloudType, properties: Properties) {
        if !self.entities.contains_key(key) {
            self.entity(key, of, properties);
        }
    }

    /// Adds a relationship between two keys. Its type is `<from type>_<verb>_<to type>`. Lists
    /// become texts, because synchronization takes no lists on relationships.
    pub(super) fn relationship(&mut self, from: &str, verb: &str, to: &str, more: Properties) {
        let type_of = |key: &str| {
            self.entities
                .get(key)
                .map(|entity| entity.entity_type.clone())
        };
        let (Some(from_type), Some(to_type)) = (type_of(from), type_of(to)) else {
            self.incomplete(format!(
                "{from} {verb} {to} was left out: an end is missing"
            ));
            return;
        };
        if !cloud::binds(&from_type, verb, &to_type) {
            self.incomplete(format!(
                "{from} {verb} {to} was left out: AWS has no {verb} from {from_type} to {to_type}"
            ));
            return;
        }
        let record = RelationshipRecord {
            from_key: from.to_owned(),
            verb: verb.to_owned(),
            to_key: to.to_owned(),
            relationship_type: format!("{from_type}_{}_{to_type}", verb.to_ascii_lowercase()),
            properties: more.0.into_iter().map(without_lists).collect(),
        };
        self.relationships.insert(record.key(), record);
    }

    pub(super) fn finish(self) -> AwsRecords {
        AwsRecords {
            entities: self.entities.into_values().collect(),
            relationships: self.relationships.into_values().collect(),
            warnings: self.warnings,
            is_partial: self.is_partial,
        }
    }
}

/// A list of texts as one text.
fn without_lists((name, value): (String, Value)) -> (String, Value) {
    let Value::List(items) = value else {
        return (name, value);
    };
    let texts: Vec<String> = items
        .into_iter()
        .map(|item| match item {
            Value::String(text) => text.clone(),
            other => other.to_json().to_string(),
        })
        .collect();
    (name, Value::from(texts.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_does_not_bind_is_left_out_and_told() {
        let mut builder = Builder::default();
        builder.entity("group", CloudType::GROUP, Properties::new("g"));
        builder.entity("policy", CloudType::POLICY, Properties::new("p"));
        builder.relationship("group", "ASSIGNED", "policy", Properties::default());
        builder.relationship("policy", "LIMITS", "group", Properties::default());
        let records = builder.finish();
        assert_eq!(records.relationships.len(), 1);
        assert!(records.is_partial);
        let told = "AWS has no LIMITS from aws_iam_policy to aws_iam_group";
        assert!(records.warnings.concat().contains(told));
    }
}
