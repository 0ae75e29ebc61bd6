// SPDX-License-Identifier: Apache-2.0
//! What writers ask for, and what they get back.

use durward_model::change::Change;
use durward_model::transaction::{Origin, Sequence};
use durward_model::{Instant, Namespace, ObjectId, Value};

/// A transaction to be: its operations happen together or not at all.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Who, how, from where.
    pub origin: Origin,
    /// A repeated draft of the same actor with the same key is recognized; empty for none.
    pub idempotency_key: String,
    /// Whether protected objects may be touched.
    pub privilege: Privilege,
    /// What to do, in order.
    pub operations: Vec<Operation>,
}

/// Who writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privilege {
    /// A client by way of generic graph writes: protected objects are refused.
    Generic,
    /// A command of identity, access or policy.
    Core,
}

/// One part of a draft.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Makes an entity, or changes the one that has this key.
    PutEntity {
        /// Its type.
        entity_type: String,
        /// Its classes; `None`: those of the catalog for a new one, no change for an old one.
        classes: Option<Vec<String>>,
        /// Namespace of its key.
        namespace: Namespace,
        /// Its natural key.
        key: String,
        /// Its properties; null removes one.
        properties: Vec<(String, Value)>,
        /// Other names under which it is found from now on.
        aliases: Vec<String>,
        /// What to do when it exists.
        mode: PutMode,
    },
    /// Changes properties of an entity; null removes one.
    PatchEntity {
        /// Which.
        target: Target,
        /// The properties that change.
        set: Vec<(String, Value)>,
        /// New classes.
        classes: Option<Vec<String>>,
        /// The version that the writer saw.
        expected_version: Option<u32>,
    },
    /// Ends an entity and its relationships.
    DeleteEntity {
        /// Which.
        target: Target,
    },
    /// Makes a relationship, or changes the one that has this key.
    PutRelationship {
        /// The start.
        from: Target,
        /// The verb in capitals.
        verb: String,
        /// The end.
        to: Target,
        /// Its `_type`; empty: made of the types of the ends and the verb.
        relationship_type: String,
        /// Namespace of its key.
        namespace: Namespace,
        /// Its natural key; `None`: the conventional one.
        key: Option<String>,
        /// Its properties; null removes one.
        properties: Vec<(String, Value)>,
        /// What to do when it exists.
        mode: PutMode,
    },
    /// Changes properties of a relationship; null removes one.
    PatchRelationship {
        /// Which.
        target: ObjectId,
        /// The properties that change.
        set: Vec<(String, Value)>,
    },
    /// Ends a relationship, and those that start or end at it.
    DeleteRelationship {
        /// Which.
        target: ObjectId,
    },
    /// Another name for an object.
    AddAlias {
        /// Which.
        target: Target,
        /// The name.
        alias: String,
    },
    /// Takes a name away.
    RemoveAlias {
        /// Which.
        target: Target,
        /// The name.
        alias: String,
    },
}

/// An object that an operation is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// By its id.
    Id(ObjectId),
    /// By its key: an entity, else a relationship.
    Key(Namespace, String),
    /// By an alias.
    Alias(String),
    /// The object of an earlier operation of the same draft, by its position.
    Result(usize),
}

/// What a put does when the key is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutMode {
    /// It is an error.
    Create,
    /// The named properties change, others stay.
    Upsert,
    /// The named properties are all that it has afterwards.
    Replace,
}

/// The answer to a draft: it is durable and readers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its position in the journal; the head's if it changed nothing.
    pub sequence: Sequence,
    /// When it was committed.
    pub committed_at: Instant,
    /// One result an operation.
    pub results: Vec<OperationResult>,
}

/// What became of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationResult {
    /// The object.
    pub id: ObjectId,
    /// What happened to it.
    pub outcome: Outcome,
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is new.
    Created,
    /// Something of it changed.
    Updated,
    /// It was so already.
    Unchanged,
    /// It ended.
    Deleted,
}

/// A transaction prepared by the synchronization, against the state at one sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct BulkCommit {
    /// Who, how, from where.
    pub origin: Origin,
    /// As [`Draft::idempotency_key`].
    pub idempotency_key: String,
    /// The state that it was prepared against.
    pub based_on: Sequence,
    /// The changes, with numbers that follow on that state.
    pub changes: Vec<Change>,
}
