// SPDX-License-Identifier: Apache-2.0
//! Signed calls of StrongDM's dialect over HTTP/2, with as little as possible between the test and
//! the wire.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use h2::client::SendRequest;
use serde::Deserialize;
use tokio::net::TcpStream;

const DAY_SECONDS: u64 = 86_400;
/// Bytes before each message: a flag and the length.
pub const FRAME_BYTES: usize = 5;
const WINDOW_BYTES: u32 = 16 << 20;

/// Access key and secret as issued.
#[derive(Debug, Clone, Deserialize)]
pub struct Key {
    /// The access key.
    pub access: String,
    /// Its secret, in base64.
    pub secret: String,
}

/// A key ready to sign, for today.
#[derive(Debug)]
pub struct Signer {
    access: String,
    key: hmac::Key,
}

impl Signer {
    /// Derives the signing key of today.
    ///
    /// # Errors
    /// When the secret is not base64.
    pub fn new(key: &Key) -> anyhow::Result<Self> {
        let secret = STANDARD.decode(&key.secret).context("the secret key")?;
        let day = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, &secret),
            today().as_bytes(),
        );
        let day = hmac::Key::new(hmac::HMAC_SHA256, day.as_ref());
        let derived = hmac::sign(&day, b"sdm_api_v1");
        Ok(Self {
            access: key.access.clone(),
            key: hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()),
        })
    }

    /// The signature of a message for `Service/Method`.
    pub fn signature(&self, method: &str, message: &[u8]) -> String {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(method.replace('/', ".").as_bytes());
        context.update(b"\n");
        context.update(message);
        STANDARD.encode(hmac::sign(&self.key, context.finish().as_ref()))
    }

    /// The request of a call, without its body.
    ///
    /// # Errors
    /// When the address or the method does not fit into a URL.
    pub fn request(
        &self,
        address: &str,
        method: &str,
        message: &[u8],
    ) -> anyhow::Result<http::Request<()>> {
        let signature = self.signature(method, message);
        request(address, method, &self.access, &signature)
    }
}

/// The request of a call with whatever key and signature.
///
/// # Errors
/// When a part does not fit into a URL or a header.
pub fn request(
    address: &str,
    method: &str,
    access: &str,
    signature: &str,
) -> anyhow::Result<http::Request<()>> {
    let request = http::Request::post(format!("http://{address}/v1.{method}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("x-sdm-authentication", access)
        .header("x-sdm-signature", signature)
        .header("x-sdm-api-version", "2025-04-14")
        .header("x-sdm-user-agent", "durward-load");
    request.body(()).context("the request of a call")
}

/// The UTC day as `YYYY-MM-DD`.
#[expect(clippy::disallowed_methods, reason = "signatures carry the real day")]
fn today() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let mut day = since.map_or(0, |since| since.as_secs() / DAY_SECONDS) as i64 + 719_468;
    let era = day.div_euclid(146_097);
    day -= era * 146_097;
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year + era * 400 + i64::from(month <= 2);
    let of_month = of_year - (153 * shifted + 2) / 5 + 1;
    format!("{year:04}-{month:02}-{of_month:02}")
}

/// An HTTP/2 connection with large windows.
///
/// # Errors
/// When the server cannot be reached.
pub async fn connect(address: &str) -> anyhow::Result<SendRequest<Bytes>> {
    let stream = TcpStream::connect(address).await;
    shake(stream.with_context(|| format!("connecting to {address}"))?).await
}

/// As [`connect`], over an open stream.
///
/// # Errors
/// When the server does not speak HTTP/2.
pub async fn shake(stream: TcpStream) -> anyhow::Result<SendRequest<Bytes>> {
    stream.set_nodelay(true)?;
    let mut builder = h2::client::Builder::new();
    builder
        .initial_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES);
    let (sender, connection) = builder.handshake(stream).await?;
    // It ends when the sender is dropped, or with the runtime.
    tokio::spawn(connection);
    Ok(sender)
}

/// A message in its frame.
pub fn framed(message: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(FRAME_BYTES + message.len());
    frame.push(0);
    frame.extend_from_slice(&(message.len() as u32).to_be_bytes());
    frame.extend_from_slice(message);
    frame
}

/// One call; its answer with the frame.
///
/// # Errors
/// When the call is refused or breaks off.
pub async fn call(
    address: &str,
    sender: &SendRequest<Bytes>,
    signer: &Signer,
    method: &str,
    message: &[u8],
) -> anyhow::Result<Vec<u8>> {
    let request = signer.request(address, method, message)?;
    send(sender, request, Bytes::from(framed(message))).await
}

/// Sends a request with its whole body; the answer with the frame.
///
/// # Errors
/// When the call is refused or breaks off.
pub async fn send(
    sender: &SendRequest<Bytes>,
    request: http::Request<()>,
    frame: Bytes,
) -> anyhow::Result<Vec<u8>> {
    let mut sender = sender.clone().ready().await?;
    let (response, mut body) = sender.send_request(request, false)?;
    body.send_data(frame, true)?;
    let response = response.await?;
    check(response.headers())?;
    let mut stream = response.into_body();
    let mut answer = Vec::new();
    while let Some(chunk) = stream.data().await {
        let chunk = chunk?;
        stream.flow_control().release_capacity(chunk.len())?;
        answer.extend_from_slice(&chunk);
    }
    if let Some(trailers) = stream.trailers().await? {
        check(&trailers)?;
    }
    Ok(answer)
}

/// A status other than 0 is an error.
fn check(headers: &http::HeaderMap) -> anyhow::Result<()> {
    let text = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    match text("grpc-status").as_str() {
        "" | "0" => Ok(()),
        code => bail!("gRPC status {code}: {}", text("grpc-message")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn today_is_a_day_of_this_century() {
        let day = today();
        assert!(day.starts_with("20") && day.len() == 10, "{day}");
    }
}
