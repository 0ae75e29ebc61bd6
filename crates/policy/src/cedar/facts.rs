// SPDX-License-Identifier: Apache-2.0
//! A request in Cedar's own terms.

use std::collections::{BTreeMap, HashMap, HashSet};

use cedar_policy::{Context, Entities, Entity, EntityUid, Request, RestrictedExpression};
use durward_model::Instant;

use super::names::{Types, any_of, entity, types};
use super::{CedarContext, CedarPrincipal, CedarRequest, CedarResource};

/// The first and the last moment that Cedar can write: years 0 and 9999.
const NOW_MIN: Instant = Instant::from_millis(-62_167_219_200_000);
const NOW_MAX: Instant = Instant::from_millis(253_402_207_199_000);

type Attribute = (String, RestrictedExpression);

/// The three entities of a request, each first in the list of everything that it is in.
pub(super) struct Closure {
    pub(super) principal: Vec<EntityUid>,
    pub(super) action: Vec<EntityUid>,
    pub(super) resource: Vec<EntityUid>,
}

impl Closure {
    pub(super) fn of(request: &CedarRequest<'_>) -> Option<Self> {
        let types = types()?;
        let action = request.action.0.clone();
        Some(Self {
            principal: principal_closure(types, request.principal),
            action: with_types(vec![action]),
            resource: resource_closure(types, request.resource),
        })
    }
}

fn principal_closure(types: &Types, principal: &CedarPrincipal) -> Vec<EntityUid> {
    let mut names = vec![entity(&types.account, &principal.id)];
    for (kind, ids) in [
        (&types.role, &principal.roles),
        (&types.group, &principal.groups),
        (&types.external_role, &principal.external_roles),
        (&types.external_group, &principal.external_groups),
    ] {
        names.extend(ids.iter().map(|id| entity(kind, id)));
    }
    with_types(names)
}

fn resource_closure(types: &Types, resource: &CedarResource) -> Vec<EntityUid> {
    let mut names: Vec<_> = resource.objects.iter().map(|name| name.0.clone()).collect();
    names.push(entity(&types.resource, &resource.id));
    if let Some(kind) = types.of_kind(&resource.kind) {
        names.push(entity(kind, &resource.name));
        names.push(entity(kind, &resource.id));
    }
    with_types(names)
}

