// SPDX-License-Identifier: Apache-2.0
//! `__schema` and `__type`, answered by the compiler from the contract.

mod size;

use apollo_compiler::executable::Operation;
use apollo_compiler::introspection;
use apollo_compiler::response::JsonMap as CompilerMap;
use apollo_compiler::validation::Valid;

use super::document::Prepared;
use super::limits::INTROSPECTION_MEMBERS_MAX;
use super::node::{FieldError, JsonMap};
use super::schema::Schema;

/// What a member of the compiler's answer takes in memory, its key and a short text included.
const MEMBER_BYTES: u64 = 128;

/// The answers of the introspection fields of an operation, by response key. `hold` is asked for
/// the memory that they take.
pub(super) fn answers(
    schema: &Schema,
    prepared: &Prepared,
    operation: &Operation,
    variables: &JsonMap,
    hold: &dyn Fn(u64) -> Result<(), FieldError>,
) -> Result<CompilerMap, FieldError> {
    let failed = |message: String| FieldError::new("GRAPHQL_VALIDATION_FAILED", message);
    let members = size::members(
        schema,
        prepared,
        operation,
        variables,
        INTROSPECTION_MEMBERS_MAX,
    );
    let members = members.map_err(|_| {
        let most = INTROSPECTION_MEMBERS_MAX;
        failed(format!(
            "the introspection asks for more than {most} values"
        ))
    })?;
    hold(members * MEMBER_BYTES)?;
    introspection::check_max_depth(prepared.document(), operation)
        .map_err(|error| failed(error.message().to_string().to_lowercase()))?;
    let variables = variables
        .iter()
        .map(|(name, value)| (name.as_str().into(), value.clone().into()))
        .collect::<CompilerMap>();
    let response = introspection::partial_execute(
        schema.compiled(),
        schema.implementers(),
        prepared.document(),
        operation,
        &Valid::assume_valid(variables),
    )
    .map_err(|error| failed(error.message().to_string()))?;
    if let Some(error) = response.errors.first() {
        return Err(failed(error.message.clone()));
    }
    Ok(response.data.unwrap_or_default())
}
