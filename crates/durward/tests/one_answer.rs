// SPDX-License-Identifier: Apache-2.0
//! Every way of asking "who reaches what" and "what may I", in all dialects, natively and on the
//! command line, over random organizations, now and at past instants: one answer, and it is the
//! one that follows from what was done.
//!
//! `DURWARD_ORGANIZATIONS` says how many (1 without it), `DURWARD_SEED` which ones.
#![allow(
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "tests may panic, and their support is not a public API"
)]

mod common;
#[path = "one_answer/judge.rs"]
mod judge;
#[path = "one_answer/organization.rs"]
mod organization;
#[path = "one_answer/reach.rs"]
mod reach;
#[path = "one_answer/rights.rs"]
mod rights;
#[path = "one_answer/sight.rs"]
mod sight;
#[path = "one_answer/steps.rs"]
mod steps;
#[path = "common/strongdm.rs"]
mod strongdm;
#[path = "grpc/wire.rs"]
mod wire;

use organization::Organization;
use reach::Moment;

const ORGANIZATIONS: u64 = 1;
const SEED: u64 = 9;
/// Random steps after the organization was founded.
const STEPS: usize = 70;
/// After how many steps an instant is noted.
const STEPS_BETWEEN_MOMENTS: usize = 24;

/// An instant to come, at which other grants than now are valid; asked about, it is now.
const AHEAD_SECONDS: i64 = 5400;

fn number(variable: &str, otherwise: u64) -> u64 {
    let text = std::env::var(variable);
    text.map_or(otherwise, |text| text.parse().unwrap())
}

/// How much there was to be answered.
#[derive(Debug, Default)]
struct Met {
    ways: usize,
    forbidden: usize,
    over_groups: usize,
    by_grants: usize,
    suspended: usize,
}

#[test]
fn every_way_to_ask_has_one_answer() {
    let first = number("DURWARD_SEED", SEED);
    let mut met = Met::default();
    for seed in first..first + number("DURWARD_ORGANIZATIONS", ORGANIZATIONS) {
        let asked = std::panic::catch_unwind(|| ask_everything(seed));
        met.add(&asked.unwrap_or_else(|panic| {
            eprintln!("this was the organization of DURWARD_SEED={seed}");
            std::panic::resume_unwind(panic)
        }));
    }
    let least = [met.forbidden, met.over_groups, met.by_grants, met.suspended];
    let is_enough = met.ways > 30 && !least.contains(&0);
    assert!(is_enough, "not everything was there to be asked: {met:?}");
    eprintln!("{met:?}");
}

impl Met {
    fn of(moments: &[Moment<'_>]) -> Self {
        let mut met = Self::default();
        for moment in moments {
            let state = moment.state;
            let ways = state.ways(moment.instant());
            met.ways += ways.len();
            for way in ways {
                met.forbidden += usize::from(state.is_forbidden(&way.account, &way.resource));
                met.over_groups += usize::from(!way.group.is_empty());
                met.by_grants += usize::from(way.by.starts_with("ag-"));
            }
            let accounts = state.accounts.values();
            met.suspended += accounts.filter(|account| account.suspended).count();
        }
        met
    }

    fn add(&mut self, other: &Self) {
        self.ways += other.ways;
        self.forbidden += other.forbidden;
        self.over_groups += other.over_groups;
        self.by_grants += other.by_grants;
        self.suspended += other.suspended;
    }
}

fn ask_everything(seed: u64) -> Met {
    let mut organization = Organization::start(seed);
    organization.found();
    for step in 0..STEPS {
        organization.step();
        if step % STEPS_BETWEEN_MOMENTS == STEPS_BETWEEN_MOMENTS / 2 {
            organization.note_moment();
        }
    }
    organization.settle();
    let (noted, state) = (organization.moments.clone(), organization.state.clone());
    let present = Moment {
        at: None,
        state: &state,
    };
    let past = noted.iter().map(|(at, state)| Moment {
        at: Some(*at),
        state,
    });
    let moments: Vec<Moment<'_>> = past.chain([present]).collect();
    let ahead = Moment {
        at: Some(organization::now().plus_seconds(AHEAD_SECONDS)),
        state: &state,
    };
    for moment in moments.iter().chain([&ahead]) {
        reach::compare(&mut organization, *moment);
        rights::compare(&mut organization, *moment);
    }
    reach::histories(&mut organization, &moments);
    rights::roles(&organization);
    rights::suspensions(&mut organization);
    rights::done_by_themselves(&mut organization);
    sight::of_a_part(&mut organization, &moments);
    sight::of_nothing(&mut organization);
    let url = organization.server.url().to_owned();
    let token = organization.server.credentials().api_token().to_owned();
    let running = ["--url", &url, "--token", &token];
    reach::command_line(&mut organization, present, 8, &running);
    for moment in [moments[1], ahead] {
        reach::command_line(&mut organization, moment, 2, &running);
    }
    organization.server.stop().unwrap();
    let folder = common::text_of(&organization.server.data());
    for moment in [present, moments[0], ahead] {
        reach::command_line(&mut organization, moment, 2, &["--data", &folder]);
    }
    Met::of(&moments)
}
