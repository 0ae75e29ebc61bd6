// SPDX-License-Identifier: Apache-2.0
//! Entities: which live, their classes, values and dates.

use durward_catalog::OPENCTI_TYPE;
use durward_model::{Instant, Namespace, Value};

use super::{ClassCover, ColumnView, View};
use crate::ids::{ClassId, EntityRef, PropertyId, TypeId};
use crate::rowset::{RowSet, RowSetBuilder};
use crate::state::column::Column;
use crate::state::records::Records;
use crate::state::tables::TypeTable;

/// How many class covers are kept for one type.
const COVERS_MAX: usize = 32;
/// With more changes than this after the instant, single values are looked for in an index.
const SCAN_UNDO_MAX: usize = 256;

impl View {
    /// How many rows a type had at the instant, ended ones included.
    pub fn rows(&self, type_id: TypeId) -> u32 {
        self.type_table(type_id)
            .map_or(0, |table| table.records.limit(self.tick()))
    }

    /// The rows that live at the instant.
    pub fn live_rows(&self, type_id: TypeId) -> RowSet {
        let Some(table) = self.type_table(type_id) else {
            return RowSet::empty(0);
        };
        if self.includes_deleted() {
            return RowSet::full(table.records.limit(self.tick()));
        }
        table.records.live_rows(self.tick())
    }

    /// How many those are.
    pub fn live_count(&self, type_id: TypeId) -> u64 {
        if self.includes_deleted() {
            return u64::from(self.rows(type_id));
        }
        self.type_table(type_id)
            .map_or(0, |table| table.records.live_count(self.tick()))
    }

    /// Whether an entity lives at the instant. Under [`TypeId::RELATIONSHIP`] it is a relationship
    /// that is asked about.
    pub fn is_live(&self, entity: EntityRef) -> bool {
        if let Some(number) = entity.as_relationship() {
            return self
                .edge_of(number)
                .is_some_and(|edge| self.is_edge_live(edge));
        }
        let Some(table) = self.type_table(entity.type_id) else {
            return false;
        };
        if self.includes_deleted() {
            return entity.row < table.records.limit(self.tick());
        }
        table.records.is_live(entity.row, self.tick())
    }

    /// Types with entities that carry a class, and which rows do (ended ones may be among them).
    pub fn types_with_class(&self, class: ClassId) -> Vec<(TypeId, ClassCover)> {
        let sets = self.snapshot().symbols.class_sets.iter();
        let has: Vec<bool> = sets.map(|set| set.contains(&class)).collect();
        let mut found = Vec::new();
        for id in self.types() {
            let Some(table) = self.type_table(id) else {
                continue;
            };
            let cover = self.class_cover(table, class, &has);
            if cover != ClassCover::Some(RowSet::empty(0)) {
                found.push((id, cover));
            }
        }
        found
    }

    fn class_cover(&self, table: &TypeTable, class: ClassId, has: &[bool]) -> ClassCover {
        let rows = table.records.limit(self.tick());
        let carries = |set: u32| has.get(set as usize).copied().unwrap_or(false);
        let none = || ClassCover::Some(RowSet::empty(0));
        if table.class_undo.is_empty()
            && let Some(set) = table.classes.constant(rows)
        {
            return if carries(set) {
                ClassCover::All
            } else {
                none()
            };
        }
        let classes = table.classes_at(self.tick());
        if let Some(set) = classes.constant(rows) {
            return if carries(set) {
                ClassCover::All
            } else {
                none()
            };
        }
        let mut kept = table.cover_cache.lock();
        let same = kept
            .iter()
            .find(|(id, of, count, _)| *id == class && *count == rows && of.is_same(&classes));
        let cover = if let Some((_, _, _, cover)) = same {
            cover.clone()
        } else {
            let mut builder = RowSetBuilder::new(rows);
            let carrying = (0..rows).filter(|row| carries(classes.get(*row)));
            carrying.for_each(|row| builder.insert(row));
            let cover = builder.finish();
            if kept.len() >= COVERS_MAX {
                kept.remove(0);
            }
            kept.push((class, classes, rows, cover.clone()));
            cover
        };
        match cover.len() {
            0 => none(),
            _ if cover.is_full() => ClassCover::All,
            _ => ClassCover::Some(cover),
        }
    }

