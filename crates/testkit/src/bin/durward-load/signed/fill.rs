// SPDX-License-Identifier: Apache-2.0
//! An organization with many resources, and a user who reaches half of them by a role.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use serde::Deserialize;
use serde_json::{Value, json};

use durward_testkit::connection::Target;
use durward_testkit::grpc::{FRAME_BYTES, Key, Signer, call, connect};
use durward_testkit::protobuf::{Fields, put_bytes, put_number};
use durward_testkit::times::now;

use super::runtime;

/// Number of the branch `postgres` in `Resource`.
const POSTGRES: u64 = 1300;
const RESOURCE_NAME: u64 = 32_769;
const RESOURCE_TAGS: u64 = 32_771;
/// Rule of the role: every second resource.
const RULES: &str = r#"[{"type":"postgres","tags":{"half":"a"}}]"#;

/// What is made.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Fill {
    key: Key,
    /// Number of the first resource.
    #[serde(default)]
    first: usize,
    /// Resources.
    count: usize,
    /// Whether nothing but resources is made.
    #[serde(default)]
    only_resources: bool,
    connections: usize,
    /// Calls under way over all connections.
    streams: usize,
}

/// Makes everything; gives the ids of the resources and of the account.
pub(crate) fn fill(target: &Target, fill: &Fill) -> anyhow::Result<Value> {
    runtime()?.block_on(async {
        let begun = now();
        let signer = Arc::new(Signer::new(&fill.key)?);
        let next = Arc::new(AtomicUsize::new(0));
        let mut senders = Vec::new();
        for _ in 0..fill.connections.max(1) {
            senders.push(connect(&target.address).await?);
        }
        let mut tasks = Vec::new();
        for stream in 0..fill.streams.max(1) {
            let Some(sender) = senders.get(stream % senders.len()).cloned() else {
                continue;
            };
            let (signer, next) = (Arc::clone(&signer), Arc::clone(&next));
            let (target, first, count) = (target.clone(), fill.first, fill.count);
            tasks.push(tokio::spawn(async move {
                let mut ids = Vec::new();
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= count {
                        return anyhow::Ok(ids);
                    }
                    let message = resource(first + n);
                    let method = "Resources/Create";
                    let answer = call(&target.address, &sender, &signer, method, &message).await?;
                    ids.push(made(&answer, 32_768).context("a resource without an id")?);
                }
            }));
        }
        let mut ids = Vec::new();
        for task in tasks {
            ids.append(&mut task.await??);
        }
        let seconds = begun.elapsed().as_secs_f64();
        if fill.only_resources {
            return Ok(json!({"seconds": seconds, "ids": ids}));
        }
        let sender = senders.first().context("no connection")?;
        let make = async |method: &str, message: Vec<u8>| {
            let answer = call(&target.address, sender, &signer, method, &message).await?;
            made(&answer, 1).with_context(|| format!("{method} gave no id"))
        };
        let role = make("Roles/Create", role()).await?;
        let account = make("Accounts/Create", user()).await?;
        make("AccountAttachments/Create", attachment(&account, &role)).await?;
        Ok(json!({"seconds": seconds, "ids": ids, "account": account, "role": role}))
    })
}

fn request(noun: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    put_bytes(&mut message, 2, noun);
    message
}

fn resource(n: usize) -> Vec<u8> {
    let (mut pair, mut tags, mut postgres) = (Vec::new(), Vec::new(), Vec::new());
    put_bytes(&mut pair, 1, b"half");
    put_bytes(&mut pair, 2, if n.is_multiple_of(2) { b"a" } else { b"b" });
    put_bytes(&mut tags, 1, &pair);
    put_bytes(&mut postgres, 1, format!("db{n}.corp.example").as_bytes());
    put_bytes(&mut postgres, 2, b"reader");
    put_bytes(&mut postgres, 3, b"not-a-real-password");
    put_bytes(&mut postgres, 4, b"orders");
    put_number(&mut postgres, 6, 5432);
    put_bytes(
        &mut postgres,
        RESOURCE_NAME,
        format!("database {n}").as_bytes(),
    );
    put_bytes(&mut postgres, RESOURCE_TAGS, &tags);
    let mut resource = Vec::new();
    put_bytes(&mut resource, POSTGRES, &postgres);
    request(&resource)
}

fn role() -> Vec<u8> {
    let mut role = Vec::new();
    put_bytes(&mut role, 2, b"half of all databases");
    put_bytes(&mut role, 5, RULES.as_bytes());
    request(&role)
}

fn user() -> Vec<u8> {
    let (mut user, mut account) = (Vec::new(), Vec::new());
    put_bytes(&mut user, 2, b"reader@corp.example");
    put_bytes(&mut user, 3, b"Rea");
    put_bytes(&mut user, 4, b"Der");
    put_bytes(&mut account, 1, &user);
    request(&account)
}

fn attachment(account: &str, role: &str) -> Vec<u8> {
    let mut attachment = Vec::new();
    put_bytes(&mut attachment, 2, account.as_bytes());
    put_bytes(&mut attachment, 3, role.as_bytes());
    request(&attachment)
}

/// The id of what an answer holds: in the noun itself or in the branch of a polymorphic one.
fn made(answer: &[u8], id: u64) -> Option<String> {
    let of = |bytes, wanted: u64| Fields(bytes).find(|(number, _)| *number == wanted);
    let (_, noun) = of(answer.get(FRAME_BYTES..)?, 2)?;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    let has_hex = |text: &String| {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        is_plain && text.rsplit('-').next().is_some_and(|hex| hex.len() == 16)
    };
    let direct = of(noun, id)
        .and_then(|(_, bytes)| text(bytes))
        .filter(has_hex);
    direct.or_else(|| {
        let (_, branch) = Fields(noun).next()?;
        of(branch, id)
            .and_then(|(_, bytes)| text(bytes))
            .filter(has_hex)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_nouns_and_in_branches() {
        let (mut noun, mut branch, mut wrapped) = (Vec::new(), Vec::new(), Vec::new());
        put_bytes(&mut noun, 1, b"r-0123456789abcdef");
        put_bytes(&mut branch, 1, &noun);
        put_bytes(&mut wrapped, 2, &branch);
        let mut answer = vec![0; FRAME_BYTES];
        answer.extend_from_slice(&wrapped);
        assert_eq!(made(&answer, 1).as_deref(), Some("r-0123456789abcdef"));
        let mut plain = vec![0; FRAME_BYTES];
        put_bytes(&mut plain, 2, &noun);
        assert_eq!(made(&plain, 1).as_deref(), Some("r-0123456789abcdef"));
    }
}
