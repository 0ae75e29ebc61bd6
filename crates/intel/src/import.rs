// SPDX-License-Identifier: Apache-2.0
//! Writes a bundle into the graph, as one transaction.
//!
//! An object is matched with what is there by a STIX id that is known, then by its deterministic
//! id; names and aliases never merge two objects. Values that come with an older `modified` than
//! the stored one are left alone; absent values never clear; references are only added.

mod ends;
mod shared;

use std::collections::HashMap;

use durward_graph::store::{Draft, Operation, Outcome, Privilege, PutMode, Receipt, Store, Target};
use durward_graph::{ObjectRef, View};
use durward_model::transaction::Origin;
use durward_model::{Instant, Namespace, Value};

use crate::bundle::{Bundle, Rejected};
use crate::import::ends::End;
use crate::kinds;
use crate::object::{Reference, StixObject};

/// Source of the namespace in which imported threat intelligence lies.
pub const STIX_SOURCE: &str = "stix";

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Objects of the bundle that were new.
    pub created: usize,
    /// Objects of the bundle that changed.
    pub updated: usize,
    /// Objects of the bundle that were there as they are.
    pub unchanged: usize,
    /// Labels, phases, external references and markings that were made for them.
    pub shared_created: usize,
    /// Objects that were left out.
    pub rejected: Vec<Rejected>,
    /// References to objects that are neither in the bundle nor in the graph, left out.
    pub dangling: Vec<String>,
    /// Sequence of the transaction; that of the head when nothing changed.
    pub sequence: u64,
}

/// Imports a bundle.
///
/// # Errors
/// Those of [`Store::submit`]; broken objects are in the report instead.
pub fn import_bundle(
    store: &Store,
    origin: Origin,
    scope: &str,
    bundle: Bundle,
) -> Result<ImportReport, durward_graph::store::StoreError> {
    let view = store.view(None);
    let mut importer = Importer::new(&view, scope, bundle.rejected);
    importer.add(bundle.objects);
    let Importer {
        operations,
        own,
        shared,
        rejected,
        dangling,
        ..
    } = importer;
    let draft = Draft {
        origin,
        idempotency_key: String::new(),
        privilege: Privilege::Generic,
        operations,
    };
    let receipt = store.submit(draft)?;
    let mut report = ImportReport {
        rejected,
        dangling,
        ..ImportReport::default()
    };
    report.sequence = receipt.sequence.0;
    report.count(&receipt, &own, &shared);
    Ok(report)
}

impl ImportReport {
    fn count(&mut self, receipt: &Receipt, own: &[usize], shared: &[usize]) {
        let outcome =
            |position: &usize| receipt.results.get(*position).map(|result| result.outcome);
        for position in own {
            match outcome(position) {
                Some(Outcome::Created) => self.created += 1,
                Some(Outcome::Updated) => self.updated += 1,
                _ => self.unchanged += 1,
            }
        }
        let is_created = |position: &&usize| outcome(position) == Some(Outcome::Created);
        self.shared_created = shared.iter().filter(is_created).count();
    }
}

pub(crate) struct Importer<'a> {
    view: &'a View,
    namespace: Namespace,
    operations: Vec<Operation>,
    /// Operations that stand for objects of the bundle.
    own: Vec<usize>,
    /// Operations that stand for shared references.
    shared: Vec<usize>,
    /// Where each STIX id of the bundle is, or will be.
    ends: HashMap<String, End>,
    /// Shared references by key.
    shared_targets: HashMap<String, Target>,
    rejected: Vec<Rejected>,
    dangling: Vec<String>,
}

impl<'a> Importer<'a> {
    fn new(view: &'a View, scope: &str, rejected: Vec<Rejected>) -> Self {
        Self {
            view,
            namespace: Namespace::new(STIX_SOURCE, scope),
            operations: Vec::new(),
            own: Vec::new(),
            shared: Vec::new(),
            ends: HashMap::new(),
            shared_targets: HashMap::new(),
            rejected,
            dangling: Vec::new(),
        }
    }

    fn add(&mut self, objects: Vec<StixObject>) {
        let (relationships, entities): (Vec<_>, Vec<_>) =
            objects.into_iter().partition(StixObject::is_relationship);
        for object in &entities {
            self.entity(object);
        }
        let mut written = self.relationships(relationships);
        written.extend(entities);
        for object in &written {
            self.references(object);
        }
    }

