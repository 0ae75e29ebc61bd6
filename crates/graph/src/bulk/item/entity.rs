// SPDX-License-Identifier: Apache-2.0
//! Entities as rows.

use durward_catalog::OPENCTI_TYPE;
use durward_model::StringArena;
use durward_model::limits::{CLASSES_MAX, KEY_BYTES_MAX, NAME_BYTES_MAX};
use serde_json::Value as Json;

use super::columns::{Columns, check_cells};
use super::{
    GROUPS_MAX, ItemError, ItemRules, PartBuilder, check_name, check_size, living, normalized,
    note, skip_reserved, text,
};
use crate::bulk::columns::permuted;
use crate::bulk::part::EntityGroup;
use crate::bulk::scan::{Members, Scalar, split_texts};

#[derive(Debug)]
pub(super) struct EntityRows {
    pub(super) entity_type: String,
    pub(super) class: ClassText,
    pub(super) classes: Option<Vec<String>>,
    pub(super) by_id: bool,
    /// The property that is worked out for entities of the type.
    derived: Option<&'static str>,
    pub(super) keys: StringArena,
    pub(super) columns: Columns,
    /// Rows of items that turned out to be wrong, ascending.
    pub(super) dead: Vec<u32>,
}

impl EntityRows {
    /// The group without its dead rows.
    pub(super) fn finish(self) -> EntityGroup {
        let rows = self.keys.len();
        let (mut columns, mut nulls) = self.columns.finish(rows);
        let mut keys = self.keys;
        if !self.dead.is_empty() {
            let kept = living(rows, &self.dead);
            for column in &mut columns {
                column.values = permuted(&column.values, &kept);
            }
            nulls = nulls
                .into_iter()
                .filter_map(|(row, column)| {
                    let row = kept.binary_search(&row).ok()?;
                    Some((row as u32, column))
                })
                .collect();
            keys = some_of(&keys, &kept);
        }
        EntityGroup {
            entity_type: self.entity_type,
            classes: self.classes,
            by_id: self.by_id,
            keys,
            columns,
            nulls,
        }
    }
}

/// Some strings of an arena.
pub(super) fn some_of(arena: &StringArena, rows: &[u32]) -> StringArena {
    let mut kept = StringArena::new();
    for row in rows {
        // Some of the strings of an arena fit into another.
        let _ = kept.push(arena.get(*row as usize).unwrap_or_default());
    }
    kept
}

/// The JSON form in which the classes were given, by which rows of a group are recognized.
#[derive(Debug, PartialEq)]
pub(super) enum ClassText {
    None,
    One(String),
    List(String),
}

