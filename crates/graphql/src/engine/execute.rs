// SPDX-License-Identifier: Apache-2.0
//! Execution: walks the plan, asks objects for their fields, writes JSON bytes.
//!
//! A value that fails where null is not allowed takes its parent with it: the nearest value above
//! that may be null cuts the buffer back to where it began and writes null.

use std::sync::Arc;

use durward_policy::Action;
use serde_json::Value;

use super::document::Prepared;
use super::limits::{ANSWER_BYTES_MAX, FIELD_ERRORS_MAX, STEPS_MAX};
use super::node::{Call, FieldError, JsonMap, JsonObject, Node, Object};
use super::plan::{Arguments, FieldPlan, Output, Role, Scope, Shape, TypePlan};
use super::response::{Failure, Step};
use super::write;

/// Why a value was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// It failed, and null must stand for it or for something above it.
    Null,
    /// The answer grew too large, or took too many steps.
    Full,
    /// The dialect ended the request, for the reason in [`Run::ended`].
    Ended,
}

/// What one request may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    pub(super) bytes: usize,
    pub(super) steps: u64,
}

impl Work {
    /// The error of an answer that takes more.
    pub(super) fn refusal(&self) -> FieldError {
        let Self { bytes, steps } = self;
        let message = format!("the answer is larger than {bytes} bytes or {steps} fields");
        FieldError::new("ANSWER_TOO_LARGE", message)
    }
}

impl Default for Work {
    fn default() -> Self {
        Self {
            bytes: ANSWER_BYTES_MAX,
            steps: STEPS_MAX,
        }
    }
}

#[derive(Clone, Copy)]
enum Segment<'p> {
    Field(&'p FieldPlan),
    Index(usize),
}

/// The arguments of a field in one request.
pub(super) enum Given<'p> {
    Planned(&'p JsonMap),
    Computed(Arc<JsonMap>),
}

type Computed = Result<Arc<JsonMap>, Arc<str>>;

/// What is asked whether the answer may grow by so many bytes.
pub(super) type Hold<'p> = &'p (dyn Fn(u64) -> Result<(), FieldError> + Sync);

/// What is asked whether the caller may take one of some actions.
pub(super) type Ask<'p> = &'p (dyn Fn(&[Action]) -> Result<(), FieldError> + Sync);

/// The answer is looked at after so many further steps at the latest.
const STEPS_BETWEEN_LOOKS: u64 = 512;

/// One operation being run.
pub(super) struct Run<'p, C> {
    pub(super) scope: Scope<'p>,
    pub(super) context: &'p C,
    hold: Hold<'p>,
    ask: Ask<'p>,
    /// Bytes of the buffer that were asked for.
    held: usize,
    next_look: u64,
    pub(super) ended: Option<FieldError>,
    pub(super) buffer: Vec<u8>,
    prepared: &'p Prepared,
    budget: Work,
    path: Vec<Segment<'p>>,
    failures: Vec<Failure>,
    left_out: usize,
    steps: u64,
    computed: Vec<Option<Computed>>,
}

impl<'p, C> Run<'p, C> {
    pub(super) fn new(
        scope: Scope<'p>,
        prepared: &'p Prepared,
        context: &'p C,
        budget: Work,
        (hold, ask): (Hold<'p>, Ask<'p>),
    ) -> Self {
        Self {
            scope,
            context,
            hold,
            ask,
            held: 0,
            next_look: STEPS_BETWEEN_LOOKS,
            ended: None,
            buffer: Vec::with_capacity(1024),
            prepared,
            budget,
            path: Vec::new(),
            failures: Vec::new(),
            left_out: 0,
            steps: 0,
            computed: Vec::new(),
        }
    }

    /// The buffer and the errors, the last of which counts those that were left out.
    pub(super) fn finish(mut self) -> (Vec<u8>, Vec<Failure>) {
        if self.left_out > 0 {
            self.failures.push(Failure {
                error: FieldError::new(
                    "TOO_MANY_ERRORS",
                    format!("{} further errors are left out", self.left_out),
                ),
                location: None,
                path: Vec::new(),
            });
        }
        (self.buffer, self.failures)
    }

    /// Refuses a field that asks for an action which the caller may not take.
    pub(super) fn may_resolve(&self, field: &FieldPlan) -> Result<(), FieldError> {
        match &field.guard {
            Some(guard) => guard.asked().try_for_each(|one_of| (self.ask)(one_of)),
            None => Ok(()),
        }
    }

    /// The arguments of a field; those that depend on variables are computed once in a request.
    pub(super) fn arguments(&mut self, field: &'p FieldPlan) -> Result<Given<'p>, FieldError> {
        let number = match &field.arguments {
            Arguments::Static(Ok(planned)) => return Ok(Given::Planned(planned)),
            Arguments::Static(Err(message)) => return Err(bad_input(message)),
            Arguments::Dynamic(number) => *number as usize,
        };
        let scope = self.scope;
        let compute = || field.arguments_for(scope).map(Arc::new).map_err(Arc::from);
        if self.computed.len() <= number {
            self.computed.resize(number + 1, None);
        }
        let computed: Computed = match self.computed.get_mut(number) {
            Some(place) => place.get_or_insert_with(compute).clone(),
            None => compute(),
        };
        match computed {
            Ok(map) => Ok(Given::Computed(map)),
            Err(message) => Err(bad_input(&message)),
        }
    }

    pub(super) fn call<'a>(&self, field: &'p FieldPlan, given: &'a Given<'p>) -> Call<'a, C>
    where
        'p: 'a,
    {
        Call {
            context: self.context,
            field,
            arguments: given.get(),
            scope: self.scope,
        }
    }

