// SPDX-License-Identifier: Apache-2.0
//! Lists that are worked out: effective access, permissions, histories, activities.

use super::objects::{Context, Shown};
use super::{
    Services, access_history, account_permissions, account_resources, activities, entitlements,
    history, role_resources,
};
use crate::contract::Verb;
use crate::dispatch::{Call, Reply};
use crate::page::{Walk, entities, relationships};
use crate::status::Status;
use crate::wire::put_bytes;

/// Answers what is worked out: effective access, permissions, histories, activities.
pub(super) fn answer(services: &Services, call: &Call<'_>) -> Result<Reply, Status> {
    let method = call.method;
    if method.signed_name == "Activities.Get" {
        return activities::get(call, services.activities());
    }
    let list: fn(&Walk<'_>, &Services) -> Result<Reply, Status> = match method.signed_name.as_str()
    {
        "Activities.List" => |walk, services| activities::list(walk, services.activities()),
        "AccountResources.List" => |walk, _| account_resources::list(walk),
        "RoleResources.List" => |walk, _| role_resources::list(walk),
        "GrantedAccountEntitlements.List" => |walk, _| entitlements::of_account(walk),
        "GrantedResourceEntitlements.List" => |walk, _| entitlements::of_resource(walk),
        "GrantedRoleEntitlements.List" => |walk, _| entitlements::of_role(walk),
        "AccountPermissions.List" => |walk, _| account_permissions::list(walk),
        "AccountResourcesHistory.List" => |walk, _| access_history::of_accounts(walk),
        "RoleResourcesHistory.List" => |walk, _| access_history::of_roles(walk),
        _ if method.verb == Verb::List && history::subject(&method.service).is_some() => of_objects,
        _ => return Err(Status::unsupported(&method.signed_name)),
    };
    let access = services.access(call);
    list(&Walk::open(call, &access, services.walks())?, services)
}

/// A history of core objects.
fn of_objects(walk: &Walk<'_>, services: &Services) -> Result<Reply, Status> {
    let method = walk.call().method;
    let Some(subject) = history::subject(&method.service) else {
        return Err(Status::unsupported(&method.signed_name));
    };
    let shown = Shown::as_noun(services.codec(), subject.noun());
    history::list(walk, &subject, &|out, number, view, object| {
        let message = shown.object(view, object);
        if let Some(message) = &message {
            put_bytes(out, number, message);
        }
        message.is_some()
    })
}

/// `List` of a service whose nouns are core objects.
pub(super) fn objects(context: &Context<'_>) -> Result<Reply, Status> {
    let walk = Walk::open(context.call, &context.access, context.services.walks())?;
    let shown = context.shown();
    let caller = context.call.caller;
    let Some(fields) = context.services.fields(&context.call.method.service) else {
        let kind = context.kind();
        let Some(name) = context.service.name_of(kind) else {
            return Err(Status::unsupported(&context.call.method.signed_name));
        };
        return relationships(&walk, kind, name, |out, number, view, edge| {
            Ok(put_shown(out, number, shown.edge(view, kind, edge)))
        });
    };
    let kinds = &context.service.kinds;
    entities(&walk, fields, kinds, |out, number, view, entity| {
        Ok(put_shown(out, number, shown.entity(caller, view, entity)))
    })
}

/// Appends a message, if there is one.
fn put_shown(out: &mut Vec<u8>, number: u32, message: Option<Vec<u8>>) -> bool {
    match message {
        Some(message) => {
            put_bytes(out, number, &message);
            true
        }
        None => false,
    }
}

/// Refuses an order where rows have but their own.
pub(super) fn refuse_order(walk: &Walk<'_>) -> Result<(), Status> {
    match walk.request.order_by.trim() {
        "" => Ok(()),
        other => Err(Status::invalid(format!(
            "lists cannot be ordered by {other:?} here"
        ))),
    }
}
