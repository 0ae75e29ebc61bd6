// SPDX-License-Identifier: Apache-2.0
//! What the fields of a kind of entity mean, told by the contract.

use std::collections::BTreeMap;

use durward_catalog::kinds::property;
use durward_model::Value;
use durward_query::plan::Property;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::folded;
use crate::contract::Contract;
use crate::mapping;

/// One sort of entity that a list may hold: a branch of a polymorphic noun, or the only one.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// Name of its branch, such as `postgres`; empty where there is but one sort.
    pub name: String,
    /// Type of its entities in the graph.
    pub entity_type: &'static str,
    /// A property that tells it from other entities of this type.
    pub only: Option<(&'static str, Value)>,
    /// What `category:` calls it; empty where that says nothing.
    pub category: &'static str,
}

/// What a filter field means.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// The id.
    Id,
    /// A text, or a list of texts.
    Text(Property),
    /// Whether something is so.
    Truth(Property),
    /// A number.
    Number(Property),
    /// A moment.
    Time(Property),
}

/// A field, and which branches have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// What it means.
    pub meaning: Meaning,
    /// Positions of the branches that have it.
    pub branches: Vec<usize>,
}

/// The fields by which a list can be filtered and ordered.
#[derive(Clone, Debug)]
pub struct Fields {
    /// What ids begin with.
    pub id_prefix: String,
    /// What the list may hold.
    pub branches: Vec<Branch>,
    /// Whether `type:` tells the branches apart.
    pub has_types: bool,
    /// Property that marks the roles that an organization is born with. Lists leave them out
    /// unless a filter names them: a script that changes or deletes all that it lists must not
    /// come upon what cannot change.
    pub built_in: Option<&'static str>,
    pub(crate) by_name: BTreeMap<String, Field>,
}

impl Fields {
    /// The fields of a noun. `branch` says how a branch of it, by name and message, lies in the
    /// graph; `None` leaves it out.
    pub fn of(
        contract: &Contract,
        noun: &MessageDescriptor,
        id_prefix: &str,
        branch: impl Fn(&str) -> Option<Branch>,
    ) -> Self {
        let mut fields = Self {
            id_prefix: id_prefix.to_owned(),
            branches: Vec::new(),
            has_types: contract.wrapper(noun).is_some(),
            built_in: (noun.name() == "Role").then_some(property::BUILT_IN),
            by_name: BTreeMap::new(),
        };
        if !fields.has_types {
            fields.add(contract, branch(""), noun);
            return fields;
        }
        let wrapper = contract.wrapper(noun).unwrap_or_default();
        for oneof in noun.oneofs().filter(|oneof| oneof.name() == wrapper) {
            for field in oneof.fields() {
                if let Kind::Message(message) = field.kind() {
                    fields.add(contract, branch(field.name()), &message);
                }
            }
        }
        fields
    }

    fn add(&mut self, contract: &Contract, branch: Option<Branch>, message: &MessageDescriptor) {
        let Some(branch) = branch else {
            return;
        };
        let position = self.branches.len();
        self.branches.push(branch);
        for descriptor in message.fields() {
            if contract.flags(&descriptor).write_only {
                continue;
            }
            let Some(meaning) = meaning(&descriptor) else {
                continue;
            };
            let entry = self.by_name.entry(folded(descriptor.name()));
            let field = entry.or_insert_with(|| Field {
                meaning,
                branches: Vec::new(),
            });
            if field.branches.last() != Some(&position) {
                field.branches.push(position);
            }
        }
    }

    /// The field of this name, in any spelling.
    pub fn named(&self, name: &str) -> Option<&Field> {
        self.by_name.get(&folded(name))
    }
}

fn meaning(field: &FieldDescriptor) -> Option<Meaning> {
    let property = property(field.parent_message().name(), field.name());
    Some(match field.kind() {
        Kind::String if field.name() == "id" => Meaning::Id,
        Kind::String => Meaning::Text(property),
        Kind::Bool => Meaning::Truth(property),
        Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 | Kind::Double | Kind::Float => {
            Meaning::Number(property)
        }
        Kind::Message(message) if message.full_name() == "google.protobuf.Timestamp" => {
            Meaning::Time(property)
        }
        _ => return None,
    })
}

/// The property in which a field of a message is kept.
fn property(message: &str, field: &str) -> Property {
    match field {
        "created_at" => Property::of("_createdOn"),
        _ => Property::of(&mapping::property(message, field)),
    }
}
