// SPDX-License-Identifier: Apache-2.0
//! The grammar, asked of a small graph; what speaks of properties only, asked of rows as well.

use std::collections::BTreeMap;

use durward_model::{Instant, Value};
use serde_json::{Value as Json, json};

use super::*;
use crate::condition::RowCondition;
use crate::fixture::{Edit, Fixture, Properties, committed_at};
use crate::limits::Limits;
use crate::plan::{Slot, Source, Way};
use crate::{CursorKey, RunOptions};

const DAY_MS: i64 = 86_400_000;

fn now() -> Instant {
    committed_at(100)
}

fn created(days_ago: i64) -> Value {
    Value::Int(now().as_millis() - days_ago * DAY_MS)
}

fn users() -> Vec<(&'static str, Properties)> {
    let named = |list: Vec<(&str, Value)>| -> Properties {
        let owned = list
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        owned.collect()
    };
    vec![
        (
            "ada",
            named(vec![
                ("name", "Ada_1%".into()),
                ("age", Value::Int(36)),
                ("active", true.into()),
                ("createdOn", created(10)),
                ("tagSet", vec!["team:red", "env:dev"].into()),
                ("nick", "countess".into()),
            ]),
        ),
        (
            "bob",
            named(vec![
                ("name", "bob".into()),
                ("age", Value::Int(7)),
                ("active", false.into()),
                ("createdOn", created(90)),
                ("off", true.into()),
            ]),
        ),
        (
            "cy",
            named(vec![
                ("name", "Cyrus\nthe Great".into()),
                ("off", false.into()),
            ]),
        ),
    ]
}

fn fixture() -> Fixture {
    let mut fixture = Fixture::new();
    let create = |key: &str, entity_type: &str, properties: Properties| Edit::Create {
        key: key.to_owned(),
        entity_type: entity_type.to_owned(),
        classes: vec!["Thing".to_owned()],
        properties,
    };
    let mut edits: Vec<Edit> = users()
        .into_iter()
        .map(|(key, properties)| create(key, "user", properties))
        .collect();
    for name in ["Crew", "Board"] {
        let properties = vec![("name".to_owned(), name.into())];
        edits.push(create(name, "group", properties));
    }
    fixture.commit(&edits);
    let has = |from, to| Edit::Relate {
        from,
        verb: "HAS".to_owned(),
        to,
        properties: Vec::new(),
    };
    fixture.commit(&[has(3, 0), has(3, 1), has(4, 0)]);
    fixture
}

fn property(name: &str) -> FieldSource {
    FieldSource::Property(name.to_owned())
}

fn groups() -> FieldTable {
    FieldTable::default()
        .with_value("name", FieldKind::Text, property("name"))
        .with(
            "hasMember",
            FieldMeaning::Related(RelatedField {
                verb: "HAS".to_owned(),
                way: Way::Out,
                types: vec!["user".to_owned()],
                table,
            }),
        )
}

fn table() -> FieldTable {
    let either = FieldSource::AnyOf(vec!["nick".to_owned(), "name".to_owned()]);
    FieldTable::default()
        .with_value("name", FieldKind::Text, property("name"))
        .with_value("age", FieldKind::Number, property("age"))
        .with_value("active", FieldKind::Boolean, property("active"))
        .with_value("created", FieldKind::Moment, property("createdOn"))
        .with_value("tagSet", FieldKind::Text, property("tagSet"))
        .with_value("either", FieldKind::Text, either)
        .with_value(
            "srn",
            FieldKind::Text,
            FieldSource::Prefixed("srn:x/".to_owned(), "name".to_owned()),
        )
        .with_value(
            "always",
            FieldKind::Boolean,
            FieldSource::Constant(Value::Bool(true)),
        )
        .with(
            "isActive",
            FieldMeaning::Plain(FieldValue {
                kind: FieldKind::Boolean,
                source: FieldSource::NotFlag("off".to_owned()),
            }),
        )
        .with(
            "isMemberOf",
            FieldMeaning::Related(RelatedField {
                verb: "HAS".to_owned(),
                way: Way::In,
                types: vec!["group".to_owned()],
                table: groups,
            }),
        )
}

struct Plain(BTreeMap<String, Value>);

impl RowValues for Plain {
    fn value(&self, name: &str) -> Value {
        self.0.get(name).cloned().unwrap_or_default()
    }
}

/// Keys of the users that fulfil a filter, in the graph.
fn found(filter: &Json) -> Result<Vec<String>, QueryError> {
    listed(filter, &[], 0, 100).map(|(keys, _)| keys)
}

