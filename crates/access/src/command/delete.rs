// SPDX-License-Identifier: Apache-2.0
//! Ending an object.

use durward_catalog::kinds::property;
use durward_graph::store::{Operation, Target};
use durward_graph::{EntityRef, ObjectRef, View};
use durward_identity::Caller;
use durward_model::ObjectId;

use crate::access::{Planned, seen};
use crate::administrators::require_administrator_beside;
use crate::{Access, AccessError, Kind, Object, action, reader};

impl Access {
    /// Ends an object and what hangs on it; gives it as it last was, as far as the caller may read
    /// it.
    ///
    /// # Errors
    /// When the caller may not, or there is no such object that it may see.
    pub fn delete(&self, caller: &Caller, kind: Kind, id: ObjectId) -> Result<Object, AccessError> {
        caller.require_action(action::delete(kind))?;
        let written = self.commit(caller, action::delete(kind), move |access, caller, view| {
            access.plan_delete(caller, view, kind, id)
        });
        written.map(|(_, last)| last)
    }

    fn plan_delete(
        &self,
        caller: &Caller,
        view: &View,
        kind: Kind,
        id: ObjectId,
    ) -> Result<Planned<Object>, AccessError> {
        let found = seen(caller, view, kind, id)?;
        let mut operations = Vec::new();
        match found {
            ObjectRef::Entity(entity) => {
                self.check_delete(caller, view, kind, entity)?;
                operations.extend(owned_credentials(view, entity));
                operations.push(Operation::DeleteEntity {
                    target: Target::Id(id),
                });
            }
            ObjectRef::Edge(edge) => {
                self.check_bond(caller, view, kind, edge)?;
                operations.push(Operation::DeleteRelationship { target: id });
            }
        }
        require_administrator_beside(view, &[found])?;
        Ok(Planned {
            activity: format!("{} deleted", kind.noun()),
            operations,
            outcome: Access::answered(caller, view, Object::read(view, kind, found), |_| false),
        })
    }

    fn check_delete(
        &self,
        caller: &Caller,
        view: &View,
        kind: Kind,
        entity: EntityRef,
    ) -> Result<(), AccessError> {
        match kind {
            Kind::USER | Kind::SERVICE => self.check_not_self_nor_stronger(caller, view, entity),
            _ if reader::flag(view, entity, property::BUILT_IN) => {
                let what = format!("a built-in {}", kind.noun());
                Err(AccessError::invalid(what, "cannot be deleted"))
            }
            Kind::ROLE => self.check_holds_rights_of_role(caller, view, entity),
            Kind::GROUP => self.check_holds_rights_of_group(caller, view, entity),
            _ => Ok(()),
        }
    }
}

/// Ends the credentials of an account or node.
fn owned_credentials(view: &View, owner: EntityRef) -> Vec<Operation> {
    let owned = reader::credentials_of(view, owner);
    let ends = owned.into_iter().map(|credential| Operation::DeleteEntity {
        target: Target::Id(view.entity_id(credential)),
    });
    ends.collect()
}
