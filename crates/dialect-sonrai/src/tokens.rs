// SPDX-License-Identifier: Apache-2.0
//! User tokens: made once, listed without their secret, deleted by name.

use durward_catalog::ids;
use durward_identity::{
    Caller, CredentialFilter, CredentialKind, CredentialSummary, IdentityError, NewCredential,
};
use durward_model::ObjectId;
use durward_query::where_filter::FieldKind;
use serde_json::Value as Json;

use super::arguments::whole;
use super::row_list::{Fields, Row, RowList};
use super::{Answer, Context, errors};
use durward_graphql::engine::{Call, Node};

/// Kind of tokens in their names.
pub(super) const TOKEN_KIND: &str = "SonraiUserToken";
const KIND: CredentialKind = CredentialKind::SonraiToken;

const FIELDS: Fields = &[
    ("createdDate", FieldKind::Moment),
    ("expireAt", FieldKind::Moment),
    ("name", FieldKind::Text),
    ("resourceId", FieldKind::Text),
    ("srn", FieldKind::Text),
];

/// `GenerateSonraiUserToken`
pub(super) async fn generate(call: Call<'_, Context>) -> Answer<'_> {
    let input = call.argument("input").and_then(Json::as_object);
    let member = |name: &str| input.and_then(|input| input.get(name));
    let seconds = whole("expiresIn", member("expiresIn").unwrap_or(&Json::Null))?;
    if let Some((least, most)) = KIND.entry().life_seconds
        && !(least..=most).contains(&seconds)
    {
        let message = format!("expiresIn must be {least} to {most} seconds");
        return Err(errors::invalid(message));
    }
    let name = member("name").and_then(Json::as_str).unwrap_or_default();
    let name = name.to_owned();
    let create = move |caller: Caller| {
        let new = NewCredential {
            life_seconds: Some(seconds),
            ..NewCredential::own(&caller, KIND, &name)?
        };
        caller.organization().create_own_credential(&caller, new)
    };
    let issued = call.context.command(create).await?;
    let secret = issued.secret.expose().as_str();
    let row = row(call.context, &issued.summary, "CreatedSonraiUserToken");
    Ok(Node::object(row.with("token", secret)))
}

/// `DeleteSonraiUserToken`
pub(super) async fn delete(call: Call<'_, Context>) -> Answer<'_> {
    let context = call.context;
    let input = call.argument("input");
    let given = input.and_then(|input| input.get("srn"));
    let given = given.and_then(Json::as_str).unwrap_or_default();
    let (cipher, own) = (context.view.id_cipher(), context.account_id());
    let id = ids::parse_srn(cipher, &own, TOKEN_KIND, given).ok_or_else(errors::no_token)?;
    let now = context.now();
    let run = move |caller: Caller| {
        let known = caller.organization().credential(&caller, id)?;
        if !is_token(&known) || !known.is_usable_at(now) {
            return Err(IdentityError::NotFound { what: "token" });
        }
        caller.organization().delete_credential(&caller, id)
    };
    call.context.command(run).await?;
    Ok(Node::Boolean(true))
}

/// `SonraiUserTokens`: the caller's own, without the secrets. Ended ones vanish.
pub(super) fn list<'a>(call: &Call<'a, Context>) -> Answer<'a> {
    let context = call.context;
    let caller = context.caller().map_err(|error| errors::of(error))?;
    let filter = CredentialFilter {
        kinds: vec![KIND],
        own: true,
        search: String::new(),
        usable_only: true,
    };
    let all = caller
        .organization()
        .credentials_in(caller, &context.view, &filter);
    let all = all.map_err(|error| errors::of(&error))?;
    let now = context.now();
    let usable = all.iter().filter(|known| known.is_usable_at(now));
    let rows = usable.map(|known| row(context, known, "SonraiUserToken"));
    let connection = "SonraiUserTokenConnection";
    let filter = call.argument("where");
    let list = RowList::new(connection, FIELDS, rows.collect(), filter, context)?;
    Ok(Node::object(list))
}

fn is_token(known: &CredentialSummary) -> bool {
    known.kind == KIND
}

/// Name of a token.
pub(super) fn srn_of(context: &Context, id: ObjectId) -> String {
    let cipher = context.view.id_cipher();
    ids::srn(cipher, &context.account_id(), TOKEN_KIND, id)
}

fn row(context: &Context, known: &CredentialSummary, type_name: &'static str) -> Row {
    let row = Row::new(type_name)
        .with("name", known.name.as_str())
        .with("srn", srn_of(context, known.id))
        .with("resourceId", context.view.id_cipher().uuid_of(known.id))
        .with("createdDate", known.created_at);
    match known.expires_at {
        Some(end) => row.with("expireAt", end),
        None => row,
    }
}
