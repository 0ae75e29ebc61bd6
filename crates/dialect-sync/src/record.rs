// SPDX-License-Identifier: Apache-2.0
//! What is kept about a job, in memory and in its `job.json`.

mod refusal;

use std::io;

use durward_graph::bulk::diff::{DiffReport, Outcomes, SyncMode};
use durward_graph::bulk::staging::StagedPart;
use durward_graph::bulk::{PartCounts, PartialTypes};
use durward_journal::file_seal;
use durward_model::transaction::Origin;
use durward_model::{Namespace, ObjectId, Value};
use serde::{Deserialize, Serialize};

pub(crate) use self::refusal::{Refusal, Rejected, RejectedItem};
use crate::jobs::JobHome;

pub(crate) const RECORD_FILE: &str = "job.json";
/// Format of the records that are written and read.
const RECORD_VERSION: u32 = 2;
/// Largest record that is written, and read back.
pub(crate) const RECORD_BYTES_MAX: u64 = 16 << 20;

/// Where the objects of a job come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobSource {
    /// Uploads of any client, in a scope of its choice.
    Api,
    /// An integration outside.
    IntegrationExternal,
    /// An integration that the server runs.
    IntegrationManaged,
    /// Jobs of the system itself.
    SystemInternal,
}

impl JobSource {
    /// The name that clients use, which is also the source in the namespace.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::IntegrationExternal => "integration-external",
            Self::IntegrationManaged => "integration-managed",
            Self::SystemInternal => "system-internal",
        }
    }

    /// Whether an integration instance is the scope.
    pub fn is_integration(self) -> bool {
        matches!(self, Self::IntegrationExternal | Self::IntegrationManaged)
    }
}

/// How a job changes the graph, as clients name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobMode {
    /// What is uploaded replaces the scope.
    Diff,
    /// Entities are added or updated.
    Patch,
    /// Relationships between scopes are added or updated.
    CrossScope,
    /// Everything is added or updated, and what is listed is deleted.
    CreateOrUpdate,
}

impl JobMode {
    /// The mode of the comparison below.
    pub fn sync_mode(self) -> SyncMode {
        match self {
            Self::Diff => SyncMode::Diff,
            Self::Patch | Self::CreateOrUpdate => SyncMode::Patch,
            Self::CrossScope => SyncMode::CrossScope,
        }
    }

    /// Whether entities may leave out what they do not change.
    pub fn is_patch(self) -> bool {
        matches!(self, Self::Patch | Self::CreateOrUpdate)
    }

    /// Why this mode does not take an upload, if it does not.
    pub fn refusal(self, counts: &PartCounts) -> Option<&'static str> {
        let relationships = counts.relationships + counts.mapped;
        match self {
            Self::Diff if counts.removals > 0 => {
                Some("a DIFF job deletes what is absent; it takes no deletions")
            }
            Self::Patch if relationships > 0 => Some("a PATCH job takes entities only"),
            Self::CrossScope if counts.entities > 0 || counts.mapped > 0 => {
                Some("a CROSS_SCOPE job takes relationships only")
            }
            Self::CrossScope if counts.removals > 0 => {
                Some("this job takes no deletions; use syncMode PATCH")
            }
            _ => None,
        }
    }
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobStatus {
    /// It takes uploads.
    AwaitingUploads,
    /// Its finalization was asked for.
    FinalizePending,
    /// It is done.
    Finished,
    /// It was given up.
    Aborted,
    /// It was given up because the integration is not set up rightly.
    AbortedDueToInvalidConfiguration,
    /// What was uploaded cannot be taken over.
    ErrorBadData,
    /// Finalizing failed for a reason that does not lie in the data.
    ErrorUnexpectedFailure,
}

impl JobStatus {
    /// The name that clients know.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AwaitingUploads => "AWAITING_UPLOADS",
            Self::FinalizePending => "FINALIZE_PENDING",
            Self::Finished => "FINISHED",
            Self::Aborted => "ABORTED",
            Self::AbortedDueToInvalidConfiguration => "ABORTED_DUE_TO_INVALID_CONFIGURATION",
            Self::ErrorBadData => "ERROR_BAD_DATA",
            Self::ErrorUnexpectedFailure => "ERROR_UNEXPECTED_FAILURE",
        }
    }

    /// Whether nothing happens to the job any more.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::AwaitingUploads | Self::FinalizePending)
    }
}

