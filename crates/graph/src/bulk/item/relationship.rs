// SPDX-License-Identifier: Apache-2.0
//! Relationships as rows.

use std::borrow::Cow;

use durward_model::StringArena;
use durward_model::change::RelationshipKeys;
use durward_model::limits::{KEY_BYTES_MAX, NAME_BYTES_MAX};
use serde_json::Value as Json;

use super::columns::{Columns, check_cells};
use super::entity::some_of;
use super::{
    GROUPS_MAX, ItemError, ItemRules, PartBuilder, check_name, check_size, living, normalized,
    note, skip_reserved, text,
};
use crate::bulk::columns::permuted;
use crate::bulk::mapped;
use crate::bulk::part::{EndAddress, RelationshipGroup};
use crate::bulk::scan::{Members, Scalar, split_texts};

#[derive(Debug)]
pub(super) struct RelationshipRows {
    pub(super) verb: String,
    pub(super) relationship_type: String,
    pub(super) from_address: EndAddress,
    pub(super) to_address: EndAddress,
    pub(super) conventional: bool,
    pub(super) from: Vec<u32>,
    pub(super) to: Vec<u32>,
    pub(super) keys: StringArena,
    pub(super) columns: Columns,
    /// Rows of items that turned out to be wrong, ascending.
    pub(super) dead: Vec<u32>,
}

impl RelationshipRows {
    /// The group without its dead rows.
    pub(super) fn finish(self) -> RelationshipGroup {
        let rows = self.from.len();
        let (mut columns, _) = self.columns.finish(rows);
        let (mut from, mut to, mut keys) = (self.from, self.to, self.keys);
        if !self.dead.is_empty() {
            let kept = living(rows, &self.dead);
            for column in &mut columns {
                column.values = permuted(&column.values, &kept);
            }
            let pick = |numbers: &[u32]| -> Vec<u32> {
                let picked = kept.iter().filter_map(|row| numbers.get(*row as usize));
                picked.copied().collect()
            };
            (from, to) = (pick(&from), pick(&to));
            keys = some_of(&keys, &kept);
        }
        RelationshipGroup {
            verb: self.verb,
            relationship_type: self.relationship_type,
            from_address: self.from_address,
            to_address: self.to_address,
            from,
            to,
            keys: if self.conventional {
                RelationshipKeys::Conventional
            } else {
                RelationshipKeys::Explicit(keys)
            },
            columns,
        }
    }
}

