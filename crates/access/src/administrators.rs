// SPDX-License-Identifier: Apache-2.0
//! The last administrator stays: an organization without one could never make another.

use durward_catalog::Kind;
use durward_catalog::kinds::verb::{ASSIGNED, HAS};
use durward_graph::{CoreReader, Direction, EntityRef, Link, ObjectRef, View};
use durward_identity::is_suspended;
use durward_identity::roles::ADMINISTRATOR;

use crate::AccessError;
use durward_catalog::kinds::property::BUILT_IN;

/// Refuses when these accounts, groups and relationships are all that makes somebody an
/// administrator who is not suspended.
pub(crate) fn require_administrator_beside(
    view: &View,
    gone: &[ObjectRef],
) -> Result<(), AccessError> {
    if is_left(view, gone) || !is_left(view, &[]) {
        return Ok(());
    }
    let reason = "stays: the organization would have none";
    Err(AccessError::invalid("the last administrator", reason))
}

fn is_left(view: &View, gone: &[ObjectRef]) -> bool {
    let reader = CoreReader::new(view);
    let is_role = |role: &EntityRef| {
        reader.flag(*role, BUILT_IN)
            && reader.text(*role, "displayName").as_deref() == Some(ADMINISTRATOR)
    };
    let mut roles = reader
        .live(Kind::ROLE.type_name())
        .into_iter()
        .filter(is_role);
    roles.any(|role| {
        are_accounts_left(reader, role, ASSIGNED, Direction::In, gone)
            || left(
                reader,
                role,
                Kind::GROUP.type_name(),
                ASSIGNED,
                Direction::In,
                gone,
            )
            .any(|group| are_accounts_left(reader, group, HAS, Direction::Out, gone))
    })
}

fn are_accounts_left(
    reader: CoreReader<'_>,
    entity: EntityRef,
    verb: &str,
    direction: Direction,
    gone: &[ObjectRef],
) -> bool {
    Kind::ACCOUNTS.into_iter().any(|kind| {
        left(reader, entity, kind.type_name(), verb, direction, gone)
            .any(|account| !is_suspended(reader, account))
    })
}

/// The entities of a type that are still bound to another.
fn left<'l>(
    reader: CoreReader<'l>,
    entity: EntityRef,
    of_type: &str,
    verb: &str,
    direction: Direction,
    gone: &'l [ObjectRef],
) -> impl Iterator<Item = EntityRef> + use<'l> {
    let links = reader.links(entity, verb, of_type, direction).into_iter();
    let stays = |link: &Link| {
        !gone.contains(&ObjectRef::Edge(link.edge))
            && !gone.contains(&ObjectRef::Entity(link.other))
    };
    links.filter(stays).map(|link| link.other)
}
