// SPDX-License-Identifier: Apache-2.0
//! Guessing, asking for tokens, and being refused.

use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::field::{Ask, Field};

const NATIVE: &str = "/durward/graphql";
/// Transactions that an attack of refused calls may leave in the journal.
const RECORDS_MAX: i64 = 70;

/// Credentials of every kind that do not exist, on every interface.
pub(crate) async fn guesses(field: Arc<Field>) -> anyhow::Result<()> {
    let long = "eyJhbGciOiJSUzI1NiJ9.".to_owned() + &"e".repeat(6_000) + ".c2ln";
    let tokens = [
        "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiIxIn0.c2lnbmF0dXJl".to_owned(),
        "00000000-0000-4000-8000-000000000000".to_owned(),
        "a".repeat(64),
        long,
        "durward_".to_owned() + &"b".repeat(40),
    ];
    let paths = [
        "/graphql",
        "/jupiterone/graphql",
        "/opencti/graphql",
        "/v1/repos",
        "/audit/verify",
    ];
    let body = json!({"query": "{__typename}"}).to_string();
    let ask = |number: usize| {
        let token = tokens.get(number % tokens.len()).map_or("", String::as_str);
        let path = paths.get(number / 2 % paths.len()).copied().unwrap_or("/");
        let ask = Ask::post(path, body.clone()).bearer(token);
        if number.is_multiple_of(7) {
            ask.header("authorization", "Basic YWRtaW46YWRtaW4=")
        } else {
            ask
        }
    };
    field.flood(48, ask).await;
    Ok(())
}

/// Requests for tokens with a wrong secret, and with bodies as large as can be.
pub(crate) async fn token_requests(field: Arc<Field>) -> anyhow::Result<()> {
    let id = field.arsenal.own.json().pointer("/cyral/client_id");
    let id = id.and_then(Value::as_str).unwrap_or_default().to_owned();
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret=");
    let wrong = Bytes::from(form.clone() + "wrong");
    let large = Bytes::from(form.clone() + &"x".repeat(60 << 20));
    let many = Bytes::from(form + "&a=b".repeat(4 << 20).as_str());
    let ask = |number: usize| {
        let body = match number % 8 {
            0 => &large,
            1 => &many,
            _ => &wrong,
        };
        let ask = Ask::post("/v1/users/oidc/token", body.clone());
        ask.header("content-type", "application/x-www-form-urlencoded")
    };
    field.flood(24, ask).await;
    Ok(())
}

/// The newest transaction of the attackers' organization.
async fn newest(field: &Field) -> anyhow::Result<i64> {
    let client = field.client(field.arsenal.own.api_token());
    let asked = tokio::task::spawn_blocking(move || {
        client.graphql(NATIVE, "{ head { sequence } }", &json!({}))
    });
    let answer = asked.await.context("a thread ended")??;
    let sequence = answer
        .pointer("/data/head/sequence")
        .and_then(Value::as_i64);
    sequence.with_context(|| format!("no head: {answer}"))
}

/// What a viewer may not do, in every dialect, as often as it is refused: the journal must not grow
/// by a record for each.
pub(crate) async fn refused(field: Arc<Field>) -> anyhow::Result<()> {
    let before = newest(&field).await?;
    let create = "mutation{createAccount(input:{email:\"a@b\",role:\"Viewer\"}){id}}";
    let entity = "mutation{createEntity(entityKey:\"k\",entityType:\"t\",entityClass:[\"Record\"]){vertex{id}}}";
    let asks = [
        (NATIVE, json!({ "query": create })),
        ("/jupiterone/graphql", json!({ "query": entity })),
        (
            "/persister/synchronization/jobs",
            json!({"source": "api", "scope": "s"}),
        ),
        ("/import/stix", json!({"type": "bundle"})),
        ("/v1/repos", json!({"repo": {"name": "a", "type": "mysql"}})),
        ("/v1/users/groups", json!({"name": "a"})),
    ];
    let token = field.arsenal.viewer.token.clone();
    let ask = |number: usize| match asks.get(number % asks.len()) {
        Some((path, body)) => Ask::post(path, body.to_string()).bearer(&token),
        None => Ask::post("/", ""),
    };
    field.flood(24, ask).await;
    let grown = newest(&field).await? - before;
    anyhow::ensure!(
        grown <= RECORDS_MAX,
        "refused calls left {grown} records in the journal"
    );
    Ok(())
}

/// The same over gRPC, whose keys are another kind of credential.
pub(crate) async fn refused_signed(field: Arc<Field>) -> anyhow::Result<()> {
    let before = newest(&field).await?;
    let key = field.arsenal.viewer.key.clone().context("no key")?;
    let (mut role, mut message) = (Vec::new(), Vec::new());
    durward_testkit::protobuf::put_bytes(&mut role, 2, b"reef");
    durward_testkit::protobuf::put_bytes(&mut message, 2, &role);
    let message = Arc::new(message);
    field
        .swarm(16, |field, _| {
            let (key, message) = (key.clone(), Arc::clone(&message));
            async move {
                while !field.is_over() {
                    super::grpc::signed(&field, &key, "Roles/Create", &message).await?;
                }
                Ok(())
            }
        })
        .await;
    let grown = newest(&field).await? - before;
    anyhow::ensure!(
        grown <= RECORDS_MAX,
        "refused calls left {grown} records in the journal"
    );
    Ok(())
}