fn listed(
    filter: &Json,
    order: &[(String, bool)],
    offset: u64,
    limit: u64,
) -> Result<(Vec<String>, u64), QueryError> {
    let fixture = fixture();
    let view = fixture.snapshot.view(None);
    let table = table();
    let query = ListQuery {
        sources: vec![Source::Type("user".to_owned())],
        among: None,
        filter: Some(filter),
        order,
        table: &table,
    };
    let options = RunOptions::new(now(), CursorKey::new(&[1; 32]));
    let page = list(&view, &query, &options, offset, limit)?;
    let keys = page.entities.into_iter().map(|entity| view.key(entity));
    Ok((keys.collect(), page.count))
}

/// Keys of the users that fulfil a filter, as plain rows.
fn in_rows(filter: &Json) -> Vec<String> {
    let asked = condition(Some(filter), &table(), Slot(0), now(), &Limits::default()).unwrap();
    let holds = |row: &Plain| holds(&asked.condition, row);
    let rows = users().into_iter();
    let rows = rows.filter(|(_, row)| holds(&Plain(row.iter().cloned().collect())));
    rows.map(|(key, _)| key.to_owned()).collect()
}

#[test]
fn operators_on_properties_mean_the_same_in_the_graph_and_in_rows() {
    let month = json!({"dateTimeNow": {"offsetDays": -30}});
    let ten_days = created(10).to_json();
    let date = now().plus_seconds(-40 * 86_400).to_rfc3339_millis();
    let cases = [
        (json!({}), "ada bob cy"),
        (json!({"name": {"value": "bob"}}), "bob"),
        (json!({"name": {"op": "EQ", "value": "Bob"}}), ""),
        (
            json!({"name": {"value": "BOB", "caseSensitive": false}}),
            "bob",
        ),
        (json!({"name": {"op": "NEQ", "value": "bob"}}), "ada cy"),
        (
            json!({"name": {"op": "NEQ", "values": ["bob", "Ada_1%"]}}),
            "cy",
        ),
        (
            json!({"name": {"op": "IN_LIST", "values": ["bob", "x"]}}),
            "bob",
        ),
        (json!({"name": {"op": "IN_LIST", "value": ["bob"]}}), "bob"),
        (json!({"name": {"op": "IN_LIST", "values": []}}), ""),
        (
            json!({"name": {"op": "STARTS_WITH", "value": "Ada"}}),
            "ada",
        ),
        (
            json!({"name": {"op": "CONTAINS", "values": ["da", "ob"]}}),
            "ada bob",
        ),
        (json!({"name": {"op": "NOT_CONTAINS", "value": "a"}}), "bob"),
        (json!({"name": {"op": "LIKE", "value": "%a%"}}), "ada cy"),
        (json!({"name": {"op": "LIKE", "value": "ada%"}}), ""),
        (
            json!({"name": {"op": "LIKE", "values": ["b%", "%Great"]}}),
            "bob cy",
        ),
        (json!({"name": {"op": "ILIKE", "value": "ADA%"}}), "ada"),
        (json!({"name": {"op": "ILIKE", "value": "BO"}}), ""),
        (json!({"name": {"op": "ILIKE", "value": "BOB"}}), "bob"),
        (json!({"name": {"op": "LIKE", "value": "Ada.1."}}), ""),
        (json!({"name": {"op": "REGEX", "value": "^[ab]"}}), "bob"),
        (json!({"age": {"op": "GT", "value": "7"}}), "ada"),
        (json!({"age": {"op": "GTE", "value": 7}}), "ada bob"),
        (json!({"age": {"op": "LT", "value": 36.5}}), "ada bob"),
        (json!({"age": {"op": "LTE", "value": 7}}), "bob"),
        (
            json!({"age": {"op": "BETWEEN", "values": ["8", 36]}}),
            "ada",
        ),
        (json!({"age": {"value": "36"}}), "ada"),
        (json!({"age": {"value": null}}), "cy"),
        (json!({"age": {"op": "NEQ", "value": null}}), "ada bob"),
        (json!({"age": {}}), "ada bob cy"),
        (json!({"age": null}), "ada bob cy"),
        (json!({"active": {"op": "EQ", "value": "true"}}), "ada"),
        (json!({"active": {"op": "NEQ", "value": true}}), "bob cy"),
        (json!({"always": {"value": true}}), "ada bob cy"),
        (json!({"always": {"value": "false"}}), ""),
        (json!({"isActive": true}), "ada cy"),
        (json!({"isActive": false}), "bob"),
        (json!({"created": {"op": "GT", "function": month}}), "ada"),
        (json!({"created": {"op": "LT", "value": date}}), "bob"),
        (json!({"created": {"value": ten_days}}), "ada"),
        (
            json!({"created": {"op": "GTE", "value": ten_days.to_string()}}),
            "ada",
        ),
        (json!({"tagSet": {"value": "team:red"}}), "ada"),
        (json!({"tagSet": {"op": "LIKE", "value": "env:%"}}), "ada"),
        (json!({"either": {"value": "countess"}}), "ada"),
        (json!({"either": {"value": "Ada_1%"}}), "ada"),
        (
            json!({"either": {"op": "NEQ", "value": "countess"}}),
            "bob cy",
        ),
        (
            json!({"srn": {"op": "STARTS_WITH", "value": "srn:x/b"}}),
            "bob",
        ),
        (json!({"srn": {"value": "srn:x/bob"}}), "bob"),
        (json!({"name": {"value": "bob"}, "age": {"value": 36}}), ""),
        (
            json!({"or": [{"name": {"value": "bob"}}, {"age": {"value": 36}}]}),
            "ada bob",
        ),
        (json!({"or": []}), "ada bob cy"),
        (
            json!({"and": [{"or": [{"name": {"value": "bob"}}, {}]}, {}]}),
            "ada bob cy",
        ),
        (json!({"and": {"name": {"value": "bob"}}}), "bob"),
    ];
    for (filter, expected) in cases {
        let expected: Vec<&str> = expected.split_whitespace().collect();
        assert_eq!(found(&filter).unwrap(), expected, "graph: {filter}");
        assert_eq!(in_rows(&filter), expected, "rows: {filter}");
    }
}

