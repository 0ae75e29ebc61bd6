// SPDX-License-Identifier: Apache-2.0
//! The rules of all roles, read once and kept while the roles do not change.

use std::collections::BTreeMap;
use std::sync::Arc;

use durward_catalog::Kind;
use durward_graph::{EntityRef, View};

use super::AccessRules;
use crate::command::PortBook;
use crate::reader;

/// Property of a role with the text of its rules.
pub(crate) const ACCESS_RULES: &str = "accessRules";

/// What plans remember: parsed rules, and ports.
#[derive(Debug, Default)]
pub(crate) struct RuleBook {
    /// By role: the text and what it says. A version would not do as a mark: a write that the
    /// journal refuses gives its versions back.
    by_role: BTreeMap<EntityRef, (String, Arc<AccessRules>)>,
    pub(crate) ports: PortBook,
}

impl RuleBook {
    /// The living roles of a state that have rules by type or tag.
    pub(crate) fn dynamic(&mut self, view: &View) -> Vec<(EntityRef, Arc<AccessRules>)> {
        let Some(type_id) = view.type_id(Kind::ROLE.type_name()) else {
            return Vec::new();
        };
        let live = view.live_rows(type_id);
        let mut found = Vec::new();
        for row in &live {
            let role = EntityRef { type_id, row };
            let text = reader::text(view, role, ACCESS_RULES);
            let known = self.by_role.get(&role);
            let known = known.filter(|(known, _)| *known == text);
            let rules = if let Some((_, rules)) = known {
                Arc::clone(rules)
            } else {
                // What was stored was parsed before it was stored.
                let rules = Arc::new(AccessRules::parse(&text).unwrap_or_default());
                self.by_role.insert(role, (text, Arc::clone(&rules)));
                rules
            };
            if rules.are_dynamic() {
                found.push((role, rules));
            }
        }
        if self.by_role.len() > live.len() {
            self.by_role.retain(|role, _| live.contains(role.row));
        }
        found
    }
}
