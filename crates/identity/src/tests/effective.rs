// SPDX-License-Identifier: Apache-2.0
//! A model test: whatever happens to roles, groups, levels and credentials, a credential has
//! exactly what both it and its account have at that moment.

use std::collections::{BTreeMap, BTreeSet};

use durward_graph::store::{Operation, Target};
use durward_model::{Namespace, ObjectId, Value};
use durward_policy::{PermissionLevel, Right, Rights};
use proptest::prelude::*;

use super::drawn::{put, relate};
use super::*;
use crate::{CredentialKind, NewCredential};

const HOLDERS: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Step {
    Assign {
        of_group: bool,
        holder: usize,
        role: usize,
        on: bool,
    },
    Member {
        group: usize,
        account: usize,
        on: bool,
    },
    Rights {
        role: usize,
        bits: u8,
    },
    Level {
        account: usize,
        level: usize,
    },
    Suspend {
        account: usize,
        on: bool,
    },
    Make {
        account: usize,
        kind: usize,
        bits: u8,
    },
    Revoke {
        credential: usize,
    },
    Delete {
        credential: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let holder = 0..HOLDERS;
    let step = prop_oneof![
        4 => (any::<bool>(), holder.clone(), holder.clone(), any::<bool>())
            .prop_map(|(of_group, holder, role, on)| Step::Assign { of_group, holder, role, on }),
        3 => (holder.clone(), holder.clone(), any::<bool>())
            .prop_map(|(group, account, on)| Step::Member { group, account, on }),
        3 => (holder.clone(), any::<u8>()).prop_map(|(role, bits)| Step::Rights { role, bits }),
        2 => (holder.clone(), 0..14_usize)
            .prop_map(|(account, level)| Step::Level { account, level }),
        1 => (holder.clone(), any::<bool>())
            .prop_map(|(account, on)| Step::Suspend { account, on }),
        4 => (holder, 0..4_usize, any::<u8>())
            .prop_map(|(account, kind, bits)| Step::Make { account, kind, bits }),
        1 => (0..20_usize).prop_map(|credential| Step::Revoke { credential }),
        1 => (0..20_usize).prop_map(|credential| Step::Delete { credential }),
    ];
    prop::collection::vec(step, 1..40)
}

/// Eight rights, one for each bit.
fn rights(bits: u8) -> Rights {
    let names = [
        "graph:read",
        "graph:write",
        "accounts:read",
        "audit:read",
        "strongdm:user:list",
        "strongdm:role:create",
        "cyral:Modify Users",
        "opencti:KNOWLEDGE_KNUPDATE",
    ];
    let chosen = (0..8).filter(|bit| bits & (1 << bit) != 0);
    chosen
        .map(|bit| Right::named(names[bit]).unwrap())
        .collect()
}

struct Made {
    id: ObjectId,
    account: usize,
    kind: CredentialKind,
    public_id: String,
    secret: String,
    rights: Rights,
    revoked: bool,
    deleted: bool,
}

/// What is true, kept the simplest way.
#[derive(Default)]
struct Model {
    roles: BTreeMap<usize, Rights>,
    assigned: BTreeSet<(bool, usize, usize)>,
    members: BTreeSet<(usize, usize)>,
    levels: BTreeMap<usize, PermissionLevel>,
    suspended: BTreeSet<usize>,
    credentials: Vec<Made>,
}

impl Model {
    fn account_rights(&self, account: usize) -> Rights {
        let level = self.levels.get(&account);
        let mut all = level.map_or(Rights::NONE, |level| level.rights());
        for (of_group, holder, role) in &self.assigned {
            let holds = if *of_group {
                self.members.contains(&(*holder, account))
            } else {
                *holder == account
            };
            if holds {
                all = all.union(self.roles[role]);
            }
        }
        all
    }

    fn expected(&self, made: &Made) -> Result<Rights, &'static str> {
        let level = self.levels.get(&made.account);
        if made.deleted {
            Err("unknown")
        } else if made.revoked {
            Err("revoked")
        } else if self.suspended.contains(&made.account)
            || level == Some(&PermissionLevel::Suspended)
        {
            Err("account_suspended")
        } else {
            Ok(self.account_rights(made.account).intersect(made.rights))
        }
    }
}

struct Bench<'w> {
    world: &'w World,
    organizations: &'w Organizations,
    admin: Caller,
    organization: Arc<Organization>,
    accounts: Vec<ObjectId>,
    groups: Vec<ObjectId>,
    roles: Vec<ObjectId>,
    model: Model,
}

impl<'w> Bench<'w> {
    fn new(world: &'w World, organizations: &'w Organizations, run: u32) -> Self {
        let (admin, organization) = world.admin(organizations);
        let make = |kind: &str| -> Vec<ObjectId> {
            let operations = (0..HOLDERS).map(|n| put(kind, &format!("{kind} {run} {n}")));
            let origin = admin.origin("made");
            let receipt = organization.submit_core(origin, operations.collect());
            receipt
                .unwrap()
                .results
                .iter()
                .map(|made| made.id)
                .collect()
        };
        let mut accounts = make("account");
        // A service is an account like the others.
        accounts[HOLDERS - 1] = make("account_service")[0];
        let (groups, roles) = (make("account_group"), make("access_role"));
        let model = Model {
            roles: (0..HOLDERS).map(|role| (role, Rights::NONE)).collect(),
            ..Model::default()
        };
        Self {
            world,
            organizations,
            admin,
            organization,
            accounts,
            groups,
            roles,
            model,
        }
    }

    fn submit(&self, operation: Operation) {
        let origin = self.admin.origin("step");
        self.organization
            .submit_core(origin, vec![operation])
            .unwrap();
    }

