// SPDX-License-Identifier: Apache-2.0
//! What each fuzz target does with foreign bytes. The seeds are replayed by a plain test
//! (`crates/durward/tests/seeds.rs`), which includes this file too.
#![allow(dead_code, reason = "each fuzz target uses one of these functions")]

use durward_graphql::engine::{Call, Dialect, Engine, FieldError, Node, OperationKind, Resolution};
use durward_policy::Action;
use serde_json::{Value, json};

/// A query text is read or refused; what is read prints as a text that reads as the same.
pub(crate) fn j1ql(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(query) = durward_query::j1ql::parse(text) else {
        return;
    };
    let printed = query.to_string();
    match durward_query::j1ql::parse(&printed) {
        Ok(again) => assert_eq!(query, again, "{text:?} was printed as {printed:?}"),
        // The canonical text may be longer than any text that is accepted.
        Err(error) => {
            let too_long = printed.len() > durward_query::j1ql::QUERY_BYTES_MAX;
            assert!(too_long, "{text:?} was printed as {printed:?}: {error}");
        }
    }
}

/// A filter of StrongDM is read or refused; what is read prints as a text that reads as the same.
pub(crate) fn strongdm_filter(bytes: &[u8]) {
    use durward_dialect_strongdm::filter::{FILTER_BYTES_MAX, Filter};
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let filter = match Filter::parse(text) {
        Ok(filter) => filter,
        Err(error) => {
            assert!(!error.to_string().is_empty(), "no reason for {text:?}");
            return;
        }
    };
    let printed = filter.to_string();
    match Filter::parse(&printed) {
        Ok(again) => assert_eq!(filter, again, "{text:?} was printed as {printed:?}"),
        // Quotes and escapes may make it longer than any text that is accepted.
        Err(error) => assert!(
            printed.len() > FILTER_BYTES_MAX,
            "{text:?} was printed as {printed:?}: {error}"
        ),
    }
}

