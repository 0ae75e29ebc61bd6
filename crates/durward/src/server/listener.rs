// SPDX-License-Identifier: Apache-2.0
//! The one listener: plaintext and TLS, HTTP/1.1 and HTTP/2, on one port.
//!
//! The first byte of a connection tells TLS (a handshake record begins with 0x16) from plaintext.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::server::connections::{Connection, Connections, Leaving};
use crate::server::paced::{Paced, Sent};

/// Connections that may be on their way out while others have taken their room.
const LEAVING_MAX: usize = 32;
/// How long a new connection may take to send its first byte and to finish a TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection of HTTP/1.1 may take to send the header of its next request, the time
/// before it included. Strangers have less ([`Connection::must_end`]).
const HEADER_TIMEOUT: Duration = Duration::from_mins(5);
/// After so long without a word a client of HTTP/2 is asked whether it is there, and has as long to
/// answer.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// How long open requests may go on after shutdown began.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// Streams of one HTTP/2 connection at once.
const STREAMS_MAX: u32 = 100;
/// What one stream of HTTP/2 may send before the server has taken it up.
const STREAM_WINDOW_BYTES: u32 = 64 << 10;
/// What all streams of one connection may send before the server has taken it up.
const CONNECTION_WINDOW_BYTES: u32 = 128 << 10;
/// Largest header of a request, and what is buffered of a connection of HTTP/1.1.
const HEADER_BYTES_MAX: u32 = 32 << 10;
/// Most that is buffered of a connection of HTTP/1.1 in each direction.
const BUFFER_BYTES_MAX: usize = 128 << 10;
/// What is buffered of the answer of one stream of HTTP/2.
const SEND_BUFFER_BYTES: usize = 64 << 10;
/// Streams that a client may reset before the server has looked at them.
const RESETS_PENDING_MAX: usize = 20;
/// Pause after a failed accept (for example: out of file descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const TLS_HANDSHAKE_RECORD: u8 = 0x16;
/// Calls in which messages go to and fro.
const REFLECTION: &str = "/grpc.reflection.";

/// One bound address, not yet served.
#[derive(Debug)]
pub(crate) struct Bound {
    listener: TcpListener,
    /// The address that was really bound (port 0 resolved).
    pub(crate) address: SocketAddr,
    accepts_plaintext: bool,
}

/// Binds `address`, which `option` named. Plaintext is accepted on loopback, and elsewhere only
/// when `plaintext` says so.
///
/// # Errors
/// When the address cannot be bound, or is not loopback while neither TLS nor plaintext was chosen.
pub(crate) async fn bind(
    option: &str,
    address: &str,
    has_tls: bool,
    plaintext: bool,
) -> anyhow::Result<Bound> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}; choose another {option} address"))?;
    let address = listener
        .local_addr()
        .context("the bound address cannot be read")?;
    let is_loopback = address.ip().is_loopback();
    anyhow::ensure!(
        is_loopback || has_tls || plaintext,
        "{option} {address} is not a loopback address: give --tls-cert and --tls-key, or say \
         --plaintext if a proxy in front ends TLS"
    );
    Ok(Bound {
        listener,
        address,
        accepts_plaintext: is_loopback || plaintext,
    })
}

