// SPDX-License-Identifier: Apache-2.0
//! Values that the catalog declares unique among the living entities of a type.

use std::collections::BTreeMap;

use durward_catalog::Catalog;
use durward_model::{EntityNumber, Value};
use hashbrown::HashMap;

use super::build::normalized;
use crate::view::View;

/// Who has which unique value, per type and property.
#[derive(Clone, Debug, Default)]
pub(super) struct UniqueIndex {
    rules: BTreeMap<String, Vec<Rule>>,
}

#[derive(Clone, Debug)]
struct Rule {
    property: String,
    is_folded: bool,
    owners: HashMap<String, EntityNumber>,
}

/// A unique value that was taken or given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UniqueChange {
    pub(super) entity_type: String,
    pub(super) property: String,
    pub(super) value: String,
    pub(super) owner: EntityNumber,
    pub(super) is_taken: bool,
}

impl UniqueIndex {
    /// Reads who has what from a state.
    pub(super) fn read(view: &View, catalog: &Catalog) -> Self {
        let mut rules = BTreeMap::new();
        for entry in catalog.types().filter(|entry| !entry.unique.is_empty()) {
            let of_type: Vec<Rule> = entry
                .unique
                .iter()
                .map(|unique| Rule {
                    property: unique.property.clone(),
                    is_folded: unique.fold,
                    owners: HashMap::new(),
                })
                .collect();
            rules.insert(entry.name.clone(), of_type);
        }
        let mut index = Self { rules };
        index.fill(view);
        index
    }

    fn fill(&mut self, view: &View) {
        for (name, rules) in &mut self.rules {
            let Some(type_id) = view.type_id(name) else {
                continue;
            };
            let live = view.live_rows(type_id);
            for rule in rules {
                let Some(property) = view.property_id(&rule.property) else {
                    continue;
                };
                let Some(column) = view.secret_column(type_id, property) else {
                    continue;
                };
                for row in &live {
                    if let Some(value) = comparable(&column.get(row), rule.is_folded) {
                        let number = view.entity_number(crate::EntityRef { type_id, row });
                        rule.owners.insert(value, number);
                    }
                }
            }
        }
    }

    /// The unique properties of a type; most types have none.
    pub(super) fn properties(&self, entity_type: &str) -> impl Iterator<Item = &str> {
        let rules = self.rules.get(entity_type).into_iter().flatten();
        rules.map(|rule| rule.property.as_str())
    }

    /// The form of a value in which it is compared; `None` for no value.
    pub(super) fn form(&self, entity_type: &str, property: &str, value: &Value) -> Option<String> {
        let rule = self.rule(entity_type, property)?;
        comparable(value, rule.is_folded)
    }

    /// Who has a value.
    pub(super) fn owner(
        &self,
        entity_type: &str,
        property: &str,
        form: &str,
    ) -> Option<EntityNumber> {
        self.rule(entity_type, property)?.owners.get(form).copied()
    }

    /// Takes changes over, those that give back first.
    pub(super) fn apply(&mut self, changes: Vec<UniqueChange>) {
        let (taken, given): (Vec<_>, Vec<_>) =
            changes.into_iter().partition(|change| change.is_taken);
        for change in given.into_iter().chain(taken) {
            let rules = self
                .rules
                .get_mut(&change.entity_type)
                .into_iter()
                .flatten();
            for rule in rules.filter(|rule| rule.property == change.property) {
                if change.is_taken {
                    rule.owners.insert(change.value.clone(), change.owner);
                } else if rule.owners.get(&change.value) == Some(&change.owner) {
                    rule.owners.remove(&change.value);
                }
            }
        }
    }

    fn rule(&self, entity_type: &str, property: &str) -> Option<&Rule> {
        self.rules
            .get(entity_type)?
            .iter()
            .find(|rule| rule.property == property)
    }
}

fn comparable(value: &Value, is_folded: bool) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => normalized(text).into_owned(),
        other => other.to_json().to_string(),
    };
    Some(if is_folded {
        normalized(&text.to_lowercase()).into_owned()
    } else {
        text
    })
}
