// SPDX-License-Identifier: Apache-2.0
//! Synchronization through the front door when something does not arrive, or cannot be read.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use durward_budget::Budget;
use durward_catalog::Catalog;
use durward_identity::{OpenOptions, Organizations, PasswordCost};
use durward_journal::file_seal;
use durward_model::SystemClock;
use durward_testkit::{Client, Server};
use serde_json::{Value, json};

use crate::common::{
    self, JOBS, JUPITERONE, NATIVE, OPENCTI, count, done, job_call, jupiterone, ok, rows, run,
    second_organization, start_job, synchronize, text_of,
};

fn thing(key: &str, kind: &str) -> Value {
    json!({"_key": key, "_type": kind, "_class": "Record", "displayName": key})
}

fn how_many(server: &Server, kind: &str) -> u64 {
    count(
        &jupiterone(server),
        &format!("FIND {kind} AS x RETURN count(x)"),
    )
}

/// Folder of a job on the disk.
fn job_folder(server: &Server, job: &str) -> PathBuf {
    let organization = server.credentials().organization_id();
    let folder = server.data().join("organizations").join(organization);
    folder.join("synchronization").join(job)
}

/// Changes the record of a job while no server runs, as only the holder of the keys can.
fn rewrite_record(server: &Server, job: &str, change: impl Fn(&mut Value)) {
    let organizations = Organizations::open(&OpenOptions {
        data: server.data(),
        master_key_file: None,
        clock: Arc::new(SystemClock),
        catalog: Arc::new(Catalog::built_in().unwrap()),
        password_cost: PasswordCost::Minimal,
        checkpoint: true,
        budget: Budget::unlimited(),
    });
    let organizations = organizations.unwrap();
    let id = server.credentials().organization_id();
    let mut all = organizations.all().into_iter();
    let own = all.find(|one| one.id().as_str() == id).unwrap();
    let (seal, purpose) = (
        own.vault().file_seal(),
        format!("synchronization job {job}"),
    );
    let file = job_folder(server, job).join("job.json");
    let bytes = file_seal::read(&file, &*seal, &purpose, 16 << 20).unwrap();
    let mut record: Value = serde_json::from_slice(&bytes).unwrap();
    change(&mut record);
    file_seal::write(&file, &*seal, &purpose, record.to_string().as_bytes()).unwrap();
    organizations.close().unwrap();
}

/// Sends a whole request, whatever the server says meanwhile, and then reads the answer.
fn send_all(stream: &mut TcpStream, token: &str, path: &str, length: usize) -> (String, String) {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = vec![b' '; 1 << 20];
    let mut left = length;
    while left > 0 {
        let size = left.min(chunk.len());
        stream.write_all(&chunk[..size]).unwrap();
        left -= size;
    }
    let mut reader = BufReader::new(stream);
    let (mut line, mut status, mut size) = (String::new(), String::new(), 0);
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        let text = line.trim().to_ascii_lowercase();
        if status.is_empty() {
            status.clone_from(&text);
        } else if let Some(length) = text.strip_prefix("content-length: ") {
            size = length.parse().unwrap();
        } else if text.is_empty() {
            break;
        }
    }
    let mut body = vec![0; size];
    reader.read_exact(&mut body).unwrap();
    (status, String::from_utf8(body).unwrap())
}

