// SPDX-License-Identifier: Apache-2.0
//! One organization on a clock of its own, for the tests of this crate's users.

use std::sync::Arc;

use durward_budget::Budget;
use durward_catalog::Catalog;
use durward_model::{Clock as _, Instant, ManualClock};

use crate::{
    Caller, InitOptions, InitOutput, OpenOptions, Organizations, PasswordCost, Presented, init,
};

/// When the clock of a [`World`] begins.
const START: Instant = Instant::from_millis(1_800_000_000_000);

/// A data folder with one open organization, which is gone when this is dropped.
#[derive(Debug)]
pub struct World {
    _folder: tempfile::TempDir,
    /// The clock, which stands still unless it is told.
    pub clock: Arc<ManualClock>,
    /// The organizations; there is one.
    pub organizations: Organizations,
    /// What the command that made it printed.
    pub output: InitOutput,
}

impl World {
    /// A fresh one.
    ///
    /// # Panics
    /// When it cannot be made.
    #[expect(clippy::unwrap_used, reason = "tests may panic")]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(START));
        let data = folder.path().join("data");
        let catalog = Arc::new(Catalog::built_in().unwrap());
        let output = init(&InitOptions {
            data: data.clone(),
            master_key_file: None,
            head_file: None,
            organization: "Acme".to_owned(),
            admin_email: "admin@example.com".to_owned(),
            clock: clock.clone(),
            catalog: Arc::clone(&catalog),
            password_cost: PasswordCost::Minimal,
        })
        .unwrap();
        let organizations = Organizations::open(&OpenOptions {
            data,
            master_key_file: None,
            clock: clock.clone(),
            catalog,
            password_cost: PasswordCost::Minimal,
            checkpoint: false,
            budget: Budget::unlimited(),
        })
        .unwrap();
        Self {
            _folder: folder,
            clock,
            organizations,
            output,
        }
    }

    /// The administrator.
    pub fn admin(&self) -> Caller {
        self.caller(&self.output.api_token)
    }

    /// Whoever holds a token.
    ///
    /// # Panics
    /// When it is refused.
    #[expect(clippy::unwrap_used, reason = "tests may panic")]
    pub fn caller(&self, token: &str) -> Caller {
        let header = format!("Bearer {token}");
        let presented = Presented {
            authorization: Some(&header),
            user_agent: "test",
            source_address: "192.0.2.1",
            request_id: "r1",
            ..Presented::default()
        };
        self.organizations
            .authenticate(&presented, self.now())
            .unwrap()
    }

    /// The present.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// So many microseconds pass.
    pub fn pass(&self, micros: i64) {
        self.clock.advance_micros(micros);
    }

    /// The present; a second passes.
    pub fn tick(&self) -> Instant {
        let now = self.now();
        self.pass(1_000_000);
        now
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
