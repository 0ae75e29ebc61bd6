// SPDX-License-Identifier: Apache-2.0
//! Imports into a data folder.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use durward_catalog::Catalog;
use durward_dialect_sync::import::{ImportProgress, ImportRequest, import_files};
use durward_intel::{ImportReport, Room, import_bundle};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value as Json, json};

use crate::arguments::{ImportArguments, Target};
use crate::offline::Offline;

/// Synchronizes files of entities and relationships; answers with the counters of a job.
///
/// # Errors
/// When the folder cannot be opened, or the files cannot be imported.
pub(crate) fn import_graph(
    arguments: &ImportArguments,
    scope: &str,
    files: &[PathBuf],
    is_partial: bool,
) -> anyhow::Result<Json> {
    let offline = Offline::open(&arguments.target)?;
    let organization = offline.organization();
    let staging = organization.folder().join("import");
    let request = ImportRequest {
        files,
        scope,
        patch: arguments.patch,
        is_partial,
        dry_run: false,
        staging: &staging,
        seal: organization.vault().file_seal(),
        origin: offline.caller().origin("graph imported"),
    };
    let bar = progress_bar();
    let catalog = Arc::new(Catalog::built_in()?);
    let report = import_files(
        organization.store(),
        &catalog,
        &request,
        &|step| match step {
            ImportProgress::Read { bytes, total } => {
                bar.set_length(total);
                bar.set_position(bytes);
            }
            ImportProgress::Comparing => bar.set_message("comparing"),
            ImportProgress::Committing => bar.set_message("committing"),
        },
    );
    bar.finish_and_clear();
    let report = report?;
    for warning in report.warnings.iter().chain(&report.changes.messages) {
        eprintln!("warning: {warning}");
    }
    for line in &report.rejected {
        eprintln!("left out: {line}");
    }
    let (entities, relationships, mapped) = (
        &report.changes.entities,
        &report.changes.relationships,
        &report.changes.mapped,
    );
    let counters = json!({
        "numEntitiesCreated": entities.created,
        "numEntitiesUpdated": entities.updated,
        "numEntitiesDeleted": entities.deleted,
        "numEntityCreateErrors": entities.create_errors,
        "numRelationshipsCreated": relationships.created,
        "numRelationshipsUpdated": relationships.updated,
        "numRelationshipsDeleted": relationships.deleted,
        "numRelationshipCreateErrors": relationships.create_errors,
        "numMappedRelationshipsCreated": mapped.created,
        "numMappedRelationshipsUpdated": mapped.updated,
        "numMappedRelationshipCreateErrors": mapped.create_errors,
        "numRejected": report.rejected_count,
        "partialDatasets": {"types": report.partial.types, "allTypes": report.partial.all},
    });
    offline.close()?;
    Ok(counters)
}

fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {msg}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.set_message("reading");
    bar
}

/// Imports a STIX bundle; answers as the server does.
///
/// # Errors
/// When the folder cannot be opened, or the text is no bundle.
pub(crate) fn import_stix(target: &Target, scope: &str, bundle: &[u8]) -> anyhow::Result<Json> {
    let offline = Offline::open(target)?;
    let origin = offline.caller().origin("STIX bundle imported");
    let store = offline.organization().store();
    let report = import_bundle(store, origin, scope, bundle, &Room::unlimited());
    let report = report.context("the bundle cannot be written")?;
    offline.close()?;
    Ok(report_json(&report))
}

/// A report as JSON.
pub(crate) fn report_json(report: &ImportReport) -> Json {
    let rejected: Vec<Json> = report
        .rejected
        .iter()
        .map(|item| json!({"position": item.position, "id": item.id, "reason": item.reason}))
        .collect();
    json!({
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "sharedCreated": report.shared_created,
        "rejected": rejected,
        "dangling": report.dangling,
        "sequence": report.sequence,
    })
}
