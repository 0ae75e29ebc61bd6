// SPDX-License-Identifier: Apache-2.0
//! The routes of the Cyral dialect, which are read from its contract, and what they name.

use durward_dialect_cyral::Contract;
use durward_policy::Guard;
use durward_testkit::{Answer, Client, Server};
use serde_json::{Value, json};

use crate::common::ok;
use crate::world::{HIDDEN, MARK, World};

/// Objects of the first organization.
pub struct Ids {
    sidecar: String,
    listener: String,
    binding: String,
    repo: String,
    account: String,
    role: String,
    client: String,
}

/// The path with the ids that it asks for.
pub fn target(world: &World, path: &str) -> String {
    let ids = &world.ids.cyral;
    let id = match path {
        _ if path.contains("sidecars/{id}") => &ids.sidecar,
        _ if path.contains("/repos/{id}") => &ids.repo,
        _ if path.contains("/users/groups/{id}") => &ids.role,
        _ => return path.replace("{clientId}", &ids.client),
    };
    path.replace("{id}", id)
        .replace("{lid}", &ids.listener)
        .replace("{bid}", &ids.binding)
        .replace("{uid}", &ids.account)
}

/// Status and code of an error of this dialect; `None` when the answer is none.
pub fn word(answer: &Answer, json: &Value) -> Option<String> {
    let status = answer.status;
    if let Some(code) = json["code"].as_u64().filter(|_| json["details"].is_array()) {
        return Some(format!("{status} {code}"));
    }
    let code = json["error"].as_str()?;
    json["error_description"].as_str()?;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    Some(format!("{status} {code}"))
}

/// Makes a sidecar, a repository and a role, with everything that belongs to them.
pub fn fill(server: &Server) -> Ids {
    let chief = server.client();
    let name = format!("{MARK} {HIDDEN}");
    let post = |path: &str, body: Value, id: &str| {
        let made = ok(chief.post(path, &body).unwrap());
        made[id].as_str().unwrap().to_owned()
    };
    let sidecar = post("/v1/sidecars", json!({"name": name}), "id");
    let repo = json!({"name": name, "type": "postgresql", "repoHost": "db", "repoPort": 5432});
    let repo = post("/v1/repos", repo, "id");
    let of_sidecar = format!("/v1/sidecars/{sidecar}");
    let listener = json!({"repoTypes": ["postgresql"], "address": {"host": name, "port": 5432}});
    let listener = json!({"listenerConfig": listener});
    let listener = post(&format!("{of_sidecar}/listeners"), listener, "listenerId");
    let binding = json!({"repoId": repo, "listenerBindings": [{"listenerId": listener}]});
    let binding = post(
        &format!("{of_sidecar}/bindings"),
        json!({"binding": binding}),
        "bindingId",
    );
    let account = json!({"name": name, "authScheme": {"awsIAM": {"roleARN": name}}});
    let accounts = format!("/v1/repos/{repo}/userAccounts");
    let account = post(&accounts, account, "userAccountID");
    let role = post("/v1/users/groups", json!({"name": name}), "id");
    Ids {
        sidecar,
        listener,
        binding,
        repo,
        account,
        role,
        client: server.credentials().json()["cyral"]["client_id"]
            .as_str()
            .unwrap()
            .to_owned(),
    }
}

/// What callers could have changed.
pub fn state(chief: &Client, ids: &Ids) -> Value {
    let (sidecar, repo) = (&ids.sidecar, &ids.repo);
    let paths = [
        "/v1/sidecars".to_owned(),
        format!("/v1/sidecars/{sidecar}/listeners"),
        format!("/v1/sidecars/{sidecar}/bindings"),
        "/v1/repos".to_owned(),
        format!("/v1/repos/{repo}/datamap"),
        format!("/v1/repos/{repo}/userAccounts/{}", ids.account),
        "/v1/users/groups".to_owned(),
    ];
    paths.map(|path| ok(chief.get(&path).unwrap())).into()
}

/// For each permission, a client that has only that one gets as far as the contract says and no
/// farther.
pub fn permissions(world: &World) {
    let chief = world.server.client();
    let contract = Contract::built_in().unwrap();
    for permission in durward_dialect_cyral::permissions() {
        let new = json!({"displayName": permission, "roleIds": [permission]});
        let made = ok(chief.post("/v1/users/serviceAccounts", &new).unwrap());
        let part = |name: &str| made[name].as_str().unwrap();
        let token = token(world, part("clientId"), part("clientSecret"));
        let client = world.server.anonymous().with_token(&token);
        for route in contract.routes() {
            if route.is_grpc() || route.guard().unwrap() == Guard::Open {
                continue;
            }
            let needed = route.permissions().unwrap();
            // Ids that nothing has: what is let through finds nothing to change.
            let names = [
                "{id}",
                "{lid}",
                "{bid}",
                "{uid}",
                "{iid}",
                "{clientId}",
                "{alias}",
            ];
            let path = names.iter().fold(route.path.clone(), |path, name| {
                path.replace(name, "0123456789abcdef")
            });
            let body = (route.method != "GET").then_some(&b"{}"[..]);
            let answer = client.send(&route.method, &path, body).unwrap();
            let may = needed.is_none_or(|any| any.contains(&permission));
            assert_eq!(
                answer.status != 403,
                may,
                "{permission}: {} {path}: {} {}",
                route.method,
                answer.status,
                answer.body
            );
            assert!(
                answer.status < 500 || answer.status == 501,
                "{path}: {}",
                answer.body
            );
        }
    }
}

/// An access token of a client.
fn token(world: &World, id: &str, secret: &str) -> String {
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let path = "/v1/users/oidc/token";
    let answer = world
        .server
        .anonymous()
        .send("POST", path, Some(form.as_bytes()));
    let granted = ok(answer.unwrap());
    granted["access_token"].as_str().unwrap().to_owned()
}
