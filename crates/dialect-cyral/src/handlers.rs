// SPDX-License-Identifier: Apache-2.0
//! What the executed routes do.

mod access_info;
mod bindings;
mod listeners;
mod repo_conf;
mod repos;
mod roles;
mod service_accounts;
mod sidecar_accounts;
mod sidecars;
mod user_accounts;
mod users;

use durward_access::Access;
use durward_identity::Caller;
use durward_policy::Action;
use serde_json::{Map, Value};

use crate::Answer;
use crate::core::Core;
use crate::error::ApiError;
use crate::query;
use crate::routing::Parameters;

/// One request of a caller who may make it.
pub(crate) struct Call<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) access: &'a Access,
    /// What the route asks for.
    pub(crate) action: Action,
    pub(crate) parameters: &'a Parameters,
    pub(crate) query: &'a str,
    pub(crate) body: &'a [u8],
}

impl Call<'_> {
    /// A query parameter.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        query::parameter(self.query, name)
    }

    /// The core, as the caller may use it.
    pub(crate) fn core(&self) -> Core<'_> {
        Core {
            access: self.access,
            caller: self.caller,
            action: self.action,
        }
    }

    /// Rows of a page: what the request asks for, or the default; never more than the most.
    pub(crate) fn page_size(&self, default: usize, most: usize) -> Result<usize, ApiError> {
        let Some(text) = self.query("pageSize") else {
            return Ok(default);
        };
        match text.parse::<usize>() {
            Ok(size) if size > 0 => Ok(size.min(most)),
            _ => Err(ApiError::invalid("pageSize must be a number over 0")),
        }
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
    ("POST", "/v1/accessInfo", Known(access_info::list)),
    ("GET", "/v1/sidecars", Known(sidecars::list)),
    ("POST", "/v1/sidecars", Known(sidecars::create)),
    ("GET", "/v1/sidecars/{id}", Known(sidecars::get)),
    ("PUT", "/v1/sidecars/{id}", Known(sidecars::update)),
    ("DELETE", "/v1/sidecars/{id}", Known(sidecars::delete)),
    (
        "GET",
        "/v2/sidecars/{id}/certificate/ca",
        Open(sidecars::certificate),
    ),
    ("GET", "/v2/sidecars/{id}", Known(sidecars::get_wrapped)),
    ("GET", "/v2/sidecars/{id}/health", Known(sidecars::health)),
    (
        "GET",
        "/v2/sidecars/{id}/instances",
        Known(sidecars::instances),
    ),
    (
        "GET",
        "/v2/sidecars/{id}/instances/{iid}/stats",
        Known(sidecars::statistics),
    ),
    ("GET", "/v1/sidecars/{id}/listeners", Known(listeners::list)),
    (
        "POST",
        "/v1/sidecars/{id}/listeners",
        Known(listeners::create),
    ),
    (
        "GET",
        "/v1/sidecars/{id}/listeners/{lid}",
        Known(listeners::get),
    ),
    (
        "PUT",
        "/v1/sidecars/{id}/listeners/{lid}",
        Known(listeners::update),
    ),
    (
        "DELETE",
        "/v1/sidecars/{id}/listeners/{lid}",
        Known(listeners::delete),
    ),
    ("GET", "/v1/sidecars/{id}/bindings", Known(bindings::list)),
    (
        "POST",
        "/v1/sidecars/{id}/bindings",
        Known(bindings::create),
    ),
    (
        "GET",
        "/v1/sidecars/{id}/bindings/{bid}",
        Known(bindings::get),
    ),
    (
        "PUT",
        "/v1/sidecars/{id}/bindings/{bid}",
        Known(bindings::update),
    ),
    (
        "DELETE",
        "/v1/sidecars/{id}/bindings/{bid}",
        Known(bindings::delete),
    ),
    (
        "POST",
        "/v1/sidecars/{id}/composedBindings/filter",
        Known(bindings::composed),
    ),
    ("GET", "/v1/repos", Known(repos::list)),
    ("POST", "/v1/repos", Known(repos::create)),
    ("GET", "/v1/repos/{id}", Known(repos::get)),
    ("PUT", "/v1/repos/{id}", Known(repos::update)),
    ("DELETE", "/v1/repos/{id}", Known(repos::delete)),
    (
        "GET",
        "/v1/repos/{id}/conf/auth",
        Known(repo_conf::get_authentication),
    ),
    (
        "POST",
        "/v1/repos/{id}/conf/auth",
        Known(repo_conf::create_authentication),
    ),
    (
        "PUT",
        "/v1/repos/{id}/conf/auth",
        Known(repo_conf::update_authentication),
    ),
    (
        "DELETE",
        "/v1/repos/{id}/conf/auth",
        Known(repo_conf::delete_authentication),
    ),
    (
        "GET",
        "/v1/repos/{id}/conf/analysis",
        Known(repo_conf::get_analysis),
    ),
    (
        "POST",
        "/v1/repos/{id}/conf/analysis",
        Known(repo_conf::create_analysis),
    ),
    (
        "PUT",
        "/v1/repos/{id}/conf/analysis",
        Known(repo_conf::update_analysis),
    ),
    (
        "DELETE",
        "/v1/repos/{id}/conf/analysis",
        Known(repo_conf::delete_analysis),
    ),
    (
        "GET",
        "/v1/repos/{id}/networkAccessPolicy",
        Known(repo_conf::get_network),
    ),
    (
        "POST",
        "/v1/repos/{id}/networkAccessPolicy",
        Known(repo_conf::create_network),
    ),
    (
        "PUT",
        "/v1/repos/{id}/networkAccessPolicy",
        Known(repo_conf::update_network),
    ),
    (
        "DELETE",
        "/v1/repos/{id}/networkAccessPolicy",
        Known(repo_conf::delete_network),
    ),
    (
        "GET",
        "/v1/repos/{id}/datamap",
        Known(repo_conf::get_datamap),
    ),
    (
        "PUT",
        "/v1/repos/{id}/datamap",
        Known(repo_conf::update_datamap),
    ),
    (
        "DELETE",
        "/v1/repos/{id}/datamap",
        Known(repo_conf::delete_datamap),
    ),
    (
        "GET",
        "/v1/repos/{id}/accessGateway",
        Known(repo_conf::get_gateway),
    ),
    (
        "PUT",
        "/v1/repos/{id}/accessGateway",
        Known(repo_conf::update_gateway),
    ),
    (
        "DELETE",
        "/v1/repos/{id}/accessGateway",
        Known(repo_conf::delete_gateway),
    ),
    (
        "POST",
        "/v1/repos/{id}/userAccounts",
        Known(user_accounts::create),
    ),
    (
        "GET",
        "/v1/repos/{id}/userAccounts/{uid}",
        Known(user_accounts::get),
    ),
    (
        "PUT",
        "/v1/repos/{id}/userAccounts/{uid}",
        Known(user_accounts::update),
    ),
    (
        "DELETE",
        "/v1/repos/{id}/userAccounts/{uid}",
        Known(user_accounts::delete),
    ),
    (
        "GET",
        "/v1/repos/{id}/userAccounts/{uid}/accessRules",
        Known(user_accounts::get_rules),
    ),
    (
        "PUT",
        "/v1/repos/{id}/userAccounts/{uid}/accessRules",
        Known(user_accounts::update_rules),
    ),
    (
        "DELETE",
        "/v1/repos/{id}/userAccounts/{uid}/accessRules",
        Known(user_accounts::delete_rules),
    ),
    ("GET", "/v1/users/roles", Known(roles::permissions)),
    ("GET", "/v1/users/groups", Known(roles::list)),
    ("POST", "/v1/users/groups", Known(roles::create)),
    ("GET", "/v1/users/groups/{id}", Known(roles::get)),
    ("PUT", "/v1/users/groups/{id}", Known(roles::update)),
    ("DELETE", "/v1/users/groups/{id}", Known(roles::delete)),
    (
        "GET",
        "/v1/users/groups/{id}/mappings",
        Known(roles::mappings),
    ),
    (
        "PATCH",
        "/v1/users/groups/{id}/mappings",
        Known(roles::add_mappings),
    ),
    (
        "DELETE",
        "/v1/users/groups/{id}/mappings",
        Known(roles::remove_mappings),
    ),
    (
        "GET",
        "/v1/users/serviceAccounts",
        Known(service_accounts::list),
    ),
    (
        "POST",
        "/v1/users/serviceAccounts",
        Known(service_accounts::create),
    ),
    (
        "GET",
        "/v1/users/serviceAccounts/{clientId}",
        Known(service_accounts::get),
    ),
    (
        "PATCH",
        "/v1/users/serviceAccounts/{clientId}",
        Known(service_accounts::update),
    ),
    (
        "DELETE",
        "/v1/users/serviceAccounts/{clientId}",
        Known(service_accounts::delete),
    ),
    (
        "POST",
        "/v1/users/serviceAccounts/{clientId}/rotateSecret",
        Known(service_accounts::rotate),
    ),
    (
        "POST",
        "/v1/users/sidecarAccounts",
        Known(sidecar_accounts::create),
    ),
    (
        "GET",
        "/v1/users/sidecarAccounts/{clientId}",
        Known(sidecar_accounts::get),
    ),
    (
        "DELETE",
        "/v1/users/sidecarAccounts/{clientId}",
        Known(sidecar_accounts::delete),
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
