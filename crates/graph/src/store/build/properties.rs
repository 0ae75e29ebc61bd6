// SPDX-License-Identifier: Apache-2.0
//! Properties: limits, and what of a set is a change.

use std::collections::BTreeMap;

use durward_model::Value;
use durward_model::limits::{LIST_ITEMS_MAX, OBJECT_BYTES_MAX, PROPERTIES_MAX, VALUE_BYTES_MAX};

use super::{Build, StoreError};

/// Metadata that every object shows under these names; no property may have one of them.
const METADATA: &[&str] = &[
    "_accountId",
    "_beginOn",
    "_class",
    "_createdOn",
    "_deleted",
    "_endOn",
    "_id",
    "_key",
    "_scope",
    "_source",
    "_type",
    "_version",
];

impl Build<'_> {
    /// Checks names and values and gives them by name.
    pub(super) fn checked_properties<'p>(
        &self,
        properties: &'p [(String, Value)],
    ) -> Result<BTreeMap<&'p str, &'p Value>, StoreError> {
        let mut by_name = BTreeMap::new();
        let mut bytes = 0usize;
        for (name, value) in properties {
            self.check_name("property name", name)?;
            if METADATA.contains(&name.as_str()) {
                return self.invalid(format!(
                    "{name} is metadata and cannot be set as a property"
                ));
            }
            self.check_value(name, value)?;
            bytes = bytes.saturating_add(value.byte_size());
            if by_name.insert(name.as_str(), value).is_some() {
                return self.invalid(format!("property {name} is given twice"));
            }
        }
        self.check_size(by_name.len(), bytes)?;
        Ok(by_name)
    }

    /// What the graph works out itself nobody may write.
    pub(super) fn check_derived(
        &self,
        entity_type: &str,
        properties: &BTreeMap<&str, &Value>,
    ) -> Result<(), StoreError> {
        let is_derived = |name: &&&str| self.ground.catalog.is_derived(entity_type, name);
        match properties.keys().find(is_derived) {
            None => Ok(()),
            Some(name) => self.invalid(format!(
                "property {name} of {entity_type} is worked out from its other properties and \
                 cannot be set"
            )),
        }
    }

    pub(super) fn check_size(&self, properties: usize, bytes: usize) -> Result<(), StoreError> {
        if properties > PROPERTIES_MAX {
            return self.invalid(format!(
                "the object has {properties} properties; at most {PROPERTIES_MAX} are allowed"
            ));
        }
        if bytes > OBJECT_BYTES_MAX {
            return self.invalid(format!(
                "the object has {bytes} bytes; at most {OBJECT_BYTES_MAX} are allowed"
            ));
        }
        Ok(())
    }

    fn check_value(&self, name: &str, value: &Value) -> Result<(), StoreError> {
        let bytes = value.byte_size();
        if bytes > VALUE_BYTES_MAX {
            return self.invalid(format!(
                "property {name} has {bytes} bytes; at most {VALUE_BYTES_MAX} are allowed"
            ));
        }
        match value {
            Value::Float(number) if !number.is_finite() => {
                self.invalid(format!("property {name} is not a finite number"))
            }
            Value::List(items) if items.len() > LIST_ITEMS_MAX => self.invalid(format!(
                "property {name} has {} items; at most {LIST_ITEMS_MAX} are allowed",
                items.len()
            )),
            Value::List(items) => {
                let is_plain = |item: &Value| match item {
                    Value::List(_) | Value::Document(_) | Value::Null => false,
                    Value::Float(number) => number.is_finite(),
                    _ => true,
                };
                if items.iter().all(is_plain) {
                    Ok(())
                } else {
                    self.invalid(format!(
                        "the list in property {name} may hold plain values only"
                    ))
                }
            }
            Value::Document(json) if depth_exceeds(json, DOCUMENT_DEPTH_MAX) => self.invalid(
                format!("the document in property {name} is nested too deep"),
            ),
            _ => Ok(()),
        }
    }
}

/// Deepest nesting of a document; the journal's records allow for one level more.
const DOCUMENT_DEPTH_MAX: usize = 100;

fn depth_exceeds(json: &serde_json::Value, depth: usize) -> bool {
    let Some(rest) = depth.checked_sub(1) else {
        return true;
    };
    match json {
        serde_json::Value::Array(items) => items.iter().any(|item| depth_exceeds(item, rest)),
        serde_json::Value::Object(members) => {
            members.values().any(|member| depth_exceeds(member, rest))
        }
        _ => false,
    }
}
