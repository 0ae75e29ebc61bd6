// SPDX-License-Identifier: Apache-2.0
//! What one request knows: who asks, which moment is looked at, what the server lends.

mod reading;
mod work;
mod write_error;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use durward_access::Accesses;
use durward_access::access::Sight;
use durward_budget::Lease;
use durward_graph::store::{Operation, Privilege, Receipt, Store};
use durward_graph::{EdgeRef, EntityRef, ObjectRef, RowSet, TypeId, View};
use durward_identity::{AuthError, Caller, IdentityError, Planned};
use durward_listing::Walks;
use durward_model::error::ClientMessage;
use durward_model::transaction::Origin;
use durward_model::{Clock, ErrorKind, Instant};
use durward_policy::{Action, Rights};
use durward_query::{CancelGuard, CursorKey, Limits, RowCondition, Visibility};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::deferred::DeferredResults;
use crate::engine::FieldError;

pub use reading::Reading;
pub use work::Interrupted;
use work::blocking;
pub use write_error::WriteError;

/// What all requests of a server share.
#[derive(Clone, Debug)]
pub struct Services {
    /// Where the present comes from.
    pub clock: Arc<dyn Clock>,
    /// Results that wait to be fetched.
    pub deferred: Arc<DeferredResults>,
    /// Who reaches what.
    pub accesses: Arc<Accesses>,
    /// What lists found for their first pages.
    pub walks: Arc<Walks>,
    /// What a query may cost. Its cancellation flag is made anew for each query.
    pub limits: Limits,
    /// Whether anonymous callers may ask for the types of a schema.
    pub anonymous_introspection: bool,
    /// A view without any object, for callers who may see nothing.
    pub nothing: View,
}

/// One request.
#[derive(Debug)]
pub struct RequestContext {
    caller: Result<Caller, AuthError>,
    /// The graph at the present instant; empty for a caller who was not let in.
    pub view: View,
    /// What the server lends.
    pub services: Arc<Services>,
    visibility: Option<Visibility>,
    request_id: String,
    base_url: String,
    /// Set when the client went away.
    is_given_up: Arc<AtomicBool>,
    /// Bytes of text that directives rewrote.
    rewritten_bytes: AtomicU64,
    /// Sentences about the answer that are no errors.
    warnings: Mutex<Vec<String>>,
    /// What is held for the request.
    lease: Arc<Lease>,
    /// Whether all of the request runs in one turn already.
    has_turn: bool,
    /// When the request as a whole must be over.
    deadline: Instant,
}

/// Why something is refused.
#[derive(Debug, thiserror::Error)]
pub enum Denial {
    /// The caller was not let in.
    #[error("{}", AuthError::PUBLIC_MESSAGE)]
    Unauthenticated,
    /// The caller may not.
    #[error(transparent)]
    Forbidden(#[from] IdentityError),
}

impl ClientMessage for Denial {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unauthenticated => ErrorKind::Unauthenticated,
            Self::Forbidden(error) => error.kind(),
        }
    }

    fn client_message(&self) -> String {
        match self {
            Self::Unauthenticated => AuthError::PUBLIC_MESSAGE.to_owned(),
            Self::Forbidden(error) => error.client_message(),
        }
    }
}

impl RequestContext {
    /// The context of a request. `base_url` is the address by which the client reached the server;
    /// `lease` holds what the request takes so far.
    pub fn new(
        services: Arc<Services>,
        caller: Result<Caller, AuthError>,
        request_id: String,
        base_url: String,
        lease: Lease,
    ) -> Self {
        let view = match &caller {
            Ok(caller) => caller.organization().store().view(None),
            Err(_) => services.nothing.clone(),
        };
        let condition = caller.as_ref().ok().and_then(Caller::row_condition);
        let account = caller.as_ref().map_or_else(
            |_| String::new(),
            |caller| caller.organization().id().to_string(),
        );
        let visibility = condition.map(|condition| Visibility::new(&view, condition, &account));
        let is_given_up = Arc::default();
        let micros = services
            .limits
            .time_ms
            .saturating_mul(1_000 * QUERY_TIMES_MAX);
        let deadline = services
            .clock
            .now()
            .plus_micros(i64::try_from(micros).unwrap_or(i64::MAX));
        Self {
            caller,
            view,
            services,
            visibility,
            request_id,
            base_url,
            is_given_up,
            rewritten_bytes: AtomicU64::new(0),
            warnings: Mutex::default(),
            lease: Arc::new(lease),
            has_turn: false,
            deadline,
        }
    }

