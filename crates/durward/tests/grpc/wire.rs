// SPDX-License-Identifier: Apache-2.0
//! A gRPC client that can do everything wrong.

use std::convert::Infallible;

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bytes::Bytes;
use durward_model::{Clock as _, SystemClock};
use durward_testkit::Server;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::{Method, Request, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

/// Seconds of a day.
pub const DAY: i64 = 86_400;

/// What a request is made of; everything may be wrong.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: Method,
    pub path: String,
    pub content_type: String,
    pub headers: Vec<(String, String)>,
    /// The whole body, frame included.
    pub body: Vec<u8>,
    /// Bytes of each piece that the body is sent in; all at once when zero.
    pub piece_bytes: usize,
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub http_status: u16,
    /// Empty where there was no gRPC answer.
    pub code: String,
    pub message: String,
    /// The decoded `google.rpc.Status`.
    pub details: Vec<u8>,
    pub body: Bytes,
}

/// One connection to a server.
pub struct Wire {
    runtime: Runtime,
    sender: SendRequest<BoxBody<Bytes, Infallible>>,
    access_key: String,
    secret: Vec<u8>,
}

impl Wire {
    /// With the administrator's key.
    pub fn new(server: &Server) -> Self {
        let (access_key, secret) = server.credentials().strongdm();
        Self::with_key(server, access_key, secret)
    }

    pub fn with_key(server: &Server, access_key: &str, secret: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let address = server.url().strip_prefix("http://").unwrap().to_owned();
        let sender = runtime.block_on(async {
            let stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let shaken = handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
            let (sender, connection) = shaken.unwrap();
            tokio::spawn(connection);
            sender
        });
        Self {
            runtime,
            sender,
            access_key: access_key.to_owned(),
            secret: STANDARD.decode(secret).unwrap(),
        }
    }

    /// A call that is right in every way.
    pub fn call(&self, path: &str, message: &[u8]) -> Call {
        self.call_of_day(path, message, 0)
    }

    /// A call that is signed for a day so many seconds away from the present.
    pub fn call_of_day(&self, path: &str, message: &[u8], seconds: i64) -> Call {
        let date = SystemClock.now().plus_seconds(seconds).to_rfc3339_millis();
        let name = path.trim_start_matches("/v1.").replace('/', ".");
        let mut signed = format!("{name}\n").into_bytes();
        signed.extend_from_slice(message);
        let digest = digest::digest(&digest::SHA256, &signed);
        let mac = |key: &[u8], text: &[u8]| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, key);
            hmac::sign(&key, text).as_ref().to_vec()
        };
        let key = mac(&mac(&self.secret, &date.as_bytes()[..10]), b"sdm_api_v1");
        let signature = STANDARD.encode(mac(&key, digest.as_ref()));
        let headers = [
            ("x-sdm-authentication", self.access_key.as_str()),
            ("x-sdm-signature", &signature),
            ("x-sdm-api-version", "2025-04-14"),
            ("x-sdm-user-agent", "wire-test/1"),
        ];
        Call {
            method: Method::POST,
            path: path.to_owned(),
            content_type: "application/grpc".to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            body: framed(message),
            piece_bytes: 0,
        }
    }

    pub fn send(&mut self, call: &Call) -> Answer {
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(format!("http://server.example{}", call.path))
            .header(header::CONTENT_TYPE, &call.content_type)
            .header("te", "trailers");
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let body = match call.piece_bytes {
            0 => Full::new(Bytes::from(call.body.clone())).boxed(),
            bytes => pieces(&call.body, bytes),
        };
        let request = request.body(body).unwrap();
        let sender = &mut self.sender;
        self.runtime.block_on(async {
            sender.ready().await.unwrap();
            let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
            let collected = body.collect().await.unwrap();
            let mut headers = parts.headers;
            headers.extend(collected.trailers().cloned().unwrap_or_default());
            let get = |name: &str| {
                let value = headers.get(name).map(|value| value.to_str().unwrap());
                value.unwrap_or_default().to_owned()
            };
            Answer {
                http_status: parts.status.as_u16(),
                code: get("grpc-status"),
                message: get("grpc-message"),
                details: STANDARD_NO_PAD
                    .decode(get("grpc-status-details-bin"))
                    .unwrap(),
                body: collected.to_bytes(),
            }
        })
    }

    /// Sends a call and asserts its failure, details included.
    pub fn fails(&mut self, call: &Call, code: u8, part: &str) -> Answer {
        let answer = self.send(call);
        let what = format!("{} {:?}: {answer:?}", call.path, call.headers);
        assert_eq!(answer.http_status, 200, "{what}");
        assert_eq!(answer.code, code.to_string(), "{what}");
        assert!(answer.message.contains(part), "no {part:?} in {what}");
        assert_eq!(answer.details[..3], [0x08, code, 0x12], "{what}");
        assert!(answer.body.is_empty(), "{what}");
        answer
    }
}

impl Call {
    /// The same call with one header changed, or without it when the value is empty.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut call = self.clone();
        call.headers.retain(|(known, _)| known != name);
        if !value.is_empty() {
            call.headers.push((name.to_owned(), value.to_owned()));
        }
        call
    }

    /// The same call with another body.
    pub fn with_body(&self, body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            ..self.clone()
        }
    }
}

/// A message in its frame.
pub fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap();
    [&[0], &length.to_be_bytes()[..], message].concat()
}

fn pieces(body: &[u8], bytes: usize) -> BoxBody<Bytes, Infallible> {
    let pieces = body.chunks(bytes).map(Bytes::copy_from_slice);
    let frames: std::collections::VecDeque<Bytes> = pieces.collect();
    Pieces(frames).boxed()
}

struct Pieces(std::collections::VecDeque<Bytes>);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
        let next = self.0.pop_front().map(hyper::body::Frame::data);
        std::task::Poll::Ready(next.map(Ok))
    }
}
