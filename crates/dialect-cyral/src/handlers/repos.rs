// SPDX-License-Identifier: Apache-2.0
//! Repositories, which are resources of the core of a kind that this dialect has a type for.

use durward_access::property;
use durward_access::{Kind, Object, Properties, resource_kind};
use durward_model::Value;
use serde_json::{Value as Json, json};

use super::Call;
use crate::Answer;
use crate::core::{self, changing};
use crate::error::ApiError;
use crate::fields;

/// The types of repositories.
pub(crate) const TYPES: [&str; 16] = [
    "auroramysql",
    "aurorapostgres",
    "denodo",
    "dremio",
    "dynamodb",
    "dynamodbstreams",
    "galera",
    "mariadb",
    "mongodb",
    "mysql",
    "oracle",
    "postgresql",
    "redshift",
    "s3",
    "snowflake",
    "sqlserver",
];

/// Property with what only this dialect knows of a repository.
const SETTINGS: &str = "cyralRepository";
const LABELS: &str = "labels";
/// Settings that are kept as they are given.
const KEPT: [&str; 3] = ["connParams", "mongoDbSettings", "redshiftSettings"];

/// The type of repository that a resource is; `None` when it is none.
pub(crate) fn type_of(resource: &Object) -> Option<&'static str> {
    resource_kind::named(resource.text(property::KIND))?.repository
}

/// The repository of an id.
pub(crate) fn find(call: &Call<'_>, id: &str) -> Result<Object, ApiError> {
    let found = call.core().get(Kind::RESOURCE, id)?;
    if type_of(&found).is_none() {
        let message = format!("Failed to read repo: there is no repository {id:?}");
        return Err(ApiError::not_found(message));
    }
    Ok(found)
}

/// `GET /v1/repos`
pub(crate) fn list(call: &Call<'_>) -> Result<Answer, ApiError> {
    let (name, of_type) = (call.query("name"), call.query("type"));
    let fits = |repo: &&Object| {
        let named = name
            .as_deref()
            .is_none_or(|name| repo.text(property::DISPLAY_NAME).contains(name));
        let typed = of_type
            .as_deref()
            .is_none_or(|wanted| type_of(repo) == Some(wanted));
        named && typed && type_of(repo).is_some()
    };
    let all = call.core().list(Kind::RESOURCE)?;
    let rows = all.iter().filter(fits);
    let rows: Vec<Json> = rows
        .map(|repo| json!({"id": repo.id.to_hex(), "repo": shown(repo)}))
        .collect();
    Ok(Answer::json(&json!({"repos": rows})))
}

/// `POST /v1/repos`
pub(crate) fn create(call: &Call<'_>) -> Result<Answer, ApiError> {
    let body = call.object()?;
    let name = fields::required(&body, "name")?;
    let wanted = fields::required(&body, "type")?;
    let mut properties = changed(None, &body)?;
    let kind = kind_of(wanted)?;
    properties.insert(property::KIND.to_owned(), Value::from(kind));
    properties.insert(property::DISPLAY_NAME.to_owned(), Value::from(name));
    let made = call.core().create(Kind::RESOURCE, properties)?;
    Ok(Answer::json(&json!({"id": made.id.to_hex()})))
}

/// `GET /v1/repos/{id}`
pub(crate) fn get(call: &Call<'_>) -> Result<Answer, ApiError> {
    let repo = find(call, call.parameters.get("id"))?;
    Ok(Answer::json(&json!({"repo": shown(&repo)})))
}

/// `PUT /v1/repos/{id}`: fields that the body does not name stay.
pub(crate) fn update(call: &Call<'_>) -> Result<Answer, ApiError> {
    let (body, id) = (call.object()?, call.parameters.get("id"));
    find(call, id)?;
    call.core().change(Kind::RESOURCE, id, |before| {
        let mut properties = changed(Some(before), &body)?;
        if body.contains_key("name") {
            let name = fields::required(&body, "name")?;
            properties.insert(property::DISPLAY_NAME.to_owned(), Value::from(name));
        }
        let wanted = fields::text(&body, "type")?;
        if !wanted.is_empty() && type_of(before) != Some(wanted) {
            return Err(ApiError::invalid("the type of a repository cannot change"));
        }
        Ok((changing(properties), ()))
    })?;
    Ok(Answer::empty())
}

/// `DELETE /v1/repos/{id}`
pub(crate) fn delete(call: &Call<'_>) -> Result<Answer, ApiError> {
    let id = call.parameters.get("id");
    find(call, id)?;
    call.core().delete(Kind::RESOURCE, id)?;
    Ok(Answer::empty())
}

/// The kind of resource that a new repository of a type is.
fn kind_of(wanted: &str) -> Result<&'static str, ApiError> {
    let fits = |kind: &&resource_kind::ResourceKind| kind.repository == Some(wanted);
    match resource_kind::all().iter().find(fits) {
        Some(kind) => Ok(kind.name),
        None => Err(ApiError::invalid(format!(
            "there is no type of repository {wanted:?}"
        ))),
    }
}

