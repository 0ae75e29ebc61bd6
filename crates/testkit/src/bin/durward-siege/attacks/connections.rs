// SPDX-License-Identifier: Apache-2.0
//! Connections that do nothing, or do it slowly.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::field::{Ask, Field};

/// More connections than the server has descriptors.
const ALL: usize = 1_100;
/// Connections of the attacks that send something.
const MANY: usize = 400;
/// Connections of those who ask for much and do not read it.
const READERS: usize = 60;
/// The smallest receive buffer that the kernel gives.
const TINY_BUFFER: u32 = 2_304;

/// Counts how the server ended a connection.
async fn listen(field: &Field, mut stream: impl tokio::io::AsyncRead + Unpin) {
    let mut sink = [0; 4096];
    loop {
        match stream.read(&mut sink).await {
            Ok(0) => return field.note("closed by the server"),
            Ok(_) => {}
            Err(_) => return field.note("reset by the server"),
        }
    }
}

/// Opens connections, sends `first` on each, and holds them.
async fn hold_all(field: &Arc<Field>, kind: Holding, first: &[u8]) {
    let first: Arc<[u8]> = first.into();
    let open = {
        let first = Arc::clone(&first);
        move |field: Arc<Field>, number: usize| {
            let first = Arc::clone(&first);
            async move {
                let mut stream = match kind.from {
                    Origin::OneAddress => field.connect_from(7).await?,
                    Origin::ManyAddresses => field.connect_from(number as u32).await?,
                };
                stream.write_all(&first).await?;
                field.note("opened");
                anyhow::Ok((number, stream))
            }
        }
    };
    let held = field.prepare(ALL, &open).await;
    let mut tasks = JoinSet::new();
    for (number, stream) in held {
        let (field, open) = (Arc::clone(field), open.clone());
        tasks.spawn(async move {
            listen(&field, stream).await;
            while kind.again && !field.is_over() {
                match open(Arc::clone(&field), number).await {
                    Ok((_, stream)) => listen(&field, stream).await,
                    Err(error) => field.note(&crate::field::short(&error)),
                }
            }
        });
    }
    // The connections are closed with their tasks.
    field.hold().await;
}

/// Where connections come from.
#[derive(Debug, Clone, Copy)]
enum Origin {
    OneAddress,
    ManyAddresses,
}

/// How connections are held.
#[derive(Debug, Clone, Copy)]
struct Holding {
    from: Origin,
    /// One that is closed is opened anew.
    again: bool,
}

impl Origin {
    fn once(self) -> Holding {
        Holding {
            from: self,
            again: false,
        }
    }
}

/// Idle connections from one address.
pub(crate) async fn idle(field: Arc<Field>) -> anyhow::Result<()> {
    hold_all(&field, Origin::OneAddress.once(), b"").await;
    Ok(())
}

/// Idle connections, each from an address of its own.
pub(crate) async fn idle_many(field: Arc<Field>) -> anyhow::Result<()> {
    hold_all(&field, Origin::ManyAddresses.once(), b"").await;
    Ok(())
}

/// The first bytes of a TLS handshake, and nothing more.
pub(crate) async fn half_handshakes(field: Arc<Field>) -> anyhow::Result<()> {
    hold_all(
        &field,
        Origin::ManyAddresses.once(),
        &[0x16, 3, 1, 2, 0, 1, 0, 1],
    )
    .await;
    Ok(())
}

/// The first half of a head.
pub(crate) async fn half_heads(field: Arc<Field>) -> anyhow::Result<()> {
    hold_all(
        &field,
        Origin::ManyAddresses.once(),
        b"POST /graphql HTTP/1.1\r\nhost: siege\r\nx-a: ",
    )
    .await;
    Ok(())
}

/// Connections that were answered once and stay.
pub(crate) async fn idle_after_request(field: Arc<Field>) -> anyhow::Result<()> {
    hold_all(
        &field,
        Origin::ManyAddresses.once(),
        b"GET /healthz HTTP/1.1\r\nhost: siege\r\n\r\n",
    )
    .await;
    Ok(())
}

/// Idle connections that come again whenever they are closed.
pub(crate) async fn idle_again(field: Arc<Field>) -> anyhow::Result<()> {
    let again = Holding {
        from: Origin::ManyAddresses,
        again: true,
    };
    hold_all(&field, again, b"").await;
    Ok(())
}

/// Connections of somebody who is known, and who does nothing more on them.
pub(crate) async fn idle_known(field: Arc<Field>) -> anyhow::Result<()> {
    let ask = Ask::post("/jupiterone/graphql", "{\"query\":\"{__typename}\"}");
    let ask = ask.bearer(&field.arsenal.viewer.narrow);
    let request = String::from_utf8(ask.wire())?.replace("connection: close\r\n", "");
    hold_all(&field, Origin::ManyAddresses.once(), request.as_bytes()).await;
    Ok(())
}

