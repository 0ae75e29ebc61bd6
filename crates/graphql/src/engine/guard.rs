// SPDX-License-Identifier: Apache-2.0
//! Which actions the fields of a contract ask for.
//!
//! A contract says it with `@action(is: "user:list")`; several names are actions of which one is
//! enough, and a field with several `@action` asks for each. What stands on a root type is meant
//! for its fields that say nothing themselves. The directive is for this program alone: it is read
//! and taken out of the contract, so that no client sees it or can send it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use apollo_compiler::ast::{self, Directive, Value};
use apollo_compiler::parser::{SourceMap, SourceSpan};
use apollo_compiler::schema::{ExtendedType, ObjectType};
use apollo_compiler::{Name, Node, Schema as Compiled};
use durward_policy::Action;

const DIRECTIVE: &str = "action";

/// What a field asks of its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard(Arc<[Box<[Action]>]>);

impl Guard {
    /// Lists of actions: of each list, the caller must be allowed one.
    pub fn asked(&self) -> impl Iterator<Item = &[Action]> {
        self.0.iter().map(AsRef::as_ref)
    }
}

/// The guards of a contract by object type and field. Every root field has one.
pub(super) type Guards = HashMap<Name, HashMap<Name, Guard>>;

/// A place of a contract, and what is wrong there.
pub(super) struct Misguided {
    at: Option<SourceSpan>,
    reason: String,
}

impl Misguided {
    fn new(at: Option<SourceSpan>, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { at, reason }
    }

    /// The line and a sentence.
    pub(super) fn told(&self, sources: &SourceMap) -> String {
        let line = self.at.and_then(|span| span.line_column(sources));
        let line = line.map_or(0, |place| place.line);
        format!("line {line}: {}", self.reason)
    }
}

/// Reads the guards of a contract.
pub(super) fn read(compiled: &Compiled) -> Result<Guards, Misguided> {
    let roots = &compiled.schema_definition;
    let roots = [&roots.query, &roots.mutation];
    let mut guards = Guards::new();
    for (name, definition) in &compiled.types {
        match definition {
            ExtendedType::Object(object) => {
                let is_root = roots
                    .iter()
                    .any(|root| root.as_ref().is_some_and(|root| root == name));
                let found = of_object(object, is_root)?;
                if !found.is_empty() {
                    guards.insert(name.clone(), found);
                }
            }
            ExtendedType::Interface(interface) => {
                let mut fields = interface.fields.values();
                if let Some(field) = fields.find(|field| field.directives.has(DIRECTIVE)) {
                    let reason = format!(
                        "`{name}.{}` is of an interface: its objects name the action",
                        field.name
                    );
                    return Err(Misguided::new(field.location(), reason));
                }
            }
            _ => {}
        }
    }
    Ok(guards)
}

fn of_object(object: &ObjectType, is_root: bool) -> Result<HashMap<Name, Guard>, Misguided> {
    let usual = guard(object.directives.iter().map(|directive| &directive.node))?;
    if usual.is_some() && !is_root {
        let reason = format!(
            "`{}` is no root type: its fields name their actions themselves",
            object.name
        );
        return Err(Misguided::new(object.name.location(), reason));
    }
    let mut found = HashMap::new();
    for (name, field) in &object.fields {
        match guard(field.directives.iter())?.or_else(|| usual.clone()) {
            Some(guard) => drop(found.insert(name.clone(), guard)),
            None if is_root => {
                let reason = format!("`{}.{name}` names no action", object.name);
                return Err(Misguided::new(field.location(), reason));
            }
            None => {}
        }
    }
    Ok(found)
}

/// What some directives ask for together.
fn guard<'d>(
    directives: impl Iterator<Item = &'d Node<Directive>>,
) -> Result<Option<Guard>, Misguided> {
    let asked = directives.filter(|directive| directive.name == DIRECTIVE);
    let asked = asked.map(actions).collect::<Result<Vec<_>, _>>()?;
    Ok((!asked.is_empty()).then(|| Guard(asked.into())))
}

fn actions(directive: &Node<Directive>) -> Result<Box<[Action]>, Misguided> {
    let at = directive.location();
    let names = match directive
        .specified_argument_by_name("is")
        .map(AsRef::as_ref)
    {
        Some(Value::List(names)) => names.iter().map(|name| name.as_str()).collect(),
        Some(name) => vec![name.as_str()],
        None => Vec::new(),
    };
    if names.is_empty() {
        return Err(Misguided::new(at, "`@action` names no action"));
    }
    let named = |name: Option<&str>| {
        let name = name.unwrap_or_default();
        let unknown = || Misguided::new(at, format!("{name:?} is no action"));
        Action::named(name).ok_or_else(unknown)
    };
    names.into_iter().map(named).collect()
}

/// Takes the directive out of a contract that was read.
pub(super) fn strip(compiled: &mut Compiled) {
    compiled.directive_definitions.shift_remove(DIRECTIVE);
    for definition in compiled.types.values_mut() {
        let ExtendedType::Object(object) = definition else {
            continue;
        };
        let mut fields = object.fields.values();
        if !object.directives.has(DIRECTIVE) && !fields.any(|field| field.directives.has(DIRECTIVE))
        {
            continue;
        }
        let object = object.make_mut();
        object.directives.0.retain(|each| each.name != DIRECTIVE);
        for field in object.fields.values_mut() {
            field
                .make_mut()
                .directives
                .0
                .retain(|each| each.name != DIRECTIVE);
        }
    }
}

/// The text of a contract as clients see it.
pub(super) fn public_text(sdl: &str, document: &ast::Document) -> String {
    let mut spans = Vec::new();
    let mut hide = |span: Option<SourceSpan>| spans.extend(span.map(|span| with_blanks(sdl, span)));
    for definition in &document.definitions {
        match definition {
            ast::Definition::DirectiveDefinition(directive) if directive.name == DIRECTIVE => {
                hide(directive.location());
            }
            ast::Definition::ObjectTypeDefinition(object) => {
                let of_fields = object
                    .fields
                    .iter()
                    .flat_map(|field| field.directives.iter());
                let all = object.directives.iter().chain(of_fields);
                let guards = all.filter(|directive| directive.name == DIRECTIVE);
                guards.for_each(|directive| hide(directive.location()));
            }
            _ => {}
        }
    }
    let mut shown = String::with_capacity(sdl.len());
    let mut start = 0;
    spans.sort_by_key(|span| span.start);
    for span in spans {
        shown.push_str(sdl.get(start..span.start).unwrap_or_default());
        start = span.end;
    }
    shown.push_str(sdl.get(start..).unwrap_or_default());
    shown
}

/// A place and the blanks before it.
fn with_blanks(sdl: &str, span: SourceSpan) -> Range<usize> {
    let before = sdl.get(..span.offset()).unwrap_or_default();
    before.trim_end().len()..span.end_offset()
}
