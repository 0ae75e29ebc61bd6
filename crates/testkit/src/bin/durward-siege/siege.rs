// SPDX-License-Identifier: Apache-2.0
//! One attack after the other, and what is said about each.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use durward_testkit::times::now;
use tokio::runtime::Runtime;

use crate::attacks::{ATTACKS, Attack, GROWING};
use crate::field::{Field, PREPARE_TIMEOUT, short};
use crate::memory::{Seen, Watch, resident};
use crate::other::{Record, Working};
use crate::plan::Plan;
use crate::world::World;

/// Bytes of the budget that may still be held when all is quiet.
const QUIET_BYTES: f64 = 1_048_576.0;
/// How long the allocator may take to give back what is free.
const FREED_WITHIN: Duration = Duration::from_secs(3);
/// What one write of the other client adds to the graph, with its past.
const WRITE_BYTES: u64 = 2 << 10;
/// The long form's goal for the other client.
const P99_GOAL_MS: f64 = 250.0;
const POLL: Duration = Duration::from_millis(50);

/// Everything that goes on during a siege.
struct Siege<'a> {
    plan: &'a Plan,
    world: World,
    runtime: Runtime,
    /// Number of the other client's next write.
    next: Arc<AtomicU64>,
    /// What that number was when the data folder was made.
    first: u64,
    /// Writes that were acknowledged since.
    written: u64,
    /// Entities that the other organization had then.
    entities: u64,
    quiet: Record,
    /// Bytes that are resident when nothing happens.
    rest: u64,
    /// Lines of the log that told of a panic.
    panics: BTreeSet<String>,
}

/// What is held against the server after one attack.
#[derive(Default)]
struct Outcome {
    faults: Vec<String>,
    line: String,
}

