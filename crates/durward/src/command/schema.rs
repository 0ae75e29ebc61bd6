// SPDX-License-Identifier: Apache-2.0
//! `durward schema`

use durward_dialect_jupiterone as jupiterone;
use durward_dialect_native as native;
use durward_dialect_opencti as opencti;
use durward_dialect_sonrai as sonrai;

use crate::arguments::{SchemaArguments, SchemaName};

/// Prints a schema in the GraphQL schema language.
pub(crate) fn run(arguments: &SchemaArguments) {
    let text = match arguments.name {
        SchemaName::Durward => native::CONTRACT,
        SchemaName::Jupiterone => jupiterone::CONTRACT,
        SchemaName::Opencti => opencti::CONTRACT,
        SchemaName::Sonrai => sonrai::CONTRACT,
    };
    print!("{text}");
}
