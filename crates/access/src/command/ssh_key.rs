// SPDX-License-Identifier: Apache-2.0
//! Keys of servers that are entered with a key made here: the public half is shown, for the
//! server's list of keys; the private half is one of the resource's sealed credentials.

use durward_catalog::kinds::property;
use durward_graph::View;
use durward_model::{ObjectId, Value};
use durward_vault::{ssh_key_kinds, ssh_key_pair};

use super::{ObjectChange, Properties, names};
use crate::{AccessError, Kind, reader};

/// Kind of the resources that get a key.
const SSH: &str = "ssh";
const KEY_KIND: &str = "keyType";
/// The sort that is made when none is named.
const KEY_KIND_DEFAULT: &str = "ed25519";
const PUBLIC_KEY: &str = "publicKey";
/// Name of the private half among the credentials.
const PRIVATE_KEY: &str = "generatedPrivateKey";

/// Gives a new server its key.
pub(super) fn give(
    properties: &mut Properties,
    secrets: &mut Properties,
) -> Result<(), AccessError> {
    if names::text(properties, property::KIND)? != SSH {
        return Ok(());
    }
    let wanted = names::text(properties, KEY_KIND)?.to_owned();
    make(&wanted, properties, secrets)
}

/// Gives a server a new key when it is to have one of another sort.
pub(super) fn renew(
    view: &View,
    id: ObjectId,
    change: &mut ObjectChange,
) -> Result<(), AccessError> {
    if !change.properties.contains_key(KEY_KIND) {
        return Ok(());
    }
    let Some(resource) = reader::entity(view, id, &[Kind::RESOURCE]) else {
        return Ok(());
    };
    let wanted = names::text(&change.properties, KEY_KIND)?.to_owned();
    let known = reader::text(view, resource, KEY_KIND);
    if reader::text(view, resource, property::KIND) != SSH
        || or_default(&wanted) == or_default(&known)
    {
        return Ok(());
    }
    make(&wanted, &mut change.properties, &mut change.secrets)
}

fn make(
    kind: &str,
    properties: &mut Properties,
    secrets: &mut Properties,
) -> Result<(), AccessError> {
    let kind = or_default(kind);
    let pair = ssh_key_pair(kind)?.ok_or_else(|| {
        let known: Vec<&str> = ssh_key_kinds().collect();
        let reason = format!("{kind:?} is none of {}", known.join(", "));
        AccessError::invalid("the type of the key", reason)
    })?;
    properties.insert(PUBLIC_KEY.to_owned(), Value::from(pair.public.as_str()));
    let private = Value::from(pair.private.expose().as_str());
    secrets.insert(PRIVATE_KEY.to_owned(), private);
    Ok(())
}

fn or_default(kind: &str) -> &str {
    if kind.is_empty() {
        KEY_KIND_DEFAULT
    } else {
        kind
    }
}
