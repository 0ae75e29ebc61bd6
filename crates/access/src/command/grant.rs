// SPDX-License-Identifier: Apache-2.0
//! Grants: access of an account or group to one resource, for a time.

use durward_graph::View;
use durward_identity::Caller;
use durward_model::{Instant, ObjectId, Value};

use super::Properties;
use super::membership::end;
use crate::effective::{VALID_FROM, VALID_UNTIL};
use crate::{Access, AccessError, Kind};

impl Access {
    /// Both ends are there and the times make sense. Without a start it begins now; without an end
    /// it lasts.
    pub(super) fn check_grant(
        &self,
        caller: &Caller,
        view: &View,
        (from, to): (ObjectId, ObjectId),
        properties: &mut Properties,
    ) -> Result<(), AccessError> {
        let holders = [Kind::User, Kind::Service, Kind::Group];
        end(caller, view, from, &holders, "account")?;
        end(caller, view, to, &[Kind::Resource], "resource")?;
        let start = instant(properties, VALID_FROM)?;
        let start = start.unwrap_or_else(|| self.organization().now());
        properties.insert(VALID_FROM.to_owned(), Value::from(start));
        let end = instant(properties, VALID_UNTIL)?;
        if end.is_some_and(|end| end <= start) {
            return Err(AccessError::invalid(
                "the end of the grant",
                "must lie after its start",
            ));
        }
        Ok(())
    }
}

fn instant(properties: &Properties, name: &str) -> Result<Option<Instant>, AccessError> {
    match properties.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Instant(instant)) => Ok(Some(*instant)),
        Some(_) => Err(AccessError::invalid(
            format!("the property {name:?}"),
            "must be a moment",
        )),
    }
}
