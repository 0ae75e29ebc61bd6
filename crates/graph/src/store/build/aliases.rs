// SPDX-License-Identifier: Apache-2.0
//! Other names of objects.

use super::super::draft::{Outcome, Target};
use super::{Build, Handle, StoreError, normalized};
use crate::ids::ObjectRef;

impl Build<'_> {
    /// Gives an object another name; false when it has it already.
    pub(super) fn add_alias(&mut self, handle: Handle, alias: &str) -> Result<bool, StoreError> {
        let alias = self.checked_key(alias)?;
        match self.by_alias(&alias) {
            Some(owner) if owner == handle => return Ok(false),
            Some(_) => return self.exists(format!("alias {alias:?} of another object")),
            None => {}
        }
        let returned = self
            .aliases_removed
            .iter()
            .position(|(owner, gone)| Handle::from(*owner) == handle && *gone == alias);
        match returned {
            // Taken away earlier in this draft: now it simply stays.
            Some(position) => drop(self.aliases_removed.swap_remove(position)),
            None => drop(self.aliases_added.insert(alias, handle)),
        }
        Ok(true)
    }

    pub(super) fn remove_alias(
        &mut self,
        target: &Target,
        alias: &str,
    ) -> Result<(Handle, Outcome), StoreError> {
        let handle = self.target(target)?;
        self.check_unprotected(handle)?;
        let alias = normalized(alias).into_owned();
        if self.by_alias(&alias) != Some(handle) {
            return Ok((handle, Outcome::Unchanged));
        }
        let was_added_here = self.aliases_added.remove(&alias).is_some();
        let stored = match handle {
            Handle::Entity(entity) => Some(ObjectRef::Entity(entity)),
            Handle::Edge(edge) => Some(ObjectRef::Edge(edge)),
            Handle::NewEntity(_) | Handle::NewEdge(_) => None,
        };
        if let Some(object) = stored.filter(|_| !was_added_here) {
            self.aliases_removed.push((object, alias));
        }
        Ok((handle, Outcome::Updated))
    }
}
