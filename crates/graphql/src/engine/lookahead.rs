// SPDX-License-Identifier: Apache-2.0
//! Looking ahead: what is selected below a field, before its value is made.

use std::fmt;

use super::node::{FieldError, JsonMap};
use super::plan::{FieldPlan, Scope};

/// A look at what is selected below a field, to fetch only that or to fetch it in one go.
#[derive(Clone, Copy)]
pub struct Lookahead<'a> {
    scope: Scope<'a>,
    field: &'a FieldPlan,
}

impl<'a> Lookahead<'a> {
    pub(super) fn new(scope: Scope<'a>, field: &'a FieldPlan) -> Self {
        Self { scope, field }
    }

    /// The field itself.
    pub fn field(&self) -> &'a FieldPlan {
        self.field
    }

    /// The arguments of the field.
    pub fn arguments(&self) -> Result<JsonMap, FieldError> {
        let arguments = self.field.arguments_for(self.scope);
        arguments.map_err(|message| FieldError::new("BAD_USER_INPUT", message))
    }

    /// The fields to write for objects of this type; none where the type cannot occur.
    pub fn fields_of(&self, type_name: &str) -> &'a [FieldPlan] {
        let plan = self.field.child(self.scope, type_name);
        plan.map_or(&[], |plan| plan.fields())
    }

    /// A look at the first selection of `name` below, where the declared type is an object type.
    pub fn child(&self, name: &str) -> Option<Self> {
        self.child_of(self.field.object_type()?, name)
    }

    /// A look at the first selection of `name` below for objects of this type.
    pub fn child_of(&self, type_name: &str, name: &str) -> Option<Self> {
        let mut fields = self.fields_of(type_name).iter();
        let field = fields.find(|field| field.name() == name)?;
        Some(Self::new(self.scope, field))
    }

    /// Is this path of names selected below, through object types and under whatever aliases?
    pub fn selects(&self, path: &[&str]) -> bool {
        let Some((name, rest)) = path.split_first() else {
            return true;
        };
        let Some(object) = self.field.object_type() else {
            return false;
        };
        let mut fields = self.fields_of(object).iter();
        fields.any(|field| field.name() == *name && Self::new(self.scope, field).selects(rest))
    }
}

impl fmt::Debug for Lookahead<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Lookahead({:?})", self.field)
    }
}
