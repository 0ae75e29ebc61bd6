// SPDX-License-Identifier: Apache-2.0
//! What binds objects: the ends of relationships, members of groups, and who is assigned which
//! role.

use durward_catalog::kinds::Ends;
use durward_catalog::kinds::verb::ASSIGNED;
use durward_graph::store::{Operation, PutMode, Target};
use durward_graph::{EdgeRef, EntityRef, ObjectRef, View};
use durward_identity::Caller;
use durward_model::{Namespace, ObjectId};

use crate::access::{Sight, living};
use crate::{Access, AccessError, Kind, action, reader};

impl Access {
    /// The caller has every right that the new bond gives; for a bond that is guarded, every right
    /// of the account that it is about.
    pub(super) fn check_membership(
        &self,
        caller: &Caller,
        view: &View,
        kind: Kind,
        (from, to): (EntityRef, EntityRef),
    ) -> Result<(), AccessError> {
        match kind {
            Kind::GROUP_MEMBER => self.check_holds_rights_of_group(caller, view, from),
            Kind::GROUP_ROLE | Kind::ASSIGNMENT => {
                self.check_holds_rights_of_role(caller, view, to)
            }
            _ if kind.ends().is_some_and(|ends| ends.guarded) => {
                self.check_not_stronger(caller, view, from)
            }
            _ => Ok(()),
        }
    }

    /// Whoever changes a bond or takes it away must have the same rights as for making it.
    pub(super) fn check_bond(
        &self,
        caller: &Caller,
        view: &View,
        kind: Kind,
        edge: EdgeRef,
    ) -> Result<(), AccessError> {
        match view.edge_ends(edge) {
            Some(ends) => self.check_membership(caller, view, kind, ends),
            None => Ok(()),
        }
    }

    pub(super) fn check_holds_rights_of_role(
        &self,
        caller: &Caller,
        view: &View,
        role: EntityRef,
    ) -> Result<(), AccessError> {
        Ok(caller.require_all(&self.organization().rights_of_role(view, role)?)?)
    }

    pub(super) fn check_holds_rights_of_group(
        &self,
        caller: &Caller,
        view: &View,
        group: EntityRef,
    ) -> Result<(), AccessError> {
        for role in reader::links_out(view, group, ASSIGNED, Kind::ROLE) {
            self.check_holds_rights_of_role(caller, view, role.other)?;
        }
        Ok(())
    }

    /// The operation that assigns the role of this name to the account that a draft makes first.
    pub(super) fn first_assignment(
        &self,
        caller: &Caller,
        view: &View,
        role: &str,
    ) -> Result<Operation, AccessError> {
        caller.require_action(action::create(Kind::ASSIGNMENT))?;
        let role = role_named(caller, view, role)?;
        self.check_holds_rights_of_role(caller, view, role)?;
        Ok(Operation::PutRelationship {
            from: Target::Result(0),
            verb: ASSIGNED.to_owned(),
            to: Target::Id(view.entity_id(role)),
            relationship_type: Kind::ASSIGNMENT.type_name().to_owned(),
            namespace: Namespace::durward(),
            key: None,
            properties: Vec::new(),
            mode: PutMode::Create,
        })
    }
}

/// The role of this name that the caller may see.
fn role_named(caller: &Caller, view: &View, name: &str) -> Result<EntityRef, AccessError> {
    let sight = Sight::of(caller, view);
    let named = living(view, Kind::ROLE)
        .into_iter()
        .find_map(|found| match found {
            ObjectRef::Entity(role) if reader::text(view, role, "displayName") == name => {
                sight.sees(found).then_some(role)
            }
            _ => None,
        });
    named.ok_or(AccessError::NotFound {
        what: Kind::ROLE.noun(),
    })
}

/// The entities at the ends of a relationship to be.
pub(super) fn ends(
    caller: &Caller,
    view: &View,
    ends: &'static Ends,
    (from, to): (ObjectId, ObjectId),
) -> Result<(EntityRef, EntityRef), AccessError> {
    let sight = Sight::of(caller, view);
    let end = |id, kinds: &[Kind], what| {
        let found = reader::entity(view, id, kinds);
        let seen = found.filter(|entity| sight.sees(ObjectRef::Entity(*entity)));
        seen.ok_or(AccessError::NotFound { what })
    };
    let found = (
        end(from, &ends.from, &ends.start)?,
        end(to, &ends.to, &ends.end)?,
    );
    if found.0 == found.1 {
        let what = format!("the {}", ends.end);
        return Err(AccessError::invalid(what, "must be another one"));
    }
    Ok(found)
}
