// SPDX-License-Identifier: Apache-2.0
//! All organizations of a data folder.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use durward_budget::{Budget, Share};
use durward_catalog::Catalog;
use durward_model::Clock;
use durward_vault::MasterKeys;
use parking_lot::{Mutex, RwLock};

use crate::authenticate::Remembered;
use crate::data_folder::DataFolder;
use crate::first::{InitOutput, make_organization, system};
use crate::heads::KnownHeads;
use crate::organization::Shared;
use crate::{HeadOptions, IdentityError, Organization, OrganizationId, PasswordCost, names};

/// How to open a data folder.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// The folder.
    pub data: PathBuf,
    /// Master key file, when it does not lie beside the folder.
    pub master_key_file: Option<PathBuf>,
    /// Where the present comes from.
    pub clock: Arc<dyn Clock>,
    /// What is known about types.
    pub catalog: Arc<Catalog>,
    /// How hard new passwords are to guess.
    pub password_cost: PasswordCost,
    /// Whether stores write checkpoints.
    pub checkpoint: bool,
    /// What callers may make the process hold.
    pub budget: Budget,
}

/// The organizations of a data folder, which this process holds until this is dropped.
pub struct Organizations {
    folder: DataFolder,
    shared: RwLock<Shared>,
    open: RwLock<BTreeMap<OrganizationId, Arc<Organization>>>,
    /// Those that cannot be opened, and why.
    unavailable: BTreeMap<OrganizationId, String>,
    remembered: Remembered,
    /// Held by commands that make, delete or rewrap organizations.
    changing: Mutex<()>,
}

/// An organization as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationSummary {
    /// Its id.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// Whether its credentials are refused.
    pub suspended: bool,
    /// Why it cannot be opened, if it cannot; its name is not known then.
    pub unavailable: Option<String>,
}

impl Organizations {
    /// Opens a data folder and the organizations in it. One that cannot be opened does not stop the
    /// others: it is reported, and unavailable. When none can be, that is an error.
    pub fn open(options: &OpenOptions) -> Result<Self, IdentityError> {
        Self::open_with(options, &HeadOptions::default())
    }

    /// As [`Organizations::open`], and says where heads are remembered and what an older copy of
    /// the data means.
    pub fn open_with(options: &OpenOptions, heads: &HeadOptions) -> Result<Self, IdentityError> {
        let (organizations, first_error) = Self::open_some(options, heads)?;
        match first_error {
            Some(error) if organizations.open.read().is_empty() => Err(error),
            _ => Ok(organizations),
        }
    }

    /// As [`Organizations::open_with`], also when no organization can be opened: for listing them.
    pub fn open_any(options: &OpenOptions, heads: &HeadOptions) -> Result<Self, IdentityError> {
        Ok(Self::open_some(options, heads)?.0)
    }

    fn open_some(
        options: &OpenOptions,
        heads: &HeadOptions,
    ) -> Result<(Self, Option<IdentityError>), IdentityError> {
        // The folder first: pointing at the wrong one is a likelier mistake than a lost key.
        let folder = DataFolder::open(&options.data)?;
        let key_file = MasterKeys::path_for(&options.data, options.master_key_file.as_deref())?;
        let shared = Shared {
            master: Arc::new(MasterKeys::load(&key_file)?),
            clock: Arc::clone(&options.clock),
            catalog: Arc::clone(&options.catalog),
            password_cost: options.password_cost,
            checkpoint: options.checkpoint,
            heads: Arc::new(KnownHeads::load(&options.data, heads)?),
            budget: options.budget.clone(),
        };
        let mut open = BTreeMap::new();
        let mut unavailable = BTreeMap::new();
        let mut first_error = None;
        let ids = folder.organizations()?;
        let mut opened: Vec<_> = shared.heads.missing(&ids);
        opened.extend(ids.into_iter().map(|id| {
            let organization = Organization::open(&folder.organization(&id), &id, &shared);
            (id, organization)
        }));
        for (id, organization) in opened {
            match organization {
                Ok(organization) => {
                    open.insert(id, Arc::new(organization));
                }
                Err(error) => {
                    let reason = sentence(&error);
                    tracing::error!(
                        org_id = %id,
                        reason,
                        "an organization cannot be opened and is unavailable; the others are not \
                         affected"
                    );
                    unavailable.insert(id, reason);
                    first_error.get_or_insert(error);
                }
            }
        }
        let organizations = Self {
            folder,
            shared: RwLock::new(shared),
            open: RwLock::new(open),
            unavailable,
            remembered: Remembered::default(),
            changing: Mutex::new(()),
        };
        Ok((organizations, first_error))
    }

