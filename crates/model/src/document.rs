// SPDX-License-Identifier: Apache-2.0
//! JSON documents as property values.

use std::fmt;
use std::ops::Deref;

use serde_json::{Map, Value as Json};

/// A JSON document whose members stand in the order of their names, at every depth. So equal
/// documents have one text and one hash, whichever order serde_json keeps: a dependency may switch
/// that for the whole build. Boxed, because few values are documents and all values have one size.
#[derive(Clone, Debug, PartialEq)]
pub struct Document(Box<Json>);

impl Document {
    /// The document as plain JSON.
    pub fn into_json(self) -> Json {
        *self.0
    }
}

impl From<Json> for Document {
    fn from(json: Json) -> Self {
        let json = if is_ordered(&json) {
            json
        } else {
            ordered(json)
        };
        Self(Box::new(json))
    }
}

impl Deref for Document {
    type Target = Json;

    fn deref(&self) -> &Json {
        &self.0
    }
}

impl fmt::Display for Document {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

fn is_ordered(json: &Json) -> bool {
    match json {
        Json::Array(items) => items.iter().all(is_ordered),
        Json::Object(members) => members.keys().is_sorted() && members.values().all(is_ordered),
        _ => true,
    }
}

fn ordered(json: Json) -> Json {
    match json {
        Json::Array(items) => items.into_iter().map(ordered).collect(),
        Json::Object(members) => {
            let mut members: Vec<(String, Json)> = members
                .into_iter()
                .map(|(name, value)| (name, ordered(value)))
                .collect();
            members.sort_by(|(left, _), (right, _)| left.cmp(right));
            Json::Object(members.into_iter().collect::<Map<_, _>>())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_ordered_at_every_depth() {
        let one = Document::from(json!({"b": [{"z": 1, "a": 2}], "a": null}));
        let two = Document::from(json!({"a": null, "b": [{"a": 2, "z": 1}]}));
        assert_eq!(one, two);
        assert_eq!(one.to_string(), r#"{"a":null,"b":[{"a":2,"z":1}]}"#);
        assert_eq!(one.to_string(), two.to_string());
        assert!(std::mem::size_of::<crate::Value>() <= 32);
    }
}
