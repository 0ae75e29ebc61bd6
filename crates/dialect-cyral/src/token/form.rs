// SPDX-License-Identifier: Apache-2.0
//! What a client sends to a token endpoint: a form, and maybe HTTP Basic.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::OauthError;

/// Most parameters of a form that are looked at.
const PARAMETERS_MAX: usize = 100;

/// The parameters that clients send in two spellings.
const SPELLINGS: [(&str, &str); 2] = [("clientId", "client_id"), ("clientSecret", "client_secret")];

/// A parsed form.
#[derive(Debug)]
pub(crate) struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads a form, whatever its content type says. A parameter without a value counts as absent;
    /// one that comes twice with different values is an error.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, OauthError> {
        let mut found = BTreeMap::new();
        for (position, (key, value)) in form_urlencoded::parse(body).enumerate() {
            if position >= PARAMETERS_MAX {
                return Err(OauthError::invalid_request(
                    "the form has too many parameters",
                ));
            }
            if value.is_empty() {
                continue;
            }
            let spelled = SPELLINGS.iter().find(|(spelling, _)| *spelling == key);
            let name = spelled.map_or(key.as_ref(), |(_, name)| name).to_owned();
            let value = value.into_owned();
            match found.get(&name) {
                Some(earlier) if *earlier != value => {
                    let why = format!("the parameter {name:?} comes twice");
                    return Err(OauthError::invalid_request(why));
                }
                _ => found.insert(name, value),
            };
        }
        Ok(Self(found))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, OauthError> {
        self.get(name)
            .ok_or_else(|| OauthError::invalid_request(format!("the parameter {name} is missing")))
    }

    /// Id and secret of the client, from HTTP Basic or from the form; where both tell, they must
    /// tell the same.
    pub(crate) fn client(
        &self,
        basic: Option<(String, String)>,
    ) -> Result<(String, String), OauthError> {
        let (id, secret) = (self.get("client_id"), self.get("client_secret"));
        let Some((basic_id, basic_secret)) = basic else {
            let (Some(id), Some(secret)) = (id, secret) else {
                return Err(OauthError::invalid_client(false));
            };
            return Ok((id.to_owned(), secret.to_owned()));
        };
        let agrees = id.is_none_or(|id| id == basic_id)
            && secret.is_none_or(|secret| secret == basic_secret);
        if !agrees {
            let why = "the form names another client than the Authorization header";
            return Err(OauthError::invalid_request(why));
        }
        Ok((basic_id, basic_secret))
    }
}

/// Id and secret of an `Authorization: Basic` header; none when there is no such header.
pub(crate) fn basic(authorization: Option<&str>) -> Result<Option<(String, String)>, OauthError> {
    let header = authorization.unwrap_or_default().trim();
    let Some((scheme, value)) = header.split_once(' ') else {
        return Ok(None);
    };
    if !scheme.eq_ignore_ascii_case("basic") {
        return Ok(None);
    }
    let bytes = STANDARD.decode(value.trim()).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let parts = text.as_deref().and_then(|text| text.split_once(':'));
    // The two halves may be percent-encoded (RFC 6749, 2.3.1); many clients leave them as they
    // are, so a plus sign stays one.
    let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    match parts {
        Some((id, secret)) if !id.is_empty() => Ok(Some((decoded(id), decoded(secret)))),
        _ => Err(OauthError::invalid_client(true)),
    }
}
