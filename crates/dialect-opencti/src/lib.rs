// SPDX-License-Identifier: Apache-2.0
//! OpenCTI's GraphQL: threat intelligence as `pycti` reads it.
//!
//! Whether a field is executed is a matter of tables ([`stix::roots`]); everything else of the
//! contract answers "not supported".

mod connection;
mod entity;
mod errors;
mod fit;
mod keys;
mod links;
mod list;
mod names;
mod observable;
mod read;
mod relationship;
mod shown;
mod user;
mod values;

use durward_catalog::stix;
use durward_policy::Action;
use serde_json::json;

use crate::user::UserNode;
use durward_graphql::Served;
use durward_graphql::context::RequestContext;
use durward_graphql::context::code;
use durward_graphql::engine::Outcome;
use durward_graphql::engine::{Call, Dialect, FieldError, Node, OperationKind, Resolution};
use durward_model::ErrorKind;
use http::{HeaderMap, HeaderName, header};

/// What clients may say, in the GraphQL schema language.
pub const CONTRACT: &str = include_str!("../../../contracts/graphql/opencti.graphql");

/// The dialect.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenCti;

/// Version of the platform that the contract follows.
pub const PLATFORM_VERSION: &str = "6.9.17";

/// Root fields beside those of the tables that this build executes.
const OTHER_ROOTS: [&str; 10] = [
    "about",
    "me",
    "stix",
    "stixCoreRelationship",
    "stixCoreRelationships",
    "stixObjectOrStixRelationship",
    "stixSightingRelationship",
    "stixSightingRelationships",
    "user",
    "users",
];
/// Root fields that answer with an empty list, which clients take as "none configured".
const EMPTY_ROOTS: [&str; 1] = ["vocabularyCategories"];

/// Root fields that this build executes.
pub fn executed() -> Vec<&'static str> {
    let of_types = stix::roots().iter();
    let of_types = of_types.flat_map(|root| [&root.list, &root.read, &root.contains]);
    let mut all: Vec<&'static str> = of_types
        .map(String::as_str)
        .filter(|field| !field.is_empty())
        .chain(OTHER_ROOTS)
        .chain(EMPTY_ROOTS)
        .collect();
    all.sort_unstable();
    all
}

type Answer<'a> = Result<Node<'a, RequestContext>, FieldError>;

fn resolve<'a>(call: &Call<'a, RequestContext>) -> Answer<'a> {
    let field = call.name();
    for root in stix::roots() {
        match field {
            _ if field == root.list => return list::entities(call, root),
            _ if field == root.read => return Ok(read::entity(call, root)),
            _ if field == root.contains => return Ok(read::contains(call)),
            _ => {}
        }
    }
    match field {
        "about" => Ok(Node::json(json!({"version": PLATFORM_VERSION}))),
        "me" => read::me(call),
        "user" => read::user(call),
        "users" => list::users(call),
        "vocabularyCategories" => Ok(Node::list([])),
        "stix" => Ok(read::stix(call)),
        "stixObjectOrStixRelationship" => Ok(read::any(call)),
        "stixCoreRelationship" => Ok(read::relationship(call, relationship::EdgeSort::Core)),
        "stixSightingRelationship" => {
            Ok(read::relationship(call, relationship::EdgeSort::Sighting))
        }
        "stixCoreRelationships" => list::relationships(call, relationship::EdgeSort::Core),
        "stixSightingRelationships" => list::relationships(call, relationship::EdgeSort::Sighting),
        other => Err(errors::unsupported(other)),
    }
}

impl Dialect for OpenCti {
    type Context = RequestContext;

    fn hold(&self, context: &RequestContext, bytes: u64) -> Result<(), FieldError> {
        context.hold(bytes)
    }

    fn require(&self, context: &RequestContext, one_of: &[Action]) -> Result<(), FieldError> {
        context.caller().map_err(|_| errors::auth_required())?;
        context.require(one_of).map_err(|_| errors::forbidden())
    }

    fn resolve_root<'a>(
        &'a self,
        kind: OperationKind,
        call: Call<'a, RequestContext>,
    ) -> Resolution<'a, RequestContext> {
        Resolution::ready(match kind {
            OperationKind::Query => resolve(&call),
            OperationKind::Mutation => Err(errors::unsupported(call.name())),
        })
    }

    fn authorize_introspection(&self, context: &RequestContext) -> Result<(), FieldError> {
        let allowed = context.require_introspection();
        allowed.map_err(|_| errors::auth_required())
    }

    fn finish_error(&self, error: &mut FieldError) {
        errors::finish(error);
    }
}

/// The node of the caller's own account.
fn me(context: &RequestContext) -> Option<UserNode> {
    let caller = context.caller().ok()?;
    match context.view.resolve(caller.account()?) {
        Some(durward_graph::ObjectRef::Entity(entity)) => Some(UserNode {
            entity,
            is_me: true,
        }),
        _ => None,
    }
}

impl Served for OpenCti {
    const NAME: &'static str = "opencti";
    const CONTRACT: &'static str = CONTRACT;

    const ANSWERS_STRANGERS: bool = true;

    fn executed(&self) -> Vec<&'static str> {
        executed()
    }

    fn is_asked_by(&self, headers: &HeaderMap) -> bool {
        let agent = headers.get(header::USER_AGENT);
        let agent = agent.and_then(|value| value.to_str().ok());
        let mut names = headers.keys().map(HeaderName::as_str);
        agent.is_some_and(|agent| agent.starts_with("pycti/"))
            || names.any(|name| name.starts_with("opencti-"))
    }

    fn refused(&self, kind: ErrorKind, message: &str) -> FieldError {
        match kind {
            ErrorKind::Unauthenticated => errors::auth_required(),
            _ => FieldError::new(code(kind), message),
        }
    }

    // Its client takes anything but 200 for a broken server.
    fn status(&self, _outcome: Outcome, _first_code: Option<&str>) -> u16 {
        200
    }

    fn refused_status(&self, _kind: ErrorKind) -> u16 {
        200
    }
}
