// SPDX-License-Identifier: Apache-2.0
//! Through StrongDM's interface: stronger accounts, stronger tokens, stronger roles.

use serde_json::{Value as Json, json};

use crate::strongdm::{Sdk, id_in};
use crate::world::{DENIED, INVALID, NOT_FOUND, World};

/// What a leader of teams may do without being an administrator, and more of the same.
const MANAGER: [&str; 12] = [
    "strongdm:user:create",
    "strongdm:user:update",
    "strongdm:user:delete",
    "strongdm:user:suspend",
    "strongdm:user:assign",
    "strongdm:user:list",
    "strongdm:user:set_password",
    "strongdm:user:set_strong_role",
    "strongdm:user:create_admin_token",
    "strongdm:group:write",
    "strongdm:accountgroup:write",
    "strongdm:grouprole:write",
];

/// Two who manage accounts: a person of that level, and an administrator's own key for it.
fn managers(world: &mut World) -> Vec<Sdk> {
    let leader = world.person("leader", "multi-team-leader");
    let keys = MANAGER.map(|right| right.trim_start_matches("strongdm:"));
    vec![world.sdk_of(&leader, None), world.narrow(&keys)]
}

fn denied(sdk: &mut Sdk, name: &str, request: &Json) {
    sdk.refused(name, request, DENIED, "");
}

#[test]
fn nobody_makes_an_account_stronger_than_oneself() {
    let mut world = World::start();
    let managers = managers(&mut world);
    world.without_trace(|_| {
        for mut sdk in managers {
            for level in ["admin", "root-admin", "auditor", "database-admin"] {
                let user = json!({"email": "new@testbed.example", "permission_levelRW": level});
                let user = json!({"account": {"user": user}});
                denied(&mut sdk, "Accounts.Create", &user);
            }
            let token = |keys: &[&str]| {
                json!({"account": {"token": {"name": "more", "permissions": keys}}})
            };
            denied(&mut sdk, "Accounts.Create", &token(&["policy:write"]));
            let mixed = token(&["user:list", "secretstore:create"]);
            denied(&mut sdk, "Accounts.Create", &mixed);
            sdk.refused("Accounts.Create", &token(&["god:mode"]), INVALID, "god:mode");
        }
    });
}

#[test]
fn nobody_takes_over_a_stronger_account() {
    let mut world = World::start();
    let mighty = world.person("mighty", "admin");
    world.credential(&mighty, "strongdm_key", None);
    let named = format!("name:\"strongdm_key of {mighty}\"");
    let token = id_in(&world.sdk.list("Accounts", &named)[0]);
    let managers = managers(&mut world);
    let administrator = world.administrator();
    world.without_trace(|_| {
        for (number, mut sdk) in managers.into_iter().enumerate() {
            let mut update = |id: &str, change: Json| {
                let mut user = json!({"id": id, "email": "mighty@testbed.example"});
                for (name, value) in change.as_object().unwrap() {
                    user[name] = value.clone();
                }
                let request = json!({"id": id, "account": {"user": user}});
                denied(&mut sdk, "Accounts.Update", &request);
            };
            for id in [&mighty, &administrator] {
                update(id, json!({"email": "thief@elsewhere.example"}));
                update(id, json!({"password": "a password of twenty"}));
            }
            update(&mighty, json!({"first_name": "Thief"}));
            update(&mighty, json!({"permission_levelRW": "user"}));
            update(&mighty, json!({"permission_levelRW": "suspended"}));
            denied(&mut sdk, "Accounts.Delete", &json!({"id": mighty}));
            if number == 0 {
                denied(&mut sdk, "Accounts.Delete", &json!({"id": administrator}));
            } else {
                let own = json!({"id": administrator});
                sdk.refused("Accounts.Delete", &own, INVALID, "itself");
            }
            denied(&mut sdk, "Accounts.Delete", &json!({"id": token}));
            let rename = json!({"token": {"id": token, "name": "renamed"}});
            let rename = json!({"id": token, "account": rename});
            denied(&mut sdk, "Accounts.Update", &rename);
        }
    });
}

