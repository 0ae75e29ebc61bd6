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
