// SPDX-License-Identifier: Apache-2.0

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use durward_policy::Right;
use durward_vault::{Secret, token};
use serde_json::{Value, json};

use super::*;
use crate::IdentityError;

#[test]
fn init_prints_exactly_the_agreed_fields() {
    let world = World::new();
    let printed = serde_json::to_value(&world.output).unwrap();
    fn shape(value: &Value) -> Value {
        match value {
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| (name.clone(), shape(value)))
                .collect(),
            Value::String(text) => (!text.is_empty()).into(),
            other => panic!("{other}"),
        }
    }
    let expected = json!({
        "org": {"id": true, "name": true},
        "admin": {"id": true, "email": true, "password": true},
        "api_token": true,
        "strongdm": {"access_key": true, "secret_key": true},
        "cyral": {"client_id": true, "client_secret": true},
        "jupiterone": {"account": true, "api_key": true},
        "opencti": {"token": true},
        "sonrai": {"token": true}
    });
    assert_eq!(shape(&printed), expected);
    assert_eq!(printed["org"]["name"], "Acme");
    assert_eq!(printed["admin"]["email"], "admin@example.com");
    assert!(!format!("{:?}", world.output).contains(&world.output.opencti.token));
    let mode = fs::metadata(world.key_file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn every_first_credential_works_after_a_restart_with_full_rights() {
    let world = World::new();
    let organizations = world.open();
    let output = &world.output;
    for token in [
        &output.api_token,
        &output.jupiterone.api_key,
        &output.opencti.token,
        &output.sonrai.token,
    ] {
        let caller = world.token(&organizations, token);
        assert_eq!(caller.account().unwrap().to_hex(), output.admin.id);
        assert_eq!(caller.organization().id().as_str(), output.org.id);
        assert_eq!(caller.organization_name(), "Acme");
        assert!(Right::all().all(|right| caller.may(right)));
        assert_eq!(caller.row_condition(), None);
    }
    let presented = Presented::default();
    let now = world.now();
    let cyral = |secret: &str| {
        organizations.authenticate_client(&presented, &output.cyral.client_id, secret, now)
    };
    assert!(
        cyral(&output.cyral.client_secret)
            .unwrap()
            .may(Right::READ_AUDIT)
    );
    assert_eq!(cyral("other").unwrap_err().reason(), "wrong_secret");
    let strongdm =
        |key: &str, secret: &str| super::signed::sign_in(&world, &organizations, key, secret);
    let (key, secret) = (&output.strongdm.access_key, &output.strongdm.secret_key);
    assert!(key.strip_prefix("auth-").is_some_and(|hex| hex.len() == 16));
    assert!(
        strongdm(key, secret)
            .unwrap()
            .may(Right::MANAGE_ORGANIZATION)
    );
    assert_eq!(strongdm(key, "other").unwrap_err().reason(), "wrong_secret");
    assert_eq!(
        strongdm("auth-0000000000000000", secret)
            .unwrap_err()
            .reason(),
        "unknown"
    );

    let organization = organizations.find("Acme").unwrap();
    let log_in = |email: &str, password: &str| {
        organization.account_of_password(email, &Secret::new(password.to_owned()))
    };
    let admin = log_in("Admin@Example.com", &output.admin.password).unwrap();
    assert_eq!(admin.to_hex(), output.admin.id);
    assert_eq!(log_in("admin@example.com", "wrong"), None);
    assert_eq!(log_in("nobody@example.com", &output.admin.password), None);
}

#[test]
fn sonrai_tokens_carry_the_claims_that_its_clients_index() {
    let world = World::new();
    let claims = token::unverified_claims(&world.output.sonrai.token).unwrap();
    assert_eq!(claims["iss"], "Sonrai");
    assert_eq!(
        claims["https://sonraisecurity.com/org"],
        world.output.org.id
    );
    assert_eq!(
        claims["https://sonraisecurity.com/orgs"],
        json!([world.output.org.id])
    );
    assert_eq!(claims["https://sonraisecurity.com/env"], "production");
    assert_eq!(
        claims["aud"],
        "production-graphql-server.sonraisecurity.com"
    );
    let start = START.as_millis() / 1000;
    assert_eq!(claims["iat"], start);
    assert_eq!(claims["nbf"], start);
    assert_eq!(claims["exp"], start + 30 * DAY_SECONDS);
    assert!(token::has_token_shape(&world.output.sonrai.token));
}

#[test]
fn a_failed_init_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(START));
    let data = folder.path().join("data");
    let key = folder.path().join("data.key");
    let entries = || fs::read_dir(folder.path()).unwrap().count();

    let mut wrong = init_options(data.clone(), &clock);
    wrong.admin_email = "no body".to_owned();
    assert!(matches!(init(&wrong), Err(IdentityError::Input { .. })));
    assert_eq!(entries(), 0);

    let heads = folder.path().join("heads");
    fs::write(&heads, "those of another folder").unwrap();
    let mut wrong = init_options(data.clone(), &clock);
    wrong.head_file = Some(heads.clone());
    let error = init(&wrong).unwrap_err().to_string();
    assert!(error.contains("speaks of another data folder"), "{error}");
    assert_eq!(entries(), 1, "only the file that was there");
    fs::remove_file(&heads).unwrap();

    fs::write(&key, "mine").unwrap();
    assert!(init(&init_options(data.clone(), &clock)).is_err());
    assert_eq!(fs::read_to_string(&key).unwrap(), "mine");
    assert_eq!(entries(), 1, "only the key that was there");

    fs::remove_file(&key).unwrap();
    fs::create_dir(&data).unwrap();
    fs::write(data.join("file"), "").unwrap();
    let error = init(&init_options(data.clone(), &clock)).unwrap_err();
    assert!(
        matches!(error, IdentityError::FolderNotEmpty { .. }),
        "{error}"
    );
    assert!(!key.exists());
    fs::remove_file(data.join("file")).unwrap();
    init(&init_options(data.clone(), &clock)).unwrap();
    let again = init(&init_options(data, &clock)).unwrap_err();
    assert!(
        matches!(again, IdentityError::FolderNotEmpty { .. }),
        "{again}"
    );
}

