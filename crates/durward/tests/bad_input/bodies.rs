// SPDX-License-Identifier: Apache-2.0
//! Bodies that are no request, too much of one, or cut off.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use durward_testkit::Server;
use serde_json::{Value, json};

use crate::common::{
    self, JOBS, JUPITERONE, NATIVE, OPENCTI, assert_refused, code, count, jupiterone, ok, start_job,
};

/// Paths of the schemas, with the status of a refused body.
const SCHEMAS: [(&str, u16); 3] = [(NATIVE, 400), (JUPITERONE, 400), (OPENCTI, 200)];

fn post(server: &Server, path: &str, body: &[u8]) -> (u16, Value) {
    let answer = server.client().send("POST", path, Some(body)).unwrap();
    (answer.status, answer.json().unwrap())
}

#[test]
fn what_is_not_json_is_refused_in_the_shape_of_each_dialect() {
    let server = common::start();
    let bodies: [&[u8]; 7] = [
        b"",
        b"hello",
        b"{",
        b"[]",
        b"{\"query\":1}",
        b"{\"variables\":{}}",
        b"\xff\xfe{}",
    ];
    for (path, expected) in SCHEMAS {
        for body in bodies {
            let (status, answer) = post(&server, path, body);
            assert_eq!(status, expected, "{path}: {answer}");
            assert_refused(&answer, "BAD_USER_INPUT", " ");
            let name = answer["errors"][0]["name"].as_str();
            assert_eq!(name.is_some(), path == OPENCTI, "{answer}");
        }
    }
    let job = start_job(&server.client(), "bodies", "DIFF");
    let calls = [
        JOBS.to_owned(),
        format!("{JOBS}/{job}/entities"),
        format!("{JOBS}/{job}/upload"),
    ];
    for path in calls {
        for body in [&b"hello"[..], b"{", b"[1", b"\xff"] {
            let (status, answer) = post(&server, &path, body);
            assert_eq!(status, 400, "{path}: {answer}");
            assert_eq!(answer["error"]["code"], "BAD_REQUEST", "{answer}");
            assert!(answer["error"]["message"].is_string(), "{answer}");
        }
    }
    let read = ok(server.client().get(&format!("{JOBS}/{job}")).unwrap());
    assert_eq!(read["job"]["status"], "AWAITING_UPLOADS");
    for body in [
        &b"hello"[..],
        b"{",
        b"3",
        b"{}",
        b"{\"type\":\"bundle\",\"objects\":3}",
    ] {
        let (status, answer) = post(&server, "/import/stix", body);
        assert_eq!((status, &answer["status"]), (400, &json!(400)), "{answer}");
        assert!(
            answer["detail"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{answer}"
        );
    }
}

#[test]
fn documents_beyond_the_limits_are_refused_whole() {
    let server = common::start();
    let client = server.client();
    let repeated =
        |count: usize, each: &dyn Fn(usize) -> String| (0..count).map(each).collect::<String>();
    // (what, the native document, a part of the sentence)
    let nested = |levels: usize| {
        let open = "{ relationships { nodes { from { ... on Entity ".repeat(levels);
        format!(
            "{{ entities {{ nodes {open} {{ id }} {} }} }}",
            "} } } }".repeat(levels)
        )
    };
    let aliases = repeated(1_500, &|number| format!("a{number}: head {{ hash }} "));
    let cases = [
        (format!("{{ {aliases} }}"), "alias"),
        (nested(12), "deep"),
        (nested(40), "limit"),
        (nested(5_000), "limit"),
        (
            format!("{{ head {{ hash }} }} #{}", "x".repeat(1 << 20)),
            "byte",
        ),
        (
            format!("{{ {} }}", repeated(35_000, &|_| "__typename\n".to_owned())),
            "",
        ),
    ];
    for (document, part) in &cases {
        let answer = client.post(NATIVE, &json!({"query": document})).unwrap();
        let json = answer.json().unwrap();
        assert!(
            matches!(answer.status, 200 | 400),
            "{}",
            short(&answer.body)
        );
        assert!(
            code(&json).starts_with("GRAPHQL_"),
            "{}",
            short(&answer.body)
        );
        let message = common::message(&json);
        assert!(message.contains(part), "no {part:?} in {message}");
        assert!(json["data"].is_null(), "{}", short(&answer.body));
    }
    let mut mutations = String::new();
    for number in 0..1_200 {
        let call = format!(
            "m{number}: createEntity(entityKey: \"k{number}\", entityType: \"limit_item\", \
             entityClass: [\"Record\"]) {{ entity {{ _id }} }} "
        );
        mutations.write_str(&call).unwrap();
    }
    let document = format!("mutation {{ {mutations} }}");
    let answer = jupiterone(&server)
        .post(JUPITERONE, &json!({"query": document}))
        .unwrap();
    assert!(
        code(&answer.json().unwrap()).starts_with("GRAPHQL_"),
        "{}",
        short(&answer.body)
    );
    assert_eq!(
        count(&jupiterone(&server), "FIND limit_item AS x RETURN count(x)"),
        0
    );
    let batch = vec![json!({"query": "{ head { hash } }"}); 101];
    let answer = client.post(NATIVE, &Value::Array(batch)).unwrap();
    assert_eq!(answer.status, 400, "{}", short(&answer.body));
}

fn short(text: &str) -> String {
    text.chars().take(400).collect()
}

/// Sends the head of a request and a part of its body; the answer, if one comes before the end.
fn cut_off(server: &Server, path: &str, announced: usize, part: &[u8], hangs_up: bool) -> String {
    let address = server.url().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {announced}\r\n\r\n",
        server.credentials().api_token()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(part).unwrap();
    if hangs_up {
        drop(stream);
        return String::new();
    }
    // The server may have refused the request and closed the connection by now.
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = String::new();
    // An answer, or a connection that is closed at once: both are fine for a broken request.
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn uploads_that_break_off_leave_nothing_behind() {
    let server = common::start();
    let client = jupiterone(&server);
    let job = start_job(&client, "cut", "DIFF");
    let entity = |key: &str| json!({"_key": key, "_type": "cut_item", "_class": "Record"});
    let upload = json!({"entities": [entity("a"), entity("b")]}).to_string();
    let bundle = std::fs::read(common::sample("stix/every-type.json")).unwrap();
    let mutation = json!({"query": "mutation { createEntity(entityKey: \"g\", \
        entityType: \"cut_item\", entityClass: [\"Record\"]) { entity { _id } } }"})
    .to_string();
    let uploads = [
        (format!("{JOBS}/{job}/entities"), upload.as_bytes()),
        ("/import/stix".to_owned(), bundle.as_slice()),
        (JUPITERONE.to_owned(), mutation.as_bytes()),
    ];
    for (path, whole) in &uploads {
        for hangs_up in [false, true] {
            // The second half never comes; then all of a JSON text comes, but not all bytes.
            let half = &whole[..whole.len() / 2];
            let answers = [
                cut_off(&server, path, whole.len(), half, hangs_up),
                cut_off(&server, path, whole.len() + 10, whole, hangs_up),
            ];
            for answer in answers {
                assert!(!answer.starts_with("HTTP/1.1 2"), "{path}: {answer}");
            }
        }
    }
    let read = ok(client.get(&format!("{JOBS}/{job}")).unwrap());
    assert_eq!(read["job"]["numEntitiesUploaded"], 0, "{read}");
    assert_eq!(count(&client, "FIND cut_item AS x RETURN count(x)"), 0);
    assert_eq!(count(&client, "FIND intrusion_set AS x RETURN count(x)"), 0);
    // The same job still takes the whole upload, and every connection was given back.
    common::job_call(
        &client,
        &job,
        "entities",
        &serde_json::from_str(&upload).unwrap(),
    );
    let ended = common::job_call(&client, &job, "finalize", &json!({}));
    assert_eq!(ended["job"]["numEntitiesCreated"], 2, "{ended}");
    assert_eq!(count(&client, "FIND cut_item AS x RETURN count(x)"), 2);
}

#[test]
fn bodies_over_the_size_limit_are_refused_before_they_are_read() {
    let server = common::start();
    let job = start_job(&server.client(), "large", "DIFF");
    let large = 80 << 20;
    for (path, part) in [
        (format!("{JOBS}/{job}/entities"), "413"),
        (JUPITERONE.to_owned(), "larger than"),
        ("/import/stix".to_owned(), "larger than"),
    ] {
        let answer = cut_off(&server, &path, large, b"{", false);
        assert!(answer.contains(part), "{path}: {answer}");
    }
}

#[test]
fn wrong_parameters_are_refused_as_problems() {
    let server = common::start();
    for path in [
        "/audit/export?limit=many",
        "/audit/export?upto=3",
        "/audit/verify?expect_head=zz",
        "/nothing/here",
    ] {
        let answer = server.client().get(path).unwrap();
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json"),
            "{path}: {}",
            answer.body
        );
        let json = answer.json().unwrap();
        assert_eq!(json["status"], answer.status, "{path}: {json}");
        assert!(matches!(answer.status, 400 | 404), "{path}: {json}");
    }
    let answer = server.client().get("/import/stix").unwrap();
    assert_eq!(answer.status, 405, "{}", answer.body);
    let stix = server
        .client()
        .post("/import/stix?range=x", &json!({}))
        .unwrap();
    assert_eq!(stix.json().unwrap()["status"], 400, "{}", stix.body);
}
