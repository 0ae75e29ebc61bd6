// SPDX-License-Identifier: Apache-2.0
//! `auditTrail`: the transactions of the journal, the newest first.

use std::collections::BTreeSet;
use std::sync::Arc;

use durward_identity::Caller;
use durward_model::change::{Cell, Change, Column, EndType, PatchColumn, Triple};
use durward_model::transaction::{Hash, Sequence, Transaction};
use durward_model::{EntityNumber, IdCipher, Instant, ObjectId, ObjectNumber, RelationshipNumber};
use serde_json::{Value as Json, json};

use super::accounts::{AccountNode, Actors};
use super::moment::{Moment, object_id};
use super::page::{self, Cursor, Page};
use super::{Answer, Context, errors, values};
use durward_graphql::context::Reading;
use durward_graphql::engine::{Call, FieldError, Node, Object};
use durward_listing::Effort as _;

/// Name of the list in its cursors.
const LIST: &str = "audit";
/// Largest page.
const RECORDS_MAX: usize = 500;
/// Most transactions that one page looks at for those of one account.
const SCANNED_MAX: u64 = 10_000;
/// Most ids that are shown of one change.
const IDS_MAX: usize = 20;

/// What one page is made of.
struct Wanted {
    actor: Option<ObjectId>,
    first: usize,
    /// The newest transaction that may be shown.
    newest: u64,
    with_hash: bool,
    with_actor: bool,
}

/// `auditTrail`
pub(super) async fn trail(call: Call<'_, Context>) -> Answer<'_> {
    let context = call.context;
    let moment = Moment::asked(&call)?;
    let newest = match Cursor::asked(&call, LIST)? {
        None => moment.view.sequence().0,
        Some(cursor) => {
            let shown: u64 = cursor.last.parse().map_err(|_| page::foreign_cursor())?;
            shown.saturating_sub(1).min(moment.view.sequence().0)
        }
    };
    let actor = match call.text_argument("actor") {
        None => None,
        Some(text) => {
            let id = object_id(&moment.view, text);
            Some(id.ok_or_else(|| errors::invalid("`actor` is no id"))?)
        }
    };
    let selects = |name: &str| call.lookahead().selects(&["nodes", name]);
    let wanted = Wanted {
        actor,
        first: page::first(&call, RECORDS_MAX)?,
        newest,
        with_hash: selects("hash"),
        with_actor: selects("actor"),
    };
    let caller = context.caller().map_err(|error| errors::of(error))?.clone();
    let read = move |reading: &Reading| list(&caller, &moment, &wanted, reading);
    Ok(Node::object(context.read(read).await?))
}

/// Goes down the journal, one transaction at a time: bulk ones are large.
fn list(
    caller: &Caller,
    moment: &Arc<Moment>,
    wanted: &Wanted,
    reading: &Reading,
) -> Result<Page, FieldError> {
    let store = caller.organization().store();
    let mut actors = Actors::default();
    let mut nodes = Vec::new();
    let mut sequence = wanted.newest;
    let mut scanned = 0_u64;
    while sequence > 0 && nodes.len() < wanted.first && scanned < SCANNED_MAX {
        reading.check()?;
        let from = Sequence(sequence);
        sequence = sequence.saturating_sub(1);
        scanned = scanned.saturating_add(1);
        let found = store
            .transactions(from, 1)
            .map_err(|error| errors::of(&error))?;
        // One whose content was compacted is not there.
        let Some(transaction) = found.into_iter().find(|found| found.sequence == from) else {
            continue;
        };
        let origin = &transaction.origin;
        if wanted
            .actor
            .is_some_and(|wanted| origin.actor != Some(wanted))
        {
            continue;
        }
        let hash = if wanted.with_hash {
            store.hash_at(from).map_err(|error| errors::of(&error))?
        } else {
            None
        };
        let actor = origin.actor.filter(|_| wanted.with_actor);
        let actor = actor.and_then(|actor| actors.get(caller, moment, actor));
        nodes.push(Record::new(moment, transaction, actor, hash));
    }
    let last = sequence.saturating_add(1).to_string();
    let instant = moment.view.instant();
    let end = (sequence > 0).then_some(Cursor {
        list: LIST,
        instant,
        last,
    });
    Ok(Page::new("AuditPage", nodes, end))
}

/// One transaction.
struct Record {
    moment: Arc<Moment>,
    sequence: Sequence,
    committed_at: Instant,
    origin: durward_model::transaction::Origin,
    actor: Option<AccountNode>,
    count: u64,
    changes: Json,
    hash: Option<Hash>,
}

impl Record {
    fn new(
        moment: &Arc<Moment>,
        transaction: Transaction,
        actor: Option<AccountNode>,
        hash: Option<Hash>,
    ) -> Self {
        // A row condition hides objects: then only numbers are shown.
        let cipher = (!moment.is_restricted()).then(|| moment.view.id_cipher());
        let changes = transaction.changes.iter();
        Self {
            moment: Arc::clone(moment),
            sequence: transaction.sequence,
            committed_at: transaction.committed_at,
            actor,
            count: changes
                .clone()
                .map(|change| object_count(change) as u64)
                .sum(),
            changes: changes.map(|change| summary(change, cipher)).collect(),
            hash,
            origin: transaction.origin,
        }
    }
}

impl Object<Context> for Record {
    fn type_name(&self) -> &'static str {
        "AuditRecord"
    }

    fn field<'a>(&'a self, call: &Call<'a, Context>) -> Answer<'a> {
        let origin = &self.origin;
        let id = |id: Option<ObjectId>| Node::optional_text(id.map(|id| self.moment.shown_id(id)));
        Ok(match call.name() {
            "sequence" => values::count(self.sequence.0),
            "committedAt" => values::instant(self.committed_at),
            "actor" => match &self.actor {
                Some(actor) => Node::object_ref(actor),
                None => Node::Null,
            },
            "actorId" => id(origin.actor),
            "credential" => id(origin.credential),
            "activity" => Node::text(origin.activity.as_str()),
            "requestId" => values::filled(&origin.request_id),
            "sourceAddress" => values::filled(&origin.source_address),
            "userAgent" => values::filled(&origin.user_agent),
            "detail" => values::filled(&origin.detail),
            "changeCount" => values::small(self.count),
            "changes" => Node::json_ref(&self.changes),
            "hash" => Node::optional_text(self.hash.map(|hash| durward_vault::digest::hex(&hash))),
            other => return Err(FieldError::unsupported(other)),
        })
    }
}

