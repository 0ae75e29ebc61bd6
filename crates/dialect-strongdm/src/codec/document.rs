// SPDX-License-Identifier: Apache-2.0
//! Messages that are no objects: JSON documents in the graph, with the fields' names in camelCase.

use prost_reflect::{DynamicMessage, Value as Wire};
use serde_json::{Map, Value as Json};

use super::{Shape, Table};
use crate::mapping::Meaning;
use crate::wire::{put_bytes, put_integer};

/// Appends a document as a message.
pub(super) fn write_document(out: &mut Vec<u8>, number: u32, table: &Table, json: &Json) {
    if let Json::Object(members) = json {
        let mut message = Vec::new();
        write_members(&mut message, table, members);
        put_bytes(out, number, &message);
    }
}

/// Appends a list of documents as messages.
pub(super) fn write_documents(out: &mut Vec<u8>, number: u32, table: &Table, json: &Json) {
    for item in json.as_array().into_iter().flatten() {
        write_document(out, number, table, item);
    }
}

fn write_members(out: &mut Vec<u8>, table: &Table, members: &Map<String, Json>) {
    for field in &table.fields {
        let Meaning::Property(name) = &field.meaning else {
            continue;
        };
        let number = field.number;
        match (&field.shape, members.get(name)) {
            (Shape::Text, Some(Json::String(text))) if !text.is_empty() => {
                put_bytes(out, number, text.as_bytes());
            }
            (Shape::Texts, Some(Json::Array(items))) => {
                for text in items.iter().filter_map(Json::as_str) {
                    put_bytes(out, number, text.as_bytes());
                }
            }
            (Shape::Integer, Some(Json::Number(integer))) => {
                put_integer(out, number, integer.as_i64().unwrap_or_default());
            }
            (Shape::Bool, Some(Json::Bool(flag))) => put_integer(out, number, i64::from(*flag)),
            (Shape::Document(table), Some(json)) => write_document(out, number, table, json),
            (Shape::Documents(table), Some(json)) => write_documents(out, number, table, json),
            _ => {}
        }
    }
}

/// A message as a document: without what is empty. `None` when all of it is.
pub(super) fn read_document(table: &Table, message: &DynamicMessage) -> Option<Json> {
    let mut members = Map::new();
    for field in &table.fields {
        let Meaning::Property(name) = &field.meaning else {
            continue;
        };
        if !message.has_field(&field.descriptor) {
            continue;
        }
        let value = message.get_field(&field.descriptor);
        if let Some(json) = read_value(&field.shape, &value) {
            members.insert(name.clone(), json);
        }
    }
    (!members.is_empty()).then_some(Json::Object(members))
}

/// Messages as a list of documents; `None` when there are none.
pub(super) fn read_documents(table: &Table, messages: &[Wire]) -> Option<Json> {
    let items = messages.iter().filter_map(Wire::as_message).map(|message| {
        let document = read_document(table, message);
        document.unwrap_or_else(|| Json::Object(Map::new()))
    });
    let items: Vec<Json> = items.collect();
    (!items.is_empty()).then_some(Json::Array(items))
}

fn read_value(shape: &Shape, value: &Wire) -> Option<Json> {
    match (shape, value) {
        (Shape::Text, Wire::String(text)) => Some(Json::from(text.as_str())),
        (Shape::Integer, Wire::I32(integer)) => Some(Json::from(*integer)),
        (Shape::Integer, Wire::I64(integer)) => Some(Json::from(*integer)),
        (Shape::Bool, Wire::Bool(flag)) => Some(Json::from(*flag)),
        (Shape::Texts, Wire::List(items)) => items.iter().map(Wire::as_str).collect(),
        (Shape::Document(table), Wire::Message(message)) => read_document(table, message),
        (Shape::Documents(table), Wire::List(items)) => read_documents(table, items),
        _ => None,
    }
}
