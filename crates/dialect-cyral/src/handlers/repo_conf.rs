// SPDX-License-Identifier: Apache-2.0
//! What is configured for a repository beside itself: authentication, analysis, network access,
//! data map, access gateway. Each is a document of the resource.

use std::net::IpAddr;

use durward_access::{Kind, Object};
use durward_model::ErrorKind;
use serde_json::{Value as Json, json};

use super::{Call, bindings, repos};
use crate::Answer;
use crate::core::{self, new_id, setting};
use crate::error::ApiError;
use crate::fields;

/// One sort of configuration.
struct Part {
    /// The property that holds it.
    property: &'static str,
    /// What it is, for messages.
    what: &'static str,
    /// Reads it from a body; `before` is what there is.
    read: fn(&Object, &fields::Object, Option<&fields::Object>) -> Result<Json, ApiError>,
}

const AUTHENTICATION: Part = Part {
    property: "cyralConfAuth",
    what: "Failed to read repo: the repository has no authentication settings",
    read: authentication,
};
const ANALYSIS: Part = Part {
    property: "cyralConfAnalysis",
    what: "Cannot find config data for repo: the repository has no analysis settings",
    read: analysis,
};
const NETWORK: Part = Part {
    property: "cyralNetworkAccessPolicy",
    what: "the repository has no network access policy",
    read: network,
};
const DATAMAP: &str = "cyralDatamap";
const GATEWAY: &str = "cyralAccessGateway";
const NO_GATEWAY: &str = "the repository has no access gateway";
/// Types of repositories that a network access policy can protect.
const NETWORK_TYPES: [&str; 2] = ["oracle", "sqlserver"];
/// Type of the repositories that people may reach as a role of the cloud.
const IAM_TYPE: &str = "mongodb";

/// `GET /v1/repos/{id}/conf/auth`
pub(crate) fn get_authentication(call: &Call<'_>) -> Result<Answer, ApiError> {
    Ok(Answer::json(
        &json!({"authInfo": read(call, &AUTHENTICATION)?}),
    ))
}

/// `POST /v1/repos/{id}/conf/auth`
pub(crate) fn create_authentication(call: &Call<'_>) -> Result<Answer, ApiError> {
    write(call, &AUTHENTICATION, true)?;
    Ok(Answer::empty())
}

/// `PUT /v1/repos/{id}/conf/auth`
pub(crate) fn update_authentication(call: &Call<'_>) -> Result<Answer, ApiError> {
    write(call, &AUTHENTICATION, false)?;
    Ok(Answer::empty())
}

/// `DELETE /v1/repos/{id}/conf/auth`
pub(crate) fn delete_authentication(call: &Call<'_>) -> Result<Answer, ApiError> {
    remove(call, &AUTHENTICATION)
}

/// `GET /v1/repos/{id}/conf/analysis`
pub(crate) fn get_analysis(call: &Call<'_>) -> Result<Answer, ApiError> {
    Ok(Answer::json(&json!({"userConfig": read(call, &ANALYSIS)?})))
}

/// `POST /v1/repos/{id}/conf/analysis`
pub(crate) fn create_analysis(call: &Call<'_>) -> Result<Answer, ApiError> {
    Ok(Answer::json(
        &json!({"userConfig": write(call, &ANALYSIS, true)?}),
    ))
}

/// `PUT /v1/repos/{id}/conf/analysis`
pub(crate) fn update_analysis(call: &Call<'_>) -> Result<Answer, ApiError> {
    Ok(Answer::json(
        &json!({"userConfig": write(call, &ANALYSIS, false)?}),
    ))
}

/// `DELETE /v1/repos/{id}/conf/analysis`
pub(crate) fn delete_analysis(call: &Call<'_>) -> Result<Answer, ApiError> {
    remove(call, &ANALYSIS)
}

/// `GET /v1/repos/{id}/networkAccessPolicy`
pub(crate) fn get_network(call: &Call<'_>) -> Result<Answer, ApiError> {
    Ok(Answer::json(&read(call, &NETWORK)?))
}

/// `POST /v1/repos/{id}/networkAccessPolicy`
pub(crate) fn create_network(call: &Call<'_>) -> Result<Answer, ApiError> {
    Ok(Answer::json(
        &json!({"policy": write(call, &NETWORK, true)?}),
    ))
}

/// `PUT /v1/repos/{id}/networkAccessPolicy`
pub(crate) fn update_network(call: &Call<'_>) -> Result<Answer, ApiError> {
    Ok(Answer::json(
        &json!({"policy": write(call, &NETWORK, false)?}),
    ))
}

/// `DELETE /v1/repos/{id}/networkAccessPolicy`
pub(crate) fn delete_network(call: &Call<'_>) -> Result<Answer, ApiError> {
    remove(call, &NETWORK)
}