    /// The classes of an entity, in the order given.
    pub fn classes(&self, entity: EntityRef) -> Vec<ClassId> {
        let Some(table) = self.type_table(entity.type_id) else {
            return Vec::new();
        };
        if entity.row >= table.records.rows() {
            return Vec::new();
        }
        let set = table.class_set(entity.row, self.tick());
        self.snapshot()
            .symbols
            .class_sets
            .get(set)
            .map_or(Vec::new(), |set| set.to_vec())
    }

    fn stored_column(&self, type_id: TypeId, property: PropertyId) -> Option<&Column> {
        let table = self.type_table(type_id)?;
        table.records.column(property).map(|column| &**column)
    }

    fn shown_column(&self, type_id: TypeId, property: PropertyId) -> Option<&Column> {
        self.stored_column(type_id, property)
            .filter(|column| !column.secret)
    }

    pub(crate) fn open(&self, column: &Column, rows: u32) -> ColumnView {
        ColumnView::new(column, rows, self.tick(), self.snapshot().is_draft)
    }

    /// The values of a property of a type; `None` if no entity ever had it or it is secret.
    pub fn column(&self, type_id: TypeId, property: PropertyId) -> Option<ColumnView> {
        let column = self.shown_column(type_id, property)?;
        Some(self.open(column, self.rows(type_id)))
    }

    /// As [`View::column`], secret or not: for identity, and for uniqueness checks of the writer.
    pub fn secret_column(&self, type_id: TypeId, property: PropertyId) -> Option<ColumnView> {
        let column = self.stored_column(type_id, property)?;
        Some(self.open(column, self.rows(type_id)))
    }

    /// The properties that entities of a type have or had, secret ones left out.
    pub fn properties_of_type(&self, type_id: TypeId) -> Vec<PropertyId> {
        let columns = self
            .type_table(type_id)
            .map_or(&[][..], |table| table.records.columns());
        columns
            .iter()
            .filter(|(_, column)| !column.secret)
            .map(|(id, _)| *id)
            .collect()
    }

    /// As [`View::properties_of_type`], secret ones included and derived ones left out: for the
    /// writer and for comparisons with uploads.
    pub fn stored_properties_of_type(&self, type_id: TypeId) -> Vec<PropertyId> {
        let table = self.type_table(type_id);
        let columns = table.map_or(&[][..], |table| table.records.columns());
        let derived = self.derived_property(type_id);
        let ids = columns.iter().map(|(id, _)| *id);
        ids.filter(|id| Some(*id) != derived).collect()
    }

    /// The property of a type that is worked out from the others, which nobody writes.
    pub(crate) fn derived_property(&self, type_id: TypeId) -> Option<PropertyId> {
        self.snapshot().catalog.telling(self.type_name(type_id))?;
        self.property_id(OPENCTI_TYPE)
    }

    /// One value; null if there is none or it is secret.
    pub fn value(&self, entity: EntityRef, property: PropertyId) -> Value {
        let column = self.shown_column(entity.type_id, property);
        column.map_or(Value::Null, |column| self.read(column, entity.row))
    }

    /// All values of an entity by property id, no nulls, secret ones left out.
    pub fn entity_properties(&self, entity: EntityRef) -> Vec<(PropertyId, Value)> {
        let Some(table) = self.type_table(entity.type_id) else {
            return Vec::new();
        };
        self.read_row(&table.records, entity.row, false)
    }

    /// The same without what is worked out: what somebody wrote, and may write again.
    pub fn written_properties(&self, entity: EntityRef) -> Vec<(PropertyId, Value)> {
        let mut properties = self.entity_properties(entity);
        self.remove_derived(entity.type_id, &mut properties);
        properties
    }

    fn remove_derived(&self, type_id: TypeId, properties: &mut Vec<(PropertyId, Value)>) {
        if let Some(derived) = self.derived_property(type_id) {
            properties.retain(|(property, _)| *property != derived);
        }
    }

    /// One value, secret or not: for identity and vault, and for the writer.
    pub fn secret_value(&self, entity: EntityRef, property: PropertyId) -> Value {
        let column = self.stored_column(entity.type_id, property);
        column.map_or(Value::Null, |column| self.read(column, entity.row))
    }

    /// All values that somebody wrote, secret ones included: for the writer.
    pub fn stored_properties(&self, entity: EntityRef) -> Vec<(PropertyId, Value)> {
        let Some(table) = self.type_table(entity.type_id) else {
            return Vec::new();
        };
        let mut properties = self.read_row(&table.records, entity.row, true);
        self.remove_derived(entity.type_id, &mut properties);
        properties
    }

