// SPDX-License-Identifier: Apache-2.0
//! Conditions on single objects, evaluated on sets of rows by their columns.

use durward_graph::{
    ClassCover, ColumnView, EdgeRef, EntityRef, ObjectRef, PropertyId, RowSet, TripleId, TypeId,
    ValueRef,
};
use durward_model::Value;

use super::binding::{Binding, metadata_value};
use super::check::{Check, CompareCheck, Right};
use super::compare::holds;
use super::engine::Engine;
use super::formula::{Formula, Row};
use super::sets::TypedSet;
use crate::error::QueryError;
use crate::j1ql::dates::date_text;
use crate::plan::{Metadata, Part, Property, Relation};

/// Rows of what are looked at.
#[derive(Clone, Copy, Debug)]
enum Subject {
    Type(TypeId),
    Triple(TripleId),
}

impl Subject {
    fn binding(self, row: u32) -> Binding {
        match self {
            Self::Type(type_id) => Binding::Entity(EntityRef { type_id, row }),
            Self::Triple(triple) => Binding::Edge(EdgeRef { triple, edge: row }),
        }
    }
}

impl Engine {
    /// The rows among `within` that fulfil a condition on an entity.
    pub(crate) fn select(
        &self,
        check: &Check,
        type_id: TypeId,
        within: &RowSet,
    ) -> Result<RowSet, QueryError> {
        self.select_subject(check, Subject::Type(type_id), within)
    }

    /// The edge rows among `within` that fulfil a condition on a relationship.
    pub(crate) fn select_edges(
        &self,
        check: &Check,
        triple: TripleId,
        within: &RowSet,
    ) -> Result<RowSet, QueryError> {
        self.select_subject(check, Subject::Triple(triple), within)
    }

    fn select_subject(
        &self,
        check: &Check,
        subject: Subject,
        within: &RowSet,
    ) -> Result<RowSet, QueryError> {
        if within.is_empty() {
            return Ok(within.clone());
        }
        match check {
            Check::All(members) => {
                let mut rows = within.clone();
                for member in members {
                    rows = self.select_subject(member, subject, &rows)?;
                }
                Ok(rows)
            }
            Check::Any(members) => {
                let mut found = RowSet::empty(within.universe());
                let mut left = within.clone();
                for member in members {
                    let more = self.select_subject(member, subject, &left)?;
                    left = left.difference(&more);
                    found = found.union(&more);
                }
                Ok(found)
            }
            Check::Not(inner) => {
                Ok(within.difference(&self.select_subject(inner, subject, within)?))
            }
            Check::Compare(compare) => self.select_compare(compare, check, subject, within),
            Check::Exists(_, parts) => self.select_existing(parts, subject, within),
            Check::Text(_, texts) => self.select_text(texts, subject, within),
        }
    }

    fn select_existing(
        &self,
        parts: &[Part],
        subject: Subject,
        within: &RowSet,
    ) -> Result<RowSet, QueryError> {
        match subject {
            Subject::Type(type_id) => {
                let from: TypedSet = [(type_id, within.clone())].into_iter().collect();
                let with_path = self.starts_of(parts, from)?;
                let none = || RowSet::empty(within.universe());
                Ok(with_path.get(type_id).cloned().unwrap_or_else(none))
            }
            Subject::Triple(triple) => {
                let number = |edge: u32| self.view.edge_number(EdgeRef { triple, edge }).0;
                let mut numbers: Vec<u32> = within.iter().map(number).collect();
                numbers.sort_unstable();
                let from = RowSet::from_sorted(numbers, u32::MAX);
                let from: TypedSet = [(TypeId::RELATIONSHIP, from)].into_iter().collect();
                let with_path = self.starts_of(parts, from)?;
                let Some(numbers) = with_path.get(TypeId::RELATIONSHIP) else {
                    return Ok(RowSet::empty(within.universe()));
                };
                let rows = within
                    .iter()
                    .filter(|edge| numbers.contains(number(*edge)))
                    .collect();
                Ok(RowSet::from_sorted(rows, within.universe()))
            }
        }
    }

