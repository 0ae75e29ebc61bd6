// SPDX-License-Identifier: Apache-2.0
//! From a method and a path to a route of the contract.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use durward_policy::Guard;
use percent_encoding::percent_decode_str;

use crate::contract::{Contract, ContractError, RouteState};
use crate::handlers::{self, Handler};

/// Most segments of a path that is looked at; the contract has fewer.
const SEGMENTS_MAX: usize = 16;
/// Parameter that takes the rest of the path: client ids hold slashes, and clients send them as
/// they are.
const GREEDY: &str = "clientId";

/// A route, ready to be asked.
pub(crate) struct Target {
    pub(crate) handler: Option<Handler>,
    pub(crate) guard: Guard,
    pub(crate) form: bool,
}

/// Values of the parameters in a path.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// The value of a parameter; empty when the route has none of this name.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// What a path leads to.
pub(crate) enum Found<'a> {
    /// A route.
    Route(&'a Target, Parameters),
    /// Routes of other methods only: those.
    OtherMethods(Vec<&'a str>),
    /// Nothing.
    Nothing,
}

enum Segment {
    Literal(String),
    Parameter(String),
}

struct Entry {
    method: String,
    segments: Vec<Segment>,
    target: Target,
}

/// All routes of the contract but those of gRPC.
pub(crate) struct Routing {
    entries: Vec<Entry>,
}

impl Routing {
    pub(crate) fn new(contract: &Contract) -> Result<Self, ContractError> {
        let mut entries = Vec::new();
        for route in contract.routes().filter(|route| !route.is_grpc()) {
            entries.push(Entry {
                method: route.method.clone(),
                segments: split(&route.path).map(segment).collect(),
                target: Target {
                    handler: match route.state {
                        RouteState::Executing => handlers::find(&route.method, &route.path),
                        RouteState::Absent => None,
                    },
                    guard: route.guard()?,
                    form: route.form,
                },
            });
        }
        // Literal segments win over parameters, and longer routes over those that take the rest.
        entries.sort_by_key(|entry| {
            let is_parameter = |part: &&Segment| matches!(part, Segment::Parameter(_));
            let parameters = entry.segments.iter().filter(is_parameter).count();
            (parameters, Reverse(entry.segments.len()))
        });
        Ok(Self { entries })
    }

    /// Whether any route of the dialect begins like this path: its answer to an unknown one is
    /// the dialect's own.
    pub(crate) fn owns(path: &str) -> bool {
        let first = split(path).next();
        matches!(
            first,
            Some("v1" | "v2" | "auth" | "integrations" | "sidecars" | "deploy")
        )
    }

    pub(crate) fn find(&self, method: &str, path: &str) -> Found<'_> {
        let segments: Vec<&str> = split(path).take(SEGMENTS_MAX).collect();
        let mut methods = Vec::new();
        for entry in &self.entries {
            let Some(parameters) = entry.take(&segments) else {
                continue;
            };
            if entry.method == method {
                return Found::Route(&entry.target, parameters);
            }
            if !methods.contains(&entry.method.as_str()) {
                methods.push(entry.method.as_str());
            }
        }
        if methods.is_empty() {
            return Found::Nothing;
        }
        Found::OtherMethods(methods)
    }
}

impl Entry {
    fn take(&self, path: &[&str]) -> Option<Parameters> {
        let mut parameters = Parameters::default();
        let mut rest = path;
        for (position, segment) in self.segments.iter().enumerate() {
            let (first, others) = rest.split_first()?;
            match segment {
                Segment::Literal(text) if text == first => rest = others,
                Segment::Literal(_) => return None,
                Segment::Parameter(name) if name == GREEDY => {
                    // All but what the segments behind it take.
                    let behind = self
                        .segments
                        .len()
                        .saturating_sub(position.saturating_add(1));
                    let taken = rest.len().checked_sub(behind).filter(|taken| *taken > 0)?;
                    let (taken, others) = rest.split_at_checked(taken)?;
                    parameters.put(name, &taken.join("/"))?;
                    rest = others;
                }
                Segment::Parameter(name) => {
                    parameters.put(name, first)?;
                    rest = others;
                }
            }
        }
        rest.is_empty().then_some(parameters)
    }
}

impl Parameters {
    fn put(&mut self, name: &str, value: &str) -> Option<()> {
        let decoded = percent_decode_str(value).decode_utf8().ok()?;
        self.0.insert(name.to_owned(), decoded.into_owned());
        Some(())
    }
}

/// The segments of a path; one slash at its end does not count.
fn split(path: &str) -> impl Iterator<Item = &str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.strip_suffix('/').unwrap_or(path).split('/')
}

fn segment(text: &str) -> Segment {
    let name = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'));
    match name {
        Some(name) => Segment::Parameter(name.to_owned()),
        None => Segment::Literal(text.to_owned()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]
mod tests {
    use durward_policy::Action;

    use super::*;

    fn found(method: &str, path: &str) -> Option<(bool, Parameters)> {
        let routing = Routing::new(&Contract::built_in().unwrap()).unwrap();
        match routing.find(method, path) {
            Found::Route(target, parameters) => Some((target.handler.is_some(), parameters)),
            _ => None,
        }
    }

    #[test]
    fn paths_lead_to_routes() {
        let (_, parameters) = found("GET", "/v1/repos/a%20b/userAccounts/c").unwrap();
        assert_eq!((parameters.get("id"), parameters.get("uid")), ("a b", "c"));
        let (executing, _) = found("GET", "/v1/users/users/_self/").unwrap();
        assert!(executing);
        let (executing, _) = found("GET", "/deploy/cft/").unwrap();
        assert!(!executing);
        for path in [
            "/v1",
            "/v1/",
            "/v1/repos/a/b",
            "/v1//repos",
            "/v1/repos/%ff",
        ] {
            assert_eq!(found("GET", path), None, "{path}");
        }
    }

    #[test]
    fn client_ids_may_hold_slashes() {
        for path in ["sa/default/1", "sa%2Fdefault%2F1"] {
            let path = format!("/v1/users/serviceAccounts/{path}");
            let (_, parameters) = found("DELETE", &path).unwrap();
            assert_eq!(parameters.get("clientId"), "sa/default/1");
        }
        let rotate = "/v1/users/serviceAccounts/sa/default/1/rotateSecret";
        let (executing, parameters) = found("POST", rotate).unwrap();
        assert!(executing);
        assert_eq!(parameters.get("clientId"), "sa/default/1");
        assert_eq!(found("DELETE", "/v1/users/serviceAccounts"), None);
    }

    #[test]
    fn literal_segments_win() {
        let routing = Routing::new(&Contract::built_in().unwrap()).unwrap();
        let Found::Route(target, _) = routing.find("POST", "/v1/integrations/saml/parse") else {
            panic!("no route");
        };
        assert_eq!(target.guard, Guard::Action(Action::IntegrationWrite));
        assert!(matches!(
            routing.find("PATCH", "/v1/repos"),
            Found::OtherMethods(_)
        ));
    }
}
