// SPDX-License-Identifier: Apache-2.0
//! Which variable may stand where: the specification's rule for all arguments and for every value
//! nested in them, with two additions: a position of a custom scalar takes any variable, and an
//! `Int` variable fits a `Float`.
//!
//! The compiler checks whole arguments only, and by a stricter rule than the clients of the
//! dialects keep, so its verdict on variables is dropped in favour of this one.

use apollo_compiler::ast::{Argument, InputValueDefinition, Type, Value, VariableDefinition};
use apollo_compiler::executable::{DirectiveList, Operation, Selection, SelectionSet};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{ExecutableDocument, Name, Node, Schema};
use std::collections::HashSet;

/// A variable that may not stand where it stands.
pub(super) struct Misplaced {
    pub(super) message: String,
    pub(super) location: Option<SourceSpan>,
}

struct Check<'d> {
    schema: &'d Schema,
    document: &'d ExecutableDocument,
    variables: &'d [Node<VariableDefinition>],
    visited: HashSet<&'d Name>,
    found: Vec<Misplaced>,
}

/// Checks all operations of a document that is valid apart from the positions of its variables.
pub(super) fn check(schema: &Schema, document: &ExecutableDocument) -> Vec<Misplaced> {
    let mut found = Vec::new();
    for operation in document.operations.iter() {
        found.append(&mut check_operation(schema, document, operation));
    }
    found
}

fn check_operation(
    schema: &Schema,
    document: &ExecutableDocument,
    operation: &Operation,
) -> Vec<Misplaced> {
    let mut check = Check {
        schema,
        document,
        variables: &operation.variables,
        visited: HashSet::new(),
        found: Vec::new(),
    };
    check.directives(&operation.directives);
    check.selections(&operation.selection_set);
    check.found
}

impl<'d> Check<'d> {
    fn selections(&mut self, set: &'d SelectionSet) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    self.arguments(&field.arguments, &field.definition.arguments);
                    self.directives(&field.directives);
                    self.selections(&field.selection_set);
                }
                Selection::InlineFragment(inline) => {
                    self.directives(&inline.directives);
                    self.selections(&inline.selection_set);
                }
                Selection::FragmentSpread(spread) => {
                    self.directives(&spread.directives);
                    if self.visited.insert(&spread.fragment_name)
                        && let Some(fragment) = self.document.fragments.get(&spread.fragment_name)
                    {
                        self.directives(&fragment.directives);
                        self.selections(&fragment.selection_set);
                    }
                }
            }
        }
    }

    fn directives(&mut self, directives: &'d DirectiveList) {
        for directive in &directives.0 {
            if let Some(definition) = self.schema.directive_definitions.get(&directive.name) {
                self.arguments(&directive.arguments, &definition.arguments);
            }
        }
    }

    fn arguments(
        &mut self,
        arguments: &'d [Node<Argument>],
        definitions: &'d [Node<InputValueDefinition>],
    ) {
        for argument in arguments {
            let definition = definitions.iter().find(|known| known.name == argument.name);
            if let Some(definition) = definition {
                let has_default = definition.default_value.is_some();
                self.value(&argument.value, &definition.ty, has_default);
            }
        }
    }

    fn value(&mut self, value: &'d Node<Value>, expected: &'d Type, has_default: bool) {
        match value.as_ref() {
            Value::Variable(name) => self.variable(name, value, expected, has_default),
            Value::List(items) => {
                if let Type::List(item) | Type::NonNullList(item) = expected {
                    for each in items {
                        self.value(each, item, false);
                    }
                }
            }
            Value::Object(members) => {
                let name = expected.inner_named_type();
                if let Some(ExtendedType::InputObject(input)) = self.schema.types.get(name) {
                    for (member, each) in members {
                        if let Some(field) = input.fields.get(member) {
                            self.value(each, &field.ty, field.default_value.is_some());
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn variable(&mut self, name: &Name, value: &Node<Value>, expected: &Type, has_default: bool) {
        let Some(variable) = self.variables.iter().find(|known| known.name == *name) else {
            return;
        };
        let default = variable.default_value.as_ref();
        let never_null = variable.ty.is_non_null()
            || has_default
            || default.is_some_and(|default| !default.is_null());
        let fits = (never_null || !expected.is_non_null()) && self.fits(&variable.ty, expected);
        if !fits {
            self.found.push(Misplaced {
                message: format!(
                    "variable `${name}` of type `{}` cannot be used where `{expected}` is expected",
                    variable.ty
                ),
                location: value.location(),
            });
        }
    }

    /// Does a variable fit apart from the outermost nullability?
    fn fits(&self, variable: &Type, expected: &Type) -> bool {
        match expected {
            Type::Named(name) | Type::NonNullNamed(name) => {
                if self.is_custom_scalar(name) {
                    return true;
                }
                let (Type::Named(given) | Type::NonNullNamed(given)) = variable else {
                    return false;
                };
                given == name || (given == "Int" && name == "Float")
            }
            Type::List(wanted) | Type::NonNullList(wanted) => {
                let (Type::List(given) | Type::NonNullList(given)) = variable else {
                    return false;
                };
                (given.is_non_null() || !wanted.is_non_null()) && self.fits(given, wanted)
            }
        }
    }

    fn is_custom_scalar(&self, name: &str) -> bool {
        match self.schema.types.get(name) {
            Some(ExtendedType::Scalar(scalar)) => !scalar.is_built_in(),
            _ => false,
        }
    }
}