/// An event that an integration reports about its job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JobEvent {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    /// Epoch milliseconds.
    pub(crate) create_date: i64,
}

/// Everything about a job except its staged parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobRecord {
    version: u32,
    pub(crate) id: String,
    pub(crate) source: JobSource,
    pub(crate) scope: Option<String>,
    pub(crate) mode: JobMode,
    pub(crate) integration_instance_id: Option<String>,
    pub(crate) integration_job_id: Option<String>,
    pub(crate) dry_run: bool,
    pub(crate) status: JobStatus,
    /// Epoch microseconds.
    pub(crate) started_at: i64,
    pub(crate) ended_at: Option<i64>,
    /// Kept here when the staged parts are gone.
    pub(crate) uploaded: Counts,
    pub(crate) result: Option<Outcome>,
    /// Why the job failed or was aborted.
    pub(crate) reason: Option<String>,
    pub(crate) warnings: Vec<String>,
    pub(crate) events: Vec<JobEvent>,
    pub(crate) partial_types: Vec<String>,
    pub(crate) requested_by: Requester,
    /// What a finalization that reached the journal comes to; asked when nobody lived to note it.
    pub(crate) planned: Option<Outcome>,
    /// How often its finalization was begun since it last came to an end.
    #[serde(default)]
    pub(crate) attempts: u32,
    /// Uploads of which something did not arrive.
    pub(crate) refusals: Vec<Refusal>,
    /// Items that were left out of uploads.
    pub(crate) rejected: Rejected,
    /// What is known of the integration.
    pub(crate) integration: Integration,
}

/// What a job may say of its integration beside the instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Integration {
    pub(crate) definition_id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) classes: Vec<String>,
}

/// Who asked for the finalization, for the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Requester {
    actor: Option<u64>,
    credential: Option<u64>,
    request_id: String,
    source_address: String,
    user_agent: String,
}

impl From<&Origin> for Requester {
    fn from(origin: &Origin) -> Self {
        Self {
            actor: origin.actor.map(|id| id.0),
            credential: origin.credential.map(|id| id.0),
            request_id: origin.request_id.clone(),
            source_address: origin.source_address.clone(),
            user_agent: origin.user_agent.clone(),
        }
    }
}

impl Requester {
    /// The origin of the transaction of a job.
    pub(crate) fn origin(&self) -> Origin {
        Origin {
            actor: self.actor.map(ObjectId),
            credential: self.credential.map(ObjectId),
            activity: "synchronization finalized".to_owned(),
            request_id: self.request_id.clone(),
            source_address: self.source_address.clone(),
            user_agent: self.user_agent.clone(),
            detail: String::new(),
        }
    }
}

/// How much was uploaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) entities: u64,
    pub(crate) relationships: u64,
    pub(crate) mapped: u64,
}

impl From<PartCounts> for Counts {
    fn from(counts: PartCounts) -> Self {
        Self {
            entities: counts.entities,
            relationships: counts.relationships,
            mapped: counts.mapped,
        }
    }
}

/// What finalizing did, in a form that can be kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Created, updated, deleted, and the errors of each.
    pub(crate) entities: [u64; 6],
    pub(crate) relationships: [u64; 6],
    pub(crate) mapped: [u64; 6],
    pub(crate) twins: u64,
    pub(crate) messages: Vec<String>,
}

impl From<DiffReport> for Outcome {
    fn from(report: DiffReport) -> Self {
        let counts = |counts: &Outcomes| {
            [
                counts.created,
                counts.updated,
                counts.deleted,
                counts.create_errors,
                counts.update_errors,
                counts.delete_errors,
            ]
        };
        Self {
            entities: counts(&report.entities),
            relationships: counts(&report.relationships),
            mapped: counts(&report.mapped),
            twins: report.twins,
            messages: report.messages,
        }
    }
}

