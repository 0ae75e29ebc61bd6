// SPDX-License-Identifier: Apache-2.0
//! Credentials that make credentials, in the dialects that have them; and what becomes of a
//! credential when its owner loses rights.

use durward_testkit::Client;
use serde_json::{Value as Json, json};

use crate::common::tokens::{allow_all, policy};
use crate::common::{self, JUPITERONE, NATIVE, SONRAI, assert_refused, code, ok};
use crate::world::{DENIED, Made, UNAUTHENTICATED, World};

const CLIENTS: &str = "/v1/users/serviceAccounts";
const KEY: &str = "mutation K($token: TokenInput!) { createToken(token: $token) { id token } }";

/// A person with a role of these permissions of Cyral's, and a client with all of them.
fn cyral_person(world: &mut World, name: &str, permissions: &[&str]) -> (String, Client) {
    let role = json!({"name": format!("role of {name}"), "roles": permissions});
    let role = ok(world.chief.post("/v1/users/groups", &role).unwrap());
    let role = format!("r-{}", role["id"].as_str().unwrap());
    let person = world.person(name, "user");
    let held = json!({"account_id": person, "role_id": role});
    world
        .sdk
        .made("AccountAttachments", "account_attachment", &held);
    let made = world.credential(&person, "cyral_client", None);
    let client = world.cyral(&made);
    (person, client)
}

