// SPDX-License-Identifier: Apache-2.0
//! The request that starts a job, and the record that it comes to.

use durward_model::Instant;
use durward_model::limits::CLASSES_MAX;
use serde::Deserialize;

use crate::error::SyncError;
use crate::record::{Integration, JobMode, JobRecord, JobSource};

/// Longest name of a scope or an instance in bytes.
const SCOPE_BYTES_MAX: usize = 512;

/// What starts a job.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StartRequest {
    source: String,
    scope: Option<String>,
    sync_mode: Option<String>,
    integration_instance_id: Option<String>,
    integration_job_id: Option<String>,
    integration_definition_id: Option<String>,
    integration_name: Option<String>,
    integration_type: Option<String>,
    #[serde(default, deserialize_with = "one_or_many")]
    integration_class: Vec<String>,
    #[serde(default)]
    dry_run: bool,
}

/// A list of names, or one name.
fn one_or_many<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Names {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Option::<Names>::deserialize(from)? {
        None => Vec::new(),
        Some(Names::One(name)) => vec![name],
        Some(Names::Many(names)) => names,
    })
}

impl StartRequest {
    /// Refuses a job that is not of the one instance that a credential is for.
    pub(crate) fn check_instance(&self, instance: &str) -> Result<(), SyncError> {
        let is_own = self.source.starts_with("integration-")
            && self.integration_instance_id.as_deref() == Some(instance);
        if is_own {
            Ok(())
        } else {
            Err(SyncError::Forbidden(
                "this credential may synchronize its own integration instance only",
            ))
        }
    }
}

fn mode_of(name: Option<&str>) -> Result<JobMode, SyncError> {
    Ok(match name {
        None | Some("DIFF") => JobMode::Diff,
        Some("PATCH") => JobMode::Patch,
        Some("CROSS_SCOPE") => JobMode::CrossScope,
        Some("CREATE_OR_UPDATE") => JobMode::CreateOrUpdate,
        Some("OVERRIDE") => return Err(SyncError::UnsupportedMode("OVERRIDE".to_owned())),
        Some(_) => {
            let known = "syncMode must be DIFF, PATCH, CROSS_SCOPE or CREATE_OR_UPDATE";
            return Err(SyncError::BadStart(known.to_owned()));
        }
    })
}

pub(super) fn record_of(
    request: StartRequest,
    id: String,
    now: Instant,
) -> Result<JobRecord, SyncError> {
    let bad = |text: &str| SyncError::BadStart(text.to_owned());
    let source = match request.source.as_str() {
        "api" => JobSource::Api,
        "integration-external" => JobSource::IntegrationExternal,
        "integration-managed" => JobSource::IntegrationManaged,
        "system-internal" => JobSource::SystemInternal,
        "durward" => {
            return Err(SyncError::Forbidden(
                "objects of source durward are protected",
            ));
        }
        _ => {
            return Err(bad(
                "source must be api, integration-external, integration-managed or system-internal",
            ));
        }
    };
    let mode = mode_of(request.sync_mode.as_deref())?;
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let (scope, instance) = (given(request.scope), given(request.integration_instance_id));
    if [&scope, &instance, &request.integration_job_id]
        .into_iter()
        .flatten()
        .any(|text| text.len() > SCOPE_BYTES_MAX)
    {
        return Err(bad(
            "scope, integrationInstanceId and integrationJobId are too long",
        ));
    }
    match source {
        _ if source.is_integration() && instance.is_none() => {
            return Err(bad("integrationInstanceId is required for integrations"));
        }
        _ if source.is_integration() && scope.is_some() => {
            return Err(bad("scope is allowed for source api only"));
        }
        JobSource::Api if mode == JobMode::Diff && scope.is_none() => {
            return Err(bad("scope is required for source api and syncMode DIFF"));
        }
        _ => {}
    }
    let integration = Integration {
        definition_id: request.integration_definition_id,
        name: request.integration_name,
        kind: request.integration_type,
        classes: request.integration_class,
    };
    integration.check(source)?;
    let mut record = JobRecord::new(id, source, mode, now.as_micros());
    record.integration = integration;
    record.scope = scope;
    record.integration_instance_id = instance;
    record.integration_job_id = request.integration_job_id;
    record.dry_run = request.dry_run;
    Ok(record)
}

impl Integration {
    fn check(&self, source: JobSource) -> Result<(), SyncError> {
        let reason = if !self.fits() {
            "integrationDefinitionId, integrationName, integrationType and integrationClass must \
             be texts that are neither empty nor too long"
        } else if !source.is_integration() && *self != Self::default() {
            "metadata of an integration are for sources that are integrations"
        } else {
            return Ok(());
        };
        Err(SyncError::BadStart(reason.to_owned()))
    }

    fn fits(&self) -> bool {
        let names = [&self.definition_id, &self.name, &self.kind];
        let mut names = names.into_iter().flatten().chain(&self.classes);
        self.classes.len() <= CLASSES_MAX
            && names.all(|name| !name.is_empty() && name.len() <= SCOPE_BYTES_MAX)
    }
}
