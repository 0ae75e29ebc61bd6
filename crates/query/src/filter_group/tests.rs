// SPDX-License-Identifier: Apache-2.0
//! Filters over a small set of threat intelligence.

mod data;

use durward_graph::ObjectRef;
use serde_json::{Value as Json, json};

use crate::RowCondition;
use crate::error::QueryError;
use crate::fixture::{Edit, Fixture};

use data::{Asked, fixture};

#[expect(clippy::needless_pass_by_value, reason = "the callers write literals")]
fn filter(key: &str, operator: &str, mode: &str, values: Json) -> Json {
    json!({"mode": "and", "filterGroups": [], "filters": [
        {"key": [key], "operator": operator, "mode": mode, "values": values}
    ]})
}

/// Short names of the objects that fulfil one filter.
fn found(fixture: &Fixture, key: &str, operator: &str, mode: &str, values: Json) -> String {
    let mut asked = Asked::objects(fixture);
    asked.filters = filter(key, operator, mode, values);
    let mut keys = asked.keys();
    keys.sort();
    let short = keys.iter().map(|key| match key.as_str() {
        "malware--1" => "E",
        "malware--2" => "T",
        "tool--1" => "M",
        _ => "S",
    });
    short.collect()
}

#[test]
fn operators_follow_the_rules_of_values_and_modes() {
    let fixture = fixture();
    let cases = [
        // E Emotet, T TrickBot, M Mimikatz, S Mummy Spider; sorted by key: S, E, T, M.
        ("name", "eq", "or", json!([" emotet ", "MIMIKATZ"]), "EM"),
        (
            "name",
            "not_eq",
            "or",
            json!(["Emotet", "Mimikatz"]),
            "SETM",
        ),
        ("name", "not_eq", "and", json!(["Emotet", "Mimikatz"]), "ST"),
        ("alias", "eq", "and", json!(["heodo", "geodo"]), "E"),
        ("alias", "eq", "and", json!(["heodo", "other"]), ""),
        ("alias", "not_eq", "and", json!(["heodo"]), "STM"),
        ("alias", "nil", "or", json!([]), "STM"),
        ("alias", "not_nil", "or", json!([]), "E"),
        ("alias", "eq", "or", json!([]), "STM"),
        ("description", "not_eq", "or", json!([]), "EM"),
        ("score", "gte", "or", json!(["60"]), "ET"),
        ("score", "lt", "or", json!([60]), "M"),
        ("score", "nil", "or", json!([]), "S"),
        ("is_family", "eq", "or", json!([true]), "E"),
        ("is_family", "eq", "or", json!(["true"]), "E"),
        (
            "first_seen",
            "lt",
            "or",
            json!(["2015-01-01T00:00:00Z"]),
            "E",
        ),
        ("first_seen", "gt", "or", json!(["now-1y"]), ""),
        (
            "first_seen",
            "within",
            "or",
            json!(["2014-01-01", "now"]),
            "E",
        ),
        ("name", "contains", "or", json!(["y sp"]), "S"),
        (
            "name",
            "not_contains",
            "and",
            json!(["bot", "spider"]),
            "EM",
        ),
        ("name", "starts_with", "or", json!(["m"]), "SM"),
        ("name", "not_starts_with", "or", json!(["m"]), "ET"),
        ("name", "ends_with", "or", json!(["T"]), "ET"),
        ("name", "not_ends_with", "and", json!(["t"]), "SM"),
        ("name", "wildcard", "or", json!(["m*i?er"]), "S"),
        ("description", "search", "or", json!(["emotet used"]), "M"),
        ("description", "match", "or", json!(["trojan used"]), "EM"),
        ("killChainName", "eq", "or", json!(["Mitre-Attack"]), "M"),
        (
            "killChainName",
            "not_eq",
            "or",
            json!(["mitre-attack"]),
            "SET",
        ),
        ("killChainName", "nil", "or", json!([]), "SET"),
        (
            "entity_type",
            "eq",
            "or",
            json!(["Malware", "Nonsense"]),
            "ET",
        ),
        ("entity_type", "not_eq", "and", json!(["Malware"]), "SM"),
        (
            "entity_type",
            "eq",
            "or",
            json!(["Stix-Domain-Object"]),
            "SETM",
        ),
        (
            "ids",
            "eq",
            "or",
            json!(["malware--2", "tool--1", "nobody"]),
            "TM",
        ),
        ("objectMarking", "eq", "or", json!(["marking--green"]), "ET"),
        (
            "objectMarking",
            "eq",
            "and",
            json!(["marking--green", "marking--red"]),
            "T",
        ),
        (
            "objectMarking",
            "not_eq",
            "or",
            json!(["marking--green", "marking--red"]),
            "SEM",
        ),
        (
            "objectMarking",
            "not_eq",
            "and",
            json!(["marking--green", "marking--red"]),
            "SM",
        ),
        ("objectMarking", "nil", "or", json!([]), "SM"),
        ("objectMarking", "not_nil", "or", json!([]), "ET"),
        ("objectLabel", "eq", "or", json!(["label--trojan"]), "E"),
        ("createdBy", "eq", "or", json!(["identity--1"]), "E"),
        ("connectedToId", "eq", "or", json!(["malware--1"]), "ST"),
    ];
    for (key, operator, mode, values, wanted) in cases {
        let got = found(&fixture, key, operator, mode, values.clone());
        assert_eq!(got, wanted, "{key} {operator} {mode} {values}");
    }
    let uuid = fixture.entity_uuid(2);
    assert_eq!(found(&fixture, "ids", "eq", "or", json!([uuid])), "M");
}

