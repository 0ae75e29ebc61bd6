// SPDX-License-Identifier: Apache-2.0
//! `durward import aws`: the files become records, which are synchronized like a graph.

use durward_cloud::aws::AwsImport;
use durward_model::record::{EntityRecord, RelationshipRecord};
use serde_json::{Map, Value as Json};

use crate::arguments::ImportArguments;
use crate::command::import::graph;
use crate::input;

/// Reads all files and synchronizes what they describe.
pub(super) fn run(arguments: &ImportArguments, scope: &str) -> anyhow::Result<()> {
    let mut import = AwsImport::new();
    for path in &arguments.files {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        import.add_file(&name.unwrap_or_default(), &input::read_whole(path)?)?;
    }
    let records = import.finish()?;
    for warning in &records.warnings {
        eprintln!("warning: {warning}");
    }
    let mut lines = Vec::new();
    for record in records.entities.iter().map(entity_json) {
        serde_json::to_writer(&mut lines, &record)?;
        lines.push(b'\n');
    }
    for record in records.relationships.iter().map(relationship_json) {
        serde_json::to_writer(&mut lines, &record)?;
        lines.push(b'\n');
    }
    graph::synchronize(arguments, scope, lines, records.is_partial)
}

fn entity_json(record: &EntityRecord) -> Json {
    let mut members = properties(&record.properties);
    members.insert("_key".to_owned(), record.key.clone().into());
    members.insert("_type".to_owned(), record.entity_type.clone().into());
    members.insert("_class".to_owned(), record.classes.clone().into());
    Json::Object(members)
}

fn relationship_json(record: &RelationshipRecord) -> Json {
    let mut members = properties(&record.properties);
    members.insert("_key".to_owned(), record.key().into());
    members.insert("_type".to_owned(), record.relationship_type.clone().into());
    members.insert("_class".to_owned(), record.verb.clone().into());
    members.insert("_fromEntityKey".to_owned(), record.from_key.clone().into());
    members.insert("_toEntityKey".to_owned(), record.to_key.clone().into());
    Json::Object(members)
}

fn properties(properties: &[(String, durward_model::Value)]) -> Map<String, Json> {
    properties
        .iter()
        .map(|(name, value)| (name.clone(), value.to_json()))
        .collect()
}
