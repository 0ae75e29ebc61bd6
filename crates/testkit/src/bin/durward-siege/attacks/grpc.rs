// SPDX-License-Identifier: Apache-2.0
//! Calls of StrongDM's dialect.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use durward_testkit::grpc::{Key, Signer, framed, request, send, shake};
use durward_testkit::protobuf::put_bytes;
use h2::client::SendRequest;

use crate::field::{Field, short};

/// Largest message that the dialect takes.
const MESSAGE_BYTES: usize = 4 << 20;
const PIECE_BYTES: usize = 16 << 10;
/// What a connection of the attackers holds open at once.
const STREAMS: usize = 80;

/// Messages of four mebibytes that never end, under a key that does not exist.
pub(crate) async fn invented_key(field: Arc<Field>) -> anyhow::Result<()> {
    unfinished(&field, "auth-0123456789abcdef").await;
    Ok(())
}

/// The same under a key that exists and whose secret is not known.
pub(crate) async fn stolen_key_id(field: Arc<Field>) -> anyhow::Result<()> {
    let access = field.arsenal.stolen_key_id.clone();
    unfinished(&field, &access).await;
    Ok(())
}

/// Whole messages with a wrong signature, under a key that exists.
pub(crate) async fn wrong_signature(field: Arc<Field>) -> anyhow::Result<()> {
    let access = field.arsenal.stolen_key_id.clone();
    let frame = Bytes::from(framed(&vec![0x12; MESSAGE_BYTES - 64]));
    field
        .swarm(16, |field, _| {
            let (access, frame) = (access.clone(), frame.clone());
            async move {
                let sender = shake(field.connect().await?).await?;
                while !field.is_over() {
                    let address = field.address.to_string();
                    let asked = request(&address, "Accounts/List", &access, "AAAA")?;
                    said(&field, send(&sender, asked, frame.clone()).await);
                }
                Ok(())
            }
        })
        .await;
    Ok(())
}

async fn unfinished(field: &Arc<Field>, access: &str) {
    let access = access.to_owned();
    field
        .swarm(8, |field, _| {
            let access = access.clone();
            async move {
                let sender = shake(field.connect().await?).await?;
                let mut tasks = tokio::task::JoinSet::new();
                for _ in 0..STREAMS {
                    let (field, sender) = (Arc::clone(&field), sender.clone());
                    let access = access.clone();
                    tasks.spawn(async move {
                        if let Err(error) = one_unfinished(&field, sender, &access).await {
                            field.note(&short(&error));
                        }
                    });
                }
                while tasks.join_next().await.is_some() {}
                Ok(())
            }
        })
        .await;
}

/// One call that sends all of its message but the last bytes.
async fn one_unfinished(
    field: &Field,
    sender: SendRequest<Bytes>,
    access: &str,
) -> anyhow::Result<()> {
    let mut sender = sender.ready().await?;
    let asked = request(&field.address.to_string(), "Accounts/List", access, "AAAA")?;
    let (response, mut body) = sender.send_request(asked, false)?;
    let send = async {
        let mut head = vec![0];
        head.extend_from_slice(&(MESSAGE_BYTES as u32 - 64).to_be_bytes());
        body.send_data(head.into(), false)?;
        let mut left = MESSAGE_BYTES - 128;
        while left > 0 {
            let piece = Bytes::from_static(&[0x12; PIECE_BYTES]);
            body.reserve_capacity(PIECE_BYTES);
            let granted = std::future::poll_fn(|context| body.poll_capacity(context)).await;
            let Some(granted) = granted.transpose()? else {
                break;
            };
            let size = granted.min(PIECE_BYTES).min(left);
            body.send_data(piece.slice(..size), false)?;
            left -= size;
        }
        field.note("all but the end sent");
        field.hold().await;
        anyhow::Ok(())
    };
    tokio::select! {
        sent = send => sent,
        answer = response => {
            let answer = answer?;
            let code = answer.headers().get("grpc-status");
            let code = code.and_then(|code| code.to_str().ok()).unwrap_or("later");
            field.note(&format!("status {code}"));
            Ok(())
        }
    }
}

/// Counts the answer of a call.
fn said(field: &Field, answer: anyhow::Result<Vec<u8>>) {
    match answer {
        Ok(_) => field.note("status 0"),
        Err(error) => field.note(&short(&error)),
    }
}

