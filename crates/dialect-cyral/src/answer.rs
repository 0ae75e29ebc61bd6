// SPDX-License-Identifier: Apache-2.0
//! What goes back to the client.

use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Headers beside the usual ones.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body: JSON, always.
    pub body: Vec<u8>,
}

impl Answer {
    /// Success with a body.
    pub(crate) fn json(value: &Value) -> Self {
        Self::with_status(StatusCode::OK, value)
    }

    /// Success that says nothing; clients parse JSON there too.
    pub(crate) fn empty() -> Self {
        Self::json(&json!({}))
    }

    pub(crate) fn with_status(status: StatusCode, value: &Value) -> Self {
        let content_type = HeaderValue::from_static("application/json");
        Self {
            status,
            headers: vec![(header::CONTENT_TYPE, content_type)],
            body: value.to_string().into_bytes(),
        }
    }

    #[must_use]
    pub(crate) fn with_header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }
}
