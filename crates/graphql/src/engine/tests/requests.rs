// SPDX-License-Identifier: Apache-2.0
//! Bodies, operations, variables and where they may stand.

use durward_budget::Budget;
use serde_json::{Value, json};

use super::super::{Outcome, Payload, RootIndex, decode};
use super::{ask, code_of, engine, numbered, request, send};

fn parsed(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

#[test]
fn bodies_that_are_no_request_are_refused_with_a_sentence() {
    let engine = engine();
    let bodies: [&[u8]; 12] = [
        b"",
        b"   ",
        b"hello",
        b"\"{ one }\"",
        b"{",
        b"{\"query\":1}",
        b"{\"variables\":{}}",
        b"{\"query\":\"{ one }\",\"variables\":[1]}",
        b"{\"query\":\"{ one }\",\"variables\":\"{\"}",
        b"{\"query\":\"{ one }\",\"operationName\":3}",
        b"[]",
        b"\xff\xfe{",
    ];
    for body in bodies {
        let reply = send(&engine, body);
        let answer = parsed(&reply.body);
        assert_eq!(code_of(&answer), "BAD_REQUEST", "{answer}");
        assert_eq!(reply.outcome, Outcome::Malformed);
        assert_eq!(reply.first_code.as_deref(), Some("BAD_REQUEST"));
    }
}

#[test]
fn unknown_members_and_undeclared_variables_do_not_matter() {
    let body = br#"{"query":"query Q($n: Int) { echo(n: $n) }","flags":{"variableResultSize":true},
        "variables":{"n":3,"flags":{}},"operationName":"Q","extensions":null}"#;
    let reply = send(&engine(), body);
    assert_eq!(parsed(&reply.body), json!({"data": {"echo": {"n": 3}}}));
    assert_eq!(reply.outcome, Outcome::Executed);
}

