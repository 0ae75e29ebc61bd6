// SPDX-License-Identifier: Apache-2.0
//! The contract: every route, who may ask it, and whether it is executed.

use durward_policy::Right;
use serde::Deserialize;

use crate::handlers;

const CONTRACT: &str = include_str!("../../../contracts/routes/cyral.toml");
/// Method of the rows that the gRPC listener answers.
const GRPC: &str = "gRPC";

/// The contract is not usable.
#[derive(Debug, thiserror::Error)]
#[error("the contract of the Cyral dialect is not usable: {reason}")]
pub struct ContractError {
    reason: String,
}

/// All routes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// The routes by group.
    #[serde(rename = "group")]
    pub groups: Vec<Group>,
}

/// Routes that belong together.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Name of the group.
    pub name: String,
    /// Permissions that let a reading request through; any of them.
    pub read: Vec<String>,
    /// Permissions that let a writing request through; any of them.
    pub write: Vec<String>,
    /// The routes.
    pub routes: Vec<Route>,
}

/// Whether a route is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteState {
    /// It does what its clients expect.
    Executing,
    /// It answers "not supported".
    Absent,
}

/// What a request on a route does, where the method does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Reads.
    Read,
    /// Writes.
    Write,
}

/// One route.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// HTTP method, or `gRPC`.
    pub method: String,
    /// Path with its parameters in braces.
    pub path: String,
    /// Whether it is executed.
    pub state: RouteState,
    /// Permissions in place of those of the group.
    pub permissions: Option<Vec<String>>,
    /// What it does, where the method does not tell.
    pub effect: Option<Effect>,
    /// Whether it is answered without a credential.
    #[serde(default)]
    pub open: bool,
    /// Whether its body is a form and its errors are those of OAuth 2.0.
    #[serde(default)]
    pub form: bool,
}

impl Route {
    /// Whether the route belongs to gRPC.
    pub fn is_grpc(&self) -> bool {
        self.method == GRPC
    }
}

impl Contract {
    /// The contract of this build.
    ///
    /// # Errors
    /// When it is not well formed, or does not agree with what the program executes.
    pub fn built_in() -> Result<Self, ContractError> {
        let contract: Self = toml::from_str(CONTRACT).map_err(|error| wrong(error.message()))?;
        contract.check()?;
        Ok(contract)
    }

    /// All routes, with the permissions that let a request through.
    pub fn routes(&self) -> impl Iterator<Item = (&Route, &[String])> {
        self.groups.iter().flat_map(|group| {
            group.routes.iter().map(|route| {
                let reads = match route.effect {
                    Some(effect) => effect == Effect::Read,
                    None => route.method == "GET",
                };
                let of_group = if reads { &group.read } else { &group.write };
                (
                    route,
                    route.permissions.as_ref().unwrap_or(of_group).as_slice(),
                )
            })
        })
    }

    fn check(&self) -> Result<(), ContractError> {
        for (route, permissions) in self.routes() {
            let known = |name: &String| Right::of_cyral(name).is_some();
            if let Some(unknown) = permissions.iter().find(|name| !known(name)) {
                return Err(wrong(&format!("there is no permission {unknown:?}")));
            }
            let is_executed = handlers::find(&route.method, &route.path).is_some();
            if is_executed != (route.state == RouteState::Executing) {
                let (method, path) = (&route.method, &route.path);
                return Err(wrong(&format!(
                    "{method} {path} says {:?}, and executed is {is_executed}",
                    route.state
                )));
            }
        }
        let lost = handlers::names().find(|(method, path)| {
            let is_it = |route: &Route| route.method == *method && route.path == *path;
            !self.routes().any(|(route, _)| is_it(route))
        });
        match lost {
            Some((method, path)) => Err(wrong(&format!("{method} {path} has no row"))),
            None => Ok(()),
        }
    }
}

fn wrong(reason: &str) -> ContractError {
    ContractError {
        reason: reason.to_owned(),
    }
}
