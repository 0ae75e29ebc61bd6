// SPDX-License-Identifier: Apache-2.0
//! What the front-door tests share: a server of the program just built, and short ways to ask it.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::needless_pass_by_value,
    reason = "each test uses a part of this, and tests may panic"
)]

pub mod contracts;
pub mod tokens;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use durward_model::{Clock as _, Instant, SystemClock};
use durward_testkit::{Answer, Client, Credentials, Options, Server, repository};
use serde_json::{Value, json};

/// The path of JupiterOne's schema.
pub const JUPITERONE: &str = "/jupiterone/graphql";
/// The path of OpenCTI's schema.
pub const OPENCTI: &str = "/opencti/graphql";
/// The path of Sonrai's schema.
pub const SONRAI: &str = "/sonrai/graphql";
/// The path of the native schema.
pub const NATIVE: &str = "/durward/graphql";
/// The path of synchronization jobs.
pub const JOBS: &str = "/persister/synchronization/jobs";

const QUERY: &str = "query Q($query: String!, $cursor: String, $at: DateTime) {
  queryV1(query: $query, cursor: $cursor, at: $at, flags: {variableResultSize: true}) {
    type data cursor totalCount
  }
}";
const CREATE: &str =
    "mutation C($key: String!, $type: String!, $class: [String!]!, $properties: JSON) {
  createEntity(entityKey: $key, entityType: $type, entityClass: $class, properties: $properties) {
    entity { _id _key }
  }
}";

/// The program under test.
pub fn binary() -> PathBuf {
    std::env::var_os("DURWARD_BIN").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_durward")),
        PathBuf::from,
    )
}

/// Options that name the program.
pub fn options() -> Options {
    Options {
        binary: Some(binary()),
        ..Options::default()
    }
}

/// A second organization in the data folder of a server, which is restarted for it.
pub fn second_organization(server: &mut Server, name: &str) -> Credentials {
    server.stop().unwrap();
    let folder = text_of(&server.data());
    let admin = "admin@elsewhere.example";
    let words = [
        "org", "create", "--data", &folder, "--org", name, "--admin", admin, "--json",
    ];
    let credentials = Credentials::parse(&done(&words)).unwrap();
    server.restart().unwrap();
    credentials
}

/// A server with one organization.
pub fn start() -> Server {
    Server::start(options()).unwrap()
}

/// A server with a configuration file.
pub fn start_configured(config: &str) -> Server {
    Server::start(Options {
        config: Some(config.to_owned()),
        ..options()
    })
    .unwrap()
}

/// A file of the samples.
pub fn sample(path: &str) -> String {
    text_of(&repository().join("samples").join(path))
}

