// SPDX-License-Identifier: Apache-2.0
//! What a call carries beside its message.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use durward_identity::AuthError;
use http::{HeaderMap, header};

const ACCESS_KEY: &str = "x-sdm-authentication";
const SIGNATURE: &str = "x-sdm-signature";
const USER_AGENT: &str = "x-sdm-user-agent";
const API_VERSION: &str = "x-sdm-api-version";
const TIMEOUT: &str = "grpc-timeout";
/// Most digits of a `grpc-timeout`.
const TIMEOUT_DIGITS_MAX: usize = 8;

/// The access key and the signature of a call.
#[derive(Debug)]
pub(crate) struct Signed<'h> {
    pub(crate) access_key: &'h str,
    pub(crate) signature: Vec<u8>,
}

impl<'h> Signed<'h> {
    pub(crate) fn read(headers: &'h HeaderMap) -> Result<Self, AuthError> {
        let access_key = only(headers, ACCESS_KEY)?;
        let malformed = |_| AuthError::Malformed {
            reason: "the signature is not base64",
        };
        let signature = STANDARD
            .decode(only(headers, SIGNATURE)?)
            .map_err(malformed)?;
        Ok(Self {
            access_key,
            signature,
        })
    }
}

/// A header that must be there once.
fn only<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, AuthError> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or(AuthError::Missing)?;
    let malformed = |reason| AuthError::Malformed { reason };
    if values.next().is_some() {
        return Err(malformed("a part of it was sent twice"));
    }
    let text = value.to_str().map_err(|_| malformed("it is no text"))?;
    match text.trim() {
        "" => Err(AuthError::Missing),
        text => Ok(text),
    }
}

/// What the client says that it is: the SDK's own header, else that of its gRPC library.
pub(crate) fn user_agent(headers: &HeaderMap) -> &str {
    text(headers, USER_AGENT)
        .or_else(|| text(headers, header::USER_AGENT.as_str()))
        .unwrap_or_default()
}

/// The version of the API that the client was made for. Any is served.
pub(crate) fn api_version(headers: &HeaderMap) -> &str {
    text(headers, API_VERSION).unwrap_or_default()
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    (!text.is_empty()).then_some(text)
}

/// How long the client waits; the error is a sentence for it.
pub(crate) fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, &'static str> {
    const WRONG: &str = "grpc-timeout must be up to 8 digits and one of the units H, M, S, m, u, n";
    let Some(value) = headers.get(TIMEOUT) else {
        return Ok(None);
    };
    let text = value.to_str().map_err(|_| WRONG)?;
    let at = text.len().checked_sub(1).ok_or(WRONG)?;
    let (digits, unit) = text.split_at_checked(at).ok_or(WRONG)?;
    let is_number = !digits.is_empty()
        && digits.len() <= TIMEOUT_DIGITS_MAX
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return Err(WRONG);
    }
    let amount: u64 = digits.parse().map_err(|_| WRONG)?;
    Ok(Some(match unit {
        "H" => Duration::from_secs(amount * 3600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return Err(WRONG),
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn both_halves_must_be_there_once() {
        let good = [(ACCESS_KEY, " auth-1 "), (SIGNATURE, "AQID")];
        let good = headers(&good);
        let signed = Signed::read(&good).unwrap();
        assert_eq!(
            (signed.access_key, &*signed.signature),
            ("auth-1", &[1, 2, 3][..])
        );
        let bad: [(&[(&str, &str)], &str); 4] = [
            (&[], "missing"),
            (&[(ACCESS_KEY, "a"), (SIGNATURE, "")], "missing"),
            (&[(ACCESS_KEY, "a"), (SIGNATURE, "?")], "malformed"),
            (
                &[(ACCESS_KEY, "a"), (ACCESS_KEY, "b"), (SIGNATURE, "AQID")],
                "malformed",
            ),
        ];
        for (pairs, reason) in bad {
            let pairs: Vec<(&'static str, &str)> = pairs
                .iter()
                .map(|(name, value)| {
                    let name = if *name == ACCESS_KEY {
                        ACCESS_KEY
                    } else {
                        SIGNATURE
                    };
                    (name, *value)
                })
                .collect();
            let error = Signed::read(&headers(&pairs)).unwrap_err();
            assert_eq!(error.reason(), reason, "{pairs:?}");
        }
    }

    #[test]
    fn timeouts_are_read() {
        let read = |text| timeout(&headers(&[(TIMEOUT, text)]));
        assert_eq!(read("20S"), Ok(Some(Duration::from_secs(20))));
        assert_eq!(read("1500m"), Ok(Some(Duration::from_millis(1500))));
        assert_eq!(
            read("99999999H").unwrap().unwrap().as_secs(),
            359_999_996_400
        );
        assert_eq!(timeout(&HeaderMap::new()), Ok(None));
        for wrong in ["", "S", "1", "-1S", "123456789S", "1 S", "1s", "+1S"] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
        let mut odd = HeaderMap::new();
        odd.insert(TIMEOUT, http::HeaderValue::from_bytes(b"1\xc3").unwrap());
        assert!(timeout(&odd).is_err());
    }
}
