// SPDX-License-Identifier: Apache-2.0
//! Who may use the synchronization routes.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use durward_budget::body::{self, BodyLimits};
use durward_dialect_sync::{StillAllowed, SyncAccess, SyncError};
use durward_identity::AuthError;
use durward_policy::Right;
use durward_query::CursorKey;

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
    let caller = match authenticate::caller(&server, &parts.headers, &source) {
        Ok(caller) => caller,
        Err(_) if durward_dialect_sync::is_upload_url(parts.uri.path()) => {
            return next.run(Request::from_parts(parts, body)).await;
        }
        Err(error) => {
            // Read and not looked at: a refusal that leaves a body unread breaks the connection.
            let lease = server.budget.strangers().lease();
            drop(body::read(body, BodyLimits::STRANGER, &lease).await);
            return match error {
                AuthError::OrganizationUnavailable => SyncError::NoOrganization.into_response(),
                _ => next.run(Request::from_parts(parts, Body::empty())).await,
            };
        }
    };
    let verdict = rates::count_one(&server, &caller);
    let organization = caller.organization();
    let jobs = match server.jobs_of(organization) {
        Ok(jobs) => jobs,
        Err(error) => {
            tracing::error!(error = %format!("{error:#}"), "synchronization is unavailable");
            return SyncError::Interrupted.into_response();
        }
    };
    let (asked, counts) = (caller.clone(), Arc::clone(&server));
    let still_allowed = move || {
        let caller = asked.at_present().map_err(|_| SyncError::NoUploadUrl)?;
        if !caller.may(Right::SYNCHRONIZE) {
            return Err(SyncError::NoUploadUrl);
        }
        let verdict = rates::count_one(&counts, &caller);
        if verdict.allowed {
            Ok(())
        } else {
            Err(SyncError::TooMany(verdict.retry_after_seconds))
        }
    };
    let access = SyncAccess {
        jobs,
        account: organization.id().to_string(),
        base_url: base_url(&server, &parts),
        share: caller.share(),
        origin: caller.origin("synchronization"),
        may_synchronize: caller.may(Right::SYNCHRONIZE),
        still_allowed: StillAllowed(Arc::new(still_allowed)),
        may_export: caller.may(Right::READ_GRAPH) && caller.row_condition().is_none(),
        too_many: (!verdict.allowed).then_some(verdict.retry_after_seconds),
        cursor_key: CursorKey::new(&caller.cursor_key()),
        integration_instance: None,
    };
    let mut request = Request::from_parts(parts, body);
    request.extensions_mut().insert(access);
    next.run(request).await
}
