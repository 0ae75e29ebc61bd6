// SPDX-License-Identifier: Apache-2.0
//! Finds the entity that a mapped relationship means, as it will be after the job.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use durward_model::change::Column;
use durward_model::{EntityNumber, Value};

use crate::bulk::columns::value_hash;
use crate::bulk::diff::ends::{End, EndFinder};
use crate::bulk::diff::entities::{EntityOutcome, is_writable, resolve_id};
use crate::bulk::diff::gather::{Gathered, Group, NO_NUMBER};
use crate::bulk::diff::marks::has_entity;
use crate::bulk::diff::{Context, SyncMode};
use crate::ids::{EntityRef, ObjectRef};
use crate::rowset::RowSet;

/// Group and row of an uploaded entity.
type Place = (u32, u32);
/// Places by hash of the value of one property.
type PropertyIndex = HashMap<u64, Vec<Place>>;

/// What is looked for: all of these.
pub(super) type Wanted<'w> = [(&'w str, Value)];

/// Looks for entities among the uploaded and the known ones.
#[derive(Debug)]
pub(super) struct Targets<'t> {
    context: Context<'t>,
    gathered: &'t Gathered,
    outcome: &'t EntityOutcome,
    finder: &'t EndFinder<'t>,
    moved: HashMap<usize, &'t [Column]>,
    /// Places of the uploaded entities that are named by id.
    by_number: HashMap<u32, Place>,
    indexes: RefCell<HashMap<String, Rc<PropertyIndex>>>,
}

impl<'t> Targets<'t> {
    pub(super) fn new(
        context: Context<'t>,
        gathered: &'t Gathered,
        outcome: &'t EntityOutcome,
        finder: &'t EndFinder<'t>,
    ) -> Self {
        let groups = gathered.groups.iter().enumerate();
        let by_number = groups
            .filter(|(_, group)| group.by_id)
            .flat_map(|(at, group)| {
                let rows = (0u32..).zip(&group.numbers);
                rows.map(move |(row, number)| (*number, (at as u32, row)))
            })
            .collect();
        Self {
            context,
            gathered,
            outcome,
            finder,
            moved: outcome.moved_columns(),
            by_number,
            indexes: RefCell::default(),
        }
    }

    /// The first entity that has all of it: uploaded ones first.
    pub(super) fn find(&self, wanted: &Wanted<'_>) -> Option<End> {
        if wanted.is_empty() {
            return None;
        }
        if let Some((_, id)) = wanted.iter().find(|(name, _)| *name == "_id") {
            let found = resolve_id(self.context.view, id.as_str().unwrap_or_default());
            let Some(ObjectRef::Entity(entity)) = found else {
                return None;
            };
            let entity = Some(entity).filter(|entity| self.known_fits(*entity, wanted))?;
            return self.finder.known(self.outcome, entity).ok();
        }
        self.find_staged(wanted).or_else(|| {
            let known = self.find_known(wanted)?;
            self.finder.known(self.outcome, known).ok()
        })
    }

    fn columns(&self, at: u32) -> &[Column] {
        let group = || self.gathered.groups.get(at as usize);
        match self.moved.get(&(at as usize)) {
            Some(moved) => moved,
            None => group().map_or(&[], |group| &group.columns),
        }
    }

    fn find_staged(&self, wanted: &Wanted<'_>) -> Option<End> {
        let mut places: Vec<Place> = Vec::new();
        let mut has_property = false;
        for (name, value) in wanted {
            match *name {
                "_key" => {
                    // Nothing else of this job has the key, if it is not to be had by id.
                    let key = value.as_str().unwrap_or_default();
                    places = self.gathered.find(key).into_iter().collect();
                    places.extend(self.by_number.values());
                    has_property = true;
                    break;
                }
                name if is_metadata(name) => {}
                name => {
                    let index = self.index(name);
                    places.extend(index.get(&value_hash(value)).into_iter().flatten());
                    has_property = true;
                }
            }
        }
        if !has_property {
            places = self.all_places();
        }
        places.sort_unstable();
        let found = places
            .into_iter()
            .find(|place| self.staged_matches(*place, wanted))?;
        self.end_of(found)
    }

