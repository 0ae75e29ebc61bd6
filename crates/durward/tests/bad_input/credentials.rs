// SPDX-License-Identifier: Apache-2.0
//! Credentials that must not work, at every kind of door. `authorization.rs` walks all routes.

use durward_testkit::Client;
use serde_json::json;

use crate::common::{
    self, JOBS, JUPITERONE, NATIVE, OPENCTI, assert_refused, jupiterone, second_organization,
    tokens,
};

const SENTENCE: &str = "authentication failed";

#[test]
fn all_are_refused_with_one_sentence_that_tells_nothing() {
    let mut server = common::start();
    let second = second_organization(&mut server, "Elsewhere");
    let chief = jupiterone(&server);
    let account = server.credentials().jupiterone().0;
    let real = server.credentials().api_token();
    let bearer = |token: &str| server.anonymous().with_token(token);
    let foreign = bearer(second.jupiterone().1).with_header("JupiterOne-Account", account);
    let clients = [
        ("another organization", foreign),
        ("expired", bearer(&tokens::expired(&chief, "short"))),
        ("revoked", bearer(&tokens::revoked(&chief, "ended"))),
        ("alg none", bearer(&tokens::unsigned(real))),
        ("tampered", bearer(&tokens::tampered(real))),
        ("cut", bearer(&real[..real.len() - 4])),
        (
            "two header parts",
            server
                .anonymous()
                .with_header("authorization", "Bearer a b"),
        ),
    ];
    for (name, client) in &clients {
        refused_everywhere(name, client);
    }
    // The same key still works where it belongs.
    let own =
        bearer(second.jupiterone().1).with_header("JupiterOne-Account", second.jupiterone().0);
    assert!(common::count(&own, "FIND * AS x RETURN count(x)") > 0);
}

fn refused_everywhere(name: &str, client: &Client) {
    let graphql = [
        (
            NATIVE,
            "{ head { hash } }",
            401,
            "UNAUTHENTICATED",
            SENTENCE,
        ),
        (
            JUPITERONE,
            "{ entityCount }",
            401,
            "UNAUTHENTICATED",
            SENTENCE,
        ),
        (
            OPENCTI,
            "{ me { id } }",
            200,
            "AUTH_REQUIRED",
            "You must be logged in",
        ),
    ];
    for (path, document, status, code, sentence) in graphql {
        let answer = client.post(path, &json!({"query": document})).unwrap();
        assert_eq!(answer.status, status, "{name} at {path}: {}", answer.body);
        assert_refused(&answer.json().unwrap(), code, sentence);
    }
    let sync = client
        .post(JOBS, &json!({"source": "api", "scope": "x"}))
        .unwrap();
    assert_eq!(sync.status, 401, "{name}: {}", sync.body);
    assert_eq!(
        sync.json().unwrap()["error"]["code"],
        "UNAUTHORIZED",
        "{name}"
    );
    for answer in [
        client.get("/audit/verify").unwrap(),
        client
            .post("/import/stix", &json!({"type": "bundle", "objects": []}))
            .unwrap(),
    ] {
        assert_eq!(answer.status, 401, "{name}: {}", answer.body);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        assert_eq!(answer.json().unwrap()["detail"], SENTENCE, "{name}");
    }
}
