// SPDX-License-Identifier: Apache-2.0
//! Between messages of the wire and core objects.
//!
//! Answers are written straight from a table per message, made once at start: number of the field,
//! its form on the wire, and the property that it shows. Requests come in as decoded messages and
//! are read by the same tables.

pub(crate) mod decode;
mod document;
mod encode;
mod table;

use std::collections::HashMap;

use durward_access::Object;
use durward_model::{Instant, ObjectId, Value};

use crate::contract::{Contract, ContractError};
use crate::mapping::IdFields;
use crate::services::objects;
use crate::wire::put_bytes;

pub(crate) use encode::write_pair;
pub(crate) use table::{Field, Flow, Shape, Table};

/// Bytes for which there is room before a message grows.
const MESSAGE_BYTES_USUAL: usize = 512;

/// The messages of all nouns that are core objects.
#[derive(Debug)]
pub struct Codec {
    nouns: HashMap<&'static str, Noun>,
}

/// The message of one noun: one table, or one for each branch of a polymorphic wrapper.
#[derive(Debug)]
pub struct Noun {
    name: &'static str,
    prefix: &'static str,
    is_wrapper: bool,
    branches: HashMap<String, Branch>,
}

#[derive(Debug)]
pub(crate) struct Branch {
    /// Number of the branch in its wrapper.
    number: u32,
    pub(crate) table: Table,
}

/// What a message is written from.
#[derive(Clone, Copy, Debug)]
pub struct Item<'o> {
    /// The object.
    pub id: ObjectId,
    /// Its ends, where it is a relationship.
    pub ends: Option<(ObjectId, ObjectId)>,
    /// When it was made.
    pub created_at: Instant,
    /// Its properties, computed ones included.
    pub properties: &'o durward_access::Properties,
    /// The branch of a polymorphic noun (`user`, `postgres`); empty for others.
    pub branch: &'o str,
}

impl<'o> From<&'o Object> for Item<'o> {
    fn from(object: &'o Object) -> Self {
        Self {
            id: object.id,
            ends: object.ends,
            created_at: object.created_at,
            properties: &object.properties,
            branch: match object.kind.strongdm() {
                Some(name) if name.branch_property.is_empty() => &name.branch,
                Some(name) => object.text(&name.branch_property),
                None => "",
            },
        }
    }
}

impl Item<'_> {
    pub(crate) fn value(&self, property: &str) -> Option<&Value> {
        self.properties.get(property)
    }
}

impl Codec {
    /// Makes the tables.
    ///
    /// # Errors
    /// When the contract lacks one of the nouns.
    pub fn load(contract: &Contract) -> Result<Self, ContractError> {
        let mut nouns = HashMap::new();
        for service in objects::all() {
            let noun = Noun::load(contract, service.noun, service.id_fields())?;
            nouns.insert(service.noun, noun);
        }
        Ok(Self { nouns })
    }

    /// A noun such as `Account`; `None` when it is no core object.
    pub fn noun(&self, name: &str) -> Option<&Noun> {
        self.nouns.get(name)
    }
}

impl Noun {
    fn load(contract: &Contract, name: &'static str, ids: IdFields) -> Result<Self, ContractError> {
        let message = contract.message(name)?;
        let is_wrapper = contract.wrapper(&message).is_some();
        let mut branches = HashMap::new();
        if is_wrapper {
            for field in message.fields() {
                let prost_reflect::Kind::Message(of_branch) = field.kind() else {
                    continue;
                };
                let table = Table::of_noun(contract, &of_branch, ids);
                let number = field.number();
                branches.insert(field.name().to_owned(), Branch { number, table });
            }
        } else {
            let table = Table::of_noun(contract, &message, ids);
            branches.insert(String::new(), Branch { number: 0, table });
        }
        Ok(Self {
            name,
            prefix: ids.prefix,
            is_wrapper,
            branches,
        })
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What its ids begin with.
    pub fn prefix(&self) -> &'static str {
        self.prefix
    }

    /// Whether its objects can be shown at all: those of kinds that only other dialects have
    /// cannot, and are left out of lists.
    pub fn shows(&self, branch: &str) -> bool {
        self.branches.contains_key(branch)
    }

    /// The names of the branches of a polymorphic noun, in no order.
    pub fn branch_names(&self) -> impl Iterator<Item = &str> {
        let names = self.branches.keys().map(String::as_str);
        names.filter(|name| !name.is_empty())
    }

    pub(crate) fn branch(&self, name: &str) -> Option<&Branch> {
        self.branches.get(name)
    }

    pub(crate) fn is_wrapper(&self) -> bool {
        self.is_wrapper
    }

    /// The message of an item; `None` when the item cannot be shown.
    pub fn encode(&self, item: &Item<'_>) -> Option<Vec<u8>> {
        let branch = self.branches.get(item.branch)?;
        let mut message = Vec::with_capacity(MESSAGE_BYTES_USUAL);
        encode::write_message(&mut message, &branch.table, item);
        if !self.is_wrapper {
            return Some(message);
        }
        let mut wrapper = Vec::with_capacity(message.len() + 8);
        put_bytes(&mut wrapper, branch.number, &message);
        Some(wrapper)
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]
mod tests;
