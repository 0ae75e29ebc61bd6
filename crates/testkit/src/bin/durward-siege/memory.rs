// SPDX-License-Identifier: Apache-2.0
//! The resident memory of the server, looked at all the time.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;

const INTERVAL: Duration = Duration::from_millis(5);

/// Kibibytes of a figure in the text of `/proc/PID/status`.
fn kibibytes(status: &str, name: &str) -> Option<u64> {
    let mut lines = status.lines();
    let rest = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Bytes that a process has resident now.
pub(crate) fn resident(process: u32) -> anyhow::Result<u64> {
    figure(process, "VmRSS")
}

fn figure(process: u32, name: &str) -> anyhow::Result<u64> {
    let path = format!("/proc/{process}/status");
    let status = std::fs::read_to_string(&path).with_context(|| path.clone())?;
    let found = kibibytes(&status, name).with_context(|| format!("{path} has no {name}"))?;
    Ok(found << 10)
}

/// Watches a process and ends it when it grows too large.
#[derive(Debug)]
pub(crate) struct Watch {
    process: u32,
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

/// What a watch saw.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Seen {
    /// The most bytes that were resident.
    pub(crate) peak_bytes: u64,
    /// Whether the process was ended for its size.
    pub(crate) was_ended: bool,
}

impl Watch {
    /// Begins to watch; the process is ended when it has more than `kill_bytes` resident.
    pub(crate) fn start(process: u32, kill_bytes: u64) -> Self {
        // The kernel's own high-water mark counts from now. Where that is not possible, the samples
        // are what there is.
        let _ = std::fs::write(format!("/proc/{process}/clear_refs"), "5");
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || {
            let mut seen = Seen::default();
            while !over.load(Ordering::Relaxed) {
                let now = resident(process).unwrap_or(0);
                seen.peak_bytes = seen.peak_bytes.max(now);
                if now > kill_bytes && !seen.was_ended {
                    let id = process.to_string();
                    let ended = Command::new("kill").args(["-KILL", &id]).status();
                    seen.was_ended = ended.is_ok_and(|status| status.success());
                }
                std::thread::sleep(INTERVAL);
            }
            seen
        });
        Self {
            process,
            is_over,
            thread,
        }
    }

    /// Ends the watch.
    pub(crate) fn finish(self) -> Seen {
        self.is_over.store(true, Ordering::Relaxed);
        let mut seen = self.thread.join().unwrap_or_default();
        // The kernel also saw what was between two looks.
        let mark = figure(self.process, "VmHWM").unwrap_or(0);
        seen.peak_bytes = seen.peak_bytes.max(mark);
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_process_are_read() {
        let status = "Name:\tdurward\nVmHWM:\t   2048 kB\nVmRSS:\t   1024 kB\n";
        assert_eq!(kibibytes(status, "VmRSS"), Some(1024));
        assert_eq!(kibibytes(status, "VmHWM"), Some(2048));
        assert_eq!(kibibytes(status, "Vm"), None);
    }
}
