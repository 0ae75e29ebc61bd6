// SPDX-License-Identifier: Apache-2.0
//! Role access: the relationships from roles to the resources that their rules reach, kept in the
//! transaction that changes rules or resources.

use std::collections::BTreeSet;

use durward_catalog::Kind;
use durward_catalog::kinds::property;
use durward_catalog::kinds::verb::ALLOWS;
use durward_graph::store::{Operation, PutMode, Target};
use durward_graph::{EntityRef, View};
use durward_model::{Namespace, ObjectId, Value};

use crate::object::TAG_PREFIX;
use crate::rules::{AccessRules, Facts, RuleBook, resources_of, role_fits, tag_of};
use crate::{AccessError, reader};

use super::Properties;

const RELATIONSHIP_TYPE: &str = "access_role_allows_access_resource";
/// Most relationships that one command makes or ends.
const CHANGES_MAX: usize = 1_000_000;

fn allow(role: Target, resource: Target) -> Operation {
    Operation::PutRelationship {
        from: role,
        verb: ALLOWS.to_owned(),
        to: resource,
        relationship_type: RELATIONSHIP_TYPE.to_owned(),
        namespace: Namespace::durward(),
        key: None,
        properties: Vec::new(),
        mode: PutMode::Upsert,
    }
}

/// Makes what a new role's rules reach; the role is the first operation of its draft.
pub(super) fn of_new_role(view: &View, rules: &AccessRules) -> Result<Vec<Operation>, AccessError> {
    let reached = resources_of(view, rules);
    check_count(reached.len())?;
    let Some(type_id) = view.type_id(Kind::RESOURCE.type_name()) else {
        return Ok(Vec::new());
    };
    let made = reached.iter().map(|row| {
        let resource = view.entity_id(EntityRef { type_id, row });
        allow(Target::Result(0), Target::Id(resource))
    });
    Ok(made.collect())
}

/// Brings a role's relationships in step with its new rules.
pub(super) fn of_changed_role(
    view: &View,
    role: EntityRef,
    rules: &AccessRules,
) -> Result<Vec<Operation>, AccessError> {
    let mut missing = resources_of(view, rules);
    let mut operations = Vec::new();
    let mut kept = Vec::new();
    for link in reader::links_out(view, role, ALLOWS, Kind::RESOURCE) {
        if missing.contains(link.other.row) {
            kept.push(link.other.row);
        } else {
            let target = view.edge_id(link.edge);
            operations.push(Operation::DeleteRelationship { target });
        }
    }
    kept.sort_unstable();
    let kept = durward_graph::RowSet::from_sorted(kept, missing.universe());
    missing = missing.difference(&kept);
    check_count(operations.len().saturating_add(missing.len()))?;
    let Some(type_id) = view.type_id(Kind::RESOURCE.type_name()) else {
        return Ok(operations);
    };
    let role = view.entity_id(role);
    operations.extend(missing.iter().map(|row| {
        let resource = view.entity_id(EntityRef { type_id, row });
        allow(Target::Id(role), Target::Id(resource))
    }));
    Ok(operations)
}

/// Makes what reaches a new resource; the resource is the first operation of its draft.
pub(super) fn of_new_resource(
    view: &View,
    properties: &Properties,
    book: &mut RuleBook,
) -> Vec<Operation> {
    let tag = |name: &str| text_of(properties, &format!("{TAG_PREFIX}{name}"));
    let kind = text_of(properties, property::KIND).unwrap_or_default();
    let facts = Facts {
        id: None,
        kind: &kind,
        tag: &tag,
    };
    let mut operations = Vec::new();
    for (role, rules) in book.dynamic(view) {
        if role_fits(&rules, &facts) {
            let role = Target::Id(view.entity_id(role));
            operations.push(allow(role, Target::Result(0)));
        }
    }
    operations
}

/// Brings the relationships to a resource in step with its new properties.
pub(super) fn of_changed_resource(
    view: &View,
    resource: EntityRef,
    changed: &Properties,
    book: &mut RuleBook,
) -> Vec<Operation> {
    let is_tag = |name: &String| name.starts_with(TAG_PREFIX);
    if !changed
        .keys()
        .any(|name| is_tag(name) || name == property::KIND)
    {
        return Vec::new();
    }
    let id = view.entity_id(resource);
    let tag = |name: &str| {
        let property = format!("{TAG_PREFIX}{name}");
        match changed.get(&property) {
            Some(value) => value.as_str().map(str::to_owned),
            None => tag_of(view, resource, name),
        }
    };
    let kind = text_of(changed, property::KIND)
        .unwrap_or_else(|| reader::text(view, resource, property::KIND));
    let facts = Facts {
        id: Some(id),
        kind: &kind,
        tag: &tag,
    };
    let present = reader::links_in(view, resource, ALLOWS, Kind::ROLE);
    let reaching: BTreeSet<EntityRef> = present.iter().map(|link| link.other).collect();
    let mut operations = Vec::new();
    // Roles without rules by type or tag name the resource by id or not at all: no change there.
    for (role, rules) in book.dynamic(view) {
        let fits = role_fits(&rules, &facts);
        if fits && !reaching.contains(&role) {
            operations.push(allow(Target::Id(view.entity_id(role)), Target::Id(id)));
        }
        if fits {
            continue;
        }
        let ended = present.iter().filter(|link| link.other == role);
        operations.extend(ended.map(|link| Operation::DeleteRelationship {
            target: view.edge_id(link.edge),
        }));
    }
    operations
}

/// Refuses ids of resources that are not there.
fn check_ids(view: &View, rules: &AccessRules) -> Result<(), AccessError> {
    for rule in &rules.rules {
        let crate::rules::AccessRule::Ids(ids) = rule else {
            continue;
        };
        let unknown = ids.iter().find(|id| is_unknown(view, **id));
        if let Some(unknown) = unknown {
            let reason = format!("name the resource rs-{unknown}, which does not exist");
            return Err(AccessError::invalid("the access rules", reason));
        }
    }
    Ok(())
}

fn is_unknown(view: &View, id: ObjectId) -> bool {
    // Rules may go on naming a resource that ended: clients send back the text that they have read.
    reader::find_ever(view, crate::Kind::RESOURCE, id).is_none()
}

fn text_of(properties: &Properties, name: &str) -> Option<String> {
    match properties.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        _ => None,
    }
}

fn check_count(changes: usize) -> Result<(), AccessError> {
    if changes <= CHANGES_MAX {
        return Ok(());
    }
    let reason = format!("reach more than {CHANGES_MAX} resources");
    Err(AccessError::invalid("the access rules", reason))
}

/// Reads and checks the text of access rules.
pub(super) fn checked_rules(view: &View, text: &str) -> Result<AccessRules, AccessError> {
    let rules = AccessRules::parse(text)?;
    check_ids(view, &rules)?;
    Ok(rules)
}
