// SPDX-License-Identifier: Apache-2.0
//! API keys.

use durward_identity::{
    Caller, CredentialFilter, CredentialKind, CredentialSummary, IdentityError, NewCredential,
};
use durward_model::{Instant, ObjectId};
use serde_json::{Value as Json, json};

use crate::errors;
use durward_graphql::context::RequestContext;
use durward_graphql::engine::{Call, FieldError, JsonMap, Node};

type Context = RequestContext;
type Answer<'a> = Result<Node<'a, Context>, FieldError>;

/// Keys of one page of `tokens`, unless the client asks for fewer.
const PAGE_KEYS: usize = 100;

/// `createToken`: an API key with a policy of its own.
pub(super) async fn create(call: Call<'_, Context>) -> Answer<'_> {
    let empty = JsonMap::new();
    let object = |name: &str| {
        call.argument(name)
            .and_then(Json::as_object)
            .unwrap_or(&empty)
    };
    let (token, input) = (object("token"), object("input"));
    let text = |name: &str| {
        let given = token
            .get(name)
            .or_else(|| input.get(name))
            .and_then(Json::as_str);
        given.unwrap_or_default().to_owned()
    };
    if let Some(kind) = input
        .get("type")
        .and_then(Json::as_str)
        .filter(|kind| *kind != "ACCOUNT")
    {
        return Err(FieldError::unsupported(&format!(
            "createToken(type: {kind})"
        )));
    }
    if input
        .get("subject")
        .is_some_and(|subject| !subject.is_null())
    {
        return Err(FieldError::unsupported("createToken(subject:)"));
    }
    let (name, category, policy) = (text("name"), text("category"), text("policy"));
    let expires_at = instant(input.get("expiresAt"))?;
    let create = move |caller: Caller| {
        let new = NewCredential {
            category: Some(category),
            policy: Some(policy),
            expires_at,
            ..NewCredential::own(&caller, CredentialKind::JupiteroneApiKey, &name)?
        };
        caller.organization().create_credential(&caller, new)
    };
    let issued = call.context.command(create).await?;
    let mut answer = shown(call.context, &issued.summary);
    answer.insert("token".to_owned(), issued.secret.expose().as_str().into());
    Ok(Node::json(answer.into()))
}

/// `createCurrentUserToken`: a key of the caller's own account, with the caller's rights.
pub(super) async fn create_for_current_user(call: Call<'_, Context>) -> Answer<'_> {
    let input = call.argument("input").and_then(Json::as_object);
    let member = |name: &str| input.and_then(|input| input.get(name));
    let name = member("name")
        .and_then(Json::as_str)
        .unwrap_or_default()
        .to_owned();
    let expires_at = instant(member("expiresAt"))?;
    let create = move |caller: Caller| {
        let new = NewCredential {
            expires_at,
            ..NewCredential::own(&caller, CredentialKind::JupiteroneApiKey, &name)?
        };
        caller.organization().create_own_credential(&caller, new)
    };
    let issued = call.context.command(create).await?;
    let mut answer = shown(call.context, &issued.summary);
    answer.insert("token".to_owned(), issued.secret.expose().as_str().into());
    Ok(Node::json(answer.into()))
}

/// `revokeToken`
pub(super) async fn revoke(call: Call<'_, Context>) -> Answer<'_> {
    let id = key_id(call.context, call.text_argument("id").unwrap_or_default())?;
    let revoke = move |caller: Caller| caller.organization().revoke_credential(&caller, id);
    let summary = call.context.command(revoke).await?;
    Ok(Node::json(shown(call.context, &summary).into()))
}

/// `tokens`: all API keys, without their secrets.
pub(super) fn list<'a>(call: &Call<'a, Context>) -> Answer<'a> {
    let caller = call.context.caller().map_err(|error| errors::of(error))?;
    let filter = CredentialFilter {
        kinds: vec![CredentialKind::JupiteroneApiKey],
        own: false,
        search: call.text_argument("search").unwrap_or_default().to_owned(),
        usable_only: false,
    };
    let all = caller.organization().credentials(caller, &filter);
    let all = all.map_err(|error| errors::of(&error))?;
    let limit = match call.int_argument("limit") {
        None => PAGE_KEYS,
        Some(limit) => match usize::try_from(limit) {
            Ok(limit @ 1..) => limit.min(PAGE_KEYS),
            _ => return Err(errors::invalid("limit must be at least 1")),
        },
    };
    let after = match call.text_argument("cursor") {
        Some(cursor) => Some(key_id(call.context, cursor)?),
        None => None,
    };
    let start = after.map_or(0, |after| {
        let position = all.iter().position(|summary| summary.id == after);
        position.map_or(all.len(), |position| position.saturating_add(1))
    });
    let page: Vec<&CredentialSummary> = all.iter().skip(start).take(limit).collect();
    let has_next = start.saturating_add(page.len()) < all.len();
    let end = page.last().map(|summary| uuid(call.context, summary.id));
    let items: Vec<Json> = page
        .iter()
        .map(|summary| shown(call.context, summary).into())
        .collect();
    let end = if has_next { end } else { None };
    let page_info = json!({"endCursor": end, "hasNextPage": has_next});
    Ok(Node::json(json!({"items": items, "pageInfo": page_info})))
}

/// `iamGetAccount`: the caller's organization.
pub(super) fn account<'a>(call: &Call<'a, Context>) -> Answer<'a> {
    let caller = call.context.caller().map_err(|error| errors::of(error))?;
    let name = caller.organization_name();
    Ok(Node::json(json!({
        "accountId": caller.organization().id().to_string(),
        "accountSubdomain": name.to_lowercase().replace(' ', "-"),
        "accountName": name,
    })))
}

/// An instant in a JSON argument: a date and time, or epoch milliseconds.
fn instant(json: Option<&Json>) -> Result<Option<Instant>, FieldError> {
    match json {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => {
            let parsed = text.parse::<Instant>();
            parsed
                .map(Some)
                .map_err(|error| errors::invalid(format!("expiresAt: {error}")))
        }
        Some(Json::Number(number)) if number.is_i64() => {
            Ok(number.as_i64().map(Instant::from_millis))
        }
        Some(_) => Err(errors::invalid("expiresAt must be a date and time")),
    }
}

fn uuid(context: &Context, id: ObjectId) -> String {
    context.view.id_cipher().uuid_of(id)
}

fn key_id(context: &Context, text: &str) -> Result<ObjectId, FieldError> {
    let id = context.view.id_cipher().parse_uuid(text);
    id.ok_or_else(|| errors::of(&IdentityError::NotFound { what: "credential" }))
}

fn shown(context: &Context, summary: &CredentialSummary) -> JsonMap {
    let members = json!({
        "id": uuid(context, summary.id),
        "name": summary.name,
        "category": summary.category,
        "policy": summary.policy,
        "revoked": summary.revoked,
        "createdAt": summary.created_at.to_rfc3339_millis(),
        "expiresAt": summary.expires_at.map(Instant::to_rfc3339_millis),
    });
    members.as_object().cloned().unwrap_or_default()
}