    /// Writes the key of a member of an object whose brace is written already.
    pub(super) fn key(&mut self, field: &FieldPlan) {
        if self.buffer.last() != Some(&b'{') {
            self.buffer.push(b',');
        }
        self.buffer.extend_from_slice(&field.key_json);
    }

    /// Writes the value of a field, or null for its error if null is allowed.
    pub(super) fn field_value(
        &mut self,
        field: &'p FieldPlan,
        result: Result<Node<'_, C>, FieldError>,
    ) -> Result<(), Halt> {
        self.path.push(Segment::Field(field));
        let node = result.unwrap_or_else(Node::failed);
        let written = self.value(node, &field.output, field, &mut None);
        self.path.pop();
        self.check_size()?;
        written
    }

    fn object(&mut self, object: &dyn Object<C>, plan: &'p TypePlan) -> Result<(), Halt> {
        self.buffer.push(b'{');
        self.steps += plan.fields().len() as u64;
        for field in plan.fields() {
            self.key(field);
            if field.role == Role::TypeName {
                write::text(&mut self.buffer, plan.type_name());
                continue;
            }
            let given = self.arguments(field);
            let start = self.buffer.len();
            let (noted, left_out) = (self.failures.len(), self.left_out);
            let result = match (self.may_resolve(field), &given) {
                (Ok(()), Ok(given)) => object.field(&self.call(field, given)),
                (Err(error), _) => Err(error),
                (Ok(()), Err(error)) => Err(error.clone()),
            };
            let written = self.field_value(field, result);
            let has_failed = self.failures.len() > noted || self.left_out > left_out;
            let instead = match (&given, written) {
                (Ok(given), Ok(()) | Err(Halt::Null)) if has_failed => {
                    object.instead(&self.call(field, given))
                }
                _ => None,
            };
            match instead {
                Some(node) => {
                    self.buffer.truncate(start);
                    self.failures.truncate(noted);
                    self.left_out = left_out;
                    self.field_value(field, Ok(node))?;
                }
                None => written?,
            }
        }
        self.buffer.push(b'}');
        Ok(())
    }

    /// `last` remembers the plan of the item before in a list.
    fn value(
        &mut self,
        node: Node<'_, C>,
        output: &'p Output,
        field: &'p FieldPlan,
        last: &mut Option<&'p TypePlan>,
    ) -> Result<(), Halt> {
        let start = self.buffer.len();
        match self.not_null(node, output, field, last) {
            Err(Halt::Null) if output.nullable => {
                self.buffer.truncate(start);
                self.buffer.extend_from_slice(b"null");
                Ok(())
            }
            written => written,
        }
    }

    fn not_null(
        &mut self,
        node: Node<'_, C>,
        output: &'p Output,
        field: &'p FieldPlan,
        last: &mut Option<&'p TypePlan>,
    ) -> Result<(), Halt> {
        match &node {
            Node::Null => return self.null(output, field),
            Node::Json(value) if value.is_null() => return self.null(output, field),
            _ => {}
        }
        match (&output.shape, node) {
            (_, Node::Failed(error)) => Err(self.fail(field, *error)),
            (Shape::List(item), node) => self.list(node, item, field, last),
            (Shape::Composite, Node::Object(handle)) => {
                let object = handle.get();
                let plan = self.plan_for(field, object.type_name(), last)?;
                self.object(object, plan)
            }
            (Shape::Composite, Node::Json(value)) => self.json_object(&value, field, last),
            (Shape::Composite, Node::Raw(bytes)) => match serde_json::from_slice(&bytes) {
                Ok(value) => self.json_object(&value, field, last),
                Err(_) => Err(self.fail(field, internal("the value is no JSON"))),
            },
            (Shape::Composite, _) => {
                let message = "a plain value stands where the contract declares an object";
                Err(self.fail(field, internal(message)))
            }
            (shape, node) => {
                let written = write::leaf(&mut self.buffer, shape, node);
                written.map_err(|message| self.fail(field, internal(message)))
            }
        }
    }

    fn null(&mut self, output: &Output, field: &'p FieldPlan) -> Result<(), Halt> {
        if output.nullable {
            return Err(Halt::Null);
        }
        let message = format!("`{}` must not be null and is", field.name());
        Err(self.fail(field, internal(message)))
    }

