// SPDX-License-Identifier: Apache-2.0
//! Putting and patching relationships.

use std::collections::BTreeMap;

use durward_model::{ObjectId, Value};

use super::super::draft::{Operation, Outcome, PutMode};
use super::entities::{merge, without_nulls};
use super::{Build, Handle, NewEdge, Patch, StoreError};
use crate::ids::EdgeRef;

/// What a relationship is named by.
struct Ends<'o> {
    from: Handle,
    verb: &'o str,
    to: Handle,
}

impl Build<'_> {
    pub(super) fn put_relationship(
        &mut self,
        operation: &Operation,
    ) -> Result<(Handle, Outcome), StoreError> {
        let Operation::PutRelationship {
            from,
            verb,
            to,
            relationship_type,
            namespace,
            key,
            properties,
            mode,
        } = operation
        else {
            return self.invalid("not a put of a relationship");
        };
        self.check_name("verb", verb)?;
        self.check_namespace(namespace)?;
        self.check_source(namespace)?;
        let ends = Ends {
            from: self.target(from)?,
            verb,
            to: self.target(to)?,
        };
        for end in [ends.from, ends.to] {
            self.check_unprotected(end)?;
        }
        let named = self.checked_properties(properties)?;
        let conventional = self.conventional_key(&ends);
        let key = match key {
            Some(key) => self.checked_key(key)?,
            None => conventional.clone(),
        };
        let is_conventional = key == conventional;
        match self.edge_by_key(namespace, &key) {
            Some(_) if *mode == PutMode::Create => {
                self.exists(format!("a relationship with key {key:?}"))
            }
            Some(handle) => self.put_existing(handle, &ends, &named, *mode),
            None => {
                let relationship_type = match relationship_type.as_str() {
                    "" => self.conventional_type(&ends),
                    given => given.to_owned(),
                };
                self.check_name("relationship type", &relationship_type)?;
                let position = self.edges.len();
                self.edge_keys
                    .insert((namespace.clone(), key.clone()), position);
                self.edges.push(NewEdge {
                    from: ends.from,
                    verb: verb.clone(),
                    to: ends.to,
                    relationship_type,
                    namespace: namespace.clone(),
                    key,
                    is_conventional,
                    properties: without_nulls(&named),
                });
                Ok((Handle::NewEdge(position), Outcome::Created))
            }
        }
    }

    fn put_existing(
        &mut self,
        handle: Handle,
        ends: &Ends<'_>,
        named: &BTreeMap<&str, &Value>,
        mode: PutMode,
    ) -> Result<(Handle, Outcome), StoreError> {
        self.check_unprotected(handle)?;
        match handle {
            Handle::NewEdge(position) => {
                let Some(made) = self.edges.get_mut(position) else {
                    return self.invalid("no such relationship");
                };
                let is_same =
                    made.from == ends.from && made.to == ends.to && made.verb == ends.verb;
                if !is_same {
                    return self.exists("a relationship between other ends with this key");
                }
                if mode == PutMode::Replace {
                    made.properties.clear();
                }
                merge(&mut made.properties, named);
                Ok((handle, Outcome::Updated))
            }
            Handle::Edge(edge) => {
                if !self.is_between(edge, ends) {
                    return self.exists("a relationship between other ends with this key");
                }
                let gone = self.edge_properties_gone(edge, named, mode);
                let removals = gone.iter().map(|name| (name.as_str(), &Value::Null));
                let set: BTreeMap<&str, &Value> = named
                    .iter()
                    .map(|(name, value)| (*name, *value))
                    .chain(removals)
                    .collect();
                let is_changed = self.change_edge(edge, &set);
                Ok((
                    handle,
                    if is_changed {
                        Outcome::Updated
                    } else {
                        Outcome::Unchanged
                    },
                ))
            }
            Handle::Entity(_) | Handle::NewEntity(_) => self.invalid("not a relationship"),
        }
    }

    pub(super) fn patch_relationship(
        &mut self,
        target: ObjectId,
        set: &[(String, Value)],
    ) -> Result<(Handle, Outcome), StoreError> {
        let edge = self.edge_target(target)?;
        self.check_unprotected(Handle::Edge(edge))?;
        let set = self.checked_properties(set)?;
        let is_changed = self.change_edge(edge, &set);
        let outcome = if is_changed {
            Outcome::Updated
        } else {
            Outcome::Unchanged
        };
        Ok((Handle::Edge(edge), outcome))
    }

    fn is_between(&self, edge: EdgeRef, ends: &Ends<'_>) -> bool {
        let view = self.view();
        let Some((from, to)) = view.edge_ends(edge) else {
            return false;
        };
        let is_verb = view
            .triple(edge.triple)
            .map(|triple| view.verb_name(triple.verb));
        self.end_of(ends.from) == Some(from)
            && self.end_of(ends.to) == Some(to)
            && is_verb == Some(ends.verb)
    }

    fn edge_properties_gone(
        &self,
        edge: EdgeRef,
        named: &BTreeMap<&str, &Value>,
        mode: PutMode,
    ) -> Vec<String> {
        if mode != PutMode::Replace {
            return Vec::new();
        }
        let view = self.view();
        let stored = view.edge_properties(edge).into_iter();
        let stored = stored.map(|(property, _)| view.property_name(property).to_owned());
        let patched = self.edge_patches.get(&edge);
        let patched = patched
            .into_iter()
            .flat_map(|patch| patch.set.keys().cloned());
        stored
            .chain(patched)
            .filter(|name| !named.contains_key(name.as_str()))
            .collect()
    }

    fn change_edge(&mut self, edge: EdgeRef, set: &BTreeMap<&str, &Value>) -> bool {
        let view = self.ground.view;
        let mut changed = Vec::new();
        for (name, value) in set {
            let patched = self
                .edge_patches
                .get(&edge)
                .and_then(|patch| patch.set.get(*name));
            let stored = match patched {
                Some(value) => value.clone(),
                None => view
                    .property_id(name)
                    .map_or(Value::Null, |property| view.edge_value(edge, property)),
            };
            if stored != **value {
                changed.push(((*name).to_owned(), (*value).clone()));
            }
        }
        if changed.is_empty() {
            return false;
        }
        let operation = self.operation;
        let patch = self.edge_patches.entry(edge).or_insert_with(|| Patch {
            operation,
            ..Patch::default()
        });
        patch.set.extend(changed);
        true
    }

    /// `<key of from>|<VERB>|<key of to>`.
    fn conventional_key(&self, ends: &Ends<'_>) -> String {
        let (from, to) = (self.key_of(ends.from), self.key_of(ends.to));
        format!("{from}|{}|{to}", ends.verb)
    }

    fn conventional_type(&self, ends: &Ends<'_>) -> String {
        let (from, to) = (self.type_of(ends.from), self.type_of(ends.to));
        format!("{from}_{}_{to}", ends.verb.to_lowercase())
    }

    fn key_of(&self, handle: Handle) -> String {
        match handle {
            Handle::Entity(entity) => self.view().key(entity),
            Handle::Edge(edge) => self.view().edge_id(edge).to_hex(),
            Handle::NewEntity(position) => self
                .entities
                .get(position)
                .map(|entity| entity.key.clone())
                .unwrap_or_default(),
            Handle::NewEdge(position) => self
                .edges
                .get(position)
                .map(|edge| edge.key.clone())
                .unwrap_or_default(),
        }
    }
}
