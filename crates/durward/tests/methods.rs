// SPDX-License-Identifier: Apache-2.0
//! Every StrongDM method, asked by those who must not get anything: a key of the organization that
//! has no right to it, and the administrator of another organization with ids of the first.
//!
//! `methods/methods.tsv` says what each answers. A new method fails this test until it has a row.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    dead_code,
    reason = "tests may panic, and their support is not a public API"
)]

mod common;
#[path = "methods/messages.rs"]
mod messages;
#[path = "authorization/table.rs"]
mod table;
#[path = "grpc/wire.rs"]
mod wire;

use std::collections::BTreeMap;

use durward_dialect_strongdm::Contract;
use messages::{Ids, MARK};
use serde_json::{Value, json};
use wire::Wire;

const TABLE: &str = include_str!("methods/methods.tsv");
const PERMISSION_DENIED: &str = "7";
/// A right that nothing here asks for.
const NOTHING: &str = "strongdm:testing:noperms";

/// A key of the first organization's administrator that may do nothing.
fn powerless(server: &durward_testkit::Server) -> (String, String) {
    let chief = server.client();
    let me = common::data(&chief, common::NATIVE, "{ caller { id } }", &json!({}));
    let input = json!({
        "account": me["caller"]["id"], "kind": "strongdm_key", "name": "powerless",
        "rights": [NOTHING],
    });
    let query = "mutation($input: CreateCredentialInput!) { createCredential(input: $input) { \
        secret credential { publicId } } }";
    let made = common::data(&chief, common::NATIVE, query, &json!({ "input": input }));
    let made = &made["createCredential"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made["credential"]["publicId"]), text(&made["secret"]))
}

#[test]
fn no_method_gives_what_is_not_the_callers() {
    let mut server = common::start();
    let second = common::second_organization(&mut server, "Elsewhere");
    let contract = Contract::load().unwrap();
    let mut chief = Wire::new(&server);
    let ids = Ids::make(&contract, &mut chief);
    let (access_key, secret) = powerless(&server);
    let mut powerless = Wire::with_key(&server, &access_key, &secret);
    let (access_key, secret) = second.strongdm();
    let mut foreign = Wire::with_key(&server, access_key, secret);
    let before = ids.state(&contract, &mut chief);
    let mut got: table::Rows = BTreeMap::new();
    for method in contract.methods() {
        let message = ids.request(method);
        let mut answers = Vec::new();
        for caller in [&mut powerless, &mut foreign] {
            let call = caller.call(&method.path, &message);
            let answer = caller.send(&call);
            assert_eq!(answer.http_status, 200, "{}: {answer:?}", method.path);
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            let said = format!("{}{body}", answer.message);
            assert!(!said.contains(MARK), "{} shows {said}", method.path);
            answers.push(answer.code);
        }
        got.insert(vec![method.signed_name.clone()], answers);
    }
    table::compare("methods/methods.tsv", &table::read(TABLE, 1), &got);
    for (method, answers) in &got {
        assert_eq!(
            answers[0], PERMISSION_DENIED,
            "{method:?} lets a powerless key through: {answers:?}"
        );
    }
    assert_eq!(
        ids.state(&contract, &mut chief),
        before,
        "a stranger changed something"
    );
    let verified = common::ok(server.client().get("/audit/verify").unwrap());
    assert_eq!(verified["sound"], true, "{verified}");
}
