// SPDX-License-Identifier: Apache-2.0
//! `durward keys retire`, and data that is older than what is remembered of it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::json;

use crate::common::{self, count, create, done, jupiterone, run, text_of};

#[test]
fn retired_keys_end_tokens_and_the_audit_log_stays_sound() {
    let mut server = common::start();
    let token = server.credentials().api_token().to_owned();
    let asks = |server: &durward_testkit::Server| {
        let client = server.anonymous().with_token(&token);
        client.get("/audit/verify").unwrap().status
    };
    assert_eq!(asks(&server), 200);
    server.stop().unwrap();
    let folder = text_of(&server.data());
    for key in ["head", "token", "grant"] {
        let said = done(&["keys", "retire", key, "--data", &folder]);
        assert!(said.starts_with(&format!("Testbed: {key} key ")), "{said}");
    }
    let sound = done(&["audit", "verify", "--data", &folder]);
    assert!(sound.starts_with("the audit log is sound: "), "{sound}");
    let export = done(&["audit", "export", "--data", &folder]);
    assert!(export.contains("head key retired"), "{export}");
    server.restart().unwrap();
    assert_eq!(asks(&server), 401);
    // Keys that are not signed stay.
    create(&jupiterone(&server), "a", "desk", "Device", &json!({}));
    server.stop().unwrap();
    done(&["audit", "verify", "--data", &folder]);
    let ran = run(&["keys", "retire", "other", "--data", &folder]);
    assert_eq!(ran.code, 2, "{}", ran.err);
}

#[test]
fn an_older_copy_is_refused_until_it_is_accepted() {
    let mut server = common::start();
    create(&jupiterone(&server), "a", "desk", "Device", &json!({}));
    server.stop().unwrap();
    let folder = text_of(&server.data());
    let older = format!("{folder}.older");
    copy(Path::new(&folder), Path::new(&older));
    server.restart().unwrap();
    create(&jupiterone(&server), "b", "desk", "Device", &json!({}));
    server.stop().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::rename(&older, &folder).unwrap();
    for words in [
        &["audit", "verify", "--data", &folder][..],
        &["query", "FIND desk", "--data", &folder],
        &["serve", "--listen", "127.0.0.1:0", "--data", &folder],
    ] {
        let ran = run(words);
        assert_eq!(ran.code, 1, "{words:?}: {}", ran.out);
        assert!(
            ran.err.contains("--accept-rollback"),
            "{words:?}: {}",
            ran.err
        );
    }
    let accepted = ["audit", "verify", "--data", &folder, "--accept-rollback"];
    let sound = done(&accepted);
    assert!(sound.starts_with("the audit log is sound: "), "{sound}");
    server.restart().unwrap();
    let desks = count(&jupiterone(&server), "FIND desk AS d RETURN count(d)");
    assert_eq!(desks, 1);
}

#[test]
fn a_used_data_folder_is_the_owners_alone() {
    fn check(path: &Path) {
        let mode = std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let private = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, private, "{}", path.display());
        if path.is_dir() {
            for entry in std::fs::read_dir(path).unwrap() {
                check(&entry.unwrap().path());
            }
        }
    }
    let server = common::start();
    let client = jupiterone(&server);
    let job = common::start_job(&client, "modes", "DIFF");
    let upload = json!({"entities": [{"_key": "k", "_type": "t", "_class": "Record"}]});
    common::job_call(&client, &job, "upload", &upload);
    check(&server.data());
    let folder = text_of(&server.data());
    let backup = format!("{folder}.backup");
    done(&["backup", "--data", &folder, "--to", &backup]);
    check(Path::new(&backup));
    check(Path::new(&format!("{folder}.key")));
    check(Path::new(&format!("{folder}.head")));
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}
