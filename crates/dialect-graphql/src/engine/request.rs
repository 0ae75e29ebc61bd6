// SPDX-License-Identifier: Apache-2.0
//! Decoding the body of a request: one object, or an array of them.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::limits::BATCH_MAX;
use super::node::JsonMap;

/// One GraphQL request. The caller fills it from a JSON body with [`decode`], from the parameters
/// of a GET, or from the form of an upload.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// The text of the document.
    pub query: String,
    /// The variables; those that the operation does not declare are ignored.
    pub variables: JsonMap,
    /// The operation to run; needed only where the document has several.
    pub operation_name: Option<String>,
}

impl Request {
    /// A request from its parts; `variables` may be an object, null, or a text that holds an
    /// object, as in a JSON body.
    pub fn from_parts(
        query: impl Into<String>,
        variables: Value,
        operation_name: Option<String>,
    ) -> Result<Self, String> {
        Ok(Self {
            query: query.into(),
            variables: variables_of(variables)?,
            operation_name: operation_name.filter(|name| !name.is_empty()),
        })
    }
}

/// What a body holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// One request.
    One(Request),
    /// An array of requests. An element that is no request has a sentence that says why, and is
    /// answered in its place.
    Many(Vec<Result<Request, String>>),
}

/// The members that count; all others are ignored.
#[derive(Deserialize)]
struct Members {
    #[serde(default)]
    query: Value,
    #[serde(default)]
    variables: Value,
    #[serde(default, rename = "operationName")]
    operation_name: Value,
}

impl Members {
    fn into_request(self) -> Result<Request, String> {
        let query = match self.query {
            Value::String(query) => query,
            Value::Null => return Err("the request has no `query`".to_owned()),
            _ => return Err("`query` must be a text".to_owned()),
        };
        let operation_name = match self.operation_name {
            Value::Null => None,
            Value::String(name) => Some(name),
            _ => return Err("`operationName` must be a text".to_owned()),
        };
        Request::from_parts(query, self.variables, operation_name)
    }
}

fn variables_of(variables: Value) -> Result<JsonMap, String> {
    match variables {
        Value::Null => Ok(JsonMap::new()),
        Value::Object(map) => Ok(map),
        Value::String(text) if text.trim().is_empty() => Ok(JsonMap::new()),
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(Value::Object(map)) => Ok(map),
            Ok(Value::Null) => Ok(JsonMap::new()),
            Ok(_) => Err("the text in `variables` must hold a JSON object".to_owned()),
            Err(error) => Err(format!("the text in `variables` is no JSON: {error}")),
        },
        _ => Err("`variables` must be an object".to_owned()),
    }
}

/// Reads a body. The error is a sentence for the client.
pub fn decode(body: &[u8]) -> Result<Payload, String> {
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[') => decode_array(body),
        Some(b'{') => {
            let members: Members = serde_json::from_slice(body).map_err(no_json)?;
            Ok(Payload::One(members.into_request()?))
        }
        Some(_) => Err("the body must be a JSON object or an array of them".to_owned()),
        None => Err("the body is empty".to_owned()),
    }
}

fn decode_array(body: &[u8]) -> Result<Payload, String> {
    let elements: Vec<&RawValue> = serde_json::from_slice(body).map_err(no_json)?;
    if elements.is_empty() {
        return Err("the array of requests is empty".to_owned());
    }
    if elements.len() > BATCH_MAX {
        return Err(format!(
            "the array holds {} requests, more than {BATCH_MAX}",
            elements.len()
        ));
    }
    let requests = elements.into_iter().map(|element| {
        if !element.get().starts_with('{') {
            return Err("each element of the array must be an object".to_owned());
        }
        let members: Members = serde_json::from_str(element.get()).map_err(no_json)?;
        members.into_request()
    });
    Ok(Payload::Many(requests.collect()))
}

#[expect(clippy::needless_pass_by_value, reason = "fits `map_err`")]
fn no_json(error: serde_json::Error) -> String {
    format!("the body is no JSON request: {error}")
}
