// SPDX-License-Identifier: Apache-2.0
//! The engine of one dialect: contract, cache, and the way of a request through them.

use std::fmt;
use std::sync::Arc;

use apollo_compiler::response::JsonMap as CompilerMap;
use durward_budget::{Budget, Share};
use durward_policy::Action;

use super::cache::{PREPARED_BYTES, TextCache};
use super::coerce;
use super::dialect::{Dialect, OperationKind, Refusal, Resolution, RootFuture};
use super::document::{Prepared, PreparedOperation, Refused};
use super::execute::{Given, Halt, Run, Work};
use super::introspect;
use super::limits::{CACHED_DOCUMENT_BYTES_MAX, CACHED_DOCUMENTS_MAX, CACHED_INTROSPECTIONS_MAX};
use super::node::{FieldError, Node};
use super::plan::{FieldPlan, OperationPlan, Role, Scope};
use super::request::{Payload, Request, decode};
use super::response::{self, DATA_PREFIX, Failure, Outcome, Reply, Response};
use super::schema::{Schema, SchemaError};
use super::write;

/// A contract with the dialect that implements it; serves all requests, from any thread.
pub struct Engine<D> {
    dialect: D,
    schema: Schema,
    documents: TextCache<Arc<Prepared>>,
    introspections: TextCache<Arc<Vec<u8>>>,
}

impl<D: Dialect> Engine<D> {
    /// Reads the contract; `file` names it in the error.
    pub fn new(dialect: D, sdl: &str, file: &str) -> Result<Self, SchemaError> {
        let caches = Budget::unlimited().caches();
        Ok(Self {
            dialect,
            schema: Schema::parse(sdl, file)?,
            documents: TextCache::new(CACHED_DOCUMENTS_MAX, &caches),
            introspections: TextCache::new(CACHED_INTROSPECTIONS_MAX, &caches),
        })
    }

    /// The same engine; what it keeps ready is charged to `caches` from now on.
    #[must_use]
    pub fn charged_to(self, caches: &Share) -> Self {
        Self {
            documents: TextCache::new(CACHED_DOCUMENTS_MAX, caches),
            introspections: TextCache::new(CACHED_INTROSPECTIONS_MAX, caches),
            ..self
        }
    }

    /// The contract.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The dialect.
    pub fn dialect(&self) -> &D {
        &self.dialect
    }

    /// Answers the body of a request, of whoever may hold as much as they like.
    pub async fn answer(&self, context: &D::Context, body: &[u8]) -> Reply {
        let lease = Budget::unlimited().strangers().lease();
        match decode(body, &lease) {
            Ok(payload) => self.answer_payload(context, payload).await,
            Err(error) => self
                .refuse(Outcome::Malformed, self.malformed(error.to_string()))
                .into(),
        }
    }

    /// Answers a decoded body; the requests of an array run one after another.
    pub async fn answer_payload(&self, context: &D::Context, payload: Payload) -> Reply {
        let requests = match payload {
            Payload::One(request) => return self.execute(context, request).await.into(),
            Payload::Many(requests) => requests,
        };
        let mut responses = Vec::with_capacity(requests.len());
        let mut budget = Work::default();
        budget.steps /= requests.len().max(1) as u64;
        for request in requests {
            let response = match request {
                Ok(request) => self.execute_within(context, request, budget).await,
                Err(message) => self.refuse(Outcome::Malformed, self.malformed(message)),
            };
            budget.bytes = budget.bytes.saturating_sub(response.body.len());
            responses.push(response);
        }
        response::joined(responses)
    }

    /// Answers one request.
    pub async fn execute(&self, context: &D::Context, request: Request) -> Response {
        self.execute_within(context, request, Work::default()).await
    }

    /// An answer that holds one error and no data, such as that of a caller without credentials.
    pub fn refuse(&self, outcome: Outcome, error: FieldError) -> Response {
        let failure = Failure {
            error,
            location: None,
            path: Vec::new(),
        };
        response::refused(outcome, &self.finished(vec![failure]))
    }

    /// Does a document fit the contract and the limits? The error says why not.
    pub fn check(&self, document: &str) -> Result<(), Vec<String>> {
        match Prepared::new(&self.schema, document) {
            Ok(_) => Ok(()),
            Err(refused) => {
                let problems = refused.problems.into_iter();
                Err(problems.map(|problem| problem.message).collect())
            }
        }
    }

