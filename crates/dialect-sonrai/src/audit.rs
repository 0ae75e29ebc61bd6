// SPDX-License-Identifier: Apache-2.0
//! `SonraiAuditLogs`: the transactions of the journal as user activity, the newest first.

use std::collections::BTreeMap;

use durward_access::accounts;
use durward_catalog::kinds::property;
use durward_catalog::{CREDENTIAL, Kind, ids};
use durward_graph::EntityRef;
use durward_identity::Caller;
use durward_listing::transactions::{ChangeSummary, Did, Subject, Summary};
use durward_model::transaction::Sequence;
use durward_model::{Instant, ObjectId, ObjectNumber, Value};
use durward_query::where_filter::FieldKind;
use serde_json::{Map, Value as Json};

use super::row_list::{Fields, Row, RowList};
use super::{Answer, Context, errors, tokens, users};
use durward_graphql::engine::{Call, Node};

const CONNECTION: &str = "SonraiAuditLogConnection";
/// Kind of the entries in their names.
const LOG_KIND: &str = "SonraiAuditLog";
/// Most transactions that one list looks at.
const SCANNED_MAX: u64 = 20_000;

const FIELDS: Fields = &[
    ("actionType", FieldKind::Text),
    ("actorSrn", FieldKind::Text),
    ("createdDate", FieldKind::Moment),
    ("eventName", FieldKind::Text),
    ("message", FieldKind::Text),
    ("resourceId", FieldKind::Text),
    ("resourceSrn", FieldKind::Text),
    ("srn", FieldKind::Text),
    ("type", FieldKind::Text),
];

/// The bounds in time, with the operator that each means when none is given.
const BOUNDS: [(&str, &str); 2] = [("fromDate", "GTE"), ("toDate", "LTE")];

/// `SonraiAuditLogs`
pub(super) fn logs<'a>(call: &Call<'a, Context>) -> Answer<'a> {
    let context = call.context;
    let caller = context.caller().map_err(|error| errors::of(error))?;
    let filter = call.argument("where").map(with_bounds);
    let check = |rows| RowList::new(CONNECTION, FIELDS, rows, filter.as_ref(), context);
    // A filter that makes no sense is refused before anything is read.
    check(Vec::new())?;
    let oldest = filter.as_ref().and_then(oldest);
    let mut actors = Actors::new(context, caller);
    let mut rows = Vec::new();
    let wanted = wanted(call);
    let walks = &context.services.walks;
    let mut sequence = context.view.sequence().0;
    let mut scanned = 0_u64;
    while sequence > 0 && wanted.is_none_or(|wanted| (rows.len() as u64) < wanted) {
        scanned += 1;
        if scanned > SCANNED_MAX {
            return Err(errors::invalid(format!(
                "the list goes over more than {SCANNED_MAX} entries; give a later fromDate, or a \
                 limit without count and orderBy"
            )));
        }
        let at = Sequence(sequence);
        sequence = sequence.saturating_sub(1);
        let found = walks.transaction(caller.organization(), at);
        let Some(transaction) = found.map_err(|error| errors::of(&error))? else {
            continue;
        };
        if oldest.is_some_and(|oldest| transaction.committed_at < oldest) {
            break;
        }
        let row = row(context, &mut actors, &transaction);
        // Kept only when it fits, so that the number wanted counts what fits.
        rows.extend(check(vec![row])?.into_rows());
    }
    let list = RowList::of(CONNECTION, FIELDS, rows);
    Ok(Node::object(list))
}

/// How many rows are enough: all of them when they are counted or sorted.
fn wanted(call: &Call<'_, Context>) -> Option<u64> {
    let lookahead = call.lookahead();
    let fields = lookahead.fields_of(CONNECTION);
    let [only] = fields else { return None };
    if only.name() != "items" {
        return None;
    }
    let arguments = lookahead.child("items")?.arguments().ok()?;
    let number = |name: &str| arguments.get(name).and_then(Json::as_u64);
    let is_sorted = arguments.get("orderBy").is_some_and(|json| !json.is_null());
    if is_sorted {
        return None;
    }
    Some(number("limit")?.saturating_add(number("offset").unwrap_or(0)))
}

/// The filter with its bounds in time as operands on the date of the entry.
fn with_bounds(filter: &Json) -> Json {
    match filter {
        Json::Array(items) => items.iter().map(with_bounds).collect(),
        Json::Object(members) => {
            let mut all = Map::new();
            let mut bounds = Vec::new();
            for (name, member) in members {
                let bound = BOUNDS.iter().find(|(bound, _)| bound == name);
                match bound {
                    Some((_, operator)) if !member.is_null() => {
                        bounds.push(bounded(member, operator));
                    }
                    Some(_) => {}
                    None if name == "and" || name == "or" => {
                        all.insert(name.clone(), with_bounds(member));
                    }
                    None => {
                        all.insert(name.clone(), member.clone());
                    }
                }
            }
            if bounds.is_empty() {
                return Json::Object(all);
            }
            bounds.push(Json::Object(all));
            Json::Object(Map::from_iter([("and".to_owned(), Json::Array(bounds))]))
        }
        other => other.clone(),
    }
}

fn bounded(operand: &Json, operator: &str) -> Json {
    let mut operand = operand.as_object().cloned().unwrap_or_default();
    let has_own = operand
        .get("op")
        .and_then(Json::as_str)
        .is_some_and(|op| op != "EQ");
    if !operand.is_empty() && !has_own {
        operand.insert("op".to_owned(), operator.into());
    }
    Json::Object(Map::from_iter([(
        "createdDate".to_owned(),
        Json::Object(operand),
    )]))
}