#[test]
fn nobody_comes_to_a_stronger_role() {
    let mut world = World::start();
    let leader = world.person("leader", "multi-team-leader");
    let weak = world.person("weak", "user");
    let administrator_role = world.role("Administrator");
    let strong = json!({"name": "strong group"});
    let strong = world.sdk.made("Groups", "group", &strong);
    let empty = world
        .sdk
        .made("Groups", "group", &json!({"name": "empty group"}));
    let bond = json!({"group_id": strong, "role_id": administrator_role});
    let bond = world.sdk.made("GroupsRoles", "group_role", &bond);
    let member = json!({"group_id": strong, "account_id": world.person("member", "user")});
    let member = world.sdk.made("AccountsGroups", "account_group", &member);
    let attachments = world.sdk.list("AccountAttachments", "");
    let attachment = id_in(&attachments[0]);
    let mut own = world.sdk_of(&leader, None);
    world.without_trace(|_| {
        for account in [&leader, &weak] {
            let assignment = json!({"account_id": account, "role_id": administrator_role});
            let assignment = json!({"account_attachment": assignment});
            denied(&mut own, "AccountAttachments.Create", &assignment);
            let membership = json!({"account_group": {"account_id": account, "group_id": strong}});
            denied(&mut own, "AccountsGroups.Create", &membership);
        }
        let bound = json!({"group_id": empty, "role_id": administrator_role});
        denied(
            &mut own,
            "GroupsRoles.Create",
            &json!({"group_role": bound}),
        );
        denied(&mut own, "GroupsRoles.Delete", &json!({"id": bond}));
        denied(&mut own, "AccountsGroups.Delete", &json!({"id": member}));
        denied(
            &mut own,
            "AccountAttachments.Delete",
            &json!({"id": attachment}),
        );
        denied(&mut own, "Groups.Delete", &json!({"id": strong}));
        let role = json!({"id": administrator_role});
        own.refused("Roles.Delete", &role, INVALID, "built-in");
        let renamed = json!({"id": administrator_role, "name": "Nobody"});
        let renamed = json!({"id": administrator_role, "role": renamed});
        denied(&mut own, "Roles.Update", &renamed);
    });
    let gone = own.ok("Groups.Delete", &json!({"id": empty}));
    assert!(gone.is_object());
    let made = json!({"account_attachment": {"account_id": weak, "role_id": "r-0000000000000001"}});
    own.refused("AccountAttachments.Create", &made, NOT_FOUND, "role");
}

#[test]
fn the_last_administrator_stays() {
    let mut world = World::start();
    let administrator = world.administrator();
    let role = world.role("Administrator");
    let second = json!({"name": "second administrator"});
    let second = world
        .sdk
        .made("Accounts", "account", &json!({ "service": second }));
    let held = json!({"account_id": second, "role_id": role});
    let held = world
        .sdk
        .made("AccountAttachments", "account_attachment", &held);
    let mut sdk = world.sdk_of(&second, None);
    let by = |world: &mut World, account: &str| {
        let filter = format!("account_id:{account}");
        id_in(&world.sdk.list("AccountAttachments", &filter)[0])
    };
    let first = by(&mut world, &administrator);
    // One of two may go; the other stays, whoever asks and however.
    world
        .sdk
        .ok("AccountAttachments.Delete", &json!({"id": held}));
    denied(&mut sdk, "AccountAttachments.Delete", &json!({"id": first}));
    world.without_trace(|world| {
        let request = json!({"id": first});
        let last = "last administrator";
        world
            .sdk
            .refused("AccountAttachments.Delete", &request, INVALID, last);
    });
    let group = json!({"group": {"name": "administrators"}});
    let group = world.sdk.made("Groups", "group", &group["group"]);
    let member = json!({"account_id": second, "group_id": group});
    let member = world.sdk.made("AccountsGroups", "account_group", &member);
    let bond = json!({"group_id": group, "role_id": role});
    let bond = world.sdk.made("GroupsRoles", "group_role", &bond);
    world
        .sdk
        .ok("AccountAttachments.Delete", &json!({"id": first}));
    let last = "last administrator";
    for (name, id) in [
        ("AccountsGroups.Delete", &member),
        ("GroupsRoles.Delete", &bond),
        ("Groups.Delete", &group),
    ] {
        sdk.refused(name, &json!({"id": id}), INVALID, last);
    }
    for (service, count) in [("Groups", 1), ("GroupsRoles", 1), ("AccountsGroups", 1)] {
        assert_eq!(sdk.list(service, "").len(), count, "{service}");
    }
}
