// SPDX-License-Identifier: Apache-2.0
//! What the executor does beyond, or otherwise than, the compiler's own.

use durward_policy::Action;
use serde_json::json;

use super::super::execute::Work;
use super::super::limits::FIELD_ERRORS_MAX;
use super::super::{Call, Dialect, FieldError, Node, Object, OperationKind, Resolution};
use super::{Caller, World, ask, block_on, engine, request, run, send, world};

#[test]
fn keys_stand_in_the_order_of_the_document() {
    let reply = send(&engine(), br#"{"query":"{ one person { name id } raw }"}"#);
    let expected = r#"{"data":{"one":["bare"],"person":{"name":"Ada \"the\" first\n","id":"1"},"raw":{"a":[1,2]}}}"#;
    assert_eq!(String::from_utf8(reply.body).unwrap(), expected);
    assert!(!reply.has_errors);
}

#[test]
fn errors_carry_code_data_place_and_the_name_where_asked() {
    let answer = ask("{\n  person(id: \"broken\") { id broken }\n}", json!({}));
    assert_eq!(
        answer["data"],
        json!({"person": {"id": "1", "broken": null}})
    );
    assert_eq!(
        answer["errors"],
        json!([{
            "message": "it broke",
            "locations": [{"line": 2, "column": 29}],
            "path": ["person", "broken"],
            "extensions": {"code": "BROKEN", "data": {"why": "test"}},
        }])
    );
    let named = super::super::Engine::new(
        World {
            data: world(),
            names: true,
        },
        super::SDL,
        "test.graphql",
    );
    let answer = run(&named.unwrap(), "{ missing }", json!({}));
    assert_eq!(answer["errors"][0]["name"], "NOT_SUPPORTED");
    let answer = ask("{ person(id: \"broken\") { id strict } one }", json!({}));
    assert_eq!(answer["data"], json!({"person": null, "one": ["bare"]}));
}

#[test]
fn mutations_run_in_order_and_stop_when_null_takes_all() {
    let answer = ask(
        "mutation { a: step(name: \"x\") b: step(name: \"y\") c: step(name: \"z\") }",
        json!({}),
    );
    assert_eq!(answer, json!({"data": {"a": 0, "b": 1, "c": 2}}));
    let caller = Caller::default();
    let query = "mutation { a: step(name: \"x\") fail b: step(name: \"y\") }";
    let response = block_on(engine().execute(&caller, request(query, json!({}))));
    let text = String::from_utf8(response.body).unwrap();
    assert!(
        text.starts_with(r#"{"data":null,"errors":[{"message":"it broke""#),
        "{text}"
    );
    assert_eq!(response.first_code.as_deref(), Some("BROKEN"));
    assert_eq!(caller.steps.into_inner(), 1);
}

#[test]
fn the_root_fields_of_a_query_are_answered_one_after_another() {
    let answer = ask(
        "{ a: slow(name: \"long\") b: slow(name: \"x\") }",
        json!({}),
    );
    assert_eq!(answer, json!({"data": {"a": "0", "b": "1"}}));
}

#[test]
fn numbers_become_texts_and_single_values_lists() {
    let mut data = world();
    data["person"]["name"] = json!(12.5);
    data["person"]["age"] = json!(36.0);
    data["person"]["tags"] = json!(true);
    let engine = super::super::Engine::new(World { data, names: false }, super::SDL, "t").unwrap();
    let answer = run(&engine, "{ person { name age tags height } }", json!({}));
    let expected = json!({"name": "12.5", "age": 36, "tags": ["true"], "height": 1});
    assert_eq!(answer["data"]["person"], expected);
}

#[test]
fn values_that_do_not_fit_are_errors_of_their_field() {
    let mut data = world();
    data["person"]["age"] = json!(3_000_000_000_u64);
    data["person"]["colour"] = json!("BLUE");
    data["person"]["friend"] = json!("no object");
    data["person"]["height"] = json!("tall");
    let engine = super::super::Engine::new(World { data, names: false }, super::SDL, "t").unwrap();
    let answer = run(
        &engine,
        "{ person { id age colour friend { id } height } }",
        json!({}),
    );
    let expected = json!({"id": "1", "age": null, "colour": null, "friend": null, "height": null});
    assert_eq!(answer["data"]["person"], expected);
    assert_eq!(answer["errors"].as_array().unwrap().len(), 4);
}

#[test]
fn a_flood_of_errors_is_counted_not_listed() {
    let mut data = world();
    let item = json!({"__typename": "Robot", "id": "4", "name": null});
    data["all"] = json!(vec![item; 500]);
    let engine = super::super::Engine::new(World { data, names: false }, super::SDL, "t").unwrap();
    let answer = run(&engine, "{ all { name } }", json!({}));
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!(errors.len(), FIELD_ERRORS_MAX);
    assert_eq!(
        errors.last().unwrap()["message"],
        "401 further errors are left out"
    );
    assert_eq!(answer["data"]["all"].as_array().unwrap().len(), 500);
}

#[test]
fn an_item_can_fail_alone() {
    let items: Vec<Node<'_, Caller>> = vec![
        Node::Int(1),
        Node::failed(FieldError::new("X", "x")),
        Node::Null,
    ];
    assert_eq!(format!("{items:?}"), "[Int(1), Failed(X: x), Null]");
}

#[test]
fn an_answer_has_a_largest_size_and_number_of_steps() {
    let refused = |query: &str, budget: Work| {
        let caller = Caller::default();
        let engine = engine();
        let response = engine.execute_within(&caller, request(query, json!({})), budget);
        let response = block_on(response);
        assert_eq!(response.first_code.as_deref(), Some("ANSWER_TOO_LARGE"));
        assert!(response.body.len() < 200);
    };
    let few_bytes = Work {
        bytes: 5 << 20,
        ..Work::default()
    };
    refused("{ huge }", few_bytes);
    // What null wipes out again counts too.
    let few_steps = Work {
        steps: 5_000,
        ..Work::default()
    };
    refused("{ endless { name } }", few_steps);
}

#[test]
fn introspection_alone_and_beside_ordinary_fields() {
    let engine = engine();
    let query = include_str!("introspection.graphql");
    let answer = run(&engine, query, json!({}));
    let types = answer["data"]["__schema"]["types"].as_array().unwrap();
    assert!(types.iter().any(|each| each["name"] == "Robot"));
    assert!(answer.get("errors").is_none());
    assert_eq!(
        run(&engine, query, json!({})),
        answer,
        "kept bytes are the same answer"
    );

    let mixed = "query($n: String!) {
        one __typename robot: __type(name: $n) { name kind fields { name } } person { id } }";
    let answer = run(&engine, mixed, json!({"n": "Robot"}));
    assert_eq!(answer["data"]["robot"]["fields"][0]["name"], "id");
    assert_eq!(answer["data"]["person"]["id"], "1");
    assert_eq!(answer["data"]["__typename"], "Query");
    assert_eq!(answer["data"].as_object().unwrap().len(), 4);
}

