// SPDX-License-Identifier: Apache-2.0
//! Resources: what access is given to.

use durward_catalog::kinds::property;
use durward_graph::{EntityRef, View};
use durward_model::Value;

use super::create::Extra;
use super::port::{ADDRESS, ADDRESS_FIRST, PORT};
use super::references::{self, REFERENCES};
use super::update::Pending;
use super::{NewObject, Properties, names, role_access};
use crate::rules::RuleBook;
use crate::{AccessError, Kind, resource_kind};

const NAME: &str = "the name of the resource";
/// What a client sends to have a new port given.
const PORT_ANEW: i64 = -1;

pub(super) fn new_resource(
    view: &View,
    new: &mut NewObject,
    book: &mut RuleBook,
) -> Result<Extra, AccessError> {
    let properties = &mut new.properties;
    names::require_name(properties, NAME)?;
    let kind = checked_kind(names::text(properties, property::KIND)?)?;
    properties.insert(property::KIND.to_owned(), Value::from(kind.name));
    check_port(properties)?;
    for name in REFERENCES {
        references::check(view, name, names::text(properties, name)?)?;
    }
    Place::default().set(view, properties, book)?;
    Ok(Extra {
        operations: role_access::of_new_resource(view, properties, book),
        token: None,
        classes: Some(vec![kind.class.to_owned()]),
    })
}

pub(super) fn change_resource(
    pending: &mut Pending<'_>,
    book: &mut RuleBook,
) -> Result<(), AccessError> {
    if pending.names(property::DISPLAY_NAME) {
        names::require_name(&mut pending.change.properties, NAME)?;
    }
    if pending.names(property::KIND) {
        let kind = checked_kind(&pending.text(property::KIND))?;
        if kind.name != pending.before.text(property::KIND) {
            return Err(AccessError::invalid(
                "the type of a resource",
                "cannot change",
            ));
        }
        pending.set(property::KIND, kind.name);
    }
    check_port(&pending.change.properties)?;
    for name in REFERENCES {
        if pending.changes(name) {
            references::check(pending.view, name, &pending.text(name))?;
        }
    }
    let place = Place {
        resource: Some(pending.entity),
        address: pending.before.text(ADDRESS).to_owned(),
        port: match pending.before.properties.get(PORT) {
            Some(Value::Int(port)) => Some(*port),
            _ => None,
        },
    };
    place.set(pending.view, &mut pending.change.properties, book)?;
    let changed = &pending.change.properties;
    let changes = role_access::of_changed_resource(pending.view, pending.entity, changed, book);
    pending.operations.extend(changes);
    Ok(())
}

fn checked_kind(name: &str) -> Result<&'static resource_kind::ResourceKind, AccessError> {
    resource_kind::named(name).ok_or_else(|| {
        AccessError::invalid(
            "the type of the resource",
            format!("{name:?} does not exist"),
        )
    })
}

/// The port of the resource itself.
fn check_port(properties: &Properties) -> Result<(), AccessError> {
    match properties.get("port") {
        Some(Value::Int(port)) if !(0..=65_535).contains(port) => Err(AccessError::invalid(
            "the port of the resource",
            "must be a number from 1 to 65535",
        )),
        _ => Ok(()),
    }
}

/// Where a resource is reached until now; the default is that of a new one.
#[derive(Default)]
struct Place {
    resource: Option<EntityRef>,
    address: String,
    port: Option<i64>,
}

impl Place {
    /// A resource that has a port of its own gets one when it asks for none in particular. One
    /// that it asks for must be free.
    fn set(
        &self,
        view: &View,
        properties: &mut Properties,
        book: &mut RuleBook,
    ) -> Result<(), AccessError> {
        let asked = match names::text(properties, ADDRESS)? {
            "" => self.address.clone(),
            asked => asked.to_owned(),
        };
        let (address, port) = match properties.get(PORT) {
            None if self.port.is_some() && asked != self.address => (asked, self.port),
            None | Some(Value::Null) => return Ok(()),
            Some(Value::Int(0 | PORT_ANEW)) => {
                let (address, port) = book.ports.give(view, &asked);
                properties.insert(PORT.to_owned(), Value::Int(port));
                properties.insert(ADDRESS.to_owned(), Value::from(address));
                return Ok(());
            }
            Some(Value::Int(port)) if (1..=65_535).contains(port) => {
                let address = match asked.as_str() {
                    "" => ADDRESS_FIRST.to_string(),
                    _ => asked,
                };
                (address, Some(*port))
            }
            Some(_) => {
                let reason = "must be a number from 1 to 65535, or 0 or -1 for a free one";
                return Err(AccessError::invalid("the port", reason));
            }
        };
        let is_kept = port == self.port && address == self.address;
        if let Some(port) = port.filter(|_| !is_kept)
            && !book.ports.take(view, self.resource, &address, port)
        {
            return Err(AccessError::AlreadyExists {
                what: Kind::RESOURCE.noun(),
                property: "port and bind interface",
            });
        }
        properties.insert(ADDRESS.to_owned(), Value::from(address));
        Ok(())
    }
}
