// SPDX-License-Identifier: Apache-2.0
//! The token endpoint: client credentials and refresh tokens for access tokens, with the errors
//! of RFC 6749, section 5.2.

mod form;

use durward_model::ErrorKind;
use http::{StatusCode, header};
use serde_json::{Value, json};

use self::form::Form;
use crate::{Answer, Asked};

/// A client, as it identified itself.
#[derive(Clone, Copy)]
pub struct Client<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its secret.
    pub secret: &'a str,
}

impl std::fmt::Debug for Client<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("Client");
        debug.field("id", &self.id).finish_non_exhaustive()
    }
}

/// Tokens just granted.
#[derive(Clone)]
pub struct Granted {
    /// The access token.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: String,
    /// Life of the access token in seconds.
    pub expires_in_seconds: u64,
    /// What is left of the life of the refresh token, in seconds.
    pub refresh_expires_in_seconds: u64,
    /// Id of the session that both belong to.
    pub session: String,
    /// What they are said to be for.
    pub scope: &'static str,
}

impl std::fmt::Debug for Granted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("Granted");
        debug
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

/// Why no token is granted.
#[derive(Debug)]
pub enum Refused {
    /// The client is unknown, its secret is wrong, or it may not be used any more.
    Client,
    /// The refresh token is not good, not good any more, or another client's.
    RefreshToken,
    /// Something else, of this kind, with a sentence for the client.
    Other(ErrorKind, String),
}

/// Whoever grants tokens.
pub trait TokenService {
    /// Tokens for a client that proves itself.
    ///
    /// # Errors
    /// Why not.
    fn grant_client(&self, client: Client<'_>) -> Result<Granted, Refused>;

    /// A new access token for a refresh token; the refresh token stays as it is.
    ///
    /// # Errors
    /// Why not.
    fn grant_refresh(&self, client: Client<'_>, refresh_token: &str) -> Result<Granted, Refused>;
}

/// Answers a request for a token. Where this build has no such endpoint, it says so in the form
/// that clients of token endpoints understand.
pub(crate) fn answer(asked: &Asked<'_>, is_executed: bool) -> Answer {
    if !is_executed {
        let why = "signing in of people is not supported";
        let error = OauthError::new("unsupported_grant_type", why);
        return error.with_status(StatusCode::NOT_IMPLEMENTED).answer();
    }
    match grant(asked) {
        Ok(granted) => with_oauth_headers(Answer::json(&body(&granted))),
        Err(error) => error.answer(),
    }
}

fn grant(asked: &Asked<'_>) -> Result<Granted, OauthError> {
    let form = Form::parse(asked.body)?;
    let basic = form::basic(asked.authorization)?;
    let uses_basic = basic.is_some();
    let grant_type = form.required("grant_type")?;
    let (id, secret) = form.client(basic)?;
    let client = Client {
        id: &id,
        secret: &secret,
    };
    let granted = match grant_type {
        "client_credentials" => asked.tokens.grant_client(client),
        "refresh_token" => {
            let refresh_token = form.required("refresh_token")?;
            asked.tokens.grant_refresh(client, refresh_token)
        }
        "authorization_code" | "password" | "implicit" => {
            let why = "this endpoint grants client_credentials and refresh_token only";
            return Err(OauthError::new("unauthorized_client", why));
        }
        _ => {
            let why = "this endpoint grants client_credentials and refresh_token only";
            return Err(OauthError::new("unsupported_grant_type", why));
        }
    };
    granted.map_err(|refused| OauthError::of(&refused, uses_basic))
}

/// The answer as the clients know it: numbers are texts here.
fn body(granted: &Granted) -> Value {
    json!({
        "access_token": granted.access_token,
        "expires_in": granted.expires_in_seconds.to_string(),
        "refresh_expires_in": granted.refresh_expires_in_seconds.to_string(),
        "refresh_token": granted.refresh_token,
        "token_type": "bearer",
        "not_before_policy": "0",
        "session_state": granted.session,
        "scope": granted.scope,
    })
}

/// An error of the token endpoint.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OauthError {
    code: &'static str,
    description: String,
    status: StatusCode,
    /// Whether the client used HTTP Basic, and must be told so again.
    uses_basic: bool,
}

impl OauthError {
    pub(crate) fn new(code: &'static str, description: impl Into<String>) -> Self {
        Self {
            code,
            description: description.into(),
            status: StatusCode::BAD_REQUEST,
            uses_basic: false,
        }
    }

    pub(crate) fn invalid_request(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }

    pub(crate) fn invalid_client(uses_basic: bool) -> Self {
        Self {
            uses_basic,
            status: StatusCode::UNAUTHORIZED,
            ..Self::new("invalid_client", "the client id or its secret is wrong")
        }
    }

    fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    fn of(refused: &Refused, uses_basic: bool) -> Self {
        match refused {
            Refused::Client => Self::invalid_client(uses_basic),
            Refused::RefreshToken => {
                let why = "the refresh token is unknown, expired, revoked, or another client's";
                Self::new("invalid_grant", why)
            }
            Refused::Other(kind, sentence) => {
                let code = match kind {
                    ErrorKind::Unavailable | ErrorKind::RateLimited | ErrorKind::Timeout => {
                        "temporarily_unavailable"
                    }
                    ErrorKind::Internal => "server_error",
                    _ => "invalid_request",
                };
                Self::new(code, sentence.clone()).with_status(crate::error::status(*kind))
            }
        }
    }

    fn answer(self) -> Answer {
        let body = json!({"error": self.code, "error_description": self.description});
        let answer = with_oauth_headers(Answer::with_status(self.status, &body));
        if self.uses_basic {
            return answer.with_header(header::WWW_AUTHENTICATE, "Basic realm=\"durward\"");
        }
        answer
    }
}

fn with_oauth_headers(answer: Answer) -> Answer {
    let answer = answer.with_header(header::CACHE_CONTROL, "no-store");
    answer.with_header(header::PRAGMA, "no-cache")
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]
mod tests;
