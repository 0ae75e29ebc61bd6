// SPDX-License-Identifier: Apache-2.0
//! A dialect as a server answers it over HTTP: what a dialect says of itself beside its contract.

use std::fmt;
use std::pin::Pin;

use durward_budget::Share;
use durward_model::ErrorKind;
use http::HeaderMap;

use crate::context::{RequestContext, code, field_error};
use crate::engine::{
    Dialect, Engine, FieldError, Guard, OperationKind, Outcome, Payload, Reply, RootFields,
    SchemaError,
};

/// A dialect that stands beside others on one server.
pub trait Served: Dialect<Context = RequestContext> + fmt::Debug {
    /// Its name in logs, and the start of the path that is its alone (`/NAME/graphql`).
    const NAME: &'static str;

    /// Its contract in the GraphQL schema language.
    const CONTRACT: &'static str;

    /// Root fields that read one object, or leave the threads that serve connections by
    /// themselves. A dialect that names some writes as quickly: its writes wait for the writer and
    /// take no thread.
    const QUICK_ROOTS: &'static [&'static str] = &[];

    /// Root fields that run a query of the graph, which rate limits count apart.
    const QUERY_ROOTS: &'static [&'static str] = &[];

    /// Whether it says itself, field by field, that a caller was not let in.
    const ANSWERS_STRANGERS: bool = false;

    /// The root fields that this build executes.
    fn executed(&self) -> Vec<&'static str>;

    /// Whether headers tell that a client of this dialect sent the request. Nothing is proven by
    /// them: they decide whose errors a client gets, and who answers where documents do not tell.
    fn is_asked_by(&self, headers: &HeaderMap) -> bool;

    /// The error of a request that is refused as a whole.
    fn refused(&self, kind: ErrorKind, message: &str) -> FieldError {
        FieldError::new(code(kind), message)
    }

    /// The HTTP status of an answer by its first error.
    fn status(&self, outcome: Outcome, first_code: Option<&str>) -> u16 {
        match (outcome, first_code) {
            (_, Some("UNAUTHENTICATED")) => 401,
            (_, Some("TOO_MANY_REQUESTS")) => 429,
            (Outcome::Malformed, _) => 400,
            _ => 200,
        }
    }

    /// The HTTP status of a request that is refused as a whole.
    fn refused_status(&self, kind: ErrorKind) -> u16 {
        match kind {
            ErrorKind::RateLimited => 429,
            ErrorKind::Unauthenticated => 401,
            ErrorKind::Unavailable => 503,
            _ => 400,
        }
    }
}

/// An answer with its HTTP status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON.
    pub body: Vec<u8>,
    /// Code of the first error, for logs and metrics.
    pub first_code: Option<String>,
    /// Whole seconds after which to try again, where the caller may.
    pub retry_after_seconds: Option<u32>,
}

/// The answer of an endpoint, when it is there.
pub type AnswerFuture<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// The schema of one dialect with its engine.
pub trait Endpoint: Send + Sync + fmt::Debug {
    /// See [`Served::NAME`].
    fn name(&self) -> &'static str;

    /// Whether the schema has a root field.
    fn has_root(&self, kind: OperationKind, field: &str) -> bool;

    /// All root fields of the schema, by kind.
    fn root_fields(&self, kind: OperationKind) -> Vec<&str>;

    /// What a root field of the schema asks of its caller.
    fn root_guard(&self, kind: OperationKind, field: &str) -> Option<&Guard>;

    /// See [`Served::executed`].
    fn executed(&self) -> Vec<&'static str>;

    /// See [`Served::is_asked_by`].
    fn is_asked_by(&self, headers: &HeaderMap) -> bool;

    /// See [`Served::QUERY_ROOTS`].
    fn query_roots(&self) -> &'static [&'static str];

    /// Whether a request for these root fields may be answered on a thread that serves connections:
    /// it asks for little, or for what goes off that thread by itself, or cannot be read.
    fn is_quick(&self, roots: Option<&RootFields>) -> bool;

    /// Executes a payload. An unauthenticated caller gets the dialect's own kind of refusal, unless
    /// it asks for nothing but types (`is_introspection`), and may.
    fn answer<'a>(
        &'a self,
        context: &'a RequestContext,
        payload: Payload,
        is_introspection: bool,
    ) -> AnswerFuture<'a>;

    /// An answer that holds one error, in the dialect's shape.
    fn refusal(&self, kind: ErrorKind, message: &str) -> Answer;
}

