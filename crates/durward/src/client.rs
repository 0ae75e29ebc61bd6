// SPDX-License-Identifier: Apache-2.0
//! The command line's own HTTP client, for commands that speak to a running server.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value as Json, json};
use ureq::tls::{RootCerts, TlsConfig};

/// Longest wait for an answer; finalizing a large synchronization takes the longest.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(10);
/// Largest answer that is read.
const ANSWER_BYTES_MAX: u64 = 1 << 30;

/// A client of one server, with one bearer token.
#[derive(Debug)]
pub(crate) struct Client {
    agent: ureq::Agent,
    url: String,
    token: String,
}

impl Client {
    /// A client of the server at `url` (scheme, host, port).
    pub(crate) fn new(url: &str, token: &str) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(provider)
            .build();
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(ANSWER_TIMEOUT))
            .user_agent(concat!("durward/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build()
            .new_agent();
        Self {
            agent,
            url: url.trim_end_matches('/').to_owned(),
            token: token.to_owned(),
        }
    }

    /// Sends a body and answers with the JSON that comes back.
    ///
    /// # Errors
    /// When the server cannot be reached, or its answer is an error; the message is the server's.
    pub(crate) fn post(&self, path: &str, content_type: &str, body: &[u8]) -> anyhow::Result<Json> {
        let url = format!("{}{path}", self.url);
        let response = self
            .agent
            .post(&url)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", content_type)
            .send(body);
        self.read(response)
    }

    /// Sends an upload; an answer that tells which items were left out is one also when all were.
    ///
    /// # Errors
    /// As [`Client::post`].
    pub(crate) fn post_or_rejected(&self, path: &str, body: &[u8]) -> anyhow::Result<Json> {
        let response = self
            .agent
            .post(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .send(body);
        let (status, text) = self.read_text(response)?;
        let json: Json = serde_json::from_str(&text).unwrap_or_default();
        if status.is_success() || json.get("rejected").is_some() {
            Ok(json)
        } else {
            Err(self.failure(status, &json))
        }
    }

    /// Asks for a path and answers with the JSON that comes back.
    ///
    /// # Errors
    /// As [`Client::post`].
    pub(crate) fn get(&self, path: &str) -> anyhow::Result<Json> {
        let url = format!("{}{path}", self.url);
        let request = self.agent.get(&url);
        self.read(
            request
                .header("authorization", format!("Bearer {}", self.token))
                .call(),
        )
    }

    /// Asks for a path and answers with the text that comes back.
    ///
    /// # Errors
    /// As [`Client::post`].
    pub(crate) fn get_text(&self, path: &str) -> anyhow::Result<String> {
        let url = format!("{}{path}", self.url);
        let request = self.agent.get(&url);
        let response = request
            .header("authorization", format!("Bearer {}", self.token))
            .call();
        let (status, text) = self.read_text(response)?;
        if status.is_success() {
            return Ok(text);
        }
        Err(self.failure(status, &serde_json::from_str(&text).unwrap_or_default()))
    }

    /// Executes a GraphQL document of one of the schemas and answers with its `data`. What the
    /// server warns of goes to standard error.
    ///
    /// # Errors
    /// As [`Client::post`], and when the answer has errors: the first one's message.
    pub(crate) fn graphql(
        &self,
        schema: &str,
        query: &str,
        variables: &Json,
    ) -> anyhow::Result<Json> {
        let body = json!({"query": query, "variables": variables}).to_string();
        let path = format!("/{schema}/graphql");
        let mut answer = self.post(&path, "application/json", body.as_bytes())?;
        if let Some(message) = answer.pointer("/errors/0/message").and_then(Json::as_str) {
            anyhow::bail!("{message}");
        }
        let warnings = answer.pointer("/extensions/warnings");
        let warnings = warnings.and_then(Json::as_array).into_iter().flatten();
        for warning in warnings.filter_map(Json::as_str) {
            eprintln!("warning: {warning}");
        }
        Ok(answer.get_mut("data").map(Json::take).unwrap_or_default())
    }

    fn read(
        &self,
        response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> anyhow::Result<Json> {
        let (status, text) = self.read_text(response)?;
        let json: Json = serde_json::from_str(&text).unwrap_or_default();
        if status.is_success() {
            Ok(json)
        } else {
            Err(self.failure(status, &json))
        }
    }

    fn read_text(
        &self,
        response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> anyhow::Result<(ureq::http::StatusCode, String)> {
        let mut response = response.with_context(|| {
            format!(
                "{} cannot be reached; is `durward serve` running there?",
                self.url
            )
        })?;
        let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX);
        let text = body.read_to_string().context("the answer broke off")?;
        Ok((response.status(), text))
    }

    /// The error of an answer whose status is not a success.
    fn failure(&self, status: ureq::http::StatusCode, json: &Json) -> anyhow::Error {
        let places = ["/error/message", "/errors/0/message", "/message", "/detail"];
        let message = places
            .iter()
            .find_map(|place| json.pointer(place))
            .and_then(Json::as_str);
        match message {
            Some(message) => anyhow::anyhow!("{message} (HTTP {status})"),
            None => anyhow::anyhow!("{} answered HTTP {status}", self.url),
        }
    }
}
