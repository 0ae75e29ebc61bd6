// SPDX-License-Identifier: Apache-2.0
//! What binds accounts, credentials, groups and roles to one another.

use durward_catalog::Kind;
use durward_catalog::kinds::verb::{ASSIGNED, HAS};
use durward_graph::{CoreReader, Direction, EntityRef};

use crate::credential::OWNS;

/// Kinds whose objects can own credentials.
const OWNERS: [Kind; 3] = [Kind::USER, Kind::SERVICE, Kind::NODE];

/// The account, service or node that owns a credential.
pub(crate) fn owner_of(reader: CoreReader<'_>, credential: EntityRef) -> Option<EntityRef> {
    let owners = OWNERS.into_iter().map(Kind::type_name);
    owners
        .flat_map(|owner| reader.ends(credential, OWNS, owner, Direction::In))
        .next()
}

/// The roles that an account or a group is assigned itself.
pub(crate) fn roles_of(reader: CoreReader<'_>, account: EntityRef) -> Vec<EntityRef> {
    reader.ends(account, ASSIGNED, Kind::ROLE.type_name(), Direction::Out)
}

/// The groups that an account is a member of.
pub(crate) fn groups_of(reader: CoreReader<'_>, account: EntityRef) -> Vec<EntityRef> {
    reader.ends(account, HAS, Kind::GROUP.type_name(), Direction::In)
}
