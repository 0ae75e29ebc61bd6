// SPDX-License-Identifier: Apache-2.0
//! IAM policy documents: the parts that the graph shows.
//!
//! Grammar: IAM User Guide, "Grammar of the IAM JSON policy language".

use serde_json::Value as Json;

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) allows: bool,
    /// Action patterns; with `inverted`, those that the statement does not speak of.
    pub(super) actions: Vec<String>,
    /// Whether the statement says `NotAction`.
    pub(super) inverted: bool,
    /// Resource patterns; empty when it says `NotResource` or (trust) none.
    pub(super) resources: Vec<String>,
    pub(super) not_resources: Vec<String>,
    /// Condition keys, lower-case.
    pub(super) condition_keys: Vec<String>,
    pub(super) principals: Vec<Principal>,
    /// Whether the statement says `NotPrincipal`.
    pub(super) principal_inverted: bool,
}

/// A principal of a trust statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Principal {
    /// `AWS`, `Service`, `Federated`, `CanonicalUser`, or `*`.
    pub(super) kind: String,
    pub(super) value: String,
}

/// A document as JSON text: as it was printed, or out of the percent-encoded text in which the web
/// API gives it. `None` when it is neither.
pub(super) fn text(document: &Json) -> Option<String> {
    match document {
        Json::String(text) => {
            let decoded = percent_decoded(text);
            let is_object = |json: Json| json.is_object().then_some(());
            serde_json::from_str(&decoded).ok().and_then(is_object)?;
            Some(decoded)
        }
        Json::Object(_) => Some(document.to_string()),
        _ => None,
    }
}

/// The statements of a document: a JSON object, or the percent-encoded text in which the web API
/// gives it. `None` when it is neither.
pub(super) fn statements(document: &Json) -> Option<Vec<Statement>> {
    let decoded;
    let object = match document {
        Json::String(text) => {
            decoded = serde_json::from_str::<Json>(&percent_decoded(text)).ok()?;
            &decoded
        }
        other => other,
    };
    Some(
        one_or_many(object.get("Statement")?)
            .into_iter()
            .filter_map(statement)
            .collect(),
    )
}

fn statement(json: &Json) -> Option<Statement> {
    let allows = match json.get("Effect")?.as_str()? {
        "Allow" => true,
        "Deny" => false,
        _ => return None,
    };
    let inverted = json.get("NotAction").is_some();
    let conditions = json.get("Condition").and_then(Json::as_object);
    let keys = conditions
        .into_iter()
        .flat_map(|operators| operators.values())
        .filter_map(Json::as_object)
        .flat_map(|keys| keys.keys().map(|key| key.to_ascii_lowercase()));
    let principal_inverted = json.get("NotPrincipal").is_some();
    let principal = json.get("Principal").or_else(|| json.get("NotPrincipal"));
    Some(Statement {
        allows,
        actions: texts(json.get(if inverted { "NotAction" } else { "Action" })),
        inverted,
        resources: texts(json.get("Resource")),
        not_resources: texts(json.get("NotResource")),
        condition_keys: keys.collect(),
        principals: principal.map(principals).unwrap_or_default(),
        principal_inverted,
    })
}

fn principals(json: &Json) -> Vec<Principal> {
    match json {
        Json::String(text) => vec![Principal {
            kind: "*".to_owned(),
            value: text.clone(),
        }],
        Json::Object(kinds) => kinds
            .iter()
            .flat_map(|(kind, values)| {
                let of_kind = |value| Principal {
                    kind: kind.clone(),
                    value,
                };
                texts(Some(values)).into_iter().map(of_kind)
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn one_or_many(json: &Json) -> Vec<&Json> {
    match json {
        Json::Array(items) => items.iter().collect(),
        other => vec![other],
    }
}

fn texts(json: Option<&Json>) -> Vec<String> {
    let items = json.map(one_or_many).unwrap_or_default();
    items
        .into_iter()
        .filter_map(Json::as_str)
        .map(str::to_owned)
        .collect()
}

/// Percent-decoding (RFC 3986, 2.1); what is not a valid escape stays as it is.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = tail
            .get(..2)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        let value = hex.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match value {
            Some(value) if byte == b'%' => {
                bytes.push(value);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]
mod tests {
    use std::fmt::Write as _;

    use serde_json::json;

    use super::*;

    #[test]
    fn reads_objects_and_encoded_texts_alike() {
        let document = json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Action": "s3:Get*", "Resource": ["*"],
            "Condition": {"Bool": {"aws:SecureTransport": "true"}}}});
        let plain = statements(&document).unwrap();
        let mut encoded = String::new();
        for byte in document.to_string().bytes() {
            write!(encoded, "%{byte:02X}").unwrap();
        }
        assert_eq!(statements(&json!(encoded)).unwrap(), plain);
        assert_eq!(plain[0].actions, ["s3:Get*"]);
        assert_eq!(plain[0].condition_keys, ["aws:securetransport"]);
        assert_eq!(statements(&json!("%zz")), None);
    }
}
