// SPDX-License-Identifier: Apache-2.0
//! The command line: 2 for wrong usage, 1 for what failed, one sentence that says what to do.

use std::process::Command;

use durward_testkit::Server;

use crate::common::{self, run, text_of};

/// Asserts a failure with one sentence that holds all the parts.
fn fails(words: &[&str], parts: &[&str]) {
    fails_with(1, words, parts);
}

fn fails_with(code: i32, words: &[&str], parts: &[&str]) {
    let ran = run(words);
    assert_eq!(ran.code, code, "{words:?}: {} {}", ran.out, ran.err);
    assert_eq!(
        ran.err.trim_end().lines().count(),
        1,
        "{words:?}: {}",
        ran.err
    );
    assert!(ran.err.starts_with("durward: "), "{words:?}: {}", ran.err);
    for part in parts {
        assert!(
            ran.err.contains(part),
            "{words:?}: no {part:?} in {}",
            ran.err
        );
    }
    assert!(!ran.err.contains("panicked"), "{words:?}: {}", ran.err);
}

#[test]
fn wrong_usage_ends_with_2() {
    for words in [
        &[][..],
        &["fly"],
        &["init"],
        &["init", "--data", "x"],
        &["serve"],
        &["query"],
        &["query", "FIND *", "--format", "poem"],
        &["import", "stix"],
        &["import", "songs", "x.json"],
        &["audit"],
        &["audit", "export", "--from", "many", "--data", "x"],
        &["org", "delete", "--data", "x", "--org", "y"],
        &["serve", "--data", "x", "--tls-cert", "c.pem"],
        &[
            "serve",
            "--data",
            "x",
            "--tls-cert",
            "c",
            "--tls-key",
            "k",
            "--plaintext",
        ],
        &["schema", "nothing"],
        &["config", "check"],
    ] {
        let ran = run(words);
        assert_eq!(ran.code, 2, "{words:?}: {}", ran.err);
        let helps = ran.err.contains("Usage: durward") || ran.err.contains("try '--help'");
        assert!(helps, "{words:?}: {}", ran.err);
        assert!(ran.out.is_empty(), "{words:?}: {}", ran.out);
    }
    for words in [&["--help"][..], &["--version"], &["query", "--help"]] {
        assert_eq!(run(words).code, 0, "{words:?}");
    }
}

#[test]
fn failures_end_with_1_and_say_what_to_do() {
    let server = common::start();
    let (data, url, token) = (
        text_of(&server.data()),
        server.url(),
        server.credentials().api_token(),
    );
    let empty = server.data().with_file_name("empty");
    std::fs::create_dir(&empty).unwrap();
    let empty = text_of(&empty);
    let missing = text_of(&server.data().with_file_name("missing"));
    let at = ["--url", url, "--token", token];
    let query = |words: &[&'static str]| {
        let mut all = vec!["query"];
        all.extend(words);
        all.extend(at);
        all.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let failing = |words: Vec<String>, parts: &[&str]| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        fails(&words, parts);
    };
    failing(query(&["FIND"]), &["line 1 column 5"]);
    failing(query(&["FIND *", "--at", "yesterday"]), &["yesterday"]);
    failing(query(&["FIND", "--explain"]), &["line 1 column 5"]);
    fails_with(2, &["query", "FIND *"], &["--url", "--data"]);
    fails_with(2, &["query", "FIND *", "--url", url], &["--token"]);
    let both = ["query", "FIND *", "--url", url, "--data", &missing];
    fails_with(2, &both, &["not both"]);
    // What is exported for the session does not get in the way of a folder that is named.
    let mut exported = Command::new(common::binary());
    exported.args(["query", "FIND *", "--data", &missing]);
    let exported = exported.env("DURWARD_URL", url).output().unwrap();
    let said = String::from_utf8_lossy(&exported.stderr);
    assert!(said.contains("durward init"), "{said}");
    fails(
        &["query", "FIND *", "--url", url, "--token", "x"],
        &["authentication failed"],
    );
    let nobody = "http://127.0.0.1:9";
    fails(
        &["query", "FIND *", "--url", nobody, "--token", token],
        &["cannot be reached", "serve"],
    );
    fails(
        &["query", "FIND *", "--data", &missing],
        &["missing", "durward init"],
    );
    fails(
        &["query", "FIND *", "--data", &empty],
        &["not a data folder", "durward init"],
    );
    fails(&["query", "FIND *", "--data", &data], &["in use by"]);
    fails(&["serve", "--data", &empty], &["not a data folder"]);
    fails(
        &[
            "init",
            "--data",
            &data,
            "--org",
            "x",
            "--admin",
            "x@x.example",
        ],
        &["not empty"],
    );
    fails(
        &[
            "init", "--data", &missing, "--org", "x", "--admin", "no body",
        ],
        &["address"],
    );
    fails(
        &["import", "graph", &missing, at[0], at[1], at[2], at[3]],
        &["missing"],
    );
    fails(
        &["import", "stix", &missing, at[0], at[1], at[2], at[3]],
        &["missing"],
    );
    fails(
        &["restore", "--from", &empty, "--data", &missing],
        &["empty"],
    );
    fails(
        &[
            "audit",
            "verify",
            "--expect-head",
            "zz",
            at[0],
            at[1],
            at[2],
            at[3],
        ],
        &["64"],
    );
    fails(&["keys", "rotate", "--data", &data], &["in use by"]);
    fails(&["config", "check", &missing], &["missing"]);
    assert!(
        !std::path::Path::new(&missing).exists(),
        "a failed command left a folder"
    );
}

#[test]
fn a_server_that_would_be_unsafe_does_not_start() {
    let mut server = common::start();
    server.stop().unwrap();
    let data = text_of(&server.data());
    let file = server.data().with_file_name("bad.toml");
    std::fs::write(&file, "[server]\nlisten_on = \"127.0.0.1:0\"\n").unwrap();
    let file = text_of(&file);
    fails_to_serve(
        &["--listen", "0.0.0.0:0"],
        &data,
        &["not a loopback", "--tls-cert"],
    );
    fails_to_serve(&["--config", &file], &data, &["listen_on"]);
    fails_to_serve(&["--listen", "nowhere"], &data, &["nowhere"]);
    let absent = text_of(&server.data().with_file_name("absent.pem"));
    fails_to_serve(
        &["--tls-cert", &absent, "--tls-key", &absent],
        &data,
        &["absent.pem"],
    );
    fails(&["config", "check", &file], &["listen_on"]);
    without_key(&server, &data);
    server.restart().unwrap();
}

fn fails_to_serve(words: &[&str], data: &str, parts: &[&str]) {
    let mut all = vec!["serve", "--data", data];
    all.extend(words);
    let mut command = Command::new(common::binary());
    let ran = common::run_command(command.args(&all).env("DURWARD_LOG", "off"));
    assert_eq!(ran.code, 1, "{all:?}: {} {}", ran.out, ran.err);
    assert!(ran.err.starts_with("durward: "), "{all:?}: {}", ran.err);
    for part in parts {
        assert!(
            ran.err.contains(part),
            "{all:?}: no {part:?} in {}",
            ran.err
        );
    }
}

/// Without its master key a folder stays closed, and is not harmed by the attempt.
fn without_key(server: &Server, data: &str) {
    let key = format!("{data}.key");
    let aside = text_of(&server.data().with_file_name("aside.key"));
    std::fs::rename(&key, &aside).unwrap();
    fails_to_serve(&["--listen", "127.0.0.1:0"], data, &["data.key"]);
    std::fs::rename(&aside, &key).unwrap();
}
