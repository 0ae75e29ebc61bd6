// SPDX-License-Identifier: Apache-2.0
//! GraphQL over HTTP.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request};
use axum::response::{IntoResponse as _, Response};
use durward_budget::body::{self, BodyError, BodyLimits};
use durward_budget::{Lease, Turn};
use durward_dialect_sonrai::QUERY_NAME;
use durward_graphql::engine::{Payload, decode};
use durward_graphql::{Answer, Endpoint, RequestContext};
use durward_identity::{AuthError, Caller, RateCost, RateVerdict};
use durward_model::ErrorKind;
use durward_model::error::ClientMessage;

use crate::server::authenticate::{self, Source};
use crate::server::paced::Leased;
use crate::server::router::BODY_BYTES_MAX;
use crate::server::{Server, problem};

/// Longest query name that is logged, in characters.
const QUERY_NAME_CHARACTERS_MAX: usize = 200;
/// Bodies up to this many bytes are read on the threads that serve connections.
const QUICK_BODY_BYTES_MAX: usize = 4 << 10;
/// What a client is told of a defect.
const INTERNAL: &str = "an internal error occurred";

/// The paths that all schemas share.
pub(crate) async fn shared(State(server): State<Arc<Server>>, request: Request) -> Response {
    serve(&server, None, request).await
}

/// The path of one schema, by its name.
pub(crate) async fn of_schema(
    State(server): State<Arc<Server>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    match server.graphql.named(&name) {
        Some(pinned) => serve(&server, Some(pinned), request).await,
        None => problem::no_route(&request).into_response(),
    }
}

async fn serve(
    server: &Arc<Server>,
    pinned: Option<&Arc<dyn Endpoint>>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let hinted = pinned.unwrap_or_else(|| server.graphql.hinted(&parts.headers));
    match served(server, pinned, hinted, &parts, body).await {
        Ok(response) => response,
        Err(refused) => {
            let endpoint = refused.endpoint.as_ref().unwrap_or(hinted);
            let refusal = endpoint.refusal(refused.kind, &refused.message);
            with_rates(response(refusal), refused.verdict.as_ref())
        }
    }
}

/// Why a request is refused as a whole.
struct Refused {
    /// Whose way of saying so; none before that is known.
    endpoint: Option<Arc<dyn Endpoint>>,
    kind: ErrorKind,
    message: String,
    verdict: Option<RateVerdict>,
}

impl Refused {
    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            endpoint: None,
            kind,
            message: message.into(),
            verdict: None,
        }
    }

    fn of(error: &dyn ClientMessage) -> Self {
        Self::new(error.kind(), error.client_message())
    }

    fn by(self, endpoint: &Arc<dyn Endpoint>) -> Self {
        Self {
            endpoint: Some(Arc::clone(endpoint)),
            ..self
        }
    }
}

async fn served(
    server: &Arc<Server>,
    pinned: Option<&Arc<dyn Endpoint>>,
    hinted: &Arc<dyn Endpoint>,
    parts: &request::Parts,
    body: Body,
) -> Result<Response, Refused> {
    // The credential is judged before a body is read: a stranger's is small, and only tells whose
    // refusal it gets.
    let source = Source::of(parts);
    let caller = authenticate::caller(server, &parts.headers, &source);
    let (bytes, lease) = read(server, parts, &caller, body).await?;
    let share = lease.share().clone();
    let reading = Reading {
        server: Arc::clone(server),
        pinned: pinned.cloned(),
        hinted: Arc::clone(hinted),
        bytes,
        lease,
    };
    let (asked, turn) = reading.asked_in_time().await?;
    let endpoint = Arc::clone(&asked.endpoint);
    if let Err(error @ AuthError::OrganizationUnavailable) = &caller {
        return Err(Refused::of(error).by(&endpoint));
    }
    let verdict = count(server, &caller, &asked)?;
    let is_quick = turn.is_none() && server.graphql.is_quick(&*endpoint, &asked.payload);
    let context = RequestContext::new(
        Arc::clone(&server.services),
        caller,
        source.request_id.clone(),
        base_url(server, parts),
        asked.lease,
    );
    let held = Arc::clone(context.lease());
    let answer = if is_quick {
        server
            .graphql
            .answer(&*endpoint, &context, asked.payload)
            .await
    } else {
        let turn = match turn {
            // What it was read in is given back: it will wait for the writer.
            turn if server.graphql.is_write(&asked.payload) => {
                drop(turn);
                share.write_turn().await
            }
            Some(turn) => Ok(turn),
            None => share.turn().await,
        };
        let turn = turn.map_err(|error| Refused {
            verdict: verdict.clone(),
            ..Refused::of(&error).by(&endpoint)
        })?;
        off_thread(server, &endpoint, context.in_turn(), asked.payload, turn).await
    };
    let query_name = query_name(&parts.headers);
    let schema = endpoint.name();
    if let Some(code) = &answer.first_code {
        tracing::debug!(schema, code, query_name, "GraphQL errors");
    } else if query_name.is_some() {
        tracing::debug!(schema, query_name, "GraphQL answered");
    }
    Ok(with_rates(held_response(answer, &held), verdict.as_ref()))
}