#[test]
fn kinds_within_a_type_are_told_by_a_property_of_that_type_alone() {
    let fixture = fixture();
    let kinds = |operator: &str, mode: &str, values: &[&str]| {
        found(&fixture, "entity_type", operator, mode, json!(values))
    };
    assert_eq!(kinds("eq", "or", &["Loader"]), "E");
    assert_eq!(kinds("eq", "or", &[" LOADER ", "Tool"]), "EM");
    assert_eq!(kinds("eq", "or", &["Loader", "Stealer"]), "ET");
    assert_eq!(kinds("eq", "and", &["Loader", "Malware"]), "E");
    assert_eq!(kinds("eq", "and", &["Loader", "Stealer"]), "");
    assert_eq!(kinds("not_eq", "or", &["Loader"]), "STM");
    assert_eq!(kinds("not_eq", "and", &["Loader", "Tool"]), "ST");
    assert_eq!(kinds("not_eq", "or", &["Loader", "Tool"]), "SETM");
    let edges = |key: &str, values: &[&str]| {
        let mut asked = Asked::relationships(&fixture);
        asked.filters = filter(key, "eq", "or", json!(values));
        asked.page().unwrap().total_count
    };
    assert_eq!(edges("fromTypes", &["Loader"]), 1);
    assert_eq!(edges("fromTypes", &["Stealer"]), 0);
    assert_eq!(edges("toTypes", &["Loader", "Tool"]), 2);
    assert_eq!(edges("elementWithTargetTypes", &["Stealer"]), 1);
    let mut asked = Asked::objects(&fixture);
    asked.order = vec![("entity_type".to_owned(), true)];
    let order = ["tool--1", "malware--2", "malware--1", "intrusion-set--1"];
    assert_eq!(asked.keys(), order);
}

#[test]
fn relationships_to_other_objects_are_found_on_either_side() {
    let fixture = fixture();
    let regarding = |members: Json| found(&fixture, "regardingOf", "eq", "or", members);
    let uses = json!({"key": "relationship_type", "values": ["uses"]});
    let emotet = json!({"key": "id", "values": ["malware--1"]});
    assert_eq!(regarding(json!([uses])), "SEM");
    assert_eq!(regarding(json!([uses, emotet])), "S");
    assert_eq!(regarding(json!([emotet])), "ST");
    let forced = json!({"key": "direction_forced", "values": [true]});
    let reverse = json!({"key": "direction_reverse", "values": [true]});
    assert_eq!(regarding(json!([uses, forced])), "S");
    assert_eq!(regarding(json!([uses, forced, reverse])), "EM");
    assert_eq!(
        regarding(json!([uses, {"key": "is_inferred", "values": [true]}])),
        ""
    );
    assert_eq!(
        found(&fixture, "regardingOf", "not_eq", "or", json!([uses])),
        "T"
    );
    let dynamic = json!([
        {"key": "relationship_type", "values": ["uses"]},
        {"key": "dynamic", "values": [filter("score", "gt", "or", json!([50]))]},
    ]);
    assert_eq!(
        found(&fixture, "dynamicRegardingOf", "eq", "or", dynamic),
        "S"
    );
}

