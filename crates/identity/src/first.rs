// SPDX-License-Identifier: Apache-2.0
//! The first credentials of an organization, and the making of a data folder.

pub(crate) mod objects;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use durward_budget::Budget;
use durward_catalog::Catalog;
use durward_graph::store::{Operation, Target};
use durward_model::transaction::Origin;
use durward_model::{Clock, Instant, ObjectId};
use durward_policy::AccessPolicy;
use durward_vault::{MasterKeys, Secret};
use serde::Serialize;

use self::objects::{
    account_operations, built_in_operations, jupiterone_account_operation, organization_operation,
    role_operation,
};
use crate::data_folder::DataFolder;
use crate::heads::KnownHeads;
use crate::issue::{Maker, NewCredential};
use crate::organization::Shared;
use crate::{
    CredentialKind, IdentityError, Organization, OrganizationId, PasswordCost, names, password,
    roles,
};

/// How long the tokens of a new organization are valid, in seconds (30 days).
const TOKEN_SECONDS: i64 = 30 * 24 * 3600;

/// What `init` needs to know.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// Folder to make; absent or empty.
    pub data: PathBuf,
    /// Master key file, when it is not to lie beside the folder.
    pub master_key_file: Option<PathBuf>,
    /// File in which heads will be remembered, when it is not to lie beside the folder. It must not
    /// be there yet: it would speak of another folder.
    pub head_file: Option<PathBuf>,
    /// Name of the first organization.
    pub organization: String,
    /// E-mail address of its first administrator.
    pub admin_email: String,
    /// Where the present comes from.
    pub clock: Arc<dyn Clock>,
    /// What is known about types.
    pub catalog: Arc<Catalog>,
    /// How hard passwords are to guess.
    pub password_cost: PasswordCost,
}

/// The first credentials. They are here once; what is stored cannot show them again.
#[derive(Serialize)]
pub struct InitOutput {
    /// The organization.
    pub org: InitOrganization,
    /// Its administrator, who owns all the credentials.
    pub admin: InitAdmin,
    /// Bearer token of the native interface.
    pub api_token: String,
    /// For StrongDM's clients.
    pub strongdm: InitStrongdm,
    /// For Cyral's clients.
    pub cyral: InitCyral,
    /// For JupiterOne's clients.
    pub jupiterone: InitJupiterone,
    /// For OpenCTI's clients.
    pub opencti: InitToken,
    /// For Sonrai's clients.
    pub sonrai: InitToken,
}

