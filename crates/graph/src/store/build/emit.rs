// SPDX-License-Identifier: Apache-2.0
//! The net effect of a draft as changes: what ends comes first, then what is new, then what
//! changes.

use std::collections::BTreeMap;

use durward_model::change::{
    Cell, Change, Column, ColumnValues, EndType, EntityBatch, EntityPatch, PatchColumn,
    RelationshipBatch, RelationshipKeys, RelationshipPatch, Triple,
};
use durward_model::{EntityNumber, ObjectNumber, RelationshipNumber, StringArena, Value};

use super::super::draft::OperationResult;
use super::super::unique::UniqueChange;
use super::{Build, Built, Handle, NewEdge, NewEntity, Patch, StoreError};
use crate::ids::{EntityRef, TripleId, TypeId};

impl Build<'_> {
    /// The changes of the draft, and what its operations came to.
    pub(super) fn finish(mut self) -> Result<Built, StoreError> {
        self.drop_what_stays();
        let unique = self.check_unique()?;
        let mut changes = Vec::new();
        self.emit_ended(&mut changes);
        self.emit_entities(&mut changes)?;
        self.emit_edges(&mut changes)?;
        self.emit_patches(&mut changes);
        for (object, alias) in &self.aliases_removed {
            let object = self.number_of((*object).into());
            changes.push(Change::RemoveAlias {
                object,
                alias: alias.clone(),
            });
        }
        for (alias, handle) in &self.aliases_added {
            let object = self.number_of(*handle);
            changes.push(Change::AddAlias {
                object,
                alias: alias.clone(),
            });
        }
        let cipher = self.view().id_cipher();
        let result = |(handle, outcome): &(Handle, _)| OperationResult {
            id: cipher.id_of(self.number_of(*handle)),
            outcome: *outcome,
        };
        let results = self.results.iter().map(result).collect();
        Ok(Built {
            changes,
            results,
            unique,
        })
    }

    /// A later operation may have set a value back to what it was.
    fn drop_what_stays(&mut self) {
        let view = self.ground.view;
        for (entity, patch) in &mut self.entity_patches {
            patch.set.retain(|name, value| {
                let property = view.property_id(name);
                *value != property.map_or(Value::Null, |id| view.secret_value(*entity, id))
            });
        }
        self.entity_patches
            .retain(|_, patch| !patch.set.is_empty() || patch.classes.is_some());
        for (edge, patch) in &mut self.edge_patches {
            patch.set.retain(|name, value| {
                let property = view.property_id(name);
                *value != property.map_or(Value::Null, |id| view.edge_value(*edge, id))
            });
        }
        self.edge_patches.retain(|_, patch| !patch.set.is_empty());
    }

    fn number_of(&self, handle: Handle) -> ObjectNumber {
        let next = self.ground.next;
        match handle {
            Handle::Entity(entity) => ObjectNumber::Entity(self.view().entity_number(entity)),
            Handle::Edge(edge) => ObjectNumber::Relationship(self.view().edge_number(edge)),
            Handle::NewEntity(position) => {
                ObjectNumber::Entity(EntityNumber(offset(next.entity.0, position)))
            }
            Handle::NewEdge(position) => ObjectNumber::Relationship(RelationshipNumber(offset(
                next.relationship.0,
                position,
            ))),
        }
    }

    /// Checks the values that the catalog wants unique, as they are after the whole draft.
    fn check_unique(&self) -> Result<Vec<UniqueChange>, StoreError> {
        let index = self.ground.unique;
        let view = self.view();
        let mut changes: Vec<UniqueChange> = Vec::new();
        for entity in &self.ended_entities {
            let entity_type = view.type_name(entity.type_id);
            for property in index.properties(entity_type) {
                changes.extend(self.given_back(*entity, entity_type, property));
            }
        }
        for (entity, patch) in &self.entity_patches {
            let entity_type = view.type_name(entity.type_id);
            for property in index.properties(entity_type) {
                if patch.set.contains_key(property) {
                    changes.extend(self.given_back(*entity, entity_type, property));
                }
            }
        }
        for (entity, patch) in &self.entity_patches {
            let entity_type = view.type_name(entity.type_id);
            let owner = view.entity_number(*entity);
            self.take(
                &mut changes,
                entity_type,
                owner,
                &patch.set,
                patch.operation,
            )?;
        }
        for (position, entity) in self.entities.iter().enumerate() {
            let owner = EntityNumber(offset(self.ground.next.entity.0, position));
            let operation = entity.operation;
            self.take(
                &mut changes,
                &entity.entity_type,
                owner,
                &entity.properties,
                operation,
            )?;
        }
        Ok(changes)
    }

    fn given_back(
        &self,
        entity: EntityRef,
        entity_type: &str,
        property: &str,
    ) -> Option<UniqueChange> {
        let view = self.view();
        let value = view.secret_value(entity, view.property_id(property)?);
        let value = self.ground.unique.form(entity_type, property, &value)?;
        Some(UniqueChange {
            entity_type: entity_type.to_owned(),
            property: property.to_owned(),
            value,
            owner: view.entity_number(entity),
            is_taken: false,
        })
    }

    fn take(
        &self,
        changes: &mut Vec<UniqueChange>,
        entity_type: &str,
        owner: EntityNumber,
        values: &BTreeMap<String, Value>,
        operation: usize,
    ) -> Result<(), StoreError> {
        let index = self.ground.unique;
        for property in index.properties(entity_type) {
            let Some(value) = values.get(property) else {
                continue;
            };
            let Some(form) = index.form(entity_type, property, value) else {
                continue;
            };
            let is_same = |change: &&UniqueChange| {
                change.entity_type == entity_type
                    && change.property == property
                    && change.value == form
            };
            let is_taken_here = changes.iter().filter(is_same).any(|change| change.is_taken);
            let holder = index.owner(entity_type, property, &form);
            let is_free = holder.is_none_or(|holder| {
                let mut same = changes.iter().filter(is_same);
                holder == owner || same.any(|change| !change.is_taken && change.owner == holder)
            });
            if is_taken_here || !is_free {
                let text = value.as_str().map_or_else(|| form.clone(), str::to_owned);
                let what = format!("{entity_type} with {property} {text:?}");
                return Err(StoreError::AlreadyExists { operation, what });
            }
            changes.push(UniqueChange {
                entity_type: entity_type.to_owned(),
                property: property.to_owned(),
                value: form,
                owner,
                is_taken: true,
            });
        }
        Ok(())
    }

    fn emit_ended(&self, changes: &mut Vec<Change>) {
        let view = self.view();
        let mut edges: BTreeMap<TripleId, Vec<RelationshipNumber>> = BTreeMap::new();
        for edge in &self.ended_edges {
            edges
                .entry(edge.triple)
                .or_default()
                .push(view.edge_number(*edge));
        }
        for (triple, mut relationships) in edges {
            relationships.sort_unstable();
            if let Some(triple) = self.triple_names(triple) {
                changes.push(Change::DeleteRelationships {
                    triple,
                    relationships,
                });
            }
        }
        let mut entities: BTreeMap<TypeId, Vec<EntityNumber>> = BTreeMap::new();
        for entity in &self.ended_entities {
            entities
                .entry(entity.type_id)
                .or_default()
                .push(view.entity_number(*entity));
        }
        for (type_id, mut entities) in entities {
            entities.sort_unstable();
            let entity_type = view.type_name(type_id).to_owned();
            changes.push(Change::DeleteEntities {
                entity_type,
                entities,
            });
        }
    }

    fn emit_entities(&self, changes: &mut Vec<Change>) -> Result<(), StoreError> {
        let mut open: Option<EntityBatch> = None;
        for (position, entity) in self.entities.iter().enumerate() {
            if !open.as_ref().is_some_and(|batch| is_alike(batch, entity)) {
                changes.extend(open.take().map(Change::CreateEntities));
            }
            let batch = open.get_or_insert_with(|| EntityBatch {
                entity_type: entity.entity_type.clone(),
                classes: entity.classes.clone(),
                namespace: entity.namespace.clone(),
                first: EntityNumber(offset(self.ground.next.entity.0, position)),
                keys: StringArena::new(),
                columns: columns_of(&entity.properties),
            });
            push_key(&mut batch.keys, &entity.key, entity.operation)?;
            push_values(&mut batch.columns, &entity.properties);
        }
        changes.extend(open.map(Change::CreateEntities));
        Ok(())
    }

    fn emit_edges(&self, changes: &mut Vec<Change>) -> Result<(), StoreError> {
        let mut open: Option<RelationshipBatch> = None;
        for (position, edge) in self.edges.iter().enumerate() {
            let triple = Triple {
                from: self.end_type(edge.from),
                verb: edge.verb.clone(),
                to: self.end_type(edge.to),
            };
            let ends = (
                number(self.number_of(edge.from)),
                number(self.number_of(edge.to)),
            );
            if !open
                .as_ref()
                .is_some_and(|batch| continues(batch, &triple, edge, ends))
            {
                changes.extend(open.take().map(Change::CreateRelationships));
            }
            let batch = open.get_or_insert_with(|| RelationshipBatch {
                triple,
                relationship_type: edge.relationship_type.clone(),
                namespace: edge.namespace.clone(),
                first: RelationshipNumber(offset(self.ground.next.relationship.0, position)),
                from: Vec::new(),
                to: Vec::new(),
                keys: if edge.is_conventional {
                    RelationshipKeys::Conventional
                } else {
                    RelationshipKeys::Explicit(StringArena::new())
                },
                columns: columns_of(&edge.properties),
            });
            batch.from.push(ends.0);
            batch.to.push(ends.1);
            if let RelationshipKeys::Explicit(keys) = &mut batch.keys {
                push_key(keys, &edge.key, self.operation)?;
            }
            push_values(&mut batch.columns, &edge.properties);
        }
        changes.extend(open.map(Change::CreateRelationships));
        Ok(())
    }

    /// Patches of the same properties of one type go together.
    fn emit_patches(&self, changes: &mut Vec<Change>) {
        let view = self.view();
        let mut groups: BTreeMap<_, Vec<(EntityNumber, &Patch)>> = BTreeMap::new();
        for (entity, patch) in &self.entity_patches {
            let names: Vec<&String> = patch.set.keys().collect();
            let group = groups
                .entry((entity.type_id, patch.classes.as_ref(), names))
                .or_default();
            group.push((view.entity_number(*entity), patch));
        }
        for ((type_id, classes, names), mut rows) in groups {
            rows.sort_unstable_by_key(|row| row.0);
            changes.push(Change::PatchEntities(EntityPatch {
                entity_type: view.type_name(type_id).to_owned(),
                entities: rows.iter().map(|row| row.0).collect(),
                columns: patch_columns(&names, &rows.iter().map(|row| row.1)),
                classes: classes.cloned(),
            }));
        }
        let mut groups: BTreeMap<_, Vec<(RelationshipNumber, &Patch)>> = BTreeMap::new();
        for (edge, patch) in &self.edge_patches {
            let names: Vec<&String> = patch.set.keys().collect();
            let group = groups.entry((edge.triple, names)).or_default();
            group.push((view.edge_number(*edge), patch));
        }
        for ((triple, names), mut rows) in groups {
            rows.sort_unstable_by_key(|row| row.0);
            let Some(triple) = self.triple_names(triple) else {
                continue;
            };
            changes.push(Change::PatchRelationships(RelationshipPatch {
                triple,
                relationships: rows.iter().map(|row| row.0).collect(),
                columns: patch_columns(&names, &rows.iter().map(|row| row.1)),
            }));
        }
    }

    fn triple_names(&self, triple: TripleId) -> Option<Triple> {
        let view = self.view();
        let meta = view.triple(triple)?;
        let end = |type_id: TypeId| {
            if type_id.is_relationship() {
                EndType::Relationship
            } else {
                EndType::Entity(view.type_name(type_id).to_owned())
            }
        };
        let verb = view.verb_name(meta.verb).to_owned();
        Some(Triple {
            from: end(meta.from),
            verb,
            to: end(meta.to),
        })
    }

    fn end_type(&self, handle: Handle) -> EndType {
        match handle {
            Handle::Entity(entity) => {
                EndType::Entity(self.view().type_name(entity.type_id).to_owned())
            }
            Handle::NewEntity(position) => {
                let entity = self.entities.get(position);
                EndType::Entity(
                    entity
                        .map(|made| made.entity_type.clone())
                        .unwrap_or_default(),
                )
            }
            Handle::Edge(_) | Handle::NewEdge(_) => EndType::Relationship,
        }
    }
}

