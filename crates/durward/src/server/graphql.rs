// SPDX-License-Identifier: Apache-2.0
//! GraphQL over HTTP.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request};
use axum::response::{IntoResponse as _, Response};
use durward_budget::body::{self, BodyError, BodyLimits};
use durward_budget::{Lease, Turn};
use durward_dialect_graphql::engine::{Payload, decode};
use durward_dialect_graphql::{Answer, ClientHints, RequestContext, SchemaName};
use durward_identity::{AuthError, Caller, RateCost, RateVerdict};
use durward_model::ErrorKind;
use durward_model::error::ClientMessage;

use crate::server::authenticate::{self, Source};
use crate::server::paced::Leased;
use crate::server::router::BODY_BYTES_MAX;
use crate::server::{Server, problem};

/// Header by which Sonrai's clients name the organization.
const SONRAI_ORGANIZATION: &str = "sonraisecurity-com-org";
/// Who issues its tokens, as they say.
const SONRAI_ISSUER: &str = "Sonrai";
/// Header by which they name the query, for the log.
const QUERY_NAME: &str = "query-name";
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

/// Durward's own schema.
pub(crate) async fn durward(State(server): State<Arc<Server>>, request: Request) -> Response {
    serve(&server, Some(SchemaName::Durward), request).await
}

/// JupiterOne's schema.
pub(crate) async fn jupiterone(State(server): State<Arc<Server>>, request: Request) -> Response {
    serve(&server, Some(SchemaName::JupiterOne), request).await
}

/// OpenCTI's schema.
pub(crate) async fn opencti(State(server): State<Arc<Server>>, request: Request) -> Response {
    serve(&server, Some(SchemaName::OpenCti), request).await
}

/// Sonrai's schema.
pub(crate) async fn sonrai(State(server): State<Arc<Server>>, request: Request) -> Response {
    serve(&server, Some(SchemaName::Sonrai), request).await
}

async fn serve(server: &Arc<Server>, pinned: Option<SchemaName>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let hints = hints(&parts.headers);
    match served(server, pinned, hints, &parts, body).await {
        Ok(response) => response,
        Err(refused) => {
            let assumed = pinned.unwrap_or_else(|| assumed(hints));
            let schema = refused.schema.unwrap_or(assumed);
            let refusal = server
                .graphql
                .refusal(schema, refused.kind, &refused.message);
            with_rates(response(refusal), refused.verdict.as_ref())
        }
    }
}

/// Why a request is refused as a whole.
struct Refused {
    /// Whose way of saying so; none before that is known.
    schema: Option<SchemaName>,
    kind: ErrorKind,
    message: String,
    verdict: Option<RateVerdict>,
}

impl Refused {
    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            schema: None,
            kind,
            message: message.into(),
            verdict: None,
        }
    }

    fn of(error: &dyn ClientMessage) -> Self {
        Self::new(error.kind(), error.client_message())
    }

    fn by(self, schema: SchemaName) -> Self {
        Self {
            schema: Some(schema),
            ..self
        }
    }
}

async fn served(
    server: &Arc<Server>,
    pinned: Option<SchemaName>,
    hints: ClientHints,
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
        pinned,
        hints,
        bytes,
        lease,
    };
    let (asked, turn) = reading.asked_in_time().await?;
    let schema = asked.schema;
    if let Err(error @ AuthError::OrganizationUnavailable) = &caller {
        return Err(Refused::of(error).by(schema));
    }
    let verdict = count(server, &caller, &asked)?;
    let is_quick = turn.is_none() && server.graphql.is_quick(schema, &asked.payload);
    let context = RequestContext::new(
        Arc::clone(&server.services),
        caller,
        source.request_id.clone(),
        base_url(server, parts),
        asked.lease,
    );
    let held = Arc::clone(context.lease());
    let answer = if is_quick {
        server.graphql.answer(schema, &context, asked.payload).await
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
            ..Refused::of(&error).by(schema)
        })?;
        off_thread(server, schema, context.in_turn(), asked.payload, turn).await
    };
    let query_name = query_name(&parts.headers);
    if let Some(code) = &answer.first_code {
        tracing::debug!(?schema, code, query_name, "GraphQL errors");
    } else if query_name.is_some() {
        tracing::debug!(?schema, query_name, "GraphQL answered");
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
        ..Refused::new(ErrorKind::RateLimited, message).by(asked.schema)
    })
}

/// A body on its way to what it asks.
struct Reading {
    server: Arc<Server>,
    pinned: Option<SchemaName>,
    hints: ClientHints,
    bytes: Bytes,
    lease: Lease,
}

/// What a body asks.
struct Asked {
    schema: SchemaName,
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
        let schema = self
            .pinned
            .unwrap_or_else(|| graphql.choose(&payload, self.hints));
        let cost = graphql.cost(&payload);
        Ok(Asked {
            schema,
            payload,
            cost: RateCost {
                operations: cost.operations,
                queries: cost.queries,
            },
            lease: self.lease,
        })
    }
}

/// The schema whose clients send such headers, for answers to bodies that cannot be read.
fn assumed(hints: ClientHints) -> SchemaName {
    if hints.is_opencti {
        SchemaName::OpenCti
    } else if hints.is_jupiterone {
        SchemaName::JupiterOne
    } else if hints.is_sonrai {
        SchemaName::Sonrai
    } else {
        SchemaName::Durward
    }
}

/// Answers off the threads that serve connections; what still runs when the client goes away stops.
async fn off_thread(
    server: &Arc<Server>,
    schema: SchemaName,
    context: RequestContext,
    payload: Payload,
    turn: Turn,
) -> Answer {
    let guard = context.give_up_guard();
    let runtime = tokio::runtime::Handle::current();
    let lent = Arc::clone(server);
    let answered = tokio::task::spawn_blocking(move || {
        let answer = runtime.block_on(lent.graphql.answer(schema, &context, payload));
        drop(turn);
        answer
    });
    let answer = answered.await;
    drop(guard);
    answer.unwrap_or_else(|_| {
        server
            .graphql
            .refusal(schema, ErrorKind::Internal, INTERNAL)
    })
}

fn hints(headers: &HeaderMap) -> ClientHints {
    let agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok());
    let is_pycti = agent.is_some_and(|agent| agent.starts_with("pycti/"));
    let names = |prefix: &str| headers.keys().any(|name| name.as_str().starts_with(prefix));
    ClientHints {
        is_jupiterone: names("jupiterone-account") || names("lifeomic-account"),
        is_opencti: is_pycti || names("opencti-"),
        is_sonrai: headers.contains_key(SONRAI_ORGANIZATION)
            || headers.contains_key(QUERY_NAME)
            || has_sonrai_token(headers),
    }
}

/// Whether the token says that it is one of Sonrai's, whose scripts send no header of their own.
/// Nothing is checked: it only decides which schema is asked.
fn has_sonrai_token(headers: &HeaderMap) -> bool {
    let authorization = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let token = authorization.and_then(|value| value.strip_prefix("Bearer "));
    let claims = token.and_then(durward_vault::token::unverified_claims);
    claims.is_some_and(|claims| {
        claims
            .get("iss")
            .is_some_and(|issuer| issuer == SONRAI_ISSUER)
    })
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