/// Reads a body: that of a stranger only as far as it tells whose refusal it gets.
async fn read(
    server: &Server,
    parts: &request::Parts,
    caller: &Result<Caller, AuthError>,
    body: Body,
) -> Result<(Bytes, Lease), Refused> {
    let (share, limits) = match caller {
        Ok(caller) => (caller.share(), BodyLimits::known(BODY_BYTES_MAX)),
        Err(_) => (server.budget.strangers(), BodyLimits::STRANGER),
    };
    let lease = share.lease();
    if content_type(&parts.headers).starts_with("multipart/") {
        drop(body::read(body, BodyLimits::STRANGER, &lease).await);
        let message = "file uploads are not supported";
        return Err(Refused::new(ErrorKind::Unsupported, message));
    }
    match body::read(body, limits, &lease).await {
        Ok(bytes) => Ok((bytes, lease)),
        Err(BodyError::Exhausted(error)) => Err(Refused::of(&error)),
        Err(error) => Err(match caller {
            Ok(_) => Refused::new(ErrorKind::Invalid, error.to_string()),
            Err(unknown) => Refused::of(unknown),
        }),
    }
}

/// Counts a request against the rate limits of its caller; a stranger's is refused anyway.
fn count(
    server: &Server,
    caller: &Result<Caller, AuthError>,
    asked: &Asked,
) -> Result<Option<RateVerdict>, Refused> {
    let Ok(caller) = caller else {
        return Ok(None);
    };
    let verdict = server.rates.check(caller, asked.cost, server.clock.now());
    if verdict.allowed {
        return Ok(Some(verdict));
    }
    let message = format!(
        "too many requests (429); try again in {} seconds",
        verdict.retry_after_seconds
    );
    Err(Refused {
        verdict: Some(verdict),
        ..Refused::new(ErrorKind::RateLimited, message).by(&asked.endpoint)
    })
}

/// A body on its way to what it asks.
struct Reading {
    server: Arc<Server>,
    pinned: Option<Arc<dyn Endpoint>>,
    hinted: Arc<dyn Endpoint>,
    bytes: Bytes,
    lease: Lease,
}

/// What a body asks.
struct Asked {
    endpoint: Arc<dyn Endpoint>,
    payload: Payload,
    cost: RateCost,
    lease: Lease,
}

impl Reading {
    /// What the body asks, found out off the threads that serve connections where it is large; the
    /// turn that was taken for it goes on.
    async fn asked_in_time(self) -> Result<(Asked, Option<Turn>), Refused> {
        if self.bytes.len() <= QUICK_BODY_BYTES_MAX {
            return Ok((self.asked()?, None));
        }
        let turn = self.lease.share().turn().await;
        let turn = turn.map_err(|error| Refused::of(&error))?;
        let read =
            tokio::task::spawn_blocking(move || self.asked().map(|asked| (asked, Some(turn))));
        read.await
            .unwrap_or_else(|_| Err(Refused::new(ErrorKind::Internal, INTERNAL)))
    }