    /// Only metadata is asked for: the first entity of each group will tell, or none.
    fn all_places(&self) -> Vec<Place> {
        let groups = (0u32..).zip(&self.gathered.groups);
        groups
            .filter_map(|(at, group)| {
                let mut rows = (0u32..).zip(&group.numbers);
                let row = rows.find(|(_, number)| **number != NO_NUMBER)?.0;
                Some((at, row))
            })
            .collect()
    }

    fn end_of(&self, place: Place) -> Option<End> {
        self.finder.staged(place.0, place.1).or_else(|| {
            let known = self.known_at(place)?;
            self.finder.known(self.outcome, known).ok()
        })
    }

    fn index(&self, name: &str) -> Rc<PropertyIndex> {
        if let Some(index) = self.indexes.borrow().get(name) {
            return Rc::clone(index);
        }
        let mut index = PropertyIndex::new();
        for at in 0..self.gathered.groups.len() as u32 {
            let columns = self.columns(at).iter();
            for column in columns.filter(|column| column.property == name) {
                for row in 0..column.values.len() {
                    let value = column.values.get(row);
                    if !value.is_null() {
                        let places = index.entry(value_hash(&value)).or_default();
                        places.push((at, row as u32));
                    }
                }
            }
        }
        let index = Rc::new(index);
        let mut indexes = self.indexes.borrow_mut();
        indexes.insert(name.to_owned(), Rc::clone(&index));
        index
    }

    /// The entity of the graph that an uploaded row changes.
    fn known_at(&self, (at, row): Place) -> Option<EntityRef> {
        let group = self.gathered.groups.get(at as usize)?;
        let number = *group.numbers.get(row as usize)?;
        let known = (number != NO_NUMBER).then_some(EntityNumber(number))?;
        self.context.view.entity_of(known)
    }

    fn staged_matches(&self, place: Place, wanted: &Wanted<'_>) -> bool {
        let Some(group) = self.gathered.groups.get(place.0 as usize) else {
            return false;
        };
        let number = group.numbers.get(place.1 as usize);
        number.is_some_and(|number| *number != NO_NUMBER)
            && wanted
                .iter()
                .all(|(name, value)| self.staged_has(group, place, name, value))
    }

    /// Whether an uploaded entity will have a value; what a patch leaves out stays as it is.
    fn staged_has(&self, group: &Group, place: Place, name: &str, value: &Value) -> bool {
        let keeps = self.context.spec.mode != SyncMode::Diff;
        let known = || self.known_at(place).filter(|_| keeps);
        let namespace = &self.context.spec.namespace;
        match name {
            "_type" if !group.entity_type.is_empty() => value.as_str() == Some(&group.entity_type),
            "_class" if group.classes.is_some() => {
                super::has_classes(group.classes.as_deref().unwrap_or_default(), value)
            }
            "_key" if !group.by_id => group.keys.get(place.1 as usize) == value.as_str(),
            "_source" if !group.by_id => value.as_str() == Some(&namespace.source),
            "_scope" if !group.by_id => value.as_str() == Some(&namespace.scope),
            _ if is_metadata(name) => self
                .known_at(place)
                .is_some_and(|known| self.known_metadata(known, name, value)),
            _ => {
                let mut columns = (0u32..).zip(self.columns(place.0));
                let column = columns.find(|(_, column)| column.property == name);
                let given = column.map(|(at, column)| (at, column.values.get(place.1 as usize)));
                match given {
                    Some((at, Value::Null))
                        if group.nulls.binary_search(&(place.1, at)).is_ok() =>
                    {
                        false
                    }
                    Some((_, given)) if !given.is_null() => given == *value,
                    _ => known().is_some_and(|known| self.known_value(known, name) == *value),
                }
            }
        }
    }

