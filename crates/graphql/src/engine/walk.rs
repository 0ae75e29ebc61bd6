// SPDX-License-Identifier: Apache-2.0
//! Measuring a document between parsing and validation.
//!
//! Fragments are measured once each and their figures reused, so that a document whose fragments
//! double at every level costs no more than its text. Fragments that include themselves are
//! refused here, because what follows recurses over them.

use std::collections::HashMap;

use apollo_compiler::ast::{Definition, Document, FragmentDefinition, Selection};

use super::limits::{
    ALIASES_MAX, DEFINITIONS_MAX, DEPTH_MAX, EXPANDED_FIELDS_MAX, NESTING_MAX, VARIABLES_MAX,
};

/// What a selection set holds once its fragments are in their places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Measure {
    selections: u64,
    aliases: u64,
    depth: usize,
    nesting: usize,
}

impl Measure {
    fn add(&mut self, other: Self) {
        self.selections = self.selections.saturating_add(other.selections);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.depth = self.depth.max(other.depth);
        self.nesting = self.nesting.max(other.nesting);
    }
}

enum State {
    Open,
    Done(Measure),
}

struct Walk<'d> {
    fragments: HashMap<&'d str, &'d FragmentDefinition>,
    states: HashMap<&'d str, State>,
}

/// Refuses a document that is too large in any of the ways of [`super::limits`], and answers how
/// deep its fields are nested. The error is a sentence for the client.
pub(super) fn measure(document: &Document) -> Result<usize, String> {
    if document.definitions.len() > DEFINITIONS_MAX {
        return Err(format!(
            "the document has {} definitions, more than {DEFINITIONS_MAX}",
            document.definitions.len()
        ));
    }
    let mut walk = Walk {
        fragments: HashMap::new(),
        states: HashMap::new(),
    };
    for definition in &document.definitions {
        if let Definition::FragmentDefinition(fragment) = definition {
            walk.fragments.insert(fragment.name.as_str(), fragment);
        }
    }
    let mut total = Measure::default();
    for definition in &document.definitions {
        let measured = match definition {
            Definition::OperationDefinition(operation) => {
                if operation.variables.len() > VARIABLES_MAX {
                    return Err(format!(
                        "an operation declares more than {VARIABLES_MAX} variables"
                    ));
                }
                walk.selections(&operation.selection_set, 1)?
            }
            Definition::FragmentDefinition(fragment) => walk.fragment(&fragment.name, 1)?,
            _ => continue,
        };
        check(measured)?;
        if matches!(definition, Definition::OperationDefinition(_)) {
            total.add(measured);
            check(total)?;
        }
    }
    Ok(total.depth)
}

fn check(measure: Measure) -> Result<(), String> {
    if measure.depth > DEPTH_MAX {
        return Err(format!("fields are nested deeper than {DEPTH_MAX} levels"));
    }
    if measure.selections > EXPANDED_FIELDS_MAX {
        return Err(format!(
            "the document selects more than {EXPANDED_FIELDS_MAX} fields, fragments included"
        ));
    }
    if measure.aliases > ALIASES_MAX {
        return Err(format!("the document has more than {ALIASES_MAX} aliases"));
    }
    Ok(())
}

impl<'d> Walk<'d> {
    fn selections(&mut self, set: &'d [Selection], level: usize) -> Result<Measure, String> {
        if level > NESTING_MAX {
            return Err(format!(
                "selections are nested deeper than {NESTING_MAX} levels"
            ));
        }
        let mut sum = Measure::default();
        for selection in set {
            sum.selections = sum.selections.saturating_add(1);
            let inner = match selection {
                Selection::Field(field) => {
                    sum.aliases = sum.aliases.saturating_add(u64::from(field.alias.is_some()));
                    let mut inner = self.selections(&field.selection_set, level + 1)?;
                    inner.depth += 1;
                    inner
                }
                Selection::InlineFragment(inline) => {
                    self.selections(&inline.selection_set, level + 1)?
                }
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.fragment_name, level + 1)?
                }
            };
            sum.add(inner);
        }
        sum.nesting += 1;
        if level + sum.nesting > NESTING_MAX + 1 {
            return Err(format!(
                "selections are nested deeper than {NESTING_MAX} levels"
            ));
        }
        Ok(sum)
    }

    fn fragment(&mut self, name: &'d str, level: usize) -> Result<Measure, String> {
        match self.states.get(name) {
            Some(State::Done(measure)) => return Ok(*measure),
            Some(State::Open) => return Err(format!("fragment `{name}` includes itself")),
            None => {}
        }
        // A fragment that is not there is reported by validation.
        let Some(fragment) = self.fragments.get(name).copied() else {
            return Ok(Measure::default());
        };
        self.states.insert(name, State::Open);
        let measure = self.selections(&fragment.selection_set, level)?;
        self.states.insert(name, State::Done(measure));
        Ok(measure)
    }
}
