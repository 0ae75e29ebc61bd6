// SPDX-License-Identifier: Apache-2.0
//! Verifying and printing the audit log.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use durward_graph::store::{Content, StateCheck, Store, Told};
use durward_journal::{ErasureRecord, VerifyOptions};
use durward_model::change::{Change, EndType, Triple};
use durward_model::transaction::{Hash, Sequence, Transaction};
use durward_vault::digest;
use serde_json::{Value as Json, json};

/// Recomputes the whole chain of a store, folds it and compares the result with the state; answers
/// with a report. Ends early when `given_up` is set.
///
/// # Errors
/// When the journal cannot be read, or the expected head is no hash.
pub(crate) fn verify_store(
    store: &Store,
    expect_head: Option<&str>,
    given_up: &Arc<AtomicBool>,
) -> anyhow::Result<Json> {
    let expect_head = expect_head.map(parse_hash).transpose()?;
    let report = store.audit(&VerifyOptions {
        after: None,
        expect_head,
        given_up: Arc::clone(given_up),
    })?;
    let is_sound = report.is_sound();
    let chain = report.chain;
    let mut findings: Vec<Json> = chain
        .findings
        .iter()
        .map(|finding| json!({"sequence": finding.sequence.0, "problem": finding.to_string()}))
        .collect();
    let mut notes: Vec<String> = Vec::new();
    match report.state {
        StateCheck::Same => {}
        StateCheck::Differs(what) => {
            let problem = format!("the state is not what the journal says: {what}");
            findings.push(json!({"problem": problem}));
        }
        StateCheck::Skipped(why) => {
            notes.push(format!(
                "the state was not compared with the journal: {why}"
            ));
        }
    }
    if let Some(why) = report.discarded {
        notes.push(format!("the checkpoint was not used: {why}"));
    }
    let erasures: Vec<Json> = chain
        .erasures
        .iter()
        .map(|record| erasure_json(store, record))
        .collect();
    Ok(json!({
        "sound": is_sound,
        "transactions": chain.transactions,
        "records": chain.records,
        "erased": chain.erased,
        "erasures": erasures,
        "notes": notes,
        "head": chain.head.map(|head| json!({
            "sequence": head.sequence.0, "hash": digest::hex(&head.hash),
        })),
        "findings": findings,
    }))
}

/// Transactions from a sequence on, one JSON object a line.
///
/// # Errors
/// When the journal cannot be read.
pub(crate) fn transactions_ndjson(
    store: &Store,
    from: u64,
    limit: usize,
) -> anyhow::Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut next = Sequence(from);
    // One at a time: a transaction may hold a whole upload, and only a line stays of it.
    for _ in 0..limit {
        let Some(told) = store.trail(next, 1)?.into_iter().next() else {
            break;
        };
        serde_json::to_writer(&mut text, &told_json(store, &told))?;
        text.push(b'\n');
        next = Sequence(told.transaction.sequence.0.saturating_add(1));
    }
    Ok(text)
}

fn erasure_json(store: &Store, record: &ErasureRecord) -> Json {
    let cipher = store.view(None).id_cipher().clone();
    let erased = record.transactions.iter();
    let erased: Vec<u64> = erased.map(|(sequence, _)| sequence.0).collect();
    json!({
        "sequence": record.sequence.0,
        "at": record.committed_at.to_string(),
        "actor": record.actor.map(|id| cipher.uuid_of(id)),
        "cause": record.cause,
        "transactions": erased,
    })
}

/// A transaction; of one whose content is gone, what became of it.
fn told_json(store: &Store, told: &Told) -> Json {
    let mut json = transaction_json(store, &told.transaction);
    let erased = match &told.content {
        Content::Whole => return json,
        Content::Erased(record) => {
            let mut by = erasure_json(store, record);
            if let Some(by) = by.as_object_mut() {
                by.remove("transactions");
            }
            by
        }
        Content::Lost => json!({"cause": null}),
    };
    if let Some(members) = json.as_object_mut() {
        members.insert("erased".to_owned(), erased);
    }
    json
}

fn transaction_json(store: &Store, transaction: &Transaction) -> Json {
    let view = store.view(None);
    let cipher = view.id_cipher();
    let origin = &transaction.origin;
    let changes: Vec<Json> = transaction.changes.iter().map(change_json).collect();
    json!({
        "sequence": transaction.sequence.0,
        "committedAt": transaction.committed_at.to_string(),
        "activity": origin.activity,
        "actor": origin.actor.map(|id| cipher.uuid_of(id)),
        "credential": origin.credential.map(|id| cipher.uuid_of(id)),
        "requestId": origin.request_id,
        "sourceAddress": origin.source_address,
        "userAgent": origin.user_agent,
        "detail": origin.detail,
        "changes": changes,
    })
}

fn change_json(change: &Change) -> Json {
    match change {
        Change::CreateEntities(batch) => json!({
            "change": "create entities", "type": batch.entity_type, "count": batch.len(),
        }),
        Change::PatchEntities(patch) => {
            let properties: Vec<&str> = patch
                .columns
                .iter()
                .map(|column| column.property.as_str())
                .collect();
            json!({
                "change": "change entities", "type": patch.entity_type,
                "count": patch.entities.len(), "properties": properties,
            })
        }
        Change::DeleteEntities {
            entity_type,
            entities,
        } => json!({
            "change": "delete entities", "type": entity_type, "count": entities.len(),
        }),
        Change::CreateRelationships(batch) => json!({
            "change": "create relationships", "triple": triple(&batch.triple),
            "count": batch.len(),
        }),
        Change::PatchRelationships(patch) => json!({
            "change": "change relationships", "triple": triple(&patch.triple),
            "count": patch.relationships.len(),
        }),
        Change::DeleteRelationships {
            triple: ends,
            relationships,
        } => json!({
            "change": "delete relationships", "triple": triple(ends),
            "count": relationships.len(),
        }),
        Change::AddAlias { alias, .. } => json!({"change": "add alias", "alias": alias}),
        Change::RemoveAlias { alias, .. } => json!({"change": "remove alias", "alias": alias}),
    }
}

fn triple(triple: &Triple) -> String {
    let end = |end: &EndType| match end {
        EndType::Entity(name) => name.clone(),
        EndType::Relationship => "(relationship)".to_owned(),
    };
    format!("{} {} {}", end(&triple.from), triple.verb, end(&triple.to))
}

fn parse_hash(text: &str) -> anyhow::Result<Hash> {
    let bytes = digest::from_hex(text).and_then(|bytes| bytes.try_into().ok());
    bytes.context("a head is a hash of 64 hexadecimal digits")
}
