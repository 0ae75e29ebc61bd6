// SPDX-License-Identifier: Apache-2.0
//! A small set of threat intelligence, and lists of it.

use durward_graph::ObjectRef;
use durward_model::Namespace;
use serde_json::Value as Json;

use crate::error::QueryError;
use crate::filter_group::{
    FilterGroup, KeyMeaning, KeyTable, ListRequest, ListSubject, SearchFields, list,
};
use crate::fixture::{Edit, Fixture, committed_at};
use crate::plan::Way;
use crate::{CursorKey, RunOptions};

/// Keys, types and properties; key n gets number n.
const OBJECTS: &[(&str, &str, &str)] = &[
    (
        "malware--1",
        "malware",
        r#"{"name": "Emotet", "aliases": ["Heodo", "Geodo"], "score": 80, "is_family": true,
            "first_seen": "2014-06-01T00:00:00Z", "description": "a banking trojan", "kin": "Loader"}"#,
    ),
    (
        "malware--2",
        "malware",
        r#"{"name": "TrickBot", "score": 60, "aliases": [], "kin": "Stealer"}"#,
    ),
    (
        "tool--1",
        "tool",
        r#"{"name": "Mimikatz", "description": "used beside Emotet", "score": 40,
            "kin": "Loader"}"#,
    ),
    (
        "intrusion-set--1",
        "intrusion_set",
        r#"{"name": "Mummy Spider"}"#,
    ),
    ("identity--1", "identity", r#"{"name": "ACME Research"}"#),
    (
        "marking--green",
        "marking_definition",
        r#"{"definition": "TLP:GREEN"}"#,
    ),
    (
        "marking--red",
        "marking_definition",
        r#"{"definition": "TLP:RED"}"#,
    ),
    ("label--trojan", "label", r#"{"value": "trojan"}"#),
    (
        "phase--1",
        "kill_chain_phase",
        r#"{"kill_chain_name": "mitre-attack"}"#,
    ),
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

pub(super) fn fixture() -> Fixture {
    let mut fixture = Fixture::new();
    let properties = |text: &str| {
        let json: Json = serde_json::from_str(text).unwrap();
        let members = json.as_object().unwrap().iter();
        members
            .map(|(name, value)| {
                (
                    name.clone(),
                    durward_model::Value::from_json(value).unwrap(),
                )
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

pub(super) fn table() -> KeyTable {
    let mut table = KeyTable::default()
        .with_properties([
            "name",
            "score",
            "is_family",
            "first_seen",
            "description",
            "confidence",
        ])
        .with(
            "alias",
            KeyMeaning::Properties(vec!["aliases".to_owned(), "other".to_owned()]),
        )
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
    let types = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    table
        .types
        .insert("malware".to_owned(), types(&["malware"]));
    table
        .types
        .insert("intrusion-set".to_owned(), types(&["intrusion_set"]));
    table.types.insert("tool".to_owned(), types(&["tool"]));
    table.types.insert(
        "stix-domain-object".to_owned(),
        types(&["malware", "tool", "intrusion_set"]),
    );
    table.within.property = "kin".to_owned();
    for kind in ["Loader", "Stealer"] {
        let means = ("malware".to_owned(), kind.to_owned());
        table.within.kinds.insert(kind.to_lowercase(), means);
    }
    table.verbs.insert(
        "stix-core-relationship".to_owned(),
        types(&["USES", "RELATED_TO"]),
    );
    table.namespaces.push(Namespace::new("api", "test"));
    table
}

pub(super) struct Asked<'a> {
    pub(super) fixture: &'a Fixture,
    pub(super) subject: ListSubject,
    pub(super) filters: Json,
    pub(super) search: Option<&'a str>,
    pub(super) order: Vec<(String, bool)>,
    pub(super) options: RunOptions,
    pub(super) first: u64,
}

impl<'a> Asked<'a> {
    pub(super) fn objects(fixture: &'a Fixture) -> Self {
        let types = ["malware", "tool", "intrusion_set"]
            .map(str::to_owned)
            .to_vec();
        Self::new(fixture, ListSubject::Entities(types))
    }

    pub(super) fn relationships(fixture: &'a Fixture) -> Self {
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

    pub(super) fn page(&self) -> Result<crate::ObjectPage, QueryError> {
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
        list(
            &self.fixture.snapshot.view(None),
            &request,
            &self.options,
            self.first,
        )
    }

    /// Keys of the objects.
    pub(super) fn keys(&self) -> Vec<String> {
        let view = self.fixture.snapshot.view(None);
        let key = |object: &ObjectRef| match object {
            ObjectRef::Entity(entity) => view.key(*entity),
            ObjectRef::Edge(edge) => view.edge_key(*edge),
        };
        let page = self
            .page()
            .unwrap_or_else(|error| panic!("{}: {error}", self.filters));
        assert_eq!(page.total_count as usize, page.objects.len());
        page.objects.iter().map(key).collect()
    }
}
