// SPDX-License-Identifier: Apache-2.0
//! The contract: every route, who may ask it, and whether it is executed.

use durward_policy::{Guard, Vocabulary};
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
    /// The action that a caller must be allowed.
    action: Option<String>,
    /// Whether it is answered without a credential.
    #[serde(default)]
    open: bool,
    /// Whether its body is a form and its errors are those of OAuth 2.0.
    #[serde(default)]
    pub form: bool,
}

impl Route {
    /// Whether the route belongs to gRPC.
    pub fn is_grpc(&self) -> bool {
        self.method == GRPC
    }

    /// What is asked before it is answered.
    ///
    /// # Errors
    /// When it does not say so.
    pub fn guard(&self) -> Result<Guard, ContractError> {
        Guard::read(self.open, self.action.as_deref())
            .map_err(|reason| wrong(&format!("{} {}: {reason}", self.method, self.path)))
    }

    /// The permissions of Cyral of which any lets a caller through; `None` where it needs none.
    ///
    /// # Errors
    /// When the route does not say who may ask it.
    pub fn permissions(&self) -> Result<Option<Vec<&'static str>>, ContractError> {
        Ok(match self.guard()? {
            Guard::Action(action) if !action.is_everybodys() => {
                Some(action.words(Vocabulary::Cyral))
            }
            _ => None,
        })
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

    /// All routes.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.groups.iter().flat_map(|group| &group.routes)
    }

    fn check(&self) -> Result<(), ContractError> {
        for route in self.routes() {
            if route.permissions()?.is_some_and(|any| any.is_empty()) {
                let (method, path) = (&route.method, &route.path);
                let reason = "no permission of Cyral allows its action";
                return Err(wrong(&format!("{method} {path}: {reason}")));
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
            !self.routes().any(is_it)
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
