// SPDX-License-Identifier: Apache-2.0
//! Many connections that always have one request under way each.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use durward_testkit::connection::{Connection, Target, check};
use durward_testkit::times::{Times, now};
use serde::Deserialize;
use serde_json::{Value, json};

/// Requests made from a template: `{n}` is a running number, `{value}` the next of `values`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Storm {
    path: String,
    template: String,
    #[serde(default)]
    values: Vec<String>,
    /// Connections.
    clients: usize,
    /// Threads that share the connections.
    #[serde(default = "one")]
    threads: usize,
    seconds: f64,
    /// First running number.
    #[serde(default)]
    first: u64,
    /// Requests a second over all connections; 0 for as many as are answered.
    #[serde(default)]
    rate: f64,
    /// Type of the bodies.
    #[serde(default = "json")]
    content_type: String,
}

fn json() -> String {
    "application/json".to_owned()
}

fn one() -> usize {
    1
}

/// What the threads share.
#[derive(Debug)]
struct Shared {
    storm: Storm,
    target: Target,
    next: AtomicU64,
    is_over: AtomicBool,
    begun: Instant,
}

/// Requests that run until they are stopped.
#[derive(Debug)]
pub(crate) struct Running {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<anyhow::Result<Times>>>,
}

impl Running {
    pub(crate) fn start(target: &Target, storm: Storm) -> Self {
        let threads = storm.threads.max(1);
        let shared = Arc::new(Shared {
            next: AtomicU64::new(storm.first),
            storm,
            target: target.clone(),
            is_over: AtomicBool::new(false),
            begun: now(),
        });
        let threads = (0..threads)
            .map(|number| {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || shared.run(number))
            })
            .collect();
        Self { shared, threads }
    }

    pub(crate) fn finish(self) -> anyhow::Result<Value> {
        self.shared.is_over.store(true, Ordering::Relaxed);
        let mut times = Times::default();
        for thread in self.threads {
            match thread.join() {
                Ok(result) => times.append(result?),
                Err(_) => bail!("a thread of the load client ended abnormally"),
            }
        }
        let seconds = self.shared.begun.elapsed().as_secs_f64();
        let per_second = times.len() as f64 / seconds;
        let next = self.shared.next.load(Ordering::Relaxed);
        Ok(json!({
            "seconds": seconds, "per_second": per_second, "next": next, "times": times.summary(),
        }))
    }
}

/// Runs for the given time.
pub(crate) fn storm(target: &Target, storm: Storm) -> anyhow::Result<Value> {
    let time = Duration::from_secs_f64(storm.seconds);
    let running = Running::start(target, storm);
    std::thread::sleep(time);
    running.finish()
}

impl Shared {
    /// One thread: it waits for its connections in turn and sends the next request on each.
    fn run(&self, number: usize) -> anyhow::Result<Times> {
        let threads = self.storm.threads.max(1);
        let count = (self.storm.clients + threads - 1 - number) / threads;
        let mut connections = Vec::with_capacity(count);
        for _ in 0..count {
            let content_type = &self.storm.content_type;
            let connection = Connection::open_for(&self.target, content_type)?;
            connections.push((connection, None));
        }
        let (mut times, mut answer, mut body) = (Times::default(), Vec::new(), String::new());
        let mut open = count;
        while open > 0 {
            for (connection, sent) in &mut connections {
                if let Some(sent) = sent.take() {
                    let status = connection.receive(&mut answer)?;
                    times.add(now().duration_since(sent));
                    check(status, &answer).context("under load")?;
                }
                if self.is_over.load(Ordering::Relaxed) {
                    continue;
                }
                self.next_body(&mut body);
                *sent = Some(now());
                connection.send("POST", &self.storm.path, body.as_bytes())?;
            }
            open = connections
                .iter()
                .filter(|(_, sent)| sent.is_some())
                .count();
        }
        Ok(times)
    }

    /// Makes the next body; waits for its turn where a rate is given.
    fn next_body(&self, body: &mut String) {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let done = n - self.storm.first;
        if self.storm.rate > 0.0 {
            let due = Duration::from_secs_f64(done as f64 / self.storm.rate);
            std::thread::sleep(due.saturating_sub(self.begun.elapsed()));
        }
        body.clear();
        let values = &self.storm.values;
        let width = self.storm.template.matches("{value}").count() as u64;
        let mut at = done * width;
        let mut rest = self.storm.template.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            body.push_str(before);
            if let Some(after) = after.strip_prefix("n}") {
                body.push_str(&n.to_string());
                rest = after;
            } else if let Some(after) = after.strip_prefix("value}") {
                let turn = at.checked_rem(values.len() as u64).unwrap_or(0);
                body.push_str(values.get(turn as usize).map_or("", String::as_str));
                at += 1;
                rest = after;
            } else {
                body.push('{');
                rest = after;
            }
        }
        body.push_str(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_filled_in() {
        let storm = Storm {
            path: String::new(),
            template: r#"{"n":{n},"a":"{value}","b":"{value}"}"#.to_owned(),
            values: vec!["x".to_owned(), "y".to_owned(), "z".to_owned()],
            clients: 1,
            threads: 1,
            seconds: 0.0,
            first: 7,
            rate: 0.0,
            content_type: json(),
        };
        let target = Target {
            address: String::new(),
            token: String::new(),
        };
        let (next, is_over, begun) = (AtomicU64::new(7), AtomicBool::new(false), now());
        let shared = Shared {
            storm,
            target,
            next,
            is_over,
            begun,
        };
        let mut body = String::new();
        shared.next_body(&mut body);
        assert_eq!(body, r#"{"n":7,"a":"x","b":"y"}"#);
        shared.next_body(&mut body);
        assert_eq!(body, r#"{"n":8,"a":"z","b":"x"}"#);
    }
}
