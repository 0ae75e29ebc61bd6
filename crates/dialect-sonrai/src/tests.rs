// SPDX-License-Identifier: Apache-2.0
//! The dialect over a real organization that holds the sample cloud files.
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

mod lists;
mod tokens;

use std::path::Path;
use std::sync::Arc;

use durward_budget::Budget;
use durward_catalog::Catalog;
use durward_cloud::aws::AwsImport;
use durward_graph::Snapshot;
use durward_graph::store::{Draft, Operation, Privilege, PutMode, Target};
use durward_identity::{
    Caller, CredentialKind, InitOptions, InitOutput, NewCredential, OpenOptions, Organizations,
    PasswordCost, Presented, init,
};
use durward_model::{Clock, IdCipher, Instant, ManualClock, Namespace};
use durward_query::Limits;
use serde_json::{Value as Json, json};

use super::Sonrai;
use crate::CONTRACT;
use durward_graphql::context::{RequestContext, Services};
use durward_graphql::deferred::DeferredResults;
use durward_graphql::engine::{Engine, OperationKind};

/// 2027-01-15T08:00:00Z
const START: Instant = Instant::from_millis(1_800_000_000_000);

/// An organization, asked through the whole engine.
struct World {
    _folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    organizations: Organizations,
    output: InitOutput,
    engine: Engine<Sonrai>,
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
            organization: "Harbour".to_owned(),
            admin_email: "chief@harbour.example".to_owned(),
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
            engine: Engine::new(Sonrai, CONTRACT, "sonrai.graphql").unwrap(),
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .build()
                .unwrap(),
        }
    }

    /// With the cloud files of `samples/aws`.
    fn with_cloud() -> Self {
        let world = Self::new();
        let mut import = AwsImport::new();
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/aws");
        for folder in std::fs::read_dir(samples).unwrap() {
            let folder = folder.unwrap().path();
            if !folder.is_dir() {
                continue;
            }
            for file in std::fs::read_dir(folder).unwrap() {
                let path = file.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                import
                    .add_file(&name, &std::fs::read(path).unwrap())
                    .unwrap();
            }
        }
        let records = import.finish().unwrap();
        let entities = records
            .entities
            .into_iter()
            .map(|record| Operation::PutEntity {
                entity_type: record.entity_type,
                classes: Some(record.classes),
                namespace: space(),
                key: record.key,
                properties: record.properties,
                aliases: Vec::new(),
                mode: PutMode::Upsert,
            });
        let relationships =
            records
                .relationships
                .into_iter()
                .map(|record| Operation::PutRelationship {
                    from: Target::Key(space(), record.from_key),
                    verb: record.verb,
                    to: Target::Key(space(), record.to_key),
                    relationship_type: record.relationship_type,
                    namespace: space(),
                    key: None,
                    properties: record.properties,
                    mode: PutMode::Upsert,
                });
        world.write(entities.chain(relationships).collect());
        world
    }

    fn write(&self, operations: Vec<Operation>) {
        let caller = self.caller(&self.output.api_token);
        let draft = Draft {
            origin: caller.origin("test data written"),
            idempotency_key: String::new(),
            privilege: Privilege::Generic,
            operations,
        };
        caller.organization().store().submit(draft).unwrap();
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

    fn token(&self) -> String {
        self.output.sonrai.token.clone()
    }

    fn answer(&self, token: &str, query: &str, variables: Json) -> Json {
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
            Ok(self.caller(token)),
            "r1".to_owned(),
            String::new(),
            Budget::unlimited().strangers().lease(),
        );
        let body = json!({"query": query, "variables": variables}).to_string();
        let answered = self.engine.answer(&context, body.as_bytes());
        let reply = self.runtime.block_on(answered);
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// The data of an answer, which must have no errors.
    #[track_caller]
    fn ask_as(&self, token: &str, query: &str, variables: Json) -> Json {
        let mut answer = self.answer(token, query, variables);
        assert!(answer.get("errors").is_none(), "{query}: {answer}");
        answer["data"].take()
    }

    #[track_caller]
    fn ask(&self, query: &str, variables: Json) -> Json {
        self.ask_as(&self.token(), query, variables)
    }

    /// Code and message of the first error.
    #[track_caller]
    fn refused_as(&self, token: &str, query: &str, variables: Json) -> (String, String) {
        let answer = self.answer(token, query, variables);
        let error = &answer["errors"][0];
        let text = |json: &Json| {
            let text = json.as_str();
            text.unwrap_or_else(|| panic!("{query}: {answer}"))
                .to_owned()
        };
        (text(&error["extensions"]["code"]), text(&error["message"]))
    }

    #[track_caller]
    fn refused(&self, query: &str) -> (String, String) {
        self.refused_as(&self.token(), query, json!({}))
    }

    /// A key with a policy of its own.
    fn key(&self, policy: Json) -> String {
        let caller = self.caller(&self.output.api_token);
        let kind = CredentialKind::JupiteroneApiKey;
        let new = NewCredential {
            policy: Some(policy.to_string()),
            ..NewCredential::own(&caller, kind, "narrow").unwrap()
        };
        let issued = caller.organization().create_credential(&caller, new);
        let issued = issued.unwrap();
        issued.secret.expose().clone()
    }
}

fn space() -> Namespace {
    Namespace::new("test", "aws")
}

/// One value of each item of a list.
fn values(list: &Json, field: &str) -> Vec<String> {
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| item[field].as_str().unwrap_or("null").to_owned())
        .collect()
}

#[test]
fn executed_fields_are_sorted_and_in_the_contract() {
    assert!(super::EXECUTED.is_sorted());
    let world = World::new();
    let schema = world.engine.schema();
    let mut roots = schema.root_fields(OperationKind::Query);
    roots.extend(schema.root_fields(OperationKind::Mutation));
    assert_eq!(roots.len(), 74);
    for field in super::EXECUTED {
        assert!(roots.contains(field), "{field}");
    }
}

#[test]
fn what_is_not_built_says_so() {
    let world = World::new();
    for query in [
        "{ Tickets(where: {severityNumeric: {op: GT, value: 5}}) { count } }",
        "{ ThirdParties(where: {scope: {value: \"aws/r-1\"}}) { items { thirdPartyId } } }",
        "mutation { setImportance(srn: \"srn:x\", importance: 3) { srn } }",
        "{ ExecuteSavedQuery { Query(name: \"mine\") } }",
    ] {
        let (code, message) = world.refused(query);
        assert_eq!(code, "NOT_SUPPORTED", "{query}");
        assert!(message.ends_with("is not supported"), "{message}");
    }
}
