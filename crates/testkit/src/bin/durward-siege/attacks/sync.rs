// SPDX-License-Identifier: Apache-2.0
//! Synchronization and imports.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use durward_testkit::Client;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::field::{Ask, Field, short};
use crate::world::BYSTANDER_TYPE;

const JOBS: &str = "/persister/synchronization/jobs";
/// How long a small synchronization of the other organization may take.
const OTHERS_SECONDS_MAX: u64 = 8;

fn start(client: &Client, scope: &str) -> anyhow::Result<String> {
    let body = json!({"source": "api", "scope": scope, "syncMode": "DIFF"});
    let answer = client.post(JOBS, &body)?;
    let json = answer.json()?;
    let id = json.pointer("/job/id").and_then(Value::as_str);
    Ok(id
        .with_context(|| format!("no job: {} {json}", answer.status))?
        .to_owned())
}

/// Blocking work beside the attack.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .context("a thread ended")?
}

/// An open job of the attackers' own organization.
async fn own_job(field: &Field, scope: &str) -> anyhow::Result<String> {
    let client = field.client(field.arsenal.own.api_token());
    let scope = scope.to_owned();
    beside(move || start(&client, &scope)).await
}

/// One small synchronization of the other organization, from beginning to end.
async fn others_synchronize(field: &Field) -> anyhow::Result<()> {
    let client = field.client(&field.bystander);
    let work = beside(move || {
        let job = start(&client, "bystander")?;
        let body = json!({"entities": [{"_key": "quay:1", "_type": BYSTANDER_TYPE, "_class": "Site",
            "displayName": "quay"}]});
        for (call, body) in [("upload", body), ("finalize", json!({}))] {
            let answer = client.post(&format!("{JOBS}/{job}/{call}"), &body)?;
            anyhow::ensure!(
                answer.status == 200,
                "{call}: {} {}",
                answer.status,
                answer.body
            );
        }
        Ok(())
    });
    let limit = Duration::from_secs(OTHERS_SECONDS_MAX);
    let done = tokio::time::timeout(limit, work).await;
    let done = done.context("the other organization's synchronization waits");
    done?.context("the other organization's synchronization")
}

