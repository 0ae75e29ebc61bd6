// SPDX-License-Identifier: Apache-2.0
//! `durward init`

use std::sync::Arc;

use durward_catalog::Catalog;
use durward_identity::{InitOptions, InitOutput, PasswordCost, init};

use crate::arguments::InitArguments;
use crate::offline;

/// Makes a data folder and prints the first credentials.
pub(crate) fn run(arguments: &InitArguments) -> anyhow::Result<()> {
    let output = init(&InitOptions {
        data: arguments.data.clone(),
        master_key_file: offline::master_key_file(),
        head_file: offline::head_file(),
        organization: arguments.org.clone(),
        admin_email: arguments.admin.clone(),
        clock: offline::clock(),
        catalog: Arc::new(Catalog::built_in()?),
        password_cost: PasswordCost::default(),
    })?;
    print(&output, arguments.json)?;
    if !arguments.json {
        println!("\nnext: durward serve --data {}", arguments.data.display());
    }
    Ok(())
}

/// Prints first credentials, which nothing shows again.
pub(super) fn print(output: &InitOutput, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        println!("{}", serde_json::to_string(output)?);
        return Ok(());
    }
    let json = serde_json::to_value(output)?;
    println!("These credentials are shown once. Keep them now.\n");
    let lines = [
        ("organization", "/org/name"),
        ("organization id", "/org/id"),
        ("administrator", "/admin/email"),
        ("password", "/admin/password"),
        ("API token", "/api_token"),
        ("StrongDM access key", "/strongdm/access_key"),
        ("StrongDM secret key", "/strongdm/secret_key"),
        ("Cyral client id", "/cyral/client_id"),
        ("Cyral client secret", "/cyral/client_secret"),
        ("JupiterOne account", "/jupiterone/account"),
        ("JupiterOne API key", "/jupiterone/api_key"),
        ("OpenCTI token", "/opencti/token"),
        ("Sonrai token", "/sonrai/token"),
    ];
    for (name, pointer) in lines {
        let value = json.pointer(pointer).and_then(serde_json::Value::as_str);
        println!("{name:<20} {}", value.unwrap_or_default());
    }
    Ok(())
}