#[test]
fn a_client_that_is_too_large_reads_its_answer_and_loses_nothing() {
    let mut server = common::start();
    let all = json!({"entities": [thing("a", "crate_a"), thing("b", "crate_b")]});
    synchronize(&server.client(), "large", &all);
    let job = start_job(&server.client(), "large", "DIFF");
    job_call(
        &server.client(),
        &job,
        "entities",
        &json!({"entities": [thing("a", "crate_a")]}),
    );
    let address = server.url().strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(address).unwrap();
    let token = server.credentials().api_token().to_owned();
    let path = format!("{JOBS}/{job}/entities");
    let (status, body) = send_all(&mut stream, &token, &path, 80 << 20);
    assert!(status.starts_with("http/1.1 413"), "{status}");
    assert!(body.contains("RequestEntityTooLargeException"), "{body}");
    // The connection lives; a second request on it is answered, too.
    let (status, body) = send_all(&mut stream, &token, &path, 2);
    assert!(status.starts_with("http/1.1 400"), "{status}: {body}");
    server.kill9().unwrap();
    server.restart().unwrap();
    let ended = job_call(&server.client(), &job, "finalize", &json!({}));
    let partial = &ended["job"]["partialDatasets"];
    assert_eq!(partial["allTypes"], true, "{ended}");
    assert!(
        partial["reasons"][0]
            .as_str()
            .unwrap()
            .contains("larger than")
    );
    assert_eq!(
        (how_many(&server, "crate_a"), how_many(&server, "crate_b")),
        (1, 1)
    );
    // The next job, of which everything arrives, says what is absent.
    synchronize(
        &server.client(),
        "large",
        &json!({"entities": [thing("a", "crate_a")]}),
    );
    assert_eq!(
        (how_many(&server, "crate_a"), how_many(&server, "crate_b")),
        (1, 0)
    );
}

#[test]
fn a_wrong_object_costs_neither_its_neighbours_nor_its_type() {
    let server = common::start();
    let client = server.client();
    let all = json!({"entities": [thing("a", "pot"), thing("b", "pot"), thing("c", "pan")]});
    synchronize(&client, "kitchen", &all);
    let job = start_job(&client, "kitchen", "DIFF");
    let wrong = json!({"_key": "b", "_type": "pot", "_class": "Record", "size": {"cm": 3}});
    let upload = json!({"entities": [thing("a", "pot"), wrong, thing("d", "lid")]});
    let answer = job_call(&client, &job, "entities", &upload);
    let rejected = &answer["rejected"][0];
    assert_eq!(
        (&rejected["index"], &rejected["key"]),
        (&json!(1), &json!("b"))
    );
    assert_eq!(rejected["code"], "ERROR_BAD_DATA");
    let ended = job_call(&client, &job, "finalize", &json!({}));
    assert_eq!(ended["job"]["status"], "FINISHED");
    assert_eq!(ended["job"]["numEntityCreateErrors"], 1);
    assert_eq!(ended["job"]["partialDatasets"]["types"], json!(["pot"]));
    let counts = ["pot", "pan", "lid"].map(|kind| how_many(&server, kind));
    assert_eq!(counts, [2, 0, 1]);

    // Lines of a file likewise, with a server and without.
    let file = server.data().with_file_name("lines.ndjson");
    let bad = json!({"_key": "b", "_type": "pot", "_class": 7});
    let lines = format!("{}\n{bad}\n{}\n", thing("a", "pot"), thing("e", "lid"));
    std::fs::write(&file, lines).unwrap();
    let (file, token) = (text_of(&file), server.credentials().api_token().to_owned());
    let words = ["import", "graph", &file, "--scope", "kitchen"];
    let ran = run(&[&words[..], &["--url", server.url(), "--token", &token]].concat());
    let told = |err: &str| err.contains("line 2: _class must be") && err.contains("nothing of pot");
    assert!(ran.code == 1 && told(&ran.err), "{}", ran.err);
    assert_eq!((how_many(&server, "pot"), how_many(&server, "lid")), (2, 1));
    let mut server = server;
    server.stop().unwrap();
    let folder = text_of(&server.data());
    let ran = run(&[&words[..], &["--data", &folder]].concat());
    assert!(ran.code == 1 && told(&ran.err), "{}", ran.err);
    server.restart().unwrap();
    assert_eq!((how_many(&server, "pot"), how_many(&server, "lid")), (2, 1));
}

