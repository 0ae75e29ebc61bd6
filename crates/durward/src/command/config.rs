// SPDX-License-Identifier: Apache-2.0
//! `durward config`

use crate::arguments::ConfigCommand;
use crate::config::Configuration;

/// Checks a configuration file, or prints the reference.
pub(crate) fn run(command: &ConfigCommand) -> anyhow::Result<()> {
    match command {
        ConfigCommand::Check { file } => {
            Configuration::load(Some(file))?;
            println!("{} is usable", file.display());
        }
        ConfigCommand::Reference => print!("{}", Configuration::reference()?),
    }
    Ok(())
}
