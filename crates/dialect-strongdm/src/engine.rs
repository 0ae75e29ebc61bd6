// SPDX-License-Identifier: Apache-2.0
//! The one handler of all calls.
//!
//! The order matters: whether the access key lives, framing, then authentication over the raw
//! bytes, and only then anything that depends on what the message says. Whoever is not let in
//! learns nothing but that. The signature covers the body, so that a stranger's has to be read
//! where a living key is named, out of the share that all strangers have together; what comes with
//! any other key is thrown away. What a caller holds once it is let in is charged to its own share.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use durward_budget::body::STRANGER_BODY_BYTES_MAX;
use durward_budget::{Exhausted, Lease};
use durward_identity::RateVerdict;
use durward_identity::{AuthError, Caller, Organizations, Presented, RateCost, RateLimits};
use durward_model::{Clock, ErrorKind, Instant};
use durward_vault::digest::sha256_of;
use http::{HeaderMap, Request, Response, header, request};
use http_body::Body;
use prost_reflect::DynamicMessage;
use tokio::sync::watch;

use crate::answer::{AnswerBody, SignedFor, failure, refusal, stream, success};
use crate::contract::{Contract, Method, Verb, signed_name};
use crate::dispatch::{Call, Dispatch, Reply};
use crate::frame::{MESSAGE_BYTES_MAX, only_message};
use crate::health::Health;
use crate::metadata::{Signed, api_version, timeout, user_agent};
use crate::request::{decode, throw_away, unusable, weigh, whole};
use crate::status::{Status, rate_limit};
use crate::stream::{Conversation, Watch, stopping};
use crate::{complete, health, reflection, signature};

/// How often an answer is there at once: as it was made, and in its frame.
const ANSWER_COPIES: u64 = 2;

/// What an engine is made of.
pub struct EngineParts {
    /// The contract.
    pub contract: Arc<Contract>,
    /// What answers the calls.
    pub dispatch: Arc<dyn Dispatch>,
    /// Who may come in.
    pub organizations: Arc<Organizations>,
    /// How often.
    pub rates: Arc<RateLimits>,
    /// Where the present comes from.
    pub clock: Arc<dyn Clock>,
    /// Whether strangers may ask for the contract (reflection).
    pub anonymous_introspection: bool,
}

impl fmt::Debug for EngineParts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let contract = &self.contract;
        formatter
            .debug_struct("EngineParts")
            .field("methods", &contract.methods().count())
            .finish_non_exhaustive()
    }
}

/// Answers gRPC requests.
pub struct Engine {
    parts: EngineParts,
    stops: watch::Sender<bool>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Engine").finish_non_exhaustive()
    }
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Source<'s> {
    /// Address of the client.
    pub remote_address: &'s str,
    /// Id of the request, for the audit log and for failures that say nothing else.
    pub request_id: &'s str,
}

/// Why a call is not answered.
enum Failure {
    Refused(AuthError),
    Failed(Status),
}

impl From<AuthError> for Failure {
    fn from(error: AuthError) -> Self {
        Self::Refused(error)
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Failed(status)
    }
}

/// Everything a call needs, owned, so that it can be answered on another thread.
struct Work {
    method: Arc<Method>,
    caller: Caller,
    message: DynamicMessage,
    digest: [u8; 32],
    now: Instant,
    deadline: Option<Instant>,
    remote_address: String,
    user_agent: String,
    given_up: Arc<AtomicBool>,
    lease: Arc<Lease>,
}

/// A call of somebody who was let in.
struct Authenticated {
    caller: Caller,
    message: Bytes,
    digest: [u8; 32],
    lease: Arc<Lease>,
}

/// Says that nobody waits any more when it goes.
struct GiveUpGuard(Arc<AtomicBool>);

impl Drop for GiveUpGuard {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Engine {
    /// An engine.
    pub fn new(parts: EngineParts) -> Self {
        let stops = watch::Sender::new(false);
        Self { parts, stops }
    }

    /// Ends the streams that would otherwise stay open, so that the server can stop.
    pub fn stop(&self) {
        self.stops.send_replace(true);
    }

    /// The contract that it serves.
    pub fn contract(&self) -> &Arc<Contract> {
        &self.parts.contract
    }

    /// Answers one request whose content type is that of gRPC ([`crate::is_grpc`]).
    pub async fn answer<B>(
        self: &Arc<Self>,
        request: Request<B>,
        source: Source<'_>,
    ) -> Response<AnswerBody>
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        if let Some(response) = unusable(&request) {
            return response;
        }
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        let mut signed_for = None;
        let answered = if matches!(path, health::CHECK | health::WATCH) {
            self.health(path, body).await.map_err(Failure::from)
        } else if reflection::is_reflection(path) {
            self.reflect(&parts.headers, body, source)
        } else {
            let answered = self.unary(&parts, body, source, &mut signed_for).await;
            answered.map(|(message, lease)| success(&message, Some(lease)))
        };
        let mut response = match answered {
            Ok(response) => response,
            Err(Failure::Refused(error)) => refusal(&Status::of(&error), error.reason()),
            Err(Failure::Failed(status)) => {
                tracing::debug!(path, code = status.code().as_str(), "a call failed");
                failure(&status)
            }
        };
        if let Some(organization) = signed_for {
            response.extensions_mut().insert(SignedFor(organization));
        }
        response
    }