#[test]
fn the_first_counters_are_answered_after_a_crash_in_the_middle() {
    let mut server = common::start();
    let all = json!({"entities": [thing("a", "cup"), thing("b", "cup")]});
    synchronize(&server.client(), "crash", &all);
    let job = start_job(&server.client(), "crash", "DIFF");
    let some = json!({"entities": [thing("a", "cup"), thing("n", "cup")]});
    job_call(&server.client(), &job, "entities", &some);
    let first = job_call(&server.client(), &job, "finalize", &json!({}));
    let counters = |answer: &Value| {
        ["Created", "Updated", "Deleted"]
            .map(|what| answer["job"][format!("numEntities{what}")].clone())
    };
    assert_eq!(counters(&first), [json!(1), json!(0), json!(1)]);
    server.kill9().unwrap();
    // The journal has the changes, and the job did not come to note its end.
    rewrite_record(&server, &job, |record| {
        record["status"] = json!("FINALIZE_PENDING");
        record["planned"] = record["result"].take();
    });
    server.restart().unwrap();
    let again = job_call(&server.client(), &job, "finalize", &json!({}));
    assert_eq!(counters(&again), counters(&first), "{again}");
    assert_eq!(how_many(&server, "cup"), 2);
}

#[test]
fn what_a_job_says_of_its_integration_can_be_asked() {
    let server = common::start();
    let client = server.client();
    let start = json!({"source": "integration-external", "integrationInstanceId": "inst-7",
        "integrationName": "Badge reader", "integrationType": "badge"});
    let answer = ok(client.post(JOBS, &start).unwrap());
    let job = answer["job"]["id"].as_str().unwrap();
    // A target of the same job, in an upload before it; both ends are there once.
    let mapping = json!({"relationshipDirection": "FORWARD", "sourceEntityKey": "r",
        "targetFilterKeys": [["_class", "serial"]],
        "targetEntity": {"_type": "badge_door", "_class": "Record", "serial": "s-1"}});
    let mapped = json!({"_key": "m", "_type": "opens", "_class": "OPENS", "_mapping": mapping});
    job_call(
        &client,
        job,
        "relationships",
        &json!({"relationships": [mapped]}),
    );
    let door = json!({"_key": "d", "_type": "badge_door", "_class": "Record", "serial": "s-1"});
    let upload = json!({"entities": [thing("r", "badge_reader"), door]});
    job_call(&client, job, "entities", &upload);
    let ended = job_call(&client, job, "finalize", &json!({}));
    assert_eq!(ended["job"]["numMappedRelationshipsCreated"], 1, "{ended}");
    assert_eq!(how_many(&server, "badge_door"), 1);
    let asks = jupiterone(&server);
    let text = "FIND badge_reader WITH _integrationInstanceId = 'inst-7' AS r \
        THAT OPENS badge_door WITH _integrationName = 'Badge reader' AS d \
        RETURN r._integrationType, d.serial";
    let found = rows(&asks, text);
    assert_eq!(found.len(), 1);
    // It is the job's to say, and nobody else's.
    let text = "mutation C { createEntity(entityKey: \"f\", entityType: \"badge_reader\",
        entityClass: [\"Record\"], properties: {_integrationInstanceId: \"another\"})
        { entity { _id } } }";
    let forged = asks.graphql(JUPITERONE, text, &json!({})).unwrap();
    assert!(
        forged["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("reserved"),
        "{forged}"
    );
    let text = "FIND * WITH _integrationInstanceId = 'another' AS x RETURN count(x)";
    assert_eq!(count(&asks, text), 0);
}

#[test]
fn a_cursor_of_an_export_is_of_its_credential() {
    let server = common::start();
    let client = server.client();
    let things: Vec<Value> = (0..5).map(|n| thing(&format!("t{n}"), "spoon")).collect();
    synchronize(&client, "export", &json!({"entities": things}));
    let first = ok(client.get("/entities?limit=2").unwrap());
    let cursor = first["endCursor"].as_str().unwrap();
    let path = format!("/entities?limit=2&cursor={cursor}");
    assert_eq!(client.get(&path).unwrap().status, 200);
    assert_eq!(jupiterone(&server).get(&path).unwrap().status, 400);
    assert_eq!(client.get("/entities?cursor=1.0.0").unwrap().status, 400);
}

#[test]
fn a_job_that_is_too_large_to_be_read_stops_no_server() {
    let mut server = common::start();
    let job = start_job(&server.client(), "events", "DIFF");
    let other = start_job(&server.client(), "events-too", "DIFF");
    let text = "\u{1}".repeat(10_000);
    let event = json!({"name": text, "description": text});
    let events = json!({"events": vec![event; 80]});
    let path = format!("{JOBS}/{job}/events");
    let answers = [0, 1].map(|_| server.client().post(&path, &events).unwrap().status);
    assert_eq!(answers, [400, 400], "what cannot be kept is refused");
    server.restart().unwrap();
    job_call(&server.client(), &job, "finalize", &json!({}));
    // One that is on the disk all the same.
    server.stop().unwrap();
    let file = job_folder(&server, &other).join("job.json");
    std::fs::write(&file, vec![b' '; (16 << 20) + 1]).unwrap();
    server.restart().unwrap();
    let read = |job: &str| {
        server
            .client()
            .get(&format!("{JOBS}/{job}"))
            .unwrap()
            .status
    };
    assert_eq!((read(&job), read(&other)), (200, 404));
    assert!(server.log().contains("was set aside"), "{}", server.log());
    server.stop().unwrap();
    let listed = done(&["org", "list", "--data", &text_of(&server.data())]);
    assert!(
        listed.contains("set aside: ") && listed.contains(&other),
        "{listed}"
    );
    assert!(file.parent().unwrap().with_extension("aside").exists());
}

/// A read through each dialect that has one: status and body.
fn asks(client: &Client) -> Vec<(u16, String)> {
    let document = |text: &str| json!({"query": text}).to_string();
    let graphql = [
        (JUPITERONE, "{ queryV1(query: \"FIND *\") { type } }"),
        (NATIVE, "{ organization { name } }"),
        (OPENCTI, "{ me { id } }"),
    ];
    let mut answers: Vec<(u16, String)> = graphql
        .iter()
        .map(|(path, text)| {
            client
                .send("POST", path, Some(document(text).as_bytes()))
                .unwrap()
        })
        .map(|answer| (answer.status, answer.body))
        .collect();
    for path in [JOBS, "/audit/verify", "/v1/users/groups"] {
        let answer = client.get(path).unwrap();
        answers.push((answer.status, answer.body));
    }
    answers
}

#[test]
fn an_organization_that_cannot_be_opened_stops_no_other() {
    let mut server = common::start();
    let second = second_organization(&mut server, "Elsewhere");
    server.stop().unwrap();
    let keys = server
        .data()
        .join("organizations")
        .join(second.organization_id())
        .join("keys.json");
    let good = std::fs::read(&keys).unwrap();
    std::fs::write(&keys, "{}").unwrap();
    server.restart().unwrap();
    assert!(
        server.log().contains("cannot be opened and is unavailable"),
        "{}",
        server.log()
    );
    for (status, body) in asks(&server.client()).iter().take(5) {
        assert_eq!(*status, 200, "{body}");
    }
    for (token, what) in [
        (second.api_token(), "a token"),
        (second.opencti(), "OpenCTI's"),
    ] {
        let answers = asks(&server.anonymous().with_token(token));
        for (at, (status, body)) in answers.iter().enumerate() {
            // OpenCTI's client takes anything but 200 for a broken server.
            let expected = if at == 2 { 200 } else { 503 };
            assert_eq!(*status, expected, "{what}, {at}: {body}");
            assert!(body.contains("unavailable"), "{what}, {at}: {body}");
        }
    }
    server.stop().unwrap();
    let folder = text_of(&server.data());
    let listed = done(&["org", "list", "--data", &folder]);
    let line = listed
        .lines()
        .find(|line| line.contains(second.organization_id()));
    assert!(line.unwrap().contains("unavailable  "), "{listed}");
    let rotated = run(&["keys", "rotate", "--data", &folder]);
    assert_eq!(rotated.code, 1, "its keys would be lost with the old key");
    assert!(rotated.err.contains("cannot be opened"), "{}", rotated.err);
    std::fs::write(&keys, good).unwrap();
    server.restart().unwrap();
    let back = server.anonymous().with_token(second.api_token());
    assert_eq!(asks(&back)[1].0, 200);
}
