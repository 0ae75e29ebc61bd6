// SPDX-License-Identifier: Apache-2.0
//! What a contract says of a route: who may ask it. Every route says it, and exactly once.

use serde::Deserialize;

use crate::Action;

/// What is asked before a route is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Nothing: it is answered without a credential.
    Open,
    /// Whether the caller may take this action.
    Action(Action),
    /// Whether whoever was given the address, which nobody can guess, may still take this action.
    Address(Action),
    /// Field by field, what the contract of the schema says.
    Fields,
}

/// A contract whose routes cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{route}: {reason}")]
pub struct RouteError {
    /// Method and path, as far as they are known.
    pub route: String,
    /// What is wrong.
    pub reason: String,
}

/// One route.
#[derive(Clone, Debug)]
pub struct Route {
    /// HTTP method.
    pub method: String,
    /// Path, with its parameters in braces.
    pub path: String,
    /// Who may ask it.
    pub guard: Guard,
    /// Whether it is answered to anybody on the machine of the server where the configuration says
    /// so.
    pub local: bool,
}

/// The routes of a contract (`[[route]]` with `method`, `path`, and what guards it).
#[derive(Clone, Debug)]
pub struct Routes(Vec<Route>);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    route: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    method: String,
    path: String,
    action: Option<String>,
    #[serde(default)]
    open: bool,
    #[serde(default)]
    address: bool,
    #[serde(default)]
    fields: bool,
    #[serde(default)]
    local: bool,
}

impl Guard {
    /// What guards a route that says `open = true` or names an action.
    ///
    /// # Errors
    /// When it says neither or both, or there is no such action.
    pub fn read(is_open: bool, action: Option<&str>) -> Result<Self, String> {
        match (is_open, action) {
            (true, None) => Ok(Self::Open),
            (false, Some(name)) => {
                let action = Action::named(name);
                action
                    .map(Self::Action)
                    .ok_or_else(|| format!("there is no action {name:?}"))
            }
            (true, Some(_)) => Err("it is open and names an action".to_owned()),
            (false, None) => Err("it names no action and is not open".to_owned()),
        }
    }
}

impl Routes {
    /// The routes of a contract.
    ///
    /// # Errors
    /// When a row is not well formed or does not say who may ask.
    pub fn parse(text: &str) -> Result<Self, RouteError> {
        let file: File = toml::from_str(text).map_err(|error| RouteError {
            route: "a contract of routes".to_owned(),
            reason: error.to_string(),
        })?;
        let routes = file.route.into_iter().map(Row::read);
        routes.collect::<Result<_, _>>().map(Self)
    }

    /// All of them, as they stand in the contract.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.0.iter()
    }

    /// Puts each route together with what answers it, which comes as method, path and handler.
    ///
    /// # Errors
    /// When a route has no handler, or a handler no route.
    pub fn with_handlers<H>(
        &self,
        mut handlers: Vec<(&'static str, &'static str, H)>,
    ) -> Result<Vec<(Route, H)>, RouteError> {
        let mut joined = Vec::new();
        for route in &self.0 {
            let is_it = |(method, path, _): &(&str, &str, H)| {
                *method == route.method && *path == route.path
            };
            let Some(at) = handlers.iter().position(is_it) else {
                let name = format!("{} {}", route.method, route.path);
                return Err(wrong(&name, "nothing answers it"));
            };
            joined.push((route.clone(), handlers.swap_remove(at).2));
        }
        match handlers.first() {
            None => Ok(joined),
            Some((method, path, _)) => Err(wrong(
                &format!("{method} {path}"),
                "it is not in the contract",
            )),
        }
    }
}

impl Row {
    fn read(self) -> Result<Route, RouteError> {
        let name = format!("{} {}", self.method, self.path);
        let guard = if self.fields {
            match (self.open, &self.action) {
                (false, None) => Ok(Guard::Fields),
                _ => Err("it decides field by field and as a whole".to_owned()),
            }
        } else {
            Guard::read(self.open, self.action.as_deref())
        };
        let guard = match guard.map_err(|reason| wrong(&name, &reason))? {
            Guard::Action(action) if self.address => Guard::Address(action),
            _ if self.address || self.local && self.action.is_none() => {
                return Err(wrong(&name, "it names no action"));
            }
            guard => guard,
        };
        Ok(Route {
            method: self.method,
            path: self.path,
            guard,
            local: self.local,
        })
    }
}

fn wrong(route: &str, reason: &str) -> RouteError {
    RouteError {
        route: route.to_owned(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    fn parsed(rest: &str) -> Result<Route, RouteError> {
        let text = format!("[[route]]\nmethod = \"GET\"\npath = \"/a\"\n{rest}\n");
        Routes::parse(&text).map(|routes| routes.iter().next().unwrap().clone())
    }

    #[test]
    fn a_route_says_once_who_may_ask_it() {
        let guard = |rest: &str| parsed(rest).unwrap().guard;
        assert_eq!(guard("open = true"), Guard::Open);
        assert_eq!(guard("fields = true"), Guard::Fields);
        let action = Action::MetricsRead;
        assert_eq!(guard("action = \"metrics:read\""), Guard::Action(action));
        let address = guard("action = \"metrics:read\"\naddress = true");
        assert_eq!(address, Guard::Address(action));
        assert!(
            parsed("action = \"metrics:read\"\nlocal = true")
                .unwrap()
                .local
        );
        for (rest, reason) in [
            ("", "names no action and is not open"),
            ("action = \"metrics:fly\"", "there is no action"),
            ("open = true\naction = \"metrics:read\"", "open and names"),
            ("fields = true\nopen = true", "as a whole"),
            ("open = true\naddress = true", "names no action"),
            ("open = true\nlocal = true", "names no action"),
            ("opne = true", "unknown field"),
        ] {
            let error = parsed(rest).unwrap_err().to_string();
            assert!(error.contains(reason), "{rest}: {error}");
        }
    }

    #[test]
    fn routes_and_handlers_are_one_to_one() {
        let text = "[[route]]\nmethod = \"GET\"\npath = \"/a\"\nopen = true\n";
        let routes = Routes::parse(text).unwrap();
        let joined = routes.with_handlers(vec![("GET", "/a", 1)]).unwrap();
        assert_eq!(joined.len(), 1);
        let error = |handlers| {
            routes
                .with_handlers::<i32>(handlers)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(error(vec![]), "GET /a: nothing answers it");
        let more = vec![("GET", "/a", 1), ("PUT", "/a", 2)];
        assert_eq!(error(more), "PUT /a: it is not in the contract");
    }
}
