// SPDX-License-Identifier: Apache-2.0
//! `durward backup` and `durward restore`

use durward_identity::{BackedUp, backup_folder, restore_folder};

use crate::arguments::{BackupArguments, RestoreArguments};

/// Copies a data folder while a server may be using it.
pub(crate) fn backup(arguments: &BackupArguments) -> anyhow::Result<()> {
    let copied = backup_folder(&arguments.data, &arguments.to)?;
    print(&copied, "backed up");
    println!(
        "the master key is not part of the backup: keep a copy of {}.key elsewhere",
        arguments.data.display()
    );
    Ok(())
}

/// Lays a backup out as a data folder.
pub(crate) fn restore(arguments: &RestoreArguments) -> anyhow::Result<()> {
    let copied = restore_folder(&arguments.from, &arguments.data)?;
    print(&copied, "restored");
    println!(
        "next: put the master key at {0}.key, then: durward audit verify --data {0}",
        arguments.data.display()
    );
    Ok(())
}

fn print(copied: &[BackedUp], what: &str) {
    for organization in copied {
        println!(
            "{} {what} up to transaction {}",
            organization.id, organization.head.sequence.0
        );
    }
}
