// SPDX-License-Identifier: Apache-2.0
//! The native schema: the organization, its accounts and credentials, discovery, everything in the
//! graph at any instant, J1QL, history and audit.

mod access;
mod accounts;
mod audit;
mod commands;
mod credentials;
mod discovery;
mod entities;
mod errors;
mod history;
mod moment;
mod objects;
mod organization;
mod page;
mod query;
mod relationships;
#[cfg(test)]
mod tests;
mod values;

use durward_graphql::Served;
use durward_graphql::context::RequestContext;
use durward_graphql::engine::{Call, Dialect, FieldError, Node, OperationKind, Resolution};
use durward_policy::Action;
use http::HeaderMap;

type Context = RequestContext;
type Answer<'a> = Result<Node<'a, Context>, FieldError>;

/// What clients may say, in the GraphQL schema language.
pub const CONTRACT: &str = include_str!("../../../contracts/graphql/durward.graphql");

/// The dialect.
#[derive(Clone, Copy, Debug, Default)]
pub struct Native;

/// Root fields that this build executes, sorted. All others of the contract answer "not supported".
pub const EXECUTED: &[&str] = &[
    "account",
    "accounts",
    "auditTrail",
    "caller",
    "classes",
    "createAccount",
    "createApiKey",
    "createApiToken",
    "createCredential",
    "credentials",
    "effectiveAccess",
    "entities",
    "entity",
    "explain",
    "explainAccess",
    "head",
    "history",
    "organization",
    "properties",
    "query",
    "relationship",
    "relationships",
    "resumeAccount",
    "revokeCredential",
    "suspendAccount",
    "triplets",
    "types",
    "verbs",
];

impl Dialect for Native {
    type Context = RequestContext;

    fn take_warnings(&self, context: &RequestContext) -> Vec<String> {
        context.take_warnings()
    }

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
        match call.name() {
            "organization" => Resolution::later(organization::organization(call)),
            "head" => Resolution::later(organization::head(call)),
            "caller" => Resolution::ready(accounts::caller(&call)),
            "account" => Resolution::ready(accounts::account(&call)),
            "accounts" => Resolution::later(accounts::accounts(call)),
            "credentials" => Resolution::later(credentials::credentials(call)),
            "classes" => Resolution::later(discovery::classes(call)),
            "types" => Resolution::later(discovery::types(call)),
            "verbs" => Resolution::later(discovery::verbs(call)),
            "triplets" => Resolution::later(discovery::triplets(call)),
            "properties" => Resolution::later(discovery::properties(call)),
            "entity" => Resolution::ready(entities::entity(&call)),
            "relationship" => Resolution::ready(relationships::relationship(&call)),
            "entities" => Resolution::later(entities::entities(call)),
            "relationships" => Resolution::ready(relationships::of_argument(&call)),
            "history" => Resolution::later(history::changes(call)),
            "query" => Resolution::later(query::query(call)),
            "explain" => Resolution::later(query::explain(call)),
            "explainAccess" => Resolution::later(access::explain(call)),
            "effectiveAccess" => Resolution::later(access::effective(call)),
            "auditTrail" => Resolution::later(audit::trail(call)),
            "createAccount" => Resolution::later(commands::create_account(call)),
            "suspendAccount" => Resolution::later(commands::set_suspended(call, true)),
            "resumeAccount" => Resolution::later(commands::set_suspended(call, false)),
            "createApiKey" => Resolution::later(commands::create_api_key(call)),
            "createApiToken" => Resolution::later(commands::create_api_token(call)),
            "createCredential" => Resolution::later(commands::create_credential(call)),
            "revokeCredential" => Resolution::later(commands::revoke_credential(call)),
            other => Resolution::ready(Err(FieldError::unsupported(other))),
        }
    }

    fn authorize_introspection(&self, context: &RequestContext) -> Result<(), FieldError> {
        let allowed = context.require_introspection();
        allowed.map_err(|error| errors::of(error))
    }
}

impl Served for Native {
    const NAME: &'static str = "durward";
    const CONTRACT: &'static str = CONTRACT;

    const QUICK_ROOTS: &'static [&'static str] =
        &["caller", "entity", "explain", "organization", "query"];
    const QUERY_ROOTS: &'static [&'static str] = &["query"];

    fn executed(&self) -> Vec<&'static str> {
        EXECUTED.to_vec()
    }

    fn is_asked_by(&self, _headers: &HeaderMap) -> bool {
        false
    }
}
