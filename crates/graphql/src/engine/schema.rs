// SPDX-License-Identifier: Apache-2.0
//! A contract, parsed and validated once.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use apollo_compiler::ast::{Document, OperationType};
use apollo_compiler::collections::HashMap as ApolloMap;
use apollo_compiler::schema::{ExtendedType, Implementers};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Schema as Compiled};
use durward_model::ErrorKind;
use thiserror::Error;

use super::dialect::OperationKind;
use super::guard::{self, Guard, Guards};

/// A contract that cannot be used.
#[derive(Debug, Error)]
#[error("the contract {file} is not valid: {reason}")]
pub struct SchemaError {
    /// The name of the contract.
    pub file: String,
    /// What the compiler says of it.
    pub reason: String,
}

impl SchemaError {
    /// A contract is part of the program, so a wrong one is a defect.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Internal
    }
}

/// A contract, ready for validation and planning.
pub struct Schema {
    compiled: Valid<Compiled>,
    implementers: ApolloMap<Name, Implementers>,
    /// For each interface and union: the object types that it can be, in order of name.
    possible: HashMap<Name, Arc<[Name]>>,
    guards: Guards,
}

impl Schema {
    /// Reads SDL; `file` names it in errors.
    pub fn parse(sdl: &str, file: &str) -> Result<Self, SchemaError> {
        let refused = |reason: String| SchemaError {
            file: file.to_owned(),
            reason,
        };
        let compiled = Compiled::parse_and_validate(sdl, file)
            .map_err(|failed| refused(failed.errors.to_string()))?;
        let guards = guard::read(&compiled);
        let guards = guards.map_err(|wrong| refused(wrong.told(&compiled.sources)))?;
        let mut compiled = compiled.into_inner();
        guard::strip(&mut compiled);
        // Without a directive that nothing else mentions it is as valid as it was.
        let compiled = Valid::assume_valid(compiled);
        let implementers = compiled.implementers_map();
        let possible = possible_types(&compiled, &implementers);
        Ok(Self {
            compiled,
            implementers,
            possible,
            guards,
        })
    }

    /// The text of a contract as clients see it: without what its fields ask of their callers.
    pub fn public_text(sdl: &str, file: &str) -> Result<String, SchemaError> {
        let document = Document::parse(sdl, file).map_err(|failed| SchemaError {
            file: file.to_owned(),
            reason: failed.errors.to_string(),
        })?;
        Ok(guard::public_text(sdl, &document))
    }

    /// What a root field asks of its caller.
    pub fn root_guard(&self, kind: OperationKind, field: &str) -> Option<&Guard> {
        let root = self.compiled.root_operation(kind.to_apollo())?;
        self.guards_of(root)?.get(field)
    }

    pub(super) fn guards_of(&self, type_name: &Name) -> Option<&HashMap<Name, Guard>> {
        self.guards.get(type_name)
    }

    /// The names of the root fields, in the order of the contract.
    pub fn root_fields(&self, kind: OperationKind) -> Vec<&str> {
        let root = self.compiled.root_operation(kind.to_apollo());
        let object = root.and_then(|name| self.compiled.get_object(name));
        object.map_or_else(Vec::new, |object| {
            object.fields.keys().map(Name::as_str).collect()
        })
    }

    /// Does a root operation type have this field?
    pub fn has_root_field(&self, kind: OperationKind, field: &str) -> bool {
        let root = self.compiled.root_operation(kind.to_apollo());
        let object = root.and_then(|name| self.compiled.get_object(name));
        object.is_some_and(|object| object.fields.contains_key(field))
    }

    /// Is this the name of an object type that implements or belongs to `abstract_type`?
    pub fn is_subtype(&self, abstract_type: &str, type_name: &str) -> bool {
        self.compiled.is_subtype(abstract_type, type_name)
    }

    /// The object types that an interface or union can be, in order of name.
    pub fn possible_types(&self, abstract_type: &str) -> Vec<&str> {
        let types = self.possible.get(abstract_type);
        types.map_or_else(Vec::new, |types| types.iter().map(Name::as_str).collect())
    }

    /// The values of an enum, in the order of the contract.
    pub fn enum_values(&self, name: &str) -> Vec<&str> {
        let found = self.compiled.get_enum(name);
        found.map_or_else(Vec::new, |all| {
            all.values.keys().map(Name::as_str).collect()
        })
    }

    /// Is this the name of an object type?
    pub fn is_object(&self, type_name: &str) -> bool {
        self.compiled.get_object(type_name).is_some()
    }

    /// The fields of an object or interface type with their declared types as text.
    pub fn fields_of(&self, type_name: &str) -> Vec<(&str, String)> {
        let fields = match self.compiled.types.get(type_name) {
            Some(ExtendedType::Object(object)) => &object.fields,
            Some(ExtendedType::Interface(interface)) => &interface.fields,
            _ => return Vec::new(),
        };
        fields
            .iter()
            .map(|(name, field)| (name.as_str(), field.ty.to_string()))
            .collect()
    }

    pub(super) fn compiled(&self) -> &Valid<Compiled> {
        &self.compiled
    }

    pub(super) fn implementers(&self) -> &ApolloMap<Name, Implementers> {
        &self.implementers
    }

    pub(super) fn possible(&self, abstract_type: &str) -> Option<&Arc<[Name]>> {
        self.possible.get(abstract_type)
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Schema")
            .field("types", &self.compiled.types.len())
            .finish_non_exhaustive()
    }
}

impl OperationKind {
    pub(super) fn to_apollo(self) -> OperationType {
        match self {
            Self::Query => OperationType::Query,
            Self::Mutation => OperationType::Mutation,
        }
    }
}

fn possible_types(
    compiled: &Compiled,
    implementers: &ApolloMap<Name, Implementers>,
) -> HashMap<Name, Arc<[Name]>> {
    let mut possible = HashMap::new();
    for (name, definition) in &compiled.types {
        let mut types: Vec<Name> = match definition {
            ExtendedType::Interface(_) => implementers
                .get(name)
                .map(|all| all.objects.iter().cloned().collect())
                .unwrap_or_default(),
            ExtendedType::Union(union) => union
                .members
                .iter()
                .map(|member| member.name.clone())
                .collect(),
            _ => continue,
        };
        types.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
        possible.insert(name.clone(), types.into());
    }
    possible
}