#[test]
fn folders_that_are_none_are_named() {
    let world = World::new();
    let mut options = world.open_options();
    let first = world.open();
    let locked = Organizations::open(&options).unwrap_err();
    assert!(locked.to_string().contains("process"), "{locked}");
    drop(first);

    let format = world.data().join("format");
    fs::write(&format, "durward data folder 2\n").unwrap();
    let newer = Organizations::open(&options).unwrap_err();
    assert!(
        matches!(newer, IdentityError::FormatTooNew { .. }),
        "{newer}"
    );
    fs::remove_file(&format).unwrap();
    let unfinished = Organizations::open(&options).unwrap_err();
    assert!(
        matches!(unfinished, IdentityError::NotADataFolder { .. }),
        "{unfinished}"
    );
    options.data = world.folder.path().join("nowhere");
    let missing = Organizations::open(&options).unwrap_err();
    assert!(
        matches!(missing, IdentityError::NotADataFolder { .. }),
        "{missing}"
    );
}

#[test]
fn organizations_come_and_go() {
    let world = World::new();
    let leftover = world.data().join("organizations/.new-0123456789abcdef");
    fs::create_dir(&leftover).unwrap();
    let organizations = world.open();
    assert!(!leftover.exists());

    let taken = organizations.create("Acme", "b@example.com").unwrap_err();
    assert!(matches!(taken, IdentityError::OrganizationExists { .. }));
    let other = organizations.create(" Beta ", "b@example.com").unwrap();
    assert_eq!(other.org.name, "Beta");
    let names = |organizations: &Organizations| -> Vec<String> {
        organizations
            .list()
            .into_iter()
            .map(|summary| summary.name)
            .collect()
    };
    assert_eq!(names(&organizations), ["Acme", "Beta"]);
    assert!(organizations.find_or_only(None).is_err());
    assert!(organizations.find_or_only(Some("Gamma")).is_err());
    let caller = world.token(&organizations, &other.opencti.token);
    assert_eq!(caller.organization().id().as_str(), other.org.id);
    drop(caller);

    organizations.set_suspended("Beta", true).unwrap();
    assert_eq!(
        world.refusal(&organizations, &other.opencti.token),
        "organization_suspended"
    );
    assert!(
        world
            .try_token(&organizations, &world.output.opencti.token)
            .is_ok()
    );
    organizations.close().unwrap();
    drop(organizations);

    let organizations = world.open();
    assert!(organizations.list()[1].suspended);
    assert_eq!(
        world.refusal(&organizations, &other.api_token),
        "organization_suspended"
    );
    organizations.set_suspended(&other.org.id, false).unwrap();
    assert!(world.try_token(&organizations, &other.api_token).is_ok());
    organizations.delete("Beta").unwrap();
    assert_eq!(names(&organizations), ["Acme"]);
    assert_eq!(
        world.refusal(&organizations, &other.opencti.token),
        "unknown"
    );
    assert_eq!(world.refusal(&organizations, &other.api_token), "unknown");
    assert_eq!(
        fs::read_dir(world.data().join("organizations"))
            .unwrap()
            .count(),
        1
    );
    drop(organizations);
    assert_eq!(names(&world.open()), ["Acme"]);
}

