// SPDX-License-Identifier: Apache-2.0
use proptest::prelude::*;

use super::*;

fn to_json(value: &Scalar<'_>) -> Json {
    match value {
        Scalar::Null => Json::Null,
        Scalar::Bool(value) => (*value).into(),
        Scalar::Int(value) => (*value).into(),
        Scalar::Float(value) => (*value).into(),
        Scalar::Text(text) => text.as_ref().into(),
        Scalar::Texts(list) => split_texts(list).into(),
        Scalar::Nested(json) => json.clone(),
    }
}

/// What the scanner makes of a text that should be one object.
fn scan(text: &str) -> Option<Json> {
    let mut scanner = Scanner::new(text);
    let mut members = Vec::new();
    scanner.object(&mut members).ok()?;
    scanner.is_at_end().then(|| {
        let members = members
            .iter()
            .map(|(name, value)| (name.to_string(), to_json(value)));
        Json::Object(members.collect())
    })
}

/// What serde_json makes of it.
fn oracle(text: &str) -> Option<Json> {
    match serde_json::from_str::<Json>(text) {
        Ok(object @ Json::Object(_)) => Some(object),
        _ => None,
    }
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>()
            .prop_filter("finite", |value| value.is_finite())
            .prop_map(Json::from),
        "\\PC{0,20}".prop_map(Json::from),
        "[a-z\"\\\\\n\u{e9}\u{1f600}]{0,12}".prop_map(Json::from),
        proptest::collection::vec("[a-zA-Z]{0,9}", 0..4).prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            proptest::collection::btree_map("[a-z\"]{0,4}", inner, 0..4)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn reads_what_serde_json_reads(
        object in proptest::collection::btree_map("\\PC{0,9}", json(), 0..6),
        pretty in any::<bool>(),
    ) {
        let object = Json::Object(object.into_iter().collect());
        let text = if pretty {
            serde_json::to_string_pretty(&object).unwrap()
        } else {
            object.to_string()
        };
        prop_assert_eq!(scan(&text), oracle(&text));
    }

    #[test]
    fn agrees_on_damaged_text(
        object in proptest::collection::btree_map("[a-z]{0,4}", json(), 1..4),
        at in any::<prop::sample::Index>(),
        with in "[\\PC\n\"\\\\0-9eE.,:{}\\[\\]-]{0,2}",
    ) {
        let mut text = Json::Object(object.into_iter().collect()).to_string();
        let mut position = at.index(text.len());
        while !text.is_char_boundary(position) {
            position -= 1;
        }
        let replaced = text[position..].chars().next().map_or(0, char::len_utf8);
        text.replace_range(position..position + replaced, &with);
        prop_assert_eq!(scan(&text), oracle(&text), "{}", text);
    }
}

#[test]
fn agrees_on_awkward_objects() {
    for text in [
        "{}",
        " { } ",
        "{\"a\":-0}",
        "{\"a\":00}",
        "{\"a\":-}",
        "{\"a\":1.}",
        "{\"a\":1e400}",
        "{\"a\":123456789012345678}",
        "{\"a\":1234567890123456789}",
        "{\"a\":-9223372036854775808}",
        "{\"a\":18446744073709551616}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\ud83d\\ude00\"}",
        "{\"a\":\"tab\there\"}",
        "{\"a\":\"x\\\\\"}",
        "{\"a\":\"x\\\"}",
        "{\"a\":[\"b\",]}",
        "{\"a\":[]}",
        "{\"a\":[ \"b\" , \"c\" ]}",
        "{\"a\":[\"b\",1]}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\"}",
        "{\"a\":tru}",
        "{\"a\":nulll}",
        "{\"a\":1 2}",
        "{\"a\":\"1\"\"b\":2}",
        "{\"a\":1}x",
        "{\"a\":\"\u{7f}\u{80}\u{ffff}\"}",
        "{\"a\":1,\"a\":2}",
        "[]",
        "",
        "\"a\"",
        "{\"a\":+1}",
    ] {
        assert_eq!(scan(text), oracle(text), "{text}");
    }
}

#[test]
fn deep_nesting_is_an_error_and_no_overflow() {
    let text = format!("{{\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(scan(&text), None);
}

#[test]
fn numbers_that_would_be_rounded_cost_their_object_only() {
    let texts = [
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "[1,9223372036854775808]",
    ];
    for number in texts {
        let text = format!("{{\"n\":{number},\"m\":9223372036854775807}}");
        let mut scanner = Scanner::new(&text);
        let mut members = Vec::new();
        scanner.object(&mut members).unwrap();
        assert!(scanner.is_at_end(), "the next object can be read: {number}");
        let mut values = members
            .iter()
            .map(|(_, value)| crate::bulk::columns::value_of(value));
        let error = values.next().unwrap().unwrap_err();
        assert!(
            error.to_string().contains("send larger ones as texts"),
            "{error}"
        );
        assert_eq!(
            values.next().unwrap().unwrap(),
            durward_model::Value::Int(i64::MAX)
        );
    }
}
