// SPDX-License-Identifier: Apache-2.0
//! Who reaches what: the one answer for all dialects, and the rows of one account.

use std::ops::ControlFlow;

use durward_catalog::kinds::property;
use durward_graph::{EntityRef, ObjectRef, View};
use durward_identity::Caller;
use durward_model::{Instant, ObjectId};
use durward_policy::Action;
use serde::Serialize;

use crate::access::Sight;
use crate::effective::{AccessPath, Via, accounts_of, for_each_path, paths_between};
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

/// One way in which an account reaches a resource, and whether a policy forbids to connect all the
/// same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The way.
    pub path: AccessPath,
    /// Whether a policy forbids to connect.
    pub is_forbidden: bool,
}

/// Who reaches what, as one caller sees it at one instant of the graph and of validity. Every
/// dialect answers that question from here; what is not allowed shows in `is_forbidden` only.
///
/// A way is seen when everything it leads over is: account, group, role or grant, and resource.
#[derive(Debug)]
pub struct Reaching<'r> {
    access: &'r Access,
    view: &'r View,
    sight: Sight,
    /// Of its own account everybody may know.
    own: Option<ObjectId>,
    valid_at: Instant,
}

impl Reaching<'_> {
    /// Calls `visit` for each way of an account, or for those to some resources, until it breaks.
    pub fn of_account(
        &self,
        account: EntityRef,
        to: Option<&[EntityRef]>,
        visit: &mut dyn FnMut(Reached) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let (view, valid_at) = (self.view, self.valid_at);
        let is_own = self.own == Some(view.entity_id(account));
        if !is_own && !self.sight.sees(ObjectRef::Entity(account)) {
            return ControlFlow::Continue(());
        }
        let gate = self.access.gate(view, account, valid_at);
        let mut tell = |path: AccessPath| {
            if !self.sees(&path) {
                return ControlFlow::Continue(());
            }
            let is_forbidden = !gate.allows(view, path.resource);
            visit(Reached { path, is_forbidden })
        };
        let Some(resources) = to else {
            return for_each_path(view, account, valid_at, &mut tell);
        };
        for resource in resources {
            paths_between(view, account, *resource, valid_at)
                .into_iter()
                .try_for_each(&mut tell)?;
        }
        ControlFlow::Continue(())
    }

    /// The accounts that have a way to a resource, seen or not, forbidden or not: those among which
    /// to look for ways.
    pub fn accounts_of(&self, resource: EntityRef) -> Vec<EntityRef> {
        accounts_of(self.view, resource, self.valid_at)
    }

    fn sees(&self, path: &AccessPath) -> bool {
        if self.sight.is_everything() {
            return true;
        }
        let (by, group) = match path.via {
            Via::Role { role, group } => (ObjectRef::Entity(role), group),
            Via::Grant { grant, group } => (ObjectRef::Edge(grant), group),
        };
        let over = [Some(path.resource), group].into_iter().flatten();
        let mut over = over.map(ObjectRef::Entity).chain([by]);
        over.all(|object| self.sight.sees(object))
    }
}

impl Access {
    /// Who reaches what in `view`, with grants that are valid at an instant, as a caller sees it.
    /// Which action that asks for is the affair of whoever asks.
    pub fn reaching<'r>(
        &'r self,
        caller: &Caller,
        view: &'r View,
        valid_at: Instant,
    ) -> Reaching<'r> {
        Reaching {
            access: self,
            view,
            sight: Sight::of(caller, view),
            own: caller.account(),
            valid_at,
        }
    }

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
        caller.require_action(Action::EntitlementsRead)?;
        let (view, at) = self.moment(at);
        let account = self.account_named(caller, &view, principal)?;
        let (mut rows, mut seen, mut has_more) = (Vec::new(), 0usize, false);
        let reaching = self.reaching(caller, &view, at);
        let _ = reaching.of_account(account, None, &mut |reached| {
            seen += 1;
            if seen <= skip {
                return ControlFlow::Continue(());
            }
            if rows.len() == first {
                has_more = true;
                return ControlFlow::Break(());
            }
            rows.push(row(&view, &reached));
            ControlFlow::Continue(())
        });
        Ok((rows, has_more))
    }
}

fn row(view: &View, reached: &Reached) -> ReachRow {
    let path = &reached.path;
    let named = |entity: EntityRef| Named {
        id: view.entity_id(entity).to_hex(),
        name: reader::text(view, entity, property::DISPLAY_NAME),
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
        resource_kind: reader::text(view, path.resource, property::KIND),
        role,
        grant,
        group: group.map(named),
        granted_at: path.granted_at.to_string(),
        expires_at: path.expires_at.map(|end| end.to_string()),
        forbidden: reached.is_forbidden,
    }
}
