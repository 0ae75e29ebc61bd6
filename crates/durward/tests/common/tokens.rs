// SPDX-License-Identifier: Apache-2.0
//! API keys for tests, and tokens that must not work.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use durward_testkit::Client;
use serde_json::{Value, json};

use super::{JUPITERONE, data};

const KEY: &str = "mutation K($token: TokenInput!, $input: CreateIamTokenInput) {
  createToken(token: $token, input: $input) { id token }
}";
const REVOKE: &str = "mutation R($id: String!) { revokeToken(id: $id) { revoked } }";

/// A policy of one allowing statement; `statement` names actions, and maybe a condition.
pub fn policy(statement: &Value) -> String {
    let mut statement = statement.clone();
    statement["effect"] = json!("ALLOW");
    statement["resources"] = json!(["*"]);
    json!({"permissions": [statement]}).to_string()
}

/// A policy that allows everything.
pub fn allow_all() -> String {
    policy(&json!({"actions": ["*"]}))
}

/// A new key: its id and its secret.
pub fn key(chief: &Client, name: &str, policy: &str, end: Option<&str>) -> (String, String) {
    let token = json!({"name": name, "policy": policy});
    let variables = json!({"token": token, "input": {"expiresAt": end}});
    let made = data(chief, JUPITERONE, KEY, &variables);
    let part = |name: &str| made["createToken"][name].as_str().unwrap().to_owned();
    (part("id"), part("token"))
}

/// Revokes a key.
pub fn revoke(chief: &Client, id: &str) {
    let answer = data(chief, JUPITERONE, REVOKE, &json!({"id": id}));
    assert_eq!(answer["revokeToken"]["revoked"], true, "{answer}");
}

/// A key that was revoked.
pub fn revoked(chief: &Client, name: &str) -> String {
    let (id, token) = key(chief, name, &allow_all(), None);
    revoke(chief, &id);
    token
}

/// A key whose time is over.
pub fn expired(chief: &Client, name: &str) -> String {
    let end = super::in_seconds(2);
    let (_, token) = key(chief, name, &allow_all(), Some(&end));
    super::wait_until(&end);
    token
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// A real token whose header says that it needs no signature.
pub fn unsigned(token: &str) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let mut header = decoded(parts[0]);
    header["alg"] = json!("none");
    format!(
        "{}.{}.",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        parts[1]
    )
}

/// A real token with one more claim, and the signature of the real one.
pub fn tampered(token: &str) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let mut claims = decoded(parts[1]);
    claims["admin"] = json!(true);
    format!(
        "{}.{}.{}",
        parts[0],
        URL_SAFE_NO_PAD.encode(claims.to_string()),
        parts[2]
    )
}
