// SPDX-License-Identifier: Apache-2.0
//! What the executed routes do.

mod sidecars;
mod users;

use durward_identity::Caller;
use serde_json::{Map, Value};

use crate::Answer;
use crate::error::ApiError;
use crate::query;
use crate::routing::Parameters;

/// One request of a caller who may make it.
pub(crate) struct Call<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) parameters: &'a Parameters,
    pub(crate) query: &'a str,
    pub(crate) body: &'a [u8],
}

impl Call<'_> {
    /// A query parameter.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        query::parameter(self.query, name)
    }

    /// The body as a JSON value; an empty one is null.
    pub(crate) fn json(&self) -> Result<Value, ApiError> {
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Value::Null);
        }
        serde_json::from_slice(self.body)
            .map_err(|error| ApiError::invalid(format!("the body is not JSON: {error}")))
    }

    /// The body as a JSON object; an empty one has no fields.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, ApiError> {
        match self.json()? {
            Value::Null => Ok(Map::new()),
            Value::Object(object) => Ok(object),
            _ => Err(ApiError::invalid("the body must be a JSON object")),
        }
    }
}

/// How a route is executed.
#[derive(Clone, Copy)]
pub(crate) enum Handler {
    /// As the token endpoint.
    Token,
    /// For anybody.
    Open(fn() -> Result<Answer, ApiError>),
    /// For callers who are known.
    Known(fn(&Call<'_>) -> Result<Answer, ApiError>),
}

use Handler::{Known, Open, Token};

const HANDLERS: &[(&str, &str, Handler)] = &[
    ("POST", "/v1/users/oidc/token", Token),
    ("GET", "/v1/users/users/_self", Known(users::own)),
    ("GET", "/v1/sidecars", Known(sidecars::list)),
    (
        "GET",
        "/v2/sidecars/{id}/certificate/ca",
        Open(sidecars::certificate),
    ),
];

/// What executes a route of the contract.
pub(crate) fn find(method: &str, path: &str) -> Option<Handler> {
    let is_it = |(of, template, _): &&(&str, &str, Handler)| *of == method && *template == path;
    HANDLERS.iter().find(is_it).map(|(_, _, handler)| *handler)
}

/// Methods and paths of everything that is executed.
pub(crate) fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    HANDLERS.iter().map(|(method, path, _)| (*method, *path))
}
