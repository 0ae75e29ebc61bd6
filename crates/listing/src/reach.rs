// SPDX-License-Identifier: Apache-2.0
//! Who reaches what, account by account, so that a list of millions of rows needs no more memory
//! than one account's.

use std::ops::ControlFlow;

use durward_access::access::living;
use durward_access::reach::Reached;
use durward_access::{Kind, effective, reader};
use durward_graph::{EntityRef, ObjectRef, View};
use durward_model::ObjectId;

use crate::{ListError, Walk};

/// Between which objects ways are asked for; `None` is between all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Between<'b> {
    /// From these accounts.
    pub accounts: Option<&'b [ObjectId]>,
    /// To these resources.
    pub resources: Option<&'b [ObjectId]>,
    /// By these roles.
    pub roles: Option<&'b [ObjectId]>,
}

impl Walk<'_> {
    /// The accounts that the caller sees among which those lie that have such ways, in order of
    /// their rows.
    ///
    /// # Errors
    /// When nobody waits any more, or the caller may not hold them.
    pub fn accounts_with_ways(&self, between: &Between<'_>) -> Result<Vec<EntityRef>, ListError> {
        self.effort().check()?;
        let (view, valid_at) = (&self.view, self.valid_at);
        let named = |ids: &[ObjectId], kinds: &[Kind]| {
            let found = ids.iter();
            let found = found.filter_map(|id| reader::entity(view, *id, kinds));
            found.collect::<Vec<EntityRef>>()
        };
        let mut accounts: Vec<EntityRef> = if let Some(ids) = between.accounts {
            named(ids, &Kind::ACCOUNTS)
        } else if let Some(ids) = between.resources {
            let resources = named(ids, &[Kind::RESOURCE]).into_iter();
            resources
                .flat_map(|resource| effective::accounts_of(view, resource, valid_at))
                .collect()
        } else if let Some(ids) = between.roles {
            let roles = named(ids, &[Kind::ROLE]).into_iter();
            roles
                .flat_map(|role| effective::holders_of(view, role))
                .collect()
        } else {
            every_account(view)
        };
        self.effort()
            .hold(2 * accounts.len() * size_of::<EntityRef>())?;
        accounts.sort_unstable();
        accounts.dedup();
        let sight = self.sight();
        accounts.retain(|account| sight.sees(ObjectRef::Entity(*account)));
        Ok(accounts)
    }

    /// Hands over the ways of an account, or those to some resources, that no policy forbids.
    ///
    /// # Errors
    /// Those of `take`, and when nobody waits any more.
    pub fn for_each_way<E: From<ListError>>(
        &self,
        account: EntityRef,
        to: Option<&[EntityRef]>,
        mut take: impl FnMut(&Reached) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut tally, mut failed) = (self.tally(), None);
        let _ = self.reaching().of_account(account, to, &mut |reached| {
            let counted = tally.row().map_err(E::from);
            let taken = counted.and_then(|()| {
                if reached.is_forbidden {
                    Ok(())
                } else {
                    take(&reached)
                }
            });
            match taken {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        });
        failed.map_or(Ok(()), Err)
    }
}

/// All users and services, in order of creation inside their kind.
pub fn every_account(view: &View) -> Vec<EntityRef> {
    let living = Kind::ACCOUNTS
        .into_iter()
        .flat_map(|kind| living(view, kind));
    let entities = living.filter_map(|object| match object {
        ObjectRef::Entity(entity) => Some(entity),
        ObjectRef::Edge(_) => None,
    });
    entities.collect()
}
