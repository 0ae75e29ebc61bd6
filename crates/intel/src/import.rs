// SPDX-License-Identifier: Apache-2.0
//! Writes a bundle into the graph, as one transaction.
//!
//! An object is matched with what is there by a STIX id that is known, then by its deterministic
//! id; names and aliases never merge two objects. Values that come with an older `modified` than
//! the stored one are left alone; absent values never clear; references are only added.

mod ends;
mod shared;

use std::collections::HashMap;

use durward_graph::store::{
    Draft, Operation, Outcome, Privilege, PutMode, Receipt, Store, StoreError, Target,
};
use durward_graph::{ObjectRef, View};
use durward_model::transaction::Origin;
use durward_model::{ErrorKind, Instant, Namespace, Value};

use crate::bundle::{Bundle, Rejected};
use crate::import::ends::End;
use crate::kinds;
use crate::object::{Reference, StixObject};

/// Source of the namespace in which imported threat intelligence lies.
pub const STIX_SOURCE: &str = "stix";

/// Most objects of a bundle that the graph may refuse, each of which costs one more attempt.
const REFUSED_MAX: usize = 100;

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
/// Those of [`Store::submit`]; objects that are broken or refused are in the report instead.
#[expect(
    clippy::needless_pass_by_value,
    reason = "an import is the one use of its origin, as a draft is"
)]
pub fn import_bundle(
    store: &Store,
    origin: Origin,
    scope: &str,
    bundle: Bundle,
) -> Result<ImportReport, StoreError> {
    let Bundle {
        mut objects,
        mut rejected,
        ..
    } = bundle;
    for _ in 0..=REFUSED_MAX {
        let view = store.view(None);
        let mut importer = Importer::new(&view, scope);
        importer.add(&objects);
        let draft = Draft {
            origin: origin.clone(),
            idempotency_key: String::new(),
            privilege: Privilege::Generic,
            operations: std::mem::take(&mut importer.operations),
        };
        let error = match store.submit(draft) {
            Ok(receipt) => return Ok(importer.report(&receipt, rejected)),
            Err(error) => error,
        };
        let refused = error
            .operation()
            .and_then(|operation| importer.object_of(operation));
        let Some(refused) = refused else {
            return Err(error);
        };
        let Some(found) = objects.iter().position(|object| object.position == refused) else {
            return Err(error);
        };
        let object = objects.remove(found);
        let text = error.to_string();
        let reason = text
            .split_once(": ")
            .map_or(text.as_str(), |(_, reason)| reason);
        rejected.push(Rejected {
            position: object.position,
            id: object.id,
            reason: reason.to_owned(),
        });
    }
    Err(StoreError::Preparation {
        kind: ErrorKind::Invalid,
        reason: format!("the graph refuses more than {REFUSED_MAX} objects of the bundle"),
    })
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
    /// For which object of the bundle the operations from a position on are made.
    made_for: Vec<(usize, usize)>,
    rejected: Vec<Rejected>,
    dangling: Vec<String>,
}

impl<'a> Importer<'a> {
    fn new(view: &'a View, scope: &str) -> Self {
        Self {
            view,
            namespace: Namespace::new(STIX_SOURCE, scope),
            operations: Vec::new(),
            own: Vec::new(),
            shared: Vec::new(),
            ends: HashMap::new(),
            shared_targets: HashMap::new(),
            made_for: Vec::new(),
            rejected: Vec::new(),
            dangling: Vec::new(),
        }
    }

    fn add(&mut self, objects: &[StixObject]) {
        let (relationships, entities): (Vec<_>, Vec<_>) =
            objects.iter().partition(|object| object.is_relationship());
        for object in &entities {
            self.entity(object);
        }
        let written = self.relationships(relationships);
        for object in written.into_iter().chain(entities) {
            self.references(object);
        }
    }

    /// What follows is made for this object.
    fn begin(&mut self, object: &StixObject) {
        self.made_for.push((self.operations.len(), object.position));
    }

    /// Position in the bundle of the object for which an operation was made.
    fn object_of(&self, operation: usize) -> Option<usize> {
        let behind = self
            .made_for
            .partition_point(|(first, _)| *first <= operation);
        let (_, position) = self.made_for.get(behind.checked_sub(1)?)?;
        Some(*position)
    }

    fn report(self, receipt: &Receipt, mut rejected: Vec<Rejected>) -> ImportReport {
        rejected.extend(self.rejected);
        rejected.sort_by_key(|rejected| rejected.position);
        let mut report = ImportReport {
            rejected,
            dangling: self.dangling,
            sequence: receipt.sequence.0,
            ..ImportReport::default()
        };
        report.count(receipt, &self.own, &self.shared);
        report
    }

    /// Writes one entity and remembers where it is.
    fn entity(&mut self, object: &StixObject) {
        self.begin(object);
        let entity_type = kinds::entity_type(&object.stix_type);
        let existing = self.find(object, &object.standard_id);
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
        self.remember(object, &object.standard_id, &target, existing);
    }

    /// Puts all STIX ids of an object into the table and makes those that are not its key aliases.
    /// An id that leads to something else already goes on leading there.
    fn remember(
        &mut self,
        object: &StixObject,
        standard_id: &str,
        target: &Target,
        existing: Option<ObjectRef>,
    ) {
        let key = match existing {
            Some(ObjectRef::Entity(entity)) => self.view.key(entity),
            Some(ObjectRef::Edge(edge)) => self.view.edge_key(edge),
            None => standard_id.to_owned(),
        };
        let known = existing
            .map(|found| self.view.aliases(found))
            .unwrap_or_default();
        let ids = [object.id.as_str(), standard_id].into_iter();
        for id in ids.chain(object.other_ids.iter().map(String::as_str)) {
            let end = End {
                target: target.clone(),
                standard_id: key.clone(),
            };
            let is_first = self.ends.insert(id.to_owned(), end).is_none();
            let is_free = || self.by_id(id).is_none();
            if is_first && id != key && !known.iter().any(|known| known == id) && is_free() {
                self.operations.push(Operation::AddAlias {
                    target: target.clone(),
                    alias: id.to_owned(),
                });
            }
        }
    }

    /// What the graph has under one of the ids of an object, if it is of the object's type.
    fn find(&self, object: &StixObject, standard_id: &str) -> Option<ObjectRef> {
        let entity_type = kinds::entity_type(&object.stix_type);
        let fits = |found: &ObjectRef| match found {
            ObjectRef::Entity(entity) => {
                !object.is_relationship() && self.view.type_name(entity.type_id) == entity_type
            }
            ObjectRef::Edge(_) => object.is_relationship(),
        };
        let ids = [object.id.as_str(), standard_id].into_iter();
        let ids = ids.chain(object.other_ids.iter().map(String::as_str));
        ids.filter_map(|id| self.by_id(id)).find(fits)
    }

    /// What the graph has under an id.
    fn by_id(&self, id: &str) -> Option<ObjectRef> {
        let by_key = self
            .view
            .find_by_key(&self.namespace, id)
            .map(ObjectRef::Entity);
        by_key.or_else(|| self.view.find_alias(id)).or_else(|| {
            let edge = self.view.find_edge_by_key(&self.namespace, id);
            edge.map(ObjectRef::Edge)
        })
    }

    fn references(&mut self, object: &StixObject) {
        self.begin(object);
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
    match (incoming, stored) {
        (Some(incoming), Some(Value::Instant(stored))) => incoming < *stored,
        _ => false,
    }
}
