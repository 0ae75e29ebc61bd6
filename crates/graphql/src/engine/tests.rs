// SPDX-License-Identifier: Apache-2.0
//! Tests of the engine as a whole; what they share is here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests may panic"
)]

mod contracts;
mod execution;
mod guards;
mod hostile;
mod oracle;
mod requests;

use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use durward_budget::Budget;
use durward_policy::Action;
use serde_json::{Value, json};

use super::{
    Call, Dialect, Engine, FieldError, JsonMap, JsonObject, Node, Object, OperationKind, Payload,
    Reply, Request, Resolution, decode,
};

pub(super) const SDL: &str = r#"
directive @action(is: [String!]!) repeatable on OBJECT | FIELD_DEFINITION
scalar Any
scalar DateTime
interface Thing { id: ID! name: String }
interface Owner implements Thing { id: ID! name: String things(first: Int = 2): [Thing!] }
type Person implements Owner & Thing {
  id: ID! name: String age: Int height: Float tags: [String!] friend: Person boss: Person!
  things(first: Int = 3): [Thing!] colour: Colour extra: Any broken: String strict: String!
}
type Robot implements Thing { id: ID! name: String! model: String parts: [[Int]] maker: Person! }
union Either = Person | Robot
enum Colour { RED GREEN }
input Filter {
  key: [String!]!
  values: [Any!]! = ["x"]
  mode: Colour = RED
  and: [Filter!]
  limit: Int
  weight: Float
}
type Query @action(is: "graph:read") {
  person(id: ID): Person
  must: Person!
  things(first: Int): [Thing!]
  all: [Thing]
  either(kind: String!): Either
  echo(
    filter: Filter, where: Any, ids: [ID!], at: DateTime, size: Float, colour: Colour, n: Int = 7
  ): Any
  slow(name: String): String
  huge: [String!]
  raw: Any
  one: [String!]
  missing: String
  endless: [Robot]
}
type Mutation @action(is: "graph:write") { step(name: String!): Int fail: Int! }
"#;

/// A world of JSON objects; `person` and others are found by the names of the root fields.
pub(super) struct World {
    pub(super) data: Value,
    pub(super) names: bool,
}

#[derive(Default)]
pub(super) struct Caller {
    steps: AtomicUsize,
    may: Vec<Action>,
}

/// An object with a field that fails.
struct Broken(JsonObject<'static>);

impl Object<Caller> for Broken {
    fn type_name(&self) -> &'static str {
        "Person"
    }

    fn field<'a>(&'a self, call: &Call<'a, Caller>) -> Result<Node<'a, Caller>, FieldError> {
        match call.name() {
            "broken" | "strict" => {
                Err(FieldError::new("BROKEN", "it broke").with_data(json!({"why": "test"})))
            }
            _ => self.0.field(call),
        }
    }
}

impl Dialect for World {
    type Context = Caller;

    fn require(&self, _: &Caller, _: &[Action]) -> Result<(), FieldError> {
        Ok(())
    }

    fn resolve_root<'a>(
        &'a self,
        kind: OperationKind,
        call: Call<'a, Caller>,
    ) -> Resolution<'a, Caller> {
        if kind == OperationKind::Mutation {
            return Resolution::later(async move {
                sleep_a_turn().await;
                match call.name() {
                    "step" => {
                        let step = call.context.steps.fetch_add(1, Ordering::SeqCst);
                        Ok(Node::Int(step as i64))
                    }
                    _ => Err(FieldError::new("BROKEN", "it broke")),
                }
            });
        }
        Resolution::ready(match call.name() {
            "echo" => Ok(Node::json(Value::Object(call.arguments.clone()))),
            "slow" => {
                return Resolution::later(async move {
                    let turns = call.text_argument("name").map_or(1, str::len);
                    for _ in 0..turns {
                        sleep_a_turn().await;
                    }
                    let order = call.context.steps.fetch_add(1, Ordering::SeqCst);
                    Ok(Node::text(format!("{order}")))
                });
            }
            "things" => match self.data["things"].as_array() {
                Some(items) => Ok(Node::lazy(items.iter().map(Node::json_ref))),
                None => Ok(Node::Null),
            },
            "endless" => Ok(Node::lazy(std::iter::repeat_with(|| {
                Node::failed(FieldError::new("BROKEN", "it broke"))
            }))),
            "raw" => Ok(Node::Raw(Cow::Borrowed(br#"{"a":[1,2]}"#))),
            "huge" => Ok(Node::list((0..70).map(|_| Node::text("x".repeat(1 << 20))))),
            "missing" => Err(FieldError::unsupported("missing")),
            "either" => Ok(self.member(call.text_argument("kind").unwrap())),
            "person" if call.text_argument("id") == Some("broken") => {
                let members = self.data["person"].as_object().unwrap().clone();
                Ok(Node::object(Broken(JsonObject::new("Person", members))))
            }
            name => Ok(self.member(name)),
        })
    }

    fn finish_error(&self, error: &mut FieldError) {
        if self.names {
            error.name.get_or_insert_with(|| error.code.clone());
        }
    }
}

impl World {
    fn member(&self, name: &str) -> Node<'_, Caller> {
        self.data.get(name).map_or(Node::Null, Node::json_ref)
    }
}

