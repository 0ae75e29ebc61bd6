// SPDX-License-Identifier: Apache-2.0
//! What `durward init --json` prints.

use anyhow::{Context, bail};
use serde_json::Value;

/// Every field of the print-out, as JSON pointers.
const FIELDS: [&str; 14] = [
    "/org/id",
    "/org/name",
    "/admin/id",
    "/admin/email",
    "/admin/password",
    "/api_token",
    "/strongdm/access_key",
    "/strongdm/secret_key",
    "/cyral/client_id",
    "/cyral/client_secret",
    "/jupiterone/account",
    "/jupiterone/api_key",
    "/opencti/token",
    "/sonrai/token",
];

/// The first credentials of an organization.
#[derive(Debug, Clone)]
pub struct Credentials(Value);

impl Credentials {
    /// Reads the print-out.
    ///
    /// # Errors
    /// When it is not JSON, or a field is missing or empty.
    pub fn parse(printed: &str) -> anyhow::Result<Self> {
        let value: Value = serde_json::from_str(printed).context("init printed no JSON")?;
        for field in FIELDS {
            let text = value.pointer(field).and_then(Value::as_str);
            if text.is_none_or(str::is_empty) {
                bail!("init printed no {field}");
            }
        }
        Ok(Self(value))
    }

    /// The whole print-out.
    pub fn json(&self) -> &Value {
        &self.0
    }

    /// The id of the organization.
    pub fn organization_id(&self) -> &str {
        self.at("/org/id")
    }

    /// The native token.
    pub fn api_token(&self) -> &str {
        self.at("/api_token")
    }

    /// The JupiterOne account and API key.
    pub fn jupiterone(&self) -> (&str, &str) {
        (
            self.at("/jupiterone/account"),
            self.at("/jupiterone/api_key"),
        )
    }

    /// The OpenCTI token.
    pub fn opencti(&self) -> &str {
        self.at("/opencti/token")
    }

    /// The StrongDM access key and its secret.
    pub fn strongdm(&self) -> (&str, &str) {
        (
            self.at("/strongdm/access_key"),
            self.at("/strongdm/secret_key"),
        )
    }

    /// The Sonrai token.
    pub fn sonrai(&self) -> &str {
        self.at("/sonrai/token")
    }

    fn at(&self, pointer: &str) -> &str {
        self.0
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use serde_json::json;

    use super::*;

    fn printed() -> Value {
        json!({"org": {"id": "1", "name": "n"},
            "admin": {"id": "2", "email": "e", "password": "p"},
            "api_token": "t", "strongdm": {"access_key": "a", "secret_key": "s"},
            "cyral": {"client_id": "c", "client_secret": "s"},
            "jupiterone": {"account": "n", "api_key": "k"},
            "opencti": {"token": "o"}, "sonrai": {"token": "s"}})
    }

    #[test]
    fn all_fields_are_required() {
        let whole = Credentials::parse(&printed().to_string()).unwrap();
        assert_eq!(whole.api_token(), "t");
        assert_eq!(whole.jupiterone(), ("n", "k"));
        let mut broken = printed();
        broken.pointer_mut("/sonrai/token").map(Value::take);
        let error = Credentials::parse(&broken.to_string()).unwrap_err();
        assert_eq!(error.to_string(), "init printed no /sonrai/token");
    }
}
