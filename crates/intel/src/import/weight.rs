// SPDX-License-Identifier: Apache-2.0
//! What the parts of a draft take in memory.

use durward_graph::store::Operation;
use durward_model::Value;

/// What an operation costs the writer beside itself, until it is in the journal.
const WRITTEN_BYTES: usize = 256;
/// What a text costs beside what it says.
pub(super) const TEXT_BYTES: usize = 24;

/// Roughly how many bytes an operation takes until it is written.
pub(super) fn operation_bytes(operation: &Operation) -> usize {
    let text = |text: &str| TEXT_BYTES + text.len();
    let all = |properties: &[(String, Value)]| -> usize {
        let each = properties.iter();
        each.map(|(name, value)| size_of::<(String, Value)>() + text(name) + value.byte_size())
            .sum()
    };
    let held = match operation {
        Operation::PutEntity {
            entity_type,
            classes,
            key,
            properties,
            ..
        } => {
            let classes = classes.iter().flatten();
            let classes = classes.map(|class| size_of::<String>() + text(class));
            text(entity_type) + text(key) + classes.sum::<usize>() + all(properties)
        }
        Operation::PatchEntity { set, .. } | Operation::PatchRelationship { set, .. } => all(set),
        Operation::PutRelationship {
            verb,
            relationship_type,
            key,
            properties,
            ..
        } => {
            let key = key.as_deref().map_or(0, text);
            text(verb) + text(relationship_type) + key + all(properties)
        }
        Operation::AddAlias { alias, .. } => text(alias),
        _ => 0,
    };
    size_of::<Operation>() + held + WRITTEN_BYTES
}
