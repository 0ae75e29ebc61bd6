// SPDX-License-Identifier: Apache-2.0
//! `caller`, `account` and `accounts`.

use std::collections::BTreeMap;
use std::sync::Arc;

use durward_access::access::Sight;
use durward_access::{AccountSummary, Kind, accounts};
use durward_graph::{EntityRef, ObjectRef, View};
use durward_identity::Caller;
use durward_model::ObjectId;

use super::moment::{Moment, object_id};
use super::objects::EntityNode;
use super::page::{self, Cursor, FIRST_MAX, Page};
use super::{Answer, Context, errors, values};
use durward_graphql::context::Reading;
use durward_graphql::engine::{Call, FieldError, Node, Object};

/// Name of the list in its cursors.
const LIST: &str = "accounts";
/// An account as it was at an instant.
#[derive(Clone, Debug)]
pub(super) struct AccountNode {
    moment: Arc<Moment>,
    summary: AccountSummary,
    /// Whether the caller may read it, and not only change it.
    is_read: bool,
}

impl AccountNode {
    pub(super) fn new(moment: &Arc<Moment>, summary: AccountSummary) -> Self {
        Self {
            moment: Arc::clone(moment),
            summary,
            is_read: true,
        }
    }

    /// An account that the caller changed and may not read: its id, and whether it is active.
    pub(super) fn unread(moment: &Arc<Moment>, summary: AccountSummary) -> Self {
        Self {
            is_read: false,
            ..Self::new(moment, summary)
        }
    }

    fn entity(&self) -> Option<EntityRef> {
        match self.moment.view.resolve(self.summary.id) {
            Some(ObjectRef::Entity(entity)) => Some(entity),
            _ => None,
        }
    }

    /// The account in the graph, if it is seen there.
    fn shown_entity(&self) -> Option<EntityNode> {
        let entity = self
            .entity()
            .filter(|entity| self.moment.sees_entity(*entity));
        entity.map(|entity| EntityNode {
            moment: Arc::clone(&self.moment),
            entity,
        })
    }
}

impl Object<Context> for AccountNode {
    fn type_name(&self) -> &'static str {
        "Account"
    }

    fn field<'a>(&'a self, call: &Call<'a, Context>) -> Answer<'a> {
        let (view, summary) = (&self.moment.view, &self.summary);
        Ok(match call.name() {
            "id" => Node::text(self.moment.shown_id(summary.id)),
            "kind" if summary.kind == Kind::SERVICE => Node::text("service"),
            "kind" => Node::text("user"),
            "active" => Node::Boolean(!summary.suspended),
            "createdAt" => values::instant(summary.created_at),
            "displayName" if !self.is_read => Node::text(""),
            "roles" if !self.is_read => Node::list(std::iter::empty()),
            _ if !self.is_read => Node::Null,
            "displayName" => Node::text(summary.display_name.as_str()),
            "email" => values::filled(&summary.email),
            "roles" => Node::list(summary.roles.iter().map(|role| Node::text(role.as_str()))),
            "updatedAt" => {
                values::optional_instant(self.entity().map(|entity| view.updated_at(entity)))
            }
            "entity" => match self.shown_entity() {
                Some(entity) => Node::object(entity),
                None => Node::Null,
            },
            other => return Err(FieldError::unsupported(other)),
        })
    }
}

/// Which accounts a row condition lets a caller see: always its own.
pub(super) struct Shown<'s> {
    caller: &'s Caller,
    view: &'s View,
    sight: Sight,
}

impl<'s> Shown<'s> {
    pub(super) fn to(caller: &'s Caller, moment: &'s Moment) -> Self {
        Self {
            caller,
            view: &moment.view,
            sight: Sight::of(caller, &moment.view),
        }
    }

    pub(super) fn has(&self, account: ObjectId) -> bool {
        let is_seen = || {
            self.view
                .resolve(account)
                .is_some_and(|object| self.sight.sees(object))
        };
        self.caller.account() == Some(account) || is_seen()
    }
}

/// An account that the caller may know of; `None` for all others.
fn find(caller: &Caller, moment: &Arc<Moment>, id: ObjectId) -> Option<AccountNode> {
    let known = accounts::get(caller, &moment.view, id).ok()?;
    Some(AccountNode::new(moment, known))
}

/// Accounts that did something, each looked up once.
#[derive(Debug, Default)]
pub(super) struct Actors {
    known: BTreeMap<ObjectId, Option<AccountNode>>,
}

impl Actors {
    /// The account of an id as it was then; `None` for one that the caller may not know of.
    pub(super) fn get(
        &mut self,
        caller: &Caller,
        moment: &Arc<Moment>,
        id: ObjectId,
    ) -> Option<AccountNode> {
        let known = self.known.entry(id);
        known.or_insert_with(|| find(caller, moment, id)).clone()
    }
}

/// `caller`: the account that asks; null for the operator, and where it did not exist yet.
pub(super) fn caller<'a>(call: &Call<'a, Context>) -> Answer<'a> {
    let caller = call.context.caller().map_err(|error| errors::of(error))?;
    let moment = Moment::asked(call)?;
    let Some(id) = caller.account() else {
        return Ok(Node::Null);
    };
    Ok(find(caller, &moment, id).map_or(Node::Null, Node::object))
}

/// `account`: one's own, or any with the right to read accounts.
pub(super) fn account<'a>(call: &Call<'a, Context>) -> Answer<'a> {
    let caller = call.context.caller().map_err(|error| errors::of(error))?;
    let moment = Moment::asked(call)?;
    let text = call.text_argument("id").unwrap_or_default();
    let Some(id) = object_id(&moment.view, text) else {
        return Ok(Node::Null);
    };
    Ok(find(caller, &moment, id).map_or(Node::Null, Node::object))
}

/// `accounts`, in order of creation.
pub(super) async fn accounts(call: Call<'_, Context>) -> Answer<'_> {
    let context = call.context;
    let first = page::first(&call, FIRST_MAX)?;
    let cursor = Cursor::asked(&call, LIST)?;
    let moment = page::moment(&call, cursor.as_ref())?;
    let caller = context.caller().map_err(|error| errors::of(error))?.clone();
    let read = move |_: &Reading| {
        let all = accounts::list(&caller, &moment.view).map_err(|error| errors::of(&error))?;
        let name = |account: &AccountSummary| moment.shown_id(account.id);
        let (shown, end) = page::slice(all, name, cursor.as_ref(), first);
        let instant = moment.view.instant();
        let end = end.map(|last| Cursor {
            list: LIST,
            instant,
            last,
        });
        let nodes = shown
            .into_iter()
            .map(|account| AccountNode::new(&moment, account));
        Ok(Page::new("AccountPage", nodes, end))
    };
    Ok(Node::object(context.read(read).await?))
}
