// SPDX-License-Identifier: Apache-2.0
//! Time goes by between what was allowed and what is done: credentials that made others, addresses
//! that were given out, two who end each other, refusals without end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use durward_testkit::Client;
use serde_json::{Value as Json, json};

use crate::common::{self, JOBS, JUPITERONE, NATIVE, assert_refused, data, ok, start_job};
use crate::world::World;

const OWN: &str = "mutation T($end: DateTime) { createApiToken(input: {name: \"own\",
    expiresAt: $end}) { secret credential { id madeBy } } }";
const REVOKE: &str = "mutation R($id: ID!, $all: Boolean!) {
    revokeCredential(id: $id, withDescendants: $all) { id revokedAt } }";

/// A token that another makes for itself: a client, its id, and its maker as it is shown.
fn child(world: &World, maker: &Client) -> (Client, String, Json) {
    let made = data(maker, NATIVE, OWN, &json!({}));
    let made = &made["createApiToken"];
    let client = world.server.anonymous();
    let client = client.with_token(made["secret"].as_str().unwrap());
    let id = made["credential"]["id"].as_str().unwrap().to_owned();
    (client, id, made["credential"]["madeBy"].clone())
}

fn is_let_in(client: &Client) -> bool {
    let answer = client.graphql(NATIVE, "{ caller { id } }", &json!({}));
    answer.unwrap()["errors"].is_null()
}

#[test]
fn what_a_credential_made_can_end_with_it() {
    let world = World::start();
    let made = world.credential(&world.administrator(), "api_token", None);
    let first = world.server.anonymous().with_token(&made.secret);
    let (second, second_id, maker) = child(&world, &first);
    assert_eq!(maker, json!(made.id));
    let (third, _, maker) = child(&world, &second);
    assert_eq!(maker, json!(second_id));
    let (other, _, _) = child(&world, &world.chief);
    let list = "{ credentials(own: true, first: 100) { nodes { id madeBy } } }";
    let listed = data(&world.chief, NATIVE, list, &json!({}));
    let nodes = listed["credentials"]["nodes"].as_array().unwrap();
    let of_first = nodes.iter().filter(|node| node["madeBy"] == json!(made.id));
    assert_eq!(of_first.count(), 1, "{listed}");
    // By itself, the middle one ends alone; what it made is still found by its maker.
    let middle = json!({"id": second_id, "all": false});
    data(&world.chief, NATIVE, REVOKE, &middle);
    assert!(is_let_in(&first) && !is_let_in(&second) && is_let_in(&third));
    let all = json!({"id": made.id, "all": true});
    data(&world.chief, NATIVE, REVOKE, &all);
    assert!(!is_let_in(&first) && !is_let_in(&third));
    assert!(is_let_in(&other) && is_let_in(&world.chief));
}

#[test]
fn a_temporary_credential_makes_none_that_outlives_it() {
    let world = World::start();
    let make = "mutation C($input: CreateCredentialInput!) {
        createCredential(input: $input) { secret } }";
    let administrator = world.administrator();
    let input = |minutes: u64, kind: &str| {
        json!({"input": {"account": administrator.trim_start_matches("a-"), "kind": kind,
            "name": "short", "expiresAt": common::in_seconds(minutes * 60)}})
    };
    let made = data(&world.chief, NATIVE, make, &input(30, "api_token"));
    let secret = made["createCredential"]["secret"].as_str().unwrap();
    let short = world.server.anonymous().with_token(secret);
    for wish in [json!({}), json!({"end": common::in_seconds(3600)})] {
        let answer = short.graphql(NATIVE, OWN, &wish).unwrap();
        assert_refused(&answer, "FORBIDDEN", "outlives");
    }
    let answer = short.graphql(NATIVE, make, &input(7200, "sonrai_token"));
    assert_refused(&answer.unwrap(), "FORBIDDEN", "outlives");
    data(
        &short,
        NATIVE,
        OWN,
        &json!({"end": common::in_seconds(600)}),
    );
    // Tokens that were granted are temporary, whatever the client is.
    let client = world.credential(&administrator, "cyral_client", None);
    let granted = world.cyral(&client);
    let answer = granted.graphql(NATIVE, OWN, &json!({})).unwrap();
    assert_refused(&answer, "FORBIDDEN", "outlives");
    // An hour and more is not.
    let made = data(&world.chief, NATIVE, make, &input(90, "api_token"));
    let secret = made["createCredential"]["secret"].as_str().unwrap();
    let long = world.server.anonymous().with_token(secret);
    data(&long, NATIVE, OWN, &json!({}));
}

