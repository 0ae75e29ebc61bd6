// SPDX-License-Identifier: Apache-2.0
//! All organizations of a data folder.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use durward_model::{Catalog, Clock};
use durward_vault::MasterKeys;
use parking_lot::{Mutex, RwLock};

use crate::authenticate::Remembered;
use crate::data_folder::DataFolder;
use crate::first::{InitOutput, make_organization, system};
use crate::organization::Shared;
use crate::{IdentityError, Organization, OrganizationId, PasswordCost, names};

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
}

/// The organizations of a data folder, which this process holds until this is dropped.
pub struct Organizations {
    folder: DataFolder,
    shared: RwLock<Shared>,
    open: RwLock<BTreeMap<OrganizationId, Arc<Organization>>>,
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
}

impl Organizations {
    /// Opens a data folder and every organization in it.
    pub fn open(options: &OpenOptions) -> Result<Self, IdentityError> {
        // The folder first: pointing at the wrong one is a likelier mistake than a lost key.
        let folder = DataFolder::open(&options.data)?;
        let key_file = MasterKeys::path_for(&options.data, options.master_key_file.as_deref())?;
        let shared = Shared {
            master: Arc::new(MasterKeys::load(&key_file)?),
            clock: Arc::clone(&options.clock),
            catalog: Arc::clone(&options.catalog),
            password_cost: options.password_cost,
            checkpoint: options.checkpoint,
        };
        let mut open = BTreeMap::new();
        for id in folder.organizations()? {
            let organization = Organization::open(&folder.organization(&id), &id, &shared)?;
            open.insert(id, Arc::new(organization));
        }
        Ok(Self {
            folder,
            shared: RwLock::new(shared),
            open: RwLock::new(open),
            remembered: Remembered::default(),
            changing: Mutex::new(()),
        })
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
            let missing = || IdentityError::OrganizationNotFound {
                name: name.to_owned(),
            };
            return self.find(name).ok_or_else(missing);
        }
        let mut all = self.all();
        match (all.pop(), all.is_empty()) {
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

    /// All organizations, ordered by id.
    pub fn all(&self) -> Vec<Arc<Organization>> {
        self.open.read().values().cloned().collect()
    }

    /// All organizations as lists show them, ordered by name.
    pub fn list(&self) -> Vec<OrganizationSummary> {
        let summary = |organization: &Arc<Organization>| OrganizationSummary {
            id: organization.id().clone(),
            name: organization.name(),
            suspended: organization.is_suspended(),
        };
        let mut list: Vec<OrganizationSummary> = self.all().iter().map(summary).collect();
        list.sort_by(|left, right| left.name.cmp(&right.name).then(left.id.cmp(&right.id)));
        list
    }

    /// Makes an organization with its first credentials.
    pub fn create(&self, name: &str, admin_email: &str) -> Result<InitOutput, IdentityError> {
        let _changing = self.changing.lock();
        let name = names::name("the name of the organization", name)?;
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
        let organization = self.find_or_only(Some(name))?;
        let id = organization.id().clone();
        self.open.write().remove(&id);
        self.forget_credentials();
        organization.close()?;
        drop(organization);
        self.folder.remove_organization(&id)
    }

    /// Makes a new master key and wraps every data key under it; finishes a rotation that was cut
    /// off. The old key leaves the key file only when nothing needs it any more. Returns the
    /// fingerprint of the new key.
    pub fn rotate_master_key(&self) -> Result<String, IdentityError> {
        let _changing = self.changing.lock();
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
        let closed: Vec<_> = organizations.values().map(|one| one.close()).collect();
        closed.into_iter().collect()
    }

    /// Fingerprint of the master key in use.
    pub fn master_key_fingerprint(&self) -> String {
        self.shared.read().master.fingerprint().to_owned()
    }

    pub(crate) fn remembered(&self) -> &Remembered {
        &self.remembered
    }
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
