// SPDX-License-Identifier: Apache-2.0

use std::fs;

use durward_vault::VaultError;

use super::*;
use crate::IdentityError;

fn strongdm(world: &World, organizations: &Organizations) -> Result<Caller, AuthError> {
    let key = &world.output.strongdm;
    super::signed::sign_in(world, organizations, &key.access_key, &key.secret_key)
}

#[test]
fn a_rotated_master_key_opens_everything_and_the_old_one_nothing() {
    let world = World::new();
    let old = fs::read(world.key_file()).unwrap();
    let organizations = world.open();
    let other = organizations.create("Beta", "b@example.com").unwrap();
    let before = organizations.master_key_fingerprint();
    let after = organizations.rotate_master_key().unwrap();
    assert_ne!(before, after);
    assert!(strongdm(&world, &organizations).is_ok());
    let third = organizations.create("Gamma", "c@example.com").unwrap();
    organizations.close().unwrap();
    drop(organizations);

    let organizations = world.open();
    assert_eq!(organizations.master_key_fingerprint(), after);
    assert!(strongdm(&world, &organizations).is_ok());
    for output in [&world.output, &other, &third] {
        assert!(world.try_token(&organizations, &output.api_token).is_ok());
    }
    drop(organizations);

    fs::write(world.key_file(), old).unwrap();
    let error = Organizations::open(&world.open_options()).unwrap_err();
    assert!(
        matches!(
            error,
            IdentityError::Vault(VaultError::MasterKeyWrong { .. })
        ),
        "{error}"
    );
    fs::remove_file(world.key_file()).unwrap();
    let error = Organizations::open(&world.open_options()).unwrap_err();
    assert!(
        matches!(
            error,
            IdentityError::Vault(VaultError::MasterKeyMissing { .. })
        ),
        "{error}"
    );
}

#[test]
fn a_rotation_that_was_cut_off_is_finished_by_the_next() {
    let world = World::new();
    let master = durward_vault::MasterKeys::load(&world.key_file()).unwrap();
    let rotating = master.begin_rotation().unwrap();
    let organizations = world.open();
    assert!(strongdm(&world, &organizations).is_ok());
    let after = organizations.rotate_master_key().unwrap();
    assert_eq!(after, rotating.fingerprint());
    drop(organizations);
    assert!(
        !durward_vault::MasterKeys::load(&world.key_file())
            .unwrap()
            .is_rotating()
    );
    assert!(strongdm(&world, &world.open()).is_ok());
}

#[test]
fn retired_token_keys_end_their_tokens() {
    let world = World::new();
    let organizations = world.open();
    organizations.rotate_token_key("Acme", false).unwrap();
    assert!(
        world
            .try_token(&organizations, &world.output.api_token)
            .is_ok()
    );
    organizations.rotate_token_key("Acme", true).unwrap();
    assert_eq!(
        world.refusal(&organizations, &world.output.api_token),
        "token"
    );
    assert_eq!(
        world.refusal(&organizations, &world.output.sonrai.token),
        "token"
    );
    assert!(
        world
            .try_token(&organizations, &world.output.opencti.token)
            .is_ok()
    );
}

#[test]
fn a_retired_key_ends_what_it_signed_and_the_journal_says_so() {
    use crate::SigningKey;
    let world = World::new();
    let organizations = world.open();
    let cyral = &world.output.cyral;
    let access = |organizations: &Organizations| {
        let presented = Presented::default();
        let (id, secret) = (&cyral.client_id, &cyral.client_secret);
        let granted = organizations.grant_client_credentials(id, secret, &presented, world.now());
        granted.unwrap().access_token.expose().clone()
    };
    let granted = access(&organizations);
    assert!(world.try_token(&organizations, &granted).is_ok());
    let retired = organizations.retire_key(None, SigningKey::Token).unwrap();
    assert!(retired.organization == "Acme" && retired.old != retired.new);
    for token in [&world.output.api_token, &world.output.sonrai.token] {
        assert_eq!(world.refusal(&organizations, token), "token");
    }
    for token in [
        &granted,
        &world.output.opencti.token,
        &world.output.jupiterone.api_key,
    ] {
        assert!(world.try_token(&organizations, token).is_ok());
    }
    organizations
        .retire_key(Some("Acme"), SigningKey::Grant)
        .unwrap();
    assert_eq!(world.refusal(&organizations, &granted), "token");
    assert!(
        world
            .try_token(&organizations, &access(&organizations))
            .is_ok()
    );
    let head = organizations.retire_key(None, SigningKey::Head).unwrap();
    let organization = organizations.find("Acme").unwrap();
    assert!(organization.store().verify().unwrap().is_sound());
    let noted = organization
        .store()
        .transactions(durward_model::transaction::Sequence(1), 100);
    let noted = noted.unwrap().into_iter().map(|one| one.origin);
    let noted: Vec<_> = noted
        .filter(|origin| origin.activity.ends_with("key retired"))
        .collect();
    let activities: Vec<&str> = noted
        .iter()
        .map(|origin| origin.activity.as_str())
        .collect();
    assert_eq!(
        activities,
        ["token key retired", "grant key retired", "head key retired"]
    );
    let over: durward_vault::HandOver = serde_json::from_str(&noted[2].detail).unwrap();
    assert!(over.is_signed());
    drop(organization);
    organizations.close().unwrap();
    drop(organizations);
    let organizations = world.open();
    assert_eq!(
        world.refusal(&organizations, &world.output.api_token),
        "token"
    );
    let organization = organizations.find("Acme").unwrap();
    assert!(organization.store().verify().unwrap().is_sound());
    let again = organizations.retire_key(None, SigningKey::Head).unwrap();
    assert_eq!(again.old, head.new);
    assert!(organization.store().verify().unwrap().is_sound());
}
