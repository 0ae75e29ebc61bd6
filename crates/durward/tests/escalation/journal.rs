// SPDX-License-Identifier: Apache-2.0
//! Every operation of StrongDM's and Cyral's contracts that changes something leaves a record of
//! who did it, by which credential, from where and with what program.

use std::collections::BTreeSet;

use durward_dialect_strongdm::{Contract, Verb};
use durward_testkit::Client;
use serde_json::{Value as Json, json};

use crate::common::{NATIVE, data, ok};
use crate::strongdm::id_in;
use crate::world::World;

/// Methods of StrongDM that are neither made, changed nor ended by, whatever their name.
const READING: [&str; 2] = ["Resources.EnumerateTags", "Resources.Healthcheck"];
/// Routes of Cyral that are asked by POST and change nothing in the graph.
const ASKING: [&str; 3] = [
    "POST /v1/accessInfo",
    "POST /v1/sidecars/{id}/composedBindings/filter",
    "POST /v1/users/oidc/token",
];
/// What is not built answers this.
const UNIMPLEMENTED: u8 = 12;

/// Asserts that the newest transaction is a change by the administrator, with this program.
fn recorded(world: &World, since: i64, what: &str, program: &str) {
    let administrator = data(
        &world.chief,
        NATIVE,
        "{ accounts { nodes { id } } }",
        &json!({}),
    );
    let administrator = &administrator["accounts"]["nodes"][0]["id"];
    let all = world.audit();
    let is_change = |record: &&Json| {
        record["sequence"].as_i64() > Some(since) && record["activity"] != "credential used"
    };
    let records: Vec<&Json> = all.iter().filter(is_change).collect();
    assert_eq!(records.len(), 1, "{what}: {records:?}");
    let record = records[0];
    assert!(record["changeCount"].as_i64() > Some(0), "{what}: {record}");
    assert_eq!(&record["actorId"], administrator, "{what}: {record}");
    assert!(record["credential"].is_string(), "{what}: {record}");
    assert_eq!(record["sourceAddress"], "127.0.0.1", "{what}: {record}");
    assert_eq!(record["userAgent"], program, "{what}: {record}");
}

/// A change of each noun: service, noun, how it is made, and what an update says.
fn nouns() -> Vec<(&'static str, &'static str, Json, Json)> {
    let postgres = |host: &str| {
        json!({"postgres": {"name": "ledger", "hostname": host, "username": "u",
            "password": "p", "database": "d", "port": 5432}})
    };
    let person = |name: &str| json!({"user": {"email": "a@testbed.example", "first_name": name, "last_name": "B"}});
    let text = "permit(principal, action, resource);";
    let policy = |about: &str| json!({"name": "all", "description": about, "policy": text});
    let relay = |name: &str| json!({"relay": {"name": name}});
    vec![
        ("Accounts", "account", person("A"), person("B")),
        (
            "Groups",
            "group",
            json!({"name": "g"}),
            json!({"name": "h"}),
        ),
        ("Roles", "role", json!({"name": "r"}), json!({"name": "s"})),
        ("Resources", "resource", postgres("one"), postgres("two")),
        ("Nodes", "node", relay("one"), relay("two")),
        ("Policies", "policy", policy("one"), policy("two")),
        // There is no changing of these.
        (
            "PeeringGroups",
            "peering_group",
            json!({"name": "p"}),
            Json::Null,
        ),
        (
            "PeeringGroups",
            "peering_group",
            json!({"name": "q"}),
            Json::Null,
        ),
        (
            "IdentitySets",
            "identity_set",
            json!({"name": "i"}),
            json!({"name": "j"}),
        ),
    ]
}

