// SPDX-License-Identifier: Apache-2.0

use durward_model::{ObjectId, Value};
use durward_policy::{AccessPolicy, Object, Right};
use durward_query::RowCondition;

use super::*;
use crate::{CredentialFilter, CredentialKind, IdentityError, IssuedCredential, NewCredential};

fn api_key(caller: &Caller, policy: &str) -> Result<IssuedCredential, IdentityError> {
    let new = NewCredential {
        category: Some("tags".to_owned()),
        policy: Some(policy.to_owned()),
        ..NewCredential::own(caller, CredentialKind::JupiteroneApiKey, "key")?
    };
    caller.organization().create_credential(caller, new)
}

fn only(property: &str, value: &str) -> String {
    format!(
        r#"{{"permissions":[{{"effect":"ALLOW","actions":["query:ReadGraphData"],
        "resources":["*"],"condition":{{"stringEquals":{{"{property}":"{value}"}}}}}}]}}"#
    )
}

#[test]
fn an_api_key_does_what_its_policy_says() {
    let world = World::new();
    let organizations = world.open();
    let (admin, _) = world.admin(&organizations);
    let view = r#"{"permissions":[{"effect":"ALLOW","actions":["dashboard:View"],
        "resources":["dashboard:7"]}]}"#;
    let made = api_key(&admin, view).unwrap();
    assert_eq!(made.summary.category.as_deref(), Some("tags"));
    assert_eq!(made.summary.policy.as_deref(), Some(view));
    assert_eq!(made.summary.created_at, made.summary.created_at.max(START));
    let key = world.token(&organizations, made.secret.expose());
    let dashboard = |id| Object::Named {
        kind: "dashboard",
        id,
    };
    assert!(key.authorize(Right::VIEW_DASHBOARD, dashboard("7")).allowed);
    assert!(!key.authorize(Right::VIEW_DASHBOARD, dashboard("8")).allowed);
    assert!(Right::all().all(|right| !key.may(right)));
    assert_eq!(
        key.row_condition(),
        Some(&RowCondition::default()),
        "nothing is visible"
    );

    let made = api_key(&admin, &only("_type", "github_repo")).unwrap();
    let key = world.token(&organizations, made.secret.expose());
    let expected =
        RowCondition::any_of(vec![vec![("_type".to_owned(), Value::from("github_repo"))]]);
    assert_eq!(key.row_condition(), Some(&expected));
    assert!(key.may(Right::READ_GRAPH) && !key.may(Right::WRITE_GRAPH));

    let error = api_key(&admin, "{\"permissions\":[{\"effect\":\"allow\"}]}").unwrap_err();
    assert!(error.to_string().contains("line 1, column 34"), "{error}");
    assert!(!format!("{made:?}").contains(made.secret.expose().as_str()));
}

#[test]
fn revocation_acts_at_once_and_for_good() {
    let world = World::new();
    let organizations = world.open();
    let (admin, organization) = world.admin(&organizations);
    let made = api_key(&admin, AccessPolicy::ALLOW_ALL).unwrap();
    let token = made.secret.expose();
    assert!(world.try_token(&organizations, token).is_ok());
    world.pass(10);
    let revoked = organization
        .revoke_credential(&admin, made.summary.id)
        .unwrap();
    assert!(revoked.revoked);
    assert_eq!(revoked.revoked_at, Some(world.now()));
    assert_eq!(world.refusal(&organizations, token), "revoked");
    world.pass(10);
    let again = organization
        .revoke_credential(&admin, made.summary.id)
        .unwrap();
    assert_eq!(again.revoked_at, revoked.revoked_at);
    drop((admin, organization, organizations));
    assert_eq!(world.refusal(&world.open(), token), "revoked");
}

#[test]
fn expiry_is_checked_when_made_and_when_used() {
    let world = World::new();
    let organizations = world.open();
    let (admin, organization) = world.admin(&organizations);
    let create = |kind, seconds: Option<i64>| {
        let end = seconds.map(|seconds| world.now().plus_seconds(seconds));
        create_own(&admin, kind, "t", end)
    };
    assert!(create(CredentialKind::OpenctiToken, Some(0)).is_err());
    let short = create(CredentialKind::OpenctiToken, Some(5)).unwrap();
    let forever = create(CredentialKind::OpenctiToken, None).unwrap();
    let endless = create(CredentialKind::ApiToken, None).unwrap();
    for seconds in [None, Some(7_199), Some(2_592_001)] {
        let error = create(CredentialKind::SonraiToken, seconds)
            .unwrap_err()
            .to_string();
        assert!(error.contains("7200 to 2592000"), "{error}");
    }
    let lasting = |seconds: i64| {
        let new = NewCredential {
            life_seconds: Some(seconds),
            ..NewCredential::own(&admin, CredentialKind::SonraiToken, "t").unwrap()
        };
        organization.create_own_credential(&admin, new)
    };
    for seconds in [i64::MIN, 7_199, 2_592_001] {
        let refused = lasting(seconds);
        assert!(matches!(refused, Err(IdentityError::Input { .. })));
    }
    let sonrai = lasting(7_200).unwrap();
    let token = |made: &IssuedCredential| made.secret.expose().clone();
    assert!(world.try_token(&organizations, &token(&short)).is_ok());
    world.pass(5);
    assert_eq!(world.refusal(&organizations, &token(&short)), "expired");
    assert!(world.try_token(&organizations, &token(&sonrai)).is_ok());
    world.pass(40 * 365 * DAY_SECONDS);
    assert!(world.try_token(&organizations, &token(&forever)).is_ok());
    assert!(world.try_token(&organizations, &token(&endless)).is_ok());
    assert_eq!(world.refusal(&organizations, &token(&sonrai)), "expired");
}