impl PartBuilder<'_> {
    /// Adds the entity of these members.
    pub fn entity(&mut self, members: &Members<'_>) -> Result<(), ItemError> {
        let (mut key, mut id, mut entity_type, mut class) = (None, None, None, None);
        check_size(members)?;
        for (name, value) in members {
            match name.as_ref() {
                "_key" => key = Some(text(value, "_key", KEY_BYTES_MAX)?),
                "_type" => entity_type = Some(text(value, "_type", NAME_BYTES_MAX)?),
                "_class" => class = Some(value),
                "_id" if self.rules.patch => id = Some(text(value, "_id", KEY_BYTES_MAX)?),
                _ => {}
            }
        }
        let patch = self.rules.patch;
        let (name, by_id) = match (key, id) {
            (_, Some(id)) => (id, true),
            (Some(key), None) => (key, false),
            (None, None) => return Err(ItemError::Missing("_key")),
        };
        let entity_type = match entity_type {
            Some(entity_type) => entity_type,
            None if patch => "",
            None => return Err(ItemError::Missing("_type")),
        };
        let at = self.entity_rows(entity_type, class, by_id)?;
        let Some(rows) = self.entities.get_mut(at) else {
            return Err(ItemError::Full);
        };
        let row = rows.keys.len();
        rows.keys
            .push(&normalized(name))
            .map_err(|_| ItemError::Full)?;
        let before = rows.columns.cells(row);
        let filled = fill(rows, row, members, self.rules, &mut self.ignored);
        if filled.is_err() {
            rows.dead.push(row as u32);
        }
        self.cells += rows.columns.cells(row + 1) - before;
        filled?;
        check_cells(self.cells)
    }

    fn entity_rows(
        &mut self,
        entity_type: &str,
        class: Option<&Scalar<'_>>,
        by_id: bool,
    ) -> Result<usize, ItemError> {
        let same = |rows: &EntityRows| {
            rows.entity_type == entity_type
                && rows.by_id == by_id
                && match (&rows.class, class) {
                    (ClassText::None, None) => true,
                    (ClassText::One(known), Some(Scalar::Text(given))) => known == given,
                    (ClassText::List(known), Some(Scalar::Texts(given))) => known == given,
                    (ClassText::List(known), Some(Scalar::Nested(given))) => {
                        let given = given.to_string();
                        *known == given
                    }
                    _ => false,
                }
        };
        if self.entities.get(self.last_entity).is_some_and(same) {
            return Ok(self.last_entity);
        }
        if let Some(at) = self.entities.iter().position(same) {
            self.last_entity = at;
            return Ok(at);
        }
        if self.entities.len() >= GROUPS_MAX {
            return Err(ItemError::TooManyGroups);
        }
        check_name(entity_type, "_type")?;
        if self.rules.catalog.is_protected(entity_type) {
            return Err(ItemError::Protected(entity_type.to_owned()));
        }
        let (class, classes) = match class {
            None | Some(Scalar::Null) => (ClassText::None, None),
            Some(Scalar::Text(name)) => (
                ClassText::One(name.to_string()),
                Some(vec![name.to_string()]),
            ),
            Some(Scalar::Texts(list)) => {
                (ClassText::List((*list).to_owned()), Some(split_texts(list)))
            }
            Some(Scalar::Nested(Json::Array(items))) => {
                let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
                let texts: Option<Vec<String>> = texts.collect();
                let texts = texts.ok_or(ItemError::BadClass)?;
                (
                    ClassText::List(Json::from(texts.clone()).to_string()),
                    Some(texts),
                )
            }
            Some(_) => return Err(ItemError::BadClass),
        };
        let classes = self.checked_classes(entity_type, classes)?;
        let telling = self.rules.catalog.telling(entity_type);
        self.last_entity = self.entities.len();
        self.entities.push(EntityRows {
            entity_type: entity_type.to_owned(),
            class,
            classes,
            by_id,
            derived: telling.map(|_| OPENCTI_TYPE),
            keys: StringArena::new(),
            columns: Columns::default(),
            dead: Vec::new(),
        });
        Ok(self.last_entity)
    }

    fn checked_classes(
        &self,
        entity_type: &str,
        classes: Option<Vec<String>>,
    ) -> Result<Option<Vec<String>>, ItemError> {
        let Some(given) = classes.filter(|classes| !classes.is_empty()) else {
            let entry = self.rules.catalog.entry(entity_type);
            return match entry
                .map(|entry| entry.class.clone())
                .filter(|class| !class.is_empty())
            {
                _ if self.rules.patch => Ok(None),
                Some(classes) => Ok(Some(classes)),
                None => Err(ItemError::Missing("_class")),
            };
        };
        let mut classes: Vec<String> = Vec::with_capacity(given.len());
        for class in given {
            if class.is_empty() || class.len() > NAME_BYTES_MAX || classes.len() >= CLASSES_MAX {
                return Err(ItemError::BadClass);
            }
            check_name(&class, "_class")?;
            if !classes.contains(&class) {
                classes.push(class);
            }
        }
        Ok(Some(classes))
    }
}

/// Puts the properties among the members into a row.
fn fill(
    rows: &mut EntityRows,
    row: usize,
    members: &Members<'_>,
    rules: ItemRules<'_>,
    ignored: &mut Vec<String>,
) -> Result<(), ItemError> {
    let mut hint = 0;
    for (name, value) in members {
        match (name.as_ref(), value) {
            ("_rawData", Scalar::Nested(json)) => {
                rows.columns.put_document(row, "_rawData", json)?;
            }
            ("_rawData", Scalar::Texts(list)) => {
                let list = split_texts(list).into();
                rows.columns.put_document(row, "_rawData", &list)?;
            }
            _ => {}
        }
        if name.starts_with('_') {
            skip_reserved(ignored, rules, name, true)?;
            continue;
        }
        if rows.derived == Some(name.as_ref()) {
            if !rules.ignore_illegal_properties {
                return Err(ItemError::Derived {
                    property: name.to_string(),
                    entity_type: rows.entity_type.clone(),
                });
            }
            note(ignored, name);
            continue;
        }
        match rows.columns.put(row, hint, name, value, rules.patch) {
            Err(ItemError::BadValue { .. }) if rules.ignore_illegal_properties => {
                note(ignored, name);
            }
            other => other?,
        }
        hint += 1;
    }
    Ok(())
}