/// Sends `first`, then `again` as often as the pause allows, and counts how it ends.
async fn drip(field: &Arc<Field>, first: String, again: &'static [u8], pause: Duration) {
    let first = Arc::new(first);
    let open = |field: Arc<Field>, number: usize| {
        let first = Arc::clone(&first);
        async move {
            let mut stream = field.connect_from(number as u32).await?;
            stream.write_all(first.as_bytes()).await?;
            field.note("opened");
            Ok(stream)
        }
    };
    let mut tasks = JoinSet::new();
    for stream in field.prepare(MANY, open).await {
        let field = Arc::clone(field);
        tasks.spawn(async move {
            let (reader, mut writer) = stream.into_split();
            let write = async {
                while writer.write_all(again).await.is_ok() {
                    tokio::time::sleep(pause).await;
                }
                field.note("cut");
            };
            tokio::select! {
                () = write => {}
                () = listen(&field, reader) => {}
            }
        });
    }
    // The connections are closed with their tasks.
    field.hold().await;
}

/// Heads of which one byte comes at a time.
pub(crate) async fn slow_heads(field: Arc<Field>) -> anyhow::Result<()> {
    let first = "POST /graphql HTTP/1.1\r\nhost: siege\r\nx-slow: ".to_owned();
    drip(&field, first, b"a", Duration::from_millis(200)).await;
    Ok(())
}

/// Bodies of which one byte comes each second, by strangers.
pub(crate) async fn slow_bodies(field: Arc<Field>) -> anyhow::Result<()> {
    let first = "POST /graphql HTTP/1.1\r\nhost: siege\r\ncontent-length: 60000\r\n\r\n".to_owned();
    drip(&field, first, b" ", Duration::from_secs(1)).await;
    Ok(())
}

/// The same by somebody with a credential, who announces as much as there may be.
pub(crate) async fn slow_known_bodies(field: Arc<Field>) -> anyhow::Result<()> {
    let token = &field.arsenal.viewer.narrow;
    let first = format!(
        "POST /jupiterone/graphql HTTP/1.1\r\nhost: siege\r\nauthorization: Bearer {token}\r\n\
         content-length: 67108864\r\n\r\n"
    );
    drip(&field, first, b" ", Duration::from_secs(1)).await;
    Ok(())
}

/// Bodies in chunks that never end.
pub(crate) async fn endless_chunks(field: Arc<Field>) -> anyhow::Result<()> {
    const CHUNK: &[u8] =
        b"40\r\n                                                                \r\n";
    let first = "POST / HTTP/1.1\r\nhost: siege\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
    drip(&field, first, CHUNK, Duration::from_millis(1)).await;
    Ok(())
}

/// A very long head.
pub(crate) async fn long_heads(field: Arc<Field>) -> anyhow::Result<()> {
    let long = "a".repeat(1 << 20);
    field
        .flood(64, |_| Ask::post("/graphql", "").header("x-long", &long))
        .await;
    Ok(())
}

/// A connection whose receive buffer is tiny.
async fn tiny(field: &Field, number: u32) -> anyhow::Result<TcpStream> {
    let socket = Field::socket(number)?;
    socket.set_recv_buffer_size(TINY_BUFFER)?;
    Ok(socket.connect(field.address).await?)
}

/// Large answers that are read a byte at a time.
pub(crate) async fn slow_readers(field: Arc<Field>) -> anyhow::Result<()> {
    let mut document = String::from("{");
    for number in 0..4 {
        // Writing to a text cannot fail.
        let _ = write!(
            document,
            " a{number}:query(j1ql:\"FIND siege_note\",limit:1500){{data}}"
        );
    }
    document.push('}');
    let body = serde_json::json!({ "query": document }).to_string();
    let ask = Ask::post("/durward/graphql", body).bearer(&field.arsenal.viewer.token);
    let request = Arc::new(ask.wire());
    let open = |field: Arc<Field>, number: usize| {
        let request = Arc::clone(&request);
        async move {
            let mut stream = tiny(&field, number as u32).await?;
            stream.write_all(&request).await?;
            field.note("asked");
            Ok(stream)
        }
    };
    let mut tasks = JoinSet::new();
    for mut stream in field.prepare(READERS, open).await {
        let field = Arc::clone(&field);
        tasks.spawn(async move {
            let mut byte = [0];
            while stream.read(&mut byte).await.is_ok_and(|count| count > 0) {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            field.note("closed by the server");
        });
    }
    field.hold().await;
    Ok(())
}

/// Requests one after the other on one connection, whose answers nobody reads.
pub(crate) async fn unread_pipelines(field: Arc<Field>) -> anyhow::Result<()> {
    let requests = "GET /metrics HTTP/1.1\r\nhost: siege\r\n\r\n".repeat(200);
    let requests = Arc::new(requests);
    field
        .swarm(100, |field, number| {
            let requests = Arc::clone(&requests);
            async move {
                let mut stream = tiny(&field, number as u32).await?;
                field.note("opened");
                loop {
                    stream.write_all(requests.as_bytes()).await?;
                }
            }
        })
        .await;
    Ok(())
}

/// Connections that come and go as fast as they can.
pub(crate) async fn churn(field: Arc<Field>) -> anyhow::Result<()> {
    field
        .swarm(64, |field, number| async move {
            while !field.is_over() {
                match field.connect_from(number as u32).await {
                    Ok(stream) => {
                        field.note("opened");
                        drop(stream);
                    }
                    Err(error) => field.note(&crate::field::short(&error)),
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Ok(())
        })
        .await;
    Ok(())
}
