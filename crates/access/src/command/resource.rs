// SPDX-License-Identifier: Apache-2.0
//! Resources: what access is given to.

use durward_graph::{EntityRef, View};
use durward_model::Value;
use serde_json::{Map, Value as Json};

use super::create::Extra;
use super::port::{ADDRESS, ADDRESS_FIRST, PORT};
use super::references::{self, REFERENCES};
use super::update::Pending;
use super::{NewObject, Properties, names, role_access};
use crate::rules::RuleBook;
use crate::{Access, AccessError, Kind, resource_kind};

const NAME: &str = "the name of the resource";
const KIND: &str = "kind";
/// Secret property with the sealed credentials.
const SEALED: &str = "sealedCredentials";
/// Purpose under which they are sealed.
const SEAL_CONTEXT: &str = "credentials of a resource";
/// What a client sends to have a new port given.
const PORT_ANEW: i64 = -1;

impl Access {
    pub(super) fn new_resource(
        &self,
        view: &View,
        new: &mut NewObject,
        book: &mut RuleBook,
    ) -> Result<Extra, AccessError> {
        let properties = &mut new.properties;
        names::require_name(properties, NAME)?;
        let kind = checked_kind(names::text(properties, KIND)?)?;
        properties.insert(KIND.to_owned(), Value::from(kind.name));
        check_port(properties)?;
        for name in REFERENCES {
            references::check(view, name, names::text(properties, name)?)?;
        }
        Place::default().set(view, properties, book)?;
        if let Some(sealed) = self.sealed(&Map::new(), &new.secrets)? {
            properties.insert(SEALED.to_owned(), sealed);
        }
        Ok(Extra {
            operations: role_access::of_new_resource(view, properties, book),
            token: None,
            classes: Some(vec![kind.class.to_owned()]),
        })
    }

    pub(super) fn change_resource(
        &self,
        pending: &mut Pending<'_>,
        book: &mut RuleBook,
    ) -> Result<(), AccessError> {
        if pending.names("displayName") {
            names::require_name(&mut pending.change.properties, NAME)?;
        }
        if pending.names(KIND) {
            let kind = checked_kind(&pending.text(KIND))?;
            if kind.name != pending.before.text(KIND) {
                return Err(AccessError::invalid(
                    "the type of a resource",
                    "cannot change",
                ));
            }
            pending.set(KIND, kind.name);
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
        if !pending.change.secrets.is_empty() {
            let known = self.opened(pending)?;
            let secrets = std::mem::take(&mut pending.change.secrets);
            if let Some(sealed) = self.sealed(&known, &secrets)? {
                pending.set(SEALED, sealed);
            }
        }
        let changed = &pending.change.properties;
        let changes = role_access::of_changed_resource(pending.view, pending.entity, changed, book);
        pending.operations.extend(changes);
        Ok(())
    }

    /// The credentials of a resource, opened.
    fn opened(&self, pending: &Pending<'_>) -> Result<Map<String, Json>, AccessError> {
        let property = pending.view.property_id(SEALED);
        let sealed = property.map(|property| pending.view.secret_value(pending.entity, property));
        let Some(Value::Bytes(sealed)) = sealed else {
            return Ok(Map::new());
        };
        let opened = self.organization().vault().unseal(SEAL_CONTEXT, &sealed)?;
        Ok(serde_json::from_slice(opened.expose()).unwrap_or_default())
    }

    /// Credentials, sealed; `None` when there are none. Empty ones leave what is known.
    fn sealed(
        &self,
        known: &Map<String, Json>,
        secrets: &Properties,
    ) -> Result<Option<Value>, AccessError> {
        let mut all = known.clone();
        for (name, value) in secrets {
            if !matches!(value, Value::Null) && value.as_str() != Some("") {
                all.insert(name.clone(), value.to_json());
            }
        }
        if all.is_empty() {
            return Ok(None);
        }
        let text = durward_vault::Secret::new(Json::Object(all).to_string().into_bytes());
        let sealed = self
            .organization()
            .vault()
            .seal(SEAL_CONTEXT, text.expose())?;
        Ok(Some(Value::Bytes(sealed)))
    }
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
