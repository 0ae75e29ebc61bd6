// SPDX-License-Identifier: Apache-2.0
//! The audit log over HTTP: verification and export.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use durward_graph::store::StoreError;
use durward_identity::Caller;
use durward_model::ErrorKind;
use durward_query::CancelGuard;
use serde::Deserialize;

use crate::offline;
use crate::server::import::{PartsOnly, parameters};
use crate::server::problem::Problem;

/// Parameters of `GET /audit/verify`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyParameters {
    expect_head: Option<String>,
}

/// Parameters of `GET /audit/export`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportParameters {
    /// First transaction.
    from: Option<u64>,
    /// Most transactions.
    limit: Option<usize>,
}

/// Most transactions of one answer.
const EXPORT_MAX: usize = 1000;

/// Recomputes the hash chain of the caller's organization.
pub(crate) async fn verify(
    Extension(caller): Extension<Caller>,
    parts: PartsOnly,
) -> Result<Json<serde_json::Value>, Problem> {
    let parameters: VerifyParameters = parameters(&parts.0)?;
    let turn = caller.share().turn().await;
    let turn = turn.map_err(|error| Problem::exhausted(&error))?;
    let given_up = Arc::<AtomicBool>::default();
    // The folded journal is a second graph: it goes when the client does.
    let _guard = CancelGuard::new(Some(Arc::clone(&given_up)));
    let task = move || {
        let _turn = turn;
        let expected = parameters.expect_head.as_deref();
        let store = caller.organization().store();
        offline::verify_store(store, expected, &given_up).map_err(|error| {
            match error.downcast_ref() {
                Some::<&StoreError>(failure) => {
                    tracing::warn!(error = format!("{error:#}"), "a journal was not verified");
                    Problem::of(failure)
                }
                None => Problem::new(ErrorKind::Invalid, format!("{error:#}")),
            }
        })
    };
    let failed = || Problem::new(ErrorKind::Internal, "the verification ended abnormally");
    tokio::task::spawn_blocking(task)
        .await
        .map_err(|_| failed())?
        .map(Json)
}

/// Transactions as NDJSON, from a sequence on; secret values are left out.
pub(crate) async fn export(
    Extension(caller): Extension<Caller>,
    parts: PartsOnly,
) -> Result<Response, Problem> {
    let parameters: ExportParameters = parameters(&parts.0)?;
    let from = parameters.from.unwrap_or(1).max(1);
    let limit = parameters.limit.unwrap_or(EXPORT_MAX).clamp(1, EXPORT_MAX);
    let turn = caller.share().turn().await;
    let turn = turn.map_err(|error| Problem::exhausted(&error))?;
    let task = move || {
        let _turn = turn;
        let store = caller.organization().store();
        offline::transactions_ndjson(store, from, limit)
            .map_err(|error| Problem::new(ErrorKind::Internal, format!("{error:#}")))
    };
    let failed = || Problem::new(ErrorKind::Internal, "the export ended abnormally");
    let text = tokio::task::spawn_blocking(task)
        .await
        .map_err(|_| failed())??;
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], text).into_response())
}