/// A repository as clients see it.
fn shown(repo: &Object) -> Json {
    let nodes = nodes(repo);
    let first = nodes.first();
    let of_first = |name: &str| first.and_then(|node| node.get(name)).cloned();
    let mut shown = json!({
        "id": repo.id.to_hex(),
        "name": repo.text(property::DISPLAY_NAME),
        "type": type_of(repo),
        "repoHost": of_first("host").unwrap_or_else(|| json!("")),
        "repoPort": of_first("port").unwrap_or_else(|| json!(0)),
        "labels": core::texts(repo, LABELS),
        "repoNodes": nodes,
    });
    let settings = core::document(repo, SETTINGS).and_then(Json::as_object);
    if let (Some(shown), Some(settings)) = (shown.as_object_mut(), settings) {
        shown.extend(fields::only(settings, &KEPT));
    }
    shown
}

/// The nodes of a repository. The first fixed one is where the resource of the core is: whoever
/// moves that moves the node.
fn nodes(repo: &Object) -> Vec<fields::Object> {
    let host = repo.text("hostname");
    let port = match repo.properties.get("port") {
        Some(Value::Int(port)) => *port,
        _ => 0,
    };
    let settings = core::document(repo, SETTINGS).and_then(Json::as_object);
    let known = settings.and_then(|settings| settings.get("repoNodes")?.as_array());
    let known = known.map(Vec::as_slice).unwrap_or_default();
    let mut nodes: Vec<_> = known
        .iter()
        .filter_map(|node| node.as_object().cloned())
        .collect();
    let is_dynamic = |node: &fields::Object| node.get("dynamic") == Some(&json!(true));
    if nodes.is_empty() && !host.is_empty() {
        nodes.push(node("", host, 0, false));
    }
    if let Some(fixed) = nodes.iter_mut().find(|node| !is_dynamic(node)) {
        fixed.insert("host".to_owned(), json!(host));
        fixed.insert("port".to_owned(), json!(port));
    }
    nodes
}

fn node(name: &str, host: &str, port: u16, dynamic: bool) -> fields::Object {
    let mut node = fields::Object::new();
    node.insert("name".to_owned(), json!(name));
    node.insert("host".to_owned(), json!(host));
    node.insert("port".to_owned(), json!(port));
    node.insert("dynamic".to_owned(), json!(dynamic));
    node
}

/// The properties that a body changes.
fn changed(before: Option<&Object>, body: &fields::Object) -> Result<Properties, ApiError> {
    let mut properties = Properties::new();
    if body.contains_key("labels") {
        let labels = core::list_value(fields::texts(body, "labels")?);
        properties.insert(LABELS.to_owned(), labels);
    }
    let known = before.and_then(|repo| core::document(repo, SETTINGS)?.as_object());
    let mut settings = known.cloned().unwrap_or_default();
    if let Some(nodes) = given_nodes(body)? {
        let fixed = nodes
            .iter()
            .find(|node| node.get("dynamic") == Some(&json!(false)));
        let host = fixed.and_then(|node| node.get("host")?.as_str());
        let port = fixed.and_then(|node| node.get("port")?.as_i64());
        properties.insert("hostname".to_owned(), Value::from(host.unwrap_or_default()));
        properties.insert("port".to_owned(), Value::Int(port.unwrap_or_default()));
        settings.insert("repoNodes".to_owned(), json!(nodes));
    }
    for name in KEPT {
        match fields::object(body, name)? {
            Some(given) => drop(settings.insert(name.to_owned(), Json::Object(given.clone()))),
            None if body.contains_key(name) => drop(settings.remove(name)),
            None => {}
        }
    }
    properties.insert(
        SETTINGS.to_owned(),
        Value::Document(Json::Object(settings).into()),
    );
    Ok(properties)
}

/// The nodes that a body names, in the old spelling of one host and port too; `None` when it names
/// none.
fn given_nodes(body: &fields::Object) -> Result<Option<Vec<fields::Object>>, ApiError> {
    let given = fields::objects(body, "repoNodes")?;
    if given.is_empty() {
        let host = fields::text(body, "repoHost")?;
        let port = fields::port(body, "repoPort")?;
        let nodes = (!host.is_empty()).then(|| vec![node("", host, port, false)]);
        return Ok(nodes);
    }
    let mut nodes = Vec::new();
    for one in given {
        let (name, dynamic) = (
            fields::text(one, "name")?,
            fields::flag(one, "dynamic", false)?,
        );
        let (host, port) = (fields::text(one, "host")?, fields::port(one, "port")?);
        if !dynamic && (host.is_empty() || port == 0) {
            let why = "a node of a repository needs a host and a port unless it is dynamic";
            return Err(ApiError::invalid(why));
        }
        nodes.push(node(name, host, port, dynamic));
    }
    Ok(Some(nodes))
}