    /// Says that the whole request runs in a turn that its server has taken.
    #[must_use]
    pub fn in_turn(self) -> Self {
        Self {
            has_turn: true,
            ..self
        }
    }

    /// What is held for the request.
    pub fn lease(&self) -> &Arc<Lease> {
        &self.lease
    }

    /// Notes that the answer takes so many bytes more.
    ///
    /// # Errors
    /// When a share is used up, the client is gone, or the request takes too long.
    pub fn hold(&self, bytes: u64) -> Result<(), FieldError> {
        self.go_on()?;
        self.lease.add(bytes).map_err(|error| field_error(&error))
    }

    /// Whether it is worth to go on.
    fn go_on(&self) -> Result<(), Interrupted> {
        if self.is_given_up.load(Ordering::Relaxed) {
            Err(Interrupted::GivenUp)
        } else if self.now() > self.deadline {
            Err(Interrupted::TooLong)
        } else {
            Ok(())
        }
    }

    /// Runs heavy work off the threads that serve connections, when the caller's organization has
    /// its turn.
    ///
    /// # Errors
    /// When too much of the caller waits already, the request takes too long, or the work ended
    /// abnormally.
    pub async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Interrupted> {
        let turn = if self.has_turn {
            None
        } else {
            Some(self.lease.share().turn().await?)
        };
        self.go_on()?;
        blocking(turn, work).await
    }

    /// Runs a command of the core for the caller, which waits for the disk, off the threads that
    /// serve connections, when the caller's organization has a turn for one more write.
    ///
    /// # Errors
    /// Those of the command and of [`RequestContext::off_thread`], and when nobody was let in.
    pub async fn command<T, E>(
        &self,
        run: impl FnOnce(Caller) -> Result<T, E> + Send + 'static,
    ) -> Result<T, FieldError>
    where
        T: Send + 'static,
        E: ClientMessage + Send + 'static,
    {
        let caller = self.caller().map_err(|error| field_error(error))?.clone();
        let turn = if self.has_turn {
            None
        } else {
            let turn = self.lease.share().write_turn().await;
            Some(turn.map_err(Interrupted::from)?)
        };
        let done = blocking(turn, move || run(caller)).await?;
        done.map_err(|error| field_error(&error))
    }

    /// Counts text that a directive is about to rewrite; whether there may be as much.
    pub fn may_rewrite(&self, bytes: usize) -> bool {
        let before = self
            .rewritten_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
        before.saturating_add(bytes as u64) <= REWRITTEN_BYTES_MAX
    }

    /// Notes sentences that go along with the answer; each is told once, and not too many of them.
    pub fn warn(&self, warnings: &[String]) {
        let mut noted = self.warnings.lock();
        for warning in warnings {
            if noted.len() < WARNINGS_MAX && !noted.contains(warning) {
                noted.push(warning.clone());
            }
        }
    }

