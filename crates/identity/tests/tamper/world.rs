// SPDX-License-Identifier: Apache-2.0
//! A small data folder with two organizations, an older copy of it, and a judge.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use durward_budget::Budget;
use durward_catalog::Catalog;
use durward_graph::Snapshot;
use durward_graph::store::{Operation, PutMode, StateCheck, Target};
use durward_identity::{
    HeadOptions, IdentityError, InitOptions, OpenOptions, Organization, OrganizationId,
    Organizations, PasswordCost, SigningKey, init,
};
use durward_journal::{HeadSigner as _, VerifyOptions, private};
use durward_model::transaction::Origin;
use durward_model::{Instant, ManualClock, Namespace, Value};
use tempfile::TempDir;

const START: Instant = Instant::from_millis(1_800_000_000_000);

/// Files by their path below the folder that holds `data`, `data.key` and `data.head`.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// What an organization was before anything was altered.
pub(crate) struct Original {
    pub(crate) id: OrganizationId,
    snapshot: Arc<Snapshot>,
    keys: Vec<String>,
}

/// Whether an alteration got through.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Noticed(String),
    Unchanged,
    Passed(String),
}

pub(crate) struct World {
    clock: Arc<ManualClock>,
    catalog: Arc<Catalog>,
    pub(crate) files: Files,
    /// The same folder some transactions and a key retirement earlier.
    pub(crate) older: Files,
    /// Another folder, with keys of its own.
    pub(crate) foreign: Files,
    pub(crate) organizations: Vec<Original>,
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let catalog = Arc::new(Catalog::built_in().unwrap());
        let mut world = Self {
            clock,
            catalog,
            files: Files::new(),
            older: Files::new(),
            foreign: Files::new(),
            organizations: Vec::new(),
        };
        let place = tempfile::tempdir().unwrap();
        world.init(place.path());
        world.foreign = read(place.path());
        let place = tempfile::tempdir().unwrap();
        world.init(place.path());
        let organizations = world.open(&place, false).unwrap();
        organizations.create("Beta", "b@example.com").unwrap();
        for organization in organizations.all() {
            world.write(&organization, 0..8);
        }
        organizations.close().unwrap();
        drop(organizations);
        world.older = read(place.path());
        let organizations = world.open(&place, false).unwrap();
        for organization in organizations.all() {
            let name = Some(organization.id().as_str());
            organizations.retire_key(name, SigningKey::Token).unwrap();
            organizations.retire_key(name, SigningKey::Head).unwrap();
            world.write(&organization, 4..12);
        }
        organizations.close().unwrap();
        drop(organizations);
        world.files = read(place.path());
        let organizations = world.open(&place, false).unwrap();
        world.organizations = organizations.all().iter().map(original).collect();
        assert_eq!(world.organizations.len(), 2);
        world
    }

    fn init(&self, place: &Path) {
        let options = InitOptions {
            data: place.join("data"),
            master_key_file: None,
            head_file: None,
            organization: "Acme".to_owned(),
            admin_email: "a@example.com".to_owned(),
            clock: Arc::clone(&self.clock) as Arc<_>,
            catalog: Arc::clone(&self.catalog),
            password_cost: PasswordCost::Minimal,
        };
        init(&options).unwrap();
    }

    fn write(&self, organization: &Organization, numbers: std::ops::Range<i64>) {
        for number in numbers {
            self.clock.advance_micros(1_000_000);
            let put = |key: String, text: String| Operation::PutEntity {
                entity_type: "host".to_owned(),
                classes: None,
                namespace: Namespace::new("api", ""),
                key,
                properties: vec![("displayName".to_owned(), Value::from(text.as_str()))],
                aliases: Vec::new(),
                mode: PutMode::Upsert,
            };
            let one = put(format!("h{number}"), format!("host {number}").repeat(40));
            let two = put("h0".to_owned(), format!("changed {number}"));
            let link = Operation::PutRelationship {
                from: Target::Result(0),
                verb: "HAS".to_owned(),
                to: Target::Result(1),
                relationship_type: String::new(),
                namespace: Namespace::new("api", ""),
                key: None,
                properties: Vec::new(),
                mode: PutMode::Upsert,
            };
            let operations = if number == 0 {
                vec![two]
            } else {
                vec![one, two, link]
            };
            organization
                .submit_core(Origin::default(), operations)
                .unwrap();
        }
    }

    /// The present folder with its data as it was earlier; what is remembered beside it stays.
    pub(crate) fn rolled_back(&self) -> Files {
        let mut files = self.older.clone();
        files.insert("data.head".to_owned(), self.files["data.head"].clone());
        files
    }

    #[allow(clippy::unused_self, reason = "reads as what the world does")]
    pub(crate) fn lay_out(&self, files: &Files) -> TempDir {
        let place = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = place.path().join(name);
            private::create_folder(path.parent().unwrap()).unwrap();
            std::fs::write(&path, content).unwrap();
            private::close_file(&path).unwrap();
        }
        place
    }

    pub(crate) fn open(
        &self,
        place: &TempDir,
        accept_rollback: bool,
    ) -> Result<Organizations, IdentityError> {
        let options = OpenOptions {
            data: place.path().join("data"),
            master_key_file: None,
            clock: Arc::clone(&self.clock) as Arc<_>,
            catalog: Arc::clone(&self.catalog),
            password_cost: PasswordCost::Minimal,
            checkpoint: true,
            budget: Budget::unlimited(),
        };
        let heads = HeadOptions {
            file: None,
            accept_rollback,
        };
        Organizations::open_with(&options, &heads)
    }

    /// Starts on a copy of these files and audits it.
    pub(crate) fn judge(&self, files: &Files) -> Verdict {
        let place = self.lay_out(files);
        let organizations = match self.open(&place, false) {
            Ok(organizations) => organizations,
            Err(error) => return Verdict::Noticed(error.to_string()),
        };
        let mut noticed = None;
        for original in &self.organizations {
            let Some(organization) = organizations.get(&original.id) else {
                let mut listed = organizations.list().into_iter();
                let listed = listed.find(|summary| summary.id == original.id);
                return match listed.and_then(|summary| summary.unavailable) {
                    Some(why) => Verdict::Noticed(why),
                    None => Verdict::Passed(format!("{} is gone", original.id)),
                };
            };
            let store = organization.store();
            match store.audit(&VerifyOptions::default()) {
                Err(error) => return Verdict::Noticed(error.to_string()),
                Ok(report) if !report.is_sound() => {
                    let findings = report.chain.findings.iter().map(ToString::to_string);
                    let what = findings.collect::<Vec<_>>().join(", ");
                    return Verdict::Noticed(format!("{what} {:?}", report.state));
                }
                Ok(report) if report.state != StateCheck::Same => {
                    return Verdict::Passed(format!("{:?}", report.state));
                }
                Ok(report) => noticed = noticed.or(report.discarded),
            }
            if let Some(what) = store.snapshot().difference(&original.snapshot) {
                return Verdict::Passed(what);
            }
            if keys_of(&organization) != original.keys {
                return Verdict::Passed("the keys are others".to_owned());
            }
        }
        noticed.map_or(Verdict::Unchanged, Verdict::Noticed)
    }
}

fn original(organization: &Arc<Organization>) -> Original {
    Original {
        id: organization.id().clone(),
        snapshot: organization.store().snapshot(),
        keys: keys_of(organization),
    }
}

/// Everything by which the keys of an organization can be told from others.
fn keys_of(organization: &Organization) -> Vec<String> {
    let vault = organization.vault();
    let ids = |keys: &durward_vault::TokenKeys| -> Vec<String> {
        keys.public_keys().map(|(id, _)| id.to_owned()).collect()
    };
    let mut all = ids(&vault.token_keys());
    all.extend(ids(&vault.grant_keys()));
    all.push(vault.head_key().key_id());
    all.push(format!(
        "{:?} {:?}",
        vault.id_secret(),
        vault.derive_key("x")
    ));
    all.push(vault.generation().to_string());
    all
}

fn read(place: &Path) -> Files {
    fn visit(folder: &Path, place: &Path, files: &mut Files) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, place, files);
            } else {
                let name = path.strip_prefix(place).unwrap().to_str().unwrap();
                files.insert(name.to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    let mut files = Files::new();
    visit(place, place, &mut files);
    files
}
