// SPDX-License-Identifier: Apache-2.0
//! Keys whose policy hides something: every way shows what they see of the answer, or refuses.

use durward_testkit::Client;
use serde_json::{Value as Json, json};

use crate::common::tokens::{key, policy};
use crate::common::{self, NATIVE, SONRAI, code, data, ok};
use crate::judge::Account;
use crate::organization::{Organization, bare};
use crate::reach::{EFFECTIVE, EXPLAIN, Moment, graph_of};
use crate::rights::{CREDENTIAL, cyral_token, texts};
use crate::strongdm::Sdk;

/// Code of gRPC for what is not there, or not to be seen.
const NOT_FOUND: u8 = 5;
/// Most values of one condition.
const VALUES_MAX: usize = 30;

/// A key that may read some objects of the graph. Its policy can give it nothing else, so it may
/// not ask who reaches what in any other way.
pub fn of_a_part(organization: &mut Organization, moments: &[Moment<'_>]) {
    let mut names = Vec::new();
    for moment in moments {
        let state = moment.state;
        names.extend(state.accounts.values().map(Account::shown));
        names.extend(state.groups.values().cloned());
        names.extend(state.roles.values().map(|role| role.name.clone()));
        names.extend(
            state
                .resources
                .values()
                .map(|resource| resource.name.clone()),
        );
    }
    names.sort();
    names.dedup();
    names.retain(|_| !organization.dice.once_in(4));
    let statements = names.chunks(VALUES_MAX).map(|names| {
        json!({"effect": "ALLOW", "actions": ["query:ReadGraphData"], "resources": ["*"],
            "condition": {"stringEquals": {"displayName": names}}})
    });
    let text = json!({"permissions": statements.collect::<Vec<_>>()}).to_string();
    let chief = common::jupiterone(&organization.server);
    let (_, secret) = key(&chief, "part", &text, None);
    let client = organization.server.anonymous().with_token(&secret);
    for moment in moments {
        graph_of(&client, *moment, &|name| {
            names.iter().any(|known| known == name)
        });
    }
    let account = organization.state.accounts.keys().next().unwrap();
    let resource = organization.state.resources.keys().next().unwrap();
    let asked = json!({"principal": account, "object": resource});
    let (id, name) = (administrator(organization), "of a part");
    let input = json!({"input": {"account": bare(&id), "kind": "strongdm_key", "name": name}});
    for (path, document, variables) in [
        (NATIVE, EFFECTIVE, &asked),
        (NATIVE, EXPLAIN, &asked),
        (NATIVE, CREDENTIAL, &input),
        (
            SONRAI,
            "{ SonraiRoles { items { expandedPermissions } } }",
            &json!({}),
        ),
    ] {
        let answer = client.graphql(path, document, variables).unwrap();
        assert!(!answer["errors"].is_null(), "{document}: {answer}");
        let told = answer["data"].as_object();
        let is_empty = told.is_none_or(|told| told.values().all(is_nothing));
        assert!(is_empty, "{document}: {answer}");
    }
    let answer = client.post("/v1/accessInfo", &json!({})).unwrap();
    assert_eq!(answer.status, 403, "{}", answer.body);
}

fn is_nothing(value: &Json) -> bool {
    value.is_null() || value["items"].as_array().is_some_and(Vec::is_empty)
}

/// The id of the administrator as StrongDM shows it.
fn administrator(organization: &Organization) -> String {
    let id = organization.server.credentials().json()["admin"]["id"].as_str();
    format!("a-{}", id.unwrap().replace('-', ""))
}

/// A credential that somebody makes for the account of the administrator.
fn made_by(maker: &Client, account: &str, kind: &str) -> (String, String) {
    let input = json!({"account": bare(account), "kind": kind, "name": kind});
    let made = data(maker, NATIVE, CREDENTIAL, &json!({ "input": input }));
    let made = &made["createCredential"];
    let part = |value: &Json| value.as_str().unwrap().to_owned();
    (part(&made["credential"]["publicId"]), part(&made["secret"]))
}

/// Repositories that the administrator reaches, by a client that somebody made.
fn repositories(organization: &Organization, maker: &Client) -> usize {
    let (id, secret) = made_by(maker, &administrator(organization), "cyral_client");
    let token = ok(cyral_token(&organization.server.anonymous(), &id, &secret));
    let token = token["access_token"].as_str().unwrap();
    let client = organization.server.anonymous().with_token(token);
    let answer = ok(client.post("/v1/accessInfo", &json!({})).unwrap());
    texts(&answer["results"], Some("repoID")).len()
}

/// A key that may do everything but read, and what it makes: they may ask, and see nothing, not
/// even what their own account reaches.
pub fn of_nothing(organization: &mut Organization) {
    let chief = administrator(organization);
    // No policy speaks of what has no tag and of whom no group or other role has.
    let resource = json!({"name": "own", "hostname": "db", "username": "u", "password": "p",
        "database": "d", "port": 5432});
    let resource = json!({ "postgres": resource });
    let resource = organization.sdk.made("Resources", "resource", &resource);
    let rules = json!([{"ids": [resource]}]).to_string();
    let role = json!({"name": "own", "access_rules": rules});
    let role = organization.sdk.made("Roles", "role", &role);
    let ends = json!({"account_id": chief, "role_id": role});
    organization
        .sdk
        .made("AccountAttachments", "account_attachment", &ends);
    let blind = json!({"permissions": [
        {"effect": "ALLOW", "actions": ["*"], "resources": ["*"]},
        {"effect": "DENY", "actions": ["query:ReadGraphData"], "resources": ["*"]},
    ]});
    let jupiterone = common::jupiterone(&organization.server);
    let (_, secret) = key(&jupiterone, "blind", &blind.to_string(), None);
    let blind = organization.server.anonymous().with_token(&secret);
    let (id, secret) = made_by(&blind, &chief, "strongdm_key");
    let mut sdk: Sdk = organization
        .sdk
        .with_key(&organization.server, &id, &secret);
    for service in [
        "AccountResources",
        "AccountResourcesHistory",
        "RoleResources",
        "RoleResourcesHistory",
        "AccountPermissions",
    ] {
        assert!(!organization.sdk.list(service, "").is_empty(), "{service}");
        assert_eq!(sdk.list(service, ""), Vec::<Json>::new(), "{service}");
    }
    for (service, field, id) in [
        ("Account", "account_id", &chief),
        ("Resource", "resource_id", &resource),
        ("Role", "role_id", &role),
    ] {
        let name = format!("Granted{service}Entitlements.List");
        let request = json!({ field: id });
        assert!(organization.sdk.ask(&name, &request).is_ok(), "{name}");
        sdk.refused(&name, &request, NOT_FOUND, "");
    }
    let asked = json!({"principal": bare(&chief), "object": bare(&resource)});
    for document in [EFFECTIVE, EXPLAIN] {
        data(&organization.chief, NATIVE, document, &asked);
        let answer = blind.graphql(NATIVE, document, &asked).unwrap();
        assert_eq!(code(&answer), "NOT_FOUND", "{answer}");
    }
    assert_eq!(repositories(organization, &organization.chief), 1);
    assert_eq!(repositories(organization, &blind), 0);
    // A key for reading alone is no better off.
    let reading = policy(&json!({"actions": ["query:ReadGraphData"]}));
    let (_, secret) = key(&jupiterone, "reading", &reading, None);
    let reading = organization.server.anonymous().with_token(&secret);
    for document in [EFFECTIVE, EXPLAIN] {
        let answer = reading.graphql(NATIVE, document, &asked).unwrap();
        assert_eq!(code(&answer), "FORBIDDEN", "{answer}");
    }
    for (service, id) in [("Roles", role), ("Resources", resource)] {
        let request = json!({ "id": id });
        organization.sdk.ok(&format!("{service}.Delete"), &request);
    }
}
