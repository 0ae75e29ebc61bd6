// SPDX-License-Identifier: Apache-2.0
//! A document that was parsed, measured and validated once, with the plans made for it so far.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use apollo_compiler::ast::Document;
use apollo_compiler::diagnostic::Diagnostic;
use apollo_compiler::executable::{DirectiveList, Operation, Selection, SelectionSet};
use apollo_compiler::parser::{LineColumn, Parser, SourceSpan};
use apollo_compiler::validation::{DiagnosticData, DiagnosticList, Valid};
use apollo_compiler::{ExecutableDocument, Name, Node};
use parking_lot::Mutex;
use serde_json::Value;

use super::dialect::{OperationKind, Refusal};
use super::limits::{
    DIAGNOSTICS_MAX, DOCUMENT_BYTES_MAX, PARSER_RECURSION_MAX, PLANS_PER_OPERATION_MAX, TOKENS_MAX,
};
use super::node::JsonMap;
use super::plan::OperationPlan;
use super::position;
use super::schema::Schema;
use super::walk;

/// One reason why a document was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) location: Option<LineColumn>,
}

/// A document that was refused.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub(super) refusal: Refusal,
    pub(super) problems: Vec<Problem>,
}

impl Refused {
    pub(super) fn one(refusal: Refusal, message: impl Into<String>) -> Self {
        Self {
            refusal,
            problems: vec![Problem {
                message: message.into(),
                location: None,
            }],
        }
    }
}

/// A document ready to run.
pub(super) struct Prepared {
    document: Valid<ExecutableDocument>,
    operations: Vec<PreparedOperation>,
}

/// One operation of it.
pub(super) struct PreparedOperation {
    pub(super) operation: Node<Operation>,
    pub(super) kind: OperationKind,
    /// The variables that decide `@skip` and `@include` anywhere in the operation.
    conditions: Vec<Name>,
    plans: Mutex<Vec<Arc<OperationPlan>>>,
}

impl fmt::Debug for Prepared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Prepared")
            .field("operations", &self.operations.len())
            .finish_non_exhaustive()
    }
}

/// Parses text within the limits.
pub(super) fn parse(text: &str) -> Result<Document, Refused> {
    if text.len() > DOCUMENT_BYTES_MAX {
        let message = format!("the document is longer than {DOCUMENT_BYTES_MAX} bytes");
        return Err(Refused::one(Refusal::Limit, message));
    }
    let parsed = Parser::new()
        .token_limit(TOKENS_MAX)
        .recursion_limit(PARSER_RECURSION_MAX)
        .parse_ast(text, "request");
    parsed.map_err(|failed| {
        let is_limit = failed
            .errors
            .iter()
            .any(|each| each.error.unstable_error_name().is_none() && is_limit(&each));
        Refused {
            refusal: if is_limit {
                Refusal::Limit
            } else {
                Refusal::Syntax
            },
            problems: problems_of(&failed.errors, |_| true),
        }
    })
}

/// The parser tells its limits from syntax errors by the text alone.
fn is_limit(diagnostic: &Diagnostic<'_, DiagnosticData>) -> bool {
    !diagnostic.error.to_string().starts_with("syntax error")
}

impl Prepared {
    /// Parses, measures and validates.
    pub(super) fn new(schema: &Schema, text: &str) -> Result<Self, Refused> {
        let ast = parse(text)?;
        walk::measure(&ast).map_err(|message| Refused::one(Refusal::Limit, message))?;
        let invalid = |problems| Refused {
            refusal: Refusal::Validation,
            problems,
        };
        let bound = ast
            .to_executable(schema.compiled())
            .map_err(|failed| invalid(problems_of(&failed.errors, |_| true)))?;
        if bound.operations.is_empty() {
            return Err(Refused::one(
                Refusal::Validation,
                "the document has no operation",
            ));
        }
        let document = match bound.validate(schema.compiled()) {
            Ok(valid) => valid,
            Err(failed) => {
                let problems = problems_of(&failed.errors, |each| !is_position(each, text));
                if !problems.is_empty() {
                    return Err(invalid(problems));
                }
                Valid::assume_valid(failed.partial)
            }
        };
        let misplaced = position::check(schema.compiled(), &document);
        if !misplaced.is_empty() {
            let problems = misplaced
                .into_iter()
                .take(DIAGNOSTICS_MAX)
                .map(|each| Problem {
                    message: each.message,
                    location: line_column(&document, each.location),
                });
            return Err(invalid(problems.collect()));
        }
        let operations = document.operations.iter();
        let operations = operations
            .filter_map(|operation| PreparedOperation::new(&document, operation))
            .collect();
        Ok(Self {
            document,
            operations,
        })
    }

    pub(super) fn document(&self) -> &Valid<ExecutableDocument> {
        &self.document
    }

