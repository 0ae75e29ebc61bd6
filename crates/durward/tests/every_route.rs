// SPDX-License-Identifier: Apache-2.0
//! What holds for every route of every contract: limits of rate and of size, and that refusals
//! stand in the audit log.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests may panic, and their support is not a public API"
)]

mod common;
#[path = "every_route/rates.rs"]
mod rates;
#[path = "every_route/refusals.rs"]
mod refusals;
#[path = "every_route/sizes.rs"]
mod sizes;
#[allow(dead_code, reason = "not all of the client is used here")]
#[path = "grpc/wire.rs"]
mod wire;

use common::contracts::{Manner, Route};
use durward_testkit::Answer;

/// The code of an error in the manner of a route: that of gRPC for Cyral's.
fn code(route: &Route, answer: &Answer) -> String {
    let json = answer.json().unwrap();
    let code = match route.manner {
        Manner::Own => &json["title"],
        Manner::GraphQl => &json["errors"][0]["extensions"]["code"],
        Manner::Synchronization => &json["error"]["code"],
        Manner::Cyral => {
            assert!(json["message"].is_string(), "{route:?}: {json}");
            &json["code"]
        }
    };
    assert!(!code.is_null(), "{route:?}: {json}");
    code.to_string().trim_matches('"').to_owned()
}

/// The status of an answer; OpenCTI's clients find that of an error within.
fn status(answer: &Answer) -> u16 {
    let within = answer.json().unwrap_or_default();
    let within = within.pointer("/errors/0/extensions/data/http_status");
    let within = within.and_then(serde_json::Value::as_u64);
    within.map_or(answer.status, |status| u16::try_from(status).unwrap())
}