impl PartBuilder<'_> {
    /// Adds the relationship of these members.
    pub fn relationship(&mut self, members: &Members<'_>) -> Result<(), ItemError> {
        check_size(members)?;
        let mut given = Ends::default();
        for (name, value) in members {
            given.take(name, value)?;
        }
        if given.mapping {
            return self.mapped(members);
        }
        let verb = given.verb()?;
        let relationship_type = given.relationship_type.ok_or(ItemError::Missing("_type"))?;
        let (from, from_by_id) = end(given.from_key, given.from_id, "the start")?;
        let (to, to_by_id) = end(given.to_key, given.to_id, "the end")?;
        let (from, to) = (normalized(from), normalized(to));
        let key = given.key.map(normalized);
        let conventional = match &key {
            None => true,
            Some(key) => !from_by_id && !to_by_id && is_conventional(key, &from, &verb, &to),
        };
        self.find_rows(&Group {
            verb,
            relationship_type,
            from: Address {
                by_id: from_by_id,
                source: given.from_source,
                scope: given.from_scope,
            },
            to: Address {
                by_id: to_by_id,
                source: given.to_source,
                scope: given.to_scope,
            },
            conventional,
        })?;
        let rows = self
            .relationships
            .get_mut(self.last_relationship)
            .ok_or(ItemError::Full)?;
        let row = rows.from.len();
        rows.from.push(self.ends.intern(&from)?);
        rows.to.push(self.ends.intern(&to)?);
        if let Some(key) = key.filter(|_| !conventional) {
            rows.keys.push(&key).map_err(|_| ItemError::Full)?;
        }
        let before = rows.columns.cells(row);
        let filled = put_properties(
            &mut rows.columns,
            row,
            members,
            self.rules,
            &mut self.ignored,
        );
        if filled.is_err() {
            rows.dead.push(row as u32);
        }
        self.cells += rows.columns.cells(row + 1) - before;
        filled?;
        check_cells(self.cells)
    }

    /// Makes the rows of this group the last ones; begins them where there are none.
    fn find_rows(&mut self, group: &Group<'_>) -> Result<(), ItemError> {
        let last = self.relationships.get(self.last_relationship);
        if last.is_some_and(|rows| group.is_of(rows)) {
            return Ok(());
        }
        let known = self.relationships.iter().position(|rows| group.is_of(rows));
        self.last_relationship = known.unwrap_or(self.relationships.len());
        if known.is_none() {
            if self.relationships.len() >= GROUPS_MAX {
                return Err(ItemError::TooManyGroups);
            }
            check_name(&group.verb, "_class")?;
            check_name(group.relationship_type, "_type")?;
            self.relationships.push(group.begin());
        }
        Ok(())
    }

    fn mapped(&mut self, members: &Members<'_>) -> Result<(), ItemError> {
        let mut object = serde_json::Map::new();
        for (name, value) in members {
            if name.starts_with('_') {
                skip_reserved(&mut self.ignored, self.rules, name, false)?;
            }
            let json = match value {
                Scalar::Null => Json::Null,
                Scalar::Bool(value) => (*value).into(),
                Scalar::Int(value) => (*value).into(),
                Scalar::Float(value) => (*value).into(),
                Scalar::Text(text) => text.as_ref().into(),
                Scalar::Texts(list) => split_texts(list).into(),
                Scalar::Nested(json) => json.clone(),
            };
            object.insert(name.to_string(), json);
        }
        mapped::check(&object, self.rules.catalog)?;
        let document = durward_model::Document::from(Json::Object(object));
        self.mapped.push(document.to_string());
        Ok(())
    }
}

/// The reserved members of a relationship.
#[derive(Debug, Default)]
struct Ends<'m> {
    key: Option<&'m str>,
    relationship_type: Option<&'m str>,
    class: Option<&'m Scalar<'m>>,
    from_key: Option<&'m str>,
    to_key: Option<&'m str>,
    from_id: Option<&'m str>,
    to_id: Option<&'m str>,
    from_source: Option<&'m str>,
    from_scope: Option<&'m str>,
    to_source: Option<&'m str>,
    to_scope: Option<&'m str>,
    mapping: bool,
}

impl<'m> Ends<'m> {
    fn take(&mut self, name: &str, value: &'m Scalar<'m>) -> Result<(), ItemError> {
        match name {
            "_key" => self.key = Some(text(value, "_key", KEY_BYTES_MAX * 3)?),
            "_type" => self.relationship_type = Some(text(value, "_type", NAME_BYTES_MAX)?),
            "_class" => self.class = Some(value),
            "_fromEntityKey" => self.from_key = optional(value, "_fromEntityKey")?,
            "_toEntityKey" => self.to_key = optional(value, "_toEntityKey")?,
            "_fromEntityId" => self.from_id = optional(value, "_fromEntityId")?,
            "_toEntityId" => self.to_id = optional(value, "_toEntityId")?,
            "_fromSource" | "_fromEntitySource" => {
                self.from_source = optional(value, "_fromEntitySource")?;
            }
            "_fromScope" | "_fromEntityScope" => {
                self.from_scope = optional(value, "_fromEntityScope")?;
            }
            "_toSource" | "_toEntitySource" => self.to_source = optional(value, "_toEntitySource")?,
            "_toScope" | "_toEntityScope" => self.to_scope = optional(value, "_toEntityScope")?,
            "_mapping" => self.mapping = true,
            _ => {}
        }
        Ok(())
    }

