// SPDX-License-Identifier: Apache-2.0
//! Who may use the synchronization routes.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::MethodRouter;
use durward_budget::body::{self, BodyLimits};
use durward_dialect_sync::{StillAllowed, SyncAccess, SyncError};
use durward_identity::{AuthError, Caller};
use durward_policy::{Action, Guard, Route};
use durward_query::CursorKey;

use crate::server::authenticate::{self, Source};
use crate::server::graphql::base_url;
use crate::server::{Server, rates};

/// What is asked before a route.
#[derive(Clone, Debug)]
struct Question {
    server: Arc<Server>,
    action: Action,
}

/// Puts the question of a route before its handler. Upload URLs are their own authority: the caller
/// to whom one was given is judged again by the handler.
pub(crate) fn guarded(server: &Arc<Server>, route: &Route, handler: MethodRouter) -> MethodRouter {
    match route.guard {
        Guard::Action(action) => {
            let server = Arc::clone(server);
            handler.route_layer(from_fn_with_state(Question { server, action }, authorize))
        }
        Guard::Open | Guard::Fields | Guard::Address(_) => handler,
    }
}

/// Gives a request its authority. One without it goes on with none: the routes refuse it in the
/// dialect's shape.
async fn authorize(
    State(Question { server, action }): State<Question>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let source = Source::of(&parts);
    let caller = match authenticate::caller(&server, &parts.headers, &source) {
        Ok(caller) => caller,
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
        let allowed = caller.require_action(action);
        allowed.map_err(|_| SyncError::NoUploadUrl)?;
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
        is_allowed: is_allowed(&caller, action),
        still_allowed: StillAllowed(Arc::new(still_allowed)),
        too_many: (!verdict.allowed).then_some(verdict.retry_after_seconds),
        cursor_key: CursorKey::new(&caller.cursor_key()),
        integration_instance: None,
    };
    let mut request = Request::from_parts(parts, body);
    request.extensions_mut().insert(access);
    next.run(request).await
}

/// Whether a caller may take the action; the whole graph is for those only who see all of it.
fn is_allowed(caller: &Caller, action: Action) -> bool {
    if caller.require_action(action).is_err() {
        return false;
    }
    let is_partial = action == Action::ExportRead && caller.row_condition().is_some();
    if is_partial {
        let why = "a caller who sees a part of the graph cannot export the whole".to_owned();
        let _ = caller.deny(why);
    }
    !is_partial
}
