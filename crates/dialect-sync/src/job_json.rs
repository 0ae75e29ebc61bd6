// SPDX-License-Identifier: Apache-2.0
//! Jobs as clients see them.

use durward_model::Instant;
use serde_json::{Map, Value as Json, json};

use crate::jobs::Job;
use crate::record::Outcome;

/// The job as answers hold it.
pub(crate) fn job_json(job: &Job, account: &str) -> Json {
    let result = job.state.lock().record.result.clone().unwrap_or_default();
    job_json_with(job, account, &result)
}

/// The job with these counters.
pub(crate) fn job_json_with(job: &Job, account: &str, result: &Outcome) -> Json {
    let state = job.state.lock();
    let uploaded = state.uploaded();
    let record = &state.record;
    let millis = |micros: i64| Instant::from_micros(micros).as_millis();
    let mut out = Map::new();
    let mut put = |name: String, value: Json| {
        out.insert(name, value);
    };
    put("id".into(), record.id.as_str().into());
    put("source".into(), record.source.as_str().into());
    put("scope".into(), record.scope.as_deref().into());
    put("accountId".into(), account.into());
    put(
        "integrationInstanceId".into(),
        record.integration_instance_id.as_deref().into(),
    );
    put(
        "integrationJobId".into(),
        record.integration_job_id.as_deref().into(),
    );
    put(
        "syncMode".into(),
        serde_json::to_value(record.mode).unwrap_or_default(),
    );
    put("status".into(), record.status.as_str().into());
    put("done".into(), record.status.is_final().into());
    put("dryRun".into(), record.dry_run.into());
    put("startTimestamp".into(), millis(record.started_at).into());
    put("endTimestamp".into(), record.ended_at.map(millis).into());
    let sorts = [
        ("Entities", "Entity", uploaded.entities, &result.entities),
        (
            "Relationships",
            "Relationship",
            uploaded.relationships,
            &result.relationships,
        ),
        (
            "MappedRelationships",
            "MappedRelationship",
            uploaded.mapped,
            &result.mapped,
        ),
    ];
    for (plural, singular, uploaded, counts) in sorts {
        put(format!("num{plural}Uploaded"), uploaded.into());
        let names = [
            format!("num{plural}Created"),
            format!("num{plural}Updated"),
            format!("num{plural}Deleted"),
            format!("num{singular}CreateErrors"),
            format!("num{singular}UpdateErrors"),
            format!("num{singular}DeleteErrors"),
        ];
        for (name, count) in names.into_iter().zip(counts) {
            put(name, (*count).into());
        }
    }
    put("numDuplicatesMerged".into(), result.twins.into());
    put("reason".into(), record.reason.as_deref().into());
    put("errors".into(), json!(result.messages));
    put("warnings".into(), json!(record.warnings));
    Json::Object(out)
}