    fn select_text(
        &self,
        texts: &[String],
        subject: Subject,
        within: &RowSet,
    ) -> Result<RowSet, QueryError> {
        self.meter.tick(within.len() as u64)?;
        match subject {
            Subject::Type(type_id) => Ok(within.intersect(&*self.searched(type_id, texts)?)),
            Subject::Triple(triple) => {
                let mut rows = within.clone();
                for text in texts {
                    let mut found = RowSet::empty(within.universe());
                    for property in self.view.properties_of_triple(triple) {
                        if let Some(column) = self.view.edge_column(triple, property) {
                            let right = ValueRef::String(text);
                            found = found.union(&column.select(&rows, |value| {
                                holds(Relation::Contains, true, value, right)
                            }));
                        }
                    }
                    rows = found;
                }
                Ok(rows)
            }
        }
    }

    /// Whether a whole row fulfils a condition, whatever it is made of.
    pub(crate) fn holds(&self, check: &Check, row: Row<'_>) -> Result<bool, QueryError> {
        match check {
            Check::All(members) => {
                for member in members {
                    if !self.holds(member, row)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Check::Any(members) => {
                for member in members {
                    if self.holds(member, row)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Check::Not(inner) => Ok(!self.holds(inner, row)?),
            Check::Compare(_) => Ok(check.test(self.source(), row)),
            Check::Exists(slot, _) | Check::Text(slot, _) => {
                let (subject, row) = match row.binding(*slot) {
                    Binding::Empty => return Ok(false),
                    Binding::Entity(entity) => (Subject::Type(entity.type_id), entity.row),
                    Binding::Edge(edge) => (Subject::Triple(edge.triple), edge.edge),
                };
                let one = RowSet::from_sorted(vec![row], row.saturating_add(1));
                Ok(!self.select_subject(check, subject, &one)?.is_empty())
            }
        }
    }

    fn select_compare(
        &self,
        compare: &CompareCheck,
        check: &Check,
        subject: Subject,
        within: &RowSet,
    ) -> Result<RowSet, QueryError> {
        self.meter.tick(within.len() as u64 / 16)?;
        if let Formula::Property(accessor) = &compare.left
            && compare.is_constant()
        {
            match &accessor.property {
                Property::Named(name) => {
                    let column = self
                        .view
                        .property_id(name)
                        .and_then(|id| self.column(subject, id));
                    return Ok(select_column(compare, column.as_ref(), within));
                }
                Property::Metadata(metadata) => {
                    if let Some(rows) = self.select_metadata(compare, *metadata, subject, within) {
                        return Ok(rows);
                    }
                }
            }
        }
        self.meter.tick(within.len() as u64)?;
        let source = self.source();
        let rows = within
            .iter()
            .filter(|row| check.test(source, Row::of(subject.binding(*row))));
        Ok(RowSet::from_sorted(rows.collect(), within.universe()))
    }

    fn column(&self, subject: Subject, property: PropertyId) -> Option<ColumnView> {
        match subject {
            Subject::Type(type_id) => self.view.column(type_id, property),
            Subject::Triple(triple) => self.view.edge_column(triple, property),
        }
    }

    /// Metadata that can be selected without a look at every row; `None` where it cannot.
    fn select_metadata(
        &self,
        compare: &CompareCheck,
        metadata: Metadata,
        subject: Subject,
        within: &RowSet,
    ) -> Option<RowSet> {
        let same_for_all = match (metadata, subject) {
            (Metadata::Type | Metadata::AccountId, Subject::Type(_))
            | (Metadata::Class | Metadata::AccountId, Subject::Triple(_)) => true,
            (Metadata::Class, Subject::Type(type_id)) => {
                return self.select_class(compare, type_id, within);
            }
            (Metadata::Source | Metadata::Scope, Subject::Type(type_id)) => {
                return Some(self.view.select_namespace(type_id, within, |namespace| {
                    let name = match metadata {
                        Metadata::Source => &namespace.source,
                        _ => &namespace.scope,
                    };
                    compare.test_value(if name.is_empty() {
                        ValueRef::Null
                    } else {
                        ValueRef::String(name)
                    })
                }));
            }
            (Metadata::Key | Metadata::Id, Subject::Type(type_id)) => {
                return self.select_identity(compare, metadata, type_id, within);
            }
            _ => false,
        };
        same_for_all.then(|| {
            let value = metadata_value(self.source(), subject.binding(0), metadata);
            all_or_none(compare.test_value(ValueRef::from(&value)), within)
        })
    }

    /// `_class`: one look at each class of the type instead of each row.
    fn select_class(
        &self,
        compare: &CompareCheck,
        type_id: TypeId,
        within: &RowSet,
    ) -> Option<RowSet> {
        let texts_only = compare.right.iter().all(|right| match right {
            Right::Literal(value) => match value {
                Value::List(items) => items.iter().all(|item| item.as_str().is_some()),
                other => other.as_str().is_some(),
            },
            Right::Pattern(_) | Right::Hashed(_) => true,
            Right::Formula(_) => false,
        });
        if !texts_only || matches!(compare.right.as_slice(), []) {
            return None;
        }
        let covers: Vec<(String, RowSet)> = self
            .view
            .class_ids()
            .into_iter()
            .filter_map(|class| {
                let types = self.view.types_with_class(class);
                let (_, cover) = types.into_iter().find(|(id, _)| *id == type_id)?;
                let rows = match cover {
                    ClassCover::All => within.clone(),
                    ClassCover::Some(rows) => within.intersect(&rows),
                };
                Some((self.view.class_name(class).to_owned(), rows))
            })
            .collect();
        let fulfilling = |right: &Right| {
            let mut rows = RowSet::empty(within.universe());
            for (name, cover) in &covers {
                if compare.one_holds(ValueRef::String(name), right) {
                    rows = rows.union(cover);
                }
            }
            rows
        };
        let mut parts = compare.right.iter().map(fulfilling);
        let first = parts.next()?;
        let found = parts.fold(first, |sum, part| {
            if compare.every {
                sum.intersect(&part)
            } else {
                sum.union(&part)
            }
        });
        Some(if compare.negated {
            within.difference(&found)
        } else {
            found
        })
    }

    /// `_key` and `_id` equal to given values: looked up.
    fn select_identity(
        &self,
        compare: &CompareCheck,
        metadata: Metadata,
        type_id: TypeId,
        within: &RowSet,
    ) -> Option<RowSet> {
        let plain = compare.relation == Relation::Equal && !compare.fold && !compare.every;
        if !plain || self.include_deleted {
            return None;
        }
        let mut rows = Vec::new();
        for right in &compare.right {
            let Right::Literal(value) = right else {
                return None;
            };
            let items = match value {
                Value::List(items) => items.as_slice(),
                single => std::slice::from_ref(single),
            };
            for text in items.iter().filter_map(Value::as_str) {
                let entities = if metadata == Metadata::Key {
                    self.view.find_by_key_any_namespace(text)
                } else {
                    let id = self.view.id_cipher().parse_uuid(text);
                    match id.and_then(|id| self.view.resolve(id)) {
                        Some(ObjectRef::Entity(entity)) => vec![entity],
                        _ => Vec::new(),
                    }
                };
                let of_type = entities
                    .into_iter()
                    .filter(|entity| entity.type_id == type_id);
                rows.extend(of_type.map(|entity| entity.row));
            }
        }
        rows.sort_unstable();
        let found = RowSet::from_sorted(rows, within.universe()).intersect(within);
        Some(if compare.negated {
            within.difference(&found)
        } else {
            found
        })
    }
}

fn all_or_none(all: bool, within: &RowSet) -> RowSet {
    if all {
        within.clone()
    } else {
        RowSet::empty(within.universe())
    }
}

fn select_column(compare: &CompareCheck, column: Option<&ColumnView>, within: &RowSet) -> RowSet {
    let Some(column) = column else {
        return all_or_none(compare.test_value(ValueRef::Null), within);
    };
    if let [Right::Literal(value)] = compare.right.as_slice()
        && compare.relation == Relation::Equal
        && !compare.fold
        && is_plain(value)
    {
        let equal = column.select_equal(within, value);
        return if compare.negated {
            within.difference(&equal)
        } else {
            equal
        };
    }
    column.select(within, |value| compare.test_value(value))
}

/// Whether a column can look the value up: a text that is a date equals instants too.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::String(text) => date_text(text).is_none(),
        other => matches!(other, Value::Bool(_) | Value::Int(_) | Value::Float(_)),
    }
}
