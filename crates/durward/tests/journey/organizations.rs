// SPDX-License-Identifier: Apache-2.0
//! Several organizations in one folder.

use serde_json::{Value, json};

use crate::common::{
    self, JUPITERONE, NATIVE, OPENCTI, code, count, create, data, done, done_at, jupiterone, run,
    second_organization, text_of,
};

#[test]
fn an_organization_lives_and_ends_without_touching_another() {
    let mut server = common::start();
    let second = second_organization(&mut server, "Elsewhere");
    let folder = text_of(&server.data());
    create(
        &jupiterone(&server),
        "mine",
        "desk",
        "Device",
        &json!({"displayName": "Mine"}),
    );
    let theirs = server.anonymous().with_token(second.jupiterone().1);
    assert_eq!(count(&theirs, "FIND desk AS d RETURN count(d)"), 0);
    create(
        &theirs,
        "theirs",
        "chair",
        "Device",
        &json!({"displayName": "Theirs"}),
    );
    assert_eq!(
        count(&jupiterone(&server), "FIND chair AS d RETURN count(d)"),
        0
    );
    let name = data(&theirs, NATIVE, "{ organization { name } }", &json!({}));
    assert_eq!(name["organization"]["name"], "Elsewhere");

    server.stop().unwrap();
    let ran = run(&["query", "FIND *", "--data", &folder]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.err.contains("--org"), "{}", ran.err);
    let listed = done(&["org", "list", "--data", &folder, "--json"]);
    let listed: Vec<Value> = listed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(listed.len(), 2);
    let again = [
        "org",
        "create",
        "--data",
        &folder,
        "--org",
        "Elsewhere",
        "--admin",
        "a@b.example",
    ];
    let ran = run(&again);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.err.contains("Elsewhere"), "{}", ran.err);
    exports(&folder, &second);
    suspends(&mut server, &folder, &second);
    deletes(&mut server, &folder, &second);
}

fn exports(folder: &str, second: &durward_testkit::Credentials) {
    let exported = done(&["org", "export", "--data", folder, "--org", "Elsewhere"]);
    let chair = exported
        .lines()
        .find(|line| line.contains("\"theirs\""))
        .unwrap();
    let chair: Value = serde_json::from_str(chair).unwrap();
    assert_eq!(
        (&chair["_type"], &chair["displayName"]),
        (&json!("chair"), &json!("Theirs"))
    );
    assert!(!exported.contains("Mine"), "{exported}");
    assert!(!exported.contains(second.api_token()));
    for hidden in [
        "passwordHash",
        "secretHash",
        "sealedSecret",
        "jupiteroneToken",
    ] {
        assert!(!exported.contains(hidden), "{hidden} is exported");
    }
}

fn suspends(
    server: &mut durward_testkit::Server,
    folder: &str,
    second: &durward_testkit::Credentials,
) {
    done(&["org", "suspend", "--data", folder, "--org", "Elsewhere"]);
    assert!(done(&["org", "list", "--data", folder]).contains("suspended"));
    server.restart().unwrap();
    for (path, token, document, expected) in [
        (
            NATIVE,
            second.api_token(),
            "{ head { hash } }",
            "UNAUTHENTICATED",
        ),
        (
            JUPITERONE,
            second.jupiterone().1,
            "{ entityCount }",
            "UNAUTHENTICATED",
        ),
        (OPENCTI, second.opencti(), "{ me { id } }", "AUTH_REQUIRED"),
    ] {
        let client = server.anonymous().with_token(token);
        let answer = client.graphql(path, document, &json!({})).unwrap();
        assert_eq!(code(&answer), expected, "{answer}");
    }
    assert_eq!(
        count(&jupiterone(server), "FIND desk AS d RETURN count(d)"),
        1
    );
    server.stop().unwrap();
    done(&["org", "resume", "--data", folder, "--org", "Elsewhere"]);
    server.restart().unwrap();
    let theirs = server.anonymous().with_token(second.jupiterone().1);
    assert_eq!(count(&theirs, "FIND chair AS d RETURN count(d)"), 1);
    server.stop().unwrap();
}

fn deletes(
    server: &mut durward_testkit::Server,
    folder: &str,
    second: &durward_testkit::Credentials,
) {
    let words = [
        "org",
        "delete",
        "--data",
        folder,
        "--org",
        "Elsewhere",
        "--confirm",
    ];
    let ran = run(&[&words[..], &["elsewhere"]].concat());
    assert_eq!(ran.code, 1, "{}", ran.out);
    done(&[&words[..], &["Elsewhere"]].concat());
    assert_eq!(done(&["org", "list", "--data", folder]).lines().count(), 1);
    let id = second.organization_id();
    let left = std::fs::read_dir(server.data()).unwrap().flatten();
    let left: Vec<_> = left
        .filter(|entry| entry.file_name().to_string_lossy().contains(id))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    server.restart().unwrap();
    let theirs = server.anonymous().with_token(second.api_token());
    let answer = theirs
        .graphql(NATIVE, "{ head { hash } }", &json!({}))
        .unwrap();
    assert_eq!(code(&answer), "UNAUTHENTICATED", "{answer}");
    assert_eq!(
        count(&jupiterone(server), "FIND desk AS d RETURN count(d)"),
        1
    );
    done_at(server, &["audit", "verify"]);
}
