// SPDX-License-Identifier: Apache-2.0
//! A small HTTP client that treats no status as an error: tests judge the answer.

use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};

/// A test that waits longer than this for one answer has found a hang.
const ANSWER_SECONDS_MAX: u64 = 60;
/// Larger answers than this are read with a client of their own.
const BODY_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// What a server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    /// When it is not JSON; the message holds the start of the body.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.body).with_context(|| {
            let start: String = self.body.chars().take(300).collect();
            format!("status {}, not JSON: {start}", self.status)
        })
    }

    /// The first header of this name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A client of one server, with the headers that it sends every time.
#[derive(Debug, Clone)]
pub struct Client {
    agent: ureq::Agent,
    url: String,
    headers: Vec<(String, String)>,
}

impl Client {
    /// A client without credentials.
    pub fn new(url: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(ANSWER_SECONDS_MAX)))
            .build();
        let url = url.trim_end_matches('/').to_owned();
        Self {
            agent: config.into(),
            url,
            headers: Vec::new(),
        }
    }

    /// The same client with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same client with a bearer token.
    #[must_use]
    pub fn with_token(self, token: &str) -> Self {
        self.with_header("authorization", &format!("Bearer {token}"))
    }

    /// One request; `body` is sent as it is.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn send(&self, method: &str, path: &str, body: Option<&[u8]>) -> anyhow::Result<Answer> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url));
        for (name, value) in &self.headers {
            request = request.header(name.as_str(), value.as_str());
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let asked = || format!("{method} {path}");
        let sent = match body {
            Some(body) => self.agent.run(request.body(body).with_context(asked)?),
            None => self.agent.run(request.body(()).with_context(asked)?),
        };
        let mut response = sent.with_context(asked)?;
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (
                    name.to_string(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect();
        let status = response.status().as_u16();
        let reader = response.body_mut().with_config().limit(BODY_BYTES_MAX);
        let body = reader.read_to_vec().with_context(asked)?;
        Ok(Answer {
            status,
            headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    /// A GET request.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send("GET", path, None)
    }

    /// A POST request with a JSON body.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send("POST", path, Some(body.to_string().as_bytes()))
    }

    /// A GraphQL request to `path`.
    ///
    /// # Errors
    /// When no answer comes or it is not JSON.
    pub fn graphql(&self, path: &str, query: &str, variables: &Value) -> anyhow::Result<Value> {
        self.post(path, &json!({"query": query, "variables": variables}))?
            .json()
    }
}
