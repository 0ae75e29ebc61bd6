// SPDX-License-Identifier: Apache-2.0
//! One kept-alive HTTP/1.1 connection that costs as little as possible: what is measured is the
//! server, not a client library.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, bail};

/// An answer that takes longer is a hang.
const ANSWER_SECONDS_MAX: u64 = 600;
/// How much is read from the socket at once.
const READ_BYTES: usize = 256 << 10;
/// Longest head of an answer.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Where the server is and how one shows who asks.
#[derive(Debug, Clone)]
pub struct Target {
    /// Host and port.
    pub address: String,
    /// A bearer token.
    pub token: String,
}

/// A connection with its buffers.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    headers: String,
    out: Vec<u8>,
    /// Bytes that were read and not yet consumed.
    input: Vec<u8>,
    consumed: usize,
    chunk: Vec<u8>,
}

impl Connection {
    /// A connection whose requests have bodies of JSON.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub fn open(target: &Target) -> anyhow::Result<Self> {
        Self::open_for(target, "application/json")
    }

    /// A connection whose requests have bodies of this type.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub fn open_for(target: &Target, content_type: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(&target.address)
            .with_context(|| format!("connecting to {}", target.address))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(ANSWER_SECONDS_MAX)))?;
        let headers = format!(
            "host: {}\r\nauthorization: Bearer {}\r\ncontent-type: {content_type}\r\n",
            target.address, target.token
        );
        Ok(Self {
            stream,
            headers,
            out: Vec::new(),
            input: Vec::new(),
            consumed: 0,
            chunk: vec![0; READ_BYTES],
        })
    }

    /// Gives up on an answer of which nothing comes for so long.
    ///
    /// # Errors
    /// When the socket does not take it.
    pub fn wait_at_most(&self, time: Duration) -> anyhow::Result<()> {
        self.stream.set_read_timeout(Some(time))?;
        Ok(self.stream.set_write_timeout(Some(time))?)
    }

    /// Sends a request without waiting for its answer.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn send(&mut self, method: &str, path: &str, body: &[u8]) -> anyhow::Result<()> {
        self.out.clear();
        write!(self.out, "{method} {path} HTTP/1.1\r\n{}", self.headers)?;
        write!(self.out, "content-length: {}\r\n\r\n", body.len())?;
        // Small requests leave in one packet; large bodies are not copied.
        if body.len() <= READ_BYTES {
            self.out.extend_from_slice(body);
            return self.stream.write_all(&self.out).context("sending");
        }
        self.stream.write_all(&self.out).context("sending")?;
        self.stream.write_all(body).context("sending")
    }

    /// Receives the next answer; the body replaces what `body` holds.
    ///
    /// # Errors
    /// When the connection breaks, or what comes is no answer.
    pub fn receive(&mut self, body: &mut Vec<u8>) -> anyhow::Result<u16> {
        body.clear();
        let head_end = loop {
            if let Some(at) = find(self.rest(), b"\r\n\r\n") {
                break at;
            }
            if self.rest().len() > HEAD_BYTES_MAX {
                bail!("the head of the answer is too long");
            }
            self.fill()?;
        };
        let head = String::from_utf8_lossy(self.rest().get(..head_end).unwrap_or_default());
        let (status, length) = read_head(&head)?;
        self.consumed += head_end + 4;
        match length {
            Some(length) => self.take(length, body)?,
            None => self.take_chunks(body)?,
        }
        Ok(status)
    }

    /// One request and its answer; every status but 200 is an error.
    ///
    /// # Errors
    /// When no answer comes, or a refusal.
    pub fn ask(
        &mut self,
        method: &str,
        path: &str,
        body: &[u8],
        answer: &mut Vec<u8>,
    ) -> anyhow::Result<()> {
        self.send(method, path, body)?;
        let status = self.receive(answer)?;
        check(status, answer).with_context(|| format!("{method} {path}"))
    }

    fn rest(&self) -> &[u8] {
        self.input.get(self.consumed..).unwrap_or_default()
    }

    /// Reads more from the socket.
    fn fill(&mut self) -> anyhow::Result<()> {
        if self.consumed == self.input.len() {
            self.input.clear();
            self.consumed = 0;
        }
        let count = self.stream.read(&mut self.chunk).context("receiving")?;
        if count == 0 {
            bail!("the server closed the connection");
        }
        self.input
            .extend_from_slice(self.chunk.get(..count).unwrap_or_default());
        Ok(())
    }

    fn take(&mut self, mut length: usize, body: &mut Vec<u8>) -> anyhow::Result<()> {
        body.reserve(length);
        loop {
            let here = self.rest().len().min(length);
            body.extend_from_slice(self.rest().get(..here).unwrap_or_default());
            self.consumed += here;
            length -= here;
            if length == 0 {
                return Ok(());
            }
            self.fill()?;
        }
    }

    fn take_chunks(&mut self, body: &mut Vec<u8>) -> anyhow::Result<()> {
        loop {
            let line_end = loop {
                if let Some(at) = find(self.rest(), b"\r\n") {
                    break at;
                }
                self.fill()?;
            };
            let line = String::from_utf8_lossy(self.rest().get(..line_end).unwrap_or_default());
            let digits = line.split(';').next().unwrap_or_default().trim();
            let length = usize::from_str_radix(digits, 16).context("a chunk without a size")?;
            self.consumed += line_end + 2;
            self.take(length, body)?;
            let mut end = Vec::new();
            self.take(2, &mut end)?;
            if length == 0 {
                return Ok(());
            }
        }
    }
}

/// An answer that is not a success, or GraphQL errors, end the measurement.
///
/// # Errors
/// What the answer says.
pub fn check(status: u16, answer: &[u8]) -> anyhow::Result<()> {
    let is_error =
        status != 200 || find(answer.get(..60).unwrap_or(answer), b"\"errors\"").is_some();
    if is_error {
        let shown = answer.get(..600).unwrap_or(answer);
        bail!("status {status}: {}", String::from_utf8_lossy(shown));
    }
    Ok(())
}

/// The status, and the length of the body unless it comes in chunks.
fn read_head(head: &str) -> anyhow::Result<(u16, Option<usize>)> {
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let status = status
        .and_then(|text| text.parse().ok())
        .context("no status in the answer")?;
    let mut length = Some(0);
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.trim().parse().context("content-length")?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            length = None;
        }
    }
    Ok((status, length))
}

/// Where `wanted` begins.
pub fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn heads_with_a_length_and_with_chunks_are_told_apart() {
        let head = read_head("HTTP/1.1 200 OK\r\nContent-Length: 12").unwrap();
        assert_eq!(head, (200, Some(12)));
        let head = read_head("HTTP/1.1 503 Busy\r\ntransfer-encoding: chunked").unwrap();
        assert_eq!(head, (503, None));
        assert!(read_head("nonsense").is_err());
    }

    #[test]
    fn errors_of_graphql_are_errors() {
        assert!(check(200, br#"{"data":{"a":1}}"#).is_ok());
        assert!(check(200, br#"{"errors":[]}"#).is_err());
        assert!(check(500, b"").is_err());
    }
}
