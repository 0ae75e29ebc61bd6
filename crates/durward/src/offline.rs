// SPDX-License-Identifier: Apache-2.0
//! Working on a data folder that no server is using, and what the server shares with that.

mod audit;
mod import;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use durward_budget::Budget;
use durward_catalog::Catalog;
use durward_dialect_sync::RandomSource;
use durward_identity::{
    Caller, HeadOptions, OpenOptions, Organization, Organizations, PasswordCost,
};
use durward_model::{Clock, Instant, SystemClock};
use durward_query::{CursorKey, PageSize, RunOptions};
use serde_json::Value as Json;

use crate::arguments::Target;
use crate::output::ResultKind;

pub(crate) use audit::{transactions_ndjson, verify_store};
pub(crate) use import::{import_graph, import_stix, report_json};

/// Environment variable that names the master key file.
pub(crate) const MASTER_KEY_VARIABLE: &str = "DURWARD_MASTER_KEY_FILE";

/// Environment variable that names the file in which heads are remembered.
pub(crate) const HEAD_VARIABLE: &str = "DURWARD_HEAD_FILE";

/// Whether the command line accepts data older than what is remembered; every command that opens a
/// data folder has the option.
static ACCEPT_ROLLBACK: AtomicBool = AtomicBool::new(false);

/// Says whether an older copy of a data folder may be gone on with.
pub(crate) fn accept_rollback(accepted: bool) {
    ACCEPT_ROLLBACK.store(accepted, Ordering::Relaxed);
}

/// Folder of the synchronization jobs inside that of an organization.
pub(crate) const JOBS_FOLDER: &str = "synchronization";

/// The clock of the operating system.
pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// The system's random bytes.
pub(crate) fn random_source() -> RandomSource {
    RandomSource(Arc::new(|bytes| {
        if let Err(error) = durward_vault::random::fill(bytes) {
            tracing::error!(%error, "the system gives no random bytes");
        }
    }))
}

/// The master key file that the environment names.
pub(crate) fn master_key_file() -> Option<PathBuf> {
    path_from(MASTER_KEY_VARIABLE)
}

/// The file of remembered heads that the environment names.
pub(crate) fn head_file() -> Option<PathBuf> {
    path_from(HEAD_VARIABLE)
}

fn path_from(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

/// Opens a data folder and takes its lock.
///
/// # Errors
/// When it is no data folder, another process uses it, or the master key is not there.
pub(crate) fn open(data: &Path) -> anyhow::Result<Organizations> {
    open_within(data, Budget::unlimited())
}

/// As [`open`], for callers who may make the process hold no more than a budget.
///
/// # Errors
/// As [`open`].
pub(crate) fn open_within(data: &Path, budget: Budget) -> anyhow::Result<Organizations> {
    let organizations = Organizations::open_with(&options(data, budget)?, &heads())?;
    tell_discarded(&organizations);
    Ok(organizations)
}

/// Where heads are remembered, and whether older data is accepted.
fn heads() -> HeadOptions {
    HeadOptions {
        file: head_file(),
        accept_rollback: ACCEPT_ROLLBACK.load(Ordering::Relaxed),
    }
}

/// Says on standard error which checkpoints are not used. A server has said so in its log.
fn tell_discarded(organizations: &Organizations) {
    if tracing::enabled!(tracing::Level::ERROR) {
        return;
    }
    for organization in organizations.all() {
        if let Some(why) = organization.store().discarded_checkpoint() {
            let id = organization.id();
            let sentence =
                format!("organization {id}: {why}; the whole journal was folded instead");
            // Standard error may be closed; what was asked for goes on.
            let _ = writeln!(std::io::stderr(), "durward: {sentence}");
        }
    }
}

/// As [`open`], also when none of the organizations can be opened.
///
/// # Errors
/// As [`open`].
pub(crate) fn open_any(data: &Path) -> anyhow::Result<Organizations> {
    let options = options(data, Budget::unlimited())?;
    Ok(Organizations::open_any(&options, &heads())?)
}

fn options(data: &Path, budget: Budget) -> anyhow::Result<OpenOptions> {
    Ok(OpenOptions {
        data: data.to_owned(),
        master_key_file: master_key_file(),
        clock: clock(),
        catalog: Arc::new(Catalog::built_in()?),
        password_cost: PasswordCost::default(),
        checkpoint: true,
        budget,
    })
}

/// An open data folder and the organization in it that a target names.
pub(crate) struct Offline {
    organizations: Organizations,
    organization: Arc<Organization>,
}

impl Offline {
    /// Opens the folder of a target.
    ///
    /// # Errors
    /// As [`open`], and when the organization is not there or must be named.
    pub(crate) fn open(target: &Target) -> anyhow::Result<Self> {
        let data = target
            .data
            .as_deref()
            .context("name the data folder with --data")?;
        let organizations = open(data)?;
        let organization = organizations.find_or_only(target.org.as_deref());
        let organization = match &target.org {
            None => organization.context("name it with --org; `durward org list` shows them")?,
            Some(_) => organization?,
        };
        Ok(Self {
            organizations,
            organization,
        })
    }

    /// The organization.
    pub(crate) fn organization(&self) -> &Arc<Organization> {
        &self.organization
    }

    /// Whoever holds the data folder and its key.
    pub(crate) fn caller(&self) -> Caller {
        Caller::operator(&self.organization)
    }

    /// Closes the folder in good order, so that the next start is quick.
    ///
    /// # Errors
    /// When the last checkpoint cannot be written.
    pub(crate) fn close(self) -> anyhow::Result<()> {
        Ok(self.organizations.close()?)
    }
}

fn run_options(offline: &Offline) -> RunOptions {
    let key = CursorKey::new(&offline.caller().cursor_key());
    let mut options = RunOptions::new(clock().now(), key);
    options.page = PageSize::Whole;
    options.account_id = offline.organization().id().to_string();
    options.limits.clock = Some(clock());
    options
}

/// Asks a data folder.
///
/// # Errors
/// When it cannot be opened, or the query has no answer.
pub(crate) fn query(
    target: &Target,
    query: &str,
    at: Option<Instant>,
) -> anyhow::Result<(ResultKind, Json)> {
    let offline = Offline::open(target)?;
    let view = offline.organization().store().view(at);
    let page = durward_query::run(&view, query, &run_options(&offline))?;
    for warning in &page.warnings {
        eprintln!("warning: {warning}");
    }
    let kind = ResultKind::parse(page.kind.as_str()).context("an unknown kind of result")?;
    let data = serde_json::from_slice(&page.data).context("the result is not JSON")?;
    drop(view);
    offline.close()?;
    Ok((kind, data))
}

/// The plan of a query over a data folder.
///
/// # Errors
/// As [`query`].
pub(crate) fn explain(target: &Target, query: &str, at: Option<Instant>) -> anyhow::Result<String> {
    let offline = Offline::open(target)?;
    let view = offline.organization().store().view(at);
    let text = durward_query::explain(&view, query, &run_options(&offline))?;
    drop(view);
    offline.close()?;
    Ok(text)
}