/// A person who may read and write the graph, and a token of it.
fn editor(world: &mut World, name: &str) -> (String, Client, String) {
    let person = world.person(name, "user");
    let role = world.role("Editor");
    let held = json!({"account_id": person, "role_id": role});
    world
        .sdk
        .made("AccountAttachments", "account_attachment", &held);
    let made = world.credential(&person, "api_token", None);
    let client = world.server.anonymous().with_token(&made.secret);
    (person, client, made.id)
}

/// The path of an address that was given out.
fn path_of(world: &World, url: &Json) -> String {
    let url = url.as_str().unwrap();
    let path = url.strip_prefix(world.server.url());
    path.unwrap_or_else(|| panic!("{url} is elsewhere"))
        .to_owned()
}

#[test]
fn addresses_end_with_the_credential_that_asked_for_them() {
    let mut world = World::start();
    let query = "{ queryV1(query: \"FIND *\", deferredResponse: FORCE) { url } }";
    for ending in ["revoke", "suspend", "role"] {
        let (person, client, id) = editor(&mut world, ending);
        let answer = data(&client, JUPITERONE, query, &json!({}));
        let result = path_of(&world, &answer["queryV1"]["url"]);
        let job = start_job(&client, ending, "PATCH");
        let answer = common::job_call(&client, &job, "uploadUrl", &json!({}));
        let upload = path_of(&world, &answer["uploadUrl"]);
        let anonymous = world.server.anonymous();
        assert_eq!(anonymous.get(&result).unwrap().status, 200, "{ending}");
        match ending {
            "revoke" => {
                let revoke = json!({"id": id, "all": false});
                data(&world.chief, NATIVE, REVOKE, &revoke);
            }
            "suspend" => {
                let suspend = "mutation S($id: ID!) { suspendAccount(id: $id) { id } }";
                let id = json!({"id": person.trim_start_matches("a-")});
                data(&world.chief, NATIVE, suspend, &id);
            }
            _ => {
                let held = world
                    .sdk
                    .list("AccountAttachments", &format!("account_id:{person}"));
                let held = json!({"id": crate::strongdm::id_in(&held[0])});
                world.sdk.ok("AccountAttachments.Delete", &held);
            }
        }
        assert_eq!(anonymous.get(&result).unwrap().status, 404, "{ending}");
        let body = json!({"entities": []}).to_string();
        let anonymous = anonymous.with_header("content-type", "application/json");
        let put = anonymous
            .send("PUT", &upload, Some(body.as_bytes()))
            .unwrap();
        assert!(matches!(put.status, 400..=404), "{ending}: {}", put.body);
    }
    assert_eq!(world.chief.get(JOBS).unwrap().status, 200);
}

#[test]
fn the_host_header_leads_nobody_elsewhere() {
    let world = World::start();
    let address = world
        .server
        .url()
        .strip_prefix("http://")
        .unwrap()
        .to_owned();
    let token = world.server.credentials().json()["api_token"].as_str();
    let token = token.map_or_else(
        || {
            world
                .credential(&world.administrator(), "api_token", None)
                .secret
        },
        str::to_owned,
    );
    let ask = |path: &str, body: &Json| {
        let mut stream = TcpStream::connect(&address).unwrap();
        let body = body.to_string();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\n\
             Authorization: Bearer {token}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(!answer.contains("evil"), "{answer}");
        assert!(answer.contains(world.server.url()), "{answer}");
    };
    let query = "{ queryV1(query: \"FIND *\", deferredResponse: FORCE) { url } }";
    ask(JUPITERONE, &json!({"query": query}));
    let job = start_job(&world.chief, "x", "PATCH");
    ask(&format!("{JOBS}/{job}/uploadUrl"), &json!({}));
}

