// SPDX-License-Identifier: Apache-2.0
//! `durward audit` and `durward keys`, with and without a server.

use durward_testkit::Server;
use serde_json::{Value, json};

use crate::common::{self, NATIVE, count, create, data, done, done_at, jupiterone, run, text_of};

fn head_hash(server: &Server) -> String {
    let head = data(&server.client(), NATIVE, "{ head { hash } }", &json!({}));
    head["head"]["hash"].as_str().unwrap().to_owned()
}

#[test]
fn the_audit_log_verifies_and_can_be_read() {
    let mut server = common::start();
    let client = jupiterone(&server);
    create(
        &client,
        "a",
        "desk",
        "Device",
        &json!({"displayName": "One"}),
    );
    let early = head_hash(&server);
    create(
        &client,
        "b",
        "desk",
        "Device",
        &json!({"displayName": "Two"}),
    );
    let sound = done_at(&server, &["audit", "verify", "--expect-head", &early]);
    assert!(sound.starts_with("the audit log is sound: "), "{sound}");
    let export = done_at(&server, &["audit", "export"]);
    let lines: Vec<Value> = export
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let sequences: Vec<u64> = lines
        .iter()
        .map(|line| line["sequence"].as_u64().unwrap())
        .collect();
    let expected: Vec<u64> = (1..=sequences.len() as u64).collect();
    assert_eq!(sequences, expected);
    let created = lines
        .iter()
        .filter(|line| line["activity"] == "entity created");
    let created: Vec<&Value> = created.collect();
    assert_eq!(created.len(), 2, "{export}");
    for line in created {
        assert!(
            line["actor"].is_string() && line["credential"].is_string(),
            "{line}"
        );
        assert_eq!(line["sourceAddress"], "127.0.0.1", "{line}");
        assert_eq!(line["changes"][0]["count"], 1, "{line}");
    }
    let later = done_at(&server, &["audit", "export", "--from", "3"]);
    assert!(export.ends_with(&later) && later.len() < export.len());
    no_secret_in(&server, &export);
    let wrong = "1".repeat(64);
    let token = server.credentials().api_token();
    let at = ["--url", server.url(), "--token", token];
    let ran = run(&[&["audit", "verify", "--expect-head", &wrong][..], &at].concat());
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{}", ran.err);
    server.stop().unwrap();
    let folder = text_of(&server.data());
    let sound = done(&[
        "audit",
        "verify",
        "--data",
        &folder,
        "--expect-head",
        &early,
    ]);
    assert!(sound.starts_with("the audit log is sound: "), "{sound}");
    let offline = done(&["audit", "export", "--data", &folder]);
    assert!(
        offline.starts_with(&export),
        "the export of the folder differs"
    );
    let ran = run(&[
        "audit",
        "verify",
        "--data",
        &folder,
        "--expect-head",
        &wrong,
    ]);
    assert_eq!(ran.code, 1, "{}", ran.out);
}

/// None of the first credentials stands in a text.
fn no_secret_in(server: &Server, text: &str) {
    let json = server.credentials().json();
    for secret in [
        "/admin/password",
        "/api_token",
        "/strongdm/secret_key",
        "/cyral/client_secret",
        "/jupiterone/api_key",
        "/opencti/token",
        "/sonrai/token",
    ] {
        let value = json.pointer(secret).and_then(Value::as_str).unwrap();
        assert!(!text.contains(value), "{secret} is in the text");
    }
}

#[test]
fn an_altered_journal_is_found_out() {
    let mut server = common::start();
    let client = jupiterone(&server);
    for number in 0..20 {
        let properties = json!({"displayName": format!("desk {number}")});
        create(
            &client,
            &format!("d{number}"),
            "desk",
            "Device",
            &properties,
        );
    }
    server.stop().unwrap();
    let folder = text_of(&server.data());
    done(&["audit", "verify", "--data", &folder]);
    let journal = journal_of(&server);
    let mut bytes = std::fs::read(&journal).unwrap();
    // Some bytes in the middle of the last page that holds records.
    let at = bytes
        .windows(4)
        .rposition(|window| window == [0x28, 0xb5, 0x2f, 0xfd])
        .unwrap()
        + 12;
    bytes[at] ^= 0xff;
    std::fs::write(&journal, bytes).unwrap();
    let ran = run(&["audit", "verify", "--data", &folder]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(
        ran.err.contains("transaction"),
        "no transaction is named: {}",
        ran.err
    );
}

/// The file of the journal of the only organization.
fn journal_of(server: &Server) -> std::path::PathBuf {
    fn visit(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, found);
            } else if std::fs::read(&path)
                .unwrap()
                .starts_with(b"SQLite format 3\0")
            {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    visit(&server.data(), &mut found);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn a_rotated_master_key_opens_everything() {
    let mut server = common::start();
    create(&jupiterone(&server), "a", "desk", "Device", &json!({}));
    server.stop().unwrap();
    let folder = text_of(&server.data());
    let key = format!("{folder}.key");
    let old = std::fs::read(&key).unwrap();
    let said = done(&["keys", "rotate", "--data", &folder]);
    assert!(said.starts_with("the new master key is "), "{said}");
    let new = std::fs::read(&key).unwrap();
    assert_ne!(old, new);
    done(&["audit", "verify", "--data", &folder]);
    server.restart().unwrap();
    assert_eq!(
        count(&jupiterone(&server), "FIND desk AS d RETURN count(d)"),
        1
    );
    server.stop().unwrap();
    done(&["keys", "rotate", "--data", &folder]);
    std::fs::write(&key, &old).unwrap();
    let ran = run(&["audit", "verify", "--data", &folder]);
    assert_eq!(
        ran.code, 1,
        "a key of two rotations ago opens the folder: {}",
        ran.out
    );
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
}