    async fn unary<B>(
        self: &Arc<Self>,
        parts: &request::Parts,
        body: B,
        source: Source<'_>,
        signed_for: &mut Option<String>,
    ) -> Result<(Vec<u8>, Arc<Lease>), Failure>
    where
        B: Body<Data = Bytes>,
    {
        let path = parts.uri.path();
        let begun = self.parts.clock.now();
        let Authenticated {
            caller,
            message,
            digest,
            lease,
        } = self.let_in(parts, body, source).await?;
        *signed_for = Some(caller.organization().id().to_string());
        let now = self.parts.clock.now();
        let exhausted = |error: Exhausted| Status::exhausted(&error, now);
        let verdict = self.count(&caller, now)?;
        let method = self.parts.contract.method(path);
        let method = Arc::clone(method.ok_or_else(|| unknown(path))?);
        let timeout = timeout(&parts.headers).map_err(Status::invalid)?;
        let deadline = timeout.map(|timeout| after(begun, timeout));
        lease.add(weigh(&method, &message)?).map_err(exhausted)?;
        let work = Work {
            message: decode(&method, message)?,
            method,
            caller,
            digest,
            now,
            deadline,
            remote_address: source.remote_address.to_owned(),
            user_agent: user_agent(&parts.headers).to_owned(),
            given_up: Arc::default(),
            lease: Arc::clone(&lease),
        };
        tracing::debug!(
            method = work.method.signed_name,
            api_version = api_version(&parts.headers),
            "call"
        );
        let method = Arc::clone(&work.method);
        let reply = self.dispatch(Arc::new(work), source.request_id).await?;
        let rate_limit = rate_limit(&verdict, now);
        let answer = complete::complete(&method, reply.message, &rate_limit);
        if answer.len() > MESSAGE_BYTES_MAX {
            let why = format!(
                "the answer is larger than {MESSAGE_BYTES_MAX} bytes; ask for less at once, for \
                 example with a smaller page limit"
            );
            return Err(Status::invalid(why).into());
        }
        // The request is gone by now; the answer stays charged until it is sent.
        let held = (answer.len() as u64).saturating_mul(ANSWER_COPIES);
        // What was done is told, even where there is no room for it any more.
        let _ = lease.set(held);
        Ok((answer, lease))
    }

    /// Reads the message of a call and finds out who sent it.
    async fn let_in<B>(
        &self,
        parts: &request::Parts,
        body: B,
        source: Source<'_>,
    ) -> Result<Authenticated, Failure>
    where
        B: Body<Data = Bytes>,
    {
        let path = parts.uri.path();
        let signed = match Signed::read(&parts.headers) {
            Ok(signed) => signed,
            Err(error) => {
                throw_away(body).await;
                return Err(error.into());
            }
        };
        let presented = presented(&parts.headers, source);
        let organizations = &self.parts.organizations;
        let now = self.parts.clock.now();
        if !organizations.knows_access_key(signed.access_key, now) {
            // Nothing that it could send would help it.
            throw_away(body).await;
            let nothing = [0; 32];
            signature::authenticate(organizations, &presented, &signed, &nothing, now)?;
            return Err(AuthError::Unknown.into());
        }
        let lease = organizations.strangers().lease();
        let body = whole(body, MESSAGE_BYTES_MAX, &lease, now).await?;
        let message = only_message(&body).map_err(|error| Status::of(&error))?;
        let name = signed_name(path).ok_or_else(|| unknown(path))?;
        let digest = digest(&name, &message);
        let now = self.parts.clock.now();
        let caller = signature::authenticate(organizations, &presented, &signed, &digest, now)?;
        let lease = lease.moved_to(&caller.share());
        let lease = lease.map_err(|error| Status::exhausted(&error, now))?;
        Ok(Authenticated {
            caller,
            message,
            digest,
            lease: Arc::new(lease),
        })
    }

    async fn health<B>(&self, path: &str, body: B) -> Result<Response<AnswerBody>, Status>
    where
        B: Body<Data = Bytes>,
    {
        let lease = self.parts.organizations.strangers().lease();
        let now = self.parts.clock.now();
        let body = whole(body, STRANGER_BODY_BYTES_MAX, &lease, now).await?;
        let question = only_message(&body).map_err(|error| Status::of(&error))?;
        let is_ready = !self.parts.organizations.all().is_empty() && !*self.stops.borrow();
        let health = Health::of(self.parts.contract.pool(), &question, is_ready)?;
        if path == health::CHECK {
            return Ok(success(&health.checked()?, None));
        }
        let last = Health::NotServing.message();
        let stopping = stopping(self.stops.subscribe());
        let watch = Watch::new(&health.message(), &last, stopping);
        Ok(stream(Box::pin(watch)))
    }