/// A path as text.
pub fn text_of(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// What a `durward` command did.
pub struct Ran {
    /// Its exit code.
    pub code: i32,
    /// What it wrote to standard output.
    pub out: String,
    /// What it wrote to standard error.
    pub err: String,
}

/// Runs a `durward` command, whatever comes of it.
pub fn run(words: &[&str]) -> Ran {
    run_command(Command::new(binary()).args(words))
}

/// Runs a prepared command.
pub fn run_command(command: &mut Command) -> Ran {
    command
        .env_remove("DURWARD_URL")
        .env_remove("DURWARD_TOKEN");
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    Ran {
        code: status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&stdout).into_owned(),
        err: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// Runs a command that must go well, and answers with its standard output.
pub fn done(words: &[&str]) -> String {
    let ran = run(words);
    assert_eq!(ran.code, 0, "{words:?}: {}", ran.err);
    ran.out
}

/// Runs a command against a running server; it must go well.
pub fn done_at(server: &Server, words: &[&str]) -> String {
    let token = server.credentials().api_token();
    let mut all = words.to_vec();
    all.extend(["--url", server.url(), "--token", token]);
    done(&all)
}

/// A client as JupiterOne's are.
pub fn jupiterone(server: &Server) -> Client {
    let (account, key) = server.credentials().jupiterone();
    server
        .anonymous()
        .with_token(key)
        .with_header("JupiterOne-Account", account)
}

/// The `data` of a GraphQL answer without errors.
pub fn data(client: &Client, path: &str, document: &str, variables: &Value) -> Value {
    let mut answer = client.graphql(path, document, variables).unwrap();
    assert!(answer.get("errors").is_none(), "{document}: {answer}");
    answer["data"].take()
}

/// The code of the first error of a GraphQL answer; empty where there is none.
pub fn code(answer: &Value) -> &str {
    answer
        .pointer("/errors/0/extensions/code")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The sentence of the first error of a GraphQL answer.
pub fn message(answer: &Value) -> &str {
    answer
        .pointer("/errors/0/message")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Asserts that an answer holds one error with this code and this part of a sentence.
pub fn assert_refused(answer: &Value, expected: &str, part: &str) {
    assert_eq!(code(answer), expected, "{answer}");
    assert_eq!(
        answer["errors"].as_array().map(Vec::len),
        Some(1),
        "{answer}"
    );
    assert!(message(answer).contains(part), "no {part:?} in {answer}");
}

/// The answer of `queryV1`, errors included.
pub fn query_answer(client: &Client, j1ql: &str) -> Value {
    client
        .graphql(JUPITERONE, QUERY, &json!({"query": j1ql}))
        .unwrap()
}

/// All rows of a J1QL query that gives a list or a table.
pub fn rows(client: &Client, j1ql: &str) -> Vec<Value> {
    rows_at(client, j1ql, &Value::Null)
}

/// All rows of a J1QL query at an instant.
pub fn rows_at(client: &Client, j1ql: &str, at: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let variables = json!({"query": j1ql, "cursor": cursor, "at": at});
        let mut page = data(client, JUPITERONE, QUERY, &variables)["queryV1"].take();
        let Value::Array(rows) = page["data"].take() else {
            panic!("{j1ql}: no rows")
        };
        all.extend(rows);
        cursor = page["cursor"].take();
        if cursor.is_null() {
            return all;
        }
    }
}

/// The number that a query of one row with one number gives.
pub fn count(client: &Client, j1ql: &str) -> u64 {
    let rows = rows(client, j1ql);
    let [row] = rows.as_slice() else {
        panic!("{j1ql}: {} rows", rows.len())
    };
    row.as_object()
        .unwrap()
        .values()
        .next()
        .and_then(Value::as_u64)
        .unwrap()
}

/// Makes an entity and answers with its id.
pub fn create(client: &Client, key: &str, kind: &str, class: &str, properties: &Value) -> String {
    let answer = create_answer(client, key, kind, class, properties).unwrap();
    let id = answer
        .pointer("/data/createEntity/entity/_id")
        .and_then(Value::as_str);
    id.unwrap_or_else(|| panic!("{key}: {answer}")).to_owned()
}

/// Asks for an entity to be made; the answer may be anything.
pub fn create_answer(
    client: &Client,
    key: &str,
    kind: &str,
    class: &str,
    properties: &Value,
) -> Option<Value> {
    let variables = json!({"key": key, "type": kind, "class": [class], "properties": properties});
    client.graphql(JUPITERONE, CREATE, &variables).ok()
}

/// Starts a synchronization job and answers with its id.
pub fn start_job(client: &Client, scope: &str, mode: &str) -> String {
    let body = json!({"source": "api", "scope": scope, "syncMode": mode});
    let answer = ok(client.post(JOBS, &body).unwrap());
    answer["job"]["id"].as_str().unwrap().to_owned()
}

/// Sends something to a job; it must go well.
pub fn job_call(client: &Client, job: &str, call: &str, body: &Value) -> Value {
    ok(client.post(&format!("{JOBS}/{job}/{call}"), body).unwrap())
}

/// A whole job; its counters at the end.
pub fn synchronize(client: &Client, scope: &str, upload: &Value) -> Value {
    let job = start_job(client, scope, "DIFF");
    job_call(client, &job, "upload", upload);
    let mut answer = job_call(client, &job, "finalize", &json!({}));
    while answer["job"]["status"] == "FINALIZE_PENDING" {
        std::thread::sleep(Duration::from_millis(100));
        answer = ok(client.get(&format!("{JOBS}/{job}")).unwrap());
    }
    assert_eq!(answer["job"]["status"], "FINISHED", "{answer}");
    answer["job"].take()
}

/// The JSON of an answer with status 200.
pub fn ok(answer: Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json().unwrap()
}

/// The instant so many seconds from now, as RFC 3339 text.
pub fn in_seconds(seconds: u64) -> String {
    now()
        .plus_seconds(i64::try_from(seconds).unwrap())
        .to_rfc3339_millis()
}

/// Waits until an instant is over.
pub fn wait_until(instant: &str) {
    let end: Instant = instant.parse().unwrap();
    while now() <= end {
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn now() -> Instant {
    SystemClock.now()
}
