// SPDX-License-Identifier: Apache-2.0
//! The log: lines on standard error, which never hold up or end what writes them.
//!
//! A full disk, a reader that is gone and a reader that does not read must not harm the server. Who
//! logs puts a line into a queue with a limit; one thread writes them. A line that finds no place,
//! or cannot be written, is counted, and the number is told when writing works again.

mod pump;

use std::io::{self, IsTerminal as _, Write};
use std::panic::PanicHookInfo;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use self::pump::Pump;
use crate::offline;

/// Lines that may wait.
const LINES_MAX: usize = 8192;
/// Bytes that may wait.
const BYTES_MAX: usize = 4 << 20;
/// How long the end of the process waits for the lines before it.
const FLUSH_TIME: Duration = Duration::from_secs(2);

/// What counts lines that are not in the log.
const LOST_METRIC: &str = "durward_log_lines_lost_total";

/// Where lines go.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    queue: SyncSender<Order>,
    counts: Arc<Counts>,
}

/// What the two ends of the queue share.
#[derive(Debug, Default)]
struct Counts {
    waiting_bytes: AtomicUsize,
    lost: AtomicU64,
}

enum Order {
    Line(Vec<u8>),
    Flush(SyncSender<()>),
}

/// Starts logging to standard error: events, by the filter in `DURWARD_LOG`, and panics. The log is
/// written out when what this gives is dropped.
///
/// # Errors
/// When there is no thread for it.
pub(crate) fn start() -> io::Result<Guard> {
    let log = Log::start(io::stderr())?;
    let filter = EnvFilter::try_from_env("DURWARD_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        // Those would go to standard error by a way that panics.
        .log_internal_errors(false)
        .with_writer(log.clone());
    // A second start in one process would be a test's; its log goes where the first one's does.
    let _ = subscriber.try_init();
    let told = log.clone();
    std::panic::set_hook(Box::new(move |panic| told.panicked(panic)));
    Ok(Guard(log))
}

/// Writes out the log at the end.
#[derive(Debug)]
pub(crate) struct Guard(Log);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.flush(FLUSH_TIME);
    }
}

impl Log {
    fn start(sink: impl Write + Send + 'static) -> io::Result<Self> {
        let (queue, orders) = sync_channel(LINES_MAX);
        let counts = Arc::new(Counts::default());
        let pump = Pump::new(sink, Arc::clone(&counts));
        std::thread::Builder::new()
            .name("durward-log".to_owned())
            .spawn(move || write_out(pump, &orders))?;
        Ok(Self { queue, counts })
    }

    /// Takes a line, or counts it as lost. Never waits.
    fn put(&self, line: Vec<u8>) {
        let bytes = line.len();
        let waiting = self
            .counts
            .waiting_bytes
            .fetch_add(bytes, Ordering::Relaxed);
        let fits = waiting.saturating_add(bytes) <= BYTES_MAX;
        if !fits || self.queue.try_send(Order::Line(line)).is_err() {
            self.counts
                .waiting_bytes
                .fetch_sub(bytes, Ordering::Relaxed);
            self.counts.lose(1);
        }
    }

    /// Waits until what was put before is written, but not longer than `time`.
    fn flush(&self, time: Duration) {
        let (done, written) = sync_channel(1);
        if self.queue.try_send(Order::Flush(done)).is_ok() {
            let _ = written.recv_timeout(time);
        }
    }

    /// What the process says of a panic, in one line and the trace if one is asked for.
    fn panicked(&self, panic: &PanicHookInfo<'_>) {
        metrics::counter!("durward_panics_total").increment(1);
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("without a name");
        let now = offline::clock().now().to_rfc3339_millis();
        let trace = std::backtrace::Backtrace::capture();
        let trace = match trace.status() {
            std::backtrace::BacktraceStatus::Captured => format!("{trace}"),
            _ => String::new(),
        };
        self.put(format!("{now} ERROR durward: thread {name}: {panic}\n{trace}").into_bytes());
    }
}

impl Counts {
    fn lose(&self, lines: u64) {
        self.lost.fetch_add(lines, Ordering::Relaxed);
        metrics::counter!(LOST_METRIC).increment(lines);
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = LineWriter<'a>;

    fn make_writer(&'a self) -> LineWriter<'a> {
        LineWriter(self)
    }
}

/// Takes what an event was formatted to. Always succeeds.
#[derive(Debug)]
pub(crate) struct LineWriter<'a>(&'a Log);

impl Write for LineWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.put(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_out<W: Write>(mut pump: Pump<W>, orders: &Receiver<Order>) {
    while let Ok(order) = orders.recv() {
        match order {
            Order::Line(line) => {
                pump.write(&line);
                pump.counts()
                    .waiting_bytes
                    .fetch_sub(line.len(), Ordering::Relaxed);
            }
            // Who waited may have gone.
            Order::Flush(done) => drop(done.try_send(())),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests;
