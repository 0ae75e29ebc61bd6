// SPDX-License-Identifier: Apache-2.0
//! Commands of several threads: none misses the rules or the resources of another.

use std::collections::BTreeSet;

use durward_graph::ObjectRef;

use super::{World, change, made};
use crate::kind::{ALLOWS, RESOURCE_TYPE};
use crate::{Kind, reader};

const ROUNDS: usize = 60;

#[test]
fn role_access_stays_in_step_under_concurrent_commands() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let by_type = |kind: &str| format!(r#"[{{"type":"{kind}"}}]"#);
    let role = [
        ("displayName", "all"),
        ("accessRules", &*by_type("postgres")),
    ];
    let role = made(&access, &admin, Kind::Role, &role);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (access, admin) = (access.clone(), admin.clone());
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let name = format!("r{thread}-{round}");
                    let kind = ["postgres", "redis"][round % 2];
                    let new = [("displayName", name.as_str()), ("kind", kind)];
                    let id = made(&access, &admin, Kind::Resource, &new);
                    if round % 5 == 0 {
                        access.delete(&admin, Kind::Resource, id).unwrap();
                    }
                }
            });
        }
        for round in 0..ROUNDS {
            let rules = by_type(["redis", "postgres"][round % 2]);
            let rules = change(&[("accessRules", &rules)]);
            access.update(&admin, Kind::Role, role, rules).unwrap();
        }
    });
    let view = access.view(None);
    let role = reader::entity(&view, role, &[Kind::Role]).unwrap();
    let linked = reader::links_out(&view, role, ALLOWS, RESOURCE_TYPE);
    let linked: BTreeSet<_> = linked.into_iter().map(|link| link.other).collect();
    let fitting = crate::access::living(&view, Kind::Resource)
        .into_iter()
        .filter_map(|object| match object {
            ObjectRef::Entity(entity) => Some(entity),
            ObjectRef::Edge(_) => None,
        })
        .filter(|entity| reader::text(&view, *entity, "kind") == "postgres");
    let fitting: BTreeSet<_> = fitting.collect();
    assert!(!fitting.is_empty());
    assert_eq!(linked, fitting);
}