/// Asserts a refusal in Cyral's form.
fn cyral_denied(answer: &durward_testkit::Answer) {
    assert_eq!(answer.status, 403, "{}", answer.body);
    let json = answer.json().unwrap();
    assert_eq!(json["code"], DENIED, "{json}");
    assert!(
        json["message"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
    assert_eq!(json["details"], json!([]), "{json}");
}

#[test]
fn cyral_gives_nobody_more_permissions() {
    let mut world = World::start();
    let strong = world.credential(&world.administrator(), "cyral_client", None);
    let roles = ok(world.chief.get("/v1/users/groups").unwrap());
    let administrator = roles["groups"].as_array().unwrap().iter();
    let mut administrator = administrator.filter(|role| role["name"] == "Administrator");
    let administrator = administrator.next().unwrap()["id"].clone();
    let strong_role = json!({"name": "strong", "roles": ["modify-policies"]});
    let strong_role = ok(world.chief.post("/v1/users/groups", &strong_role).unwrap());
    let strong_role = format!("/v1/users/groups/{}", strong_role["id"].as_str().unwrap());
    let held = ["modify-users", "modify-roles", "view-users", "view-roles"];
    let (_, weak) = cyral_person(&mut world, "helper", &held);
    let (_, viewer) = cyral_person(&mut world, "viewer", &["view-users", "view-roles"]);
    let own = json!({"displayName": "own", "roleIds": ["view-users"]});
    let own = ok(weak.post(CLIENTS, &own).unwrap());
    let own = format!("{CLIENTS}/{}", own["clientId"].as_str().unwrap());
    let narrow = json!({"displayName": "narrow", "roleIds": ["modify-users", "view-users"]});
    let narrow = ok(world.chief.post(CLIENTS, &narrow).unwrap());
    let part = |name: &str| narrow[name].as_str().unwrap().to_owned();
    let narrow = world.cyral(&Made {
        id: String::new(),
        public_id: part("clientId"),
        secret: part("clientSecret"),
    });
    let patch = |client: &Client, path: &str, body: &Json| {
        let body = body.to_string();
        client.send("PATCH", path, Some(body.as_bytes())).unwrap()
    };
    let put = |client: &Client, path: &str, body: &Json| {
        client
            .send("PUT", path, Some(body.to_string().as_bytes()))
            .unwrap()
    };
    let strong_path = format!("{CLIENTS}/{}", strong.public_id);
    world.without_trace(|_| {
        let more = |ids: &[&str]| json!({"displayName": "more", "roleIds": ids});
        cyral_denied(&weak.post(CLIENTS, &more(&["modify-policies"])).unwrap());
        cyral_denied(
            &weak
                .post(CLIENTS, &more(&["view-users", "repo-crawler"]))
                .unwrap(),
        );
        cyral_denied(&patch(&weak, &own, &more(&["modify-policies"])));
        let rotate = format!("{strong_path}/rotateSecret");
        cyral_denied(&weak.post(&rotate, &json!({})).unwrap());
        // Nor does a lesser client of the same account come to the secret.
        cyral_denied(&narrow.post(&rotate, &json!({})).unwrap());
        cyral_denied(&patch(&weak, &strong_path, &more(&["view-users"])));
        cyral_denied(&patch(&weak, &strong_path, &json!({"displayName": "mine"})));
        cyral_denied(&weak.send("DELETE", &strong_path, None).unwrap());
        let role = |ids: &[&str]| json!({"name": "more", "roles": ids});
        let groups = "/v1/users/groups";
        cyral_denied(&weak.post(groups, &role(&["modify-policies"])).unwrap());
        cyral_denied(&put(&weak, &strong_role, &role(&["view-users"])));
        cyral_denied(&put(&weak, &strong_role, &json!({"name": "mine"})));
        // Whoever maps a group to a role gives the role to it.
        let mapping = json!([{"groupName": "mine", "connectionAlias": "sso"}]);
        let mappings = |role: &str| format!("{role}/mappings");
        cyral_denied(&patch(&weak, &mappings(&strong_role), &mapping));
        cyral_denied(&weak.send("DELETE", &strong_role, None).unwrap());
        let built_in = format!("{groups}/{}", administrator.as_str().unwrap());
        cyral_denied(&patch(&weak, &mappings(&built_in), &mapping));
        let answer = put(&weak, &built_in, &role(&["view-users"]));
        assert!(matches!(answer.status, 400 | 403), "{}", answer.body);
        let answer = weak.send("DELETE", &built_in, None).unwrap();
        assert!(matches!(answer.status, 400 | 403), "{}", answer.body);
        // Whoever may only look gets nothing done.
        cyral_denied(&viewer.post(CLIENTS, &more(&["view-users"])).unwrap());
        cyral_denied(
            &viewer
                .post(&format!("{own}/rotateSecret"), &json!({}))
                .unwrap(),
        );
        cyral_denied(&viewer.send("DELETE", &own, None).unwrap());
        cyral_denied(&viewer.post(groups, &role(&["view-users"])).unwrap());
    });
}

#[test]
fn nobody_gets_a_credential_of_a_stronger_account() {
    let mut world = World::start();
    let administrator = world.administrator();
    let strong = world.credential(&administrator, "api_token", None);
    // May manage credentials, and nothing that an administrator may beside.
    let clerk = world.person("clerk", "user");
    let editor = world.role("Editor");
    let held = json!({"account_id": clerk, "role_id": editor});
    world
        .sdk
        .made("AccountAttachments", "account_attachment", &held);
    let narrow = world.credential(&administrator, "api_token", Some(&["credentials:manage"]));
    let narrow = world.server.anonymous().with_token(&narrow.secret);
    let clerk_client = world.bearer(&clerk, "api_token");
    world.without_trace(|_| {
        for kind in [
            "api_token",
            "jupiterone_api_key",
            "strongdm_key",
            "cyral_client",
            "sonrai_token",
        ] {
            for (maker, rights) in [
                (&clerk_client, None),
                (&clerk_client, Some(&["graph:read"][..])),
                (&narrow, Some(&["graph:write"][..])),
                (&narrow, Some(&["*"][..])),
            ] {
                let answer = World::credential_by(maker, &administrator, kind, rights);
                let answer = answer.unwrap_err();
                assert!(
                    matches!(code(&answer), "FORBIDDEN" | "BAD_USER_INPUT"),
                    "{answer}"
                );
            }
        }
        let refused = |client: &Client, path: &str, text: &str, variables: &Json| {
            let answer = client.graphql(path, text, variables).unwrap();
            assert_refused(&answer, "FORBIDDEN", "");
        };
        let revoke = "mutation R($id: ID!) { revokeCredential(id: $id) { id } }";
        let answer = clerk_client
            .graphql(NATIVE, revoke, &json!({"id": strong.id}))
            .unwrap();
        assert!(
            matches!(code(&answer), "NOT_FOUND" | "FORBIDDEN"),
            "{answer}"
        );
        let account = "mutation A($role: String!) {
            createAccount(input: {email: \"x@x.example\", role: $role}) { id } }";
        refused(
            &clerk_client,
            NATIVE,
            account,
            &json!({"role": "Administrator"}),
        );
        refused(&clerk_client, NATIVE, account, &json!({"role": "Viewer"}));
        let suspend = "mutation S($id: ID!) { suspendAccount(id: $id) { id } }";
        let resume = "mutation S($id: ID!) { resumeAccount(id: $id) { id } }";
        let id = json!({"id": administrator.trim_start_matches("a-")});
        refused(&clerk_client, NATIVE, suspend, &id);
        refused(&clerk_client, NATIVE, resume, &id);
        let key = json!({"token": {"name": "more", "policy": allow_all()}});
        refused(&clerk_client, JUPITERONE, KEY, &key);
    });
    // What the narrow token makes for its own account is as narrow.
    let made = World::credential_by(&narrow, &administrator, "api_token", None).unwrap();
    let client = world.server.anonymous().with_token(&made.secret);
    world.without_trace(|_| {
        let answer = common::query_answer(&client, "FIND *");
        assert_refused(&answer, "FORBIDDEN", "");
        let text = "{ accounts { nodes { id } } }";
        assert_refused(
            &client.graphql(NATIVE, text, &json!({})).unwrap(),
            "FORBIDDEN",
            "",
        );
    });
}

#[test]
fn a_key_does_no_more_than_its_maker() {
    let mut world = World::start();
    let administrator = world.administrator();
    let rights = ["graph:read", "credentials:manage", "credentials:manage-own"];
    let reader = world.credential(&administrator, "jupiterone_api_key", Some(&rights));
    let reader = world.server.anonymous().with_token(&reader.secret);
    let conditioned = json!({"actions": ["query:ReadGraphData"],
        "condition": {"stringEquals": {"team": "blue"}}});
    for text in [allow_all(), policy(&conditioned)] {
        let (_, key) = common::tokens::key(&reader, "wide", &text, None);
        let client = world.server.anonymous().with_token(&key);
        world.without_trace(|_| {
            let answer = common::create_answer(&client, "x", "plain", "User", &json!({}));
            assert_refused(&answer.unwrap(), "FORBIDDEN", "");
            let text = "{ accounts { nodes { id } } }";
            assert_refused(
                &client.graphql(NATIVE, text, &json!({})).unwrap(),
                "FORBIDDEN",
                "",
            );
            cyral_denied(&client.get("/v1/repos").unwrap());
        });
    }
    // What a policy denies a key, it denies those that the key makes.
    let denying = json!({"permissions": [
        {"effect": "ALLOW", "actions": ["*"], "resources": ["*"]},
        {"effect": "DENY", "actions": ["query:ReadGraphData"], "resources": ["*"]},
    ]});
    let (_, blind) = common::tokens::key(&world.chief, "blind", &denying.to_string(), None);
    let blind = world.server.anonymous().with_token(&blind);
    let (_, child) = common::tokens::key(&blind, "child", &allow_all(), None);
    let child = world.server.anonymous().with_token(&child);
    let made = World::credential_by(&blind, &administrator, "api_token", None).unwrap();
    let made = world.server.anonymous().with_token(&made.secret);
    for client in [&blind, &child, &made] {
        assert_refused(&common::query_answer(client, "FIND *"), "FORBIDDEN", "");
    }
    // A key that a row condition bounds makes no keys that see more.
    let blue = json!({"actions": ["*"], "condition": {"stringEquals": {"team": "blue"}}});
    let (_, blue) = common::tokens::key(&world.chief, "blue", &policy(&blue), None);
    let blue = world.server.anonymous().with_token(&blue);
    let chief = common::jupiterone(&world.server);
    for team in ["blue", "red"] {
        let properties = json!({"team": team, "displayName": team});
        common::create(&chief, team, "boat", "Host", &properties);
    }
    let seen = |client: &Client| common::rows(client, "FIND boat AS b RETURN b.team AS t");
    assert_eq!(seen(&blue), [json!({"t": "blue"})]);
    let answer = blue.graphql(
        JUPITERONE,
        KEY,
        &json!({"token": {"name": "w", "policy": allow_all()}}),
    );
    let answer = answer.unwrap();
    if let Some(key) = answer["data"]["createToken"]["token"].as_str() {
        let client = world.server.anonymous().with_token(key);
        assert_eq!(seen(&client), [json!({"t": "blue"})]);
    } else {
        assert_refused(&answer, "FORBIDDEN", "");
    }
}

#[test]
fn sonrai_tokens_give_no_more_and_end_no_others() {
    let mut world = World::start();
    let auditor = world.person("auditor", "user");
    let viewer = world.role("Viewer");
    let held = json!({"account_id": auditor, "role_id": viewer});
    world
        .sdk
        .made("AccountAttachments", "account_attachment", &held);
    let weak = world.bearer(&auditor, "sonrai_token");
    let administrator = world.administrator();
    world.credential(&administrator, "sonrai_token", None);
    let srns = "{ SonraiUserTokens { items { srn name } } }";
    let all = common::data(&world.server.client(), SONRAI, srns, &json!({}));
    let strong = all["SonraiUserTokens"]["items"].as_array().unwrap();
    let make = "mutation G($name: String!) { GenerateSonraiUserToken(
        input: {name: $name, expiresIn: 7200}) { token } }";
    let made = common::data(&weak, SONRAI, make, &json!({"name": "second"}));
    let token = made["GenerateSonraiUserToken"]["token"].as_str().unwrap();
    let second = world.server.anonymous().with_token(token);
    world.without_trace(|_| {
        let delete = "mutation D($srn: String!) { DeleteSonraiUserToken(input: {srn: $srn}) }";
        for row in strong {
            let variables = json!({"srn": row["srn"]});
            let answer = weak.graphql(SONRAI, delete, &variables).unwrap();
            let is_own = row["name"].as_str().unwrap().contains(&auditor);
            assert!(!is_own, "the administrator lists only its own: {row}");
            assert!(!answer["errors"].is_null(), "{answer}");
            // The same as for what is not there.
            let unknown = row["srn"].as_str().unwrap();
            let (start, _) = unknown.rsplit_once('/').unwrap_or((unknown, ""));
            let unknown = json!({"srn": format!("{start}/0123456789abcdef")});
            let absent = weak.graphql(SONRAI, delete, &unknown).unwrap();
            assert_eq!(code(&answer), code(&absent), "{answer} {absent}");
        }
        let text = "{ accounts { nodes { id } } }";
        for client in [&weak, &second] {
            let answer = client.graphql(NATIVE, text, &json!({})).unwrap();
            assert_refused(&answer, "FORBIDDEN", "");
            let answer = common::create_answer(client, "x", "plain", "User", &json!({}));
            assert_refused(&answer.unwrap(), "FORBIDDEN", "");
        }
    });
}

/// All that an account has, one of each kind.
fn all_kinds(world: &World, account: &str) -> Vec<(&'static str, Made)> {
    let kinds = [
        "api_token",
        "jupiterone_api_key",
        "opencti_token",
        "sonrai_token",
        "strongdm_key",
        "cyral_client",
    ];
    let made = |kind: &'static str| (kind, world.credential(account, kind, None));
    kinds.map(made).to_vec()
}

/// Whether a credential is let in, and may list resources.
fn may_list(world: &World, kind: &str, made: &Made) -> Option<bool> {
    match kind {
        "strongdm_key" => {
            let mut sdk = world
                .sdk
                .with_key(&world.server, &made.public_id, &made.secret);
            match sdk.ask("Resources.List", &json!({})) {
                Ok(_) => Some(true),
                Err(refusal) if refusal.code == DENIED => Some(false),
                Err(refusal) => {
                    assert_eq!(refusal.code, UNAUTHENTICATED, "{refusal:?}");
                    None
                }
            }
        }
        "cyral_client" => {
            let granted = world.token(&made.public_id, &made.secret);
            if granted.status != 200 {
                return None;
            }
            may_list_by(&world.cyral(made))
        }
        _ => may_list_by(&world.server.anonymous().with_token(&made.secret)),
    }
}

fn may_list_by(client: &Client) -> Option<bool> {
    let answer = client.get("/v1/repos").unwrap();
    match answer.status {
        200 => Some(true),
        403 => Some(false),
        401 => None,
        other => panic!("{other}: {}", answer.body),
    }
}

#[test]
fn what_the_owner_loses_its_credentials_lose() {
    let mut world = World::start();
    let person = world.person("person", "database-admin");
    let role = world.role("Administrator");
    let held = json!({"account_id": person, "role_id": role});
    let held = world
        .sdk
        .made("AccountAttachments", "account_attachment", &held);
    let all = all_kinds(&world, &person);
    let granted = world.cyral(
        &all.iter()
            .find(|(kind, _)| *kind == "cyral_client")
            .unwrap()
            .1,
    );
    let check = |world: &World, expected: Option<bool>| {
        for (kind, made) in &all {
            assert_eq!(may_list(world, kind, made), expected, "{kind}");
        }
        assert_eq!(may_list_by(&granted), expected, "a token granted before");
    };
    check(&world, Some(true));
    let update = |world: &mut World, level: &str| {
        let user = json!({"id": person, "email": "person@testbed.example",
            "first_name": "person", "last_name": "Tester", "permission_levelRW": level});
        let request = json!({"id": person, "account": {"user": user}});
        world.sdk.ok("Accounts.Update", &request);
    };
    update(&mut world, "user");
    check(&world, Some(true));
    world
        .sdk
        .ok("AccountAttachments.Delete", &json!({"id": held}));
    check(&world, Some(false));
    let again = json!({"account_id": person, "role_id": role});
    world
        .sdk
        .made("AccountAttachments", "account_attachment", &again);
    check(&world, Some(true));
    update(&mut world, "suspended");
    check(&world, None);
    let suspend = "mutation S($id: ID!) { suspendAccount(id: $id) { id } }";
    let resume = "mutation S($id: ID!) { resumeAccount(id: $id) { id } }";
    let id = json!({"id": person.trim_start_matches("a-")});
    update(&mut world, "database-admin");
    check(&world, Some(true));
    common::data(&world.chief, NATIVE, suspend, &id);
    check(&world, None);
    common::data(&world.chief, NATIVE, resume, &id);
    check(&world, Some(true));
    world.sdk.ok("Accounts.Delete", &json!({"id": person}));
    check(&world, None);
}
