// SPDX-License-Identifier: Apache-2.0
//! `explainAccess` and `effectiveAccess`.

use durward_access::Access;
use durward_access::reach::{Named, ReachRow};
use durward_policy::Question;
use serde_json::json;

use super::page::{self, Cursor, FIRST_MAX, Page};
use super::{Answer, Context, errors, values};
use durward_graphql::engine::{Call, FieldError, JsonObject, Node, Object};

/// Name of the list in its cursors.
const LIST: &str = "effectiveAccess";

pub(super) fn access(context: &Context) -> Result<(Access, durward_identity::Caller), FieldError> {
    let caller = context.caller().map_err(|error| errors::of(error))?;
    let access = context.services.accesses.of(caller.organization());
    Ok((access, caller.clone()))
}

fn text(call: &Call<'_, Context>, name: &str) -> String {
    call.text_argument(name).unwrap_or_default().to_owned()
}

/// `explainAccess`
pub(super) async fn explain(call: Call<'_, Context>) -> Answer<'_> {
    let (access, caller) = access(call.context)?;
    let at = values::instant_from("at", call.argument("at"))?;
    let question = Question {
        principal: text(&call, "principal"),
        action: text(&call, "action"),
        object: text(&call, "object"),
    };
    let explain = move || access.explain(&caller, &question, at);
    let told = call.context.off_thread(explain).await?;
    let told = told.map_err(|error| errors::of(&error))?;
    Ok(Node::json(json!(told)))
}

/// `effectiveAccess`
pub(super) async fn effective(call: Call<'_, Context>) -> Answer<'_> {
    let (access, caller) = access(call.context)?;
    let first = page::first(&call, FIRST_MAX)?;
    let cursor = Cursor::asked(&call, LIST)?;
    let asked = values::instant_from("at", call.argument("at"))?;
    let (at, skip) = match &cursor {
        None => (asked, 0),
        Some(cursor) => {
            let skip = cursor.last.parse::<usize>();
            (
                Some(cursor.instant),
                skip.map_err(|_| page::foreign_cursor())?,
            )
        }
    };
    // A walk that began now stays at this instant.
    let now = call.context.now();
    let instant = at.map_or(now, |at| at.min(now));
    let principal = text(&call, "principal");
    let read = move || access.reach(&caller, &principal, at, skip, first);
    let found = call.context.off_thread(read).await?;
    let (rows, has_more) = found.map_err(|error| errors::of(&error))?;
    let end = has_more.then(|| Cursor {
        list: LIST,
        instant,
        last: (skip + rows.len()).to_string(),
    });
    let nodes = rows.into_iter().map(ReachNode);
    Ok(Node::object(Page::new("EffectiveAccessPage", nodes, end)))
}

/// A row of effective access.
struct ReachNode(ReachRow);

fn named<'a>(object: Option<&Named>) -> Node<'a, Context> {
    let Some(object) = object else {
        return Node::Null;
    };
    let members = json!({"id": object.id, "name": object.name});
    let members = members.as_object().cloned().unwrap_or_default();
    Node::object(JsonObject::new("NamedObject", members))
}

impl Object<Context> for ReachNode {
    fn type_name(&self) -> &'static str {
        "EffectiveAccess"
    }

    fn field<'a>(&'a self, call: &Call<'a, Context>) -> Answer<'a> {
        let row = &self.0;
        Ok(match call.name() {
            "resource" => named(Some(&row.resource)),
            "resourceKind" => Node::text(row.resource_kind.as_str()),
            "role" => named(row.role.as_ref()),
            "grant" => named(row.grant.as_ref()),
            "group" => named(row.group.as_ref()),
            "grantedAt" => Node::text(row.granted_at.as_str()),
            "expiresAt" => Node::optional_text(row.expires_at.clone()),
            "forbidden" => Node::Boolean(row.forbidden),
            other => return Err(FieldError::unsupported(other)),
        })
    }
}
