// SPDX-License-Identifier: Apache-2.0
//! Plans: for each selection set and concrete type the list of fields to write, made when first
//! needed and kept with the document.
//!
//! A plan is made for one outcome of the operation's `@skip` and `@include` conditions, so it
//! holds no conditions and each response key stands in it once.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use apollo_compiler::ast::{DirectiveList, FieldDefinition, Type};
use apollo_compiler::collections::{HashSet, IndexMap};
use apollo_compiler::executable::{Field, Operation, Selection, SelectionSet};
use apollo_compiler::schema::{EnumType, ExtendedType};
use apollo_compiler::{ExecutableDocument, Name, Node as Shared};

use super::coerce;
use super::guard::Guard;
use super::node::JsonMap;
use super::schema::Schema;

/// The plan of one operation under one outcome of its conditions.
pub(super) struct OperationPlan {
    conditions: Vec<(Name, bool)>,
    pub(super) root: TypePlan,
    counts: Counts,
}

/// How much of an operation is planned so far.
#[derive(Default)]
struct Counts {
    /// Fields whose arguments depend on variables.
    dynamic: AtomicU32,
    /// All fields.
    fields: AtomicU32,
}

/// The fields to write for one object type.
pub struct TypePlan {
    type_name: Name,
    fields: Vec<FieldPlan>,
}

/// What a field is besides an ordinary one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Ordinary,
    TypeName,
    /// `__schema` and `__type`
    Introspection,
}

/// How a value is written.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) nullable: bool,
    pub(super) shape: Shape,
}

#[derive(Debug)]
pub(super) enum Shape {
    Int,
    Float,
    Boolean,
    /// `String` and `ID`
    Text,
    Enum(Shared<EnumType>),
    Custom,
    Composite,
    List(Box<Output>),
}

pub(super) enum Arguments {
    Static(Result<JsonMap, String>),
    /// Computed once in a request and kept under this number.
    Dynamic(u32),
}

/// The plans below a field.
enum Children {
    None,
    /// The declared type is an object type.
    Object(OnceLock<Box<TypePlan>>),
    /// One place for each type that the declared one can be.
    Abstract(std::sync::Arc<[Name]>, Box<[OnceLock<Box<TypePlan>>]>),
}

/// One field to write.
pub struct FieldPlan {
    /// All selections that fall together under the response key.
    sources: Vec<Shared<Field>>,
    definition: Shared<FieldDefinition>,
    /// `"key":`
    pub(super) key_json: Box<[u8]>,
    pub(super) role: Role,
    pub(super) output: Output,
    pub(super) arguments: Arguments,
    /// What it asks of its caller.
    pub(super) guard: Option<Guard>,
    children: Children,
    symbol: AtomicU64,
}

/// What is needed to make further plans.
#[derive(Clone, Copy)]
pub(super) struct Scope<'p> {
    pub(super) schema: &'p Schema,
    pub(super) document: &'p ExecutableDocument,
    pub(super) plan: &'p OperationPlan,
    pub(super) variables: &'p JsonMap,
}

impl OperationPlan {
    pub(super) fn new(
        schema: &Schema,
        document: &ExecutableDocument,
        operation: &Operation,
        conditions: Vec<(Name, bool)>,
    ) -> Self {
        let counts = Counts::default();
        let maker = Maker {
            schema,
            document,
            conditions: &conditions,
            counts: &counts,
        };
        let root = maker.type_plan(
            operation.object_type(),
            std::iter::once(&operation.selection_set),
        );
        Self {
            conditions,
            root,
            counts,
        }
    }

    /// How many fields are planned so far.
    pub(super) fn planned(&self) -> u32 {
        self.counts.fields.load(Ordering::Relaxed)
    }

    pub(super) fn conditions(&self) -> &[(Name, bool)] {
        &self.conditions
    }
}

impl TypePlan {
    /// The object type that the plan is for.
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// The fields in the order of the answer.
    pub fn fields(&self) -> &[FieldPlan] {
        &self.fields
    }
}

impl FieldPlan {
    /// The name of the field in the contract.
    pub fn name(&self) -> &str {
        &self.definition.name
    }

    /// The key in the answer: the alias, or the name.
    pub fn response_key(&self) -> &str {
        self.source()
            .map_or("", |field| field.response_key().as_str())
    }

    /// The declared type without lists and exclamation marks.
    pub fn declared_type(&self) -> &str {
        self.definition.ty.inner_named_type()
    }

    /// Does the contract forbid null here?
    pub fn is_required(&self) -> bool {
        !self.output.nullable
    }