#[test]
fn relations_nest() {
    let crew = json!({"name": {"value": "Crew"}});
    let cases = [
        (json!({"isMemberOf": {"items": crew}}), "ada bob"),
        (
            json!({"isMemberOf": {"items": {"name": {"value": "Board"}}}}),
            "ada",
        ),
        (
            json!({"isMemberOf": {"count": {"op": "GT", "value": 0}}}),
            "ada bob",
        ),
        (
            json!({"isMemberOf": {"count": {"op": "EQ", "value": "0"}}}),
            "cy",
        ),
        (
            json!({"isMemberOf": {"count": {"op": "GTE", "value": 0}}}),
            "ada bob cy",
        ),
        (json!({"isMemberOf": {"items": {}}}), "ada bob"),
        (json!({"isMemberOf": {}}), "ada bob cy"),
        // Whoever shares a group with somebody of 7 years.
        (
            json!({"isMemberOf": {"items": {"hasMember": {"items": {"age": {"value": 7}}}}}}),
            "ada bob",
        ),
        (
            json!({"isMemberOf": {"items": {"and": [{"or": [crew]}, {}]}},
                "name": {"op": "NEQ", "value": "bob"}}),
            "ada",
        ),
    ];
    for (filter, expected) in cases {
        let expected: Vec<&str> = expected.split_whitespace().collect();
        assert_eq!(found(&filter).unwrap(), expected, "{filter}");
    }
}

#[test]
fn what_makes_no_sense_is_said() {
    let long = "a".repeat(1001);
    let cases = [
        (json!({"secret": {"value": 1}}), "no field \"secret\""),
        (
            json!({"name": {"op": "IS", "value": 1}}),
            "op is not one of EQ",
        ),
        (json!({"name": {"op": 3, "value": 1}}), "op must be"),
        (json!({"name": {"op": "EQ"}}), "EQ needs a value"),
        (json!({"name": "bob"}), "must be an object"),
        (
            json!({"name": {"op": "GT", "value": "a"}}),
            "GT does not compare texts",
        ),
        (
            json!({"age": {"op": "LIKE", "value": "1%"}}),
            "LIKE does not compare numbers",
        ),
        (json!({"age": {"value": "many"}}), "must be a number"),
        (
            json!({"active": {"value": "maybe"}}),
            "must be true or false",
        ),
        (json!({"created": {"value": "soon"}}), "must be a date"),
        (
            json!({"age": {"op": "BETWEEN", "values": [1]}}),
            "takes two values",
        ),
        (
            json!({"age": {"op": "GT", "values": [1, 2]}}),
            "takes one value",
        ),
        (
            json!({"age": {"op": "GT", "value": null}}),
            "GT needs a value",
        ),
        (json!({"age": {"value": 1, "values": [2]}}), "only one of"),
        (
            json!({"created": {"function": {"today": {}}}}),
            "the only function",
        ),
        (
            json!({"created": {"function": {"dateTimeNow": {"offsetDays": 1e9}}}}),
            "offsetDays",
        ),
        (
            json!({"name": {"op": "REGEX", "value": "(?=a)"}}),
            "lookaround",
        ),
        (
            json!({"name": {"op": "REGEX", "value": "(a{900}){900}"}}),
            "regular expression",
        ),
        (
            json!({"name": {"op": "LIKE", "value": long}}),
            "at most 1000 characters",
        ),
        (
            json!({"name": {"value": "a", "caseSensitive": "no"}}),
            "caseSensitive",
        ),
        (
            json!({"isMemberOf": {"count": {"op": "GT", "value": 3}}}),
            "not supported",
        ),
        (
            json!({"isMemberOf": {"name": {"value": "x"}}}),
            "isMemberOf.name",
        ),
        (
            json!({"isMemberOf": {"items": {"age": {"value": 1}}}}),
            "no field \"age\"",
        ),
        (json!([1]), "must be an object"),
    ];
    for (filter, expected) in cases {
        let error = found(&filter).expect_err(&filter.to_string()).to_string();
        assert!(error.contains(expected), "{filter}: {error}");
    }
}

