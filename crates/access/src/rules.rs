// SPDX-License-Identifier: Apache-2.0
//! Access rules of roles: which resources a role reaches by id, type and tag.
//!
//! The text of the rules is kept and answered as it was written; what it says is kept in the graph
//! too, as relationships from the role to the resources.

mod book;
mod parse;
mod select;
mod tag_query;

use durward_model::ObjectId;

pub(crate) use book::ACCESS_RULES;
pub(crate) use book::RuleBook;
pub use parse::RULES_MAX;
pub(crate) use select::{Facts, resources_of, role_fits, tag_of};
pub use tag_query::TagQuery;

/// The rules of a role: a resource is reached when any rule fits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AccessRules {
    /// The rules, in the order written.
    pub rules: Vec<AccessRule>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub enum AccessRule {
    /// Exactly these resources.
    Ids(Vec<ObjectId>),
    /// Every resource, now and later, for which all of this holds.
    Match {
        /// Kind of the resource.
        resource_kind: Option<&'static str>,
        /// Tags and their values; `*` is any value.
        tags: Vec<(String, String)>,
        /// A boolean expression over tags.
        query: Option<TagQuery>,
    },
}

impl AccessRules {
    /// Whether some rule may fit resources that are made later.
    pub fn are_dynamic(&self) -> bool {
        let is_dynamic = |rule: &AccessRule| matches!(rule, AccessRule::Match { .. });
        self.rules.iter().any(is_dynamic)
    }
}
