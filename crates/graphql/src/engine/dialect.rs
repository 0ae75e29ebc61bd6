// SPDX-License-Identifier: Apache-2.0
//! What a dialect must bring.

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;

use durward_policy::Action;

use super::node::{Call, FieldError, Node};
use super::request::Request;

/// The kinds of operations that the engine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationKind {
    /// Reads.
    Query,
    /// Writes, run one after another.
    Mutation,
}

/// Why a request was refused before anything ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The body is no GraphQL request.
    Malformed,
    /// The document is no GraphQL.
    Syntax,
    /// The document breaks a limit.
    Limit,
    /// The document does not fit the contract.
    Validation,
    /// The operation to run is not there, or is not named where it must be.
    Operation,
    /// The variables do not fit their declarations.
    Variables,
}

impl Refusal {
    /// The code that most GraphQL servers give.
    pub fn default_code(self) -> &'static str {
        match self {
            Self::Malformed => "BAD_REQUEST",
            Self::Syntax => "GRAPHQL_PARSE_FAILED",
            Self::Limit | Self::Validation => "GRAPHQL_VALIDATION_FAILED",
            Self::Operation => "OPERATION_RESOLUTION_FAILURE",
            Self::Variables => "BAD_USER_INPUT",
        }
    }
}

/// The future of a root field.
pub type RootFuture<'a, C> = Pin<Box<dyn Future<Output = RootResult<'a, C>> + Send + 'a>>;
type RootResult<'a, C> = Result<Node<'a, C>, FieldError>;

/// The answer of a root field, now or later.
pub enum Resolution<'a, C> {
    /// Here it is.
    Ready(Result<Node<'a, C>, FieldError>),
    /// It takes a while.
    Later(RootFuture<'a, C>),
}

impl<'a, C> Resolution<'a, C> {
    /// An answer that is there already.
    pub fn ready(result: Result<Node<'a, C>, FieldError>) -> Self {
        Self::Ready(result)
    }

    /// An answer that a future gives.
    pub fn later(
        future: impl Future<Output = Result<Node<'a, C>, FieldError>> + Send + 'a,
    ) -> Self {
        Self::Later(Box::pin(future))
    }
}

impl<C> fmt::Debug for Resolution<'_, C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(result) => formatter.debug_tuple("Ready").field(result).finish(),
            Self::Later(_) => formatter.write_str("Later"),
        }
    }
}

/// A contract's behaviour. One value serves all requests; what differs between requests is in the
/// context.
pub trait Dialect: Send + Sync + 'static {
    /// The caller, the graph reader, the instants: whatever the resolvers need of one request.
    type Context: Send + Sync + 'static;

    /// May this caller take one of these actions? Asked for each `@action` of a field before it is
    /// resolved; every root field has one.
    fn require(&self, context: &Self::Context, one_of: &[Action]) -> Result<(), FieldError>;

    /// The answer of one root field. The contract guarantees that the name and the arguments fit,
    /// and [`Dialect::require`] that the caller may ask for it at all; what of it the caller may
    /// see is to be decided here.
    fn resolve_root<'a>(
        &'a self,
        kind: OperationKind,
        call: Call<'a, Self::Context>,
    ) -> Resolution<'a, Self::Context>;

    /// Makes good what the clients of this dialect are known to send wrong, before validation.
    fn normalize(&self, request: &mut Request) {
        let _ = request;
    }

    /// May this caller ask `__schema` and `__type`?
    fn authorize_introspection(&self, context: &Self::Context) -> Result<(), FieldError> {
        let _ = context;
        Ok(())
    }

    /// The code of a request that was refused before anything ran.
    fn refusal_code(&self, refusal: Refusal) -> Cow<'static, str> {
        Cow::Borrowed(refusal.default_code())
    }

    /// Sentences about the answer that are no errors; they go to `extensions.warnings`. Called
    /// once, after everything ran.
    fn take_warnings(&self, context: &Self::Context) -> Vec<String> {
        let _ = context;
        Vec::new()
    }

    /// Notes that the answer now takes so many bytes more; asked now and then while it grows. An
    /// error ends the request, and is the whole answer.
    fn hold(&self, context: &Self::Context, bytes: u64) -> Result<(), FieldError> {
        let _ = (context, bytes);
        Ok(())
    }

    /// Gives every error of an answer the shape of the dialect; called once for each.
    fn finish_error(&self, error: &mut FieldError) {
        let _ = error;
    }
}
