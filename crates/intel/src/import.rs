// SPDX-License-Identifier: Apache-2.0
//! Writes a bundle into the graph, as one transaction.
//!
//! An object is matched with what is there by a STIX id that is known, then by its deterministic
//! id; names and aliases never merge two objects. Values that come with an older `modified` than
//! the stored one are left alone; absent values never clear; references are only added.

mod ends;
mod known;
mod shared;
mod weight;

use std::collections::{BTreeSet, HashMap};

use durward_budget::Exhausted;
use durward_graph::store::{
    Draft, Operation, Outcome, Privilege, PutMode, Receipt, Store, StoreError, Target,
};
use durward_graph::{ObjectRef, View};
use durward_model::error::ClientMessage;
use durward_model::transaction::Origin;
use durward_model::{ErrorKind, Instant, Namespace, Value};

use crate::bundle::{Bundle, BundleError, Rejected, properties_bytes, read_bundle};
use crate::import::ends::End;
use crate::import::weight::{TEXT_BYTES, operation_bytes};
use crate::kinds;
use crate::markings;
use crate::object::{Reference, StixObject, references_bytes};
use crate::room::{Room, Stop};

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

/// Why nothing of a bundle was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The text is no bundle, or was not read to its end.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The import ended before it wrote.
    #[error(transparent)]
    Stopped(#[from] Stop),
    /// The graph does not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ImportError {
    /// The share that was used up, if that is why.
    pub fn exhausted(&self) -> Option<Exhausted> {
        match self {
            Self::Stopped(Stop::Exhausted(exhausted))
            | Self::Bundle(BundleError::Stopped(Stop::Exhausted(exhausted))) => Some(*exhausted),
            _ => None,
        }
    }
}

impl ClientMessage for ImportError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Bundle(error) => error.kind(),
            Self::Stopped(stop) => stop.kind(),
            Self::Store(error) => ClientMessage::kind(error),
        }
    }

    fn client_message(&self) -> String {
        match self {
            Self::Bundle(error) => error.client_message(),
            Self::Stopped(stop) => stop.client_message(),
            Self::Store(error) => error.client_message(),
        }
    }
}

/// Imports the text of a bundle: all that can be taken of it, as one transaction.
///
/// # Errors
/// When it is no bundle, when there is no room for it, and those of [`Store::submit`]; nothing is
/// written then. Objects that are broken or refused are in the report instead.
#[expect(
    clippy::needless_pass_by_value,
    reason = "an import is the one use of its origin, as a draft is"
)]
pub fn import_bundle(
    store: &Store,
    origin: Origin,
    scope: &str,
    text: &[u8],
    room: &Room,
) -> Result<ImportReport, ImportError> {
    let mut refused: Vec<Rejected> = Vec::new();
    for _ in 0..=REFUSED_MAX {
        // Values move from the objects into the draft, so each attempt reads the text again.
        let attempt = room.step();
        let Bundle {
            mut objects,
            mut rejected,
        } = read_bundle(text, &attempt)?;
        let is_refused: BTreeSet<usize> = refused.iter().map(|item| item.position).collect();
        objects.retain(|object| !is_refused.contains(&object.position));
        rejected.extend(refused.iter().cloned());
        let view = store.view(None);
        let mut importer = Importer::new(&view, scope, &attempt);
        importer.add(&mut objects)?;
        let draft = Draft {
            origin: origin.clone(),
            idempotency_key: String::new(),
            privilege: Privilege::Generic,
            operations: std::mem::take(&mut importer.operations),
        };
        room.go_on()?;
        let error = match store.submit(draft) {
            Ok(receipt) => return Ok(importer.report(&receipt, rejected)),
            Err(error) => error,
        };
        let position = error
            .operation()
            .and_then(|operation| importer.object_of(operation));
        let object = position.and_then(|position| {
            let mut objects = objects.iter();
            objects.find(|object| object.position == position)
        });
        let Some(object) = object else {
            return Err(error.into());
        };
        refused.push(rejection(object, &error));
    }
    Err(ImportError::Store(StoreError::Preparation {
        kind: ErrorKind::Invalid,
        reason: format!("the graph refuses more than {REFUSED_MAX} objects of the bundle"),
    }))
}