fn offset(first: u32, position: usize) -> u32 {
    first.saturating_add(u32::try_from(position).unwrap_or(u32::MAX))
}

fn number(object: ObjectNumber) -> u32 {
    match object {
        ObjectNumber::Entity(number) => number.0,
        ObjectNumber::Relationship(number) => number.0,
    }
}

fn push_key(keys: &mut StringArena, key: &str, operation: usize) -> Result<(), StoreError> {
    let reason = "the draft holds too much text".to_owned();
    keys.push(key)
        .map(drop)
        .map_err(|_| StoreError::Invalid { operation, reason })
}

fn columns_of(properties: &BTreeMap<String, Value>) -> Vec<Column> {
    let column = |property: &String| Column {
        property: property.clone(),
        values: ColumnValues::Mixed(Vec::new()),
    };
    properties.keys().map(column).collect()
}

fn push_values(columns: &mut [Column], properties: &BTreeMap<String, Value>) {
    for (column, value) in columns.iter_mut().zip(properties.values()) {
        if let ColumnValues::Mixed(values) = &mut column.values {
            values.push(value.clone());
        }
    }
}

fn has_columns(columns: &[Column], properties: &BTreeMap<String, Value>) -> bool {
    columns
        .iter()
        .map(|column| &column.property)
        .eq(properties.keys())
}

