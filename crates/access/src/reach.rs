// SPDX-License-Identifier: Apache-2.0
//! The effective access of one account, told row by row.

use std::ops::ControlFlow;

use durward_graph::{EntityRef, ObjectRef, View};
use durward_identity::Caller;
use durward_model::Instant;
use durward_policy::Action;
use serde::Serialize;

use crate::access::Sight;
use crate::effective::{AccessPath, Via, for_each_path};
use crate::{Access, AccessError, reader};

/// Something with an id and a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Named {
    /// Its id, 16 hexadecimal digits.
    pub id: String,
    /// Its name; empty for grants.
    pub name: String,
}

/// One way in which the account reaches one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReachRow {
    /// The resource.
    pub resource: Named,
    /// Its kind, such as `postgres`.
    pub resource_kind: String,
    /// The role by which it is reached.
    pub role: Option<Named>,
    /// The grant by which it is reached.
    pub grant: Option<Named>,
    /// The group that has the role or the grant.
    pub group: Option<Named>,
    /// Since when.
    pub granted_at: String,
    /// When it ends by itself.
    pub expires_at: Option<String>,
    /// Whether a policy forbids to connect all the same.
    pub forbidden: bool,
}

impl Access {
    /// The rows of an account (e-mail address, name or id) at an instant, after `skip` others, at
    /// most `first`; and whether more follow.
    ///
    /// # Errors
    /// When the caller may not see effective access, or there is no such account.
    pub fn reach(
        &self,
        caller: &Caller,
        principal: &str,
        at: Option<Instant>,
        skip: usize,
        first: usize,
    ) -> Result<(Vec<ReachRow>, bool), AccessError> {
        caller.require_any(Action::EntitlementsRead.rights())?;
        let view = self.view(at);
        let at = at.unwrap_or_else(|| self.organization().now());
        let account = self.account_named(caller, &view, principal)?;
        let sight = Sight::of(caller, &view);
        let gate = self.gate(&view, account, at);
        let (mut rows, mut seen, mut has_more) = (Vec::new(), 0usize, false);
        let _ = for_each_path(&view, account, at, &mut |path| {
            if !sight.sees(ObjectRef::Entity(path.resource)) {
                return ControlFlow::Continue(());
            }
            seen += 1;
            if seen <= skip {
                return ControlFlow::Continue(());
            }
            if rows.len() == first {
                has_more = true;
                return ControlFlow::Break(());
            }
            let is_forbidden = !gate.allows(&view, path.resource);
            rows.push(row(&view, &path, is_forbidden));
            ControlFlow::Continue(())
        });
        Ok((rows, has_more))
    }
}

fn row(view: &View, path: &AccessPath, forbidden: bool) -> ReachRow {
    let named = |entity: EntityRef| Named {
        id: view.entity_id(entity).to_hex(),
        name: reader::text(view, entity, "displayName"),
    };
    let (role, grant, group) = match path.via {
        Via::Role { role, group } => (Some(named(role)), None, group),
        Via::Grant { grant, group } => {
            let grant = Named {
                id: view.edge_id(grant).to_hex(),
                name: String::new(),
            };
            (None, Some(grant), group)
        }
    };
    ReachRow {
        resource: named(path.resource),
        resource_kind: reader::text(view, path.resource, "kind"),
        role,
        grant,
        group: group.map(named),
        granted_at: path.granted_at.to_string(),
        expires_at: path.expires_at.map(|end| end.to_string()),
        forbidden,
    }
}