    fn list(
        &mut self,
        node: Node<'_, C>,
        item: &'p Output,
        field: &'p FieldPlan,
        last: &mut Option<&'p TypePlan>,
    ) -> Result<(), Halt> {
        match node {
            Node::List(items) => self.items(items.into_iter(), item, field, last),
            Node::Lazy(items) => self.items(items, item, field, last),
            Node::Rows(items) => self.rows(items, item, field, last),
            Node::Json(value) => match value.as_ref() {
                Value::Array(items) => {
                    self.items(items.iter().map(Node::json_ref), item, field, last)
                }
                single => self.items(std::iter::once(Node::json_ref(single)), item, field, last),
            },
            Node::Raw(bytes) => match serde_json::from_slice(&bytes) {
                Ok(value) => self.list(Node::json(value), item, field, last),
                Err(_) => Err(self.fail(field, internal("the value is no JSON"))),
            },
            single => self.items(std::iter::once(single), item, field, last),
        }
    }

    fn items<'n>(
        &mut self,
        items: impl Iterator<Item = Node<'n, C>>,
        item: &'p Output,
        field: &'p FieldPlan,
        last: &mut Option<&'p TypePlan>,
    ) -> Result<(), Halt>
    where
        C: 'n,
    {
        self.buffer.push(b'[');
        for (index, node) in items.enumerate() {
            self.steps += 1;
            if index > 0 {
                self.buffer.push(b',');
            }
            self.path.push(Segment::Index(index));
            let written = self.value(node, item, field, last);
            self.path.pop();
            written?;
            self.check_size()?;
        }
        self.buffer.push(b']');
        Ok(())
    }

    /// Items that stand for themselves: what fails is left out.
    fn rows(
        &mut self,
        rows: Vec<Node<'_, C>>,
        item: &'p Output,
        field: &'p FieldPlan,
        last: &mut Option<&'p TypePlan>,
    ) -> Result<(), Halt> {
        self.buffer.push(b'[');
        for (index, node) in rows.into_iter().enumerate() {
            self.steps += 1;
            let start = self.buffer.len();
            if self.buffer.last() != Some(&b'[') {
                self.buffer.push(b',');
            }
            self.path.push(Segment::Index(index));
            let written = self.not_null(node, item, field, last);
            self.path.pop();
            match written {
                Err(Halt::Null) => self.buffer.truncate(start),
                written => written?,
            }
            self.check_size()?;
        }
        self.buffer.push(b']');
        Ok(())
    }

    fn json_object(
        &mut self,
        value: &Value,
        field: &'p FieldPlan,
        last: &mut Option<&'p TypePlan>,
    ) -> Result<(), Halt> {
        let Value::Object(members) = value else {
            let message = "a plain value stands where the contract declares an object";
            return Err(self.fail(field, internal(message)));
        };
        let named = || members.get("__typename").and_then(Value::as_str);
        let type_name = field.object_type().or_else(named).unwrap_or_default();
        let plan = self.plan_for(field, type_name, last)?;
        self.object(&JsonObject::borrowed(type_name, members), plan)
    }

    fn plan_for(
        &mut self,
        field: &'p FieldPlan,
        type_name: &str,
        last: &mut Option<&'p TypePlan>,
    ) -> Result<&'p TypePlan, Halt> {
        if let Some(plan) = *last
            && plan.type_name() == type_name
        {
            return Ok(plan);
        }
        let Some(plan) = field.child(self.scope, type_name) else {
            let message = format!(
                "an object of type `{type_name}` stands where the contract declares `{}`",
                field.declared_type()
            );
            return Err(self.fail(field, internal(message)));
        };
        *last = Some(plan);
        Ok(plan)
    }

    /// Notes an error at the present place.
    fn fail(&mut self, field: &FieldPlan, error: FieldError) -> Halt {
        if self.failures.len() + 1 >= FIELD_ERRORS_MAX {
            self.left_out += 1;
            return Halt::Null;
        }
        let path = self.path.iter().map(|segment| match segment {
            Segment::Field(field) => Step::Key(field.response_key().to_owned()),
            Segment::Index(index) => Step::Index(*index),
        });
        self.failures.push(Failure {
            error,
            location: self
                .prepared
                .line_column(field.source().and_then(apollo_compiler::Node::location)),
            path: path.collect(),
        });
        Halt::Null
    }

    fn check_size(&mut self) -> Result<(), Halt> {
        if self.buffer.len() > self.budget.bytes || self.steps > self.budget.steps {
            return Err(Halt::Full);
        }
        let capacity = self.buffer.capacity();
        if capacity > self.held || self.steps >= self.next_look {
            self.next_look = self.steps + STEPS_BETWEEN_LOOKS;
            let more = capacity.saturating_sub(self.held);
            if let Err(error) = (self.hold)(more as u64) {
                self.ended = Some(error);
                return Err(Halt::Ended);
            }
            self.held = capacity.max(self.held);
        }
        Ok(())
    }
}

impl Given<'_> {
    pub(super) fn get(&self) -> &JsonMap {
        match self {
            Self::Planned(planned) => planned,
            Self::Computed(computed) => computed,
        }
    }
}

fn bad_input(message: &str) -> FieldError {
    FieldError::new("BAD_USER_INPUT", message)
}

fn internal(message: impl Into<String>) -> FieldError {
    FieldError::new("INTERNAL_SERVER_ERROR", message)
}