fn is_alike(batch: &EntityBatch, entity: &NewEntity) -> bool {
    batch.entity_type == entity.entity_type
        && batch.classes == entity.classes
        && batch.namespace == entity.namespace
        && has_columns(&batch.columns, &entity.properties)
}

/// Whether a relationship can be the next of a batch: alike, in order, and not about one that the
/// batch itself makes.
fn continues(batch: &RelationshipBatch, triple: &Triple, edge: &NewEdge, ends: (u32, u32)) -> bool {
    let last = batch.from.last().copied().zip(batch.to.last().copied());
    let is_inside =
        |end: &EndType, number: u32| *end == EndType::Relationship && number >= batch.first.0;
    batch.triple == *triple
        && batch.relationship_type == edge.relationship_type
        && batch.namespace == edge.namespace
        && matches!(batch.keys, RelationshipKeys::Conventional) == edge.is_conventional
        && has_columns(&batch.columns, &edge.properties)
        && last.is_none_or(|last| last <= ends)
        && !is_inside(&triple.from, ends.0)
        && !is_inside(&triple.to, ends.1)
}

fn patch_columns<'p>(
    names: &[&String],
    rows: &(impl Iterator<Item = &'p Patch> + Clone),
) -> Vec<PatchColumn> {
    let column = |name: &&String| PatchColumn {
        property: (*name).clone(),
        cells: rows
            .clone()
            .map(|patch| patch.set.get(*name).cloned().map_or(Cell::Keep, Cell::Set))
            .collect(),
    };
    names.iter().map(column).collect()
}
