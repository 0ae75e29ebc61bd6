// SPDX-License-Identifier: Apache-2.0
//! Sonrai's GraphQL: user tokens, users, roles, the audit log, and lists over imported cloud data.
//!
//! Lists of the graph are tables of columns ([`specs`]): what a column shows is what it filters and
//! sorts by. Everything else of the contract answers "not supported".

mod arguments;
mod audit;
mod directives;
mod errors;
mod graph_list;
mod row_list;
mod specs;
#[cfg(test)]
mod tests;
mod tokens;
mod users;

use durward_policy::Action;

use crate::graph_list::GraphList;
use crate::specs::Spec;
use durward_graphql::Served;
use durward_graphql::context::RequestContext;
use durward_graphql::engine::{Call, Dialect, FieldError, Node, OperationKind, Resolution};
use http::{HeaderMap, header};

/// What clients may say, in the GraphQL schema language.
pub const CONTRACT: &str = include_str!("../../../contracts/graphql/sonrai.graphql");

/// The dialect.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sonrai;

/// Root fields that this build executes. All others of the contract answer "not supported".
pub const EXECUTED: &[&str] = &[
    "CloudHierarchyList",
    "DeleteSonraiUserToken",
    "DescribeAWSDirectPolicy",
    "GenerateSonraiUserToken",
    "Groups",
    "Identities",
    "ListResourceSummaries",
    "Roles",
    "SonraiAuditLogs",
    "SonraiCurrentUsers",
    "SonraiRoles",
    "SonraiUserTokens",
    "SonraiUsers",
    "Users",
];

type Context = RequestContext;
type Answer<'a> = Result<Node<'a, Context>, FieldError>;

/// A list over the graph.
fn listed<'a>(call: &Call<'a, Context>, spec: &'static Spec) -> Answer<'a> {
    let list = GraphList::new(spec, call.argument("where"));
    list.check(call.context)?;
    Ok(Node::object(list))
}

fn query<'a>(call: &Call<'a, Context>) -> Answer<'a> {
    match call.name() {
        "CloudHierarchyList" => listed(call, &specs::HIERARCHY),
        "ListResourceSummaries" => listed(call, &specs::RESOURCES),
        "Identities" => listed(call, &specs::IDENTITIES),
        "Users" => listed(call, &specs::USERS),
        "Roles" => listed(call, &specs::ROLES),
        "Groups" => listed(call, &specs::GROUPS),
        "DescribeAWSDirectPolicy" => listed(call, &specs::POLICIES),
        "SonraiUsers" => listed(call, &specs::ACCOUNTS),
        "SonraiCurrentUsers" => users::current(call),
        "SonraiRoles" => users::roles(call),
        "SonraiUserTokens" => tokens::list(call),
        "SonraiAuditLogs" => audit::logs(call),
        other => Err(FieldError::unsupported(other)),
    }
}

impl Dialect for Sonrai {
    type Context = RequestContext;

    fn hold(&self, context: &RequestContext, bytes: u64) -> Result<(), FieldError> {
        context.hold(bytes)
    }

    fn require(&self, context: &RequestContext, one_of: &[Action]) -> Result<(), FieldError> {
        context.require(one_of)
    }

    fn resolve_root<'a>(
        &'a self,
        _kind: OperationKind,
        call: Call<'a, RequestContext>,
    ) -> Resolution<'a, RequestContext> {
        if let Err(error) = directives::refuse(&call) {
            return Resolution::ready(Err(error));
        }
        match call.name() {
            "GenerateSonraiUserToken" => Resolution::later(tokens::generate(call)),
            "DeleteSonraiUserToken" => Resolution::later(tokens::delete(call)),
            _ => Resolution::ready(query(&call)),
        }
    }

    fn authorize_introspection(&self, context: &RequestContext) -> Result<(), FieldError> {
        let allowed = context.require_introspection();
        allowed.map_err(|error| errors::of(error))
    }
}

impl Served for Sonrai {
    const NAME: &'static str = "sonrai";
    const CONTRACT: &'static str = CONTRACT;

    fn executed(&self) -> Vec<&'static str> {
        EXECUTED.to_vec()
    }

    fn is_asked_by(&self, headers: &HeaderMap) -> bool {
        headers.contains_key(ORGANIZATION_HEADER)
            || headers.contains_key(QUERY_NAME)
            || has_token_of_its_own(headers)
    }
}

/// Header by which clients name the organization.
const ORGANIZATION_HEADER: &str = "sonraisecurity-com-org";
/// Header by which clients name the query, for the log.
pub const QUERY_NAME: &str = "query-name";
/// Who issues tokens, as they say.
const ISSUER: &str = "Sonrai";

/// Whether the token says that it is one of this dialect: its scripts send no header of their own.
/// Nothing is checked: it only decides which schema is asked.
fn has_token_of_its_own(headers: &HeaderMap) -> bool {
    let authorization = headers.get(header::AUTHORIZATION);
    let authorization = authorization.and_then(|value| value.to_str().ok());
    let token = authorization.and_then(|value| value.strip_prefix("Bearer "));
    let claims = token.and_then(durward_vault::token::unverified_claims);
    claims.is_some_and(|claims| claims.get("iss").is_some_and(|issuer| issuer == ISSUER))
}
