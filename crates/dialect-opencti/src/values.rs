// SPDX-License-Identifier: Apache-2.0
//! Property values as OpenCTI spells them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use durward_model::Value;
use serde_json::{Map, Value as Json, json};

use durward_graphql::context::RequestContext;
use durward_graphql::engine::Node;

/// STIX extension in which OpenCTI keeps what STIX has no member for.
pub(super) const OPENCTI_EXTENSION: &str =
    "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba";

/// A value in an answer: moments as RFC 3339 text, bytes as base64.
pub(super) fn node<'n>(value: Value) -> Node<'n, RequestContext> {
    match value {
        Value::Null => Node::Null,
        Value::Bool(value) => Node::Boolean(value),
        Value::Int(value) => Node::Int(value),
        Value::Float(value) => Node::Float(value),
        Value::String(text) => Node::text(text),
        Value::Instant(instant) => Node::text(instant.to_rfc3339_millis()),
        Value::Bytes(bytes) => Node::text(STANDARD.encode(bytes)),
        Value::List(items) => Node::list(items.into_iter().map(node)),
        Value::Document(document) => Node::json(document.into_json()),
    }
}

/// A value in a STIX object.
pub(super) fn stix(value: &Value) -> Json {
    match value {
        Value::Instant(instant) => instant.to_rfc3339_millis().into(),
        Value::Bytes(bytes) => STANDARD.encode(bytes).into(),
        Value::List(items) => items.iter().map(stix).collect(),
        other => other.to_json(),
    }
}

/// The members of a small object.
pub(super) fn object(members: &[(&str, Value)]) -> Map<String, Json> {
    members
        .iter()
        .map(|(name, value)| ((*name).to_owned(), stix(value)))
        .collect()
}

/// STIX keeps hashes as an object, OpenCTI shows a list.
pub(super) fn hashes<'n>(value: &Value) -> Node<'n, RequestContext> {
    let Value::Document(document) = value else {
        return Node::Null;
    };
    let Some(hashes) = document.as_object() else {
        return Node::Null;
    };
    let list = hashes.iter().map(|(name, hash)| {
        let hash = hash
            .as_str()
            .map_or_else(|| hash.to_string(), str::to_owned);
        json!({"algorithm": name, "hash": hash})
    });
    Node::json(list.collect())
}
