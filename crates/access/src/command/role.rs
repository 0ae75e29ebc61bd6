// SPDX-License-Identifier: Apache-2.0
//! Roles.

use durward_catalog::kinds::property;
use durward_graph::View;
use durward_identity::Caller;
use durward_model::Value;

use super::create::Extra;
use super::update::Pending;
use super::{NewObject, names, role_access};
use crate::rules::ACCESS_RULES;
use crate::{Access, AccessError};

impl Access {
    pub(super) fn change_role(
        &self,
        caller: &Caller,
        pending: &mut Pending<'_>,
    ) -> Result<(), AccessError> {
        // Its name and its mappings say who gets it: whoever changes them must have what it gives.
        self.check_holds_rights_of_role(caller, pending.view, pending.entity)?;
        let is_built_in = pending.before.flag(property::BUILT_IN);
        if let Some(rights) = pending.change.rights {
            if is_built_in {
                let reason = "keeps the rights that it has";
                return Err(AccessError::invalid("a built-in role", reason));
            }
            caller.require_all(&rights)?;
            pending.set(property::RIGHTS, Value::from(rights.names()));
        }
        let before = pending.before.text(ACCESS_RULES);
        if pending.names(ACCESS_RULES) && pending.text(ACCESS_RULES) != before {
            let rules = role_access::checked_rules(pending.view, &pending.text(ACCESS_RULES))?;
            let changes = role_access::of_changed_role(pending.view, pending.entity, &rules)?;
            pending.operations.extend(changes);
        }
        Ok(())
    }
}

pub(super) fn new_role(
    caller: &Caller,
    view: &View,
    new: &mut NewObject,
) -> Result<Extra, AccessError> {
    let rules = role_access::checked_rules(view, names::text(&new.properties, ACCESS_RULES)?)?;
    if let Some(rights) = new.rights {
        caller.require_all(&rights)?;
        new.properties
            .insert(property::RIGHTS.to_owned(), Value::from(rights.names()));
    }
    Ok(Extra {
        operations: role_access::of_new_role(view, &rules)?,
        ..Extra::default()
    })
}