/// What binds the objects of [`nouns`], by their ids: service, noun and a new one.
fn bindings(ids: &[String]) -> Vec<(&'static str, &'static str, Json)> {
    let [account, group, role, resource, node, _, peering, peer, set] = ids else {
        unreachable!()
    };
    let of = |pairs: &[(&str, &str)]| -> Json {
        let pairs = pairs.iter();
        Json::Object(
            pairs
                .map(|(name, text)| ((*name).to_owned(), json!(text)))
                .collect(),
        )
    };
    vec![
        (
            "AccountsGroups",
            "account_group",
            of(&[("account_id", account), ("group_id", group)]),
        ),
        (
            "GroupsRoles",
            "group_role",
            of(&[("group_id", group), ("role_id", role)]),
        ),
        (
            "AccountAttachments",
            "account_attachment",
            of(&[("account_id", account), ("role_id", role)]),
        ),
        (
            "AccountGrants",
            "account_grant",
            of(&[("account_id", account), ("resource_id", resource)]),
        ),
        (
            "PeeringGroupNodes",
            "peering_group_node",
            of(&[("group_id", peering), ("node_id", node)]),
        ),
        (
            "PeeringGroupResources",
            "peering_group_resource",
            of(&[("group_id", peering), ("resource_id", resource)]),
        ),
        (
            "PeeringGroupPeers",
            "peering_group_peer",
            of(&[("group_id", peering), ("peers_with_group_id", peer)]),
        ),
        (
            "IdentityAliases",
            "identity_alias",
            of(&[
                ("account_id", account),
                ("identity_set_id", set),
                ("username", "u"),
            ]),
        ),
        (
            "RemoteIdentities",
            "remote_identity",
            of(&[
                ("account_id", account),
                ("remote_identity_group_id", set),
                ("username", "u"),
            ]),
        ),
    ]
}

/// Writes an id into an object, or into the only kind that it is.
fn with_id(mut object: Json, id: &str) -> Json {
    let fields = object.as_object_mut().unwrap();
    let inner = fields.values_mut().next().unwrap();
    match inner.as_object_mut() {
        Some(inner) => inner.insert("id".to_owned(), json!(id)),
        None => fields.insert("id".to_owned(), json!(id)),
    };
    object
}

#[test]
fn every_change_by_strongdm_is_recorded() {
    let mut world = World::start();
    let mut done = BTreeSet::new();
    let mut call = |world: &mut World, name: String, request: Json| {
        let since = world.newest();
        let answer = world.sdk.ok(&name, &request);
        recorded(world, since, &name, "wire-test/1");
        done.insert(name);
        answer
    };
    let mut ids = Vec::new();
    for (service, noun, new, changed) in nouns() {
        let made = call(
            &mut world,
            format!("{service}.Create"),
            json!({ noun: new }),
        );
        let id = id_in(&made[noun]);
        if !changed.is_null() {
            let update = json!({"id": id, noun: with_id(changed, &id)});
            call(&mut world, format!("{service}.Update"), update);
        }
        ids.push(id);
    }
    let resource = ids[3].clone();
    for (service, noun, new) in bindings(&ids) {
        let made = call(
            &mut world,
            format!("{service}.Create"),
            json!({ noun: new.clone() }),
        );
        let id = id_in(&made[noun]);
        if new.get("username").is_some() {
            let mut changed = with_id(new, &id);
            changed["username"] = json!("changed");
            let update = json!({"id": id, noun: changed});
            call(&mut world, format!("{service}.Update"), update);
        }
        call(&mut world, format!("{service}.Delete"), json!({"id": id}));
    }
    let token = json!({"account": {"token": {"name": "t", "permissions": ["user:list"]}}});
    let token = call(&mut world, "Accounts.Create".to_owned(), token);
    let id = id_in(&token["account"]);
    let renamed = json!({"token": {"id": id, "name": "u", "permissions": ["user:list"]}});
    let renamed = json!({"id": id, "account": renamed});
    call(&mut world, "Accounts.Update".to_owned(), renamed);
    call(&mut world, "Accounts.Delete".to_owned(), json!({"id": id}));
    for ((service, ..), id) in nouns().iter().zip(&ids) {
        call(&mut world, format!("{service}.Delete"), json!({"id": id}));
    }
    // Whatever else of the contract changes something is not built.
    let contract = Contract::load().unwrap();
    for method in contract.methods() {
        let name = method.signed_name.as_str();
        let is_reading = matches!(method.verb, Verb::Get | Verb::List) || READING.contains(&name);
        if is_reading || done.contains(name) {
            continue;
        }
        world
            .sdk
            .refused(name, &json!({}), UNIMPLEMENTED, "not supported");
    }
    for name in READING {
        let since = world.newest();
        let _ = world
            .sdk
            .ask(name, &json!({"id": resource}).pick(&contract, name));
        assert_eq!(world.newest(), since, "{name}");
    }
}

trait Pick {
    fn pick(self, contract: &Contract, name: &str) -> Json;
}

