// SPDX-License-Identifier: Apache-2.0
//! Who may use the synchronization routes.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use durward_budget::body::{self, BodyLimits};
use durward_dialect_sync::{SyncAccess, SyncError};
use durward_policy::Right;

use crate::server::authenticate::{self, Source};
use crate::server::graphql::base_url;
use crate::server::{Server, rates};

/// Gives a request its authority. One without it goes on with none: the routes refuse it in the
/// dialect's shape, except the upload URLs, which are their own authority.
pub(crate) async fn authorize(
    State(server): State<Arc<Server>>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let source = Source::of(&parts);
    let Ok(caller) = authenticate::caller(&server, &parts.headers, &source) else {
        let body = if durward_dialect_sync::is_upload_url(parts.uri.path()) {
            body
        } else {
            // Read and not looked at: a refusal that leaves a body unread breaks the connection.
            let lease = server.budget.strangers().lease();
            drop(body::read(body, BodyLimits::STRANGER, &lease).await);
            Body::empty()
        };
        return next.run(Request::from_parts(parts, body)).await;
    };
    let verdict = rates::count_one(&server, &caller);
    if !verdict.allowed {
        return SyncError::TooMany(verdict.retry_after_seconds).into_response();
    }
    let organization = caller.organization();
    let jobs = match server.jobs_of(organization) {
        Ok(jobs) => jobs,
        Err(error) => {
            tracing::error!(error = %format!("{error:#}"), "synchronization is unavailable");
            return SyncError::Interrupted.into_response();
        }
    };
    let access = SyncAccess {
        jobs,
        account: organization.id().to_string(),
        base_url: base_url(&server, &parts),
        origin: caller.origin("synchronization"),
        may_synchronize: caller.may(Right::SYNCHRONIZE),
        may_export: caller.may(Right::READ_GRAPH) && caller.row_condition().is_none(),
        integration_instance: None,
    };
    let mut request = Request::from_parts(parts, body);
    request.extensions_mut().insert(access);
    next.run(request).await
}