#[test]
fn introspection_does_not_go_round_in_circles() {
    let deep = "{ __schema { types { fields { type { fields { type { fields { type { fields {
        name } } } } } } } } } }";
    let answer = ask(deep, json!({}));
    assert_eq!(
        answer["errors"][0]["extensions"]["code"],
        "GRAPHQL_VALIDATION_FAILED"
    );
}

#[test]
fn a_symbol_is_kept_for_its_owner() {
    use super::super::document::Prepared;
    use super::super::schema::Schema;
    use std::num::NonZeroU32;
    let schema = Schema::parse(super::SDL, "t").unwrap();
    let prepared = Prepared::new(&schema, "{ person { id } }").unwrap();
    let operation = prepared.operation(None).unwrap();
    let plan = operation
        .plan(&schema, prepared.document(), &super::JsonMap::new())
        .unwrap();
    let field = &plan.root.fields()[0];
    assert!(!field.is_required() && !field.is_leaf() && !field.is_list());
    assert_eq!((field.name(), field.declared_type()), ("person", "Person"));
    let (one, two) = (NonZeroU32::new(1).unwrap(), NonZeroU32::new(2).unwrap());
    assert_eq!(field.symbol(one, || 5), 5);
    assert_eq!(field.symbol(one, || panic!("kept")), 5);
    assert_eq!(field.symbol(two, || 6), 6);
    assert_eq!(field.symbol(one, || u32::MAX), u32::MAX);
}

