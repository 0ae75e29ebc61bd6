// SPDX-License-Identifier: Apache-2.0
//! The company of the worked examples: a handful of people, roles, data stores and findings.

use durward_model::{Instant, Value};
use serde_json::json;

use crate::fixture::{Edit, Fixture, Properties};

/// What `date.now` means in the examples: 2026-01-01T00:00:00Z.
pub(super) const NOW: Instant = Instant::from_millis(1_767_225_600_000);

/// Ids, classes, types and properties; dates count from [`NOW`] in days.
const ENTITIES: &[(&str, &[&str], &str, &str)] = &[
    (
        "u1",
        &["User"],
        "okta_user",
        r#"{"displayName":"alice","username":"alice","email":"alice@x.io","active":true,"mfaEnabled":true,"createdOn":1732665600000}"#,
    ),
    (
        "u2",
        &["User"],
        "okta_user",
        r#"{"displayName":"bob","username":"bob","email":"bob@x.io","active":true,"mfaEnabled":false,"createdOn":1766966400000}"#,
    ),
    (
        "u3",
        &["User"],
        "aws_iam_user",
        r#"{"displayName":"ci-bot","username":"ci-bot","active":false,"createdOn":1763769600000}"#,
    ),
    (
        "p1",
        &["Person"],
        "employee",
        r#"{"displayName":"Alice A","firstName":"Alice","email":["alice@x.io","aa@home.io"]}"#,
    ),
    (
        "p2",
        &["Person"],
        "employee",
        r#"{"displayName":"Bob B","firstName":"Bob","email":["bob@x.io"],"manager":"Alice A"}"#,
    ),
    (
        "g1",
        &["UserGroup"],
        "okta_user_group",
        r#"{"displayName":"admins"}"#,
    ),
    (
        "r1",
        &["AccessRole"],
        "aws_iam_role",
        r#"{"displayName":"AdminRole"}"#,
    ),
    (
        "r2",
        &["AccessRole"],
        "aws_iam_role",
        r#"{"displayName":"ReadRole"}"#,
    ),
    (
        "ap1",
        &["AccessPolicy"],
        "aws_iam_policy",
        r#"{"displayName":"AdminPolicy","admin":true}"#,
    ),
    (
        "d1",
        &["DataStore"],
        "aws_s3_bucket",
        r#"{"displayName":"logs","encrypted":true,"classification":"critical","sizeGb":100,"tag.Production":true,"tag.Owner":"sec"}"#,
    ),
    (
        "d2",
        &["DataStore"],
        "aws_s3_bucket",
        r#"{"displayName":"tmp","classification":"internal","sizeGb":50,"tag.Production":false}"#,
    ),
    (
        "d3",
        &["DataStore", "Database"],
        "aws_rds_cluster",
        r#"{"displayName":"orders","encrypted":false,"classification":"critical","sizeGb":200,"tag.Production":true}"#,
    ),
    (
        "h1",
        &["Host"],
        "aws_instance",
        r#"{"displayName":"web-1","ipAddress":["10.0.0.5","54.1.2.3"],"platform":"linux"}"#,
    ),
    (
        "dv1",
        &["Device"],
        "user_endpoint",
        r#"{"displayName":"alice-mac","platform":"darwin"}"#,
    ),
    (
        "dv2",
        &["Device"],
        "user_endpoint",
        r#"{"displayName":"bob-pc","platform":"windows"}"#,
    ),
    (
        "f1",
        &["Finding"],
        "aws_inspector_finding",
        r#"{"displayName":"CVE-1","severity":"high","numericSeverity":8,"open":true}"#,
    ),
    (
        "f2",
        &["Finding"],
        "aws_inspector_finding",
        r#"{"displayName":"CVE-2","severity":"low","numericSeverity":2,"open":true}"#,
    ),
    (
        "ac1",
        &["Account"],
        "aws_account",
        r#"{"displayName":"prod"}"#,
    ),
];

