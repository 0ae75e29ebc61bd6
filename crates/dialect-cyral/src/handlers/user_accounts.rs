// SPDX-License-Identifier: Apache-2.0
//! User accounts of a repository, and the rules of who may use them: a list in a document of the
//! resource. Passwords are sealed among the credentials of the resource and never shown.

use durward_access::{Kind, Object, ObjectChange};
use durward_model::{ErrorKind, Value};
use serde_json::{Value as Json, json};

use super::{Call, repos};
use crate::Answer;
use crate::core::{self, new_id, setting};
use crate::error::ApiError;
use crate::fields;

const ACCOUNTS: &str = "cyralUserAccounts";
/// Field of an account under which its rules are kept.
const RULES: &str = "accessRules";
/// The ways in which an account can be proved to the repository.
const SCHEMES: [&str; 8] = [
    "awsIAM",
    "awsSecretsManager",
    "cyralStorage",
    "hashicorpVault",
    "environmentVariable",
    "kubernetesSecret",
    "gcpSecretManager",
    "azureKeyVault",
];
/// The way that hands a password in.
const STORED: &str = "cyralStorage";
const PASSWORD: &str = "password";
const IDENTITIES: [&str; 3] = ["username", "email", "group"];

/// The accounts of a repository.
pub(super) fn of(repo: &Object) -> Vec<fields::Object> {
    core::entries(repo, ACCOUNTS)
}

/// `POST /v1/repos/{id}/userAccounts`
pub(crate) fn create(call: &Call<'_>) -> Result<Answer, ApiError> {
    let (body, uid) = (call.object()?, new_id()?);
    let id = repos::find(call, call.parameters.get("id"))?.id.to_hex();
    call.core().change(Kind::RESOURCE, &id, |repo| {
        let mut all = of(repo);
        let (mut account, password) = checked(&body, &uid)?;
        refuse_twin(&all, &account, &uid)?;
        account.insert(RULES.to_owned(), json!([]));
        all.push(account);
        Ok((with_password(json!(all), &uid, password), ()))
    })?;
    Ok(Answer::json(&json!({"userAccountID": uid})))
}

/// `GET /v1/repos/{id}/userAccounts/{uid}`
pub(crate) fn get(call: &Call<'_>) -> Result<Answer, ApiError> {
    let repo = repos::find(call, call.parameters.get("id"))?;
    let (all, position) = located(call, &repo)?;
    let mut account = all.get(position).cloned().unwrap_or_default();
    account.remove(RULES);
    Ok(Answer::json(&Json::Object(account)))
}

/// `PUT /v1/repos/{id}/userAccounts/{uid}`
pub(crate) fn update(call: &Call<'_>) -> Result<Answer, ApiError> {
    let (body, uid) = (call.object()?, call.parameters.get("uid"));
    let id = repos::find(call, call.parameters.get("id"))?.id.to_hex();
    call.core().change(Kind::RESOURCE, &id, |repo| {
        let (mut all, position) = located(call, repo)?;
        let (mut account, password) = checked(&body, uid)?;
        refuse_twin(&all, &account, uid)?;
        if let Some(place) = all.get_mut(position) {
            let rules = place.get(RULES).cloned().unwrap_or_else(|| json!([]));
            account.insert(RULES.to_owned(), rules);
            *place = account;
        }
        Ok((with_password(json!(all), uid, password), ()))
    })?;
    Ok(Answer::empty())
}

/// `DELETE /v1/repos/{id}/userAccounts/{uid}`
pub(crate) fn delete(call: &Call<'_>) -> Result<Answer, ApiError> {
    let uid = call.parameters.get("uid");
    let id = repos::find(call, call.parameters.get("id"))?.id.to_hex();
    call.core().change(Kind::RESOURCE, &id, |repo| {
        let (mut all, position) = located(call, repo)?;
        all.remove(position);
        Ok((with_password(json!(all), uid, Password::Gone), ()))
    })?;
    Ok(Answer::empty())
}

/// `GET /v1/repos/{id}/userAccounts/{uid}/accessRules`
pub(crate) fn get_rules(call: &Call<'_>) -> Result<Answer, ApiError> {
    let repo = repos::find(call, call.parameters.get("id"))?;
    let (all, position) = located(call, &repo)?;
    let rules = all.get(position).and_then(|account| account.get(RULES));
    Ok(Answer::json(&json!({"accessRules": rules})))
}

/// `PUT /v1/repos/{id}/userAccounts/{uid}/accessRules`: the whole list, in order of priority.
pub(crate) fn update_rules(call: &Call<'_>) -> Result<Answer, ApiError> {
    let body = call.object()?;
    let mut rules = Vec::new();
    for rule in fields::objects(&body, RULES)? {
        check_rule(rule)?;
        rules.push(rule.clone());
    }
    set_rules(call, &json!(rules))?;
    Ok(Answer::json(&json!({"accessRules": rules})))
}