/// Serves `router` on a bound address until `shutdown`, then drains. All addresses share
/// `connections`.
pub(crate) async fn serve(
    bound: Bound,
    tls: Option<TlsAcceptor>,
    router: Router,
    connections: Arc<Connections>,
    shutdown: CancellationToken,
) {
    let slots = Arc::new(Semaphore::new(connections.limits().total + LEAVING_MAX));
    let aborted = CancellationToken::new();
    let tracker = TaskTracker::new();
    let accepts_plaintext = bound.accepts_plaintext;
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            break;
        };
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = bound.listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Some(connection) = connections.admit(peer.ip()) else {
            tracing::warn!("a connection was refused: known callers have taken all the room");
            continue;
        };
        let served = Served {
            peer,
            tls: tls.clone(),
            accepts_plaintext,
            router: router.clone(),
            shutdown: shutdown.clone(),
            connection: Arc::clone(&connection),
        };
        let aborted = aborted.clone();
        tracker.spawn(async move {
            let leaving = Leaving(Arc::clone(&connection));
            tokio::select! {
                () = served.run(stream) => {}
                () = connection.must_end() => tracing::debug!(%peer, "a connection was ended"),
                () = aborted.cancelled() => {}
            }
            drop(leaving);
            drop(slot);
        });
    }
    drop(bound.listener);
    tracker.close();
    if tokio::time::timeout(DRAIN_TIMEOUT, tracker.wait())
        .await
        .is_err()
    {
        tracing::warn!("requests were still open when the drain time ended");
        // What they run is cancelled with them.
        aborted.cancel();
        tracker.wait().await;
    }
}

/// The address at which the connection of a request arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Local(pub(crate) SocketAddr);

/// Mark of a request that came over TLS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encrypted;

struct Served {
    peer: SocketAddr,
    connection: Arc<Connection>,
    tls: Option<TlsAcceptor>,
    accepts_plaintext: bool,
    router: Router,
    shutdown: CancellationToken,
}

impl Served {
    async fn run(self, stream: TcpStream) {
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let Ok(local) = stream.local_addr() else {
            return;
        };
        let mut first = [0u8; 1];
        let peeked = tokio::select! {
            peeked = tokio::time::timeout(HANDSHAKE_TIMEOUT, stream.peek(&mut first)) => peeked,
            () = self.shutdown.cancelled() => return,
        };
        if !matches!(peeked, Ok(Ok(1))) {
            return;
        }
        if first == [TLS_HANDSHAKE_RECORD] {
            let Some(acceptor) = self.tls.clone() else {
                return;
            };
            let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await;
            match handshake {
                Ok(Ok(stream)) => self.serve(stream, local, true).await,
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            }
        } else if self.accepts_plaintext {
            self.serve(stream, local, false).await;
        }
    }

    async fn serve<S>(self, stream: S, local: SocketAddr, is_encrypted: bool)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .max_buf_size(BUFFER_BYTES_MAX)
            .header_read_timeout(HEADER_TIMEOUT);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_send_buf_size(SEND_BUFFER_BYTES)
            .max_header_list_size(HEADER_BYTES_MAX)
            .max_pending_accept_reset_streams(RESETS_PENDING_MAX)
            .max_concurrent_streams(STREAMS_MAX);
        let router = self.router;
        let peer = self.peer;
        let connection = Arc::clone(&self.connection);
        let service = hyper::service::service_fn(move |request| {
            let (router, connection) = (router.clone(), Arc::clone(&connection));
            async move { answer(router, (peer, local), is_encrypted, connection, request).await }
        });
        let served = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let mut served = std::pin::pin!(served);
        let ended = tokio::select! {
            ended = served.as_mut() => ended,
            () = self.shutdown.cancelled() => {
                served.as_mut().graceful_shutdown();
                served.await
            }
            () = self.connection.is_idle() => {
                served.as_mut().graceful_shutdown();
                served.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

async fn answer(
    router: Router,
    (peer, local): (SocketAddr, SocketAddr),
    is_encrypted: bool,
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<Body>, std::convert::Infallible> {
    let open = connection.begin();
    // A conversation may pause; what it holds is one small message.
    let is_conversation = request.uri().path().starts_with(REFLECTION);
    let mut request = request.map(|body| {
        if is_conversation {
            Body::new(body)
        } else {
            Body::new(Paced::new(body))
        }
    });
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(Local(local));
    request.extensions_mut().insert(connection);
    if is_encrypted {
        request.extensions_mut().insert(Encrypted);
    }
    let response = router.oneshot(request).await?;
    Ok(response.map(|body| Body::new(Sent::new(body, open))))
}