    /// The sentences noted so far, which are forgotten then: an array of requests has one context.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.lock())
    }

    /// The caller.
    ///
    /// # Errors
    /// Why it was not let in.
    pub fn caller(&self) -> Result<&Caller, &AuthError> {
        self.caller.as_ref()
    }

    /// The caller's organization's store.
    ///
    /// # Errors
    /// When the caller was not let in.
    pub fn store(&self) -> Result<&Store, Denial> {
        let caller = self.caller().map_err(|_| Denial::Unauthenticated)?;
        Ok(caller.organization().store())
    }

    /// Id of the request, as the log has it.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The present instant.
    pub fn now(&self) -> Instant {
        self.services.clock.now()
    }

    /// Decides whether the caller may take one of these actions; a refusal is recorded.
    ///
    /// # Errors
    /// When the caller was not let in, or may not.
    pub fn require(&self, one_of: &[Action]) -> Result<(), FieldError> {
        let caller = self.caller().map_err(|error| field_error(error))?;
        let allowed = caller.require_actions(one_of);
        allowed.map_err(|error| field_error(&error))
    }

    /// What the caller may do; nothing for one who was not let in.
    pub fn rights(&self) -> Rights {
        self.caller().map_or(Rights::NONE, Caller::rights)
    }

    /// Id of the caller's organization.
    pub fn account_id(&self) -> String {
        self.caller().map_or_else(
            |_| String::new(),
            |caller| caller.organization().id().to_string(),
        )
    }

    /// Whether the caller may see an entity that lives.
    pub fn sees_entity(&self, entity: EntityRef) -> bool {
        self.visibility
            .as_ref()
            .is_none_or(|visibility| visibility.sees_entity(entity))
    }

    /// Whether the caller may see a relationship that lives.
    pub fn sees_edge(&self, edge: EdgeRef) -> bool {
        self.visibility
            .as_ref()
            .is_none_or(|visibility| visibility.sees_edge(edge))
    }

    /// The live entities of a type that the caller may see.
    pub fn visible_rows(&self, type_id: TypeId) -> RowSet {
        match &self.visibility {
            None => self.view.live_rows(type_id),
            Some(visibility) => RowSet::clone(&visibility.rows(type_id)),
        }
    }

    /// The condition under which every query of the caller runs.
    pub fn row_condition(&self) -> Option<RowCondition> {
        self.caller().ok().and_then(Caller::row_condition).cloned()
    }

    /// The condition for lists of kinds that an action of their own lets the caller list, whether
    /// or not it reads the graph.
    pub fn listed_condition(&self) -> Option<RowCondition> {
        self.caller().ok().and_then(Caller::core_condition).cloned()
    }

    /// What fits [`RequestContext::listed_condition`].
    ///
    /// # Errors
    /// When the caller was not let in.
    pub fn sight(&self) -> Result<Sight, FieldError> {
        let caller = self.caller().map_err(|error| field_error(error))?;
        Ok(Sight::of(caller, &self.view))
    }

    /// Key that makes the caller's cursors useless to others.
    pub fn cursor_key(&self) -> CursorKey {
        CursorKey::new(&self.caller().map_or([0; 32], Caller::cursor_key))
    }

    /// What a query of this request may cost, with a cancellation flag of its own.
    pub fn limits(&self) -> Limits {
        Limits {
            // In a turn of the whole request, what ends the request ends the query.
            cancelled: Some(if self.has_turn {
                Arc::clone(&self.is_given_up)
            } else {
                Arc::default()
            }),
            budget: Some(self.lease.share().clone()),
            clock: Some(Arc::clone(&self.services.clock)),
            ..self.services.limits.clone()
        }
    }

    /// Stops a query of these limits when it is dropped. That of a request which runs in one turn
    /// ends with the request only.
    pub fn cancel_guard(&self, limits: &Limits) -> CancelGuard {
        CancelGuard::new(limits.cancelled.clone().filter(|_| !self.has_turn))
    }

    /// Stops everything that runs under [`RequestContext::limits_of_request`] when it is dropped.
    pub fn give_up_guard(&self) -> CancelGuard {
        CancelGuard::new(Some(Arc::clone(&self.is_given_up)))
    }

    /// What a query may cost that runs as long as somebody waits for the whole request.
    pub fn limits_of_request(&self) -> Limits {
        Limits {
            cancelled: Some(Arc::clone(&self.is_given_up)),
            ..self.limits()
        }
    }

    /// Whether the caller may ask for the types of a schema without a credential.
    pub fn allows_introspection(&self) -> bool {
        self.services.anonymous_introspection
    }

    /// Refuses to tell the types of a schema to those who were not let in, unless anybody may know.
    ///
    /// # Errors
    /// Why the caller was not let in.
    pub fn require_introspection(&self) -> Result<(), &AuthError> {
        match self.caller() {
            Err(error) if !self.allows_introspection() => Err(error),
            _ => Ok(()),
        }
    }

    /// Address under which a deferred result can be fetched.
    pub fn result_url(&self, token: &str) -> String {
        format!("{}/jupiterone/results/{token}", self.base_url)
    }

    /// Records an activity that changes nothing.
    pub fn record(&self, activity: &str, detail: &str) {
        if let Ok(caller) = self.caller() {
            let mut origin = caller.origin(activity);
            origin.detail = detail.chars().take(DETAIL_CHARACTERS_MAX).collect();
            caller.organization().store().record(origin);
        }
    }

    /// Commits a generic write, if the caller may take the action where it is written. Answers
    /// when it is durable and visible, without blocking the thread.
    ///
    /// # Errors
    /// Those of [`Caller::commit`].
    pub async fn submit(
        &self,
        action: Action,
        origin: Origin,
        operations: Vec<Operation>,
    ) -> Result<Receipt, WriteError> {
        let caller = self.caller().map_err(|_| Denial::Unauthenticated)?.clone();
        let plan = move |caller: &Caller, _: &View| {
            caller.require_action(action)?;
            Ok::<_, WriteError>(Planned {
                privilege: Privilege::Generic,
                ..Planned::core(origin, operations, ())
            })
        };
        let (sender, receiver) = oneshot::channel();
        // The client may have gone away; what was committed stays committed.
        caller.commit_then(plan, move |result| drop(sender.send(result)));
        match receiver.await {
            Ok(result) => Ok(result?.0),
            Err(_) => Err(WriteError::Stopped),
        }
    }

    /// Whether the caller may read an object of a later view than the request's own: for the answer
    /// to a write.
    pub fn may_read(&self, view: &View, object: ObjectRef) -> bool {
        let caller = self.caller().ok();
        let Some(caller) = caller.filter(|caller| caller.allows(Action::GraphRead)) else {
            return false;
        };
        let Some(condition) = caller.row_condition() else {
            return true;
        };
        let visibility = Visibility::new(view, condition, &self.account_id());
        match object {
            ObjectRef::Entity(entity) => visibility.sees_entity(entity),
            ObjectRef::Edge(edge) => visibility.sees_edge(edge),
        }
    }
}