    pub(crate) fn read_row(
        &self,
        records: &Records,
        row: u32,
        secrets: bool,
    ) -> Vec<(PropertyId, Value)> {
        let shown = records
            .columns()
            .iter()
            .filter(|(_, column)| secrets || !column.secret);
        let values = shown.map(|(property, column)| (*property, self.read(column, row)));
        values.filter(|(_, value)| !value.is_null()).collect()
    }

    /// One value at the instant.
    pub(crate) fn read(&self, column: &Column, row: u32) -> Value {
        let Some(tick) = self.tick() else {
            return column.at(row).to_value();
        };
        match column.read_at(row, tick, SCAN_UNDO_MAX) {
            Some(value) => value.to_value(),
            None if self.snapshot().is_draft => self.open(column, row.saturating_add(1)).get(row),
            None => column.cache().read_at(column, row, tick).to_value(),
        }
    }

    /// The namespace of the key.
    pub fn namespace(&self, entity: EntityRef) -> Namespace {
        let Some(table) = self.type_table(entity.type_id) else {
            return Namespace::default();
        };
        self.namespace_in(&table.records, entity.row)
    }

    /// The rows among `rows` whose namespace passes the test, which is asked once for each
    /// namespace.
    pub fn select_namespace(
        &self,
        type_id: TypeId,
        rows: &RowSet,
        test: impl Fn(&Namespace) -> bool,
    ) -> RowSet {
        let Some(table) = self.type_table(type_id) else {
            return RowSet::empty(rows.universe());
        };
        let namespaces = &self.snapshot().symbols.namespaces;
        let codes = &table.records.namespaces;
        let passes = |code: u32| namespaces.get(code).is_some_and(&test);
        if let Some(code) = codes.constant(rows.universe()) {
            return if passes(code) {
                rows.clone()
            } else {
                RowSet::empty(rows.universe())
            };
        }
        let mut known: Vec<Option<bool>> = Vec::new();
        let mut ask = |code: u32| {
            let place = code as usize;
            if known.len() <= place {
                known.resize(place + 1, None);
            }
            let Some(verdict) = known.get_mut(place) else {
                return false;
            };
            *verdict.get_or_insert_with(|| passes(code))
        };
        let found = rows.iter().filter(|row| ask(codes.get(*row))).collect();
        RowSet::from_sorted(found, rows.universe())
    }

    pub(crate) fn namespace_in(&self, records: &Records, row: u32) -> Namespace {
        let namespaces = &self.snapshot().symbols.namespaces;
        namespaces
            .get(records.namespaces.get(row))
            .cloned()
            .unwrap_or_default()
    }

    pub(crate) fn created_in(&self, records: &Records, row: u32) -> Instant {
        records
            .extents
            .of_row(row)
            .map_or(Instant::MIN, |extent| self.when(extent.tick))
    }

    pub(crate) fn updated_in(&self, records: &Records, row: u32) -> Instant {
        let (_, changed) = records.version(row, self.tick());
        changed.map_or_else(|| self.created_in(records, row), |tick| self.when(tick))
    }

    pub(crate) fn ended_in(&self, records: &Records, row: u32) -> Option<Instant> {
        let ended = records.ended_at(row)?;
        self.tick()
            .is_none_or(|tick| ended <= tick)
            .then(|| self.when(ended))
    }

    /// When it was created.
    pub fn created_at(&self, entity: EntityRef) -> Instant {
        let table = self.type_table(entity.type_id);
        table.map_or(Instant::MIN, |table| {
            self.created_in(&table.records, entity.row)
        })
    }

    /// When it was last changed, up to the instant; its creation if never.
    pub fn updated_at(&self, entity: EntityRef) -> Instant {
        let table = self.type_table(entity.type_id);
        table.map_or(Instant::MIN, |table| {
            self.updated_in(&table.records, entity.row)
        })
    }

    /// When it ended, if that was not after the instant.
    pub fn ended_at(&self, entity: EntityRef) -> Option<Instant> {
        self.ended_in(&self.type_table(entity.type_id)?.records, entity.row)
    }

    /// 1 at creation, one more with each later transaction that changed it.
    pub fn version(&self, entity: EntityRef) -> u32 {
        let table = self.type_table(entity.type_id);
        table.map_or(0, |table| table.records.version(entity.row, self.tick()).0)
    }
}
