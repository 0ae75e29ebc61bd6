// SPDX-License-Identifier: Apache-2.0
//! What messages show of an object that the object itself does not hold.

use durward_access::{Kind, Object, reader};
use durward_catalog::ids;
use durward_catalog::kinds::property;
use durward_graph::{ObjectRef, View};
use durward_model::Value;
use durward_policy::permission_level::{LEVEL_DEFAULT, LEVEL_SUSPENDED};

use crate::codec::Codec;
use crate::services::objects::id_prefix;

/// Adds to an object what is found elsewhere in the view that it was read from. Answers whether
/// StrongDM can show the object at all: a resource of a kind that only other dialects have, or a
/// grant to a group, cannot be shown.
pub(crate) fn complete(codec: &Codec, view: &View, object: &mut Object) -> bool {
    match object.kind {
        Kind::USER => {
            add_level(object);
            add_manager(view, object);
        }
        Kind::GROUP_ROLE => add_names(view, object),
        Kind::RESOURCE => return shows(codec, "Resource", object.text(property::KIND)),
        Kind::NODE => return shows(codec, "Node", object.text(property::KIND)),
        Kind::GRANT => return !is_of_group(view, object),
        _ => {}
    }
    true
}

fn shows(codec: &Codec, noun: &str, branch: &str) -> bool {
    codec.noun(noun).is_some_and(|noun| noun.shows(branch))
}

/// A suspended user has the level of that name, however it was suspended; one that was made
/// without a level has the usual one.
fn add_level(user: &mut Object) {
    let level = if user.flag(property::SUSPENDED) {
        LEVEL_SUSPENDED
    } else if user.text(property::PERMISSION_LEVEL).is_empty() {
        LEVEL_DEFAULT
    } else {
        return;
    };
    user.properties
        .insert(property::PERMISSION_LEVEL.to_owned(), Value::from(level));
}

fn add_manager(view: &View, object: &mut Object) {
    let prefix = id_prefix(&Kind::ACCOUNTS);
    let text = object.text(property::MANAGER);
    if text.is_empty() {
        return;
    }
    let id = ids::parse_prefixed_or_bare(prefix, text);
    let manager = id.and_then(|id| reader::entity(view, id, &[Kind::USER]));
    if let Some(manager) = manager {
        let shown = ids::prefixed(prefix, view.entity_id(manager));
        let properties = &mut object.properties;
        properties.insert("resolvedManagerId".to_owned(), Value::from(shown));
    }
}

fn add_names(view: &View, object: &mut Object) {
    let Some((group, role)) = object.ends else {
        return;
    };
    for (id, kind, property) in [
        (group, Kind::GROUP, "groupName"),
        (role, Kind::ROLE, "roleName"),
    ] {
        if let Some(end) = reader::entity(view, id, &[kind]) {
            let name = Value::from(reader::text(view, end, property::DISPLAY_NAME));
            object.properties.insert(property.to_owned(), name);
        }
    }
}

/// Whether a grant is to a group: StrongDM grants to accounts only.
fn is_of_group(view: &View, grant: &Object) -> bool {
    let holder = grant.ends.and_then(|(holder, _)| {
        let number = view.id_cipher().number_of(holder)?;
        match number {
            durward_model::ObjectNumber::Entity(number) => {
                view.entity_of(number).map(ObjectRef::Entity)
            }
            durward_model::ObjectNumber::Relationship(_) => None,
        }
    });
    let Some(ObjectRef::Entity(holder)) = holder else {
        return false;
    };
    view.type_name(holder.type_id) == Kind::GROUP.type_name()
}
