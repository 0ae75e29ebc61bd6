// SPDX-License-Identifier: Apache-2.0
//! The compiler's own executor as the oracle: same data, same document, same answer.

use apollo_compiler::ExecutableDocument;
use apollo_compiler::resolvers::{Execution, ObjectValue, ResolveInfo, ResolvedValue};
use serde_json::{Value, json};

use super::super::schema::Schema;
use super::{SDL, engine, run, world};

struct Oracle<'w> {
    type_name: String,
    members: &'w Value,
}

impl ObjectValue for Oracle<'_> {
    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn resolve_field<'a>(
        &'a self,
        info: &'a ResolveInfo<'a>,
    ) -> Result<ResolvedValue<'a>, apollo_compiler::resolvers::FieldError> {
        let name = match (info.field_name(), info.arguments().get("kind")) {
            ("either", Some(kind)) => kind.as_str().unwrap().to_owned(),
            ("echo", _) => {
                let echo = info.arguments().clone();
                return Ok(ResolvedValue::Leaf(echo.into()));
            }
            (name, _) => name.to_owned(),
        };
        let declared = info.field_definition().ty.inner_named_type().to_string();
        let is_leaf = ["ID", "String", "Int", "Float", "Colour", "Any"].contains(&&*declared);
        let value = self.members.get(&name).unwrap_or(&Value::Null);
        Ok(resolved(
            value,
            &declared,
            is_leaf,
            info.field_definition().ty.is_list(),
        ))
    }
}

fn resolved<'a>(
    value: &'a Value,
    declared: &str,
    is_leaf: bool,
    is_list: bool,
) -> ResolvedValue<'a> {
    match value {
        Value::Array(items) if is_list || !is_leaf => {
            let declared = declared.to_owned();
            let items = items
                .iter()
                .map(move |item| Ok(resolved(item, &declared, is_leaf, item.is_array())));
            ResolvedValue::List(Box::new(items))
        }
        Value::Object(_) if !is_leaf => {
            let named = value.get("__typename").and_then(Value::as_str);
            ResolvedValue::Object(Box::new(Oracle {
                type_name: named.unwrap_or(declared).to_owned(),
                members: value,
            }))
        }
        // The oracle is strict where the engine is not.
        Value::Number(number) if declared == "ID" => ResolvedValue::Leaf(number.to_string().into()),
        Value::Number(number) if declared == "Float" => {
            ResolvedValue::Leaf(number.as_f64().unwrap().into())
        }
        Value::String(text) if is_list => {
            let item = ResolvedValue::Leaf(text.as_str().into());
            ResolvedValue::List(Box::new(std::iter::once(Ok(item))))
        }
        other => ResolvedValue::Leaf(other.clone().into()),
    }
}

fn oracle(query: &str, variables: &Value) -> Value {
    let schema = Schema::parse(SDL, "test.graphql").unwrap();
    let schema = schema.compiled();
    let document = ExecutableDocument::parse_and_validate(schema, query, "doc").unwrap();
    let data = world();
    let root = Oracle {
        type_name: "Query".to_owned(),
        members: &data,
    };
    let variables: apollo_compiler::response::JsonValue = variables.clone().into();
    let response = Execution::new(schema, &document)
        .raw_variable_values(variables.as_object().unwrap())
        .execute_sync(&root)
        .unwrap();
    serde_json::to_value(&response).unwrap()
}

/// Integers and floats of the same value are the same answer.
fn floats(value: &mut Value) {
    match value {
        Value::Number(number) => *value = json!(number.as_f64().unwrap()),
        Value::Array(items) => items.iter_mut().for_each(floats),
        Value::Object(members) => members.values_mut().for_each(floats),
        _ => {}
    }
}

#[track_caller]
fn same(query: &str, variables: Value) {
    let mut expected = oracle(query, &variables);
    let mut given = run(&engine(), query, variables);
    floats(&mut expected);
    floats(&mut given);
    assert_eq!(given["data"], expected["data"], "{query}");
    let places = |answer: &Value| -> Vec<Value> {
        let errors = answer["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["path"].clone()).collect()
    };
    assert_eq!(places(&given), places(&expected), "{query}");
}

#[test]
fn plain_fields_aliases_merging_and_lists() {
    same(
        "{ person { id name n: name age height tags colour extra __typename
             friend { name } friend { id tags } t: __typename } one }",
        json!({}),
    );
}

#[test]
fn fragments_on_interfaces_and_unions() {
    same(
        "query($k: String!) {
           things { id ...A ... on Robot { model maker { id } } ... on Owner { things { id } } }
           e: either(kind: $k) { __typename ... on Robot { id name } ... on Person { age } }
           f: either(kind: \"person\") { ...on Thing { name } ...A }
         }
         fragment A on Thing { name ...B }
         fragment B on Person { age ...on Owner { name things { __typename id } } }",
        json!({"k": "robot"}),
    );
}

#[test]
fn conditions_choose_fields_also_under_one_key() {
    let query = "query($a: Boolean!, $b: Boolean = true) {
        person {
          id @skip(if: $a) name @include(if: $b)
          x: name @include(if: $a) x: name @skip(if: $a)
          ... @include(if: $a) { age } ...F @skip(if: $b)
        }
      } fragment F on Person { height }";
    same(query, json!({"a": true}));
    same(query, json!({"a": false, "b": false}));
    same(query, json!({"a": true, "b": true, "unknown": 1}));
}

#[test]
fn null_rises_to_the_nearest_place_that_may_be_null() {
    same(
        "{ person { friend { boss { boss { boss { id } } } } name } }",
        json!({}),
    );
    same("{ all { id ... on Robot { maker { id } } } }", json!({}));
    same("{ person { id } must { id } }", json!({}));
    same(
        "{ things { ... on Robot { parts } ... on Person { strict } id } one }",
        json!({}),
    );
}

#[test]
fn arguments_defaults_and_input_objects() {
    same(
        "query($f: Filter, $n: Int, $ids: [ID!] = [\"1\", \"b\"]) {
           a: echo(filter: $f, n: $n, ids: $ids)
           b: echo(filter: {key: \"k\", and: {key: [\"a\", \"b\"], values: [1, {x: RED}]}})
           c: echo(where: {deep: [1, 2.5, {x: null}]}, colour: GREEN, size: 3, at: \"2020\")
         }",
        json!({"f": {"key": ["k"], "values": [1, "2"], "limit": null}, "n": null}),
    );
}
