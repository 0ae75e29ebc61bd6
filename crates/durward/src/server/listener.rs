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
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// Connections served at once on one address; further ones wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 10_000;
/// How long a new connection may take to send its first byte and to finish a TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take to send the header of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long open requests may go on after shutdown began.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// Streams of one HTTP/2 connection at once.
const STREAMS_MAX: u32 = 200;
/// Pause after a failed accept (for example: out of file descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const TLS_HANDSHAKE_RECORD: u8 = 0x16;

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

/// Serves `router` on a bound address until `shutdown`, then drains.
pub(crate) async fn serve(
    bound: Bound,
    tls: Option<TlsAcceptor>,
    router: Router,
    shutdown: CancellationToken,
) {
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
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
        let connection = Connection {
            peer,
            tls: tls.clone(),
            accepts_plaintext,
            router: router.clone(),
            watcher: graceful.watcher(),
        };
        tracker.spawn(async move {
            connection.run(stream).await;
            drop(slot);
        });
    }
    drop(bound.listener);
    tracker.close();
    if tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("requests were still open when the drain time ended");
    }
}

/// The address at which the connection of a request arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Local(pub(crate) SocketAddr);

/// Mark of a request that came over TLS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encrypted;

struct Connection {
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    accepts_plaintext: bool,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
}

impl Connection {
    async fn run(self, stream: TcpStream) {
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let Ok(local) = stream.local_addr() else {
            return;
        };
        let mut first = [0u8; 1];
        let peeked = tokio::time::timeout(HANDSHAKE_TIMEOUT, stream.peek(&mut first)).await;
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
            .header_read_timeout(HEADER_TIMEOUT);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX);
        let router = self.router;
        let peer = self.peer;
        let service = hyper::service::service_fn(move |request| {
            let router = router.clone();
            async move { answer(router, (peer, local), is_encrypted, request).await }
        });
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        if let Err(error) = self.watcher.watch(connection.into_owned()).await {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

async fn answer(
    router: Router,
    (peer, local): (SocketAddr, SocketAddr),
    is_encrypted: bool,
    request: Request<Incoming>,
) -> Result<Response<Body>, std::convert::Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(Local(local));
    if is_encrypted {
        request.extensions_mut().insert(Encrypted);
    }
    router.oneshot(request).await
}