    /// The operation of this name; without a name, the only one.
    pub(super) fn operation(&self, name: Option<&str>) -> Result<&PreparedOperation, Refused> {
        let Some(name) = name else {
            return match self.operations.as_slice() {
                [only] => Ok(only),
                _ => Err(Refused::one(
                    Refusal::Operation,
                    "the document has several operations: `operationName` must say which to run",
                )),
            };
        };
        let named = |each: &&PreparedOperation| {
            each.operation
                .name
                .as_ref()
                .is_some_and(|known| known == name)
        };
        self.operations.iter().find(named).ok_or_else(|| {
            let message = format!("the document has no operation named `{name}`");
            Refused::one(Refusal::Operation, message)
        })
    }

    /// The line and column of a place in the document.
    pub(super) fn line_column(&self, span: Option<SourceSpan>) -> Option<LineColumn> {
        line_column(&self.document, span)
    }
}

impl PreparedOperation {
    fn new(document: &ExecutableDocument, operation: &Node<Operation>) -> Option<Self> {
        let kind = if operation.is_query() {
            OperationKind::Query
        } else if operation.is_mutation() {
            OperationKind::Mutation
        } else {
            return None;
        };
        let mut conditions = Conditions::default();
        conditions.selections(document, &operation.selection_set);
        Some(Self {
            operation: operation.clone(),
            kind,
            conditions: conditions.found,
            plans: Mutex::new(Vec::new()),
        })
    }

    /// The plan for these variables. The error is a sentence for the client.
    pub(super) fn plan(
        &self,
        schema: &Schema,
        document: &ExecutableDocument,
        variables: &JsonMap,
    ) -> Result<Arc<OperationPlan>, String> {
        let mut outcome = Vec::with_capacity(self.conditions.len());
        for name in &self.conditions {
            match variables.get(name.as_str()) {
                Some(Value::Bool(value)) => outcome.push((name.clone(), *value)),
                _ => return Err(format!("variable `${name}` must be a boolean, not null")),
            }
        }
        if let Some(plan) = find(&self.plans.lock(), &outcome) {
            return Ok(plan);
        }
        let plan = Arc::new(OperationPlan::new(
            schema,
            document,
            &self.operation,
            outcome,
        ));
        let mut plans = self.plans.lock();
        if let Some(other) = find(&plans, plan.conditions()) {
            return Ok(other);
        }
        if plans.len() < PLANS_PER_OPERATION_MAX {
            plans.push(Arc::clone(&plan));
        }
        Ok(plan)
    }
}

fn find(plans: &[Arc<OperationPlan>], outcome: &[(Name, bool)]) -> Option<Arc<OperationPlan>> {
    plans
        .iter()
        .find(|plan| plan.conditions() == outcome)
        .cloned()
}

#[derive(Default)]
struct Conditions {
    found: Vec<Name>,
    visited: HashSet<Name>,
}

impl Conditions {
    fn selections(&mut self, document: &ExecutableDocument, set: &SelectionSet) {
        for selection in &set.selections {
            self.directives(selection.directives());
            match selection {
                Selection::Field(field) => self.selections(document, &field.selection_set),
                Selection::InlineFragment(inline) => {
                    self.selections(document, &inline.selection_set);
                }
                Selection::FragmentSpread(spread) => {
                    if self.visited.insert(spread.fragment_name.clone())
                        && let Some(fragment) = document.fragments.get(&spread.fragment_name)
                    {
                        self.selections(document, &fragment.selection_set);
                    }
                }
            }
        }
    }

    fn directives(&mut self, directives: &DirectiveList) {
        for directive in &directives.0 {
            if !matches!(directive.name.as_str(), "skip" | "include") {
                continue;
            }
            let condition = directive.specified_argument_by_name("if");
            if let Some(name) = condition.and_then(|value| value.as_variable())
                && !self.found.contains(name)
            {
                self.found.push(name.clone());
            }
        }
    }
}

/// Is this one of the compiler's verdicts that [`position`] replaces?
fn is_position(diagnostic: &Diagnostic<'_, DiagnosticData>, text: &str) -> bool {
    match diagnostic.error.unstable_error_name() {
        Some("DisallowedVariableUsage") => true,
        Some("UnsupportedValueType") => {
            let span = apollo_compiler::diagnostic::ToCliReport::location(diagnostic.error);
            let first = span.and_then(|span| text.as_bytes().get(span.offset()));
            first == Some(&b'$')
        }
        _ => false,
    }
}

fn problems_of(
    errors: &DiagnosticList,
    keep: impl Fn(&Diagnostic<'_, DiagnosticData>) -> bool,
) -> Vec<Problem> {
    let kept = errors.iter().filter(keep).take(DIAGNOSTICS_MAX);
    kept.map(|each| Problem {
        message: shortened(each.error.to_string()),
        location: each.line_column_range().map(|range| range.start),
    })
    .collect()
}

/// Diagnostics quote the document, which may be long.
fn shortened(mut message: String) -> String {
    const MESSAGE_BYTES_MAX: usize = 1_000;
    if message.len() > MESSAGE_BYTES_MAX {
        let end = message.floor_char_boundary(MESSAGE_BYTES_MAX);
        message.truncate(end);
        message.push('…');
    }
    message
}

fn line_column(document: &ExecutableDocument, span: Option<SourceSpan>) -> Option<LineColumn> {
    span.and_then(|span| span.line_column(&document.sources))
}