/// `GET /v1/repos/{id}/datamap`
pub(crate) fn get_datamap(call: &Call<'_>) -> Result<Answer, ApiError> {
    let repo = repos::find(call, call.parameters.get("id"))?;
    let known = core::document(&repo, DATAMAP).cloned();
    Ok(Answer::json(
        &known.unwrap_or_else(|| json!({"labels": {}})),
    ))
}

/// `PUT /v1/repos/{id}/datamap`
pub(crate) fn update_datamap(call: &Call<'_>) -> Result<Answer, ApiError> {
    let body = call.object()?;
    let given = fields::wrapped(&body, "dataMap")?;
    let mut labels = fields::Object::new();
    if let Some(all) = fields::object(given, "labels")? {
        for name in all.keys() {
            let label = fields::object(all, name)?.cloned().unwrap_or_default();
            let attributes = fields::texts(&label, "attributes")?;
            labels.insert(name.clone(), json!({"attributes": attributes}));
        }
    }
    set_datamap(call, json!({"labels": labels}))
}

/// `DELETE /v1/repos/{id}/datamap`
pub(crate) fn delete_datamap(call: &Call<'_>) -> Result<Answer, ApiError> {
    set_datamap(call, Json::Null)
}

fn set_datamap(call: &Call<'_>, document: Json) -> Result<Answer, ApiError> {
    let repo = repos::find(call, call.parameters.get("id"))?;
    let id = repo.id.to_hex();
    let core = call.core();
    core.set_document(Kind::RESOURCE, &id, "data map changed", (DATAMAP, document))?;
    Ok(Answer::empty())
}

/// `GET /v1/repos/{id}/accessGateway`
pub(crate) fn get_gateway(call: &Call<'_>) -> Result<Answer, ApiError> {
    let repo = repos::find(call, call.parameters.get("id"))?;
    match gateway_of(&repo) {
        Some(gateway) => Ok(Answer::json(&json!({"accessGateway": gateway}))),
        None => Err(ApiError::not_found(NO_GATEWAY)),
    }
}

/// The sidecar and the binding by which users reach a repository.
pub(super) fn gateway_of(repo: &Object) -> Option<&Json> {
    core::document(repo, GATEWAY)
}

/// `PUT /v1/repos/{id}/accessGateway`
pub(crate) fn update_gateway(call: &Call<'_>) -> Result<Answer, ApiError> {
    let body = call.object()?;
    let given = fields::wrapped(&body, "accessGateway")?;
    let sidecar = fields::required(given, "sidecarId")?;
    let binding = fields::required(given, "bindingId")?;
    let node = call.core().get(Kind::NODE, sidecar);
    let node = node.map_err(|error| ApiError::invalid(error.message))?;
    let repo = repos::find(call, call.parameters.get("id"))?;
    let is_bound = |one: &fields::Object| {
        one.get("id") == Some(&json!(binding))
            && one.get("repoId") == Some(&json!(repo.id.to_hex()))
    };
    if !bindings::of(&node).iter().any(is_bound) {
        let why = format!("the sidecar has no binding {binding:?} of this repository");
        return Err(ApiError::invalid(why));
    }
    let document = json!({"sidecarId": sidecar, "bindingId": binding});
    set(call, GATEWAY, &document)?;
    Ok(Answer::json(&json!({"accessGateway": document})))
}

/// `DELETE /v1/repos/{id}/accessGateway`
pub(crate) fn delete_gateway(call: &Call<'_>) -> Result<Answer, ApiError> {
    let repo = repos::find(call, call.parameters.get("id"))?;
    if core::document(&repo, GATEWAY).is_none() {
        return Err(ApiError::not_found(NO_GATEWAY));
    }
    set(call, GATEWAY, &Json::Null)?;
    Ok(Answer::empty())
}

fn read(call: &Call<'_>, part: &Part) -> Result<Json, ApiError> {
    let repo = repos::find(call, call.parameters.get("id"))?;
    let known = core::document(&repo, part.property).cloned();
    known.ok_or_else(|| ApiError::not_found(part.what))
}

/// Writes a part, and gives it back as it is then.
fn write(call: &Call<'_>, part: &Part, is_new: bool) -> Result<Json, ApiError> {
    let (body, id) = (call.object()?, call.parameters.get("id"));
    repos::find(call, id)?;
    call.core().change(Kind::RESOURCE, id, |repo| {
        let known = core::document(repo, part.property).and_then(Json::as_object);
        if is_new && known.is_some() {
            let message = "the repository has such settings already: it already exists";
            return Err(ApiError::new(ErrorKind::AlreadyExists, message));
        }
        if !is_new && known.is_none() {
            return Err(ApiError::not_found(part.what));
        }
        let document = (part.read)(repo, &body, known)?;
        Ok((setting(part.property, document.clone()), document))
    })
}

