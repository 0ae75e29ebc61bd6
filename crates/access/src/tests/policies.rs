// SPDX-License-Identifier: Apache-2.0
//! Policies take access away, at the instants at which they are there.

use durward_policy::Question;

use super::{AccessOf as _, World, bound, change, made};
use crate::Kind;
use crate::reader;

const FORBID: &str = r#"forbid (principal, action == StrongDM::Action::"connect", resource)
when { resource.getTag("env") == "prod" };"#;

#[test]
fn a_forbidding_policy_takes_away_what_a_role_gives() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let user = made(&access, &admin, Kind::USER, &[("email", "eve@example.com")]);
    let rules = r#"[{"type":"postgres"}]"#;
    let role = [("displayName", "all databases"), ("accessRules", rules)];
    let role = made(&access, &admin, Kind::ROLE, &role);
    bound(&access, &admin, Kind::ASSIGNMENT, user, role);
    for env in ["dev", "prod"] {
        let name = format!("orders-{env}");
        let new = [
            ("displayName", &*name),
            ("kind", "postgres"),
            ("tag.env", env),
        ];
        made(&access, &admin, Kind::RESOURCE, &new);
    }
    world.tick();
    let before = world.tick();
    let policy = [("displayName", "no prod"), ("policy", FORBID)];
    let policy = made(&access, &admin, Kind::POLICY, &policy);
    let after = world.tick();
    let allowed = |resource: &str, at| {
        let question = Question {
            principal: "Eve@example.com".to_owned(),
            action: "connect".to_owned(),
            object: resource.to_owned(),
        };
        let told = access.explain(&admin, &question, Some(at)).unwrap();
        assert!(!told.why.is_empty());
        assert_eq!(told.forbidden_by.len(), usize::from(!told.allowed));
        told.allowed
    };
    assert!(allowed("orders-dev", after) && allowed("orders-prod", before));
    assert!(!allowed("orders-prod", after));
    let slip = Question {
        principal: "eve@example.com".to_owned(),
        action: "conect".to_owned(),
        object: "orders-prod".to_owned(),
    };
    let refused = access.explain(&admin, &slip, None).unwrap_err();
    assert!(refused.to_string().contains("does not exist"), "{refused}");
    let (rows, _) = access
        .reach(&admin, "eve@example.com", None, 0, 10)
        .unwrap();
    let forbidden: Vec<_> = rows
        .iter()
        .filter(|row| row.forbidden)
        .map(|row| row.resource.name.as_str())
        .collect();
    assert_eq!(forbidden, ["orders-prod"]);
    let loosened = change(&[("policy", "")]);
    access
        .update(&admin, Kind::POLICY, policy, loosened)
        .unwrap();
    let loosened = world.tick();
    assert!(allowed("orders-prod", loosened) && !allowed("orders-prod", after));
    let wrong = change(&[("policy", "forbid (principal, action, resource")]);
    let refused = access
        .update(&admin, Kind::POLICY, policy, wrong)
        .unwrap_err();
    assert!(refused.to_string().contains("line 1"), "{refused}");
    let view = access.view(None);
    assert!(reader::entity(&view, policy, &[Kind::POLICY]).is_some());
}

/// Policies name accounts, groups, roles and resources by the ids that StrongDM's clients see.
#[test]
fn policies_name_objects_as_clients_see_them() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let user = made(&access, &admin, Kind::USER, &[("email", "eve@example.com")]);
    let group = made(&access, &admin, Kind::GROUP, &[("displayName", "team")]);
    bound(&access, &admin, Kind::GROUP_MEMBER, group, user);
    let role = [
        ("displayName", "all"),
        ("accessRules", r#"[{"type":"postgres"}]"#),
    ];
    let role = made(&access, &admin, Kind::ROLE, &role);
    bound(&access, &admin, Kind::GROUP_ROLE, group, role);
    let new = [("displayName", "orders"), ("kind", "postgres")];
    let resource = made(&access, &admin, Kind::RESOURCE, &new);
    let policy = [("displayName", "names"), ("policy", "")];
    let policy = made(&access, &admin, Kind::POLICY, &policy);
    let question = Question {
        principal: "eve@example.com".to_owned(),
        action: "connect".to_owned(),
        object: "orders".to_owned(),
    };
    for head in [
        format!(r#"principal == StrongDM::Account::"a-{user}", action, resource"#),
        format!(r#"principal in StrongDM::Group::"group-{group}", action, resource"#),
        format!(r#"principal in StrongDM::Role::"r-{role}", action, resource"#),
        format!(r#"principal, action, resource == StrongDM::Resource::"rs-{resource}""#),
    ] {
        let text = format!("forbid ({head});");
        let new = change(&[("policy", &*text)]);
        access.update(&admin, Kind::POLICY, policy, new).unwrap();
        let told = access.explain(&admin, &question, None).unwrap();
        assert!(!told.allowed && told.forbidden_by.len() == 1, "{head}");
    }
}

#[test]
fn built_in_actions_are_explained() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    made(&access, &admin, Kind::USER, &[("email", "max@example.com")]);
    let ask = |principal: &str, action: &str, object: &str| {
        let question = Question {
            principal: principal.to_owned(),
            action: action.to_owned(),
            object: object.to_owned(),
        };
        access.explain(&admin, &question, None)
    };
    let told = ask("max@example.com", "role:create", "organization").unwrap();
    assert!(!told.allowed && told.rights.iter().all(|right| !right.account));
    let told = ask("admin@example.com", "role:create", "organization").unwrap();
    assert!(told.allowed);
    for wrong in [
        ("nobody@example.com", "connect", "organization"),
        ("max@example.com", "fly", "organization"),
        ("max@example.com", "connect", "nowhere"),
        ("max@example.com", "", "nowhere"),
    ] {
        assert!(ask(wrong.0, wrong.1, wrong.2).is_err(), "{wrong:?}");
    }
}