#[test]
fn what_a_bounded_key_makes_is_bounded_too() {
    let world = World::new();
    let organizations = world.open();
    let (admin, _) = world.admin(&organizations);
    let no_sync = r#"{"permissions":[{"effect":"ALLOW","actions":["*"],"resources":["*"]},
        {"effect":"DENY","actions":["persister:Synchronize"],"resources":["*"]}]}"#;
    let parent = api_key(&admin, no_sync).unwrap();
    let parent = world.token(&organizations, parent.secret.expose());
    assert!(!parent.may(Right::SYNCHRONIZE) && parent.may(Right::MANAGE_CREDENTIALS));

    let child = api_key(&parent, AccessPolicy::ALLOW_ALL).unwrap();
    let child = world.token(&organizations, child.secret.expose());
    assert!(child.may(Right::WRITE_GRAPH) && !child.may(Right::SYNCHRONIZE));
    let kind = CredentialKind::OpenctiToken;
    let grandchild = create_own(&child, kind, "g", None).unwrap();
    let grandchild = world.token(&organizations, grandchild.secret.expose());
    assert!(grandchild.may(Right::WRITE_GRAPH) && !grandchild.may(Right::SYNCHRONIZE));

    let reader = api_key(&admin, &only("_type", "x")).unwrap();
    let reader = world.token(&organizations, reader.secret.expose());
    let error = api_key(&reader, AccessPolicy::ALLOW_ALL).unwrap_err();
    assert!(matches!(error, IdentityError::Forbidden { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("No statement of the policy allows"),
        "{error}"
    );
}

#[test]
fn lists_show_what_the_caller_may_see() {
    let world = World::new();
    let organizations = world.open();
    let (admin, organization) = world.admin(&organizations);
    let viewer = super::roles::add_account(&admin, "v@example.com", "Viewer");
    let viewer = super::roles::log_in(&world, &organizations, viewer);
    let made = api_key(&admin, AccessPolicy::ALLOW_ALL).unwrap();

    let list = |caller: &Caller, filter: &CredentialFilter| {
        organization.credentials(caller, filter).unwrap()
    };
    let all = CredentialFilter::default();
    assert_eq!(
        list(&admin, &all).len(),
        8,
        "six first ones, the viewer's and the key"
    );
    let own = list(&viewer, &all);
    assert_eq!(own.len(), 1);
    assert_eq!(own[0].account, viewer.account().unwrap());
    let kinds = vec![CredentialKind::JupiteroneApiKey];
    let keys = CredentialFilter {
        kinds,
        ..CredentialFilter::default()
    };
    assert_eq!(list(&admin, &keys).len(), 2);
    let named = CredentialFilter {
        search: "KEY".to_owned(),
        ..keys.clone()
    };
    assert_eq!(list(&admin, &named).len(), 2);
    let first = CredentialFilter {
        search: "first ".to_owned(),
        ..keys.clone()
    };
    assert_eq!(list(&admin, &first).len(), 1);
    let usable = CredentialFilter {
        usable_only: true,
        ..keys
    };
    organization
        .revoke_credential(&admin, made.summary.id)
        .unwrap();
    assert_eq!(list(&admin, &usable).len(), 1);

    for id in [made.summary.id, ObjectId(7)] {
        let hidden = organization.credential(&viewer, id).unwrap_err();
        assert!(matches!(hidden, IdentityError::NotFound { .. }), "{hidden}");
        let kept = organization.revoke_credential(&viewer, id).unwrap_err();
        assert!(matches!(kept, IdentityError::NotFound { .. }), "{kept}");
    }
    assert!(
        organization
            .revoke_credential(&viewer, own[0].id)
            .unwrap()
            .revoked
    );
}

#[test]
fn secrets_are_nowhere_in_the_clear() {
    let world = World::new();
    let organizations = world.open();
    let (_, organization) = world.admin(&organizations);
    let view = organization.store().view(None);
    let mut seen = Vec::new();
    for type_id in view.types() {
        for row in &view.live_rows(type_id) {
            let entity = durward_graph::EntityRef { type_id, row };
            seen.push(view.key(entity));
            for (property, value) in view.entity_properties(entity) {
                let name = view.property_name(property).to_owned();
                assert!(!["secretHash", "sealedSecret", "passwordHash"].contains(&name.as_str()));
                seen.push(format!("{value:?}"));
            }
        }
    }
    let output = &world.output;
    organizations.close().unwrap();
    let mut files = Vec::new();
    let mut folders = vec![world.data()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(std::fs::read(path).unwrap());
            }
        }
    }
    for secret in [
        &output.admin.password,
        &output.api_token,
        &output.strongdm.secret_key,
        &output.cyral.client_secret,
        &output.jupiterone.api_key,
        &output.opencti.token,
        &output.sonrai.token,
    ] {
        assert!(seen.iter().all(|text| !text.contains(secret.as_str())));
        let needle = secret.as_bytes();
        let found = |file: &Vec<u8>| file.windows(needle.len()).any(|window| window == needle);
        assert!(!files.iter().any(found));
    }
}
