// SPDX-License-Identifier: Apache-2.0
//! `durward schema`

use durward_dialect_graphql::contracts;

use crate::arguments::{SchemaArguments, SchemaName};

/// Prints a schema in the GraphQL schema language.
pub(crate) fn run(arguments: &SchemaArguments) {
    let text = match arguments.name {
        SchemaName::Durward => contracts::DURWARD,
        SchemaName::Jupiterone => contracts::JUPITERONE,
        SchemaName::Opencti => contracts::OPENCTI,
        SchemaName::Sonrai => contracts::SONRAI,
    };
    print!("{text}");
}