/// The organization of an [`InitOutput`].
#[derive(Serialize)]
pub struct InitOrganization {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// The administrator of an [`InitOutput`].
#[derive(Serialize)]
pub struct InitAdmin {
    /// Id of the account.
    pub id: String,
    /// Its e-mail address.
    pub email: String,
    /// Its password.
    pub password: String,
}

/// Access key and secret for StrongDM's clients.
#[derive(Serialize)]
pub struct InitStrongdm {
    /// Public half.
    pub access_key: String,
    /// Secret half, in base64.
    pub secret_key: String,
}

/// Client credentials for Cyral's clients.
#[derive(Serialize)]
pub struct InitCyral {
    /// Public half.
    pub client_id: String,
    /// Secret half.
    pub client_secret: String,
}

/// Account and key for JupiterOne's clients.
#[derive(Serialize)]
pub struct InitJupiterone {
    /// Value of the account header.
    pub account: String,
    /// Bearer token.
    pub api_key: String,
}

/// One bearer token.
#[derive(Serialize)]
pub struct InitToken {
    /// The token.
    pub token: String,
}

macro_rules! hidden_debug {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}
hidden_debug!(
    InitOutput,
    InitOrganization,
    InitAdmin,
    InitStrongdm,
    InitCyral,
    InitJupiterone,
    InitToken
);

/// Makes a data folder with its master key and first organization. When it fails, nothing stays.
pub fn init(options: &InitOptions) -> Result<InitOutput, IdentityError> {
    let name = names::name("the name of the organization", options.organization.trim())?;
    let email = names::email(&options.admin_email)?;
    let key_file = MasterKeys::path_for(&options.data, options.master_key_file.as_deref())?;
    let head_file = KnownHeads::path_for(&options.data, options.head_file.as_deref())?;
    if options.head_file.is_some() && head_file.exists() {
        let why = format!("{} speaks of another data folder", head_file.display());
        return Err(IdentityError::input("the file of remembered heads", why));
    }
    let (folder, mut undo) = DataFolder::prepare(&options.data)?;
    let master = Arc::new(MasterKeys::create(&key_file)?);
    undo.with_key(&key_file);
    let shared = Shared {
        master,
        clock: Arc::clone(&options.clock),
        catalog: Arc::clone(&options.catalog),
        password_cost: options.password_cost,
        checkpoint: true,
        heads: Arc::new(KnownHeads::none()),
        budget: Budget::unlimited(),
    };
    let (_, output) = make_organization(&folder, &shared, &name, &email)?;
    folder.finish()?;
    undo.keep();
    // What is remembered of an earlier folder of this name says nothing about this one.
    let _ = std::fs::remove_file(head_file);
    Ok(output)
}

/// Makes an organization in a data folder; it is there whole or not at all.
pub(crate) fn make_organization(
    folder: &DataFolder,
    shared: &Shared,
    name: &str,
    email: &str,
) -> Result<(OrganizationId, InitOutput), IdentityError> {
    let id = OrganizationId::generate()?;
    let path = folder.begin_organization(&id)?;
    let made = fill_organization(&path, &id, shared, name, email);
    match made {
        Ok(output) => {
            folder.finish_organization(&id)?;
            Ok((id, output))
        }
        Err(error) => {
            // What is left is removed at the next start if it cannot be now.
            let _ = folder.abandon_organization(&id);
            Err(error)
        }
    }
}

fn fill_organization(
    path: &Path,
    id: &OrganizationId,
    shared: &Shared,
    name: &str,
    email: &str,
) -> Result<InitOutput, IdentityError> {
    let organization = Organization::create(path, id, shared)?;
    let password = password::generate()?;
    let admin = make_admin(&organization, name, email, &password)?;
    let output = make_credentials(&organization, admin, name, email, &password)?;
    organization.close()?;
    Ok(output)
}

/// The entity of the organization, the built-in roles and the administrator.
fn make_admin(
    organization: &Organization,
    name: &str,
    email: &str,
    password: &Secret<String>,
) -> Result<ObjectId, IdentityError> {
    let roles = roles::built_in();
    let mut operations = vec![organization_operation(name)];
    operations.extend(
        roles
            .iter()
            .map(|(name, rights)| role_operation(name, *rights)),
    );
    operations.push(jupiterone_account_operation(name));
    let administrator = Target::Result(1);
    let position = operations.len();
    let hash = organization.hash_password(password)?;
    operations.extend(account_operations(
        email,
        Some(hash),
        administrator,
        position,
    )?);
    operations.extend(built_in_operations());
    let receipt = organization.submit(system("organization created"), operations)?;
    let admin = receipt.results.get(position).map(|result| result.id);
    admin.ok_or(IdentityError::NotFound { what: "account" })
}

fn make_credentials(
    organization: &Organization,
    admin: ObjectId,
    name: &str,
    email: &str,
    password: &Secret<String>,
) -> Result<InitOutput, IdentityError> {
    let now = organization.now();
    let mut operations: Vec<Operation> = Vec::new();
    let mut draw = |kind: CredentialKind| -> Result<(String, String), IdentityError> {
        let name = format!("first {}", kind.as_str().replace('_', " "));
        let new = NewCredential {
            policy: (kind.entry().has_policy).then(|| AccessPolicy::ALLOW_ALL.to_owned()),
            expires_at: kind.is_bearer().then(|| expiry(now)),
            ..NewCredential::new(kind, Target::Id(admin), &name)
        };
        let drawn = new.draw(organization, Maker::default(), operations.len(), now)?;
        operations.extend(drawn.operations);
        Ok((
            drawn.public_id.unwrap_or_default(),
            drawn.secret.expose().clone(),
        ))
    };
    let (_, api_token) = draw(CredentialKind::ApiToken)?;
    let (access_key, secret_key) = draw(CredentialKind::StrongdmKey)?;
    let (client_id, client_secret) = draw(CredentialKind::CyralClient)?;
    let (_, api_key) = draw(CredentialKind::JupiteroneApiKey)?;
    let (_, opencti) = draw(CredentialKind::OpenctiToken)?;
    let (_, sonrai) = draw(CredentialKind::SonraiToken)?;
    organization.submit(system("first credentials created"), operations)?;
    let id = organization.id().to_string();
    Ok(InitOutput {
        org: InitOrganization {
            id: id.clone(),
            name: name.to_owned(),
        },
        admin: InitAdmin {
            id: admin.to_hex(),
            email: email.to_owned(),
            password: password.expose().clone(),
        },
        api_token,
        strongdm: InitStrongdm {
            access_key,
            secret_key,
        },
        cyral: InitCyral {
            client_id,
            client_secret,
        },
        jupiterone: InitJupiterone {
            account: id,
            api_key,
        },
        opencti: InitToken { token: opencti },
        sonrai: InitToken { token: sonrai },
    })
}

fn expiry(now: Instant) -> Instant {
    now.plus_seconds(TOKEN_SECONDS)
}

/// Origin of what nobody's credential did.
pub(crate) fn system(activity: &str) -> Origin {
    Origin {
        activity: activity.to_owned(),
        user_agent: "durward".to_owned(),
        ..Origin::default()
    }
}
