// SPDX-License-Identifier: Apache-2.0
//! Reads and second versions of mutations over a real organization.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]
#![allow(
    clippy::needless_pass_by_value,
    reason = "variables are written in place"
)]

use std::sync::Arc;

use durward_budget::Budget;
use durward_catalog::Catalog;
use durward_graph::Snapshot;
use durward_identity::{InitOptions, OpenOptions, Organizations, PasswordCost, Presented, init};
use durward_model::{Clock, IdCipher, Instant, ManualClock};
use durward_query::Limits;
use serde_json::{Value as Json, json};

use super::JupiterOne;
use crate::CONTRACT;
use durward_graphql::context::{RequestContext, Services};
use durward_graphql::deferred::DeferredResults;
use durward_graphql::engine::Engine;

struct World {
    _folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    organizations: Organizations,
    api_key: String,
    engine: Engine<JupiterOne>,
    runtime: tokio::runtime::Runtime,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let clock = Arc::new(ManualClock::new(Instant::from_millis(1_800_000_000_000)));
        let catalog = Arc::new(Catalog::built_in().unwrap());
        let output = init(&InitOptions {
            data: data.clone(),
            master_key_file: None,
            head_file: None,
            organization: "Acme".to_owned(),
            admin_email: "admin@example.com".to_owned(),
            clock: clock.clone(),
            catalog: Arc::clone(&catalog),
            password_cost: PasswordCost::Minimal,
        });
        let open = OpenOptions {
            data,
            master_key_file: None,
            clock: clock.clone(),
            catalog,
            password_cost: PasswordCost::Minimal,
            checkpoint: false,
            budget: Budget::unlimited(),
        };
        Self {
            _folder: folder,
            clock,
            organizations: Organizations::open(&open).unwrap(),
            api_key: output.unwrap().jupiterone.api_key,
            engine: Engine::new(JupiterOne, CONTRACT, "jupiterone.graphql").unwrap(),
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .build()
                .unwrap(),
        }
    }

    fn ask(&self, token: &str, query: &str, variables: Json) -> Json {
        let header = format!("Bearer {token}");
        let presented = Presented {
            authorization: Some(&header),
            accounts: &[],
            user_agent: "test",
            source_address: "192.0.2.1",
            request_id: "r1",
        };
        let caller = self
            .organizations
            .authenticate(&presented, self.clock.now());
        let nothing = Arc::new(Snapshot::empty(IdCipher::new(&[0; 32])));
        let services = Services {
            clock: self.clock.clone(),
            deferred: Arc::new(DeferredResults::default()),
            accesses: Arc::default(),
            walks: Arc::default(),
            limits: Limits::default(),
            anonymous_introspection: false,
            nothing: nothing.view(None),
        };
        let context = RequestContext::new(
            Arc::new(services),
            caller,
            "r1".to_owned(),
            String::new(),
            Budget::unlimited().strangers().lease(),
        );
        let body = json!({"query": query, "variables": variables}).to_string();
        let reply = self
            .runtime
            .block_on(self.engine.answer(&context, body.as_bytes()));
        serde_json::from_slice(&reply.body).unwrap()
    }

    fn admin(&self, query: &str, variables: Json) -> Json {
        self.ask(&self.api_key, query, variables)
    }

    fn create(&self, key: &str, entity_type: &str, class: &str, color: &str) -> String {
        let query = "mutation($k: String!, $t: String!, $c: [String!]!, $p: JSON) { createEntity(
            entityKey: $k, entityType: $t, entityClass: $c, properties: $p) { entity { _id } } }";
        let properties = json!({"color": color});
        let answer = self.admin(
            query,
            json!({"k": key, "t": entity_type, "c": class, "p": properties}),
        );
        answer["data"]["createEntity"]["entity"]["_id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// A key that sees only what is of a colour.
    fn key_for(&self, color: &str) -> String {
        let policy = json!({"permissions": [{"effect": "ALLOW", "resources": ["*"],
            "actions": ["query:ReadGraphData"],
            "condition": {"stringEquals": {"color": color}}}]});
        let query = "mutation($t: TokenInput!) { createToken(token: $t) { token } }";
        let token = json!({"name": "k", "policy": policy.to_string()});
        let answer = self.admin(query, json!({"t": token}));
        answer["data"]["createToken"]["token"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

#[test]
fn filters_restrict_reads_and_counts() {
    let world = World::new();
    let host = world.create("host-1", "my_host", "Host", "red");
    world.create("host-2", "my_host", "Host", "blue");
    world.create("app-1", "my_app", "Application", "red");
    let counts = "{ all: entityCount(filters: {_type: [\"my_host\", \"my_app\"]})
        class: entityCount(filters: {_class: [\"Host\"]})
        key: entityCount(filters: {_key: [\"host-1\"], _type: [\"my_app\"]})
        typeCounts(filters: {_class: [\"Host\", \"Application\"]}) }";
    let expected = json!({"data": {"all": 3, "class": 2, "key": 0,
        "typeCounts": {"my_app": 1, "my_host": 2}}});
    assert_eq!(world.admin(counts, json!({})), expected);
    let red = world.ask(&world.key_for("red"), counts, json!({}));
    assert_eq!(red["data"]["class"], 1, "{red}");
    let vertex = "query($i: String!) { ours: vertex(id: $i, filters: {_class: [\"Host\"]}) { id }
        other: vertex(id: $i, filters: {_type: [\"my_app\"]}) { id }
        keyed: vertex(filters: {_key: [\"host-1\"]}) { id } }";
    let answer = world.admin(vertex, json!({"i": host}));
    assert_eq!(
        answer,
        json!({"data": {"ours": {"id": host}, "other": null, "keyed": {"id": host}}})
    );
    let hidden = world.ask(&world.key_for("blue"), vertex, json!({"i": host}));
    assert_eq!(
        hidden,
        json!({"data": {"ours": null, "other": null, "keyed": null}})
    );
    for field in ["entityCount", "vertex", "edge"] {
        let selection = if field == "entityCount" { "" } else { "{ id }" };
        let query = format!("query($p: JSON) {{ {field}(propertyFilters: $p) {selection} }}");
        let answer = world.admin(&query, json!({"p": {"color": "red"}}));
        assert_eq!(
            answer["errors"][0]["extensions"]["code"], "NOT_SUPPORTED",
            "{answer}"
        );
    }
}

#[test]
fn second_versions_take_classes_and_refuse_unknown_metadata() {
    let world = World::new();
    let host = world.create("host-1", "my_host", "Host", "red");
    let update = "mutation($e: JSON!) { updateEntityV2(entity: $e) { entity } }";
    let entity = json!({"_id": host, "_class": ["Server", "Host"], "_version": 1, "size": 3});
    let answer = world.admin(update, json!({"e": entity}));
    let written = &answer["data"]["updateEntityV2"]["entity"];
    let mut classes: Vec<&str> = written["_class"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Json::as_str)
        .collect();
    classes.sort_unstable();
    assert_eq!(
        (classes, &written["size"]),
        (vec!["Host", "Server"], &json!(3)),
        "{answer}"
    );
    let refused = world.admin(update, json!({"e": {"_id": host, "_mine": 1}}));
    assert_eq!(
        refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT",
        "{refused}"
    );
}

#[test]
fn arguments_of_keys_are_not_ignored() {
    let world = World::new();
    let create = "mutation { createToken(token: {name: \"n\"}, input: {subject: \"x\"}) { id } }";
    let refused = world.admin(create, json!({}));
    assert_eq!(
        refused["errors"][0]["extensions"]["code"], "NOT_SUPPORTED",
        "{refused}"
    );
    let refused = world.admin("{ tokens(limit: 0) { items { id } } }", json!({}));
    assert_eq!(
        refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT",
        "{refused}"
    );
}

#[test]
fn unknown_names_are_warned_of_beside_the_answer() {
    let world = World::new();
    world.create("host-1", "my_host", "Host", "red");
    let query =
        "query($q: String!, $dry: Boolean) { queryV1(query: $q, dryRun: $dry) { type data } }";
    let asked = |j1ql: &str| world.admin(query, json!({"q": j1ql}));
    let answer = asked("FIND Hst WITH colr = 'red'");
    assert_eq!(
        answer["data"]["queryV1"],
        json!({"type": "list", "data": []})
    );
    assert_eq!(
        answer["extensions"],
        json!({"warnings": [
            "unknown class \"Hst\" at line 1 column 6; did you mean \"Host\"?",
            "unknown property \"colr\" at line 1 column 15; did you mean \"color\"?",
        ]})
    );
    assert!(answer.get("errors").is_none(), "{answer}");
    let answer = asked("FIND my_host WITH color = 'red'");
    assert_eq!(
        answer["data"]["queryV1"]["data"].as_array().map(Vec::len),
        Some(1)
    );
    assert!(answer.get("extensions").is_none(), "{answer}");
    let answer = world.admin(query, json!({"q": "FIND my_hst", "dry": true}));
    assert_eq!(
        answer["extensions"]["warnings"],
        json!(["unknown type \"my_hst\" at line 1 column 6; did you mean \"my_host\"?"])
    );
    let both = "{ a: queryV1(query: \"FIND Hst\") { type } b: queryV1(query: \"FIND Hst\") { type }
        c: queryV1(query: \"FIND Hot\") { type } }";
    let answer = world.admin(both, json!({}));
    let warnings = answer["extensions"]["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 2, "each is told once: {answer}");

    // Who sees nothing of a type is warned of it as if it were not there, without a hint at it.
    let blue = world.key_for("blue");
    for (j1ql, expected) in [
        (
            "FIND my_host",
            "unknown type \"my_host\" at line 1 column 6",
        ),
        (
            "FIND my_hosts",
            "unknown type \"my_hosts\" at line 1 column 6",
        ),
        (
            "FIND * WITH color = 'red'",
            "unknown property \"color\" at line 1 column 13",
        ),
    ] {
        let answer = world.ask(&blue, query, json!({"q": j1ql}));
        let warnings = &answer["extensions"]["warnings"];
        let first = warnings[0].as_str().unwrap_or_default();
        assert!(first.starts_with(expected), "{answer}");
        assert!(!first.contains("did you mean \"my_host\""), "{answer}");
    }
    let red = world.ask(&world.key_for("red"), query, json!({"q": "FIND my_host"}));
    assert!(red.get("extensions").is_none(), "{red}");
}

#[test]
fn mistakes_in_queries_say_where_they_are_and_what_to_write() {
    let world = World::new();
    let query = "query($q: String!) { queryV1(query: $q) { type } }";
    for (j1ql, expected) in [
        ("FIND User WITH active = tru", "Did you mean \"'tru'\"?"),
        (
            "FIND * WITH tag.special-name = 1",
            "Did you mean \"[tag.special-name]\"?",
        ),
        ("FIND User AS u\n RETURN x.a", "at line 2 column 9"),
    ] {
        let answer = world.admin(query, json!({"q": j1ql}));
        let message = answer["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn whole_numbers_are_kept_exactly_or_refused() {
    let world = World::new();
    let create = |number: &str| {
        format!(
            "mutation {{ createEntity(entityKey: \"n\", entityType: \"my_host\", entityClass: \
             [\"Host\"], properties: {{n: {number}}}) {{ entity {{ _id }} }} }}"
        )
    };
    let answer = world.admin(&create("9223372036854775807"), json!({}));
    assert!(answer.get("errors").is_none(), "{answer}");
    let query = "query($q: String!, $v: JSON) { queryV1(query: $q, variables: $v) { data } }";
    let found = "FIND my_host WITH n = ${n} AS h RETURN h.n";
    let answer = world.admin(query, json!({"q": found, "v": {"n": i64::MAX}}));
    let rows = &answer["data"]["queryV1"]["data"];
    assert_eq!(*rows, json!([{"h.n": i64::MAX}]), "{answer}");
    let answer = world.admin(query, json!({"q": found, "v": {"n": i64::MAX - 1}}));
    assert_eq!(answer["data"]["queryV1"]["data"], json!([]), "{answer}");
    for number in [
        "9223372036854775808",
        "18446744073709551616",
        "[1, 9223372036854775808]",
    ] {
        let refused = world.admin(&create(number), json!({}));
        let message = refused["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(
            message.contains("send larger ones as texts"),
            "{number}: {refused}"
        );
    }
    let refused = world.admin(query, json!({"q": found, "v": {"n": u64::MAX}}));
    assert_eq!(
        refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT",
        "{refused}"
    );
}
