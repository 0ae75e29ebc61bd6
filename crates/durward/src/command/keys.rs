// SPDX-License-Identifier: Apache-2.0
//! `durward keys`

use crate::arguments::KeysCommand;
use crate::offline;

/// Rotates the master key.
pub(crate) fn run(command: &KeysCommand) -> anyhow::Result<()> {
    let KeysCommand::Rotate(folder) = command;
    let organizations = offline::open(&folder.data)?;
    let fingerprint = organizations.rotate_master_key()?;
    organizations.close()?;
    println!("the new master key is {fingerprint}; every data key is wrapped with it");
    Ok(())
}