/// Runs all attacks that are asked for; answers whether the server withstood.
pub(crate) fn run(plan: &Plan) -> anyhow::Result<bool> {
    let wanted: Vec<&Attack> = ATTACKS
        .iter()
        .filter(|attack| plan.wants(attack.name))
        .collect();
    if plan.lists {
        for attack in wanted {
            println!("{}", attack.name);
        }
        return Ok(true);
    }
    anyhow::ensure!(
        !wanted.is_empty(),
        "no attack has such a name; --list shows them"
    );
    let begun = now();
    let world = World::create(plan).context("making the besieged server")?;
    let mut siege = Siege {
        plan,
        world,
        runtime: tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?,
        next: Arc::default(),
        first: 0,
        written: 0,
        entities: 0,
        quiet: Record::default(),
        rest: 0,
        panics: BTreeSet::new(),
    };
    siege.entities = siege.world.victim_entities()?.company;
    siege.listen_to_quiet()?;
    let (mut passed, mut failed) = (0u32, 0u32);
    for attack in wanted {
        let outcome = siege.attack(attack)?;
        let verdict = if outcome.faults.is_empty() {
            "ok  "
        } else {
            "LOST"
        };
        println!("{verdict} {:<28} {}", attack.name, outcome.line);
        for fault in &outcome.faults {
            println!("       {fault}");
        }
        if outcome.faults.is_empty() {
            passed += 1;
        } else {
            failed += 1;
        }
    }
    match siege.aftermath() {
        Ok(()) => {
            println!(
                "ok   the server ends, starts again with everything, and its journals are sound"
            );
            passed += 1;
        }
        Err(error) => {
            println!("LOST aftermath: {error:#}");
            failed += 1;
        }
    }
    println!(
        "\n{passed} passed, {failed} failed in {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    Ok(failed == 0)
}

impl Siege<'_> {
    /// How the other client fares while nothing happens.
    fn listen_to_quiet(&mut self) -> anyhow::Result<()> {
        let working = Working::start(&self.world, self.plan.patience, &self.next);
        std::thread::sleep(self.plan.quiet);
        self.quiet = working.finish();
        self.written += self.quiet.written;
        let resident = resident(self.world.server().process_id())?;
        self.rest = resident;
        println!(
            "quiet: {} calls, p50 {:.1} ms, p99 {:.1} ms; resident {} MiB, budget {} MiB",
            self.quiet.times.len(),
            self.quiet.times.milliseconds(0.5),
            self.quiet.times.milliseconds(0.99),
            resident >> 20,
            self.world.budget_bytes >> 20,
        );
        let failure = self.quiet.failures.first();
        anyhow::ensure!(failure.is_none(), "a call failed in quiet: {failure:?}");
        Ok(())
    }

    /// One attack with its judgement; a server that lost is started afresh.
    fn attack(&mut self, attack: &Attack) -> anyhow::Result<Outcome> {
        let process = self.world.server().process_id();
        let address: SocketAddr = self.world.address().parse()?;
        let working = Working::start(&self.world, self.plan.patience, &self.next);
        let watch = Watch::start(process, self.plan.kill_bytes);
        let (arsenal, duration) = (self.world.arsenal(), self.plan.attack * attack.weight);
        let bystander = self.world.victim().api_token();
        let field = Arc::new(Field::new(address, arsenal, bystander, duration));
        let ended = self.runtime.block_on(async {
            let run = (attack.run)(Arc::clone(&field));
            // Attacks end by themselves; this is for one that does not.
            tokio::time::timeout(duration * 2 + PREPARE_TIMEOUT, run).await
        });
        let record = working.finish();
        let seen = watch.finish();
        self.written += record.written;
        let mut outcome = Outcome::default();
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => outcome.faults.push(format!("{error:#}")),
            Err(_) => outcome.faults.push("the attack did not end".to_owned()),
        }
        if GROWING.contains(&attack.name) {
            // What was written stays; what was only held is given back to the system by then.
            std::thread::sleep(FREED_WITHIN);
            self.rest = self.rest.max(resident(process).unwrap_or(0));
        }
        let limit = self.limit();
        self.judge(&mut outcome, &record, limit, seen);
        self.find_panics(&mut outcome);
        if outcome.faults.is_empty() {
            self.settle(&mut outcome);
        }
        outcome.line = format!(
            "peak {:>4} of {:>4} MiB  calls {:>4}  p50 {:>6.1} ms  p99 {:>7.1} ms  | {}",
            seen.peak_bytes >> 20,
            limit >> 20,
            record.times.len(),
            record.times.milliseconds(0.5),
            record.times.milliseconds(0.99),
            field.outcomes(),
        );
        if !outcome.faults.is_empty() {
            let log = self.world.server().log();
            let last = log.lines().rev().take(2);
            outcome
                .faults
                .extend(last.map(|line| format!("log: {line}")));
            self.revive(&mut outcome)?;
        }
        Ok(outcome)
    }

    /// Starts the server afresh, on fresh data where it does not start any more.
    fn revive(&mut self, outcome: &mut Outcome) -> anyhow::Result<()> {
        let Err(error) = self.world.revive() else {
            return Ok(());
        };
        outcome
            .faults
            .push(format!("it does not start again: {error:#}"));
        self.world = World::create(self.plan).context("making another server")?;
        self.entities = self.world.victim_entities()?.company;
        self.first = self.next.load(Ordering::Relaxed);
        self.written = 0;
        Ok(())
    }

    /// Bytes that may be resident: what was in quiet, what the other client has written since, and
    /// the budget.
    fn limit(&self) -> u64 {
        let budget = self.world.budget_bytes.max(self.plan.budget_bytes);
        self.rest + self.written * WRITE_BYTES + budget + self.plan.allowance_bytes
    }

    fn judge(&self, outcome: &mut Outcome, record: &Record, limit: u64, seen: Seen) {
        let faults = &mut outcome.faults;
        if seen.was_ended {
            let mib = seen.peak_bytes >> 20;
            faults.push(format!("the server was ended at {mib} MiB"));
        } else if resident(self.world.server().process_id()).is_err() {
            faults.push("the server died".to_owned());
        } else if seen.peak_bytes > limit {
            faults.push(format!(
                "more memory than budget: {} MiB",
                seen.peak_bytes >> 20
            ));
        }
        if record.failed > 0 {
            faults.push(format!(
                "{} calls of the other client failed",
                record.failed
            ));
            faults.extend(record.failures.iter().map(|failure| format!("- {failure}")));
        }
        let p99 = record.times.milliseconds(0.99);
        if self.plan.is_long && p99 > P99_GOAL_MS {
            faults.push(format!(
                "p99 {p99:.0} ms is over the goal of {P99_GOAL_MS} ms"
            ));
        }
    }

    /// A thread that panicked is a fault, whatever the server made of it.
    fn find_panics(&mut self, outcome: &mut Outcome) {
        let log = self.world.server().log();
        for line in log.lines().filter(|line| line.contains(" panicked at ")) {
            if self.panics.insert(line.to_owned()) {
                outcome.faults.push(line.to_owned());
            }
        }
    }

    /// Waits until nothing of the budget is held.
    fn settle(&self, outcome: &mut Outcome) {
        let begun = now();
        loop {
            match self.budget_held() {
                Ok(None) => return,
                Ok(Some(bytes)) if bytes < QUIET_BYTES => return,
                held => {
                    if begun.elapsed() > self.plan.settle {
                        let held = match held {
                            Ok(bytes) => format!("{} bytes", bytes.unwrap_or_default()),
                            Err(error) => short(&error),
                        };
                        let seconds = self.plan.settle.as_secs();
                        outcome
                            .faults
                            .push(format!("still held after {seconds} s: {held}"));
                        return;
                    }
                }
            }
            std::thread::sleep(POLL);
        }
    }

    /// Bytes of the budget that are held; nothing where the server does not tell.
    fn budget_held(&self) -> anyhow::Result<Option<f64>> {
        let answer = self.world.server().client().get("/metrics")?;
        let line = answer
            .body
            .lines()
            .find_map(|line| line.strip_prefix("durward_budget_bytes{part=\"requests\"} "));
        Ok(line.map(str::parse).transpose()?)
    }

    /// The server ends politely, starts again, has everything, and its journals verify.
    fn aftermath(&mut self) -> anyhow::Result<()> {
        self.world
            .restart()
            .context("ending and starting the server")?;
        let tried = self.next.load(Ordering::Relaxed) - self.first;
        let there = self.world.victim_entities()?;
        anyhow::ensure!(
            there.company == self.entities && (self.written..=tried).contains(&there.written),
            "{there:?} after the restart, of {} entities and {} acknowledged writes",
            self.entities,
            self.written
        );
        self.world.verify()
    }
}