/// Most bytes of text that the directives of one request rewrite (16 MiB): patterns are the
/// client's, and may be slow ones.
pub const REWRITTEN_BYTES_MAX: u64 = 16 << 20;

/// Most warnings of one answer.
const WARNINGS_MAX: usize = 20;

/// Longest detail of a recorded activity, in characters.
const DETAIL_CHARACTERS_MAX: usize = 4096;

/// A request as a whole may take so many times the time of a query.
const QUERY_TIMES_MAX: u64 = 2;

/// The code that JupiterOne's and Durward's own clients get for an error kind.
pub fn code(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Invalid => "BAD_USER_INPUT",
        ErrorKind::Unauthenticated => "UNAUTHENTICATED",
        ErrorKind::Forbidden => "FORBIDDEN",
        ErrorKind::NotFound => "NOT_FOUND",
        ErrorKind::AlreadyExists | ErrorKind::Conflict => "CONFLICT",
        ErrorKind::RateLimited => "TOO_MANY_REQUESTS",
        ErrorKind::Unsupported => "NOT_SUPPORTED",
        ErrorKind::Unavailable => "SERVICE_UNAVAILABLE",
        ErrorKind::Timeout => "QUERY_LIMIT_EXCEEDED",
        ErrorKind::Internal => "INTERNAL_SERVER_ERROR",
    }
}

/// The GraphQL error of anything that may be shown to a client.
pub fn field_error(error: &dyn ClientMessage) -> FieldError {
    FieldError::new(code(error.kind()), error.client_message())
}

impl From<Denial> for FieldError {
    fn from(denial: Denial) -> Self {
        field_error(&denial)
    }
}
