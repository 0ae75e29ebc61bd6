// SPDX-License-Identifier: Apache-2.0
//! Nodes: gateways, relays and proxy clusters.

use durward_catalog::kinds::property;
use durward_graph::store::Target;
use durward_graph::{EntityRef, View};
use durward_identity::{Caller, CredentialKind, NewCredential};
use durward_model::Value;
use durward_vault::random;

use super::create::Extra;
use super::update::Pending;
use super::{NewObject, Properties, names};
use crate::{Access, AccessError, Kind};

/// What a node may be.
const KINDS: &[&str] = &["gateway", "relay", "proxy_cluster"];
/// State of a node that never called.
const STATE_NEW: &str = "new";
const NAME: &str = "the name of the node";

impl Access {
    pub(super) fn new_node(
        &self,
        caller: &Caller,
        view: &View,
        new: &mut NewObject,
    ) -> Result<Extra, AccessError> {
        let properties = &mut new.properties;
        let kind = names::text(properties, property::KIND)?.to_owned();
        if !KINDS.contains(&kind.as_str()) {
            let reason = format!("must be one of {}", KINDS.join(", "));
            return Err(AccessError::invalid("the kind of the node", reason));
        }
        if names::text(properties, property::DISPLAY_NAME)?
            .trim()
            .is_empty()
        {
            let name = format!("{}-{}", kind.replace('_', "-"), random::hex::<4>()?);
            properties.insert(property::DISPLAY_NAME.to_owned(), Value::from(name));
        }
        names::require_name(properties, NAME)?;
        if new.is_name_unique {
            check_name_is_free(view, names::text(properties, property::DISPLAY_NAME)?, None)?;
        }
        set_bind_address(properties)?;
        properties.insert(property::STATE.to_owned(), Value::from(STATE_NEW));
        let name = names::text(properties, property::DISPLAY_NAME)?.to_owned();
        let token = NewCredential::new(
            CredentialKind::NodeToken,
            Target::Result(0),
            &format!("token of {name}"),
        );
        let drawn = self.organization().draw_credential(caller, token, 1)?;
        Ok(Extra {
            operations: drawn.operations,
            token: Some(drawn.secret),
            classes: None,
        })
    }
}

pub(super) fn change_node(pending: &mut Pending<'_>) -> Result<(), AccessError> {
    if pending.names(property::KIND)
        && pending.text(property::KIND) != pending.before.text(property::KIND)
    {
        return Err(AccessError::invalid("the kind of a node", "cannot change"));
    }
    if pending.names(property::DISPLAY_NAME) {
        names::require_name(&mut pending.change.properties, NAME)?;
    }
    if pending.change.is_name_unique && pending.changes(property::DISPLAY_NAME) {
        let name = pending.text(property::DISPLAY_NAME);
        check_name_is_free(pending.view, &name, Some(pending.entity))?;
    }
    let is_cleared = pending.names("bindAddress") && pending.text("bindAddress").is_empty();
    if is_cleared {
        let mut properties = Properties::new();
        for name in ["listenAddress", "bindAddress"] {
            properties.insert(name.to_owned(), Value::from(pending.text(name)));
        }
        set_bind_address(&mut properties)?;
        if let Some(address) = properties.remove("bindAddress") {
            pending.set("bindAddress", address);
        }
    }
    Ok(())
}

/// Refuses a name that another living node has.
fn check_name_is_free(view: &View, name: &str, own: Option<EntityRef>) -> Result<(), AccessError> {
    let (Some(type_id), Some(property)) = (
        view.type_id(Kind::NODE.type_name()),
        view.property_id(property::DISPLAY_NAME),
    ) else {
        return Ok(());
    };
    let Some(column) = view.column(type_id, property) else {
        return Ok(());
    };
    let named = column.select_equal(&view.live_rows(type_id), &Value::from(name));
    let is_other = |row| Some(EntityRef { type_id, row }) != own;
    if named.iter().any(is_other) {
        return Err(AccessError::AlreadyExists {
            what: Kind::NODE.noun(),
            property: "name",
        });
    }
    Ok(())
}

/// A gateway that is told where it is reached listens on all addresses at that port, unless told
/// otherwise.
fn set_bind_address(properties: &mut Properties) -> Result<(), AccessError> {
    let listen = names::text(properties, "listenAddress")?;
    if listen.is_empty() || !names::text(properties, "bindAddress")?.is_empty() {
        return Ok(());
    }
    let port = listen.rsplit_once(':').map(|(_, port)| port);
    let port = port
        .and_then(|port| port.parse::<u16>().ok())
        .ok_or_else(|| AccessError::invalid("the listen address", "must look like host:port"))?;
    let bind = format!("0.0.0.0:{port}");
    properties.insert("bindAddress".to_owned(), Value::from(bind));
    Ok(())
}