    fn reflect<B>(
        &self,
        headers: &HeaderMap,
        body: B,
        source: Source<'_>,
    ) -> Result<Response<AnswerBody>, Failure>
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        if !self.parts.anonymous_introspection {
            let authorization = headers.get(header::AUTHORIZATION);
            let presented = Presented {
                authorization: authorization.map(|value| value.to_str().unwrap_or("")),
                ..presented(headers, source)
            };
            let now = self.parts.clock.now();
            self.parts.organizations.authenticate(&presented, now)?;
        }
        let contract = Arc::clone(&self.parts.contract);
        let answer = move |question: &Bytes| reflection::answer(contract.pool(), question);
        let stopping = stopping(self.stops.subscribe());
        let bytes_max = reflection::QUESTION_BYTES_MAX;
        let conversation = Conversation::new(body, bytes_max, stopping, answer);
        Ok(stream(Box::pin(conversation)))
    }

    fn count(&self, caller: &Caller, now: Instant) -> Result<RateVerdict, Status> {
        let cost = RateCost {
            operations: 1,
            queries: 0,
        };
        let verdict = self.parts.rates.check(caller, cost, now);
        if verdict.allowed {
            Ok(verdict)
        } else {
            Err(Status::rate_limited(&verdict, now))
        }
    }

    /// Quick calls are answered here; others on a thread of their own, at most until the deadline.
    /// What reads much takes a turn first, so that one organization does not put hundreds of
    /// threads before the processors. Writes mostly wait for the journal, which takes many at once:
    /// they have turns of their own.
    async fn dispatch(
        self: &Arc<Self>,
        work: Arc<Work>,
        request_id: &str,
    ) -> Result<Reply, Status> {
        let late = || Status::new(ErrorKind::Timeout, "the deadline of the call passed");
        let remaining = match work.deadline.map(|deadline| until(work.now, deadline)) {
            None => None,
            Some(Some(remaining)) => Some(remaining),
            Some(None) => return Err(late()),
        };
        let defect = || {
            let method = &work.method.signed_name;
            tracing::error!(request_id, method, "a call ended abnormally");
            let why = format!("an internal error occurred; the request id is {request_id}");
            Status::new(ErrorKind::Internal, why)
        };
        if self.parts.dispatch.is_quick(&work.method) {
            // A defect in one call must not end the connection, which others share.
            let ran = catch_unwind(AssertUnwindSafe(|| self.run(&work)));
            return ran.unwrap_or_else(|_| Err(defect()));
        }
        let _guard = GiveUpGuard(Arc::clone(&work.given_up));
        let is_write = matches!(work.method.verb, Verb::Create | Verb::Update | Verb::Delete);
        let (engine, lent) = (Arc::clone(self), Arc::clone(&work));
        let task = async move {
            let share = lent.caller.share();
            let turn = if is_write {
                share.write_turn().await
            } else {
                share.turn().await
            };
            let turn = turn.map_err(|error| Status::exhausted(&error, lent.now))?;
            let task = tokio::task::spawn_blocking(move || {
                let reply = engine.run(&lent);
                drop(turn);
                reply
            });
            task.await.unwrap_or_else(|_| Err(defect()))
        };
        match remaining {
            None => task.await,
            Some(remaining) => tokio::time::timeout(remaining, task)
                .await
                .map_err(|_| late())?,
        }
    }

    fn run(&self, work: &Work) -> Result<Reply, Status> {
        let allowed = work.caller.require_actions(&work.method.actions);
        allowed.map_err(|error| Status::of(&error))?;
        self.parts.dispatch.call(&Call {
            contract: &self.parts.contract,
            method: &work.method,
            caller: &work.caller,
            message: &work.message,
            digest: &work.digest,
            now: work.now,
            deadline: work.deadline,
            remote_address: &work.remote_address,
            user_agent: &work.user_agent,
            given_up: &work.given_up,
            lease: &work.lease,
        })
    }
}

/// The digest that a client signs.
pub fn digest(signed_name: &str, message: &[u8]) -> [u8; 32] {
    sha256_of(&[signed_name.as_bytes(), b"\n", message])
}

/// What the audit log is to know of a request.
fn presented<'p>(headers: &'p HeaderMap, source: Source<'p>) -> Presented<'p> {
    Presented {
        user_agent: user_agent(headers),
        source_address: source.remote_address,
        request_id: source.request_id,
        ..Presented::default()
    }
}

fn unknown(path: &str) -> Status {
    Status::new(ErrorKind::Unsupported, format!("there is no method {path}"))
}

fn after(now: Instant, timeout: Duration) -> Instant {
    now.plus_micros(i64::try_from(timeout.as_micros()).unwrap_or(i64::MAX))
}

/// How long until a deadline; none when it has passed.
fn until(now: Instant, deadline: Instant) -> Option<Duration> {
    let micros = deadline.as_micros().saturating_sub(now.as_micros());
    u64::try_from(micros)
        .ok()
        .filter(|micros| *micros > 0)
        .map(Duration::from_micros)
}