/// The instant before which no entry can fit, where the filter has one at its top.
fn oldest(filter: &Json) -> Option<Instant> {
    let bounds = filter.get("and")?.as_array()?.iter();
    let instants = bounds.filter_map(|bound| {
        let operand = bound.get("createdDate")?;
        let op = operand.get("op")?.as_str()?;
        if !matches!(op, "GTE" | "GT") {
            return None;
        }
        match operand.get("value")? {
            Json::String(text) => match text.trim().parse::<i64>() {
                Ok(millis) => Some(Instant::from_millis(millis)),
                Err(_) => text.parse().ok(),
            },
            other => other.as_i64().map(Instant::from_millis),
        }
    });
    instants.max()
}

/// Accounts that did something, each looked up once.
struct Actors<'c> {
    context: &'c Context,
    caller: &'c Caller,
    known: BTreeMap<ObjectId, Option<Row>>,
}

impl<'c> Actors<'c> {
    fn new(context: &'c Context, caller: &'c Caller) -> Self {
        Self {
            context,
            caller,
            known: BTreeMap::new(),
        }
    }

    /// The account of an id; `None` for one that the caller may not know of.
    fn get(&mut self, id: ObjectId) -> Option<Row> {
        let (context, caller) = (self.context, self.caller);
        let find = || {
            let found = accounts::get(caller, &context.view, id).ok()?;
            let row = Row::new("SonraiAuditActor")
                .text("email", &found.email)
                .text("name", &found.display_name)
                .with("srn", users::srn_of(context, id));
            Some(row)
        };
        self.known.entry(id).or_insert_with(find).clone()
    }
}

fn row(context: &Context, actors: &mut Actors<'_>, transaction: &Summary) -> Row {
    let origin = &transaction.origin;
    let actor = origin.actor.and_then(|id| actors.get(id));
    let name = actor.as_ref().map(|actor| actor.text_of("name"));
    let name = name.filter(|name| !name.is_empty());
    let mut message = name.map_or_else(String::new, |name| format!("{name}: "));
    message.push_str(&origin.activity);
    if !origin.detail.is_empty() {
        message.push_str(" (");
        message.push_str(&origin.detail);
        message.push(')');
    }
    let number = transaction.sequence.0.to_string();
    let prefix = ids::srn_prefix(&context.account_id(), LOG_KIND);
    let mut row = Row::new("SonraiAuditLog")
        .with("srn", format!("{prefix}{number}"))
        .with("resourceId", number)
        .with("createdDate", transaction.committed_at)
        .with("eventName", origin.activity.as_str())
        .with("actionType", action(&transaction.changes))
        .with("message", message);
    if let Some((kind, resource)) = resource(context, &transaction.changes) {
        row = row.with("type", kind).with("resourceSrn", resource);
    }
    match actor {
        Some(actor) => row
            .with("actorSrn", actor.text_of("srn"))
            .object("actor", actor),
        None => row,
    }
}

/// What sort of action a transaction was, by its first change.
fn action(changes: &[ChangeSummary]) -> &'static str {
    match changes.first().map(|change| change.did) {
        None => "ACCESS",
        Some(Did::Made) => "CREATE",
        Some(Did::Ended) => "DELETE",
        Some(_) => "UPDATE",
    }
}

/// The kind and the name of the one entity that a transaction is about, if the caller sees it.
fn resource(context: &Context, changes: &[ChangeSummary]) -> Option<(String, String)> {
    let mut entities =
        changes
            .iter()
            .filter_map(|change| match (&change.subject, change.first.first()?) {
                (Subject::Entities(_), ObjectNumber::Entity(first)) => Some((*first, change.count)),
                _ => None,
            });
    let (Some((number, 1)), None) = (entities.next(), entities.next()) else {
        return None;
    };
    let view = &context.view;
    let entity = view.entity_of(number)?;
    // What a row condition hides cannot be told for what ended.
    let is_seen = if view.is_live(entity) {
        context.sees_entity(entity)
    } else {
        context.row_condition().is_none()
    };
    is_seen.then(|| name(context, entity))
}

/// The kind and the name of an entity.
fn name(context: &Context, entity: EntityRef) -> (String, String) {
    let view = &context.view;
    let text = |name: &str| {
        let property = view.property_id(name);
        match property.map(|property| view.value(entity, property)) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    };
    let id = view.entity_id(entity);
    let own = context.account_id();
    let type_name = view.type_name(entity.type_id);
    match type_name {
        _ if Kind::of_type(type_name).is_some_and(|kind| Kind::ACCOUNTS.contains(&kind)) => {
            (Kind::USER.sonrai().to_owned(), users::srn_of(context, id))
        }
        CREDENTIAL if text(property::KIND).as_deref() == Some("sonrai_token") => {
            (tokens::TOKEN_KIND.to_owned(), tokens::srn_of(context, id))
        }
        other => {
            let kind = text("resourceType").unwrap_or_else(|| other.to_owned());
            let made = || ids::srn(view.id_cipher(), &own, other, id);
            let srn = text("srn").unwrap_or_else(made);
            (kind, srn)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bounds_become_operands_on_the_date() {
        let filter = json!({"fromDate": {"value": 1000}, "toDate": {"value": "2000", "op": "LT"},
            "eventName": {"value": "x"}});
        let written = with_bounds(&filter);
        let expected = json!({"and": [
            {"createdDate": {"value": 1000, "op": "GTE"}},
            {"createdDate": {"value": "2000", "op": "LT"}},
            {"eventName": {"value": "x"}},
        ]});
        assert_eq!(written, expected);
        assert_eq!(oldest(&written), Some(Instant::from_millis(1000)));
        // Inside `or` a bound bounds nothing else.
        let either = with_bounds(&json!({"or": [{"fromDate": {"value": 5}}, {}]}));
        assert_eq!(oldest(&either), None);
    }
}
