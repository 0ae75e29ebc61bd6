// SPDX-License-Identifier: Apache-2.0
//! What an account may do at a moment: by its roles, by those of its groups, by its permission
//! level.

use std::sync::LazyLock;

use durward_catalog::Kind;
use durward_graph::{CoreReader, EntityRef, View};
use durward_model::ObjectId;
use durward_policy::{PermissionLevel, Rights};

use crate::bindings;
use crate::record::stored_rights;
use crate::{IdentityError, Organization};

/// Property that says whether an account or organization is suspended.
pub(crate) const SUSPENDED: &str = "suspended";

const PERMISSION_LEVEL: &str = "permissionLevel";

static LEVELS: LazyLock<Vec<(PermissionLevel, Rights)>> = LazyLock::new(|| {
    PermissionLevel::all()
        .map(|level| (level, level.rights()))
        .collect()
});

/// The rights of roles as they were read, so that an unchanged role is not read again.
#[derive(Clone, Debug, Default)]
pub(crate) struct RoleRights {
    earlier: Vec<(EntityRef, u32, Rights)>,
    read: Vec<(EntityRef, u32, Rights)>,
}

impl RoleRights {
    /// Goes on from what an earlier reading found.
    pub(crate) fn from(earlier: Option<&Self>) -> Self {
        Self {
            earlier: earlier
                .map(|earlier| earlier.read.clone())
                .unwrap_or_default(),
            read: Vec::new(),
        }
    }

    /// Union of what the roles of an account, those of its groups and its level give.
    pub(crate) fn of_account(
        &mut self,
        reader: CoreReader<'_>,
        account: EntityRef,
    ) -> Result<Rights, IdentityError> {
        let mut rights = level_of(reader, account).map_or(Rights::NONE, level_rights);
        rights = rights.union(self.of_roles(reader, account)?);
        for group in bindings::groups_of(reader, account) {
            rights = rights.union(self.of_roles(reader, group)?);
        }
        self.earlier.clear();
        Ok(rights)
    }

    /// Union of what the roles assigned to one account or group give.
    fn of_roles(
        &mut self,
        reader: CoreReader<'_>,
        holder: EntityRef,
    ) -> Result<Rights, IdentityError> {
        let mut rights = Rights::NONE;
        for role in bindings::roles_of(reader, holder) {
            let version = reader.view().version(role);
            let known = self.earlier.iter().chain(&self.read);
            let mut known = known.filter(|(entity, at, _)| (*entity, *at) == (role, version));
            let of_role = match known.next() {
                Some((_, _, rights)) => *rights,
                None => stored_rights(reader, role, "role")?,
            };
            self.read.push((role, version, of_role));
            rights = rights.union(of_role);
        }
        Ok(rights)
    }
}

impl Organization {
    /// What the roles of an account let it do, in a view of this organization's graph.
    pub fn rights_of_account(
        &self,
        view: &View,
        account: EntityRef,
    ) -> Result<Rights, IdentityError> {
        account_rights(CoreReader::new(view), account)
    }

    /// What a role lets its holders do, in a view of this organization's graph.
    pub fn rights_of_role(&self, view: &View, role: EntityRef) -> Result<Rights, IdentityError> {
        stored_rights(CoreReader::new(view), role, "role")
    }
}

/// What an account may do, credentials aside.
pub(crate) fn account_rights(
    reader: CoreReader<'_>,
    account: EntityRef,
) -> Result<Rights, IdentityError> {
    RoleRights::default().of_account(reader, account)
}

/// Whether an account is suspended, in whichever of the two ways.
pub fn is_suspended(reader: CoreReader<'_>, account: EntityRef) -> bool {
    reader.flag(account, SUSPENDED) || level_of(reader, account) == Some(PermissionLevel::Suspended)
}

/// What an account, service or group may do in a view, through whichever credential: suspension
/// is not looked at. `None` when none of this id lives there.
pub fn effective_rights(view: &View, id: ObjectId) -> Result<Option<Rights>, IdentityError> {
    let reader = CoreReader::new(view);
    let found = reader.by_id(id, &Kind::HOLDERS.map(Kind::type_name));
    found
        .map(|entity| account_rights(reader, entity))
        .transpose()
}

fn level_of(reader: CoreReader<'_>, account: EntityRef) -> Option<PermissionLevel> {
    PermissionLevel::named(&reader.text(account, PERMISSION_LEVEL)?)
}

fn level_rights(level: PermissionLevel) -> Rights {
    let known = LEVELS.iter().find(|(known, _)| *known == level);
    known.map_or(Rights::NONE, |(_, rights)| *rights)
}