    fn known_value(&self, entity: EntityRef, name: &str) -> Value {
        let view = self.context.view;
        let property = view.property_id(name);
        property.map_or(Value::Null, |property| view.value(entity, property))
    }

    fn known_metadata(&self, entity: EntityRef, name: &str, value: &Value) -> bool {
        let view = self.context.view;
        let text = value.as_str();
        match name {
            "_id" => {
                let id = text.and_then(|text| resolve_id(view, text));
                id == Some(ObjectRef::Entity(entity))
            }
            "_key" => text == Some(view.key_str(entity)),
            "_type" => text == Some(view.type_name(entity.type_id)),
            "_source" => text == Some(&view.namespace(entity).source),
            "_scope" => text == Some(&view.namespace(entity).scope),
            "_class" => {
                let classes = view.classes(entity).into_iter();
                let classes: Vec<String> = classes
                    .map(|class| view.class_name(class).to_owned())
                    .collect();
                super::has_classes(&classes, value)
            }
            // Nothing else of this sort finds anything.
            _ => false,
        }
    }

    /// Where an entity of the graph is uploaded in this job.
    fn place_of(&self, entity: EntityRef) -> Option<Place> {
        let view = self.context.view;
        let number = view.entity_number(entity).0;
        if let Some(place) = self.by_number.get(&number) {
            return Some(*place);
        }
        let is_own = self.context.members.has_entity(entity);
        let place = self
            .gathered
            .find(view.key_str(entity))
            .filter(|_| is_own)?;
        let group = self.gathered.groups.get(place.0 as usize)?;
        (group.numbers.get(place.1 as usize) == Some(&number)).then_some(place)
    }

    /// Whether an entity of the graph, whose properties fit, may be meant.
    fn known_fits(&self, entity: EntityRef, wanted: &Wanted<'_>) -> bool {
        is_writable(self.context, entity)
            && !has_entity(&self.outcome.ended, entity)
            // What this job writes to it counts, and not what it was.
            && match self.place_of(entity) {
                Some(place) => self.staged_matches(place, wanted),
                None => wanted.iter().all(|(name, value)| {
                    if is_metadata(name) {
                        self.known_metadata(entity, name, value)
                    } else {
                        self.known_value(entity, name) == *value
                    }
                }),
            }
    }

    fn find_known(&self, wanted: &Wanted<'_>) -> Option<EntityRef> {
        let view = self.context.view;
        let text_of = |wanted_name: &str| {
            let found = wanted.iter().find(|(name, _)| *name == wanted_name);
            found.map(|(_, value)| value.as_str().unwrap_or_default())
        };
        let by_key = text_of("_key").map(|key| view.find_by_key_any_namespace(key));
        let types = view
            .types()
            .into_iter()
            .filter(|type_id| text_of("_type").is_none_or(|name| view.type_name(*type_id) == name));
        for type_id in types {
            let mut rows = match &by_key {
                Some(entities) => {
                    let of_type = entities.iter().filter(|entity| entity.type_id == type_id);
                    let mut rows: Vec<u32> = of_type.map(|entity| entity.row).collect();
                    rows.sort_unstable();
                    RowSet::from_sorted(rows, view.rows(type_id))
                }
                None => view.live_rows(type_id),
            };
            for (name, value) in wanted.iter().filter(|(name, _)| !is_metadata(name)) {
                let property = view.property_id(name);
                rows = match property.and_then(|property| view.column(type_id, property)) {
                    Some(column) => column.select_equal(&rows, value),
                    None => RowSet::empty(view.rows(type_id)),
                };
            }
            let mut entities = rows.iter().map(|row| EntityRef { type_id, row });
            if let Some(entity) = entities.find(|entity| self.known_fits(*entity, wanted)) {
                return Some(entity);
            }
        }
        None
    }
}

fn is_metadata(name: &str) -> bool {
    name.starts_with('_') && !name.starts_with("_integration")
}
