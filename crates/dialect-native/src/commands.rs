// SPDX-License-Identifier: Apache-2.0
//! Mutations: accounts and credentials. All of them are commands of `durward_access` and
//! `durward_identity`.

use durward_access::{AccessError, AccountSummary, Kind, NewObject, Properties, accounts};
use durward_graph::store::Target;
use durward_identity::{Caller, CredentialKind, IdentityError, IssuedCredential, NewCredential};
use durward_model::{ObjectId, Value};
use durward_policy::{AccessPolicy, Rights};
use durward_vault::Secret;
use serde_json::Value as Json;

use super::access::access;
use super::accounts::AccountNode;
use super::credentials::CredentialNode;
use super::moment::{Moment, object_id};
use super::{Answer, Context, errors, values};
use durward_graphql::engine::{Call, FieldError, JsonMap, Node, Object};

/// The argument `input`.
struct Input<'i>(Option<&'i JsonMap>);

impl<'i> Input<'i> {
    fn of(call: &Call<'i, Context>) -> Self {
        Self(call.argument("input").and_then(Json::as_object))
    }

    fn get(&self, name: &str) -> Option<&'i Json> {
        self.0
            .and_then(|input| input.get(name))
            .filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(Json::as_str).map(str::to_owned)
    }
}

/// The id in the argument `id`.
fn id(call: &Call<'_, Context>, what: &'static str) -> Result<ObjectId, FieldError> {
    let id = object_id(
        &call.context.view,
        call.text_argument("id").unwrap_or_default(),
    );
    id.ok_or_else(|| errors::of(&IdentityError::NotFound { what }))
}