    /// Whether an organization, or any where none is named, is there and cannot be opened.
    pub(crate) fn is_unavailable(&self, id: Option<&OrganizationId>) -> bool {
        match id {
            Some(id) => self.unavailable.contains_key(id),
            None => !self.unavailable.is_empty(),
        }
    }

    /// The organization of this id.
    pub fn get(&self, id: &OrganizationId) -> Option<Arc<Organization>> {
        self.open.read().get(id).cloned()
    }

    /// The organization of this id or name.
    pub fn find(&self, name: &str) -> Option<Arc<Organization>> {
        if let Some(found) = OrganizationId::parse(name).and_then(|id| self.get(&id)) {
            return Some(found);
        }
        self.all()
            .into_iter()
            .find(|organization| organization.name() == name)
    }

    /// The organization of this id or name, or the only one when none is named.
    pub fn find_or_only(&self, name: Option<&str>) -> Result<Arc<Organization>, IdentityError> {
        if let Some(name) = name {
            let missing = || self.missing(name);
            return self.find(name).ok_or_else(missing);
        }
        let mut all = self.all();
        let is_alone = all.len() + self.unavailable.len() == 1;
        match (all.pop(), is_alone) {
            (Some(only), true) => Ok(only),
            (None, _) => Err(IdentityError::NotFound {
                what: "organization",
            }),
            (Some(_), false) => Err(IdentityError::input(
                "the organization",
                "must be named, because the data folder holds several",
            )),
        }
    }

    /// The share that all callers have together who have not proven who they are.
    pub fn strangers(&self) -> Share {
        self.shared.read().budget.strangers()
    }

    /// Why there is no open organization of this id or name.
    fn missing(&self, name: &str) -> IdentityError {
        let reason = OrganizationId::parse(name).and_then(|id| self.unavailable.get(&id));
        match reason {
            Some(reason) => IdentityError::OrganizationUnavailable {
                name: name.to_owned(),
                reason: reason.clone(),
            },
            None => IdentityError::OrganizationNotFound {
                name: name.to_owned(),
            },
        }
    }

    /// All organizations that are open, ordered by id.
    pub fn all(&self) -> Vec<Arc<Organization>> {
        self.open.read().values().cloned().collect()
    }

    /// All organizations as lists show them, ordered by name.
    pub fn list(&self) -> Vec<OrganizationSummary> {
        let summary = |organization: &Arc<Organization>| OrganizationSummary {
            id: organization.id().clone(),
            name: organization.name(),
            suspended: organization.is_suspended(),
            unavailable: None,
        };
        let mut list: Vec<OrganizationSummary> = self.all().iter().map(summary).collect();
        list.extend(
            self.unavailable
                .iter()
                .map(|(id, why)| OrganizationSummary {
                    id: id.clone(),
                    name: String::new(),
                    suspended: false,
                    unavailable: Some(why.clone()),
                }),
        );
        list.sort_by(|left, right| left.name.cmp(&right.name).then(left.id.cmp(&right.id)));
        list
    }

    /// Makes an organization with its first credentials.
    pub fn create(&self, name: &str, admin_email: &str) -> Result<InitOutput, IdentityError> {
        let _changing = self.changing.lock();
        let name = names::name("the name of the organization", name.trim())?;
        let email = names::email(admin_email)?;
        if self.find(&name).is_some() {
            return Err(IdentityError::OrganizationExists { name });
        }
        let shared = self.shared.read().clone();
        let (id, output) = make_organization(&self.folder, &shared, &name, &email)?;
        let organization = Organization::open(&self.folder.organization(&id), &id, &shared)?;
        self.open.write().insert(id, Arc::new(organization));
        Ok(output)
    }

