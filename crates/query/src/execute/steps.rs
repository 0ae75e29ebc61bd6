// SPDX-License-Identifier: Apache-2.0
//! How many steps a plan has, and whether it nests too deeply.

use crate::error::QueryError;
use crate::plan::{Condition, Operand, Part, Plan};

/// Deepest nesting of conditions and subqueries that is looked into.
const NESTING_MAX: usize = 128;

/// The steps of a plan, with those of its conditions and subqueries.
///
/// # Errors
/// When it nests deeper than anything may recurse.
pub(super) fn total_steps(plan: &Plan, depth: usize) -> Result<usize, QueryError> {
    if depth > NESTING_MAX {
        return Err(QueryError::invalid("the query is nested too deeply"));
    }
    let mut steps = plan.step_count();
    for filter in plan.start.filter.iter().chain(&plan.path_filter) {
        steps += steps_in(filter, depth + 1)?;
    }
    Ok(steps + steps_in_parts(&plan.parts, depth + 1)?)
}

/// Steps in the filters of parts; the parts themselves are counted by [`Plan::step_count`].
fn steps_in_parts(parts: &[Part], depth: usize) -> Result<usize, QueryError> {
    if depth > NESTING_MAX {
        return Err(QueryError::invalid("the query is nested too deeply"));
    }
    let mut steps = 0;
    for part in parts {
        match part {
            Part::Step(step) => {
                for filter in step.node.filter.iter().chain(&step.edge.filter) {
                    steps += steps_in(filter, depth + 1)?;
                }
            }
            Part::Without(parts) | Part::Optional { parts, .. } => {
                steps += steps_in_parts(parts, depth + 1)?;
            }
            Part::Reached(_) => {}
        }
    }
    Ok(steps)
}

fn steps_in(condition: &Condition, depth: usize) -> Result<usize, QueryError> {
    if depth > NESTING_MAX {
        return Err(QueryError::invalid("the query is nested too deeply"));
    }
    match condition {
        Condition::All(members) | Condition::Any(members) => members
            .iter()
            .map(|member| steps_in(member, depth + 1))
            .sum(),
        Condition::Not(inner) => steps_in(inner, depth + 1),
        Condition::Text(..) => Ok(0),
        Condition::Exists(_, parts) => {
            let own = parts
                .iter()
                .filter(|part| matches!(part, Part::Step(_)))
                .count();
            Ok(own + steps_in_parts(parts, depth + 1)?)
        }
        Condition::Compare(comparison) => {
            let queries = comparison.right.iter().filter_map(|operand| match operand {
                Operand::Query(plan) => Some(plan),
                _ => None,
            });
            queries.map(|plan| total_steps(plan, depth + 1)).sum()
        }
    }
}
