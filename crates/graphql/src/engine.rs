// SPDX-License-Identifier: Apache-2.0
//! The generic engine: from the bytes of a request to the bytes of the answer.
//!
//! A dialect brings a contract (SDL) and an implementation of [`Dialect`]; everything else is
//! here. Every root field of a contract names the action that it is (`@action(is: "graph:read")`),
//! which is asked for before the dialect resolves it. A document is parsed, measured against
//! [`limits`], validated and planned once, then kept in a bounded cache. Execution walks the plan,
//! asks objects for their fields and writes JSON straight into one buffer.
//!
//! ```
//! use durward_graphql::engine::{
//!     Call, Dialect, Engine, FieldError, JsonObject, Node, Object, OperationKind, Resolution,
//! };
//! use durward_policy::Action;
//!
//! /// What a request knows: the caller, a reader of the graph, the instant.
//! struct Context { caller: String }
//!
//! /// An object of the core, read property by property.
//! struct Account { name: String }
//!
//! impl Object<Context> for Account {
//!     fn type_name(&self) -> &str { "Account" }
//!     fn field<'a>(&'a self, call: &Call<'a, Context>) -> Result<Node<'a, Context>, FieldError> {
//!         match call.name() {
//!             "name" => Ok(Node::text(&self.name)),
//!             "seenBy" => Ok(Node::text(&call.context.caller)),
//!             other => Err(FieldError::unsupported(other)),
//!         }
//!     }
//! }
//!
//! struct Native;
//!
//! impl Dialect for Native {
//!     type Context = Context;
//!     fn require(&self, context: &Context, one_of: &[Action]) -> Result<(), FieldError> {
//!         if context.caller == "root" || one_of.contains(&Action::OwnAccountRead) {
//!             return Ok(());
//!         }
//!         Err(FieldError::new("FORBIDDEN", "you may not do this"))
//!     }
//!     fn resolve_root<'a>(
//!         &'a self, _kind: OperationKind, call: Call<'a, Context>,
//!     ) -> Resolution<'a, Context> {
//!         match call.name() {
//!             "account" => Resolution::ready(Ok(Node::object(Account { name: "Ada".into() }))),
//!             // A write waits for the disk.
//!             "touch" => Resolution::later(async move { Ok(Node::Boolean(true)) }),
//!             other => Resolution::ready(Err(FieldError::unsupported(other))),
//!         }
//!     }
//! }
//!
//! # fn main() {
//! let sdl = r#"directive @action(is: [String!]!) repeatable on OBJECT | FIELD_DEFINITION
//!            type Query { account: Account @action(is: "user:list") }
//!            type Mutation @action(is: "graph:write") { touch: Boolean }
//!            type Account { name: String! seenBy: String }"#;
//! let engine = Engine::new(Native, sdl, "doc.graphql").unwrap();
//! let body = br#"{"query":"{ account { name seenBy } }"}"#;
//! let context = Context { caller: "root".into() };
//! let reply = futures_lite_block_on(engine.answer(&context, body));
//! assert_eq!(reply.body, br#"{"data":{"account":{"name":"Ada","seenBy":"root"}}}"#);
//! # }
//! # fn futures_lite_block_on<F: Future>(future: F) -> F::Output {
//! #     let mut future = std::pin::pin!(future);
//! #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
//! #     loop {
//! #         if let std::task::Poll::Ready(out) = future.as_mut().poll(&mut context) { return out }
//! #     }
//! # }
//! ```
//!
//! [`JsonObject`] serves any `serde_json` map as an object of a named type; a JSON object given
//! where the contract declares an object type is read the same way without being wrapped.

mod cache;
mod coerce;
mod dialect;
mod document;
mod execute;
mod guard;
mod introspect;
pub mod limits;
mod lookahead;
mod node;
mod plan;
mod position;
mod request;
mod response;
mod roots;
mod schema;
mod serve;
#[cfg(test)]
mod tests;
mod walk;
mod write;

pub use dialect::{Dialect, OperationKind, Refusal, Resolution, RootFuture};
pub use guard::Guard;
pub use lookahead::Lookahead;
pub use node::{Call, FieldError, Handle, JsonMap, JsonObject, Node, Object};
pub use plan::{FieldPlan, TypePlan};
pub use request::{DecodeError, Payload, Request, decode};
pub use response::{Outcome, Reply, Response};
pub use roots::{RootFields, RootIndex};
pub use schema::{Schema, SchemaError};
pub use serve::Engine;
