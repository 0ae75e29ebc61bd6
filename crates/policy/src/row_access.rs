// SPDX-License-Identifier: Apache-2.0
//! Which entities a caller may read, as one condition for the query executor.

use durward_model::{ErrorKind, Value};
use durward_query::RowCondition;

/// Most alternatives of one condition; every visible entity is tested against them.
pub const ALTERNATIVES_MAX: usize = 256;

/// What of the graph a caller may read.
#[derive(Clone, Debug, PartialEq)]
pub enum RowAccess {
    /// All of it.
    Everything,
    /// The entities for which a condition holds, and relationships between them.
    Only(RowCondition),
    /// None of it.
    Nothing,
}

/// Policies that together make a condition too long to test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the policies together make more than {ALTERNATIVES_MAX} alternatives")]
pub struct TooManyAlternatives;

impl TooManyAlternatives {
    /// The kind that a dialect maps to its status.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

impl RowAccess {
    /// Access to the entities that fit one of these lists of properties and accepted values.
    pub(crate) fn any_of<'a>(
        conditions: impl Iterator<Item = &'a [(String, Vec<String>)]>,
    ) -> Self {
        let mut alternatives = Vec::new();
        for condition in conditions {
            let mut expanded: Vec<Vec<(String, Value)>> = vec![Vec::new()];
            for (property, values) in condition {
                expanded = expanded
                    .iter()
                    .flat_map(|known| {
                        values.iter().map(move |value| {
                            let mut longer = known.clone();
                            longer.push((property.clone(), Value::from(value.as_str())));
                            longer
                        })
                    })
                    .take(ALTERNATIVES_MAX.saturating_add(1))
                    .collect();
            }
            alternatives.extend(expanded);
            if alternatives.len() > ALTERNATIVES_MAX {
                break;
            }
        }
        Self::Only(RowCondition::any_of(alternatives))
    }

    /// Refuses a condition that is too long. To be asked when a policy is stored.
    pub fn check(&self) -> Result<(), TooManyAlternatives> {
        match self {
            Self::Only(condition) if condition.any_of.len() > ALTERNATIVES_MAX => {
                Err(TooManyAlternatives)
            }
            _ => Ok(()),
        }
    }

    /// What both let their holder read.
    pub fn intersect(&self, other: &Self) -> Result<Self, TooManyAlternatives> {
        let (one, two) = match (self, other) {
            (Self::Nothing, _) | (_, Self::Nothing) => return Ok(Self::Nothing),
            (Self::Everything, rest) | (rest, Self::Everything) => {
                rest.check()?;
                return Ok(rest.clone());
            }
            (Self::Only(one), Self::Only(two)) => (one, two),
        };
        if one == two {
            self.check()?;
            return Ok(self.clone());
        }
        if one.any_of.len().saturating_mul(two.any_of.len()) > ALTERNATIVES_MAX {
            return Err(TooManyAlternatives);
        }
        let mut any_of = Vec::new();
        for left in &one.any_of {
            for right in &two.any_of {
                let mut both = left.clone();
                let fresh = right.equal.iter().filter(|pair| !left.equal.contains(pair));
                both.equal.extend(fresh.cloned());
                any_of.push(both);
            }
        }
        Ok(Self::Only(RowCondition { any_of }))
    }

    /// The condition to hand to the executor: `None` for everything.
    pub fn to_condition(&self) -> Option<RowCondition> {
        match self {
            Self::Everything => None,
            Self::Only(condition) => Some(condition.clone()),
            Self::Nothing => Some(RowCondition::default()),
        }
    }
}
