// SPDX-License-Identifier: Apache-2.0
//! What a caller may make the server hold, and how often it may ask.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use durward_testkit::{Answer, Server};
use serde_json::{Value, json};

use crate::common::{self, JOBS, NATIVE, OPENCTI, code, data};

const NAME: &str = "{ organization { name } }";

/// What the server says to the head of a request whose body never comes.
fn said_to_head(server: &Server, path: &str, headers: &str) -> String {
    let address = server.url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\n{headers}content-type: application/json\r\n\
         content-length: 60000000\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut said = vec![0; 4096];
    let bytes = stream.read(&mut said).unwrap();
    String::from_utf8_lossy(&said[..bytes]).into_owned()
}

#[test]
fn a_stranger_is_refused_before_its_body_comes() {
    let server = common::start();
    for headers in ["", "authorization: Bearer invented\r\n"] {
        for path in [
            "/graphql",
            NATIVE,
            "/sonrai/graphql",
            "/import/stix",
            JOBS,
            "/v1/users/serviceAccounts",
        ] {
            let said = said_to_head(&server, path, headers);
            assert!(said.starts_with("HTTP/1.1 401 "), "{path}: {said}");
        }
        let said = said_to_head(&server, OPENCTI, headers);
        assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
        assert!(said.contains("AUTH_REQUIRED"), "{said}");
    }
}

#[test]
fn a_credential_gets_its_share_and_gives_it_back() {
    let server = common::start_configured("[limits]\nmemory_bytes = 134217728\n");
    let nodes = vec![r#"{"":0}"#; 300_000].join(",");
    let body = format!(r#"{{"query":"{NAME}","variables":{{"a":[{nodes}]}}}}"#);
    for path in [NATIVE, "/jupiterone/graphql", "/graphql"] {
        let answer = server.client().send("POST", path, Some(body.as_bytes()));
        let answer = answer.unwrap();
        assert_eq!(answer.status, 429, "{path}: {}", answer.body);
        assert!(answer.header("retry-after").is_some());
        let answer = answer.json().unwrap();
        assert_eq!(code(&answer), "TOO_MANY_REQUESTS", "{answer}");
        assert!(common::message(&answer).contains("32 MiB"), "{answer}");
        data(&server.client(), NATIVE, NAME, &json!({}));
    }
    let metrics = server.client().get("/metrics").unwrap().body;
    let held = metrics
        .lines()
        .find_map(|line| line.strip_prefix("durward_budget_bytes{part=\"requests\"} "));
    let held: f64 = held.unwrap().parse().unwrap();
    assert!(held < 100_000.0, "{held} bytes are still held");
}

#[test]
fn every_route_counts_against_the_rate_limits() {
    let server = common::start_configured("[limits]\nrate_preset = \"jupiterone\"\n");
    let client = server.client();
    let start = json!({"source": "api", "syncMode": "PATCH"});
    let job = client.post(JOBS, &start).unwrap().json().unwrap();
    let job = job["job"]["id"].as_str().unwrap();
    let given = common::job_call(&client, job, "uploadUrl", &json!({}));
    let given = given["uploadUrl"].as_str().unwrap();
    let upload = given.strip_prefix(server.url()).unwrap();
    let anonymous = server.anonymous();
    let aliases: Vec<String> = (0..99)
        .map(|number| format!("a{number}: organization {{ id }}"))
        .collect();
    let document = format!("{{ {} }}", aliases.join(" "));
    while client
        .graphql(NATIVE, &document, &json!({}))
        .unwrap()
        .get("errors")
        .is_none()
    {}
    let empty = json!({});
    let calls: [&dyn Fn() -> anyhow::Result<Answer>; 8] = [
        &|| client.get("/audit/verify"),
        &|| client.get("/audit/export"),
        &|| client.get("/v1/users/serviceAccounts"),
        &|| client.get(JOBS),
        &|| client.post(JOBS, &empty),
        &|| client.get("/entities"),
        &|| client.post("/import/stix", &empty),
        // Its own authority, and counted for the credential that asked for it.
        &|| anonymous.send("PUT", upload, Some(b"{")),
    ];
    for (number, call) in calls.iter().enumerate() {
        // The quota comes back bit by bit, so that a few calls may still go through.
        let answer = (0..500)
            .map(|_| call().unwrap())
            .find(|answer| answer.status == 429);
        let answer = answer.unwrap_or_else(|| panic!("{number} is not limited"));
        let seconds = answer.header("retry-after").unwrap();
        assert!(seconds.parse::<u32>().unwrap() > 0, "{number}");
        assert!(answer.json().is_ok_and(|answer: Value| answer.is_object()));
    }
}