#[test]
fn groups_nest_and_several_keys_are_alternatives() {
    let fixture = fixture();
    let mut asked = Asked::objects(&fixture);
    asked.filters = json!({
        "mode": "or",
        "filters": [{"key": ["name", "description"], "operator": "contains", "values": ["emotet"]}],
        "filterGroups": [{
            "mode": "and",
            "filters": [
                {"key": "score", "operator": "gt", "values": [50]},
                {"key": "objectMarking", "values": ["marking--red"]},
            ],
            "filterGroups": [{"mode": "and", "filters": [], "filterGroups": []}],
        }],
    });
    let mut keys = asked.keys();
    keys.sort();
    assert_eq!(keys, ["malware--1", "malware--2", "tool--1"]);
}

#[test]
fn relationships_are_listed_by_their_ends_and_kinds() {
    let fixture = fixture();
    let view = fixture.snapshot.view(None);
    let edges = |filters: Json| -> Vec<String> {
        let mut asked = Asked::relationships(&fixture);
        asked.filters = filters;
        let page = asked.page().unwrap();
        let short = page.objects.iter().map(|object| match object {
            ObjectRef::Edge(edge) => {
                let (from, to) = view.edge_ends(*edge).unwrap();
                format!("{}>{}", view.key(from), view.key(to))
            }
            ObjectRef::Entity(_) => "?".to_owned(),
        });
        let mut short: Vec<String> = short.collect();
        short.sort();
        short
    };
    let (one, two, three) = (
        "intrusion-set--1>malware--1",
        "intrusion-set--1>tool--1",
        "malware--1>malware--2",
    );
    let eq = |key: &str, values: Json| filter(key, "eq", "or", values);
    assert_eq!(edges(Json::Null), [one, two, three]);
    assert_eq!(edges(eq("fromId", json!(["intrusion-set--1"]))), [one, two]);
    assert_eq!(
        edges(eq("toId", json!(["malware--1", "malware--2"]))),
        [one, three]
    );
    assert_eq!(edges(eq("fromOrToId", json!(["malware--1"]))), [one, three]);
    assert_eq!(edges(eq("fromTypes", json!(["Malware"]))), [three]);
    assert_eq!(edges(eq("toTypes", json!(["Tool"]))), [two]);
    assert_eq!(
        edges(eq("elementWithTargetTypes", json!(["Malware"]))),
        [one, three]
    );
    assert_eq!(
        edges(eq("relationship_type", json!(["related-to"]))),
        [three]
    );
    assert_eq!(
        edges(eq("relationship_type", json!(["stix-core-relationship"]))).len(),
        3
    );
    assert_eq!(edges(filter("confidence", "gt", "or", json!([50]))), [one]);
    let strong = filter("score", "gte", "or", json!([60]));
    assert_eq!(edges(eq("dynamicTo", json!([strong]))), [one, three]);
    let either = json!({"mode": "or", "filterGroups": [], "filters": [
        {"key": "fromId", "values": ["malware--1"]},
        {"key": "confidence", "operator": "lt", "values": [50]},
    ]});
    assert_eq!(edges(either), [two, three]);
    // Ends that the caller may not see hide the relationship.
    let mut asked = Asked::relationships(&fixture);
    let seen = vec![vec![("_type".to_owned(), "malware".into())]];
    asked.options.row_condition = Some(RowCondition::any_of(seen));
    assert_eq!(asked.page().unwrap().total_count, 1);
    let mut asked = Asked::relationships(&fixture);
    asked.search = Some("spider");
    assert_eq!(asked.page().unwrap().total_count, 2);
}

