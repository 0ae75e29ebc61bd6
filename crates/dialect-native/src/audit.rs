// SPDX-License-Identifier: Apache-2.0
//! `auditTrail`: the transactions of the journal, the newest first.

use std::sync::Arc;

use durward_identity::Caller;
use durward_listing::Walks;
use durward_listing::transactions::{ChangeSummary, Did, Range, Subject, Summary};
use durward_model::change::{EndType, Triple};
use durward_model::transaction::{Hash, Sequence};
use durward_model::{IdCipher, ObjectId};
use serde_json::{Value as Json, json};

use super::accounts::{AccountNode, Actors};
use super::moment::{Moment, object_id};
use super::page::{self, Cursor, Page};
use super::{Answer, Context, errors, values};
use durward_graphql::context::Reading;
use durward_graphql::engine::{Call, FieldError, Node, Object};

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
    let walks = Arc::clone(&context.services.walks);
    let read = move |reading: &Reading| list((&caller, &walks), &moment, &wanted, reading);
    Ok(Node::object(context.read(read).await?))
}

/// Goes down the journal.
fn list(
    (caller, walks): (&Caller, &Walks),
    moment: &Arc<Moment>,
    wanted: &Wanted,
    reading: &Reading,
) -> Result<Page, FieldError> {
    let organization = caller.organization();
    let store = organization.store();
    let mut actors = Actors::default();
    let mut nodes = Vec::new();
    let newest = Sequence(wanted.newest);
    let range = Range {
        first: Sequence(1),
        last: newest,
        is_backwards: true,
    };
    let next = walks.transactions(
        organization,
        range,
        newest,
        SCANNED_MAX,
        reading,
        &mut |summary| {
            if nodes.len() >= wanted.first {
                return Ok(false);
            }
            let actor = summary.origin.actor;
            if wanted.actor.is_some_and(|wanted| actor != Some(wanted)) {
                return Ok(true);
            }
            let hash = if wanted.with_hash {
                store.hash_at(summary.sequence)?
            } else {
                None
            };
            let actor = actor.filter(|_| wanted.with_actor);
            let actor = actor.and_then(|actor| actors.get(caller, moment, actor));
            nodes.push(Record::new(moment, Arc::clone(summary), actor, hash));
            Ok(true)
        },
    )?;
    let instant = moment.view.instant();
    let end = next.map(|next| Cursor {
        list: LIST,
        instant,
        last: next.0.saturating_add(1).to_string(),
    });
    Ok(Page::new("AuditPage", nodes, end))
}

/// One transaction.
struct Record {
    moment: Arc<Moment>,
    summary: Arc<Summary>,
    actor: Option<AccountNode>,
    changes: Json,
    hash: Option<Hash>,
}

impl Record {
    fn new(
        moment: &Arc<Moment>,
        summary: Arc<Summary>,
        actor: Option<AccountNode>,
        hash: Option<Hash>,
    ) -> Self {
        // A row condition hides objects: then only numbers are shown.
        let cipher = (!moment.is_restricted()).then(|| moment.view.id_cipher());
        let changes = summary.changes.iter();
        Self {
            moment: Arc::clone(moment),
            actor,
            changes: changes.map(|change| shown(change, cipher)).collect(),
            hash,
            summary,
        }
    }
}

impl Object<Context> for Record {
    fn type_name(&self) -> &'static str {
        "AuditRecord"
    }

    fn field<'a>(&'a self, call: &Call<'a, Context>) -> Answer<'a> {
        let origin = &self.summary.origin;
        let id = |id: Option<ObjectId>| Node::optional_text(id.map(|id| self.moment.shown_id(id)));
        Ok(match call.name() {
            "sequence" => values::count(self.summary.sequence.0),
            "committedAt" => values::instant(self.summary.committed_at),
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
            "changeCount" => values::small(self.summary.changed()),
            "changes" => Node::json_ref(&self.changes),
            "hash" => Node::optional_text(self.hash.map(|hash| durward_vault::digest::hex(&hash))),
            other => return Err(FieldError::unsupported(other)),
        })
    }
}

/// A change in short. Values are for `history`; type, ids and names of properties are shown to
/// those who see everything.
fn shown(change: &ChangeSummary, cipher: Option<&IdCipher>) -> Json {
    let done = match change.did {
        Did::Made => "created",
        Did::Changed => "updated",
        Did::Ended => "deleted",
        Did::Named => "added",
        Did::Unnamed => "removed",
    };
    let (what, of) = match &change.subject {
        Subject::Entities(name) => ("entities", name.clone()),
        Subject::Relationships(of) => ("relationships", triple(of)),
        Subject::Object => ("alias", String::new()),
    };
    let mut short = json!({"change": format!("{what} {done}"), "count": change.count});
    if let (Some(cipher), Some(members)) = (cipher, short.as_object_mut()) {
        let first = change.first.iter().take(IDS_MAX);
        let ids = first.map(|number| cipher.uuid_of(cipher.id_of(*number)));
        members.insert("type".to_owned(), of.into());
        members.insert("ids".to_owned(), ids.collect());
        members.insert("properties".to_owned(), json!(change.properties));
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

#[cfg(test)]
mod tests {
    use durward_model::EntityNumber;
    use durward_model::ObjectNumber;
    use durward_model::change::{Cell, Change, PatchColumn};

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
        let change = ChangeSummary::of(&change);
        let numbers_only = json!({"change": "entities updated", "count": 30});
        assert_eq!(shown(&change, None), numbers_only);
        let cipher = IdCipher::new(&[7; 32]);
        let shown = shown(&change, Some(&cipher));
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
