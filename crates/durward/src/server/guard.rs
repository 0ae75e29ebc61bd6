// SPDX-License-Identifier: Apache-2.0
//! What the contract of the server's own routes asks, before they are answered.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, request};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::MethodRouter;
use durward_budget::body::{self, BodyLimits};
use durward_identity::Caller;
use durward_policy::{Action, Guard, Route};

use crate::server::problem::Problem;
use crate::server::{Server, authenticate};

/// Headers by which proxies say for whom they ask.
const FORWARDING: [&str; 8] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "cf-connecting-ip",
    "true-client-ip",
];

/// What is asked, and of whom.
#[derive(Clone, Debug)]
struct Question {
    server: Arc<Server>,
    action: Action,
    /// Whether anybody on this machine is answered.
    is_for_neighbours: bool,
}

/// Puts the question of a route before its handler, which finds the [`Caller`] among the
/// extensions.
pub(crate) fn guarded(server: &Arc<Server>, route: &Route, handler: MethodRouter) -> MethodRouter {
    match route.guard {
        Guard::Action(action) => {
            let question = Question {
                server: Arc::clone(server),
                action,
                is_for_neighbours: route.local && server.metrics_anonymous,
            };
            handler.route_layer(from_fn_with_state(question, ask))
        }
        // What is asked for by field or by address is known by the handler alone.
        Guard::Open | Guard::Fields | Guard::Address(_) => handler,
    }
}

async fn ask(State(question): State<Question>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    if question.is_for_neighbours && is_local(&parts) {
        return next.run(Request::from_parts(parts, body)).await;
    }
    match admitted(&question, &parts) {
        Ok(caller) => {
            parts.extensions.insert(caller);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(refused) => {
            // Read and not looked at: a refusal that leaves a body unread breaks the connection.
            let lease = question.server.budget.strangers().lease();
            drop(body::read(body, BodyLimits::STRANGER, &lease).await);
            refused.into_response()
        }
    }
}

/// Who asks, if it may.
fn admitted(question: &Question, parts: &request::Parts) -> Result<Caller, Problem> {
    let caller = authenticate::require(&question.server, parts)?;
    caller
        .require_action(question.action)
        .map_err(|error| Problem::of(&error))?;
    Ok(caller)
}

/// Whether a request comes from this machine and says nothing of another. A proxy may run here too
/// and say nothing either, so this opens nothing unless the configuration says so.
fn is_local(parts: &request::Parts) -> bool {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    peer.is_some_and(|peer| peer.0.ip().is_loopback()) && !is_forwarded(&parts.headers)
}

fn is_forwarded(headers: &HeaderMap) -> bool {
    FORWARDING.iter().any(|name| headers.contains_key(*name))
}
