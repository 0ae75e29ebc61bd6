// SPDX-License-Identifier: Apache-2.0
//! Whoever is refused for want of a right stands in the audit log, once for all like it.

use std::collections::BTreeMap;

use durward_dialect_strongdm::Contract;
use durward_policy::{Action, Guard};
use durward_testkit::{Client, Server};
use serde_json::{Value, json};

use crate::common::contracts::{self, Manner};
use crate::common::{self, NATIVE, data};
use crate::wire::Wire;

/// A right that no action asks for.
const NOTHING: &str = "strongdm:testing:noperms";
const PERMISSION_DENIED: &str = "7";
/// Activity of a refusal in the journal.
const DENIED: &str = "access denied";

/// A credential of the administrator that may do nothing.
struct Powerless {
    id: String,
    public_id: String,
    secret: String,
}

fn powerless(chief: &Client, account: &Value, kind: &str) -> Powerless {
    let input = json!({"account": account, "kind": kind, "name": kind, "rights": [NOTHING]});
    let query = "mutation($input: CreateCredentialInput!) { createCredential(input: $input) { \
        secret credential { id publicId } } }";
    let made = data(chief, NATIVE, query, &json!({ "input": input }))["createCredential"].take();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Powerless {
        id: text(&made["credential"]["id"]),
        public_id: text(&made["credential"]["publicId"]),
        secret: text(&made["secret"]),
    }
}

#[test]
fn every_guarded_route_tells_of_refusals_in_the_audit_log() {
    let server = common::start();
    let chief = server.client();
    let me = data(&chief, NATIVE, "{ caller { id } }", &json!({}));
    let account = &me["caller"]["id"];
    let mut expected = BTreeMap::new();
    for (action, routes) in guarded_routes() {
        let credential = powerless(&chief, account, "api_token");
        let client = server.anonymous().with_token(&credential.secret);
        for route in &routes {
            let body = (route.method != "GET").then_some(&b"{}"[..]);
            let answer = client.send(&route.method, &route.made_up(), body).unwrap();
            assert_eq!(answer.status, 403, "{route:?}: {}", answer.body);
            let code = crate::code(route, &answer);
            let expected = match route.manner {
                Manner::Own => "forbidden",
                Manner::GraphQl | Manner::Synchronization => "FORBIDDEN",
                Manner::Cyral => PERMISSION_DENIED,
            };
            assert_eq!(code, expected, "{route:?}: {}", answer.body);
        }
        expected.insert(credential.id, sentence(&[action]));
    }
    for (actions, paths) in guarded_methods() {
        let credential = powerless(&chief, account, "strongdm_key");
        let mut wire = Wire::with_key(&server, &credential.public_id, &credential.secret);
        for path in &paths {
            let call = wire.call(path, b"");
            let refused = wire.send(&call);
            assert_eq!(refused.code, PERMISSION_DENIED, "{path}: {refused:?}");
        }
        expected.insert(credential.id, sentence(&actions));
    }
    assert!(expected.len() > 60, "only {} questions", expected.len());
    assert_eq!(told(&server), expected);
}

/// The routes of HTTP that ask for an action, by action.
fn guarded_routes() -> BTreeMap<Action, Vec<contracts::Route>> {
    let mut by_action: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for route in contracts::routes() {
        if let Guard::Action(action) = route.guard
            && !action.is_everybodys()
        {
            by_action.entry(action).or_default().push(route);
        }
    }
    by_action
}

/// The paths of StrongDM's methods that ask for actions, by these.
fn guarded_methods() -> BTreeMap<Vec<Action>, Vec<String>> {
    let mut by_actions: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for method in Contract::load().unwrap().methods() {
        if !method.actions.iter().any(|action| action.is_everybodys()) {
            let paths = by_actions.entry(method.actions.clone()).or_default();
            paths.push(method.path.clone());
        }
    }
    by_actions
}

/// Why the credential is refused what any of some actions would do.
fn sentence(actions: &[Action]) -> String {
    let mut reasons: Vec<String> = Vec::new();
    for right in actions.iter().flat_map(|action| action.rights()) {
        let reason = format!("The credential was not made for the right {right}.");
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons.join(" ")
}

/// What the audit log tells of refusals, by credential; each has one record.
fn told(server: &Server) -> BTreeMap<String, String> {
    let mut told = BTreeMap::new();
    let mut from = 1;
    loop {
        let page = server
            .client()
            .get(&format!("/audit/export?from={from}"))
            .unwrap();
        assert_eq!(page.status, 200, "{}", page.body);
        let lines: Vec<Value> = page
            .body
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        for line in lines.iter().filter(|line| line["activity"] == DENIED) {
            let text = |name: &str| line[name].as_str().unwrap().to_owned();
            let before = told.insert(text("credential"), text("detail"));
            assert!(before.is_none(), "a second record: {line}");
        }
        let Some(last) = lines.last() else {
            return told;
        };
        from = last["sequence"].as_u64().unwrap() + 1;
    }
}