/// `DELETE /v1/repos/{id}/userAccounts/{uid}/accessRules`
pub(crate) fn delete_rules(call: &Call<'_>) -> Result<Answer, ApiError> {
    set_rules(call, &json!([]))?;
    Ok(Answer::empty())
}

fn set_rules(call: &Call<'_>, rules: &Json) -> Result<(), ApiError> {
    let id = repos::find(call, call.parameters.get("id"))?.id.to_hex();
    call.core().change(Kind::RESOURCE, &id, |repo| {
        let (mut all, position) = located(call, repo)?;
        if let Some(account) = all.get_mut(position) {
            account.insert(RULES.to_owned(), rules.clone());
        }
        Ok((setting(ACCOUNTS, json!(all)), ()))
    })
}

fn check_rule(rule: &fields::Object) -> Result<(), ApiError> {
    let identity = fields::wrapped(rule, "identity")?;
    fields::required(identity, "name")?;
    fields::required(identity, "type")?;
    fields::choice(identity, "type", &IDENTITIES)?;
    let start = fields::instant(rule, "validFrom")?;
    let end = fields::instant(rule, "validUntil")?;
    if let (Some(start), Some(end)) = (start, end)
        && end <= start
    {
        return Err(ApiError::invalid(
            "the end of an access rule must lie after its start",
        ));
    }
    if let Some(config) = fields::object(rule, "config")? {
        fields::texts(config, "authorizationPolicyInstanceIDs")?;
    }
    Ok(())
}

fn located(call: &Call<'_>, repo: &Object) -> Result<(Vec<fields::Object>, usize), ApiError> {
    let (all, uid) = (of(repo), call.parameters.get("uid"));
    match all.iter().position(|account| id_of(account) == uid) {
        Some(position) => Ok((all, position)),
        None => Err(ApiError::not_found(
            "the repository has no such user account",
        )),
    }
}

fn id_of(account: &fields::Object) -> &str {
    account
        .get("userAccountID")
        .and_then(Json::as_str)
        .unwrap_or_default()
}

/// What becomes of the sealed password of an account.
enum Password {
    Kept,
    New(String),
    Gone,
}

/// A change of the accounts of a repository, and of the password of one.
fn with_password(accounts: Json, uid: &str, password: Password) -> ObjectChange {
    let mut change = setting(ACCOUNTS, accounts);
    let value = match password {
        Password::Kept => return change,
        Password::New(text) => Value::String(text),
        // Sealed credentials are overwritten, not taken out.
        Password::Gone => Value::Bool(false),
    };
    change
        .secrets
        .insert(format!("cyralUserAccount.{uid}"), value);
    change
}

/// Refuses a second account of the same name in the same database.
fn refuse_twin(all: &[fields::Object], new: &fields::Object, uid: &str) -> Result<(), ApiError> {
    let same = |name: &str, other: &fields::Object| other.get(name) == new.get(name);
    let is_twin = |other: &fields::Object| {
        id_of(other) != uid && same("name", other) && same("authDatabaseName", other)
    };
    if all.iter().any(is_twin) {
        let message = "the repository has a user account of this name: it already exists";
        return Err(ApiError::new(ErrorKind::AlreadyExists, message));
    }
    Ok(())
}

/// The account of a body, without its password.
fn checked(body: &fields::Object, uid: &str) -> Result<(fields::Object, Password), ApiError> {
    let given = fields::wrapped(body, "authScheme")?;
    let mut named = Vec::new();
    for name in SCHEMES {
        if let Some(settings) = fields::object(given, name)? {
            named.push((name, settings.clone()));
        }
    }
    let Some((scheme, mut settings)) = named.pop().filter(|_| named.is_empty()) else {
        let why = format!(
            "the field \"authScheme\" must hold one of {}",
            SCHEMES.join(", ")
        );
        return Err(ApiError::invalid(why));
    };
    let mut password = Password::Gone;
    if scheme == STORED {
        password = match fields::text(&settings, PASSWORD)? {
            "" => Password::Kept,
            text => Password::New(text.to_owned()),
        };
        settings.remove(PASSWORD);
    }
    let mut schemes = fields::Object::new();
    for name in SCHEMES {
        schemes.insert(name.to_owned(), Json::Null);
    }
    schemes.insert(scheme.to_owned(), Json::Object(settings));
    let mut account = fields::Object::new();
    account.insert("userAccountID".to_owned(), json!(uid));
    account.insert("name".to_owned(), json!(fields::required(body, "name")?));
    let database = fields::text(body, "authDatabaseName")?;
    account.insert("authDatabaseName".to_owned(), json!(database));
    account.insert("authScheme".to_owned(), Json::Object(schemes));
    if let Some(config) = fields::object(body, "config")? {
        account.insert("config".to_owned(), Json::Object(config.clone()));
    }
    Ok((account, password))
}