/// The names, each once, and the entity that stands for each of their types.
fn with_types(names: Vec<EntityUid>) -> Vec<EntityUid> {
    let mut all: Vec<EntityUid> = Vec::with_capacity(names.len().saturating_add(4));
    let kinds: Vec<_> = names.iter().map(|name| any_of(name.type_name())).collect();
    for name in names.into_iter().chain(kinds) {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

/// The request and its entities; the reason when Cedar cannot express them.
pub(super) fn facts(
    request: &CedarRequest<'_>,
    closure: &Closure,
) -> Result<(Request, Entities), String> {
    let types = types().ok_or("the types of entities are not known")?;
    let mut entities = Vec::with_capacity(6);
    let principal_tags = entity(&types.tags, &request.principal.id);
    let attributes = principal_attributes(request.principal, &principal_tags);
    let principal = &closure.principal;
    let account = tagged(principal, attributes, &request.principal.tags)?;
    entities.push(account);
    entities.push(tags_entity(principal_tags, &request.principal.tags)?);

    let resource_tags = entity(&types.tags, &request.resource.id);
    let own = entity(&types.resource, &request.resource.id);
    let attributes = || resource_attributes(request.resource, &own, &resource_tags);
    let tags = &request.resource.tags;
    entities.push(tagged(&closure.resource, attributes(), tags)?);
    if closure.resource.first() != Some(&own) {
        let objects: Vec<_> = request
            .resource
            .objects
            .iter()
            .map(|name| &name.0)
            .collect();
        let outside = closure
            .resource
            .iter()
            .filter(|name| !objects.contains(name));
        let mut names = vec![own.clone()];
        names.extend(outside.filter(|name| **name != own).cloned());
        entities.push(tagged(&names, attributes(), tags)?);
    }
    entities.push(tags_entity(resource_tags, tags)?);
    entities.push(tagged(&closure.action, Vec::new(), &BTreeMap::new())?);

    let entities = Entities::from_entities(entities, None).map_err(|error| error.to_string())?;
    let (Some(principal), Some(action), Some(resource)) = (
        closure.principal.first(),
        closure.action.first(),
        closure.resource.first(),
    ) else {
        return Err("the request names nothing".to_owned());
    };
    let request = Request::new(
        principal.clone(),
        action.clone(),
        resource.clone(),
        context(request.context)?,
        None,
    );
    Ok((request.map_err(|error| error.to_string())?, entities))
}

/// The first of the names as an entity that is in all the others.
fn tagged(
    names: &[EntityUid],
    attributes: Vec<Attribute>,
    tags: &BTreeMap<String, String>,
) -> Result<Entity, String> {
    let Some((name, parents)) = names.split_first() else {
        return Err("the request names nothing".to_owned());
    };
    let parents: HashSet<_> = parents.iter().cloned().collect();
    Entity::new_with_tags(name.clone(), attributes, parents, strings(tags))
        .map_err(|error| error.to_string())
}

/// Tags can be read as attributes and as tags, whichever way a policy was written.
fn tags_entity(name: EntityUid, tags: &BTreeMap<String, String>) -> Result<Entity, String> {
    Entity::new_with_tags(name, strings(tags), [], strings(tags)).map_err(|error| error.to_string())
}

fn strings(values: &BTreeMap<String, String>) -> Vec<Attribute> {
    values
        .iter()
        .map(|(name, value)| (name.clone(), string(value)))
        .collect()
}

fn string(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

fn principal_attributes(principal: &CedarPrincipal, tags: &EntityUid) -> Vec<Attribute> {
    vec![
        ("accountType".to_owned(), string(&principal.account_type)),
        ("name".to_owned(), string(&principal.name)),
        ("email".to_owned(), string(&principal.email)),
        ("externalId".to_owned(), string(&principal.external_id)),
        (
            "permissionLevel".to_owned(),
            string(&principal.permission_level),
        ),
        (
            "isManagedUser".to_owned(),
            RestrictedExpression::new_bool(principal.is_managed),
        ),
        (
            "tags".to_owned(),
            RestrictedExpression::new_entity_uid(tags.clone()),
        ),
    ]
}

fn resource_attributes(
    resource: &CedarResource,
    own: &EntityUid,
    tags: &EntityUid,
) -> Vec<Attribute> {
    vec![
        ("id".to_owned(), string(&resource.id)),
        ("kind".to_owned(), string(&resource.kind)),
        ("name".to_owned(), string(&resource.name)),
        ("hostname".to_owned(), string(&resource.hostname)),
        (
            "port".to_owned(),
            RestrictedExpression::new_long(resource.port),
        ),
        (
            "sdm".to_owned(),
            RestrictedExpression::new_entity_uid(own.clone()),
        ),
        (
            "tags".to_owned(),
            RestrictedExpression::new_entity_uid(tags.clone()),
        ),
    ]
}

fn context(context: CedarContext) -> Result<Context, String> {
    let now = context.now.clamp(NOW_MIN, NOW_MAX);
    let utc = jiff::Timestamp::from_microsecond(now.as_micros())
        .map_err(|error| error.to_string())?
        .to_zoned(jiff::tz::TimeZone::UTC);
    let long = |value: i64| RestrictedExpression::new_long(value);
    let minute_of_day = i64::from(utc.hour()) * 60 + i64::from(utc.minute());
    let fields = [
        ("year", i64::from(utc.year())),
        ("month", i64::from(utc.month())),
        ("day", i64::from(utc.day())),
        ("hour", i64::from(utc.hour())),
        ("minute", i64::from(utc.minute())),
        ("second", i64::from(utc.second())),
        ("minuteOfDay", minute_of_day),
        ("dayOfWeek", i64::from(utc.weekday().to_sunday_one_offset())),
    ];
    let utc_now = RestrictedExpression::new_record(
        fields.map(|(name, value)| (name.to_owned(), long(value))),
    )
    .map_err(|error| error.to_string())?;
    let mut pairs = HashMap::from([
        ("utcNow".to_owned(), utc_now),
        (
            "now".to_owned(),
            RestrictedExpression::new_datetime(now.to_rfc3339_millis()),
        ),
    ]);
    if let Some(address) = context.source_address {
        let network = RestrictedExpression::new_record([(
            "clientIp".to_owned(),
            RestrictedExpression::new_ip(address.to_canonical().to_string()),
        )]);
        pairs.insert(
            "network".to_owned(),
            network.map_err(|error| error.to_string())?,
        );
    }
    Context::from_pairs(pairs).map_err(|error| error.to_string())
}