#[test]
fn searches_rank_and_lists_are_ordered_and_paged() {
    let mut fixture = fixture();
    let mut asked = Asked::objects(&fixture);
    asked.search = Some("emotet");
    assert_eq!(asked.keys(), ["malware--1", "tool--1"]);
    asked.search = Some("\"banking trojan\" mimikatz");
    assert_eq!(asked.keys(), ["tool--1", "malware--1"]);
    let mut asked = Asked::objects(&fixture);
    asked.order = vec![("score".to_owned(), true)];
    assert_eq!(
        asked.keys(),
        ["malware--1", "malware--2", "tool--1", "intrusion-set--1"]
    );
    asked.order = vec![("name".to_owned(), false)];
    asked.first = 3;
    let first = asked.page().unwrap();
    assert_eq!(
        (first.objects.len(), first.total_count, first.has_more),
        (3, 4, true)
    );
    let cursor = first.cursors.last().cloned();
    let order = asked.order.clone();
    // What comes later does not shift the page.
    fixture.commit(&[Edit::Create {
        key: "malware--0".to_owned(),
        entity_type: "malware".to_owned(),
        classes: vec![],
        properties: vec![("name".to_owned(), "AAA".into())],
    }]);
    let mut asked = Asked::objects(&fixture);
    asked.order = order;
    asked.options.cursor = cursor;
    let second = asked.page().unwrap();
    let view = fixture.snapshot.view(None);
    let names: Vec<String> = second
        .objects
        .iter()
        .map(|object| match object {
            ObjectRef::Entity(entity) => view.key(*entity),
            ObjectRef::Edge(_) => String::new(),
        })
        .collect();
    assert_eq!(
        (names, second.has_more),
        (vec!["malware--2".to_owned()], false)
    );
    asked.order = Vec::new();
    assert_eq!(asked.page().unwrap_err(), QueryError::Cursor);
}

#[test]
fn what_is_not_known_is_an_error() {
    let fixture = fixture();
    let error = |filters: Json| {
        let mut asked = Asked::objects(&fixture);
        asked.filters = filters;
        asked.page().unwrap_err()
    };
    let one = |key: &str, operator: &str, values: Json| filter(key, operator, "or", values);
    let unknown = |key: &str| QueryError::UnknownKey {
        key: key.to_owned(),
    };
    assert_eq!(error(one("nmae", "eq", json!(["x"]))), unknown("nmae"));
    assert_eq!(error(one("fromId", "eq", json!(["x"]))), unknown("fromId"));
    assert_eq!(
        error(one(
            "regardingOf",
            "eq",
            json!([{"key": "nose", "values": []}])
        )),
        unknown("regardingOf.nose")
    );
    for filters in [
        one("workflow_id", "eq", json!(["x"])),
        one("name", "script", json!(["x"])),
        one("objectMarking", "contains", json!(["x"])),
    ] {
        assert!(matches!(error(filters), QueryError::Unsupported { .. }));
    }
    for filters in [
        json!([]),
        json!({"filters": {}}),
        json!({"filters": [{"values": []}]}),
        json!({"mode": "xor"}),
        one("name", "like", json!(["x"])),
        one("score", "gt", json!(["tomorrow"])),
        one("first_seen", "within", json!(["now"])),
        one("first_seen", "within", json!(["now", "now-1d"])),
        one("name", "contains", json!([])),
        one("name", "eq", json!([{"a": 1}])),
    ] {
        let text = filters.to_string();
        assert!(
            matches!(error(filters), QueryError::Invalid { .. }),
            "{text}"
        );
    }
    let mut deep = json!({});
    for _ in 0..40 {
        deep = json!({"filterGroups": [deep]});
    }
    assert!(matches!(error(deep), QueryError::Invalid { .. }));
    let mut asked = Asked::objects(&fixture);
    asked.order = vec![("nmae".to_owned(), false)];
    assert_eq!(asked.page().unwrap_err(), unknown("nmae"));
}
