// SPDX-License-Identifier: Apache-2.0
//! All routes of all contracts, and who may ask them.

use durward_dialect_jupiterone::JupiterOne;
use durward_dialect_native::Native;
use durward_dialect_opencti::OpenCti;
use durward_dialect_sonrai::Sonrai;
use durward_graphql::Served;
use durward_policy::{Guard, Routes};

const OWN: &str = include_str!("../../../../contracts/routes/durward.toml");
/// The schemas that have a path of their own.
const SCHEMAS: [&str; 4] = [Native::NAME, JupiterOne::NAME, OpenCti::NAME, Sonrai::NAME];

/// Whose way of answering a route has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Problem details.
    Own,
    GraphQl,
    Synchronization,
    Cyral,
}

/// One route.
#[derive(Clone, Debug)]
pub struct Route {
    pub manner: Manner,
    pub method: String,
    pub path: String,
    pub guard: Guard,
    /// Whether its body is a form.
    pub form: bool,
}

/// The routes of all contracts but the methods of gRPC; one that does not say who may ask it fails.
pub fn routes() -> Vec<Route> {
    let mut all = Vec::new();
    for (manner, routes) in [
        (Manner::Own, Routes::parse(OWN).unwrap()),
        (
            Manner::Synchronization,
            durward_dialect_sync::contract().unwrap(),
        ),
    ] {
        for route in routes.iter() {
            let is_field = route.guard == Guard::Fields;
            let paths = match route.path.strip_prefix("/{schema}") {
                Some(rest) => SCHEMAS.map(|schema| format!("/{schema}{rest}")).to_vec(),
                None => vec![route.path.clone()],
            };
            all.extend(paths.into_iter().map(|path| Route {
                manner: if is_field { Manner::GraphQl } else { manner },
                method: route.method.clone(),
                path,
                guard: route.guard,
                form: false,
            }));
        }
    }
    let cyral = durward_dialect_cyral::Contract::built_in().unwrap();
    let of_http = cyral.routes().filter(|route| !route.is_grpc());
    all.extend(of_http.map(|route| Route {
        manner: Manner::Cyral,
        method: route.method.clone(),
        path: route.path.clone(),
        guard: route.guard().unwrap(),
        form: route.form,
    }));
    all
}

impl Route {
    /// Its path with something in the place of each parameter: ids that nothing has.
    pub fn made_up(&self) -> String {
        let mut target = String::new();
        let mut rest = self.path.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            target.push_str(before);
            target.push_str("0123456789abcdef");
            rest = after.split_once('}').unwrap().1;
        }
        target + rest
    }
}
