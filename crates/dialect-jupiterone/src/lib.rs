// SPDX-License-Identifier: Apache-2.0
//! JupiterOne's GraphQL: queries in J1QL, graph mutations, API keys.

mod errors;
mod filters;
mod mutations;
mod objects;
mod query;
mod reads;
#[cfg(test)]
mod tests;
mod tokens;

use durward_model::ErrorKind;
use durward_policy::Action;

use durward_graphql::Served;
use durward_graphql::context::RequestContext;
use durward_graphql::engine::{Call, Dialect, FieldError, OperationKind, Resolution};
use http::{HeaderMap, HeaderName};

/// What clients may say, in the GraphQL schema language.
pub const CONTRACT: &str = include_str!("../../../contracts/graphql/jupiterone.graphql");

/// The dialect.
#[derive(Clone, Copy, Debug, Default)]
pub struct JupiterOne;

/// Root fields that this build executes. All others of the contract answer "not supported".
pub const EXECUTED: &[&str] = &[
    "allEntityCounts",
    "createCurrentUserToken",
    "createEntity",
    "createEntityV2",
    "createRelationship",
    "createToken",
    "deleteEntity",
    "deleteEntityV2",
    "deleteRelationship",
    "edge",
    "entityCount",
    "getAllAssetProperties",
    "getEntityCounts",
    "iamGetAccount",
    "queryV1",
    "queryV2",
    "revokeToken",
    "tokens",
    "typeCounts",
    "updateEntity",
    "updateEntityV2",
    "updateRelationship",
    "vertex",
];

/// Runs what may take long without holding up other requests of the same thread.
fn off_queue<T>(run: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    let flavor = Handle::try_current().map(|handle| handle.runtime_flavor());
    match flavor {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(run),
        // There is one thread only; nobody else could take its place.
        _ => run(),
    }
}

impl Dialect for JupiterOne {
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
            "queryV1" => Resolution::later(query::first_version(call)),
            "queryV2" => Resolution::ready(query::second_version(&call)),
            "vertex" => Resolution::ready(off_queue(|| reads::vertex(&call))),
            "edge" => Resolution::ready(off_queue(|| reads::edge(&call))),
            "entityCount" => Resolution::ready(off_queue(|| reads::entity_count(&call))),
            "typeCounts" => Resolution::ready(off_queue(|| reads::type_counts(&call))),
            "allEntityCounts" => Resolution::ready(off_queue(|| reads::all_entity_counts(&call))),
            "getEntityCounts" => Resolution::ready(off_queue(|| reads::entity_counts(&call))),
            "getAllAssetProperties" => {
                Resolution::ready(off_queue(|| Ok(reads::property_names(&call))))
            }
            "createEntity" | "createEntityV2" => Resolution::later(mutations::create_entity(call)),
            "updateEntity" | "updateEntityV2" => Resolution::later(mutations::update_entity(call)),
            "deleteEntity" | "deleteEntityV2" => Resolution::later(mutations::delete_entity(call)),
            "createRelationship" => Resolution::later(mutations::create_relationship(call)),
            "updateRelationship" => Resolution::later(mutations::update_relationship(call)),
            "deleteRelationship" => Resolution::later(mutations::delete_relationship(call)),
            "createToken" => Resolution::later(tokens::create(call)),
            "createCurrentUserToken" => Resolution::later(tokens::create_for_current_user(call)),
            "revokeToken" => Resolution::later(tokens::revoke(call)),
            "tokens" => Resolution::ready(tokens::list(&call)),
            "iamGetAccount" => Resolution::ready(tokens::account(&call)),
            other => {
                let message = format!("{other} is not supported");
                let code = errors::code(ErrorKind::Unsupported);
                Resolution::ready(Err(FieldError::new(code, message)))
            }
        }
    }

    fn authorize_introspection(&self, context: &RequestContext) -> Result<(), FieldError> {
        let allowed = context.require_introspection();
        allowed.map_err(|error| errors::of(error))
    }
}

impl Served for JupiterOne {
    const NAME: &'static str = "jupiterone";
    const CONTRACT: &'static str = CONTRACT;

    const QUICK_ROOTS: &'static [&'static str] = &["iamGetAccount", "queryV1", "queryV2"];
    const QUERY_ROOTS: &'static [&'static str] = &["queryV1", "queryV2"];

    fn executed(&self) -> Vec<&'static str> {
        EXECUTED.to_vec()
    }

    fn is_asked_by(&self, headers: &HeaderMap) -> bool {
        let mut names = headers.keys().map(HeaderName::as_str);
        names.any(|name| {
            name.starts_with("jupiterone-account") || name.starts_with("lifeomic-account")
        })
    }
}