/// How many objects a change touches.
fn object_count(change: &Change) -> usize {
    match change {
        Change::CreateEntities(batch) => batch.len(),
        Change::PatchEntities(patch) => patch.entities.len(),
        Change::DeleteEntities { entities, .. } => entities.len(),
        Change::CreateRelationships(batch) => batch.len(),
        Change::PatchRelationships(patch) => patch.relationships.len(),
        Change::DeleteRelationships { relationships, .. } => relationships.len(),
        Change::AddAlias { .. } | Change::RemoveAlias { .. } => 1,
    }
}

/// A change in short. Values are for `history`; type, ids and names of properties are shown to
/// those who see everything.
fn summary(change: &Change, cipher: Option<&IdCipher>) -> Json {
    let (kind, of) = match change {
        Change::CreateEntities(batch) => ("entities created", batch.entity_type.clone()),
        Change::PatchEntities(patch) => ("entities updated", patch.entity_type.clone()),
        Change::DeleteEntities { entity_type, .. } => ("entities deleted", entity_type.clone()),
        Change::CreateRelationships(batch) => ("relationships created", triple(&batch.triple)),
        Change::PatchRelationships(patch) => ("relationships updated", triple(&patch.triple)),
        Change::DeleteRelationships { triple: of, .. } => ("relationships deleted", triple(of)),
        Change::AddAlias { .. } => ("alias added", String::new()),
        Change::RemoveAlias { .. } => ("alias removed", String::new()),
    };
    let count = object_count(change);
    let mut short = json!({"change": kind, "count": count});
    if let (Some(cipher), Some(members)) = (cipher, short.as_object_mut()) {
        let ids = numbers(change).map(|number| cipher.uuid_of(cipher.id_of(number)));
        members.insert("type".to_owned(), of.into());
        members.insert("ids".to_owned(), ids.collect());
        members.insert(
            "properties".to_owned(),
            properties(change).into_iter().collect(),
        );
    }
    short
}

