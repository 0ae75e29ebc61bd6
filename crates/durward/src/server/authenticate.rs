// SPDX-License-Identifier: Apache-2.0
//! From a request to its caller.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, header, request};
use durward_identity::{AuthError, Caller, Presented};

use crate::server::Server;
use crate::server::connections::Connection;
use crate::server::observe::RequestId;
use crate::server::problem::Problem;
use crate::server::rates::{self, TooMany};

/// Headers by which clients name the organization that they mean.
const ACCOUNT_HEADERS: [&str; 3] = [
    "jupiterone-account",
    "lifeomic-account",
    "sonraisecurity-com-org",
];

/// What is known of a request beside its credential.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) request_id: String,
    address: String,
    user_agent: String,
    connection: Option<Arc<Connection>>,
}

impl Source {
    pub(crate) fn of(parts: &request::Parts) -> Self {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let request_id = parts.extensions.get::<RequestId>();
        Self {
            request_id: request_id.map_or_else(String::new, |id| id.0.clone()),
            address: address.map_or_else(String::new, |info| info.0.ip().to_string()),
            user_agent: text(&parts.headers, header::USER_AGENT.as_str()).to_owned(),
            connection: parts.extensions.get::<Arc<Connection>>().cloned(),
        }
    }

    /// A caller of an organization came over this connection.
    pub(crate) fn prove(&self, organization: &str) {
        if let Some(connection) = &self.connection {
            connection.prove(organization);
        }
    }

    /// Address of the client.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What a request carries, for the authentication below.
    pub(crate) fn presented<'a>(
        &'a self,
        authorization: Option<&'a str>,
        accounts: &'a [&'a str],
    ) -> Presented<'a> {
        Presented {
            authorization,
            accounts,
            user_agent: &self.user_agent,
            source_address: &self.address,
            request_id: &self.request_id,
        }
    }
}

/// Finds out who asks.
///
/// # Errors
/// Why the caller is not let in.
pub(crate) fn caller(
    server: &Server,
    headers: &HeaderMap,
    source: &Source,
) -> Result<Caller, AuthError> {
    let accounts: Vec<&str> = ACCOUNT_HEADERS
        .iter()
        .map(|name| text(headers, name))
        .filter(|value| !value.is_empty())
        .collect();
    let authorization = headers
        .get(header::AUTHORIZATION)
        .map(|value| value.to_str());
    // A value that is no text cannot be a credential; it is not the same as none.
    let authorization = authorization.map(|value| value.unwrap_or(""));
    let presented = source.presented(authorization, &accounts);
    let result = server
        .organizations
        .authenticate(&presented, server.clock.now());
    match &result {
        Ok(caller) => source.prove(caller.organization().id().as_str()),
        Err(error) => {
            let reason = error.reason();
            metrics::counter!("durward_authentication_failures_total", "reason" => reason)
                .increment(1);
        }
    }
    result
}

/// As [`caller`], for Durward's own interface; the request is counted.
///
/// # Errors
/// The answer for a caller who is not let in, or asks too often.
pub(crate) fn require(server: &Server, parts: &request::Parts) -> Result<Caller, Problem> {
    let source = Source::of(parts);
    let caller = caller(server, &parts.headers, &source).map_err(|error| Problem::of(&error))?;
    let verdict = rates::count_one(server, &caller);
    if verdict.allowed {
        Ok(caller)
    } else {
        let error = TooMany(verdict.retry_after_seconds);
        Err(Problem::of(&error).retry_after(error.0))
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}
