// SPDX-License-Identifier: Apache-2.0
//! `durward serve`
#![deny(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "they panic when nothing can be written"
)]

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use durward_budget::{Budget, BudgetLimits};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::arguments::ServeArguments;
use crate::config::Configuration;
use crate::logging;
use crate::offline;
use crate::server::connections::{ConnectionLimits, Connections};
use crate::server::{self, Server, listener, tls};

/// Descriptors that are counted on where the system does not tell how many there are.
const DESCRIPTORS_ASSUMED: u64 = 1_024;

/// Upper ends of the buckets of request durations, in seconds.
const DURATION_BUCKETS: [f64; 9] = [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 10.0];

/// How often refusals that were only counted are recorded.
const TIDY_EVERY: Duration = Duration::from_secs(15);
/// How often the server looks whether all of it still runs.
const WATCH_INTERVAL: Duration = Duration::from_millis(500);

/// Serves a data folder until the process is told to stop.
pub(crate) fn run(arguments: &ServeArguments) -> anyhow::Result<()> {
    let _log = logging::start().context("the log cannot be started")?;
    let mut configuration = Configuration::load(arguments.config.as_deref())?;
    if let Some(listen) = &arguments.listen {
        configuration.server.listen.clone_from(listen);
    }
    if !arguments.also_listen.is_empty() {
        configuration
            .server
            .also_listen
            .clone_from(&arguments.also_listen);
    }
    let metrics = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &DURATION_BUCKETS)
        .and_then(PrometheusBuilder::install_recorder)
        .context("metrics cannot be set up")?;
    let descriptors = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(DESCRIPTORS_ASSUMED);
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let budget = Budget::new(BudgetLimits::shared_out(
        configuration.limits.memory_bytes,
        processors,
    ));
    let connections = Arc::new(Connections::new(ConnectionLimits::within(descriptors)));
    let organizations = offline::open_within(&arguments.data, budget.clone())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime cannot be started")?;
    let served = Server::new(
        organizations,
        &configuration,
        budget,
        Arc::clone(&connections),
        metrics,
    )?;
    let served = serve(arguments, &configuration, Arc::new(served), connections);
    let served = runtime.block_on(served);
    // Everything is closed; a query that still runs for nobody must not hold up the end.
    runtime.shutdown_background();
    served
}

async fn serve(
    arguments: &ServeArguments,
    configuration: &Configuration,
    served: Arc<Server>,
    connections: Arc<Connections>,
) -> anyhow::Result<()> {
    let acceptor = match (&arguments.tls_cert, &arguments.tls_key) {
        (Some(certificate), Some(key)) => Some(tls::acceptor(certificate, key)?),
        _ => None,
    };
    let router = server::router(Arc::clone(&served))?;
    let has_tls = acceptor.is_some();
    let (first, further) = (
        &configuration.server.listen,
        &configuration.server.also_listen,
    );
    let mut bound = vec![listener::bind("--listen", first, has_tls, arguments.plaintext).await?];
    for address in further {
        let listening = listener::bind("--also-listen", address, has_tls, arguments.plaintext);
        bound.push(listening.await?);
    }
    announce(if has_tls { "https" } else { "http" }, &bound);
    let shutdown = CancellationToken::new();
    let mut tasks = JoinSet::new();
    for listening in bound {
        let (acceptor, router) = (acceptor.clone(), router.clone());
        tasks.spawn(listener::serve(
            listening,
            acceptor,
            router,
            Arc::clone(&connections),
            shutdown.clone(),
        ));
    }
    let mut telling = tokio::spawn(tidy_up(Arc::clone(&served)));
    let ended = tokio::select! {
        signal = stop_signal() => { signal?; None }
        part = end_of_a_part(&served, &mut tasks) => Some(part),
        _ = &mut telling => Some("the record of refusals".to_owned()),
    };
    telling.abort();
    match &ended {
        None => tracing::info!("stopping"),
        Some(part) => tracing::error!(part, "a part of the server ended: stopping"),
    }
    shutdown.cancel();
    served.stop();
    while tasks.join_next().await.is_some() {}
    let closing = tokio::task::spawn_blocking(move || served.organizations.close());
    let closed = closing.await.context("closing ended abnormally")?;
    if let Some(part) = ended {
        anyhow::bail!("{part} ended abnormally; what was acknowledged is stored: start again");
    }
    Ok(closed?)
}

/// Says where the server listens. Nobody needs to read it.
fn announce(scheme: &str, bound: &[listener::Bound]) {
    let mut output = std::io::stdout();
    for listening in bound {
        let address = listening.address;
        tracing::info!(%address, scheme, "listening");
        let said = writeln!(output, "listening on {scheme}://{address}");
        if let Err(error) = said.and_then(|()| output.flush()) {
            tracing::warn!(%error, "standard output cannot be written");
        }
    }
}

/// Waits until something ends that should run as long as the process, and names it.
async fn end_of_a_part(server: &Server, listeners: &mut JoinSet<()>) -> String {
    loop {
        tokio::select! {
            Some(_) = listeners.join_next() => return "a listener".to_owned(),
            () = tokio::time::sleep(WATCH_INTERVAL) => {}
        }
        if let Some(part) = server.ended_part() {
            return part;
        }
    }
}

/// Lets the server tidy up from time to time.
async fn tidy_up(served: Arc<Server>) {
    let mut times = tokio::time::interval(TIDY_EVERY);
    loop {
        times.tick().await;
        served.tidy_up();
    }
}

/// Waits for the signal to stop: SIGTERM or SIGINT.
async fn stop_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be awaited")?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        result = tokio::signal::ctrl_c() => result.context("SIGINT cannot be awaited"),
    }
}