    fn verb(&self) -> Result<Cow<'m, str>, ItemError> {
        let class = self.class.ok_or(ItemError::Missing("_class"))?;
        if let Scalar::Texts(list) = class {
            let mut verbs = split_texts(list);
            return match (verbs.pop(), verbs.is_empty()) {
                (Some(verb), true) if !verb.is_empty() && verb.len() <= NAME_BYTES_MAX => {
                    Ok(Cow::Owned(verb.to_ascii_uppercase()))
                }
                _ => Err(ItemError::NotText("_class")),
            };
        }
        let verb = text(class, "_class", NAME_BYTES_MAX)?;
        Ok(if verb.bytes().any(|byte| byte.is_ascii_lowercase()) {
            Cow::Owned(verb.to_ascii_uppercase())
        } else {
            Cow::Borrowed(verb)
        })
    }
}

fn optional<'m>(value: &'m Scalar<'_>, name: &'static str) -> Result<Option<&'m str>, ItemError> {
    match value {
        Scalar::Null => Ok(None),
        other => text(other, name, KEY_BYTES_MAX).map(Some),
    }
}

fn end<'m>(
    key: Option<&'m str>,
    id: Option<&'m str>,
    which: &'static str,
) -> Result<(&'m str, bool), ItemError> {
    match (key, id) {
        (Some(key), None) => Ok((key, false)),
        (None, Some(id)) => Ok((id, true)),
        _ => Err(ItemError::BadEnd(which)),
    }
}

/// What the relationships of one group have in common.
struct Group<'m> {
    verb: Cow<'m, str>,
    relationship_type: &'m str,
    from: Address<'m>,
    to: Address<'m>,
    conventional: bool,
}

impl Group<'_> {
    fn is_of(&self, rows: &RelationshipRows) -> bool {
        rows.verb == self.verb.as_ref()
            && rows.relationship_type == self.relationship_type
            && rows.conventional == self.conventional
            && self.from.is(&rows.from_address)
            && self.to.is(&rows.to_address)
    }

    fn begin(&self) -> RelationshipRows {
        RelationshipRows {
            verb: self.verb.clone().into_owned(),
            relationship_type: self.relationship_type.to_owned(),
            from_address: self.from.to_owned(),
            to_address: self.to.to_owned(),
            conventional: self.conventional,
            from: Vec::new(),
            to: Vec::new(),
            keys: StringArena::new(),
            columns: Columns::default(),
            dead: Vec::new(),
        }
    }
}

/// How an end is named, as it stands in the members.
struct Address<'m> {
    by_id: bool,
    source: Option<&'m str>,
    scope: Option<&'m str>,
}

impl Address<'_> {
    fn is(&self, known: &EndAddress) -> bool {
        known.by_id == self.by_id
            && known.source.as_deref() == self.source
            && known.scope.as_deref() == self.scope
    }

    fn to_owned(&self) -> EndAddress {
        EndAddress {
            by_id: self.by_id,
            source: self.source.map(str::to_owned),
            scope: self.scope.map(str::to_owned),
        }
    }
}

/// Puts the properties among the members into a row.
fn put_properties(
    columns: &mut Columns,
    row: usize,
    members: &Members<'_>,
    rules: ItemRules<'_>,
    ignored: &mut Vec<String>,
) -> Result<(), ItemError> {
    let mut hint = 0;
    for (name, value) in members {
        if name.starts_with('_') {
            skip_reserved(ignored, rules, name, false)?;
            continue;
        }
        let is_nested = match value {
            Scalar::Nested(json) => !json.is_number(),
            other => matches!(other, Scalar::Texts(_)),
        };
        if is_nested {
            if !rules.ignore_illegal_properties {
                return Err(ItemError::NotPlain(name.to_string()));
            }
            note(ignored, name);
            continue;
        }
        columns.put(row, hint, name, value, false)?;
        hint += 1;
    }
    Ok(())
}

/// Whether a key is `<from>|<VERB>|<to>`.
pub(crate) fn is_conventional(key: &str, from: &str, verb: &str, to: &str) -> bool {
    let rest = key
        .strip_prefix(from)
        .and_then(|rest| rest.strip_prefix('|'));
    let rest = rest.and_then(|rest| rest.strip_prefix(verb));
    rest.and_then(|rest| rest.strip_prefix('|')) == Some(to)
}
