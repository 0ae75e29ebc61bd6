// SPDX-License-Identifier: Apache-2.0
//! How large the answer to an introspection becomes, found out before it is made: a few bytes of
//! document (`types { fields { a: name b: name … } }`) ask for hundreds of megabytes.

use apollo_compiler::Name;
use apollo_compiler::ast::{DirectiveDefinition, FieldDefinition, InputValueDefinition, Value};
use apollo_compiler::executable::{Field, Operation, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;

use super::super::document::Prepared;
use super::super::node::JsonMap;
use super::super::schema::Schema;

/// An introspection that asks for more than is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany;

/// Members that the answer will have, with those of objects inside; at most `max`. Fields that
/// merge count each time.
pub(super) fn members(
    schema: &Schema,
    prepared: &Prepared,
    operation: &Operation,
    variables: &JsonMap,
    max: u64,
) -> Result<u64, TooMany> {
    let mut counter = Counter {
        schema,
        prepared,
        variables,
        left: max,
    };
    counter.selections(&operation.selection_set, Place::Root)?;
    Ok(max - counter.left)
}

/// What a selection set is about.
#[derive(Clone, Copy)]
enum Place<'s> {
    Root,
    Schema,
    Type(&'s ExtendedType),
    Field(&'s FieldDefinition),
    Input(&'s InputValueDefinition),
    Directive(&'s DirectiveDefinition),
    Value,
}

struct Counter<'s> {
    schema: &'s Schema,
    prepared: &'s Prepared,
    variables: &'s JsonMap,
    left: u64,
}

impl<'s> Counter<'s> {
    fn selections(&mut self, set: &SelectionSet, place: Place<'s>) -> Result<(), TooMany> {
        for selection in &set.selections {
            self.left = self.left.checked_sub(1).ok_or(TooMany)?;
            match selection {
                Selection::Field(field) => self.field(field, place)?,
                Selection::InlineFragment(inline) => {
                    self.selections(&inline.selection_set, place)?;
                }
                Selection::FragmentSpread(spread) => {
                    let fragments = &self.prepared.document().fragments;
                    if let Some(fragment) = fragments.get(&spread.fragment_name) {
                        self.selections(&fragment.selection_set, place)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn field(&mut self, field: &Field, place: Place<'s>) -> Result<(), TooMany> {
        let set = &field.selection_set;
        let compiled = self.schema.compiled();
        match (place, field.name.as_str()) {
            (Place::Root, "__schema") => self.selections(set, Place::Schema),
            (Place::Root, "__type") => self.types(set, self.named(field).as_slice()),
            (Place::Schema, "types") => {
                let types = compiled.types.values();
                self.each(set, types.map(Place::Type))
            }
            (Place::Schema, "directives") => {
                let directives = compiled.directive_definitions.values();
                self.each(set, directives.map(|one| Place::Directive(one)))
            }
            (Place::Schema, "queryType" | "mutationType" | "subscriptionType") => {
                let definition = &compiled.schema_definition;
                let root = match field.name.as_str() {
                    "queryType" => &definition.query,
                    "mutationType" => &definition.mutation,
                    _ => &definition.subscription,
                };
                let root = root.as_ref().map(|root| root.name.clone());
                self.types(set, root.as_slice())
            }
            (Place::Type(kind), list) => self.of_type(set, kind, list),
            (Place::Field(definition), "args") => {
                let arguments = definition.arguments.iter();
                self.each(set, arguments.map(|one| Place::Input(one)))
            }
            (Place::Directive(definition), "args") => {
                let arguments = definition.arguments.iter();
                self.each(set, arguments.map(|one| Place::Input(one)))
            }
            (Place::Field(definition), "type") => {
                self.types(set, std::slice::from_ref(definition.ty.inner_named_type()))
            }
            (Place::Input(definition), "type") => {
                self.types(set, std::slice::from_ref(definition.ty.inner_named_type()))
            }
            _ => Ok(()),
        }
    }

    fn of_type(
        &mut self,
        set: &SelectionSet,
        kind: &'s ExtendedType,
        list: &str,
    ) -> Result<(), TooMany> {
        match (list, kind) {
            ("fields", ExtendedType::Object(definition)) => {
                let fields = definition.fields.values();
                self.each(set, fields.map(|one| Place::Field(one)))
            }
            ("fields", ExtendedType::Interface(definition)) => {
                let fields = definition.fields.values();
                self.each(set, fields.map(|one| Place::Field(one)))
            }
            ("inputFields", ExtendedType::InputObject(definition)) => {
                let fields = definition.fields.values();
                self.each(set, fields.map(|one| Place::Input(one)))
            }
            ("enumValues", ExtendedType::Enum(definition)) => {
                self.each(set, definition.values.iter().map(|_| Place::Value))
            }
            ("interfaces", ExtendedType::Object(definition)) => {
                let names = definition.implements_interfaces.iter();
                self.types(set, &names.map(|one| one.name.clone()).collect::<Vec<_>>())
            }
            ("interfaces", ExtendedType::Interface(definition)) => {
                let names = definition.implements_interfaces.iter();
                self.types(set, &names.map(|one| one.name.clone()).collect::<Vec<_>>())
            }
            ("possibleTypes", _) => {
                let possible = self.schema.possible(kind.name());
                self.types(set, possible.map_or(&[], |possible| &**possible))
            }
            // What is inside of a list, or may not be null.
            ("ofType", _) => self.selections(set, Place::Type(kind)),
            _ => Ok(()),
        }
    }

    fn each(
        &mut self,
        set: &SelectionSet,
        places: impl Iterator<Item = Place<'s>>,
    ) -> Result<(), TooMany> {
        for place in places {
            self.left = self.left.checked_sub(1).ok_or(TooMany)?;
            self.selections(set, place)?;
        }
        Ok(())
    }

    fn types(&mut self, set: &SelectionSet, names: &[Name]) -> Result<(), TooMany> {
        let types = &self.schema.compiled().types;
        let found = names.iter().filter_map(|name| types.get(name));
        self.each(set, found.map(Place::Type))
    }

    /// The type that `__type(name:)` asks for.
    fn named(&self, field: &Field) -> Option<Name> {
        let name = match &**field.specified_argument_by_name("name")? {
            Value::String(name) => name.as_str(),
            Value::Variable(variable) => self.variables.get(variable.as_str())?.as_str()?,
            _ => return None,
        };
        Name::new(name).ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use serde_json::{Value as Json, json};

    use super::super::answers;
    use super::*;

    const OPENCTI: &str = include_str!("../../../../../contracts/graphql/opencti.graphql");

    /// What is counted, and the members that there really are.
    fn counted(text: &str) -> (u64, u64) {
        let schema = Schema::parse(OPENCTI, "opencti.graphql").unwrap();
        let prepared = Prepared::new(&schema, text).unwrap();
        let operation = &prepared.operation(None).unwrap().operation;
        let variables = JsonMap::from_iter([("name".to_owned(), json!("Malware"))]);
        let count = members(&schema, &prepared, operation, &variables, 10_000_000).unwrap();
        assert_eq!(
            members(&schema, &prepared, operation, &variables, count - 1),
            Err(TooMany)
        );
        let made = answers(&schema, &prepared, operation, &variables, &|_| Ok(())).unwrap();
        let made = serde_json::to_value(made).unwrap();
        (count, members_of(&made))
    }

    fn members_of(value: &Json) -> u64 {
        match value {
            Json::Object(members) => {
                members.len() as u64 + members.values().map(members_of).sum::<u64>()
            }
            Json::Array(items) => items.iter().map(members_of).sum(),
            _ => 0,
        }
    }

    #[test]
    fn no_answer_has_more_than_was_counted() {
        for text in [
            include_str!("../tests/introspection.graphql"),
            "{ __schema { types { fields { a: name b: name args { name } } } } }",
            "{ __schema { types { possibleTypes { fields { type { name ofType { name } } } } } } }",
            "{ __schema { types { interfaces { name } enumValues { name } inputFields { name } } } }",
            "{ __schema { queryType { fields { ...F } } } } fragment F on __Field { name type { kind } }",
            "query($name: String!) { __type(name: $name) { name fields { name } } }",
            "{ __type(name: \"Query\") { fields { args { type { ofType { inputFields { name } } } } } } }",
            "{ __schema { directives { name args { name type { name } } } } }",
        ] {
            let (counted, made) = counted(text);
            assert!(made > 0 && counted >= made, "{text}: {counted} of {made}");
            assert!(counted <= 3 * made + 2_000, "{text}: {counted} of {made}");
        }
    }
}
