// SPDX-License-Identifier: Apache-2.0
//! Who asks too often is told so in the dialect's own way, and when to come again.

use durward_dialect_strongdm::Contract;
use durward_policy::Guard;
use serde_json::json;

use crate::common::contracts::{self, Manner, Route};
use crate::common::{self, JOBS};
use crate::wire::Wire;

/// Two operations of each credential, and the next when the test is long over.
const CONFIGURATION: &str = "[limits]\nrate_preset = \"2/3600\"\n";
const WAIT_SECONDS_MAX: u32 = 3600;
const RESOURCE_EXHAUSTED: &str = "8";

#[test]
fn every_route_tells_who_asks_too_often_when_to_come_again() {
    let server = common::start_configured(CONFIGURATION);
    let client = server.client();
    let job = common::start_job(&client, "rates", "DIFF");
    let given = common::job_call(&client, &job, "uploadUrl", &json!({}));
    let address = given["uploadUrl"].as_str().unwrap();
    let token = address.rsplit('/').next().unwrap();
    let mut limited = 0;
    for route in contracts::routes() {
        if !is_counted(&route) {
            continue;
        }
        let target = if route.path.starts_with(JOBS) {
            route.path.replace("{id}", &job)
        } else {
            route.path.replace("{token}", token)
        };
        let target = Route {
            path: target,
            ..route.clone()
        }
        .made_up();
        let body = match route.manner {
            Manner::GraphQl => Some(&br#"{"query": "{ __typename }"}"#[..]),
            _ => (route.method != "GET").then_some(&b"{}"[..]),
        };
        let answer = client.send(&route.method, &target, body).unwrap();
        assert_eq!(crate::status(&answer), 429, "{route:?}: {}", answer.body);
        let wait: u32 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=WAIT_SECONDS_MAX).contains(&wait), "{route:?}: {wait}");
        let code = crate::code(&route, &answer);
        let expected = match route.manner {
            Manner::Own => "rate_limited",
            Manner::GraphQl | Manner::Synchronization => "TOO_MANY_REQUESTS",
            Manner::Cyral => RESOURCE_EXHAUSTED,
        };
        assert_eq!(code, expected, "{route:?}: {}", answer.body);
        limited += 1;
    }
    assert!(limited > 200, "only {limited} routes");
    methods(&server);
}

/// What is answered without a credential has nobody whose operations could be counted. A result
/// that is fetched by its address was counted when it was asked for.
fn is_counted(route: &Route) -> bool {
    match route.guard {
        Guard::Open => false,
        Guard::Address(_) => route.method != "GET",
        Guard::Action(_) | Guard::Fields => true,
    }
}

fn methods(server: &durward_testkit::Server) {
    let contract = Contract::load().unwrap();
    let mut wire = Wire::new(server);
    for _ in 0..2 {
        let call = wire.call("/v1.Roles/List", b"");
        assert_eq!(wire.send(&call).code, "0");
    }
    for method in contract.methods() {
        let call = wire.call(&method.path, b"");
        let refused = wire.send(&call);
        assert_eq!(
            refused.code, RESOURCE_EXHAUSTED,
            "{}: {refused:?}",
            method.path
        );
        let details = String::from_utf8_lossy(&refused.details);
        assert!(
            details.contains("v1.RateLimitMetadata"),
            "{}: {details}",
            method.path
        );
    }
}