    /// Writes one entity and remembers where it is.
    fn entity(&mut self, object: &StixObject) {
        let entity_type = kinds::entity_type(&object.stix_type);
        let existing = self.find(object);
        let position = self.operations.len();
        let target = if let Some(ObjectRef::Entity(entity)) = existing {
            let id = self.view.entity_id(entity);
            let stored = self
                .view
                .property_id("modified")
                .map(|property| self.view.value(entity, property));
            let is_newer = !is_older(object.modified, stored.as_ref());
            let set = if is_newer {
                object.properties.clone()
            } else {
                Vec::new()
            };
            let target = Target::Id(id);
            self.operations.push(Operation::PatchEntity {
                target: target.clone(),
                set,
                classes: None,
                expected_version: None,
            });
            target
        } else {
            self.operations.push(Operation::PutEntity {
                entity_type,
                classes: Some(kinds::classes(&object.stix_type)),
                namespace: self.namespace.clone(),
                key: object.standard_id.clone(),
                properties: object.properties.clone(),
                aliases: Vec::new(),
                mode: PutMode::Upsert,
            });
            Target::Result(position)
        };
        self.own.push(position);
        self.remember(object, &target, existing);
    }

    /// Puts all STIX ids of an object into the table and makes those that are not its key aliases.
    fn remember(&mut self, object: &StixObject, target: &Target, existing: Option<ObjectRef>) {
        let key = match existing {
            Some(ObjectRef::Entity(entity)) => self.view.key(entity),
            Some(ObjectRef::Edge(edge)) => self.view.edge_key(edge),
            None => object.standard_id.clone(),
        };
        let known = existing
            .map(|found| self.view.aliases(found))
            .unwrap_or_default();
        let ids = [&object.id, &object.standard_id]
            .into_iter()
            .chain(&object.other_ids);
        for id in ids {
            let end = End {
                target: target.clone(),
                standard_id: key.clone(),
            };
            let is_first = self.ends.insert(id.clone(), end).is_none();
            if is_first && *id != key && !known.contains(id) {
                self.operations.push(Operation::AddAlias {
                    target: target.clone(),
                    alias: id.clone(),
                });
            }
        }
    }

    /// What the graph has under one of the ids of an object.
    fn find(&self, object: &StixObject) -> Option<ObjectRef> {
        let by_id = |id: &String| {
            let by_key = self
                .view
                .find_by_key(&self.namespace, id)
                .map(ObjectRef::Entity);
            by_key.or_else(|| self.view.find_alias(id)).or_else(|| {
                self.view
                    .find_edge_by_key(&self.namespace, id)
                    .map(ObjectRef::Edge)
            })
        };
        by_id(&object.id)
            .or_else(|| by_id(&object.standard_id))
            .or_else(|| object.other_ids.iter().find_map(by_id))
    }

    fn references(&mut self, object: &StixObject) {
        let Some(source) = self.ends.get(&object.id).map(|end| end.target.clone()) else {
            return;
        };
        for reference in &object.references {
            let (verb, target, properties) = match reference {
                Reference::Object { verb, id } => {
                    let found = self.end(id).or_else(|| self.well_known_marking(verb, id));
                    let Some(end) = found else {
                        self.dangling.push(format!("{} {verb} {id}", object.id));
                        continue;
                    };
                    (verb.clone(), end.target, Vec::new())
                }
                Reference::External(content) => {
                    let (target, properties) = self.external_reference(content);
                    (kinds::REFERS.to_owned(), target, properties)
                }
                Reference::Phase { chain, phase } => (
                    kinds::IN_PHASE.to_owned(),
                    self.phase(chain, phase),
                    Vec::new(),
                ),
                Reference::Label(label) => {
                    (kinds::LABELED.to_owned(), self.label(label), Vec::new())
                }
            };
            self.link(&source, &verb, target, properties);
        }
    }

    fn link(&mut self, from: &Target, verb: &str, to: Target, properties: Vec<(String, Value)>) {
        self.operations.push(Operation::PutRelationship {
            from: from.clone(),
            verb: verb.to_owned(),
            to,
            relationship_type: format!("stix_{}", verb.to_lowercase()),
            namespace: self.namespace.clone(),
            key: None,
            properties,
            mode: PutMode::Upsert,
        });
    }
}

/// Whether an object was modified before what is stored.
fn is_older(incoming: Option<Instant>, stored: Option<&Value>) -> bool {
    matches!((incoming, stored), (Some(incoming), Some(Value::Instant(stored))) if incoming < *stored)
}