    fn set(&self, id: ObjectId, property: &str, value: Value) {
        self.submit(Operation::PatchEntity {
            target: Target::Id(id),
            set: vec![(property.to_owned(), value)],
            classes: None,
            expected_version: None,
        });
    }

    /// Makes or ends a relationship.
    fn relate(&self, from: ObjectId, verb: &str, to: ObjectId, on: bool) {
        let operation = relate(from, verb, to);
        let receipt = self
            .organization
            .submit_core(self.admin.origin("step"), vec![operation])
            .unwrap();
        if !on {
            let target = receipt.results[0].id;
            self.submit(Operation::DeleteRelationship { target });
        }
    }

    fn make(&mut self, account: usize, kind: usize, bits: u8) {
        let kind = [
            CredentialKind::OpenctiToken,
            CredentialKind::StrongdmKey,
            CredentialKind::CyralClient,
            CredentialKind::SonraiToken,
        ][kind];
        let owner = Target::Id(self.accounts[account]);
        let mut new = NewCredential::new(kind, owner, "made");
        new.rights = Some(rights(bits));
        new.life_seconds = kind.entry().life_seconds.map(|(_, most)| most);
        let drawn = self
            .organization
            .draw_credential(&self.admin, new, 0)
            .unwrap();
        let origin = self.admin.origin("step");
        let receipt = self.organization.submit_core(origin, drawn.operations);
        self.model.credentials.push(Made {
            id: receipt.unwrap().results[0].id,
            account,
            kind,
            public_id: drawn.public_id.unwrap_or_default(),
            secret: drawn.secret.expose().clone(),
            rights: rights(bits),
            revoked: false,
            deleted: false,
        });
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Assign {
                of_group,
                holder,
                role,
                on,
            } => {
                let holders = if of_group {
                    &self.groups
                } else {
                    &self.accounts
                };
                self.relate(holders[holder], "ASSIGNED", self.roles[role], on);
                let assigned = &mut self.model.assigned;
                let _ = assigned.remove(&(of_group, holder, role));
                if on {
                    assigned.insert((of_group, holder, role));
                }
            }
            Step::Member { group, account, on } => {
                self.relate(self.groups[group], "HAS", self.accounts[account], on);
                let _ = self.model.members.remove(&(group, account));
                if on {
                    self.model.members.insert((group, account));
                }
            }
            Step::Rights { role, bits } => {
                let names = Value::from(rights(bits).names());
                self.set(self.roles[role], "rights", names);
                self.model.roles.insert(role, rights(bits));
            }
            Step::Level { account, level } => {
                let level = PermissionLevel::all().nth(level);
                let name = level.map_or(Value::Null, |level| Value::from(level.name()));
                self.set(self.accounts[account], "permissionLevel", name);
                let _ = self.model.levels.remove(&account);
                self.model
                    .levels
                    .extend(level.map(|level| (account, level)));
            }
            Step::Suspend { account, on } => {
                self.set(self.accounts[account], "suspended", Value::from(on));
                let _ = self.model.suspended.remove(&account);
                if on {
                    self.model.suspended.insert(account);
                }
            }
            Step::Make {
                account,
                kind,
                bits,
            } => self.make(account, kind, bits),
            Step::Revoke { credential } => self.end(credential, false),
            Step::Delete { credential } => self.end(credential, true),
        }
    }

    fn end(&mut self, credential: usize, delete: bool) {
        let Some(made) = self.model.credentials.get_mut(credential) else {
            return;
        };
        if made.deleted {
            return;
        }
        let organization = &self.organization;
        if delete {
            organization
                .delete_credential(&self.admin, made.id)
                .unwrap();
            made.deleted = true;
        } else {
            organization
                .revoke_credential(&self.admin, made.id)
                .unwrap();
            made.revoked = true;
        }
    }

    fn found(&self, made: &Made) -> Result<Rights, &'static str> {
        let presented = Presented::default();
        let now = self.world.now();
        let entered = match made.kind {
            CredentialKind::StrongdmKey => super::signed::sign_in(
                self.world,
                self.organizations,
                &made.public_id,
                &made.secret,
            ),
            CredentialKind::CyralClient => self.organizations.authenticate_client(
                &presented,
                &made.public_id,
                &made.secret,
                now,
            ),
            _ => self.world.try_token(self.organizations, &made.secret),
        };
        let caller = entered.map_err(|error| error.reason())?;
        let allowed = Right::all().filter(|right| caller.may(*right));
        assert_eq!(allowed.collect::<Rights>(), caller.rights());
        Ok(caller.rights())
    }
}

#[test]
fn a_credential_has_what_it_and_its_account_have() {
    let world = World::new();
    let organizations = world.open();
    let mut config = ProptestConfig::with_cases(24);
    config.failure_persistence = None;
    let run = std::cell::Cell::new(0);
    proptest!(config, |(steps in steps())| {
        run.set(run.get() + 1);
        let mut bench = Bench::new(&world, &organizations, run.get());
        for step in steps {
            bench.take(step);
            for made in &bench.model.credentials {
                let expected = bench.model.expected(made);
                prop_assert_eq!(bench.found(made), expected, "after {:?}", step);
            }
        }
        for (account, id) in bench.accounts.iter().enumerate() {
            let view = bench.organization.store().view(None);
            let effective = crate::effective_rights(&view, *id).unwrap();
            prop_assert_eq!(effective, Some(bench.model.account_rights(account)));
        }
    });
    let key = Namespace::durward();
    let view = organizations.find("Acme").unwrap().store().view(None);
    let organization = view.find_by_key(&key, "organization").unwrap();
    let none = crate::effective_rights(&view, view.entity_id(organization));
    assert_eq!(none.unwrap(), None);
}