#[test]
fn variables_may_be_text_null_or_missing() {
    for variables in [r#""{\"n\": 3}""#, r#"{"n":3}"#] {
        let body = format!(r#"{{"query":"query($n: Int){{echo(n:$n)}}","variables":{variables}}}"#);
        let reply = send(&engine(), body.as_bytes());
        assert_eq!(parsed(&reply.body), json!({"data": {"echo": {"n": 3}}}));
    }
    for rest in [
        "",
        ",\"variables\":null",
        ",\"variables\":\"\"",
        ",\"variables\":\"null\"",
    ] {
        let body = format!(r#"{{"query":"query($n: Int){{echo(n:$n)}}"{rest}}}"#);
        let reply = send(&engine(), body.as_bytes());
        assert_eq!(parsed(&reply.body), json!({"data": {"echo": {"n": 7}}}));
    }
}

#[test]
fn arrays_are_answered_in_arrays_of_the_same_length() {
    let engine = engine();
    let reply = send(&engine, br#"[{"query":"{ one }"}]"#);
    assert_eq!(parsed(&reply.body), json!([{"data": {"one": ["bare"]}}]));
    let reply = send(
        &engine,
        br#" [{"query":"{ one }"}, 3, {"query":"{ nope }"}, {"query":"{one}"}]"#,
    );
    let answer = parsed(&reply.body);
    assert_eq!(answer.as_array().unwrap().len(), 4);
    assert_eq!(code_of(&answer[1]), "BAD_REQUEST");
    assert_eq!(code_of(&answer[2]), "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(answer[3], json!({"data": {"one": ["bare"]}}));
    let many = format!("[{}]", vec![r#"{"query":"{one}"}"#; 101].join(","));
    assert_eq!(
        code_of(&parsed(&send(&engine, many.as_bytes()).body)),
        "BAD_REQUEST"
    );
    assert!(matches!(
        decode(
            br#"[{"query":"{one}"}]"#,
            &Budget::unlimited().strangers().lease()
        ),
        Ok(Payload::Many(_))
    ));
}

#[test]
fn the_operation_is_chosen_by_name() {
    let engine = engine();
    let two = "query A { one } query B { raw }";
    let body = |name: &str| json!({"query": two, "operationName": name}).to_string();
    let answer = parsed(&send(&engine, body("B").as_bytes()).body);
    assert_eq!(answer["data"]["raw"]["a"][1], 2);
    assert_eq!(
        code_of(&parsed(&send(&engine, body("C").as_bytes()).body)),
        "OPERATION_RESOLUTION_FAILURE"
    );
    assert_eq!(
        code_of(&parsed(&send(&engine, body("").as_bytes()).body)),
        "OPERATION_RESOLUTION_FAILURE"
    );
}

#[test]
fn documents_are_refused_with_the_code_of_their_kind() {
    let syntax = ask("{ one", json!({}));
    assert_eq!(code_of(&syntax), "GRAPHQL_PARSE_FAILED");
    assert!(
        syntax["errors"][0]["locations"][0]["line"].is_u64(),
        "{syntax}"
    );
    for document in [
        "{ nope }",
        "{ person }",
        "{ one { id } }",
        "query($x: Int) { one }",
        "query($x: Nope) { echo(where: $x) }",
        "{ ...F }",
        "subscription { one }",
        "fragment F on Person { id }",
        "{ echo(colour: BLUE) }",
        "{ echo(filter: {key: \"a\", nope: 1}) }",
        "type T { a: Int }",
        "{ a: one a: raw }",
        "",
    ] {
        let answer = ask(document, json!({}));
        let code = code_of(&answer);
        assert!(code.starts_with("GRAPHQL_"), "{document}: {answer}");
        assert!(
            code == "GRAPHQL_VALIDATION_FAILED" || document.is_empty(),
            "{document}: {answer}"
        );
    }
}

#[test]
fn many_diagnostics_are_cut_short() {
    let fields = numbered(500, |number| format!(" nope{number}"));
    let answer = ask(&format!("{{{fields} }}"), json!({}));
    assert_eq!(answer["errors"].as_array().unwrap().len(), 20);
}

#[test]
fn variables_are_coerced_or_refused() {
    let query = "query($f: Filter, $n: Int, $s: Float, $ids: [ID!], $c: Colour) {
        echo(filter: $f, n: $n, size: $s, ids: $ids, colour: $c) }";
    let answer = ask(
        query,
        json!({
            "f": {"key": "k", "and": {"key": "z", "weight": 2}},
            "n": 2.0, "s": 2, "ids": 5, "c": "RED",
        }),
    );
    let expected = json!({
        "filter": {"key": ["k"], "values": ["x"], "mode": "RED",
                   "and": [{"key": ["z"], "values": ["x"], "mode": "RED", "weight": 2}]},
        "n": 2, "size": 2, "ids": ["5"], "colour": "RED"});
    assert_eq!(answer["data"]["echo"], expected);
    for (name, value, said) in [
        ("f", json!({"key": "k", "nope": 1}), "nope"),
        ("f", json!({"and": []}), "$f.key"),
        ("f", json!({"key": [null]}), "$f.key[0]"),
        ("f", json!("k"), "$f"),
        ("n", json!("1"), "$n"),
        ("n", json!(1.5), "$n"),
        ("n", json!(3_000_000_000_u64), "$n"),
        ("s", json!("1"), "$s"),
        ("ids", json!([null]), "$ids[0]"),
        ("ids", json!([1.5]), "$ids[0]"),
        ("c", json!("BLUE"), "$c"),
    ] {
        let answer = ask(query, json!({name: value}));
        assert_eq!(code_of(&answer), "BAD_USER_INPUT", "{answer}");
        let message = answer["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(said), "{message}");
    }
    let answer = ask(
        "query($k: String!) { either(kind: $k) { __typename } }",
        json!({}),
    );
    assert_eq!(code_of(&answer), "BAD_USER_INPUT");
}

#[test]
fn variables_stand_only_where_their_type_fits() {
    for (declaration, use_of_it) in [
        ("$v: String", "echo(where: $v)"),
        ("$v: Int!", "echo(where: [$v, {a: $v}])"),
        ("$v: [Int]", "echo(where: $v)"),
        ("$v: Int", "echo(size: $v)"),
        ("$v: Int", "echo(filter: {key: \"k\", weight: $v})"),
        ("$v: String!", "echo(filter: {key: [$v]})"),
        ("$v: String!", "echo(filter: {key: \"k\", values: [$v]})"),
        ("$v: [Any!]", "echo(filter: {key: \"k\", values: $v})"),
        ("$v: [String!] = [\"a\"]", "echo(filter: {key: $v})"),
        ("$v: DateTime", "echo(at: $v)"),
        ("$v: String", "echo(at: $v)"),
        ("$v: [ID!]!", "echo(ids: $v)"),
    ] {
        let query = format!("query({declaration}) {{ {use_of_it} }}");
        let answer = ask(&query, json!({"v": null}));
        let code = &answer["errors"][0]["extensions"]["code"];
        assert_ne!(code, "GRAPHQL_VALIDATION_FAILED", "{query}: {answer}");
    }
    for (declaration, use_of_it) in [
        ("$v: String", "echo(colour: $v)"),
        ("$v: String", "either(kind: $v) { __typename }"),
        ("$v: String", "echo(filter: {key: [$v]})"),
        ("$v: String!", "echo(filter: {key: $v})"),
        ("$v: [String]", "echo(filter: {key: $v})"),
        (
            "$v: String!",
            "echo(filter: {key: \"k\", and: [{key: \"z\", mode: $v}]})",
        ),
        ("$v: Float", "echo(n: $v)"),
        ("$v: String", "echo(ids: [$v])"),
        ("$v: ID", "echo(ids: [$v])"),
        ("$v: Boolean", "one @skip(if: $v)"),
        ("$v: Filter", "echo(filter: {key: \"k\", and: [$v]})"),
    ] {
        let query = format!("query({declaration}) {{ {use_of_it} }}");
        let answer = ask(&query, json!({}));
        assert_eq!(
            code_of(&answer),
            "GRAPHQL_VALIDATION_FAILED",
            "{query}: {answer}"
        );
        let message = answer["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("`$v`"), "{query}: {message}");
        assert_eq!(answer["errors"][0]["locations"][0]["line"], 1);
    }
}

#[test]
fn a_variable_inside_a_literal_of_a_scalar_is_replaced() {
    let query = "query($v: Int, $w: String) { echo(where: {a: [1, $v], b: {c: $w}, d: $w}) }";
    let answer = ask(query, json!({"v": 2}));
    assert_eq!(
        answer["data"]["echo"]["where"],
        json!({"a": [1, 2], "b": {"c": null}, "d": null})
    );
}

#[test]
fn null_for_a_default_is_an_error_of_the_field() {
    let query = "query($k: String = \"robot\") { either(kind: $k) { __typename } one }";
    let answer = ask(query, json!({}));
    assert_eq!(answer["data"]["either"]["__typename"], "Robot");
    let answer = ask(query, json!({"k": null}));
    assert_eq!(answer["data"], json!({"either": null, "one": ["bare"]}));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[test]
fn root_fields_are_found_without_a_contract() {
    let index = RootIndex::new(&Budget::unlimited().caches());
    let text = "query A { __typename x: queryV1(q: 1) { a } ...F ... { b } queryV1 }
        fragment F on Query { c ...F2 } fragment F2 on Query { d }
        mutation B { e }";
    let found = index.find(&request(text, json!({}))).unwrap();
    assert_eq!(found.names, ["queryV1", "c", "d", "b"]);
    assert_eq!(found.count, 5);
    let mut named = request(text, json!({}));
    named.operation_name = Some("B".to_owned());
    for _ in 0..2 {
        let found = index.find(&named).unwrap();
        assert_eq!(found.names, ["e"]);
        assert_eq!(found.kind, super::OperationKind::Mutation);
    }
    assert!(index.find(&request("{", json!({}))).is_none());
}