/// The administrator of the attackers' own organization.
pub(super) fn own_key(field: &Field) -> Key {
    let (access, secret) = field.arsenal.own.strongdm();
    Key {
        access: access.to_owned(),
        secret: secret.to_owned(),
    }
}

/// One signed call on a connection of its own; what was said is counted.
pub(super) async fn signed(
    field: &Field,
    key: &Key,
    method: &str,
    message: &[u8],
) -> anyhow::Result<()> {
    let sender = shake(field.connect().await?).await?;
    let signer = Signer::new(key)?;
    let asked = signer.request(&field.address.to_string(), method, message)?;
    said(
        field,
        send(&sender, asked, Bytes::from(framed(message))).await,
    );
    Ok(())
}

/// Messages that are two bytes a part on the wire and a hundred in memory.
pub(crate) async fn empty_parts(field: Arc<Field>) -> anyhow::Result<()> {
    // Two million empty tags of a person: `tags.pairs`.
    let tags = [0x0a, 0x00].repeat((MESSAGE_BYTES - 256) / 2);
    let (mut user, mut account, mut message) = (Vec::new(), Vec::new(), Vec::new());
    put_bytes(&mut user, 6, &tags);
    put_bytes(&mut account, 1, &user);
    put_bytes(&mut message, 2, &account);
    let key = field.arsenal.viewer.key.clone().context("no key")?;
    let message = Arc::new(message);
    field
        .swarm(8, |field, _| {
            let (key, message) = (key.clone(), Arc::clone(&message));
            async move {
                while !field.is_over() {
                    signed(&field, &key, "Accounts/Create", &message).await?;
                }
                Ok(())
            }
        })
        .await;
    Ok(())
}

/// Lists with the largest filters there are, by clients who leave.
pub(crate) async fn large_filters(field: Arc<Field>) -> anyhow::Result<()> {
    let filters = [
        "name:*a*b*c*d*e*f*,".repeat(9_000),
        format!("name:{}", "*a".repeat(120_000)),
        "id:a-0123456789abcdef ".repeat(9_900),
        format!("name:\"{}", "\\\"".repeat(120_000)),
        "tag:a=b,".repeat(9_900),
        "(".repeat(200_000),
    ];
    let key = field.arsenal.viewer.key.clone().context("no key")?;
    let messages = filters.map(|filter| {
        let mut message = Vec::new();
        put_bytes(&mut message, 2, filter.as_bytes());
        Arc::new(message)
    });
    field
        .swarm(30, |field, number| {
            let message = messages
                .get(number % messages.len())
                .cloned()
                .unwrap_or_default();
            let key = key.clone();
            async move {
                let methods = [
                    "Accounts/List",
                    "Resources/List",
                    "Roles/List",
                    "Nodes/List",
                ];
                let method = methods
                    .get(number % methods.len())
                    .copied()
                    .unwrap_or_default();
                while !field.is_over() {
                    let call = signed(&field, &key, method, &message);
                    if tokio::time::timeout(Duration::from_millis(150), call)
                        .await
                        .is_err()
                    {
                        field.note("left");
                    }
                }
                Ok(())
            }
        })
        .await;
    Ok(())
}

/// Streams that need no credential and have no end: watchers of the server's health.
pub(crate) async fn watchers(field: Arc<Field>) -> anyhow::Result<()> {
    field
        .swarm(64, |field, _| async move {
            let sender = shake(field.connect().await?).await?;
            let mut open = Vec::new();
            for _ in 0..STREAMS {
                let uri = format!("http://{}/grpc.health.v1.Health/Watch", field.address);
                let asked = http::Request::post(uri).header("content-type", "application/grpc");
                let mut ready = sender.clone().ready().await?;
                let (response, mut body) = ready.send_request(asked.body(())?, false)?;
                body.send_data(Bytes::from(framed(&[])), true)?;
                open.push(response);
            }
            for response in open {
                match response.await {
                    Ok(answer) => field.note(answer.status().as_str()),
                    Err(error) => field.note(&short(&error.into())),
                }
            }
            field.hold().await;
            Ok(())
        })
        .await;
    Ok(())
}