    fn malformed(&self, message: String) -> FieldError {
        FieldError::new(self.dialect.refusal_code(Refusal::Malformed), message)
    }

    pub(super) async fn execute_within(
        &self,
        context: &D::Context,
        mut request: Request,
        budget: Work,
    ) -> Response {
        self.dialect.normalize(&mut request);
        match self.run(context, &request, budget).await {
            Ok(response) => response,
            Err(refused) => {
                let code = self.dialect.refusal_code(refused.refusal);
                let failures = refused.problems.into_iter().map(|problem| Failure {
                    error: FieldError::new(code.clone(), problem.message),
                    location: problem.location,
                    path: Vec::new(),
                });
                response::refused(Outcome::Refused, &self.finished(failures.collect()))
            }
        }
    }

    /// The document of a request, from the cache or prepared now.
    fn prepared(&self, text: &str) -> Result<Arc<Prepared>, Refused> {
        if let Some(known) = self.documents.get(text) {
            return Ok(known);
        }
        let prepared = Arc::new(Prepared::new(&self.schema, text)?);
        let bytes = PREPARED_BYTES * text.len() as u64;
        self.documents.put(text, Arc::clone(&prepared), bytes);
        Ok(prepared)
    }

    async fn run(
        &self,
        context: &D::Context,
        request: &Request,
        budget: Work,
    ) -> Result<Response, Refused> {
        let prepared = self.prepared(&request.query)?;
        let chosen = prepared.operation(request.operation_name.as_deref())?;
        let refuse = |message: String| Refused::one(Refusal::Variables, message);
        let variables = coerce::variables(
            self.schema.compiled(),
            &chosen.operation,
            &request.variables,
        )
        .map_err(refuse)?;
        let plan = chosen
            .plan(&self.schema, prepared.document(), &variables)
            .map_err(refuse)?;
        let scope = Scope {
            schema: &self.schema,
            document: prepared.document(),
            plan: &plan,
            variables: &variables,
        };
        if let Some(response) = self.introspection_only(context, &prepared, chosen, scope, request)
        {
            return Ok(response);
        }
        let planned_before = plan.planned();
        let is_write = chosen.kind == OperationKind::Mutation;
        let hold = |bytes| match self.dialect.hold(context, bytes) {
            // What was done is told, even where there is no room for it any more.
            Err(_) if is_write => Ok(()),
            held => held,
        };
        let introspected = self.introspected(context, &prepared, chosen, scope, &hold);
        let ask = |one_of: &[Action]| self.dialect.require(context, one_of);
        let mut run = Run::new(scope, &prepared, context, budget, (&hold, &ask));
        run.buffer.extend_from_slice(DATA_PREFIX);
        let written = self
            .roots(&mut run, chosen.kind, &plan, &introspected)
            .await;
        let ended = run.ended.take();
        let (mut body, failures) = run.finish();
        let warnings = self.dialect.take_warnings(context);
        if request.query.len() <= CACHED_DOCUMENT_BYTES_MAX {
            let more = plan.planned().saturating_sub(planned_before);
            self.documents.note_planned(more);
        }
        match written {
            Ok(()) => {}
            Err(Halt::Null) => {
                body.truncate(DATA_PREFIX.len());
                body.extend_from_slice(b"null");
            }
            Err(Halt::Full) => return Ok(self.refuse(Outcome::Executed, budget.refusal())),
            Err(Halt::Ended) => {
                let error = ended.unwrap_or_else(|| FieldError::new("ENDED", "it was ended"));
                return Ok(self.refuse(Outcome::Executed, error));
            }
        }
        Ok(response::executed(
            body,
            &self.finished(failures),
            &warnings,
        ))
    }

    /// The bytes of a document that asks for introspection alone are kept: they are large, take
    /// long, and tools ask for them again and again.
    fn introspection_only(
        &self,
        context: &D::Context,
        prepared: &Prepared,
        chosen: &PreparedOperation,
        scope: Scope<'_>,
        request: &Request,
    ) -> Option<Response> {
        let fields = scope.plan.root.fields();
        let only = fields.iter().all(|field| field.role == Role::Introspection);
        if !only || fields.is_empty() || !chosen.operation.variables.is_empty() {
            return None;
        }
        self.dialect.authorize_introspection(context).ok()?;
        let name = request.operation_name.as_deref().unwrap_or_default();
        let key = format!("{name}\n{}", request.query);
        if let Some(kept) = self.introspections.get(&key) {
            if let Err(error) = self.dialect.hold(context, kept.len() as u64) {
                return Some(self.refuse(Outcome::Executed, error));
            }
            return Some(response::executed(kept.to_vec(), &[], &[]));
        }
        let operation = &chosen.operation;
        let hold = |bytes| self.dialect.hold(context, bytes);
        let answers =
            introspect::answers(&self.schema, prepared, operation, scope.variables, &hold).ok()?;
        let mut body = DATA_PREFIX.to_vec();
        write::json(&mut body, &answers);
        let bytes = body.len() as u64;
        self.introspections.put(&key, Arc::new(body.clone()), bytes);
        Some(response::executed(body, &[], &[]))
    }