impl Pick for Json {
    /// Only the fields that the request of a method has.
    fn pick(mut self, contract: &Contract, name: &str) -> Json {
        let path = format!("/v1.{}", name.replace('.', "/"));
        let input = &contract.method(&path).unwrap().input;
        let fields = self.as_object_mut().unwrap();
        fields.retain(|field, _| input.get_field_by_name(field).is_some());
        self
    }
}

/// Asks Cyral's routes and looks at what each leaves.
struct Routes<'w> {
    world: &'w World,
    client: Client,
    done: BTreeSet<String>,
}

impl Routes<'_> {
    /// A call of a route, whose path has the ids in place of `{…}`.
    fn call(&mut self, method: &str, route: &str, ids: &[&str], body: Json) -> Json {
        let mut path = String::new();
        let mut ids = ids.iter();
        for part in route.split('/').skip(1) {
            let is_id = part.starts_with('{');
            path.push('/');
            path.push_str(if is_id { ids.next().unwrap() } else { part });
        }
        let since = self.world.newest();
        let text = body.to_string();
        let sent = (!body.is_null()).then_some(text.as_bytes());
        let answer = self.client.send(method, &path, sent).unwrap();
        let what = format!("{method} {route}");
        assert_eq!(answer.status, 200, "{what}: {}", answer.body);
        recorded(self.world, since, &what, "cyral-test/1");
        self.done.insert(what);
        answer.json().unwrap_or_default()
    }

    fn id(&mut self, route: &str, ids: &[&str], body: Json, field: &str) -> String {
        let made = self.call("POST", route, ids, body);
        made[field]
            .as_str()
            .unwrap_or_else(|| panic!("{route}: {made}"))
            .to_owned()
    }

    fn sidecar(&mut self, repo: &str) {
        let one = "/v1/sidecars/{id}";
        let sidecar = self.id("/v1/sidecars", &[], json!({"name": "side"}), "id");
        let id = sidecar.as_str();
        self.call("PUT", one, &[id], json!({"name": "car"}));
        let listeners = format!("{one}/listeners");
        let listener = |port: u16| {
            let address = json!({"host": "0.0.0.0", "port": port});
            json!({"listenerConfig": {"repoTypes": ["postgresql"], "address": address}})
        };
        let listener_id = self.id(&listeners, &[id], listener(5432), "listenerId");
        let of_listener = format!("{listeners}/{{lid}}");
        self.call("PUT", &of_listener, &[id, &listener_id], listener(5433));
        let bindings = format!("{one}/bindings");
        let bound = |enabled: bool| {
            let listeners = json!([{ "listenerId": listener_id }]);
            json!({"binding": {"repoId": repo, "enabled": enabled, "listenerBindings": listeners}})
        };
        let binding = self.id(&bindings, &[id], bound(true), "bindingId");
        let of_binding = format!("{bindings}/{{bid}}");
        self.call("PUT", &of_binding, &[id, &binding], bound(false));
        let gateway = "/v1/repos/{id}/accessGateway";
        let named = json!({"sidecarId": id, "bindingId": binding});
        self.call("PUT", gateway, &[repo], json!({ "accessGateway": named }));
        self.call("DELETE", gateway, &[repo], Json::Null);
        self.call("DELETE", &of_binding, &[id, &binding], Json::Null);
        self.call("DELETE", &of_listener, &[id, &listener_id], Json::Null);
        let accounts = "/v1/users/sidecarAccounts";
        let account = self.id(accounts, &[], json!({ "sidecarId": id }), "clientId");
        let of_account = format!("{accounts}/{{clientId}}");
        self.call("DELETE", &of_account, &[&account], Json::Null);
        self.call("DELETE", one, &[id], Json::Null);
    }

    fn repo_parts(&mut self, repo: &str) {
        let of = |part: &str| format!("/v1/repos/{{id}}/{part}");
        let authentication =
            |tls: &str| json!({"clientTLS": tls, "repoTLS": tls, "allowNativeAuth": true});
        self.call("POST", &of("conf/auth"), &[repo], authentication("enable"));
        self.call("PUT", &of("conf/auth"), &[repo], authentication("disable"));
        self.call("DELETE", &of("conf/auth"), &[repo], Json::Null);
        let analysis = |redact: &str| json!({ "redact": redact });
        self.call("POST", &of("conf/analysis"), &[repo], analysis("all"));
        self.call("PUT", &of("conf/analysis"), &[repo], analysis("none"));
        self.call("DELETE", &of("conf/analysis"), &[repo], Json::Null);
        let network = |enabled: bool| json!({"enabled": enabled});
        let oracle = json!({"name": "o", "type": "oracle", "repoHost": "h", "repoPort": 1521});
        let oracle = self.id("/v1/repos", &[], oracle, "id");
        self.call(
            "POST",
            &of("networkAccessPolicy"),
            &[&oracle],
            network(true),
        );
        self.call(
            "PUT",
            &of("networkAccessPolicy"),
            &[&oracle],
            network(false),
        );
        self.call("DELETE", &of("networkAccessPolicy"), &[&oracle], Json::Null);
        let label = json!({"dataMap": {"labels": {"CCN": {"attributes": ["a.b.c"]}}}});
        self.call("PUT", &of("datamap"), &[repo], label);
        self.call("DELETE", &of("datamap"), &[repo], Json::Null);
        let account =
            |role: &str| json!({"name": "reader", "authScheme": {"awsIAM": {"roleARN": role}}});
        let accounts = of("userAccounts");
        let uid = self.id(&accounts, &[repo], account("one"), "userAccountID");
        let of_account = format!("{accounts}/{{uid}}");
        self.call("PUT", &of_account, &[repo, &uid], account("two"));
        let rules = format!("{of_account}/accessRules");
        let rule = json!({"accessRules": [{"identity": {"type": "group", "name": "g"}}]});
        self.call("PUT", &rules, &[repo, &uid], rule);
        self.call("DELETE", &rules, &[repo, &uid], Json::Null);
        self.call("DELETE", &of_account, &[repo, &uid], Json::Null);
    }

    fn people(&mut self) {
        let groups = "/v1/users/groups";
        let role = self.id(groups, &[], json!({"name": "role"}), "id");
        let one = "/v1/users/groups/{id}";
        self.call("PUT", one, &[&role], json!({"name": "other"}));
        let mapping = json!([{"groupName": "g", "connectionAlias": "c"}]);
        let of_role = "/v1/users/groups/{id}/mappings";
        let mapped = self.call("PATCH", of_role, &[&role], mapping);
        let mapped = mapped["mappings"][0]["id"].clone();
        self.call("DELETE", of_role, &[&role], json!([mapped]));
        self.call("DELETE", one, &[&role], Json::Null);
        let clients = "/v1/users/serviceAccounts";
        let new = json!({"displayName": "robot", "roleIds": ["view-users"]});
        let client = self.id(clients, &[], new, "clientId");
        let one = "/v1/users/serviceAccounts/{clientId}";
        self.call("PATCH", one, &[&client], json!({"displayName": "android"}));
        let rotate = format!("{one}/rotateSecret");
        self.call("POST", &rotate, &[&client], json!({}));
        self.call("DELETE", one, &[&client], Json::Null);
    }
}

