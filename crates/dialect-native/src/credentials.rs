// SPDX-License-Identifier: Apache-2.0
//! `credentials`: everything about them but their secrets.

use std::sync::Arc;

use durward_identity::{CredentialFilter, CredentialKind, CredentialSummary};
use durward_model::Instant;
use serde_json::Value as Json;

use super::accounts::{AccountNode, Actors, Shown};
use super::moment::{Moment, object_id};
use super::page::{self, Cursor, FIRST_MAX, Page};
use super::{Answer, Context, errors, values};
use durward_graphql::context::Reading;
use durward_graphql::engine::{Call, FieldError, Node, Object};

/// Name of the list in its cursors.
const LIST: &str = "credentials";

/// A credential as it was at an instant.
#[derive(Clone, Debug)]
pub(super) struct CredentialNode {
    moment: Arc<Moment>,
    summary: CredentialSummary,
    account: Option<AccountNode>,
    /// The instant at which it is active or not.
    now: Instant,
}

impl CredentialNode {
    pub(super) fn new(
        context: &Context,
        moment: &Arc<Moment>,
        summary: CredentialSummary,
    ) -> Result<Self, FieldError> {
        let caller = context.caller().map_err(|error| errors::of(error))?;
        let account = Actors::default().get(caller, moment, summary.account);
        Ok(Self {
            moment: Arc::clone(moment),
            summary,
            account,
            now: context.now(),
        })
    }

    fn policy<'a>(&self) -> Node<'a, Context> {
        match &self.summary.policy {
            None => Node::Null,
            Some(text) => {
                let parsed = serde_json::from_str::<Json>(text);
                Node::json(parsed.unwrap_or_else(|_| text.as_str().into()))
            }
        }
    }
}

/// Whether a credential is neither revoked nor expired.
fn is_active(summary: &CredentialSummary, now: Instant) -> bool {
    !summary.revoked && summary.expires_at.is_none_or(|end| end > now)
}

impl Object<Context> for CredentialNode {
    fn type_name(&self) -> &'static str {
        "Credential"
    }

    fn field<'a>(&'a self, call: &Call<'a, Context>) -> Answer<'a> {
        let summary = &self.summary;
        Ok(match call.name() {
            "id" => Node::text(self.moment.shown_id(summary.id)),
            "kind" => Node::text(summary.kind.as_str()),
            "name" => values::filled(&summary.name),
            "category" => Node::optional_text(summary.category.as_deref()),
            "publicId" => Node::optional_text(summary.public_id.as_deref()),
            "account" => match &self.account {
                Some(account) => Node::object_ref(account),
                None => Node::Null,
            },
            "madeBy" => {
                let maker = summary.made_by.map(|maker| self.moment.shown_id(maker));
                Node::optional_text(maker)
            }
            "policy" => self.policy(),
            "createdAt" => values::instant(summary.created_at),
            "expiresAt" => values::optional_instant(summary.expires_at),
            "revokedAt" => values::optional_instant(summary.revoked_at),
            "lastUsedAt" => values::optional_instant(summary.last_used_at),
            "active" => Node::Boolean(is_active(summary, self.now)),
            other => return Err(FieldError::unsupported(other)),
        })
    }
}

/// `credentials`, in order of creation.
pub(super) async fn credentials(call: Call<'_, Context>) -> Answer<'_> {
    let context = call.context;
    let caller = context.caller().map_err(|error| errors::of(error))?.clone();
    let first = page::first(&call, FIRST_MAX)?;
    let cursor = Cursor::asked(&call, LIST)?;
    let moment = page::moment(&call, cursor.as_ref())?;
    let with_ended = call.bool_argument("includeEnded").unwrap_or(false);
    let filter = CredentialFilter {
        kinds: kind(call.text_argument("kind"))?.into_iter().collect(),
        own: call.bool_argument("own").unwrap_or(false),
        search: call.text_argument("search").unwrap_or_default().to_owned(),
        usable_only: !with_ended,
    };
    let account = match call.text_argument("account") {
        None => None,
        Some(text) => {
            let id = object_id(&moment.view, text);
            Some(id.ok_or_else(|| errors::invalid("`account` is no id"))?)
        }
    };
    // What had not expired at a past instant was active then.
    let now = if moment.view.is_past() {
        moment.view.instant()
    } else {
        context.now()
    };
    let read = move |_: &Reading| {
        let all = caller
            .organization()
            .credentials_in(&caller, &moment.view, &filter);
        let mut all = all.map_err(|error| errors::of(&error))?;
        let seen = Shown::to(&caller, &moment);
        all.retain(|credential| {
            account.is_none_or(|account| credential.account == account)
                && (with_ended || is_active(credential, now))
                && seen.has(credential.account)
        });
        let name = |credential: &CredentialSummary| moment.shown_id(credential.id);
        let (shown, end) = page::slice(all, name, cursor.as_ref(), first);
        let instant = moment.view.instant();
        let end = end.map(|last| Cursor {
            list: LIST,
            instant,
            last,
        });
        let mut actors = Actors::default();
        let nodes = shown.into_iter().map(|summary| {
            let account = actors.get(&caller, &moment, summary.account);
            CredentialNode {
                moment: Arc::clone(&moment),
                summary,
                account,
                now,
            }
        });
        Ok(Page::new("CredentialPage", nodes, end))
    };
    Ok(Node::object(context.read(read).await?))
}

fn kind(name: Option<&str>) -> Result<Option<CredentialKind>, FieldError> {
    let Some(name) = name else { return Ok(None) };
    let kind = CredentialKind::named(name);
    kind.map(Some)
        .ok_or_else(|| errors::invalid(format!("there is no kind {name:?} of credentials")))
}
