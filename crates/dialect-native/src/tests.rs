// SPDX-License-Identifier: Apache-2.0
//! The native dialect over a real organization: reads at instants, row conditions, commands.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]
#![allow(
    clippy::needless_pass_by_value,
    reason = "variables are written in place"
)]

mod commands;
mod past;
mod reads;

use std::sync::Arc;

use durward_budget::Budget;
use durward_catalog::Catalog;
use durward_graph::Snapshot;
use durward_graph::store::{Draft, Operation, Privilege, PutMode, Target};
use durward_identity::{
    Caller, InitOptions, InitOutput, OpenOptions, Organizations, PasswordCost, Presented, init,
};
use durward_model::{Clock, IdCipher, Instant, ManualClock, Namespace, Value};
use durward_query::Limits;
use serde_json::{Value as Json, json};

use super::Native;
use crate::CONTRACT;
use durward_graphql::context::{RequestContext, Services};
use durward_graphql::deferred::DeferredResults;
use durward_graphql::engine::{Engine, OperationKind};

const START: Instant = Instant::from_millis(1_800_000_000_000);

/// An organization, asked through the whole engine.
struct World {
    _folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    organizations: Organizations,
    output: InitOutput,
    engine: Engine<Native>,
    runtime: tokio::runtime::Runtime,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let clock = Arc::new(ManualClock::new(START));
        let catalog = Arc::new(Catalog::built_in().unwrap());
        let options = InitOptions {
            data: data.clone(),
            master_key_file: None,
            head_file: None,
            organization: "Acme".to_owned(),
            admin_email: "admin@example.com".to_owned(),
            clock: clock.clone(),
            catalog: Arc::clone(&catalog),
            password_cost: PasswordCost::Minimal,
        };
        let output = init(&options).unwrap();
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
            output,
            engine: Engine::new(Native, CONTRACT, "durward.graphql").unwrap(),
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .build()
                .unwrap(),
        }
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance_micros(seconds * 1_000_000);
    }

    fn caller(&self, token: &str) -> Caller {
        let header = format!("Bearer {token}");
        let presented = Presented {
            authorization: Some(&header),
            accounts: &[],
            user_agent: "test",
            source_address: "192.0.2.1",
            request_id: "r1",
        };
        self.organizations
            .authenticate(&presented, self.clock.now())
            .unwrap()
    }

    fn admin(&self) -> Caller {
        self.caller(&self.output.api_token)
    }

    fn context(&self, caller: Caller) -> RequestContext {
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
        RequestContext::new(
            Arc::new(services),
            Ok(caller),
            "r1".to_owned(),
            String::new(),
            Budget::unlimited().strangers().lease(),
        )
    }

    /// The whole answer.
    fn answer(&self, token: &str, query: &str, variables: Json) -> Json {
        let context = self.context(self.caller(token));
        let body = json!({"query": query, "variables": variables}).to_string();
        let reply = self
            .runtime
            .block_on(self.engine.answer(&context, body.as_bytes()));
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// The data of the administrator's answer, which must have no errors.
    #[track_caller]
    fn ask(&self, query: &str, variables: Json) -> Json {
        self.ask_as(&self.output.api_token, query, variables)
    }

    #[track_caller]
    fn ask_as(&self, token: &str, query: &str, variables: Json) -> Json {
        let mut answer = self.answer(token, query, variables);
        assert!(answer.get("errors").is_none(), "{query}: {answer}");
        answer["data"].take()
    }

    /// The code of the first error.
    #[track_caller]
    fn code(&self, token: &str, query: &str, variables: Json) -> String {
        let answer = self.answer(token, query, variables);
        let code = answer["errors"][0]["extensions"]["code"].as_str();
        code.unwrap_or_else(|| panic!("{query}: {answer}"))
            .to_owned()
    }

    /// Writes to the graph as the administrator; returns when it was committed.
    fn write(&self, operations: Vec<Operation>) -> Instant {
        self.pass(60);
        let caller = self.admin();
        let draft = Draft {
            origin: caller.origin("test data written"),
            idempotency_key: String::new(),
            privilege: Privilege::Generic,
            operations,
        };
        caller
            .organization()
            .store()
            .submit(draft)
            .unwrap()
            .committed_at
    }

    /// Two people and a host of each. Ann is in Berlin, Bob in Oslo.
    fn people(&self) -> Instant {
        let host = |key: &str, city: &str| put(key, "host", "Host", &[("city", city.into())]);
        self.write(vec![
            put(
                "ann",
                "person",
                "User",
                &[("city", "Berlin".into()), ("age", 30.into())],
            ),
            put(
                "bob",
                "person",
                "User",
                &[("city", "Oslo".into()), ("age", Value::Float(1.5))],
            ),
            host("host-ann", "Berlin"),
            host("host-bob", "Oslo"),
            relate("ann", "OWNS", "host-ann"),
            relate("bob", "OWNS", "host-bob"),
            relate("ann", "USES", "host-bob"),
        ])
    }

    /// A key that sees what is in Berlin only.
    fn berlin_key(&self) -> String {
        let policy = json!({"permissions": [{
            "effect": "ALLOW", "actions": ["query:ReadGraphData"],
            "resources": ["*"], "condition": {"stringEquals": {"city": ["Berlin"]}},
        }]});
        let answer = self.ask(
            "mutation($policy: JSON) {
               createApiKey(input: {name: \"berlin\", policy: $policy}) { secret } }",
            json!({"policy": policy}),
        );
        answer["createApiKey"]["secret"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

fn space() -> Namespace {
    Namespace::new("test", "")
}

fn put(key: &str, entity_type: &str, class: &str, properties: &[(&str, Value)]) -> Operation {
    let named = properties
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    Operation::PutEntity {
        entity_type: entity_type.to_owned(),
        classes: Some(vec![class.to_owned()]),
        namespace: space(),
        key: key.to_owned(),
        properties: named.collect(),
        aliases: Vec::new(),
        mode: PutMode::Upsert,
    }
}

fn relate(from: &str, verb: &str, to: &str) -> Operation {
    Operation::PutRelationship {
        from: Target::Key(space(), from.to_owned()),
        verb: verb.to_owned(),
        to: Target::Key(space(), to.to_owned()),
        relationship_type: format!("person_{}_host", verb.to_lowercase()),
        namespace: space(),
        key: None,
        properties: Vec::new(),
        mode: PutMode::Upsert,
    }
}

#[test]
fn executed_fields_are_sorted_and_are_the_whole_contract() {
    assert!(super::EXECUTED.is_sorted());
    let world = World::new();
    let schema = world.engine.schema();
    let mut roots = schema.root_fields(OperationKind::Query);
    roots.extend(schema.root_fields(OperationKind::Mutation));
    roots.sort_unstable();
    assert_eq!(roots, super::EXECUTED);
}
