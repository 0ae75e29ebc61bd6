// SPDX-License-Identifier: Apache-2.0
//! A body that is larger than a route takes gets one clear answer, and the connection stays whole.

use durward_dialect_strongdm::Contract;
use serde_json::json;

use crate::common;
use crate::common::contracts::{self, Manner, Route};
use crate::wire::{Wire, framed};

/// Largest body of imports, uploads and GraphQL.
const BODY_BYTES_MAX: usize = 64 << 20;
/// Largest JSON of Cyral.
const JSON_BYTES_MAX: usize = 4 << 20;
/// Largest form, and largest body of whoever is not known.
const FORM_BYTES_MAX: usize = 64 << 10;
/// Largest message of StrongDM.
const MESSAGE_BYTES_MAX: usize = 4 << 20;
const INVALID_ARGUMENT: &str = "3";

#[test]
fn every_route_that_takes_a_body_tells_when_it_is_too_large() {
    let server = common::start();
    let client = server.client();
    let job = common::start_job(&client, "sizes", "DIFF");
    let given = common::job_call(&client, &job, "uploadUrl", &json!({}));
    let address = given["uploadUrl"].as_str().unwrap();
    let token = address.rsplit('/').next().unwrap();
    let spaces = vec![b' '; BODY_BYTES_MAX + 1];
    let mut refused = 0;
    for route in contracts::routes()
        .iter()
        .filter(|route| takes_a_body(route))
    {
        let target = match route.manner {
            Manner::Synchronization => route.path.replace("{id}", &job).replace("{token}", token),
            _ => route.made_up(),
        };
        let body = &spaces[..=bytes_max(route)];
        let answer = client.send(&route.method, &target, Some(body)).unwrap();
        let is_clear = answer.body.contains("larger than");
        let status = crate::status(&answer);
        assert!(
            is_clear && [400, 413].contains(&status),
            "{route:?}: {}",
            answer.body
        );
        refused += 1;
    }
    assert!(refused > 100, "only {refused} routes");
    methods(&server);
}

/// Reads have none, and the answer to who asks for an upload URL depends on nothing that is sent.
fn takes_a_body(route: &Route) -> bool {
    route.method != "GET" && !route.path.ends_with("/uploadUrl")
}

fn bytes_max(route: &Route) -> usize {
    match route.manner {
        Manner::Cyral if route.form => FORM_BYTES_MAX,
        Manner::Cyral => JSON_BYTES_MAX,
        Manner::Own | Manner::GraphQl | Manner::Synchronization => BODY_BYTES_MAX,
    }
}

fn methods(server: &durward_testkit::Server) {
    let contract = Contract::load().unwrap();
    let mut wire = Wire::new(server);
    let message = vec![0; MESSAGE_BYTES_MAX + 1];
    for method in contract.methods() {
        // What is signed does not matter: it is refused before it is whole.
        let call = wire.call(&method.path, b"").with_body(framed(&message));
        let refused = wire.send(&call);
        assert_eq!(
            refused.code, INVALID_ARGUMENT,
            "{}: {refused:?}",
            method.path
        );
        assert!(
            refused.message.contains("larger than"),
            "{}: {refused:?}",
            method.path
        );
    }
}