#[test]
fn a_backup_of_a_folder_in_use_restores_with_the_master_key() {
    let world = World::new();
    let organizations = world.open();
    organizations.create("Beta", "b@example.com").unwrap();
    let (backup, restored) = (
        world.folder.path().join("backup"),
        world.folder.path().join("restored"),
    );
    let copied = crate::backup_folder(&world.data(), &backup).unwrap();
    assert_eq!(copied.len(), 2);
    let error = crate::backup_folder(&world.data(), &backup).unwrap_err();
    assert!(
        matches!(error, IdentityError::FolderNotEmpty { .. }),
        "{error}"
    );
    let error = crate::backup_folder(&world.folder.path().join("none"), &restored).unwrap_err();
    assert!(
        matches!(error, IdentityError::NotADataFolder { .. }),
        "{error}"
    );
    assert!(!restored.exists());
    drop(organizations);

    assert_eq!(crate::restore_folder(&backup, &restored).unwrap(), copied);
    let mut options = world.open_options();
    options.data = restored;
    let error = Organizations::open(&options).unwrap_err();
    assert!(
        error.to_string().contains("restored.key is missing"),
        "{error}"
    );
    options.master_key_file = Some(world.key_file());
    let organizations = Organizations::open(&options).unwrap();
    assert_eq!(organizations.list().len(), 2);
    assert!(
        world
            .try_token(&organizations, &world.output.api_token)
            .is_ok()
    );
    let organization = organizations.find("Acme").unwrap();
    assert!(organization.store().verify().unwrap().is_sound());
}

#[test]
fn every_file_of_a_folder_in_use_and_of_a_backup_is_the_owners_alone() {
    fn check(path: &std::path::Path, count: &mut usize) {
        let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let private = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, private, "{}", path.display());
        *count += 1;
        if path.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                check(&entry.unwrap().path(), count);
            }
        }
    }
    let world = World::new();
    // As an earlier release left it, or a careless copy.
    for entry in fs::read_dir(world.data()).unwrap() {
        let path = entry.unwrap().path();
        let mode = if path.is_dir() { 0o755 } else { 0o644 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let organizations = world.open();
    let (backup, restored) = (
        world.folder.path().join("backup"),
        world.folder.path().join("restored"),
    );
    organizations
        .find("Acme")
        .unwrap()
        .store()
        .checkpoint()
        .unwrap();
    crate::backup_folder(&world.data(), &backup).unwrap();
    crate::restore_folder(&backup, &restored).unwrap();
    let mut count = 0;
    for path in [world.data(), backup, restored] {
        check(&path, &mut count);
    }
    check(&world.key_file(), &mut count);
    check(&world.folder.path().join("data.head"), &mut count);
    assert!(count > 20, "only {count} files and folders");
}
