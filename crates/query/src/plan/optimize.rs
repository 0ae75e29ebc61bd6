// SPDX-License-Identifier: Apache-2.0
//! Rewrites that keep the meaning of a plan and make it cheaper.

use std::collections::HashMap;

use super::{Condition, Part, Plan, Slot};

/// Moves the parts of the path filter that speak of one object to the place where that object is
/// met, so that they can be answered by columns and shorten the walk.
#[must_use]
pub(crate) fn optimize(mut plan: Plan) -> Plan {
    let Some(filter) = plan.path_filter.take() else {
        return plan;
    };
    let mut conjuncts = Vec::new();
    flatten(filter, &mut conjuncts);
    let places = places_of(&plan);
    let mut moved: HashMap<Slot, Vec<Condition>> = HashMap::new();
    let mut rest = Vec::new();
    for conjunct in conjuncts {
        match conjunct.slots().as_slice() {
            [slot] if places.contains(slot) => moved.entry(*slot).or_default().push(conjunct),
            _ => rest.push(conjunct),
        }
    }
    attach(&mut plan.start.filter, moved.remove(&plan.start.slot));
    for part in &mut plan.parts {
        if let Part::Step(step) = part {
            attach(&mut step.edge.filter, moved.remove(&step.edge.slot));
            attach(&mut step.node.filter, moved.remove(&step.node.slot));
        }
    }
    plan.path_filter = match rest.len() {
        0 => None,
        _ => Some(Condition::All(rest)),
    };
    plan
}

fn flatten(condition: Condition, into: &mut Vec<Condition>) {
    match condition {
        Condition::All(members) => members.into_iter().for_each(|member| flatten(member, into)),
        other => into.push(other),
    }
}

/// The slots that every path binds, by a pattern that can take a filter.
fn places_of(plan: &Plan) -> Vec<Slot> {
    let mut slots = vec![plan.start.slot];
    for part in &plan.parts {
        if let Part::Step(step) = part {
            slots.push(step.node.slot);
            if step.repeat == super::Repeat::ONCE {
                slots.push(step.edge.slot);
            }
        }
    }
    slots
}

fn attach(filter: &mut Option<Condition>, more: Option<Vec<Condition>>) {
    let Some(more) = more else { return };
    let more = Condition::All(more);
    *filter = Some(match filter.take() {
        Some(present) => present.and(more),
        None => more,
    });
}

#[cfg(test)]
mod tests {
    use durward_model::Value;

    use super::super::Source;
    use super::*;

    #[test]
    fn filters_of_single_objects_move_and_others_stay() {
        let mut plan = Plan::list(Source::Any);
        let one = Condition::equals(Slot(0), "a", Value::Int(1));
        let stray = Condition::equals(Slot(9), "b", Value::Int(2));
        plan.path_filter = Some(Condition::All(vec![one, stray]));
        let plan = optimize(plan);
        assert!(matches!(&plan.start.filter, Some(Condition::All(moved)) if moved.len() == 1));
        assert!(matches!(&plan.path_filter, Some(Condition::All(rest)) if rest.len() == 1));
    }
}
