// SPDX-License-Identifier: Apache-2.0
//! Backup while the server is busy, and what comes of it.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::common::{self, count, create, done, done_at, jupiterone, rows, run, sample, text_of};

#[test]
fn a_backup_of_a_busy_server_restores_to_the_same_answers() {
    let mut server = common::start();
    let client = jupiterone(&server);
    let files = [
        sample("company/entities.ndjson"),
        sample("company/relationships.ndjson"),
    ];
    done_at(
        &server,
        &["import", "graph", &files[0], &files[1], "--scope", "m"],
    );
    create(&client, "before", "desk", "Device", &json!({}));
    let folder = text_of(&server.data());
    let copy = format!("{folder}.copy");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0_u32.. {
                create(
                    &client,
                    &format!("busy-{number}"),
                    "busy_item",
                    "Record",
                    &json!({}),
                );
                if stop.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        let ran = run(&["backup", "--data", &folder, "--to", &copy]);
        stop.store(true, Ordering::Relaxed);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.out.contains("master key is not part"), "{}", ran.out);
    });
    create(&client, "after", "desk", "Device", &json!({}));
    let again = run(&["backup", "--data", &folder, "--to", &copy]);
    assert_eq!(again.code, 1, "a backup was overwritten: {}", again.out);
    let query = "FIND Person AS p THAT IS User AS u RETURN p.displayName, u.displayName \
        ORDER BY p.displayName, u.displayName";
    let people = rows(&client, query);
    let busy = count(&client, "FIND busy_item AS x RETURN count(x)");

    let restored = format!("{folder}-restored");
    done(&["restore", "--from", &copy, "--data", &restored]);
    let ran = run(&["audit", "verify", "--data", &restored]);
    assert_eq!(
        ran.code, 1,
        "a restored folder opened without the master key"
    );
    std::fs::copy(format!("{folder}.key"), format!("{restored}.key")).unwrap();
    let verified = done(&["audit", "verify", "--data", &restored]);
    assert!(
        verified.starts_with("the audit log is sound: "),
        "{verified}"
    );
    let offline = |query: &str| {
        done(&["query", query, "--format", "json", "--data", &restored])
            .parse::<serde_json::Value>()
            .unwrap()
    };
    assert_eq!(offline(query), json!(people));
    let desks = offline("FIND desk AS d RETURN d._key AS key");
    assert_eq!(
        desks,
        json!([{"key": "before"}]),
        "what came later is not in the copy"
    );
    let copied = offline("FIND busy_item AS x RETURN count(x) AS n")[0]["n"]
        .as_u64()
        .unwrap();
    assert!(copied <= busy, "{copied} of {busy}");

    // The restored folder serves the same credentials.
    server.stop().unwrap();
    std::fs::rename(&folder, format!("{folder}-old")).unwrap();
    std::fs::rename(&restored, &folder).unwrap();
    let ran = run(&["audit", "verify", "--data", &folder]);
    assert!(ran.err.contains("--accept-rollback"), "{}", ran.err);
    done(&["audit", "verify", "--data", &folder, "--accept-rollback"]);
    server.restart().unwrap();
    assert_eq!(rows(&jupiterone(&server), query), people);
    create(&jupiterone(&server), "new", "desk", "Device", &json!({}));
    done_at(&server, &["audit", "verify"]);
}