/// What the report says of an object that the graph refused.
fn rejection(object: &StixObject, error: &StoreError) -> Rejected {
    let text = error.to_string();
    let reason = text
        .split_once(": ")
        .map_or(text.as_str(), |(_, reason)| reason);
    Rejected {
        position: object.position,
        id: object.id.clone(),
        reason: reason.to_owned(),
    }
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
    room: &'a Room,
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
    fn new(view: &'a View, scope: &str, room: &'a Room) -> Self {
        Self {
            view,
            room,
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

    /// Writes all objects into the draft; what they hold moves there.
    fn add(&mut self, objects: &mut [StixObject]) -> Result<(), Stop> {
        let left_out = self.left_out(objects)?;
        let mut entities = Vec::with_capacity(objects.len());
        let mut relationships = Vec::new();
        for object in objects {
            if left_out.contains(&object.position) {
                continue;
            }
            let properties = std::mem::take(&mut object.properties);
            let references = std::mem::take(&mut object.references);
            let object = &*object;
            if object.is_relationship() {
                relationships.push((object, properties, references));
            } else {
                self.entity(object, properties)?;
                entities.push((object, references));
            }
        }
        let written = self.relationships(relationships)?;
        for (object, references) in written.into_iter().chain(entities) {
            self.references(object, &references)?;
        }
        Ok(())
    }

    /// Adds an operation, in the room of the import.
    fn push(&mut self, operation: Operation) -> Result<(), Stop> {
        self.room.hold(operation_bytes(&operation))?;
        self.operations.push(operation);
        Ok(())
    }

    /// Notes an object that is left out.
    fn reject(&mut self, object: &StixObject, reason: String) -> Result<(), Stop> {
        // The answer repeats what the report says.
        self.room
            .hold(2 * (size_of::<Rejected>() + object.id.len() + reason.len()))?;
        self.rejected.push(Rejected {
            position: object.position,
            id: object.id.clone(),
            reason,
        });
        Ok(())
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
    fn entity(
        &mut self,
        object: &StixObject,
        properties: Vec<(String, Value)>,
    ) -> Result<(), Stop> {
        self.begin(object);
        let moved = properties_bytes(&properties);
        let existing = self.find(object, &object.standard_id);
        let position = self.operations.len();
        let target = if let Some(ObjectRef::Entity(entity)) = existing {
            let id = self.view.entity_id(entity);
            let stored = self
                .view
                .property_id("modified")
                .map(|property| self.view.value(entity, property));
            let is_newer = !is_older(object.modified, stored.as_ref());
            let target = Target::Id(id);
            self.push(Operation::PatchEntity {
                target: target.clone(),
                set: if is_newer { properties } else { Vec::new() },
                classes: None,
                expected_version: None,
            })?;
            target
        } else {
            self.push(Operation::PutEntity {
                entity_type: kinds::entity_type(&object.stix_type),
                classes: Some(kinds::classes(&object.stix_type)),
                namespace: self.namespace.clone(),
                key: object.standard_id.clone(),
                properties,
                aliases: Vec::new(),
                mode: PutMode::Upsert,
            })?;
            Target::Result(position)
        };
        self.room.let_go(moved);
        self.own.push(position);
        self.remember(object, &object.standard_id, &target, existing)
    }

    /// Puts all STIX ids of an object into the table and makes those that are not its key aliases.
    /// An id that leads to something else already goes on leading there, and nothing but a marking
    /// takes the id of one.
    fn remember(
        &mut self,
        object: &StixObject,
        standard_id: &str,
        target: &Target,
        existing: Option<ObjectRef>,
    ) -> Result<(), Stop> {
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
            if !may_have(object, id) {
                continue;
            }
            let end = End {
                target: target.clone(),
                standard_id: key.clone(),
            };
            self.room
                .hold(2 * size_of::<End>() + 2 * TEXT_BYTES + id.len() + key.len())?;
            let is_first = self.ends.insert(id.to_owned(), end).is_none();
            let is_free = || self.by_id(id).is_none();
            if is_first && id != key && !known.iter().any(|known| known == id) && is_free() {
                self.push(Operation::AddAlias {
                    target: target.clone(),
                    alias: id.to_owned(),
                })?;
            }
        }
        Ok(())
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

    fn references(&mut self, object: &StixObject, references: &[Reference]) -> Result<(), Stop> {
        self.begin(object);
        let moved = references_bytes(references);
        let Some(source) = self.ends.get(&object.id).map(|end| end.target.clone()) else {
            return Ok(());
        };
        for reference in references {
            let (verb, target, properties) = match reference {
                Reference::Object { verb, id } => {
                    let found = match verb.as_str() {
                        kinds::MARKED => self.marking(id)?,
                        _ => self.end(id),
                    };
                    let Some(end) = found else {
                        let dangling = format!("{} {verb} {id}", object.id);
                        self.room.hold(2 * (TEXT_BYTES + dangling.len()))?;
                        self.dangling.push(dangling);
                        continue;
                    };
                    (verb.as_str(), end.target, Vec::new())
                }
                Reference::External(content) => {
                    let (target, properties) = self.external_reference(content)?;
                    (kinds::REFERS, target, properties)
                }
                Reference::Phase { chain, phase } => {
                    (kinds::IN_PHASE, self.phase(chain, phase)?, Vec::new())
                }
                Reference::Label(label) => (kinds::LABELED, self.label(label)?, Vec::new()),
            };
            self.link(&source, verb, target, properties)?;
        }
        self.room.let_go(moved);
        Ok(())
    }

    fn link(
        &mut self,
        from: &Target,
        verb: &str,
        to: Target,
        properties: Vec<(String, Value)>,
    ) -> Result<(), Stop> {
        self.push(Operation::PutRelationship {
            from: from.clone(),
            verb: verb.to_owned(),
            to,
            relationship_type: format!("stix_{}", verb.to_lowercase()),
            namespace: self.namespace.clone(),
            key: None,
            properties,
            mode: PutMode::Upsert,
        })
    }
}

/// Whether an object may be known by an id: that of a marking belongs to markings, and that of a
/// marking that everybody knows to this marking alone.
fn may_have(object: &StixObject, id: &str) -> bool {
    if !id.starts_with(markings::ID_PREFIX) {
        return true;
    }
    let is_of_other = |tlp: &markings::Tlp| tlp.id() != object.standard_id;
    object.stix_type == "marking-definition" && !markings::of_id(id).is_some_and(is_of_other)
}

/// Whether an object was modified before what is stored.
fn is_older(incoming: Option<Instant>, stored: Option<&Value>) -> bool {
    match (incoming, stored) {
        (Some(incoming), Some(Value::Instant(stored))) => incoming < *stored,
        _ => false,
    }
}