impl JobRecord {
    pub(crate) fn new(id: String, source: JobSource, mode: JobMode, started_at: i64) -> Self {
        Self {
            version: RECORD_VERSION,
            id,
            source,
            scope: None,
            mode,
            integration_instance_id: None,
            integration_job_id: None,
            dry_run: false,
            status: JobStatus::AwaitingUploads,
            started_at,
            ended_at: None,
            uploaded: Counts::default(),
            result: None,
            reason: None,
            warnings: Vec::new(),
            events: Vec::new(),
            partial_types: Vec::new(),
            requested_by: Requester::default(),
            planned: None,
            attempts: 0,
            refusals: Vec::new(),
            rejected: Rejected::default(),
            integration: Integration::default(),
        }
    }

    /// Metadata that every object of the job gets.
    pub(crate) fn stamp(&self) -> Vec<(String, Value)> {
        if !self.source.is_integration() {
            return Vec::new();
        }
        let about = &self.integration;
        let texts = [
            ("_integrationInstanceId", &self.integration_instance_id),
            ("_integrationDefinitionId", &about.definition_id),
            ("_integrationName", &about.name),
            ("_integrationType", &about.kind),
        ];
        let texts = texts
            .into_iter()
            .filter_map(|(name, text)| Some((name.to_owned(), Value::from(text.as_deref()?))));
        let classes = about
            .classes
            .iter()
            .map(|class| Value::from(class.as_str()));
        let classes: Vec<Value> = classes.collect();
        let classes =
            (!classes.is_empty()).then(|| ("_integrationClass".to_owned(), Value::List(classes)));
        texts.chain(classes).collect()
    }

    /// The refusals that no later upload made good.
    pub(crate) fn open_refusals(&self, parts: &[StagedPart]) -> Vec<Refusal> {
        let open = self.refusals.iter();
        open.filter(|refusal| !refusal.is_made_good(parts, &self.refusals))
            .cloned()
            .collect()
    }

    /// Types of which nothing that is absent is deleted: those that the client names, and those of
    /// uploads that did not arrive whole.
    pub(crate) fn partial(&self, refusals: &[Refusal]) -> PartialTypes {
        let mut partial = PartialTypes {
            all: false,
            types: self.partial_types.iter().cloned().collect(),
        };
        for refusal in refusals {
            partial.extend(&refusal.partial());
        }
        partial
    }

    /// The namespace that the job writes.
    pub(crate) fn namespace(&self) -> Namespace {
        let scope = if self.source.is_integration() {
            self.integration_instance_id.as_deref()
        } else {
            self.scope.as_deref()
        };
        Namespace::new(self.source.as_str(), scope.unwrap_or_default())
    }

    /// Notes a warning once.
    pub(crate) fn warn(&mut self, warning: &str) {
        const WARNINGS_MAX: usize = 50;
        const CHARACTERS_MAX: usize = 1000;
        let warning: String = warning.chars().take(CHARACTERS_MAX).collect();
        if self.warnings.len() < WARNINGS_MAX && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Writes the record into the job's folder, sealed, whole or not at all. One that would not be
    /// read back is not written: that is an error of kind [`io::ErrorKind::FileTooLarge`].
    pub(crate) fn save(&self, home: &JobHome) -> io::Result<()> {
        let bytes = serde_json::to_vec(self).map_err(io::Error::other)?;
        if bytes.len() as u64 > RECORD_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let path = home.folder.join(RECORD_FILE);
        file_seal::write(&path, &*home.seal, &purpose(home), &bytes)
    }

    /// The record in a job's folder; `None` when there is none (a job that was never answered for).
    /// One that was not sealed for this job is an error.
    pub(crate) fn load(home: &JobHome) -> io::Result<Option<Self>> {
        let path = home.folder.join(RECORD_FILE);
        let read = file_seal::read(&path, &*home.seal, &purpose(home), RECORD_BYTES_MAX);
        let bytes = match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(io::Error::other(format!(
                    "its record is refused: {error}; start the job again and upload anew"
                )));
            }
            read => read?,
        };
        let record: Self = serde_json::from_slice(&bytes).map_err(io::Error::other)?;
        match record.version {
            RECORD_VERSION => Ok(Some(record)),
            other => Err(io::Error::other(format!(
                "the record has format version {other}"
            ))),
        }
    }
}

/// What the record of a job is sealed for: one that is copied to another job is not accepted.
fn purpose(home: &JobHome) -> String {
    format!("synchronization job {}", home.id())
}
