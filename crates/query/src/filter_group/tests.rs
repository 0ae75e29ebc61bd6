// SPDX-License-Identifier: Apache-2.0
//! Filters over a small set of threat intelligence.

use durward_graph::ObjectRef;
use durward_model::Namespace;
use serde_json::{Value as Json, json};

use super::{FilterGroup, KeyMeaning, KeyTable, ListRequest, ListSubject, SearchFields, list};
use crate::error::QueryError;
use crate::fixture::{Edit, Fixture, committed_at};
use crate::plan::Way;
use crate::{CursorKey, RowCondition, RunOptions};

/// Keys, types and properties; key n gets number n.
const OBJECTS: &[(&str, &str, &str)] = &[
    (
        "malware--1",
        "malware",
        r#"{"name": "Emotet", "aliases": ["Heodo", "Geodo"], "score": 80, "is_family": true,
            "first_seen": "2014-06-01T00:00:00Z", "description": "a banking trojan"}"#,
    ),
    ("malware--2", "malware", r#"{"name": "TrickBot", "score": 60, "aliases": []}"#),
    ("tool--1", "tool", r#"{"name": "Mimikatz", "description": "used beside Emotet", "score": 40}"#),
    ("intrusion-set--1", "intrusion_set", r#"{"name": "Mummy Spider"}"#),
    ("identity--1", "identity", r#"{"name": "ACME Research"}"#),
    ("marking--green", "marking_definition", r#"{"definition": "TLP:GREEN"}"#),
    ("marking--red", "marking_definition", r#"{"definition": "TLP:RED"}"#),
    ("label--trojan", "label", r#"{"value": "trojan"}"#),
    ("phase--1", "kill_chain_phase", r#"{"kill_chain_name": "mitre-attack"}"#),
];

/// Ends, verbs and properties; numbers of objects.
const LINKS: &[(u32, &str, u32, &str)] = &[
    (0, "MARKED", 5, "{}"),
    (1, "MARKED", 6, "{}"),
    (1, "MARKED", 5, "{}"),
    (0, "CREATED_BY", 4, "{}"),
    (0, "LABELED", 7, "{}"),
    (2, "IN_PHASE", 8, "{}"),
    (3, "USES", 0, r#"{"confidence": 75}"#),
    (3, "USES", 2, r#"{"confidence": 25}"#),
    (0, "RELATED_TO", 1, "{}"),
];

fn fixture() -> Fixture {
    let mut fixture = Fixture::new();
    let properties = |text: &str| {
        let json: Json = serde_json::from_str(text).unwrap();
        let members = json.as_object().unwrap().iter();
        members
            .map(|(name, value)| {
                (name.clone(), durward_model::Value::from_json(value).unwrap())
            })
            .collect::<Vec<_>>()
    };
    let objects = OBJECTS.iter().map(|(key, entity_type, text)| Edit::Create {
        key: (*key).to_owned(),
        entity_type: (*entity_type).to_owned(),
        classes: vec!["StixObject".to_owned()],
        properties: properties(text),
    });
    fixture.commit(&objects.collect::<Vec<_>>());
    let links = LINKS.iter().map(|(from, verb, to, text)| Edit::Relate {
        from: *from,
        verb: (*verb).to_owned(),
        to: *to,
        properties: properties(text),
    });
    fixture.commit(&links.collect::<Vec<_>>());
    fixture
}

fn table() -> KeyTable {
    let mut table = KeyTable::default()
        .with_properties(["name", "score", "is_family", "first_seen", "description", "confidence"])
        .with("alias", KeyMeaning::Properties(vec!["aliases".to_owned(), "other".to_owned()]))
        .with_reference("objectMarking", "MARKED", Way::Out)
        .with_reference("objectLabel", "LABELED", Way::Out)
        .with_reference("createdBy", "CREATED_BY", Way::Out);
    let phase = KeyMeaning::ReferenceProperty {
        verbs: vec!["IN_PHASE".to_owned()],
        way: Way::Out,
        properties: vec!["kill_chain_name".to_owned()],
    };
    for (key, meaning) in [
        ("killChainName", phase),
        ("ids", KeyMeaning::Ids),
        ("entity_type", KeyMeaning::EntityType),
        ("relationship_type", KeyMeaning::RelationshipType),
        ("fromId", KeyMeaning::FromId),
        ("toId", KeyMeaning::ToId),
        ("fromOrToId", KeyMeaning::FromOrToId),
        ("fromTypes", KeyMeaning::FromTypes),
        ("toTypes", KeyMeaning::ToTypes),
        ("elementWithTargetTypes", KeyMeaning::FromOrToTypes),
        ("regardingOf", KeyMeaning::RegardingOf),
        ("dynamicRegardingOf", KeyMeaning::DynamicRegardingOf),
        ("dynamicTo", KeyMeaning::DynamicTo),
        ("connectedToId", KeyMeaning::ConnectedTo),
        ("workflow_id", KeyMeaning::NotSupported),
    ] {
        table = table.with(key, meaning);
    }
    let types = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    table.types.insert("malware".to_owned(), types(&["malware"]));
    table.types.insert("intrusion-set".to_owned(), types(&["intrusion_set"]));
    table.types.insert("tool".to_owned(), types(&["tool"]));
    table
        .types
        .insert("stix-domain-object".to_owned(), types(&["malware", "tool", "intrusion_set"]));
    table
        .verbs
        .insert("stix-core-relationship".to_owned(), types(&["USES", "RELATED_TO"]));
    table.namespaces.push(Namespace::new("api", "test"));
    table
}

struct Asked<'a> {
    fixture: &'a Fixture,
    subject: ListSubject,
    filters: Json,
    search: Option<&'a str>,
    order: Vec<(String, bool)>,
    options: RunOptions,
    first: u64,
}

impl<'a> Asked<'a> {
    fn objects(fixture: &'a Fixture) -> Self {
        let types = ["malware", "tool", "intrusion_set"].map(str::to_owned).to_vec();
        Self::new(fixture, ListSubject::Entities(types))
    }

    fn relationships(fixture: &'a Fixture) -> Self {
        let verbs = vec!["USES".to_owned(), "RELATED_TO".to_owned()];
        Self::new(fixture, ListSubject::Relationships(verbs))
    }

    fn new(fixture: &'a Fixture, subject: ListSubject) -> Self {
        let options = RunOptions::new(committed_at(2), CursorKey::new(b"k"));
        Self {
            fixture,
            subject,
            filters: Json::Null,
            search: None,
            order: Vec::new(),
            options,
            first: 100,
        }
    }

    fn page(&self) -> Result<crate::ObjectPage, QueryError> {
        let group = FilterGroup::from_json(&self.filters)?;
        let fields = SearchFields {
            exact: vec!["name".to_owned()],
            near: vec!["aliases".to_owned(), "description".to_owned()],
        };
        let request = ListRequest {
            subject: self.subject.clone(),
            filters: Some(&group),
            search: self.search,
            search_fields: &fields,
            order: &self.order,
            table: &table(),
        };
        list(&self.fixture.snapshot.view(None), &request, &self.options, self.first)
    }

    /// Keys of the objects.
    fn keys(&self) -> Vec<String> {
        let view = self.fixture.snapshot.view(None);
        let key = |object: &ObjectRef| match object {
            ObjectRef::Entity(entity) => view.key(*entity),
            ObjectRef::Edge(edge) => view.edge_key(*edge),
        };
        let page = self.page().unwrap_or_else(|error| panic!("{}: {error}", self.filters));
        assert_eq!(page.total_count as usize, page.objects.len());
        page.objects.iter().map(key).collect()
    }
}

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
        ("name", "not_eq", "or", json!(["Emotet", "Mimikatz"]), "SETM"),
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
        ("first_seen", "lt", "or", json!(["2015-01-01T00:00:00Z"]), "E"),
        ("first_seen", "gt", "or", json!(["now-1y"]), ""),
        ("first_seen", "within", "or", json!(["2014-01-01", "now"]), "E"),
        ("name", "contains", "or", json!(["y sp"]), "S"),
        ("name", "not_contains", "and", json!(["bot", "spider"]), "EM"),
        ("name", "starts_with", "or", json!(["m"]), "SM"),
        ("name", "not_starts_with", "or", json!(["m"]), "ET"),
        ("name", "ends_with", "or", json!(["T"]), "ET"),
        ("name", "not_ends_with", "and", json!(["t"]), "SM"),
        ("name", "wildcard", "or", json!(["m*i?er"]), "S"),
        ("description", "search", "or", json!(["emotet used"]), "M"),
        ("description", "match", "or", json!(["trojan used"]), "EM"),
        ("killChainName", "eq", "or", json!(["Mitre-Attack"]), "M"),
        ("killChainName", "not_eq", "or", json!(["mitre-attack"]), "SET"),
        ("killChainName", "nil", "or", json!([]), "SET"),
        ("entity_type", "eq", "or", json!(["Malware", "Nonsense"]), "ET"),
        ("entity_type", "not_eq", "and", json!(["Malware"]), "SM"),
        ("entity_type", "eq", "or", json!(["Stix-Domain-Object"]), "SETM"),
        ("ids", "eq", "or", json!(["malware--2", "tool--1", "nobody"]), "TM"),
        ("objectMarking", "eq", "or", json!(["marking--green"]), "ET"),
        ("objectMarking", "eq", "and", json!(["marking--green", "marking--red"]), "T"),
        ("objectMarking", "not_eq", "or", json!(["marking--green", "marking--red"]), "SEM"),
        ("objectMarking", "not_eq", "and", json!(["marking--green", "marking--red"]), "SM"),
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
    assert_eq!(regarding(json!([uses, {"key": "is_inferred", "values": [true]}])), "");
    assert_eq!(found(&fixture, "regardingOf", "not_eq", "or", json!([uses])), "T");
    let dynamic = json!([
        {"key": "relationship_type", "values": ["uses"]},
        {"key": "dynamic", "values": [filter("score", "gt", "or", json!([50]))]},
    ]);
    assert_eq!(found(&fixture, "dynamicRegardingOf", "eq", "or", dynamic), "S");
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
    assert_eq!(edges(eq("toId", json!(["malware--1", "malware--2"]))), [one, three]);
    assert_eq!(edges(eq("fromOrToId", json!(["malware--1"]))), [one, three]);
    assert_eq!(edges(eq("fromTypes", json!(["Malware"]))), [three]);
    assert_eq!(edges(eq("toTypes", json!(["Tool"]))), [two]);
    assert_eq!(edges(eq("elementWithTargetTypes", json!(["Malware"]))), [one, three]);
    assert_eq!(edges(eq("relationship_type", json!(["related-to"]))), [three]);
    assert_eq!(edges(eq("relationship_type", json!(["stix-core-relationship"]))).len(), 3);
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
    assert_eq!(asked.keys(), ["malware--1", "malware--2", "tool--1", "intrusion-set--1"]);
    asked.order = vec![("name".to_owned(), false)];
    asked.first = 3;
    let first = asked.page().unwrap();
    assert_eq!((first.objects.len(), first.total_count, first.has_more), (3, 4, true));
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
    assert_eq!((names, second.has_more), (vec!["malware--2".to_owned()], false));
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
    let unknown = |key: &str| QueryError::UnknownKey { key: key.to_owned() };
    assert_eq!(error(one("nmae", "eq", json!(["x"]))), unknown("nmae"));
    assert_eq!(error(one("fromId", "eq", json!(["x"]))), unknown("fromId"));
    assert_eq!(
        error(one("regardingOf", "eq", json!([{"key": "nose", "values": []}]))),
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
        assert!(matches!(error(filters), QueryError::Invalid { .. }), "{text}");
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
