// SPDX-License-Identifier: Apache-2.0
//! The tags that resources bear.

use std::collections::BTreeSet;

use durward_access::object::TAG_PREFIX;
use durward_graph::{ObjectRef, PropertyId, View};

use super::Context;
use crate::codec::write_pair;
use crate::dispatch::Reply;
use crate::filter::Fields;
use crate::page::{Page, Walk};
use crate::status::Status;

/// `EnumerateTags`: each pair of name and value that a resource bears, once.
pub(super) fn enumerate(context: &Context<'_>) -> Result<Reply, Status> {
    let walk = walk(context)?;
    let fields = context.services.fields(&context.call.method.service);
    let fields = fields.ok_or_else(|| Status::unsupported(&context.call.method.signed_name))?;
    let tags = walk.remembered("tags", || find_tags(&walk, fields))?;
    Page::of_rows(&walk, &tags, |out, number, (name, value)| {
        write_pair(out, number, name, value);
        Ok(true)
    })
}

fn walk<'c>(context: &'c Context<'_>) -> Result<Walk<'c>, Status> {
    Walk::open(context.call, &context.access, context.services.walks())
}

fn find_tags(walk: &Walk<'_>, fields: &Fields) -> Result<Vec<(String, String)>, Status> {
    let plan = fields.plan(&walk.filter, &walk.request.order_by);
    let plan = plan.map_err(|error| Status::of(&error))?;
    let objects = walk.objects_of_plan(plan, &walk.options())?;
    let mut tally = walk.tally();
    let mut found = BTreeSet::new();
    let names = tag_names(&walk.view, &objects);
    for object in objects {
        let ObjectRef::Entity(entity) = object else {
            continue;
        };
        tally.row()?;
        for (property, name) in &names {
            if let Some(value) = walk.view.value(entity, *property).as_str() {
                let tag = (name.clone(), value.to_owned());
                let bytes = 2 * (tag.0.len() + tag.1.len() + size_of::<(String, String)>());
                if found.insert(tag) {
                    tally.bytes(bytes)?;
                }
            }
        }
    }
    Ok(found.into_iter().collect())
}

/// The properties of these objects' type that are tags.
fn tag_names(view: &View, objects: &[ObjectRef]) -> Vec<(PropertyId, String)> {
    let Some(ObjectRef::Entity(first)) = objects.first() else {
        return Vec::new();
    };
    let properties = view.properties_of_type(first.type_id).into_iter();
    let tags = properties.filter_map(|property| {
        let name = view.property_name(property).strip_prefix(TAG_PREFIX)?;
        Some((property, name.to_owned()))
    });
    tags.collect()
}
