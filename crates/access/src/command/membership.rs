// SPDX-License-Identifier: Apache-2.0
//! Groups, their members, and who is assigned which role.

use durward_graph::{EdgeRef, EntityRef, View};
use durward_identity::Caller;
use durward_model::ObjectId;

use super::account::require_all;
use super::create::Extra;
use super::update::Pending;
use super::{NewObject, names};
use crate::access::Sight;
use crate::kind::{ASSIGNED, ROLE_TYPE};
use crate::{Access, AccessError, Kind, reader};

pub(super) fn new_group(new: &mut NewObject) -> Result<Extra, AccessError> {
    names::require_name(&mut new.properties, "the name of the group")?;
    Ok(Extra::default())
}

pub(super) fn change_group(pending: &mut Pending<'_>) -> Result<(), AccessError> {
    if pending.names("displayName") {
        names::require_name(&mut pending.change.properties, "the name of the group")?;
    }
    Ok(())
}

impl Access {
    /// Both ends are there, and the caller has every right that the new bond gives.
    pub(super) fn check_membership(
        &self,
        caller: &Caller,
        view: &View,
        kind: Kind,
        (from, to): (ObjectId, ObjectId),
    ) -> Result<(), AccessError> {
        let accounts: &[Kind] = &[Kind::User, Kind::Service];
        match kind {
            Kind::GroupMember => {
                let group = end(caller, view, from, &[Kind::Group], "group")?;
                end(caller, view, to, accounts, "account")?;
                self.check_holds_rights_of_group(caller, view, group)
            }
            Kind::GroupRole => {
                end(caller, view, from, &[Kind::Group], "group")?;
                let role = end(caller, view, to, &[Kind::Role], "role")?;
                self.check_holds_rights_of_role(caller, view, role)
            }
            _ => {
                end(caller, view, from, accounts, "account")?;
                let role = end(caller, view, to, &[Kind::Role], "role")?;
                self.check_holds_rights_of_role(caller, view, role)
            }
        }
    }

    /// Whoever takes a role from somebody must have its rights.
    pub(super) fn check_removal(
        &self,
        caller: &Caller,
        view: &View,
        edge: EdgeRef,
    ) -> Result<(), AccessError> {
        let Some((from, to)) = view.edge_ends(edge) else {
            return Ok(());
        };
        if reader::is_of_kind(view, to, Kind::Role) {
            return self.check_holds_rights_of_role(caller, view, to);
        }
        self.check_holds_rights_of_group(caller, view, from)
    }

    pub(super) fn check_holds_rights_of_role(
        &self,
        caller: &Caller,
        view: &View,
        role: EntityRef,
    ) -> Result<(), AccessError> {
        require_all(caller, self.organization().rights_of_role(view, role)?)
    }

    pub(super) fn check_holds_rights_of_group(
        &self,
        caller: &Caller,
        view: &View,
        group: EntityRef,
    ) -> Result<(), AccessError> {
        for role in reader::links_out(view, group, ASSIGNED, ROLE_TYPE) {
            self.check_holds_rights_of_role(caller, view, role.other)?;
        }
        Ok(())
    }
}

/// The entity at an end of a relationship to be.
pub(super) fn end(
    caller: &Caller,
    view: &View,
    id: ObjectId,
    kinds: &[Kind],
    what: &'static str,
) -> Result<EntityRef, AccessError> {
    let found = reader::entity(view, id, kinds);
    let sight = Sight::of(caller, view);
    let seen = found.filter(|entity| sight.sees(durward_graph::ObjectRef::Entity(*entity)));
    seen.ok_or(AccessError::NotFound { what })
}
