// SPDX-License-Identifier: Apache-2.0
//! `durward schema`

use anyhow::Context as _;
use durward_dialect_jupiterone as jupiterone;
use durward_dialect_native as native;
use durward_dialect_opencti as opencti;
use durward_dialect_sonrai as sonrai;
use durward_graphql::engine::Schema;

use crate::arguments::{SchemaArguments, SchemaName};

/// Prints a schema in the GraphQL schema language, as clients see it.
pub(crate) fn run(arguments: &SchemaArguments) -> anyhow::Result<()> {
    let contract = match arguments.name {
        SchemaName::Durward => native::CONTRACT,
        SchemaName::Jupiterone => jupiterone::CONTRACT,
        SchemaName::Opencti => opencti::CONTRACT,
        SchemaName::Sonrai => sonrai::CONTRACT,
    };
    let text = Schema::public_text(contract, "schema").context("reading the contract")?;
    print!("{text}");
    Ok(())
}