#[test]
fn every_change_by_cyral_is_recorded() {
    let world = World::start();
    let client = world.server.anonymous();
    let token = world.server.credentials().api_token();
    let client = client
        .with_token(token)
        .with_header("user-agent", "cyral-test/1");
    let mut routes = Routes {
        world: &world,
        client: client.clone(),
        done: BTreeSet::new(),
    };
    let repo = |host: &str| json!({"name": "ledger", "type": "postgresql", "repoHost": host, "repoPort": 5432});
    let id = routes.id("/v1/repos", &[], repo("one"), "id");
    routes.call("PUT", "/v1/repos/{id}", &[&id], repo("two"));
    routes.repo_parts(&id);
    routes.sidecar(&id);
    routes.call("DELETE", "/v1/repos/{id}", &[&id], Json::Null);
    routes.people();
    let done = routes.done;
    let contract = durward_dialect_cyral::Contract::built_in().unwrap();
    let mut missing = Vec::new();
    for route in contract.routes() {
        let what = format!("{} {}", route.method, route.path);
        let is_asking = route.method == "GET" || ASKING.contains(&what.as_str());
        if route.is_grpc() || is_asking || done.contains(&what) {
            continue;
        }
        let mut path = String::new();
        for part in route.path.split('/').skip(1) {
            path.push('/');
            path.push_str(if part.starts_with('{') {
                "0123456789abcdef"
            } else {
                part
            });
        }
        let answer = client.send(&route.method, &path, Some(b"{}")).unwrap();
        if answer.status != 501 {
            missing.push(format!("{what}: {} {}", answer.status, answer.body));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert_eq!(ok(world.chief.get("/audit/verify").unwrap())["sound"], true);
}
