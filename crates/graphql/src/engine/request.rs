// SPDX-License-Identifier: Apache-2.0
//! Decoding the body of a request: one object, or an array of them.

use durward_budget::json::{self, JsonError};
use durward_budget::{Exhausted, Lease};
use durward_model::ErrorKind;
use durward_model::error::ClientMessage;
use serde_json::Value;

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

/// What a body holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// One request.
    One(Request),
    /// An array of requests. An element that is no request has a sentence that says why, and is
    /// answered in its place.
    Many(Vec<Result<Request, String>>),
}

impl Request {
    /// The members that count; all others are ignored.
    fn from_members(mut members: JsonMap, lease: &Lease) -> Result<Self, DecodeError> {
        let query = match members.remove("query").unwrap_or_default() {
            Value::String(query) => query,
            Value::Null => return Err(DecodeError::malformed("the request has no `query`")),
            _ => return Err(DecodeError::malformed("`query` must be a text")),
        };
        let operation_name = match members.remove("operationName").unwrap_or_default() {
            Value::Null => None,
            Value::String(name) => Some(name),
            _ => return Err(DecodeError::malformed("`operationName` must be a text")),
        };
        Ok(Self {
            query,
            variables: variables_of(members.remove("variables").unwrap_or_default(), lease)?,
            operation_name: operation_name.filter(|name| !name.is_empty()),
        })
    }
}

/// Why a body holds no requests.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It is no GraphQL request. The sentence is for the client.
    #[error("{0}")]
    Malformed(String),
    /// A share is used up.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
}

impl DecodeError {
    fn malformed(message: impl Into<String>) -> Self {
        Self::Malformed(message.into())
    }
}

impl ClientMessage for DecodeError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Malformed(_) => ErrorKind::Invalid,
            Self::Exhausted(error) => error.kind(),
        }
    }

    fn client_message(&self) -> String {
        self.to_string()
    }
}

fn variables_of(variables: Value, lease: &Lease) -> Result<JsonMap, DecodeError> {
    let inside = |error| match error {
        JsonError::Exhausted(error) => DecodeError::Exhausted(error),
        JsonError::Syntax(error) => {
            DecodeError::malformed(format!("the text in `variables` is no JSON: {error}"))
        }
    };
    match variables {
        Value::Null => Ok(JsonMap::new()),
        Value::Object(map) => Ok(map),
        Value::String(text) if text.trim().is_empty() => Ok(JsonMap::new()),
        Value::String(text) => match json::from_slice(text.as_bytes(), lease).map_err(inside)? {
            Value::Object(map) => Ok(map),
            Value::Null => Ok(JsonMap::new()),
            _ => {
                let message = "the text in `variables` must hold a JSON object";
                Err(DecodeError::malformed(message))
            }
        },
        _ => Err(DecodeError::malformed("`variables` must be an object")),
    }
}

/// Reads a body. What its values take is charged to `lease`.
///
/// # Errors
/// When it holds no requests, or a share is used up.
pub fn decode(body: &[u8], lease: &Lease) -> Result<Payload, DecodeError> {
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[' | b'{') => {}
        Some(_) => {
            let message = "the body must be a JSON object or an array of them";
            return Err(DecodeError::malformed(message));
        }
        None => return Err(DecodeError::malformed("the body is empty")),
    }
    match json::from_slice(body, lease).map_err(no_json)? {
        Value::Object(members) => Ok(Payload::One(Request::from_members(members, lease)?)),
        Value::Array(elements) => many(elements, lease),
        _ => Err(DecodeError::malformed("the body is no request")),
    }
}

fn many(elements: Vec<Value>, lease: &Lease) -> Result<Payload, DecodeError> {
    if elements.is_empty() {
        return Err(DecodeError::malformed("the array of requests is empty"));
    }
    if elements.len() > BATCH_MAX {
        return Err(DecodeError::malformed(format!(
            "the array holds {} requests, more than {BATCH_MAX}",
            elements.len()
        )));
    }
    let mut requests = Vec::with_capacity(elements.len());
    for element in elements {
        let Value::Object(members) = element else {
            let message = "each element of the array must be an object";
            requests.push(Err(message.to_owned()));
            continue;
        };
        requests.push(match Request::from_members(members, lease) {
            Ok(request) => Ok(request),
            Err(DecodeError::Malformed(message)) => Err(message),
            Err(exhausted) => return Err(exhausted),
        });
    }
    Ok(Payload::Many(requests))
}

fn no_json(error: JsonError) -> DecodeError {
    match error {
        JsonError::Exhausted(error) => DecodeError::Exhausted(error),
        JsonError::Syntax(error) => {
            DecodeError::malformed(format!("the body is no JSON request: {error}"))
        }
    }
}