    fn introspected(
        &self,
        context: &D::Context,
        prepared: &Prepared,
        chosen: &PreparedOperation,
        scope: Scope<'_>,
        hold: &dyn Fn(u64) -> Result<(), FieldError>,
    ) -> Result<CompilerMap, FieldError> {
        let mut fields = scope.plan.root.fields().iter();
        if !fields.any(|field| field.role == Role::Introspection) {
            return Ok(CompilerMap::new());
        }
        self.dialect.authorize_introspection(context)?;
        introspect::answers(
            &self.schema,
            prepared,
            &chosen.operation,
            scope.variables,
            hold,
        )
    }

    /// Resolves and writes the root fields, one after another, so that what one of them loads is
    /// gone before the next is asked.
    async fn roots<'p>(
        &'p self,
        run: &mut Run<'p, D::Context>,
        kind: OperationKind,
        plan: &'p OperationPlan,
        introspected: &Result<CompilerMap, FieldError>,
    ) -> Result<(), Halt> {
        let fields = plan.root.fields();
        run.buffer.push(b'{');
        for field in fields {
            let given = run.arguments(field);
            let slot = match self.start(run, kind, field, &given) {
                Slot::Waiting(future) => Slot::Done(future.await),
                slot => slot,
            };
            write_root(run, plan, field, slot, introspected)?;
        }
        run.buffer.push(b'}');
        Ok(())
    }

    fn start<'a, 'p: 'a>(
        &'p self,
        run: &Run<'p, D::Context>,
        kind: OperationKind,
        field: &'p FieldPlan,
        given: &'a Result<Given<'p>, FieldError>,
    ) -> Slot<'a, D::Context> {
        if field.role != Role::Ordinary {
            return Slot::Meta;
        }
        // Whoever may not learns nothing about the arguments.
        if let Err(error) = run.may_resolve(field) {
            return Slot::Done(Err(error));
        }
        match given {
            Ok(given) => match self.dialect.resolve_root(kind, run.call(field, given)) {
                Resolution::Ready(result) => Slot::Done(result),
                Resolution::Later(future) => Slot::Waiting(future),
            },
            Err(error) => Slot::Done(Err(error.clone())),
        }
    }

    fn finished(&self, mut failures: Vec<Failure>) -> Vec<Failure> {
        for failure in &mut failures {
            self.dialect.finish_error(&mut failure.error);
        }
        failures
    }
}

impl<D> fmt::Debug for Engine<D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Engine")
            .field("schema", &self.schema)
            .field("documents", &self.documents)
            .finish_non_exhaustive()
    }
}

/// A root field on its way.
enum Slot<'a, C> {
    /// `__typename`, `__schema` or `__type`
    Meta,
    Done(Result<Node<'a, C>, FieldError>),
    Waiting(RootFuture<'a, C>),
}

fn write_root<'p, C>(
    run: &mut Run<'p, C>,
    plan: &OperationPlan,
    field: &'p FieldPlan,
    slot: Slot<'_, C>,
    introspected: &Result<CompilerMap, FieldError>,
) -> Result<(), Halt> {
    run.key(field);
    let result = match (field.role, slot) {
        (Role::TypeName, _) => {
            write::text(&mut run.buffer, plan.root.type_name());
            return Ok(());
        }
        (Role::Introspection, _) => match introspected {
            Ok(answers) => {
                match answers.get(field.response_key()) {
                    Some(answer) => write::json(&mut run.buffer, answer),
                    None => run.buffer.extend_from_slice(b"null"),
                }
                return Ok(());
            }
            Err(error) => Err(error.clone()),
        },
        (Role::Ordinary, Slot::Done(result)) => result,
        (Role::Ordinary, _) => Ok(Node::Null),
    };
    run.field_value(field, result)
}