/// An endpoint from a dialect and its contract. What it keeps ready is charged to `caches`.
///
/// # Errors
/// When the contract is not valid, which a test excludes.
pub(crate) fn endpoint<D: Served>(
    dialect: D,
    caches: &Share,
) -> Result<Box<dyn Endpoint>, SchemaError> {
    let file = format!("{}.graphql", D::NAME);
    let engine = Engine::new(dialect, D::CONTRACT, &file)?.charged_to(caches);
    Ok(Box::new(engine))
}

impl<D: Served> Endpoint for Engine<D> {
    fn name(&self) -> &'static str {
        D::NAME
    }

    fn has_root(&self, kind: OperationKind, field: &str) -> bool {
        self.schema().has_root_field(kind, field)
    }

    fn root_fields(&self, kind: OperationKind) -> Vec<&str> {
        self.schema().root_fields(kind)
    }

    fn root_guard(&self, kind: OperationKind, field: &str) -> Option<&Guard> {
        self.schema().root_guard(kind, field)
    }

    fn executed(&self) -> Vec<&'static str> {
        self.dialect().executed()
    }

    fn is_asked_by(&self, headers: &HeaderMap) -> bool {
        self.dialect().is_asked_by(headers)
    }

    fn query_roots(&self) -> &'static [&'static str] {
        D::QUERY_ROOTS
    }

    fn is_quick(&self, roots: Option<&RootFields>) -> bool {
        if D::QUICK_ROOTS.is_empty() {
            return false;
        }
        let Some(roots) = roots else {
            // What cannot be read is refused.
            return true;
        };
        if roots.kind == OperationKind::Mutation {
            return roots.count <= QUICK_WRITES_MAX && roots.depth <= QUICK_WRITE_DEPTH_MAX;
        }
        let mut names = roots.names.iter();
        roots.count <= QUICK_ROOTS_MAX
            && roots.depth <= QUICK_DEPTH_MAX
            && names.all(|name| D::QUICK_ROOTS.contains(&name.as_str()))
    }

    fn answer<'a>(
        &'a self,
        context: &'a RequestContext,
        payload: Payload,
        is_introspection: bool,
    ) -> AnswerFuture<'a> {
        Box::pin(async move {
            let may_ask =
                D::ANSWERS_STRANGERS || (is_introspection && context.allows_introspection());
            let reply: Reply = match context.caller() {
                Err(error) if !may_ask => self.refuse(Outcome::Refused, field_error(error)).into(),
                _ => self.answer_payload(context, payload).await,
            };
            Answer {
                status: self
                    .dialect()
                    .status(reply.outcome, reply.first_code.as_deref()),
                body: reply.body,
                retry_after_seconds: retry_after_seconds(reply.first_code.as_deref()),
                first_code: reply.first_code,
            }
        })
    }

    fn refusal(&self, kind: ErrorKind, message: &str) -> Answer {
        let error = self.dialect().refused(kind, message);
        let response = self.refuse(Outcome::Malformed, error);
        Answer {
            status: self.dialect().refused_status(kind),
            body: response.body,
            retry_after_seconds: retry_after_seconds(response.first_code.as_deref()),
            first_code: response.first_code,
        }
    }
}

/// When to try again after a share was used up. What holds it mostly ends within one request.
fn retry_after_seconds(first_code: Option<&str>) -> Option<u32> {
    match first_code {
        Some("TOO_MANY_REQUESTS" | "SERVICE_UNAVAILABLE") => Some(RETRY_AFTER_SECONDS),
        _ => None,
    }
}

/// So many quick root fields may be asked at once.
const QUICK_ROOTS_MAX: usize = 4;
/// No field below one object leads to others within this depth.
const QUICK_DEPTH_MAX: usize = 2;

/// So many writes may be asked at once: each waits for the writer, which stores many of them
/// together, and takes no thread while it waits.
pub(crate) const QUICK_WRITES_MAX: usize = 16;
/// What was written may be told with its own fields (`updateEntity { vertex { id } }`).
const QUICK_WRITE_DEPTH_MAX: usize = 3;

/// Seconds after which a refused caller may try again.
const RETRY_AFTER_SECONDS: u32 = 2;