    fn asked(self) -> Result<Asked, Refused> {
        let graphql = &self.server.graphql;
        let payload = decode(&self.bytes, &self.lease).map_err(|error| Refused::of(&error))?;
        self.lease.release(self.bytes.len() as u64);
        drop(self.bytes);
        let endpoint = match &self.pinned {
            Some(pinned) => pinned,
            None => graphql.choose(&payload, &self.hinted),
        };
        let endpoint = Arc::clone(endpoint);
        let cost = graphql.cost(&*endpoint, &payload);
        Ok(Asked {
            endpoint,
            payload,
            cost: RateCost {
                operations: cost.operations,
                queries: cost.queries,
            },
            lease: self.lease,
        })
    }
}

/// Answers off the threads that serve connections; what still runs when the client goes away stops.
async fn off_thread(
    server: &Arc<Server>,
    endpoint: &Arc<dyn Endpoint>,
    context: RequestContext,
    payload: Payload,
    turn: Turn,
) -> Answer {
    let guard = context.give_up_guard();
    let runtime = tokio::runtime::Handle::current();
    let lent = Arc::clone(server);
    let asked = Arc::clone(endpoint);
    let answered = tokio::task::spawn_blocking(move || {
        let answer = runtime.block_on(lent.graphql.answer(&*asked, &context, payload));
        drop(turn);
        answer
    });
    let answer = answered.await;
    drop(guard);
    answer.unwrap_or_else(|_| endpoint.refusal(ErrorKind::Internal, INTERNAL))
}

/// What the client calls its query.
fn query_name(headers: &HeaderMap) -> Option<String> {
    let name = headers.get(QUERY_NAME)?.to_str().ok()?;
    Some(name.chars().take(QUERY_NAME_CHARACTERS_MAX).collect())
}

fn content_type(headers: &HeaderMap) -> &str {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// The start of the URLs that are handed out: the configured one, or the address at which the
/// connection arrived. Not the `Host` header: whoever sends it would lead others elsewhere.
pub(super) fn base_url(server: &Server, parts: &request::Parts) -> String {
    if !server.public_url.is_empty() {
        return server.public_url.clone();
    }
    let local = parts.extensions.get::<crate::server::listener::Local>();
    let is_tls = parts
        .extensions
        .get::<crate::server::listener::Encrypted>()
        .is_some();
    let scheme = if is_tls { "https" } else { "http" };
    match local {
        Some(local) => format!("{scheme}://{}", local.0),
        None => format!("{scheme}://localhost"),
    }
}

fn response(answer: Answer) -> Response {
    let body = Body::from(answer.body);
    headed(answer.status, answer.retry_after_seconds, body)
}

/// An answer that stays charged to its caller until it is sent.
fn held_response(answer: Answer, held: &Arc<Lease>) -> Response {
    let bytes = Bytes::from(answer.body);
    // What the request took beside the answer is gone by now.
    let body = match held.set(bytes.len() as u64) {
        Ok(()) => Leased::body(bytes, Arc::clone(held)),
        // It was charged while it was made, or tells what was done.
        Err(_) => Body::from(bytes),
    };
    headed(answer.status, answer.retry_after_seconds, body)
}

fn headed(status: u16, retry_after_seconds: Option<u32>, body: Body) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    if status == problem::status(ErrorKind::Unauthenticated) {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = retry_after_seconds {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn with_rates(mut response: Response, verdict: Option<&RateVerdict>) -> Response {
    if let Some(verdict) = verdict {
        rate_headers(response.headers_mut(), verdict);
    }
    response
}

/// `RateLimit-*` headers as JupiterOne's clients read them; none when nothing is limited.
fn rate_headers(headers: &mut HeaderMap, verdict: &RateVerdict) {
    let Some(tightest) = verdict.tightest() else {
        return;
    };
    let quota = |bucket: &durward_identity::rate_limit::BucketState| {
        format!(
            "{};window={}",
            bucket.quota.requests, bucket.quota.window_seconds
        )
    };
    let all: Vec<String> = verdict.buckets.iter().map(quota).collect();
    let mut put = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    put(
        "ratelimit-limit",
        format!("{}, {}", tightest.quota.requests, all.join(", ")),
    );
    put("ratelimit-remaining", tightest.remaining.to_string());
    put("ratelimit-reset", verdict.reset_seconds().to_string());
    put("ratelimit-requested", verdict.counted.to_string());
    if !verdict.allowed {
        put("retry-after", verdict.retry_after_seconds.to_string());
    }
}
