// SPDX-License-Identifier: Apache-2.0
//! Putting and patching entities.

use std::collections::BTreeMap;

use durward_model::{Namespace, Value};

use super::super::draft::{Operation, Outcome, PutMode, Target};
use super::{Build, Handle, NewEntity, Patch, StoreError};
use crate::ids::EntityRef;

/// Values of this size or more make a patch count the whole object.
const LARGE_BYTES: usize = 4096;

impl Build<'_> {
    pub(super) fn put_entity(
        &mut self,
        operation: &Operation,
    ) -> Result<(Handle, Outcome), StoreError> {
        let Operation::PutEntity {
            entity_type,
            classes,
            namespace,
            key,
            properties,
            aliases,
            mode,
        } = operation
        else {
            return self.invalid("not a put of an entity");
        };
        self.check_name("type", entity_type)?;
        self.check_namespace(namespace)?;
        self.check_kind(entity_type, namespace)?;
        let key = self.checked_key(key)?;
        let named = self.checked_properties(properties)?;
        self.check_derived(entity_type, &named)?;
        let classes = classes
            .as_deref()
            .map(|classes| self.checked_classes(classes))
            .transpose()?;
        let existing = self.entity_by_key(namespace, &key);
        if existing.is_some() && *mode == PutMode::Create {
            return self.exists(format!("an entity with key {key:?}"));
        }
        let (handle, mut outcome) = match existing {
            None => {
                let classes = classes.unwrap_or_else(|| self.catalog_classes(entity_type));
                (
                    self.new_entity(entity_type, classes, namespace, key, &named),
                    Outcome::Created,
                )
            }
            Some(handle @ Handle::NewEntity(position)) => {
                self.check_type(handle, entity_type)?;
                let is_replaced = *mode == PutMode::Replace;
                self.change_new(position, &named, classes.as_deref(), is_replaced)?;
                (handle, Outcome::Updated)
            }
            Some(handle @ Handle::Entity(entity)) => {
                self.check_type(handle, entity_type)?;
                self.check_unprotected(handle)?;
                let gone = self.properties_gone(entity, &named, *mode);
                let removals = gone.iter().map(|name| (name.as_str(), &Value::Null));
                let set: BTreeMap<&str, &Value> = named.into_iter().chain(removals).collect();
                let is_changed = self.change_old(entity, &set, classes.as_deref())?;
                (
                    handle,
                    if is_changed {
                        Outcome::Updated
                    } else {
                        Outcome::Unchanged
                    },
                )
            }
            Some(Handle::Edge(_) | Handle::NewEdge(_)) => return self.invalid("not an entity"),
        };
        for alias in aliases {
            if self.add_alias(handle, alias)? && outcome == Outcome::Unchanged {
                outcome = Outcome::Updated;
            }
        }
        Ok((handle, outcome))
    }

    pub(super) fn patch_entity(
        &mut self,
        target: &Target,
        set: &[(String, Value)],
        classes: Option<&[String]>,
        expected_version: Option<u32>,
    ) -> Result<(Handle, Outcome), StoreError> {
        let handle = self.entity_target(target)?;
        self.check_unprotected(handle)?;
        let set = self.checked_properties(set)?;
        self.check_derived(self.type_of(handle), &set)?;
        let classes = classes
            .map(|classes| self.checked_classes(classes))
            .transpose()?;
        match handle {
            Handle::NewEntity(position) => {
                self.change_new(position, &set, classes.as_deref(), false)?;
                Ok((handle, Outcome::Updated))
            }
            Handle::Entity(entity) => {
                let found = self.view().version(entity);
                if let Some(expected) = expected_version.filter(|expected| *expected != found) {
                    let operation = self.operation;
                    return Err(StoreError::VersionConflict {
                        operation,
                        expected,
                        found,
                    });
                }
                let is_changed = self.change_old(entity, &set, classes.as_deref())?;
                Ok((
                    handle,
                    if is_changed {
                        Outcome::Updated
                    } else {
                        Outcome::Unchanged
                    },
                ))
            }
            Handle::Edge(_) | Handle::NewEdge(_) => self.invalid("not an entity"),
        }
    }

    fn catalog_classes(&self, entity_type: &str) -> Vec<String> {
        self.ground
            .catalog
            .entry(entity_type)
            .map(|entry| entry.class.clone())
            .unwrap_or_default()
    }

    /// An entity keeps its type for ever.
    fn check_type(&self, handle: Handle, entity_type: &str) -> Result<(), StoreError> {
        let found = self.type_of(handle);
        if found == entity_type {
            return Ok(());
        }
        self.exists(format!("an entity of type {found} with this key"))
    }

    pub(super) fn type_of(&self, handle: Handle) -> &str {
        match handle {
            Handle::Entity(entity) => self.view().type_name(entity.type_id),
            Handle::NewEntity(position) => {
                let entity = self.entities.get(position);
                entity.map_or("", |entity| entity.entity_type.as_str())
            }
            Handle::Edge(_) | Handle::NewEdge(_) => "relationship",
        }
    }

    fn new_entity(
        &mut self,
        entity_type: &str,
        classes: Vec<String>,
        namespace: &Namespace,
        key: String,
        named: &BTreeMap<&str, &Value>,
    ) -> Handle {
        let position = self.entities.len();
        self.entity_keys
            .insert((namespace.clone(), key.clone()), position);
        self.entities.push(NewEntity {
            entity_type: entity_type.to_owned(),
            classes,
            namespace: namespace.clone(),
            key,
            properties: without_nulls(named),
            operation: self.operation,
        });
        Handle::NewEntity(position)
    }

    fn change_new(
        &mut self,
        position: usize,
        set: &BTreeMap<&str, &Value>,
        classes: Option<&[String]>,
        is_replaced: bool,
    ) -> Result<(), StoreError> {
        let Some(entity) = self.entities.get_mut(position) else {
            return Ok(());
        };
        if is_replaced {
            entity.properties.clear();
        }
        merge(&mut entity.properties, set);
        if let Some(classes) = classes {
            entity.classes = classes.to_vec();
        }
        let bytes = entity.properties.values().map(Value::byte_size).sum();
        let count = entity.properties.len();
        self.check_size(count, bytes)
    }

    /// Names of the stored properties that a replacement does not name.
    fn properties_gone(
        &self,
        entity: EntityRef,
        named: &BTreeMap<&str, &Value>,
        mode: PutMode,
    ) -> Vec<String> {
        if mode != PutMode::Replace {
            return Vec::new();
        }
        let view = self.view();
        let stored = view.stored_properties(entity).into_iter();
        let stored = stored.map(|(property, _)| view.property_name(property).to_owned());
        let patched = self.entity_patches.get(&entity);
        let patched = patched
            .into_iter()
            .flat_map(|patch| patch.set.keys().cloned());
        stored
            .chain(patched)
            .filter(|name| !named.contains_key(name.as_str()))
            .collect()
    }

    /// Remembers what really changes of an old entity; false when nothing does.
    fn change_old(
        &mut self,
        entity: EntityRef,
        set: &BTreeMap<&str, &Value>,
        classes: Option<&[String]>,
    ) -> Result<bool, StoreError> {
        let view = self.ground.view;
        let mut changed = Vec::new();
        let mut must_count = false;
        for (name, value) in set {
            let patched = self
                .entity_patches
                .get(&entity)
                .and_then(|patch| patch.set.get(*name));
            let stored = match patched {
                Some(value) => value.clone(),
                None => view
                    .property_id(name)
                    .map_or(Value::Null, |property| view.secret_value(entity, property)),
            };
            if stored == **value {
                continue;
            }
            must_count |= stored.is_null() || value.byte_size() > LARGE_BYTES;
            changed.push(((*name).to_owned(), (*value).clone()));
        }
        let new_classes = classes.filter(|classes| !self.has_classes(entity, classes));
        if changed.is_empty() && new_classes.is_none() {
            return Ok(false);
        }
        let operation = self.operation;
        let patch = self.entity_patches.entry(entity).or_insert_with(|| Patch {
            operation,
            ..Patch::default()
        });
        patch.set.extend(changed);
        if let Some(classes) = new_classes {
            patch.classes = Some(classes.to_vec());
        }
        if must_count {
            self.check_patched_size(entity)?;
        }
        Ok(true)
    }

    fn has_classes(&self, entity: EntityRef, classes: &[String]) -> bool {
        if let Some(patched) = self
            .entity_patches
            .get(&entity)
            .and_then(|p| p.classes.as_ref())
        {
            return patched == classes;
        }
        let view = self.view();
        let stored = view.classes(entity);
        stored
            .iter()
            .map(|class| view.class_name(*class))
            .eq(classes.iter().map(String::as_str))
    }

    fn check_patched_size(&self, entity: EntityRef) -> Result<(), StoreError> {
        let Some(patch) = self.entity_patches.get(&entity) else {
            return Ok(());
        };
        let view = self.view();
        let (mut count, mut bytes) = (0usize, 0usize);
        for (property, value) in view.stored_properties(entity) {
            if !patch.set.contains_key(view.property_name(property)) {
                count += 1;
                bytes = bytes.saturating_add(value.byte_size());
            }
        }
        for value in patch.set.values().filter(|value| !value.is_null()) {
            count += 1;
            bytes = bytes.saturating_add(value.byte_size());
        }
        self.check_size(count, bytes)
    }
}

/// The values that are there.
pub(super) fn without_nulls(named: &BTreeMap<&str, &Value>) -> BTreeMap<String, Value> {
    let there = named.iter().filter(|(_, value)| !value.is_null());
    there
        .map(|(name, value)| ((*name).to_owned(), (*value).clone()))
        .collect()
}

/// Sets values and removes nulls.
pub(super) fn merge(properties: &mut BTreeMap<String, Value>, set: &BTreeMap<&str, &Value>) {
    for (name, value) in set {
        if value.is_null() {
            properties.remove(*name);
        } else {
            properties.insert((*name).to_owned(), (*value).clone());
        }
    }
}