#[test]
fn metrics_ask_for_a_credential() {
    let world = World::start();
    let anonymous = world.server.anonymous();
    assert_eq!(anonymous.get("/metrics").unwrap().status, 401);
    assert_eq!(world.chief.get("/metrics").unwrap().status, 200);
    let open = common::start_configured("[server]\nmetrics_anonymous = true\n");
    let local = open.anonymous();
    assert_eq!(local.get("/metrics").unwrap().status, 200);
    for header in ["x-forwarded-for", "forwarded", "via", "x-real-ip"] {
        let proxied = open.anonymous().with_header(header, "192.0.2.1");
        assert_eq!(proxied.get("/metrics").unwrap().status, 401, "{header}");
    }
}

#[test]
fn two_administrators_do_not_end_each_other() {
    let mut world = World::start();
    for round in 0..8 {
        let pair = ["one", "two"].map(|name| {
            let name = format!("{name}-{round}");
            let id = world.person(&name, "admin");
            let sdk = world.sdk_of(&id, None);
            (id, sdk)
        });
        let [(one, mut of_one), (two, mut of_two)] = pair;
        let outcomes = std::thread::scope(|scope| {
            let first = scope.spawn(|| of_one.ask("Accounts.Delete", &json!({"id": two})).is_ok());
            let second = scope.spawn(|| of_two.ask("Accounts.Delete", &json!({"id": one})).is_ok());
            [first.join().unwrap(), second.join().unwrap()]
        });
        let done = outcomes.iter().filter(|done| **done).count();
        assert_eq!(done, 1, "round {round}: {outcomes:?}");
    }
}

/// Bytes of the journals of a data folder, whose server is stopped.
fn journal_bytes(folder: &Path) -> u64 {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().unwrap().is_dir() {
            bytes += journal_bytes(&entry.path());
        } else if name.starts_with("journal.sqlite") {
            bytes += entry.metadata().unwrap().len();
        }
    }
    bytes
}

#[test]
fn refusals_without_end_are_told_in_few_words() {
    let mut world = World::start();
    let person = world.person("viewer", "user");
    let viewer = world.role("Viewer");
    let held = json!({"account_id": person, "role_id": viewer});
    world
        .sdk
        .made("AccountAttachments", "account_attachment", &held);
    let made = world.credential(&person, "api_token", None);
    let settle = |world: &mut World| {
        world.server.stop().unwrap();
        let bytes = journal_bytes(&world.server.data());
        world.server.restart().unwrap();
        bytes
    };
    // Its first use is noted; that is no refusal.
    let viewer = world.server.anonymous().with_token(&made.secret);
    assert!(is_let_in(&viewer));
    let before = settle(&mut world);
    let viewer = world.server.anonymous().with_token(&made.secret);
    let fields: Vec<String> = (0..50)
        .map(|number| {
            format!(
                "a{number}: createEntity(entityKey: \"k\", entityType: \"t\", \
                     entityClass: [\"C\"]) {{ entity {{ _id }} }}"
            )
        })
        .collect();
    let document = format!("mutation {{ {} }}", fields.join(" "));
    for _ in 0..200 {
        let answer = viewer.graphql(JUPITERONE, &document, &json!({})).unwrap();
        let errors = answer["errors"].as_array().unwrap();
        assert_eq!(errors.len(), fields.len(), "{answer}");
        let is_refusal = |error: &Json| error["extensions"]["code"] == "FORBIDDEN";
        assert!(errors.iter().all(is_refusal), "{answer}");
    }
    let grown = settle(&mut world).saturating_sub(before);
    assert!(grown < 64 << 10, "the journal grew by {grown} bytes");
    world.chief = world.server.client();
    let told = |record: &Json| -> u64 {
        let detail = record["detail"].as_str().unwrap_or_default();
        let count = detail.rsplit_once("; ").map_or("", |(_, count)| count);
        match count.strip_suffix(" more like it within a minute") {
            Some(count) => count.parse().unwrap(),
            None => 1,
        }
    };
    let refusals = world.denials_since(0);
    let of_viewer = refusals
        .iter()
        .filter(|record| record["credential"] == json!(made.id));
    let total: u64 = of_viewer.map(told).sum();
    assert_eq!(total, 200 * 50, "{refusals:?}");
    ok(world.chief.get("/audit/verify").unwrap());
}
