// SPDX-License-Identifier: Apache-2.0
//! What binds accounts, credentials, groups and roles to one another.

use durward_graph::{CoreReader, Direction, EntityRef, Link};

use crate::accounts::{ACCOUNT_TYPE, ASSIGNED, GROUP_TYPE, HAS, ROLE_TYPE, SERVICE_TYPE};
use crate::credential::{NODE_TYPE, OWNS};

/// Types whose entities can own credentials.
const OWNER_TYPES: [&str; 3] = [ACCOUNT_TYPE, SERVICE_TYPE, NODE_TYPE];

/// The account, service or node that owns a credential.
pub(crate) fn owner_of(reader: CoreReader<'_>, credential: EntityRef) -> Option<EntityRef> {
    let owners = OWNER_TYPES.iter();
    owners
        .flat_map(|owner| reader.ends(credential, OWNS, owner, Direction::In))
        .next()
}

/// The roles that an account or a group is assigned itself.
pub(crate) fn roles_of(reader: CoreReader<'_>, account: EntityRef) -> Vec<EntityRef> {
    reader.ends(account, ASSIGNED, ROLE_TYPE, Direction::Out)
}

/// The groups that an account is a member of.
pub(crate) fn groups_of(reader: CoreReader<'_>, account: EntityRef) -> Vec<EntityRef> {
    reader.ends(account, HAS, GROUP_TYPE, Direction::In)
}

/// The assignments of an account: relationship and role.
pub(crate) fn assignments_of(reader: CoreReader<'_>, account: EntityRef) -> Vec<Link> {
    reader.links(account, ASSIGNED, ROLE_TYPE, Direction::Out)
}
