// SPDX-License-Identifier: Apache-2.0
//! What an observable is called, and which observables an indicator's pattern speaks of.

use durward_catalog::stix;
use durward_intel::members::Form;
use durward_intel::pattern::comparisons;
use durward_model::Value;
use serde_json::{Value as Json, json};

use crate::entity::StixNode;
use crate::shown::OBSERVABLE_VALUE;
use durward_graphql::context::RequestContext;

/// The value by which people know an observable; its first hash or its id where it has no other.
pub(super) fn value(context: &RequestContext, node: &StixNode) -> String {
    let view = &context.view;
    let stored = |name: &str| {
        let property = view.property_id(name);
        property.map_or(Value::Null, |property| view.value(node.entity, property))
    };
    let named = OBSERVABLE_VALUE
        .iter()
        .filter_map(|name| Form::Text.fitted(&stored(name)))
        .find_map(|value| match value {
            Value::String(text) => Some(text),
            _ => None,
        });
    let hash = || match stored("hashes") {
        Value::Document(document) => document
            .as_object()
            .and_then(|hashes| hashes.values().next())
            .and_then(Json::as_str)
            .map(str::to_owned),
        _ => None,
    };
    named
        .or_else(hash)
        .unwrap_or_else(|| node.standard_id(view))
}

/// The comparisons `type:path = 'value'` of a STIX pattern as OpenCTI lists them.
pub(super) fn pattern_values(pattern: &Value) -> Json {
    let Some(pattern) = pattern.as_str() else {
        return json!([]);
    };
    let found = comparisons(pattern).into_iter();
    found
        .map(|one| json!({"type": opencti_type(&one.object_type), "value": one.value}))
        .collect()
}

fn opencti_type(stix_type: &str) -> &str {
    match stix::named(stix_type).map(|known| known.opencti.as_slice()) {
        None => stix_type,
        Some([name]) => name,
        // Which of several names it has, the object tells and not the pattern.
        Some(_) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_give_their_comparisons() {
        let pattern = Value::from("[ipv4-addr:value = '1.2.3.4' OR domain-name:value='a.example']");
        let expected = json!([
            {"type": "IPv4-Addr", "value": "1.2.3.4"},
            {"type": "Domain-Name", "value": "a.example"},
        ]);
        assert_eq!(pattern_values(&pattern), expected);
        assert_eq!(pattern_values(&Value::from("= '")), json!([]));
    }
}
