// SPDX-License-Identifier: Apache-2.0
//! `durward keys`

use durward_identity::SigningKey;

use crate::arguments::{DataFolder, KeysCommand, KeysRetireArguments, SigningKeyName};
use crate::offline;

/// Rotates the master key, or retires a signing key.
pub(crate) fn run(command: &KeysCommand) -> anyhow::Result<()> {
    match command {
        KeysCommand::Rotate(folder) => rotate(folder),
        KeysCommand::Retire(arguments) => retire(arguments),
    }
}

fn rotate(folder: &DataFolder) -> anyhow::Result<()> {
    let organizations = offline::open(&folder.data)?;
    let fingerprint = organizations.rotate_master_key()?;
    organizations.close()?;
    println!("the new master key is {fingerprint}; every data key is wrapped with it");
    Ok(())
}

fn retire(arguments: &KeysRetireArguments) -> anyhow::Result<()> {
    let organizations = offline::open(&arguments.data)?;
    let (key, what, then) = match arguments.key {
        SigningKeyName::Token => (
            SigningKey::Token,
            "token",
            "every API token and Sonrai token of before has ended",
        ),
        SigningKeyName::Grant => (
            SigningKey::Grant,
            "grant",
            "every token granted to a Cyral client before has ended",
        ),
        SigningKeyName::Head => (
            SigningKey::Head,
            "head",
            "heads that it signed stay good, and it signs no others",
        ),
    };
    let retired = organizations.retire_key(arguments.org.as_deref(), key)?;
    organizations.close()?;
    println!(
        "{}: {what} key {} follows {}; {then}",
        retired.organization, retired.new, retired.old
    );
    Ok(())
}