    /// Has the declared type no fields of its own?
    pub fn is_leaf(&self) -> bool {
        matches!(self.children, Children::None)
    }

    /// Is a list declared?
    pub fn is_list(&self) -> bool {
        self.definition.ty.is_list()
    }

    /// A number that the implementation of a field looks up by its name once and finds here again,
    /// such as the symbol of a property. `owner` says in whose numbering: plans are shared, and
    /// the number of another owner is not given out. `u32::MAX` may stand for "none".
    pub fn symbol(&self, owner: NonZeroU32, find: impl FnOnce() -> u32) -> u32 {
        let kept = self.symbol.load(Ordering::Relaxed);
        if (kept >> 32) as u32 == owner.get() {
            return kept as u32;
        }
        let found = find();
        let packed = (u64::from(owner.get()) << 32) | u64::from(found);
        self.symbol.store(packed, Ordering::Relaxed);
        found
    }

    pub(super) fn source(&self) -> Option<&Shared<Field>> {
        self.sources.first()
    }

    /// The directives of a name on the field under these variables, in order.
    pub(super) fn directives_for(
        &self,
        scope: Scope<'_>,
        name: &str,
    ) -> Result<Vec<JsonMap>, String> {
        let Some(source) = self.source() else {
            return Ok(Vec::new());
        };
        let schema = scope.schema.compiled();
        let Some(definition) = schema.directive_definitions.get(name) else {
            return Ok(Vec::new());
        };
        let asked = source.directives.0.iter();
        asked
            .filter(|directive| directive.name == name)
            .map(|directive| {
                let (known, given) = (&definition.arguments, &directive.arguments);
                coerce::arguments(schema, known, given, scope.variables)
            })
            .collect()
    }

    /// Whether the field has directives.
    pub(super) fn has_directives(&self) -> bool {
        self.source()
            .is_some_and(|source| !source.directives.0.is_empty())
    }

    /// The arguments under these variables.
    pub(super) fn arguments_for(&self, scope: Scope<'_>) -> Result<JsonMap, String> {
        let given = self
            .source()
            .map_or(&[][..], |field| field.arguments.as_slice());
        let schema = scope.schema.compiled();
        coerce::arguments(schema, &self.definition.arguments, given, scope.variables)
    }

    /// The plan of the selections below for an object of a type.
    pub(super) fn child<'p>(&'p self, scope: Scope<'p>, type_name: &str) -> Option<&'p TypePlan> {
        let make = |name: &Name| {
            let maker = Maker {
                schema: scope.schema,
                document: scope.document,
                conditions: &scope.plan.conditions,
                counts: &scope.plan.counts,
            };
            let sets = self.sources.iter().map(|field| &field.selection_set);
            Box::new(maker.type_plan(name, sets))
        };
        match &self.children {
            Children::None => None,
            Children::Object(plan) => {
                let name = self.definition.ty.inner_named_type();
                (name == type_name).then(|| &**plan.get_or_init(|| make(name)))
            }
            Children::Abstract(types, plans) => {
                let found = types
                    .binary_search_by(|name| name.as_str().cmp(type_name))
                    .ok()?;
                let (name, plan) = (types.get(found)?, plans.get(found)?);
                Some(plan.get_or_init(|| make(name)))
            }
        }
    }

    /// The declared type if it is an object type.
    pub(super) fn object_type(&self) -> Option<&str> {
        matches!(self.children, Children::Object(_)).then(|| self.declared_type())
    }
}

struct Maker<'m> {
    schema: &'m Schema,
    document: &'m ExecutableDocument,
    conditions: &'m [(Name, bool)],
    counts: &'m Counts,
}

type Groups = IndexMap<Name, Vec<Shared<Field>>>;

impl<'m> Maker<'m> {
    fn type_plan(
        &self,
        type_name: &Name,
        sets: impl Iterator<Item = &'m SelectionSet>,
    ) -> TypePlan {
        let mut groups = Groups::default();
        let mut visited = HashSet::default();
        for set in sets {
            self.collect(type_name, set, &mut groups, &mut visited);
        }
        self.counts
            .fields
            .fetch_add(groups.len() as u32, Ordering::Relaxed);
        let guards = self.schema.guards_of(type_name);
        let fields = groups.into_values().filter_map(|sources| {
            let name = &sources.first()?.name;
            let guard = guards.and_then(|guards| guards.get(name)).cloned();
            self.field(type_name, sources, guard)
        });
        TypePlan {
            type_name: type_name.clone(),
            fields: fields.collect(),
        }
    }