#[test]
fn depth_and_size_are_bounded() {
    let mut deep = json!({});
    for _ in 0..40 {
        deep = json!({"and": [deep]});
    }
    assert!(
        found(&deep)
            .unwrap_err()
            .to_string()
            .contains("deeper than")
    );
    let wide: Vec<Json> = (0..600).map(|age| json!({"age": {"value": age}})).collect();
    let error = found(&json!({"or": wide})).unwrap_err();
    assert!(error.to_string().contains("more than"), "{error}");
}

#[test]
fn lists_are_ordered_and_cut() {
    let order = |name: &str, descending| vec![(name.to_owned(), descending)];
    let page = |order: &[(String, bool)], offset, limit| {
        let (keys, count) = listed(&json!({}), order, offset, limit).unwrap();
        assert_eq!(count, 3);
        keys.join(" ")
    };
    assert_eq!(page(&order("age", false), 0, 10), "bob ada cy");
    assert_eq!(
        page(&order("age", true), 0, 10),
        "ada bob cy",
        "absent ones come last"
    );
    assert_eq!(page(&order("age", true), 1, 1), "bob");
    assert_eq!(page(&order("age", true), 7, 1), "");
    assert_eq!(page(&order("isActive", true), 2, 1), "bob");
    assert!(listed(&json!({}), &order("secret", false), 0, 1).is_err());
    assert!(listed(&json!({}), &order("isMemberOf", false), 0, 1).is_err());
}

#[test]
fn rows_are_ordered_like_entities() {
    let rows: Vec<(&str, Plain)> = users()
        .into_iter()
        .map(|(key, properties)| (key, Plain(properties.into_iter().collect())))
        .collect();
    for (field, descending) in [("age", false), ("age", true), ("name", true)] {
        let order = vec![(field.to_owned(), descending)];
        let (expected, _) = listed(&json!({}), &order, 0, 10).unwrap();
        let mut sorted: Vec<&(&str, Plain)> = rows.iter().collect();
        sorted.sort_by(|one, other| compare_rows(&table(), &order, &one.1, &other.1).unwrap());
        let keys: Vec<&str> = sorted.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, expected, "{field} {descending}");
    }
}

#[test]
fn row_conditions_of_the_caller_hold_also_behind_relations() {
    let fixture = fixture();
    let view = fixture.snapshot.view(None);
    let table = table();
    let filter = json!({"isMemberOf": {"count": {"op": "GT", "value": 0}}});
    let query = ListQuery {
        sources: vec![Source::Type("user".to_owned())],
        among: None,
        filter: Some(&filter),
        order: &[],
        table: &table,
    };
    let keys = |condition: RowCondition| {
        let options = RunOptions {
            row_condition: Some(condition),
            ..RunOptions::new(now(), CursorKey::new(&[1; 32]))
        };
        let page = list(&view, &query, &options, 0, 10).unwrap();
        let keys: Vec<String> = page.entities.iter().map(|each| view.key(*each)).collect();
        (keys.join(" "), page.count)
    };
    let type_is = |name: &str| vec![("_type".to_owned(), Value::from(name))];
    let both = RowCondition::any_of(vec![type_is("user"), type_is("group")]);
    assert_eq!(keys(both), ("ada bob".to_owned(), 2));
    // Groups that are hidden are no groups.
    assert_eq!(
        keys(RowCondition::any_of(vec![type_is("user")])),
        (String::new(), 0)
    );
}
