// SPDX-License-Identifier: Apache-2.0
//! Secrets of objects: what a client sends and is never shown again lies sealed in one property,
//! which the catalog names.

use durward_graph::{CoreReader, EntityRef, View};
use durward_model::Value;
use durward_vault::Secret;
use serde_json::{Map, Value as Json};

use super::Properties;
use crate::{Access, AccessError, Kind};

/// Purpose under which secrets are sealed.
fn purpose(kind: Kind) -> String {
    format!("credentials of a {}", kind.noun())
}

impl Access {
    /// Seals secrets of an object among its properties, with those that `known` has. Empty ones
    /// leave what is known.
    pub(super) fn seal_secrets(
        &self,
        kind: Kind,
        known: Option<(&View, EntityRef)>,
        secrets: &Properties,
        properties: &mut Properties,
    ) -> Result<(), AccessError> {
        let is_given = |value: &Value| !value.is_null() && value.as_str() != Some("");
        let mut given = secrets
            .iter()
            .filter(|(_, value)| is_given(value))
            .peekable();
        if given.peek().is_none() {
            return Ok(());
        }
        let sealed = kind.sealed().ok_or_else(|| {
            let what = format!("the credentials of the {}", kind.noun());
            AccessError::invalid(what, "cannot be kept")
        })?;
        let vault = self.organization().vault();
        let mut all: Map<String, Json> =
            match known.map(|(view, entity)| CoreReader::new(view).secret(entity, sealed)) {
                Some(Value::Bytes(bytes)) => {
                    let opened = vault.unseal(&purpose(kind), &bytes)?;
                    serde_json::from_slice(opened.expose()).unwrap_or_default()
                }
                _ => Map::new(),
            };
        all.extend(given.map(|(name, value)| (name.clone(), value.to_json())));
        let text = Secret::new(Json::Object(all).to_string().into_bytes());
        let bytes = vault.seal(&purpose(kind), text.expose())?;
        properties.insert(sealed.to_owned(), Value::Bytes(bytes));
        Ok(())
    }
}