/// Gives way once.
async fn sleep_a_turn() {
    let mut slept = false;
    poll_fn(|task| {
        if slept {
            return Poll::Ready(());
        }
        slept = true;
        task.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut task = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut task) {
            return output;
        }
    }
}

pub(super) fn world() -> Value {
    json!({
        "person": {
            "__typename": "Person", "id": 1, "name": "Ada \"the\" first\n", "age": 36,
            "height": 1, "tags": "bare", "colour": "RED", "extra": {"x": [1, null, "y"]},
            "friend": {"id": "2", "name": null, "height": 1.5, "tags": ["a", "b"],
                       "boss": {"id": "9", "boss": {"id": "10", "boss": null}}},
            "boss": {"id": "9", "name": "Bo"},
            "things": [
                {"__typename": "Person", "id": "3", "name": "C", "age": 3},
                {"__typename": "Robot", "id": "4", "name": "R2", "parts": [[1, 2], null, [3]]}
            ],
        },
        "must": null,
        "things": [
            {"__typename": "Person", "id": "3", "name": "C"},
            {"__typename": "Person", "id": "5", "name": "D"},
            {"__typename": "Robot", "id": "4", "name": "R2", "model": "x", "maker": {"id": "1"}},
        ],
        "all": [
            {"__typename": "Robot", "id": "4", "name": "R2", "maker": null},
            null,
            {"__typename": "Robot", "id": "5", "name": "R3", "maker": {"id": "1"}},
            {"__typename": "Nothing", "id": "6"},
        ],
        "robot": {"__typename": "Robot", "id": "4", "name": "R2", "model": "x"},
        "one": "bare",
    })
}

pub(super) fn engine() -> Engine<World> {
    let world = World {
        data: world(),
        names: false,
    };
    Engine::new(world, SDL, "test.graphql").unwrap()
}

#[allow(clippy::needless_pass_by_value, reason = "short calls")]
pub(super) fn request(query: &str, variables: Value) -> Request {
    let body = json!({"query": query, "variables": variables}).to_string();
    match decode(body.as_bytes(), &Budget::unlimited().strangers().lease()) {
        Ok(Payload::One(request)) => request,
        other => panic!("{other:?}"),
    }
}

/// The answer as JSON.
pub(super) fn run<D: Dialect<Context = Caller>>(
    engine: &Engine<D>,
    query: &str,
    variables: Value,
) -> Value {
    run_as(engine, &Caller::default(), query, variables)
}

pub(super) fn run_as<D: Dialect<Context = Caller>>(
    engine: &Engine<D>,
    caller: &Caller,
    query: &str,
    variables: Value,
) -> Value {
    let response = block_on(engine.execute(caller, request(query, variables)));
    serde_json::from_slice(&response.body).unwrap()
}

pub(super) fn ask(query: &str, variables: Value) -> Value {
    run(&engine(), query, variables)
}

pub(super) fn send(engine: &Engine<World>, body: &[u8]) -> Reply {
    block_on(engine.answer(&Caller::default(), body))
}

pub(super) fn code_of(answer: &Value) -> &str {
    assert!(answer.get("data").is_none(), "{answer}");
    answer["errors"][0]["extensions"]["code"].as_str().unwrap()
}

/// The texts of the numbers below `count`, one after another.
pub(super) fn numbered(count: u32, text: impl Fn(u32) -> String) -> String {
    (0..count).map(text).collect()
}

/// What a server needs of the engine.
fn is_send<T: Send>(value: T) -> T {
    value
}

#[test]
fn answers_can_move_between_threads() {
    let engine = engine();
    let caller = Caller::default();
    let reply = block_on(is_send(engine.answer(&caller, br#"{"query":"{ raw }"}"#)));
    assert_eq!(reply.body, br#"{"data":{"raw":{"a":[1,2]}}}"#);
}

#[test]
fn json_maps_serve_as_objects_of_a_named_type() {
    let members: JsonMap = serde_json::from_value(json!({"id": "1"})).unwrap();
    let object = JsonObject::new("Person", members);
    assert_eq!(Object::<Caller>::type_name(&object), "Person");
}
