// SPDX-License-Identifier: Apache-2.0

use super::*;
use crate::CyralApi;
use durward_identity::AuthError;

/// Knows one client and one refresh token.
struct Service;

fn granted() -> Granted {
    Granted {
        access_token: "access".to_owned(),
        refresh_token: "refresh".to_owned(),
        expires_in_seconds: 300,
        refresh_expires_in_seconds: 36_000,
        session: "session".to_owned(),
        scope: "email profile",
    }
}

impl TokenService for Service {
    fn grant_client(&self, client: Client<'_>) -> Result<Granted, Refused> {
        match (client.id, client.secret) {
            ("sa/default/1", "s+cr/t") => Ok(granted()),
            ("busy", _) => Err(Refused::Other(ErrorKind::Unavailable, "later".to_owned())),
            _ => Err(Refused::Client),
        }
    }

    fn grant_refresh(&self, client: Client<'_>, refresh_token: &str) -> Result<Granted, Refused> {
        self.grant_client(client)?;
        match refresh_token {
            "refresh" => Ok(granted()),
            _ => Err(Refused::RefreshToken),
        }
    }
}

fn ask(path: &str, authorization: Option<&str>, body: &str) -> Answer {
    let asked = Asked {
        method: "POST",
        path,
        query: "",
        authorization,
        body: body.as_bytes(),
        caller: Err(&AuthError::Missing),
        accesses: &durward_access::Accesses::default(),
        tokens: &Service,
    };
    CyralApi::new().unwrap().answer(&asked)
}

fn json_of(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

const PATH: &str = "/v1/users/oidc/token";
const GOOD: &str =
    "grant_type=client_credentials&client_id=sa%2Fdefault%2F1&client_secret=s%2Bcr/t";

#[test]
fn both_grants_answer_as_the_clients_know_it() {
    let camel = GOOD
        .replace("client_id", "clientId")
        .replace("client_secret", "clientSecret");
    let refresh = GOOD.replace("client_credentials", "refresh_token&refresh_token=refresh");
    for body in [GOOD.to_owned(), camel, refresh] {
        let answer = ask(PATH, None, &body);
        assert_eq!(answer.status, 200, "{body}");
        let expected = json!({"access_token": "access", "expires_in": "300",
            "refresh_expires_in": "36000", "refresh_token": "refresh", "token_type": "bearer",
            "not_before_policy": "0", "session_state": "session", "scope": "email profile"});
        assert_eq!(json_of(&answer), expected);
        assert!(has(&answer, "cache-control", "no-store"), "{answer:?}");
    }
}

fn has(answer: &Answer, name: &str, value: &str) -> bool {
    answer
        .headers
        .iter()
        .any(|(key, held)| key == name && held == value)
}

#[test]
fn basic_is_taken_as_well() {
    use base64::Engine as _;
    let basic = |text: &str| {
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        format!("Basic {encoded}")
    };
    let grant = "grant_type=client_credentials";
    for plain in ["sa/default/1:s+cr/t", "sa%2Fdefault%2F1:s%2Bcr%2Ft"] {
        assert_eq!(ask(PATH, Some(&basic(plain)), grant).status, 200, "{plain}");
    }
    let same = format!("{grant}&client_id=sa/default/1");
    assert_eq!(
        ask(PATH, Some(&basic("sa/default/1:s+cr/t")), &same).status,
        200
    );
    let other = format!("{grant}&client_id=sa/default/2");
    let answer = ask(PATH, Some(&basic("sa/default/1:s+cr/t")), &other);
    assert_eq!(
        (answer.status.as_u16(), &json_of(&answer)["error"]),
        (400, &json!("invalid_request"))
    );
    for wrong in ["sa/default/1:no", "sa/default/1", ":"] {
        let answer = ask(PATH, Some(&basic(wrong)), grant);
        assert_eq!(json_of(&answer)["error"], "invalid_client", "{wrong}");
        assert_eq!(answer.status, 401);
        assert!(has(&answer, "www-authenticate", "Basic realm=\"durward\""));
    }
}

#[test]
fn refusals_have_their_codes() {
    let cases = [
        ("", 400, "invalid_request"),
        ("grant_type=client_credentials", 401, "invalid_client"),
        (
            "grant_type=client_credentials&client_id=x&client_secret=y",
            401,
            "invalid_client",
        ),
        (
            "grant_type=client_credentials&client_id=&client_secret=",
            401,
            "invalid_client",
        ),
        (
            "grant_type=magic&client_id=x&client_secret=y",
            400,
            "unsupported_grant_type",
        ),
        (
            "grant_type=password&client_id=x&client_secret=y",
            400,
            "unauthorized_client",
        ),
        (
            "grant_type=refresh_token&client_id=x&client_secret=y",
            400,
            "invalid_request",
        ),
        ("grant_type=a&grant_type=b", 400, "invalid_request"),
        (
            "grant_type=refresh_token&refresh_token=z&client_id=sa/default/1&client_secret=s%2Bcr/t",
            400,
            "invalid_grant",
        ),
        (
            "grant_type=client_credentials&client_id=busy&client_secret=y",
            503,
            "temporarily_unavailable",
        ),
    ];
    for (body, status, code) in cases {
        let answer = ask(PATH, None, body);
        let said = json_of(&answer);
        assert_eq!(
            (answer.status.as_u16(), said["error"].as_str()),
            (status, Some(code)),
            "{body}"
        );
        assert!(said["error_description"].is_string());
        assert!(has(&answer, "cache-control", "no-store"));
        assert!(
            !answer
                .headers
                .iter()
                .any(|(name, _)| name == "www-authenticate")
        );
    }
}

#[test]
fn the_endpoint_for_people_answers_in_the_form_of_oauth() {
    let answer = ask(
        "/auth/realms/default/protocol/openid-connect/token",
        None,
        GOOD,
    );
    assert_eq!(answer.status, 501);
    assert_eq!(json_of(&answer)["error"], "unsupported_grant_type");
}
