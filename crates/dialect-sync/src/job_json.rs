// SPDX-License-Identifier: Apache-2.0
//! Jobs as clients see them.

use durward_model::Instant;
use serde_json::{Map, Value as Json, json};

use crate::error::BAD_DATA;
use crate::jobs::{Job, JobState};
use crate::record::{JobMode, JobRecord, Outcome, Refusal, RejectedItem};

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
    let rejected = record.rejected.errors();
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
    for ((plural, singular, uploaded, counts), rejected) in sorts.into_iter().zip(rejected) {
        put(format!("num{plural}Uploaded"), uploaded.into());
        let names = [
            format!("num{plural}Created"),
            format!("num{plural}Updated"),
            format!("num{plural}Deleted"),
            format!("num{singular}CreateErrors"),
            format!("num{singular}UpdateErrors"),
            format!("num{singular}DeleteErrors"),
        ];
        for ((name, count), rejected) in names.into_iter().zip(counts).zip(rejected) {
            put(name, count.saturating_add(rejected).into());
        }
    }
    put("numDuplicatesMerged".into(), result.twins.into());
    put("reason".into(), record.reason.as_deref().into());
    put_reports(&mut out, &state, result);
    Json::Object(out)
}

/// What went wrong, and what follows from it.
fn put_reports(out: &mut Map<String, Json>, state: &JobState, result: &Outcome) {
    let record = &state.record;
    let mut put = |name: &str, value: Json| {
        out.insert(name.to_owned(), value);
    };
    let left_out = record.rejected.items.iter().map(RejectedItem::sentence);
    let errors: Vec<String> = left_out.chain(result.messages.iter().cloned()).collect();
    put("errors", json!(errors));
    put("rejected", rejected_json(&record.rejected.items));
    put("numRejected", record.rejected.count().into());
    let refusals = state.open_refusals();
    put("partialDatasets", partial_json(record, &refusals));
    let mut warnings = record.warnings.clone();
    if record.mode == JobMode::Diff {
        warnings.extend(refusals.iter().map(Refusal::sentence));
    }
    put("warnings", json!(warnings));
}

/// Items that were left out, as answers hold them.
pub(crate) fn rejected_json(items: &[RejectedItem]) -> Json {
    let items = items.iter().map(|item| {
        json!({"code": BAD_DATA, "list": item.list, "index": item.index, "key": item.key,
            "reason": item.reason})
    });
    Json::Array(items.collect())
}

/// The types of which a DIFF deletes nothing, and why.
fn partial_json(record: &JobRecord, refusals: &[Refusal]) -> Json {
    if record.mode != JobMode::Diff {
        return Json::Null;
    }
    let partial = record.partial(refusals);
    let reasons: Vec<&str> = refusals
        .iter()
        .map(|refusal| refusal.reason.as_str())
        .collect();
    json!({"types": partial.types, "allTypes": partial.all, "reasons": reasons})
}