    fn collect(
        &self,
        type_name: &Name,
        set: &'m SelectionSet,
        groups: &mut Groups,
        visited: &mut HashSet<&'m Name>,
    ) {
        for selection in &set.selections {
            if !self.is_included(selection.directives()) {
                continue;
            }
            match selection {
                Selection::Field(field) => {
                    let group = groups.entry(field.response_key().clone());
                    group.or_default().push(field.clone());
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline.type_condition.as_ref();
                    if condition.is_none_or(|condition| self.applies(condition, type_name)) {
                        self.collect(type_name, &inline.selection_set, groups, visited);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    if visited.insert(&spread.fragment_name)
                        && let Some(fragment) = self.document.fragments.get(&spread.fragment_name)
                        && self.applies(fragment.type_condition(), type_name)
                    {
                        self.collect(type_name, &fragment.selection_set, groups, visited);
                    }
                }
            }
        }
    }

    fn applies(&self, condition: &Name, type_name: &Name) -> bool {
        condition == type_name || self.schema.is_subtype(condition, type_name)
    }

    fn is_included(&self, directives: &DirectiveList) -> bool {
        let asked = |directive: &str| -> Option<bool> {
            let condition = directives
                .get(directive)?
                .specified_argument_by_name("if")?;
            match condition.as_variable() {
                Some(name) => {
                    let known = self.conditions.iter().find(|(known, _)| known == name);
                    known.map(|(_, value)| *value)
                }
                None => condition.to_bool(),
            }
        };
        asked("skip") != Some(true) && asked("include") != Some(false)
    }

    fn field(
        &self,
        type_name: &Name,
        sources: Vec<Shared<Field>>,
        guard: Option<Guard>,
    ) -> Option<FieldPlan> {
        let first = sources.first()?;
        let schema = self.schema.compiled();
        // The concrete type may declare a narrower type or other defaults than the interface.
        let definition = match schema.type_field(type_name, &first.name) {
            Ok(component) => component.node.clone(),
            Err(_) => first.definition.clone(),
        };
        let arguments = if coerce::uses_variables(&first.arguments) {
            Arguments::Dynamic(self.counts.dynamic.fetch_add(1, Ordering::Relaxed))
        } else {
            let none = JsonMap::new();
            let given = &first.arguments;
            Arguments::Static(coerce::arguments(
                schema,
                &definition.arguments,
                given,
                &none,
            ))
        };
        let role = match first.name.as_str() {
            "__typename" => Role::TypeName,
            "__schema" | "__type" => Role::Introspection,
            _ => Role::Ordinary,
        };
        Some(FieldPlan {
            key_json: format!("\"{}\":", first.response_key()).into_bytes().into(),
            role,
            output: self.output(&definition.ty),
            arguments,
            guard,
            children: self.children(definition.ty.inner_named_type()),
            symbol: AtomicU64::new(0),
            definition,
            sources,
        })
    }

    fn children(&self, declared: &Name) -> Children {
        match self.schema.compiled().types.get(declared) {
            Some(ExtendedType::Object(_)) => Children::Object(OnceLock::new()),
            Some(ExtendedType::Interface(_) | ExtendedType::Union(_)) => {
                let types = self.schema.possible(declared).cloned().unwrap_or_default();
                let plans = types.iter().map(|_| OnceLock::new()).collect();
                Children::Abstract(types, plans)
            }
            _ => Children::None,
        }
    }

    fn output(&self, ty: &Type) -> Output {
        let shape = match ty {
            Type::List(item) | Type::NonNullList(item) => Shape::List(Box::new(self.output(item))),
            Type::Named(name) | Type::NonNullNamed(name) => self.shape(name),
        };
        Output {
            nullable: !ty.is_non_null(),
            shape,
        }
    }

    fn shape(&self, name: &Name) -> Shape {
        match self.schema.compiled().types.get(name) {
            Some(ExtendedType::Scalar(scalar)) if !scalar.is_built_in() => Shape::Custom,
            Some(ExtendedType::Enum(all)) => Shape::Enum(all.clone()),
            Some(ExtendedType::Scalar(_)) => match name.as_str() {
                "Int" => Shape::Int,
                "Float" => Shape::Float,
                "Boolean" => Shape::Boolean,
                _ => Shape::Text,
            },
            Some(_) => Shape::Composite,
            // The type of `__typename` in a contract that has no field of type String.
            None => Shape::Text,
        }
    }
}

impl fmt::Debug for TypePlan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ", self.type_name)?;
        formatter.debug_list().entries(&self.fields).finish()
    }
}

impl fmt::Debug for FieldPlan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.response_key(), self.name())
    }
}