    /// Refuses or accepts the credentials of an organization from the next request on.
    pub fn set_suspended(&self, name: &str, suspended: bool) -> Result<(), IdentityError> {
        let organization = self.find_or_only(Some(name))?;
        let activity = if suspended {
            "organization suspended"
        } else {
            "organization resumed"
        };
        organization.set_suspended(system(activity), suspended)
    }

    /// Deletes an organization and everything it holds.
    pub fn delete(&self, name: &str) -> Result<(), IdentityError> {
        let _changing = self.changing.lock();
        let broken = OrganizationId::parse(name).filter(|id| self.unavailable.contains_key(id));
        if let Some(id) = broken {
            // It cannot be opened, and need not be.
            self.shared.read().heads.forget(&id);
            return self.folder.remove_organization(&id);
        }
        let organization = self.find_or_only(Some(name))?;
        let id = organization.id().clone();
        self.open.write().remove(&id);
        self.forget_credentials();
        organization.close()?;
        drop(organization);
        self.shared.read().heads.forget(&id);
        self.folder.remove_organization(&id)
    }

    /// Makes a new master key and wraps every data key under it; finishes a rotation that was cut
    /// off. The old key leaves the key file only when nothing needs it any more. Returns the
    /// fingerprint of the new key.
    pub fn rotate_master_key(&self) -> Result<String, IdentityError> {
        let _changing = self.changing.lock();
        // The old key would go, and with it what the data keys of that organization are under.
        if let Some((id, reason)) = self.unavailable.first_key_value() {
            return Err(IdentityError::OrganizationUnavailable {
                name: id.to_string(),
                reason: reason.clone(),
            });
        }
        let master = Arc::clone(&self.shared.read().master);
        let rotating = Arc::new(master.begin_rotation()?);
        self.shared.write().master = Arc::clone(&rotating);
        let organizations = self.all();
        for organization in &organizations {
            organization.vault().rewrap(&rotating)?;
        }
        let finished = Arc::new(rotating.finish_rotation()?);
        for organization in &organizations {
            organization.vault().use_master(&finished);
        }
        let fingerprint = finished.fingerprint().to_owned();
        self.shared.write().master = finished;
        Ok(fingerprint)
    }

    /// Makes a new token key in an organization. With `retire`, every token that an older key
    /// signed ends now.
    pub fn rotate_token_key(&self, name: &str, retire: bool) -> Result<(), IdentityError> {
        let organization = self.find_or_only(Some(name))?;
        organization.vault().add_token_key()?;
        if retire {
            organization.vault().retire_old_token_keys()?;
            self.forget_credentials();
        }
        Ok(())
    }

    /// Closes every organization in good order; one that cannot be closed stops no other.
    pub fn close(&self) -> Result<(), IdentityError> {
        let organizations = std::mem::take(&mut *self.open.write());
        self.forget_credentials();
        let mut result = Ok(());
        for organization in organizations.values() {
            // One that fails does not keep the others from being closed.
            result = result.and(organization.close());
        }
        result
    }

    /// The folder of an organization, whether it could be opened or not.
    pub fn folder_of(&self, id: &OrganizationId) -> PathBuf {
        self.folder.organization(id)
    }

    /// Fingerprint of the master key in use.
    pub fn master_key_fingerprint(&self) -> String {
        self.shared.read().master.fingerprint().to_owned()
    }

    pub(crate) fn remembered(&self) -> &Remembered {
        &self.remembered
    }
}

/// An error with its causes, in one sentence.
fn sentence(error: &IdentityError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

impl fmt::Debug for Organizations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.open.read().len();
        formatter
            .debug_struct("Organizations")
            .field("open", &open)
            .finish_non_exhaustive()
    }
}