fn triple(triple: &Triple) -> String {
    let end = |end: &EndType| match end {
        EndType::Entity(name) => name.clone(),
        EndType::Relationship => "relationship".to_owned(),
    };
    format!("{} {} {}", end(&triple.from), triple.verb, end(&triple.to))
}

/// The first objects of a change.
fn numbers(change: &Change) -> impl Iterator<Item = ObjectNumber> {
    let entity = ObjectNumber::Entity;
    let relationship = ObjectNumber::Relationship;
    let consecutive = |first: u32, count: usize| {
        (0..count.min(IDS_MAX) as u32).map(move |offset| first.saturating_add(offset))
    };
    let found: Vec<ObjectNumber> = match change {
        Change::CreateEntities(batch) => {
            let numbers = consecutive(batch.first.0, batch.len());
            numbers.map(|number| entity(EntityNumber(number))).collect()
        }
        Change::CreateRelationships(batch) => {
            let numbers = consecutive(batch.first.0, batch.len());
            numbers
                .map(|number| relationship(RelationshipNumber(number)))
                .collect()
        }
        Change::PatchEntities(patch) => patch
            .entities
            .iter()
            .take(IDS_MAX)
            .copied()
            .map(entity)
            .collect(),
        Change::DeleteEntities { entities, .. } => {
            entities.iter().take(IDS_MAX).copied().map(entity).collect()
        }
        Change::PatchRelationships(patch) => patch
            .relationships
            .iter()
            .take(IDS_MAX)
            .copied()
            .map(relationship)
            .collect(),
        Change::DeleteRelationships { relationships, .. } => relationships
            .iter()
            .take(IDS_MAX)
            .copied()
            .map(relationship)
            .collect(),
        Change::AddAlias { object, .. } | Change::RemoveAlias { object, .. } => vec![*object],
    };
    found.into_iter()
}

/// Names of the properties that a change sets or removes.
fn properties(change: &Change) -> BTreeSet<&str> {
    let is_changed =
        |column: &&PatchColumn| column.cells.iter().any(|cell| !matches!(cell, Cell::Keep));
    match change {
        Change::CreateEntities(batch) => names(&batch.columns),
        Change::CreateRelationships(batch) => names(&batch.columns),
        Change::PatchEntities(patch) => {
            let changed = patch.columns.iter().filter(is_changed);
            let classes = patch.classes.as_ref().map(|_| "_class");
            changed
                .map(|column| column.property.as_str())
                .chain(classes)
                .collect()
        }
        Change::PatchRelationships(patch) => {
            let changed = patch.columns.iter().filter(is_changed);
            changed.map(|column| column.property.as_str()).collect()
        }
        _ => BTreeSet::new(),
    }
}

fn names(columns: &[Column]) -> BTreeSet<&str> {
    columns
        .iter()
        .map(|column| column.property.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_show_no_values_and_to_some_only_numbers() {
        let entities = (0..30).map(EntityNumber).collect();
        let change = Change::PatchEntities(durward_model::change::EntityPatch {
            entity_type: "person".to_owned(),
            entities,
            columns: vec![
                PatchColumn {
                    property: "city".to_owned(),
                    cells: vec![Cell::Set("Paris".into()); 30],
                },
                PatchColumn {
                    property: "age".to_owned(),
                    cells: vec![Cell::Keep; 30],
                },
            ],
            classes: Some(vec!["User".to_owned()]),
        });
        let numbers_only = json!({"change": "entities updated", "count": 30});
        assert_eq!(summary(&change, None), numbers_only);
        let cipher = IdCipher::new(&[7; 32]);
        let shown = summary(&change, Some(&cipher));
        let first = cipher.uuid_of(cipher.id_of(ObjectNumber::Entity(EntityNumber(0))));
        assert_eq!(shown.pointer("/ids/0"), Some(&json!(first)));
        assert_eq!(
            shown.pointer("/ids").and_then(Json::as_array).map(Vec::len),
            Some(IDS_MAX)
        );
        assert_eq!(
            shown.pointer("/properties"),
            Some(&json!(["_class", "city"]))
        );
    }
}
