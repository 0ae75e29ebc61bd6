// SPDX-License-Identifier: Apache-2.0
//! Whole journeys: from `init` over a restart to a refused credential.

mod authentication;
mod credentials;
mod cyral;
mod drawn;
mod effective;
mod folders;
mod keys;
mod meanwhile;
mod roles;
mod signed;
mod sonrai;

use std::path::PathBuf;
use std::sync::Arc;

use durward_budget::Budget;
use durward_catalog::Catalog;
use durward_model::{Clock as _, Instant, ManualClock};

use crate::{
    AuthError, Caller, CredentialKind, IdentityError, InitOptions, InitOutput, IssuedCredential,
    NewCredential, OpenOptions, Organization, Organizations, PasswordCost, Presented, init,
};

/// A data folder with one organization.
pub(crate) struct World {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    output: InitOutput,
}

const START: Instant = Instant::from_millis(1_800_000_000_000);
const DAY_SECONDS: i64 = 24 * 3600;

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(START));
        let options = init_options(folder.path().join("data"), &clock);
        Self {
            output: init(&options).unwrap(),
            folder,
            clock,
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn key_file(&self) -> PathBuf {
        self.folder.path().join("data.key")
    }

    fn open_options(&self) -> OpenOptions {
        OpenOptions {
            data: self.data(),
            master_key_file: None,
            clock: self.clock.clone(),
            catalog: Arc::new(Catalog::built_in().unwrap()),
            password_cost: PasswordCost::Minimal,
            checkpoint: true,
            budget: Budget::unlimited(),
        }
    }

    fn open(&self) -> Organizations {
        Organizations::open(&self.open_options()).unwrap()
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance_micros(seconds * 1_000_000);
    }

    fn try_token(&self, organizations: &Organizations, token: &str) -> Result<Caller, AuthError> {
        self.try_with(organizations, token, &[])
    }

    fn try_with(
        &self,
        organizations: &Organizations,
        token: &str,
        accounts: &[&str],
    ) -> Result<Caller, AuthError> {
        let header = format!("Bearer {token}");
        let presented = Presented {
            authorization: Some(&header),
            accounts,
            user_agent: "test",
            source_address: "192.0.2.1",
            request_id: "r1",
        };
        organizations.authenticate(&presented, self.now())
    }

    fn token(&self, organizations: &Organizations, token: &str) -> Caller {
        self.try_token(organizations, token).unwrap()
    }

    fn refusal(&self, organizations: &Organizations, token: &str) -> &'static str {
        self.try_token(organizations, token).unwrap_err().reason()
    }

    /// The administrator and the organization.
    fn admin(&self, organizations: &Organizations) -> (Caller, Arc<Organization>) {
        let caller = self.token(organizations, &self.output.api_token);
        let organization = Arc::clone(caller.organization());
        (caller, organization)
    }
}

/// Makes a credential of the caller's own account.
fn create_own(
    caller: &Caller,
    kind: CredentialKind,
    name: &str,
    expires_at: Option<Instant>,
) -> Result<IssuedCredential, IdentityError> {
    let new = NewCredential {
        expires_at,
        ..NewCredential::own(caller, kind, name)?
    };
    caller.organization().create_own_credential(caller, new)
}

fn init_options(data: PathBuf, clock: &Arc<ManualClock>) -> InitOptions {
    InitOptions {
        data,
        master_key_file: None,
        head_file: None,
        organization: "Acme".to_owned(),
        admin_email: "admin@example.com".to_owned(),
        clock: Arc::clone(clock) as Arc<dyn durward_model::Clock>,
        catalog: Arc::new(Catalog::built_in().unwrap()),
        password_cost: PasswordCost::Minimal,
    }
}
