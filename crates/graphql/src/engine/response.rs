// SPDX-License-Identifier: Apache-2.0
//! The answer: its bytes, and what a caller must know of it to choose a status.

use apollo_compiler::parser::LineColumn;

use super::node::FieldError;
use super::write;

/// How far a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The body is no GraphQL request.
    Malformed,
    /// The request was refused before anything ran; the answer has no `data`.
    Refused,
    /// It ran, perhaps with errors.
    Executed,
}

/// The answer of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// JSON.
    pub body: Vec<u8>,
    /// How far the request came.
    pub outcome: Outcome,
    /// Does it have the member `errors`?
    pub has_errors: bool,
    /// The code of the first error.
    pub first_code: Option<String>,
}

/// The answer of a whole body, which may hold several requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// JSON: an object, or an array for an array.
    pub body: Vec<u8>,
    /// The best outcome of the requests.
    pub outcome: Outcome,
    /// Does any of the answers have the member `errors`?
    pub has_errors: bool,
    /// The code of the first error.
    pub first_code: Option<String>,
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        Self {
            body: response.body,
            outcome: response.outcome,
            has_errors: response.has_errors,
            first_code: response.first_code,
        }
    }
}

/// A step on the way to a value in the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// An error with its place.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) error: FieldError,
    pub(super) location: Option<LineColumn>,
    pub(super) path: Vec<Step>,
}

impl Failure {
    fn write(&self, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(b"{\"message\":");
        write::text(buffer, &self.error.message);
        if let Some(name) = &self.error.name {
            buffer.extend_from_slice(b",\"name\":");
            write::text(buffer, name);
        }
        if let Some(place) = self.location {
            let place = format!(
                ",\"locations\":[{{\"line\":{},\"column\":{}}}]",
                place.line, place.column
            );
            buffer.extend_from_slice(place.as_bytes());
        }
        if !self.path.is_empty() {
            buffer.extend_from_slice(b",\"path\":[");
            for (index, step) in self.path.iter().enumerate() {
                if index > 0 {
                    buffer.push(b',');
                }
                match step {
                    Step::Key(key) => write::text(buffer, key),
                    Step::Index(index) => write::json(buffer, index),
                }
            }
            buffer.push(b']');
        }
        buffer.extend_from_slice(b",\"extensions\":{\"code\":");
        write::text(buffer, &self.error.code);
        if !self.error.data.is_null() {
            buffer.extend_from_slice(b",\"data\":");
            write::json(buffer, &self.error.data);
        }
        buffer.extend_from_slice(b"}}");
    }
}

/// An answer without data.
pub(super) fn refused(outcome: Outcome, failures: &[Failure]) -> Response {
    let mut body = b"{\"errors\":".to_vec();
    write_all(&mut body, failures);
    body.push(b'}');
    response(body, outcome, failures)
}

/// What every answer with data begins with.
pub(super) const DATA_PREFIX: &[u8] = b"{\"data\":";

/// An answer of a buffer that holds [`DATA_PREFIX`] and the data. Without warnings it has no
/// `extensions`, and without failures no `errors`.
pub(super) fn executed(mut body: Vec<u8>, failures: &[Failure], warnings: &[String]) -> Response {
    if !failures.is_empty() {
        body.extend_from_slice(b",\"errors\":");
        write_all(&mut body, failures);
    }
    if !warnings.is_empty() {
        body.extend_from_slice(b",\"extensions\":{\"warnings\":");
        write::json(&mut body, &warnings);
        body.push(b'}');
    }
    body.push(b'}');
    response(body, Outcome::Executed, failures)
}

fn response(body: Vec<u8>, outcome: Outcome, failures: &[Failure]) -> Response {
    Response {
        body,
        outcome,
        has_errors: !failures.is_empty(),
        first_code: failures.first().map(|first| first.error.code.to_string()),
    }
}

fn write_all(buffer: &mut Vec<u8>, failures: &[Failure]) {
    buffer.push(b'[');
    for (index, failure) in failures.iter().enumerate() {
        if index > 0 {
            buffer.push(b',');
        }
        failure.write(buffer);
    }
    buffer.push(b']');
}

/// Puts answers into an array.
pub(super) fn joined(responses: Vec<Response>) -> Reply {
    let mut body = Vec::with_capacity(responses.iter().map(|each| each.body.len() + 1).sum());
    let mut reply = Reply {
        body: Vec::new(),
        outcome: Outcome::Malformed,
        has_errors: false,
        first_code: None,
    };
    body.push(b'[');
    for (index, response) in responses.into_iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&response.body);
        reply.outcome = reply.outcome.max(response.outcome);
        reply.has_errors |= response.has_errors;
        reply.first_code = reply.first_code.or(response.first_code);
    }
    body.push(b']');
    reply.body = body;
    reply
}