#[test]
fn a_look_ahead_sees_aliases_fragments_and_arguments() {
    use super::super::document::Prepared;
    use super::super::node::Call;
    use super::super::plan::Scope;
    use super::super::schema::Schema;
    let schema = Schema::parse(super::SDL, "t").unwrap();
    let text = "query($n: Int) { person { a: friend { id } b: friend { ...F } } }
        fragment F on Person { boss { things(first: $n) { id ... on Robot { model } } } }";
    let prepared = Prepared::new(&schema, text).unwrap();
    let operation = prepared.operation(None).unwrap();
    let variables: super::JsonMap = serde_json::from_value(json!({"n": 4})).unwrap();
    let plan = operation
        .plan(&schema, prepared.document(), &variables)
        .unwrap();
    let none = super::JsonMap::new();
    let scope = Scope {
        schema: &schema,
        document: prepared.document(),
        plan: &plan,
        variables: &variables,
    };
    let call = Call {
        context: &(),
        field: &plan.root.fields()[0],
        arguments: &none,
        scope,
    };
    let ahead = call.lookahead();
    assert!(ahead.selects(&["friend", "boss", "things"]));
    assert!(!ahead.selects(&["friend", "things"]));
    let friend = &ahead.fields_of("Person")[1];
    let things = super::super::Lookahead::new(scope, friend)
        .child("boss")
        .unwrap();
    let things = things.child("things").unwrap();
    assert_eq!(things.arguments().unwrap()["first"], 4);
    assert_eq!(things.fields_of("Robot").len(), 2);
    assert_eq!(things.fields_of("Person").len(), 1);
    assert!(things.fields_of("Nothing").is_empty());
    assert!(things.child_of("Robot", "model").is_some());
}

/// A connection of rows of which some fail, and an object that knows what to say instead.
struct Row(i64);

impl Object<Caller> for Row {
    fn type_name(&self) -> &'static str {
        "Person"
    }

    fn field<'a>(&'a self, call: &Call<'a, Caller>) -> Result<Node<'a, Caller>, FieldError> {
        Ok(match (call.name(), self.0) {
            ("things", -1) => Node::rows((0..5).map(|row| Node::object(Row(row)))),
            ("strict", 1) => return Err(FieldError::new("BROKEN", "it broke")),
            ("strict", 2) => Node::list([Node::text("a list")]),
            ("strict", 3) => Node::Null,
            ("age", 4) => Node::Float(85.5),
            ("id" | "strict" | "age", row) => Node::Int(row),
            _ => Node::Null,
        })
    }

    fn instead<'a>(&'a self, call: &Call<'a, Caller>) -> Option<Node<'a, Caller>> {
        match (call.name(), self.0) {
            ("strict", 3) => Some(Node::text("repaired")),
            ("age", _) => Some(Node::Null),
            _ => None,
        }
    }
}

struct Rows;

impl Dialect for Rows {
    type Context = Caller;

    fn require(&self, _: &Caller, _: &[Action]) -> Result<(), FieldError> {
        Ok(())
    }

    fn resolve_root<'a>(&'a self, _: OperationKind, _: Call<'a, Caller>) -> Resolution<'a, Caller> {
        Resolution::ready(Ok(Node::object(Row(-1))))
    }
}

#[test]
fn a_row_that_fails_costs_no_other_and_may_be_repaired() {
    let engine = super::super::Engine::new(Rows, super::SDL, "test.graphql").unwrap();
    let answer = run(
        &engine,
        "{ person { things { id ... on Person { strict age } } } }",
        json!({}),
    );
    let rows = json!([
        {"id": "0", "strict": "0", "age": 0},
        {"id": "3", "strict": "repaired", "age": 3},
        {"id": "4", "strict": "4", "age": null},
    ]);
    assert_eq!(answer["data"]["person"]["things"], rows);
    let places: Vec<_> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["path"].clone())
        .collect();
    let place = |row: usize| json!(["person", "things", row, "strict"]);
    assert_eq!(places, [place(1), place(2)], "the errors say which rows");
}