/// Ids, ends, verbs and properties.
const RELATIONSHIPS: &[(&str, &str, &str, &str, &str)] = &[
    ("e01", "u1", "IS", "p1", "{}"),
    ("e02", "u2", "IS", "p2", "{}"),
    ("e03", "g1", "HAS", "u1", "{}"),
    ("e04", "g1", "HAS", "u2", "{}"),
    ("e05", "g1", "ASSIGNED", "r1", "{}"),
    ("e06", "u2", "ASSIGNED", "r2", "{}"),
    ("e07", "u3", "ASSIGNED", "r1", "{}"),
    ("e08", "r1", "ASSIGNED", "ap1", "{}"),
    (
        "e09",
        "ap1",
        "ALLOWS",
        "d1",
        r#"{"permission":"s3:*","admin":true}"#,
    ),
    (
        "e10",
        "ap1",
        "ALLOWS",
        "d3",
        r#"{"permission":"rds:Describe","admin":false}"#,
    ),
    ("e11", "p1", "OWNS", "dv1", "{}"),
    ("e12", "u2", "OWNS", "dv2", "{}"),
    ("e13", "ac1", "HAS", "d1", "{}"),
    ("e14", "ac1", "HAS", "d2", "{}"),
    ("e15", "ac1", "HAS", "d3", "{}"),
    ("e16", "ac1", "HAS", "h1", "{}"),
    ("e17", "h1", "HAS", "f1", "{}"),
    ("e18", "h1", "HAS", "f2", "{}"),
    ("e19", "d3", "HAS", "f1", "{}"),
];

fn properties(text: &str) -> Properties {
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    let members = json.as_object().unwrap().iter();
    members
        .map(|(name, value)| (name.clone(), Value::from_json(value).unwrap()))
        .collect()
}

/// The graph, with the short names of entities and relationships by their public ids.
pub(super) struct Company {
    pub(super) fixture: Fixture,
    names: Vec<(String, &'static str)>,
}

impl Company {
    pub(super) fn new() -> Self {
        let mut fixture = Fixture::new();
        let mut edits = Vec::new();
        for (id, classes, entity_type, text) in ENTITIES {
            edits.push(Edit::Create {
                key: format!("key:{id}"),
                entity_type: (*entity_type).to_owned(),
                classes: classes.iter().map(|class| (*class).to_owned()).collect(),
                properties: properties(text),
            });
        }
        fixture.commit(&edits);
        let number = |id: &str| ENTITIES.iter().position(|entity| entity.0 == id).unwrap() as u32;
        let relate = |(_, from, verb, to, text): &(&str, &str, &str, &str, &str)| Edit::Relate {
            from: number(from),
            verb: (*verb).to_owned(),
            to: number(to),
            properties: properties(text),
        };
        let edits: Vec<Edit> = RELATIONSHIPS.iter().map(relate).collect();
        fixture.commit(&edits);
        let entities = ENTITIES
            .iter()
            .enumerate()
            .map(|(number, entity)| (fixture.entity_uuid(number as u32), entity.0));
        let edges = RELATIONSHIPS
            .iter()
            .enumerate()
            .map(|(number, edge)| (fixture.edge_uuid(number as u32), edge.0));
        let names = entities.chain(edges).collect();
        Self { fixture, names }
    }

    /// The short name of a public id.
    pub(super) fn name(&self, id: &serde_json::Value) -> &'static str {
        let id = id.as_str().unwrap();
        self.names
            .iter()
            .find(|(uuid, _)| uuid == id)
            .map_or("?", |(_, name)| *name)
    }

    /// The public id of a short name.
    pub(super) fn id(&self, name: &str) -> String {
        self.names
            .iter()
            .find(|(_, own)| *own == name)
            .unwrap()
            .0
            .clone()
    }
}

/// The one parameter of the examples.
pub(super) fn parameter() -> Value {
    Value::from_json(&json!(["critical", "restricted"])).unwrap()
}