/// A policy is read and judged, or refused with a reason and a place in the text.
pub(crate) fn cedar_policy(bytes: &[u8]) {
    use durward_policy::{
        CedarContext, CedarName, CedarPolicy, CedarPrincipal, CedarRequest, CedarResource,
        NamedPolicy, PolicySet,
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let policy = match CedarPolicy::parse(text) {
        Ok(policy) => policy,
        Err(error) => {
            assert!(!error.reason.is_empty(), "no reason for {text:?}");
            let lines = text.matches('\n').count() + 1;
            assert!(error.line <= lines, "{error} of {text:?}");
            return;
        }
    };
    let Some(action) = CedarName::connect() else {
        unreachable!("the name of the action is a name");
    };
    let set = PolicySet::compile([NamedPolicy {
        id: durward_model::ObjectId(1),
        name: "fuzz".into(),
        policy: policy.into(),
    }]);
    let verdict = set.decide(&CedarRequest {
        principal: &CedarPrincipal::default(),
        action: &action,
        resource: &CedarResource::default(),
        context: CedarContext {
            now: durward_model::Instant::from_millis(0),
            source_address: None,
        },
    });
    assert!(verdict.forbidden_by.len() <= set.statement_count());
}

/// A bundle is refused as a whole, or each of its objects is read or named as broken.
pub(crate) fn stix_bundle(bytes: &[u8]) {
    let Ok(bundle) = durward_intel::parse_bundle(bytes) else {
        return;
    };
    for rejected in &bundle.rejected {
        assert!(
            !rejected.reason.is_empty(),
            "no reason at position {}",
            rejected.position
        );
    }
}

/// Bytes in the place of a journal record end with an answer.
pub(crate) fn journal_record(bytes: &[u8]) {
    drop(durward_journal::codec::decode_foreign_bytes(bytes));
}

/// An upload body, or lines of an import, become a part of which every row can be read, or are
/// refused with a reason.
pub(crate) fn upload_body(bytes: &[u8]) {
    use durward_graph::bulk::{BodyKind, ItemRules, read_body, read_lines};
    let Ok(catalog) = durward_catalog::Catalog::built_in() else {
        unreachable!("the built-in catalog is valid");
    };
    for patch in [false, true] {
        let rules = ItemRules {
            catalog: &catalog,
            patch,
            ignore_illegal_properties: patch,
        };
        for part in [
            read_body(bytes, BodyKind::Upload, rules),
            read_lines(bytes, rules),
        ] {
            match part {
                Ok(part) => {
                    for group in &part.entities.groups {
                        let rows = group.keys.len();
                        assert!(
                            group
                                .columns
                                .iter()
                                .all(|column| column.values.len() == rows)
                        );
                    }
                    for group in &part.relationships.groups {
                        assert_eq!(group.from.len(), group.to.len());
                        let rows = group.from.len();
                        assert!(
                            group
                                .columns
                                .iter()
                                .all(|column| column.values.len() == rows)
                        );
                    }
                }
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
}

/// Whatever the body, the answer is JSON, and it says rightly whether it holds errors.
pub(crate) fn graphql_body(bytes: &[u8]) {
    thread_local! {
        static ENGINE: Engine<Leaves> = match Engine::new(Leaves, CONTRACT, "fuzz.graphql") {
            Ok(engine) => engine,
            Err(_) => unreachable!("the contract of the fuzz target is valid"),
        };
    }
    ENGINE.with(|engine| {
        let reply = block_on(engine.answer(&(), bytes));
        let parsed: Result<Value, _> = serde_json::from_slice(&reply.body);
        let Ok(answer) = parsed else {
            unreachable!("not JSON: {}", String::from_utf8_lossy(&reply.body));
        };
        let answers = match &answer {
            Value::Array(answers) => answers.as_slice(),
            single => std::slice::from_ref(single),
        };
        let has_errors = answers.iter().any(|answer| answer.get("errors").is_some());
        assert_eq!(has_errors, reply.has_errors, "{answer}");
    });
}

/// A path, a line feed and the body of a gRPC call: it is accepted, or refused with a reason.
pub(crate) fn grpc_call(bytes: &[u8]) {
    thread_local! {
        static CONTRACT: durward_dialect_strongdm::Contract =
            match durward_dialect_strongdm::Contract::load() {
                Ok(contract) => contract,
                Err(error) => unreachable!("the built-in contract is valid: {error}"),
            };
    }
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let Some((path, body)) = end.and_then(|end| bytes.split_at_checked(end)) else {
        return;
    };
    let (Ok(path), Some(body)) = (std::str::from_utf8(path), body.get(1..)) else {
        return;
    };
    CONTRACT.with(|contract| {
        let accepted = durward_dialect_strongdm::accept_foreign_bytes(contract, path, body);
        if let Err(status) = accepted {
            use durward_dialect_strongdm::Code;
            assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
            assert!(!status.message().is_empty());
        }
    });
}

/// A contract with everything that can go wrong: lists, inputs, enums, unions, recursion.
const CONTRACT: &str = r#"
    directive @action(is: [String!]!) repeatable on OBJECT | FIELD_DEFINITION
    scalar JSON
    enum Order { asc desc }
    input Group { mode: Order!, keys: [String!]!, groups: [Group!], any: JSON }
    interface Thing { id: ID! self: Thing }
    type Leaf implements Thing {
        id: ID! self: Thing value: JSON number: Int ratio: Float on: Boolean
    }
    type Tree implements Thing { id: ID! self: Thing leaves(first: Int = 2): [Leaf!]! }
    union Any = Leaf | Tree
    type Query @action(is: "graph:read") {
        thing(id: ID!, group: Group, order: Order = asc): Thing, any: [Any], leaf: Leaf!
    }
    type Mutation @action(is: "graph:write") { put(input: Group!): Leaf }
"#;

/// Answers every field that gives a leaf; all others fail.
struct Leaves;

impl Dialect for Leaves {
    type Context = ();

    fn require(&self, (): &(), _: &[Action]) -> Result<(), FieldError> {
        Ok(())
    }

    fn resolve_root<'a>(&'a self, _kind: OperationKind, call: Call<'a, ()>) -> Resolution<'a, ()> {
        let leaf = json!({"id": "1", "value": {"a": [1, null]}, "number": 7, "ratio": 0.5});
        Resolution::ready(match call.name() {
            "leaf" | "put" => Ok(Node::json(leaf)),
            other => Err(FieldError::unsupported(other)),
        })
    }
}

/// The targets never wait for anything outside.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
    }
}