/// `createAccount`
pub(super) async fn create_account(call: Call<'_, Context>) -> Answer<'_> {
    let input = Input::of(&call);
    let property = |name: &str| {
        let text = input.text(name).unwrap_or_default();
        (name.to_owned(), Value::String(text))
    };
    let properties = Properties::from(["email", "displayName"].map(property));
    let new = NewObject {
        password: input.text("password").map(Secret::new),
        role: input.text("role"),
        ..NewObject::entity(Kind::USER, properties)
    };
    let (access, _) = access(call.context)?;
    let create = move |caller: Caller| access.create(&caller, new);
    let id = call.context.command(create).await?.object.id;
    // All that there is to read is what the caller sent.
    let moment = Moment::fresh(call.context)?;
    let made = AccountSummary::find(&moment.view, id).ok_or_else(no_account)?;
    Ok(Node::object(AccountNode::new(&moment, made)))
}

/// `suspendAccount`, `resumeAccount`: the account, as far as the caller may read it.
pub(super) async fn set_suspended(call: Call<'_, Context>, suspended: bool) -> Answer<'_> {
    let id = id(&call, "account")?;
    let (access, caller) = access(call.context)?;
    let set = move |caller: Caller| access.set_suspended(&caller, id, suspended);
    call.context.command(set).await?;
    let moment = Moment::fresh(call.context)?;
    if let Ok(read) = accounts::get(&caller, &moment.view, id) {
        return Ok(Node::object(AccountNode::new(&moment, read)));
    }
    let changed = AccountSummary::find(&moment.view, id).ok_or_else(no_account)?;
    Ok(Node::object(AccountNode::unread(&moment, changed)))
}

fn no_account() -> FieldError {
    errors::of(&AccessError::NotFound { what: "account" })
}

/// `createApiKey`: without a policy it may do what its creator may.
pub(super) async fn create_api_key(call: Call<'_, Context>) -> Answer<'_> {
    let input = Input::of(&call);
    let policy = match input.get("policy") {
        None => AccessPolicy::ALLOW_ALL.to_owned(),
        Some(Json::String(text)) => text.clone(),
        Some(json) => json.to_string(),
    };
    let name = input.text("name").unwrap_or_default();
    let category = input.text("category");
    let expires_at = values::instant_from("expiresAt", input.get("expiresAt"))?;
    let create = move |caller: Caller| {
        let new = NewCredential {
            category,
            policy: Some(policy),
            expires_at,
            ..NewCredential::own(&caller, CredentialKind::JupiteroneApiKey, &name)?
        };
        caller.organization().create_credential(&caller, new)
    };
    issued(call.context, call.context.command(create).await?)
}

/// `createApiToken`: a token of the caller's own account.
pub(super) async fn create_api_token(call: Call<'_, Context>) -> Answer<'_> {
    let input = Input::of(&call);
    let name = input.text("name").unwrap_or_default();
    let expires_at = values::instant_from("expiresAt", input.get("expiresAt"))?;
    let create = move |caller: Caller| {
        let new = NewCredential {
            expires_at,
            ..NewCredential::own(&caller, CredentialKind::ApiToken, &name)?
        };
        caller.organization().create_own_credential(&caller, new)
    };
    issued(call.context, call.context.command(create).await?)
}

/// `createCredential`: a credential of another account.
pub(super) async fn create_credential(call: Call<'_, Context>) -> Answer<'_> {
    let input = Input::of(&call);
    let refused = |what, reason: String| errors::of(&IdentityError::Input { what, reason });
    let owner = object_id(
        &call.context.view,
        &input.text("account").unwrap_or_default(),
    );
    let owner = owner.ok_or_else(|| errors::of(&IdentityError::NotFound { what: "account" }))?;
    let kind = input.text("kind").unwrap_or_default();
    let kind = CredentialKind::named(&kind)
        .filter(|kind| kind.owners().contains(&Kind::USER))
        .ok_or_else(|| refused("the kind", format!("{kind:?} is not one of an account")))?;
    let rights = match input.get("rights").and_then(Json::as_array) {
        None => None,
        Some(names) => {
            let names = names.iter().filter_map(Json::as_str);
            let rights = Rights::from_names(names);
            Some(rights.map_err(|error| refused("the rights", format!("are wrong: {error}")))?)
        }
    };
    let name = input.text("name").unwrap_or_default();
    let new = NewCredential {
        rights,
        expires_at: values::instant_from("expiresAt", input.get("expiresAt"))?,
        ..NewCredential::new(kind, Target::Id(owner), &name)
    };
    let create = move |caller: Caller| caller.organization().create_credential(&caller, new);
    issued(call.context, call.context.command(create).await?)
}

/// `revokeCredential`
pub(super) async fn revoke_credential(call: Call<'_, Context>) -> Answer<'_> {
    let id = id(&call, "credential")?;
    let reason = call.text_argument("reason").unwrap_or_default().to_owned();
    let with_descendants = call.bool_argument("withDescendants").unwrap_or(false);
    let revoke = move |caller: Caller| {
        caller
            .organization()
            .revoke_credential_because(&caller, id, &reason, with_descendants)
    };
    let summary = call.context.command(revoke).await?;
    let moment = Moment::fresh(call.context)?;
    Ok(Node::object(CredentialNode::new(
        call.context,
        &moment,
        summary,
    )?))
}

fn issued<'a>(context: &Context, issued: IssuedCredential) -> Answer<'a> {
    let moment = Moment::fresh(context)?;
    let credential = CredentialNode::new(context, &moment, issued.summary)?;
    Ok(Node::object(Issued {
        credential,
        secret: issued.secret,
    }))
}

/// A credential just made, with the secret that is shown this once.
struct Issued {
    credential: CredentialNode,
    secret: Secret<String>,
}

impl Object<Context> for Issued {
    fn type_name(&self) -> &'static str {
        "IssuedCredential"
    }

    fn field<'a>(&'a self, call: &Call<'a, Context>) -> Answer<'a> {
        Ok(match call.name() {
            "credential" => Node::object_ref(&self.credential),
            "secret" => Node::text(self.secret.expose().as_str()),
            other => return Err(FieldError::unsupported(other)),
        })
    }
}