/// Uploads of one byte at a time, while the other organization synchronizes.
pub(crate) async fn slow_uploads(field: Arc<Field>) -> anyhow::Result<()> {
    let job = own_job(&field, "slow").await?;
    let token = field.arsenal.own.api_token();
    let head = format!(
        "POST {JOBS}/{job}/upload HTTP/1.1\r\nhost: siege\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: 60000000\r\n\r\n"
    );
    let head = Arc::new(head);
    let drips = field.swarm(40, |field, _| {
        let head = Arc::clone(&head);
        async move {
            let mut stream = field.connect().await?;
            stream.write_all(head.as_bytes()).await?;
            field.note("opened");
            loop {
                stream.write_all(b" ").await?;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    });
    let others = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        others_synchronize(&field).await
    };
    let ((), others) = tokio::join!(drips, others);
    others
}

/// The largest uploads there are, side by side.
pub(crate) async fn large_uploads(field: Arc<Field>) -> anyhow::Result<()> {
    let job = own_job(&field, "large").await?;
    let entity = "{\"_key\":\"k\",\"_type\":\"t\",\"_class\":\"Record\",\"a\":{}},";
    let body = format!(
        "{{\"entities\":[{}{{}}]}}",
        entity.repeat((60 << 20) / entity.len())
    );
    let body = Bytes::from(body);
    let path = format!("{JOBS}/{job}/upload");
    let token = field.arsenal.own.api_token().to_owned();
    let ask = |_| Ask::post(&path, body.clone()).bearer(&token);
    let ((), others) = tokio::join!(field.flood(8, ask), others_synchronize(&field));
    others
}

/// Compressed uploads that are a thousand times as large once they are read.
pub(crate) async fn gzip_bombs(field: Arc<Field>) -> anyhow::Result<()> {
    let body = Bytes::from(gzip_bomb(128 << 20));
    let job = own_job(&field, "bomb").await?;
    let upload = format!("{JOBS}/{job}/upload");
    let paths = [
        upload.as_str(),
        "/import/stix",
        "/graphql",
        JOBS,
        "/v1/users/oidc/token",
    ];
    let token = field.arsenal.own.api_token().to_owned();
    let ask = |number: usize| {
        let path = paths.get(number % paths.len()).copied().unwrap_or("/");
        let ask = Ask::post(path, body.clone()).header("content-encoding", "gzip");
        if number < 10 { ask.bearer(&token) } else { ask }
    };
    field.flood(15, ask).await;
    Ok(())
}

/// Jobs that are begun and never ended.
pub(crate) async fn many_jobs(field: Arc<Field>) -> anyhow::Result<()> {
    let token = field.arsenal.own.api_token().to_owned();
    let ask = |number: usize| {
        let scope = format!("job {number} {}", "x".repeat(200));
        let body = json!({"source": "api", "scope": scope, "syncMode": "DIFF"});
        Ask::post(JOBS, body.to_string()).bearer(&token)
    };
    let ((), others) = tokio::join!(field.flood(32, ask), others_synchronize(&field));
    others
}

/// Events until the file of the job is larger than anybody reads.
pub(crate) async fn events(field: Arc<Field>) -> anyhow::Result<()> {
    let job = own_job(&field, "events").await?;
    let event = json!({"name": "n".repeat(9_000), "description": "d".repeat(9_000)});
    let body = Bytes::from(json!({"events": vec![event; 250]}).to_string());
    let path = format!("{JOBS}/{job}/events");
    let token = field.arsenal.own.api_token().to_owned();
    let ask = |_| Ask::post(&path, body.clone()).bearer(&token);
    field.flood(4, ask).await;
    Ok(())
}

/// Upload addresses until there is no room for those of the other organization.
pub(crate) async fn upload_urls(field: Arc<Field>) -> anyhow::Result<()> {
    let others = field.client(&field.bystander);
    let asked = others.clone();
    let (url, job) = beside(move || {
        let job = start(&asked, "bystander file")?;
        let answer = asked
            .post(&format!("{JOBS}/{job}/uploadUrl"), &json!({}))?
            .json()?;
        let url = answer.pointer("/uploadUrl").and_then(Value::as_str);
        let url = url.with_context(|| format!("no address: {answer}"))?;
        let path = url.find("/persister").and_then(|at| url.get(at..));
        Ok((path.unwrap_or_default().to_owned(), job))
    })
    .await?;
    let token = field.arsenal.own.api_token().to_owned();
    field
        .swarm(16, |field, number| {
            let token = token.clone();
            async move {
                for round in 0.. {
                    let job = own_job(&field, &format!("url {number} {round}")).await;
                    let Ok(job) = job else {
                        field.note("no job");
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        continue;
                    };
                    let path = format!("{JOBS}/{job}/uploadUrl");
                    for _ in 0..50 {
                        let ask = Ask::post(&path, "{}").bearer(&token);
                        let outcome = field.http(&ask).await?;
                        field.note(&outcome);
                    }
                }
                Ok(())
            }
        })
        .await;
    beside(move || {
        let sent = others.send("PUT", &url, Some(b"{\"entities\":[]}"))?;
        anyhow::ensure!(
            sent.status == 200,
            "the other's upload: {} {}",
            sent.status,
            sent.body
        );
        let ended = others.post(&format!("{JOBS}/{job}/abort"), &json!({}))?;
        anyhow::ensure!(ended.status == 200, "the other's job: {}", ended.body);
        let job = start(&others, "bystander file")?;
        let answer = others.post(&format!("{JOBS}/{job}/uploadUrl"), &json!({}))?;
        anyhow::ensure!(answer.status == 200, "the other's address: {}", answer.body);
        Ok(())
    })
    .await
}

/// Bundles of many objects with many labels each, by the attackers' own administrator.
pub(crate) async fn labels(field: Arc<Field>) -> anyhow::Result<()> {
    let body = Bytes::from(bundle(11 << 20));
    let token = field.arsenal.own.api_token().to_owned();
    field
        .swarm(4, |field, number| {
            let path = format!("/import/stix?scope=labels{number}");
            let ask = Ask::post(&path, body.clone()).bearer(&token);
            async move {
                while !field.is_over() {
                    match field.http(&ask).await {
                        Ok(outcome) => field.note(&outcome),
                        Err(error) => field.note(&short(&error)),
                    }
                }
                Ok(())
            }
        })
        .await;
    Ok(())
}

/// A bundle of about so many bytes, nearly all of them labels.
fn bundle(bytes: usize) -> String {
    let mut text = String::from("{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[");
    let mut number = 0u64;
    while text.len() < bytes {
        if number > 0 {
            text.push(',');
        }
        // Writing to a text cannot fail.
        let _ = write!(
            text,
            "{{\"type\":\"malware\",\"spec_version\":\"2.1\",\"id\":\
             \"malware--00000000-0000-4000-8000-{number:012x}\",\"is_family\":false,\
             \"created\":\"2024-01-01T00:00:00Z\",\"modified\":\"2024-01-01T00:00:00Z\",\
             \"name\":\"m{number}\",\"labels\":["
        );
        for label in 0..5_000u64 {
            let separator = if label == 0 { "" } else { "," };
            let _ = write!(text, "{separator}\"l{:x}\"", number * 5_000 + label);
        }
        text.push_str("]}");
        number += 1;
    }
    text.push_str("]}");
    text
}

/// A text of so many blanks, compressed: one blank, and then that it goes on.
fn gzip_bomb(bytes: usize) -> Vec<u8> {
    /// What one symbol of the longest length stands for.
    const LONGEST: usize = 258;
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let (mut bits, mut count) = (0u32, 0u32);
    // Codes of the fixed table, the first bit lowest: last block, `' '`, length 258, distance 1.
    let codes = [(0b011, 3), (0b0000_1010, 8)].into_iter();
    let again = std::iter::repeat_n((0b1010_0011, 13), bytes / LONGEST);
    for (code, length) in codes.chain(again).chain([(0, 7)]) {
        bits |= code << count;
        count += length;
        while count >= 8 {
            out.push(bits as u8);
            bits >>= 8;
            count -= 8;
        }
    }
    out.push(bits as u8);
    // A checksum that is wrong: whoever gets here has read it all.
    out.extend_from_slice(&[0; 8]);
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_bomb_is_what_it_says() {
        let bomb = gzip_bomb(10_000);
        let mut text = Vec::new();
        let error = flate2::read::GzDecoder::new(bomb.as_slice()).read_to_end(&mut text);
        assert!(error.is_err(), "the checksum is wrong");
        assert_eq!(text, vec![b' '; 10_000 / 258 * 258 + 1]);
        assert!(bomb.len() < 100);
    }

    #[test]
    fn a_bundle_is_json_of_about_that_size() {
        let text = bundle(100_000);
        let bundle: Value = serde_json::from_str(&text).unwrap();
        let labels = bundle
            .pointer("/objects/0/labels")
            .and_then(Value::as_array);
        assert_eq!(labels.map(Vec::len), Some(5_000));
    }
}
