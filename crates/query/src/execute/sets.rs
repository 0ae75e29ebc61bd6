// SPDX-License-Identifier: Apache-2.0
//! Sets of entities of several types.

use durward_graph::{EntityRef, RowSet, TypeId};

/// A set of entities: for each type with any, its rows. Types ascend.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TypedSet {
    parts: Vec<(TypeId, RowSet)>,
}

impl TypedSet {
    pub(crate) fn get(&self, type_id: TypeId) -> Option<&RowSet> {
        match self.parts.as_slice() {
            [(only, rows)] => (*only == type_id).then_some(rows),
            parts => {
                let position = parts.binary_search_by_key(&type_id, |(id, _)| *id).ok()?;
                parts.get(position).map(|(_, rows)| rows)
            }
        }
    }

    /// Adds rows of a type.
    pub(crate) fn add(&mut self, type_id: TypeId, rows: RowSet) {
        if rows.is_empty() {
            return;
        }
        match self.parts.binary_search_by_key(&type_id, |(id, _)| *id) {
            Ok(position) => {
                if let Some((_, present)) = self.parts.get_mut(position) {
                    *present = present.union(&rows);
                }
            }
            Err(position) => self.parts.insert(position, (type_id, rows)),
        }
    }

    #[inline]
    pub(crate) fn contains(&self, entity: EntityRef) -> bool {
        self.get(entity.type_id)
            .is_some_and(|rows| rows.contains(entity.row))
    }

    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(|(_, rows)| rows.len()).sum()
    }

    /// Bytes that it takes.
    pub(crate) fn held_bytes(&self) -> usize {
        let parts = self.parts.iter();
        parts
            .map(|(_, rows)| 2 * size_of::<(TypeId, RowSet)>() + rows.heap_bytes())
            .sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(crate) fn parts(&self) -> impl Iterator<Item = (TypeId, &RowSet)> {
        self.parts.iter().map(|(type_id, rows)| (*type_id, rows))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = EntityRef> + '_ {
        self.parts.iter().flat_map(|(type_id, rows)| {
            rows.iter().map(|row| EntityRef {
                type_id: *type_id,
                row,
            })
        })
    }

    #[must_use]
    pub(crate) fn union(mut self, other: &Self) -> Self {
        for (type_id, rows) in other.parts() {
            self.add(type_id, rows.clone());
        }
        self
    }

    #[must_use]
    pub(crate) fn intersect(&self, other: &Self) -> Self {
        self.combine(|type_id, rows| match other.get(type_id) {
            Some(more) => rows.intersect(more),
            None => RowSet::empty(rows.universe()),
        })
    }

    #[must_use]
    pub(crate) fn difference(&self, other: &Self) -> Self {
        self.combine(|type_id, rows| match other.get(type_id) {
            Some(less) => rows.difference(less),
            None => rows.clone(),
        })
    }

    fn combine(&self, map: impl Fn(TypeId, &RowSet) -> RowSet) -> Self {
        let parts = self
            .parts
            .iter()
            .map(|(type_id, rows)| (*type_id, map(*type_id, rows)));
        Self {
            parts: parts.filter(|(_, rows)| !rows.is_empty()).collect(),
        }
    }
}

impl FromIterator<(TypeId, RowSet)> for TypedSet {
    fn from_iter<I: IntoIterator<Item = (TypeId, RowSet)>>(parts: I) -> Self {
        let mut set = Self::default();
        for (type_id, rows) in parts {
            set.add(type_id, rows);
        }
        set
    }
}