fn remove(call: &Call<'_>, part: &Part) -> Result<Answer, ApiError> {
    read(call, part)?;
    set(call, part.property, &Json::Null)?;
    Ok(Answer::empty())
}

fn set(call: &Call<'_>, property: &str, document: &Json) -> Result<(), ApiError> {
    let id = call.parameters.get("id");
    call.core().change(Kind::RESOURCE, id, |_| {
        Ok((setting(property, document.clone()), ()))
    })
}

fn authentication(
    repo: &Object,
    body: &fields::Object,
    before: Option<&fields::Object>,
) -> Result<Json, ApiError> {
    let mut all = before.cloned().unwrap_or_default();
    all.extend(body.clone());
    let kind = fields::choice(&all, "authType", &["ACCESS_TOKEN", "AWS_IAM"])?;
    if kind == "AWS_IAM" && repos::type_of(repo) != Some(IAM_TYPE) {
        let why = format!("the authentication type AWS_IAM is for repositories of type {IAM_TYPE}");
        return Err(ApiError::invalid(why));
    }
    let repo_tls = ["disable", "enable", "enableAndVerifyCert"];
    Ok(json!({
        "allowNativeAuth": fields::flag(&all, "allowNativeAuth", false)?,
        "clientTLS": fields::choice(&all, "clientTLS", &["disable", "enable"])?,
        "repoTLS": fields::choice(&all, "repoTLS", &repo_tls)?,
        "identityProvider": fields::text(&all, "identityProvider")?,
        "authType": kind,
    }))
}

const ANNOTATIONS: [&str; 4] = ["identity", "client", "repo", "sidecar"];
const LOG_GROUPS: [&str; 19] = [
    "everything",
    "dql",
    "dml",
    "ddl",
    "sensitive & dql",
    "sensitive & dml",
    "sensitive & ddl",
    "privileged",
    "port-scan",
    "auth-failure",
    "full-table-scan",
    "violations",
    "connections",
    "sensitive",
    "data-classification",
    "audit",
    "error",
    "new-connections",
    "closed-connections",
];

/// The whole is replaced: clients leave out lists that are empty.
fn analysis(
    _: &Object,
    body: &fields::Object,
    _: Option<&fields::Object>,
) -> Result<Json, ApiError> {
    let flag = |name: &str| fields::flag(body, name, false);
    Ok(json!({
        "redact": fields::choice(body, "redact", &["all", "none", "watched"])?,
        "alertOnViolation": fields::flag(body, "alertOnViolation", true)?,
        "blockOnViolation": flag("blockOnViolation")?,
        "disablePreConfiguredAlerts": flag("disablePreConfiguredAlerts")?,
        "enableDataMasking": flag("enableDataMasking")?,
        "maskAllOccurrences": flag("maskAllOccurrences")?,
        "disableFilterAnalysis": flag("disableFilterAnalysis")?,
        "enableDatasetRewrites": flag("enableDatasetRewrites")?,
        "commentAnnotationGroups": fields::choices(body, "commentAnnotationGroups", &ANNOTATIONS)?,
        "logGroups": fields::choices(body, "logGroups", &LOG_GROUPS)?,
    }))
}

fn network(
    repo: &Object,
    body: &fields::Object,
    _: Option<&fields::Object>,
) -> Result<Json, ApiError> {
    if !repos::type_of(repo).is_some_and(|of_type| NETWORK_TYPES.contains(&of_type)) {
        let why = "a network access policy is for repositories of type oracle and sqlserver";
        return Err(ApiError::invalid(why));
    }
    let given = fields::object(body, "networkAccessRules")?
        .cloned()
        .unwrap_or_default();
    let mut rules = Vec::new();
    for rule in fields::objects(&given, "rules")? {
        let id = match fields::text(rule, "id")? {
            "" => new_id()?,
            id => id.to_owned(),
        };
        let sources = fields::texts(rule, "sourceIPs")?;
        if let Some(wrong) = sources.iter().find(|source| !is_network(source)) {
            return Err(ApiError::invalid(format!(
                "{wrong:?} is not an address or a network"
            )));
        }
        rules.push(json!({
            "id": id,
            "name": fields::required(rule, "name")?,
            "description": fields::text(rule, "description")?,
            "dbAccounts": fields::texts(rule, "dbAccounts")?,
            "sourceIPs": sources,
        }));
    }
    Ok(json!({
        "enabled": fields::flag(body, "enabled", false)?,
        "networkAccessRules": {
            "rulesBlockAccess": fields::flag(&given, "rulesBlockAccess", false)?,
            "rules": rules,
        },
    }))
}

/// Whether a text is an IP address, or one with the length of a prefix.
fn is_network(text: &str) -> bool {
    let (address, length) = text.split_once('/').unwrap_or((text, "0"));
    let bits = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    length.parse::<u8>().is_ok_and(|length| length <= bits)
}
