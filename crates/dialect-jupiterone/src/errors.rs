// SPDX-License-Identifier: Apache-2.0
//! Errors as JupiterOne's clients know them: a message and `extensions.code`.

use durward_model::ErrorKind;

pub(super) use durward_graphql::context::{code, field_error as of};
use durward_graphql::engine::FieldError;

/// A wrong argument.
pub(super) fn invalid(message: impl Into<String>) -> FieldError {
    FieldError::new(code(ErrorKind::Invalid), message)
}

/// There is no such entity, or none that the caller may know of.
pub(super) fn no_entity() -> FieldError {
    FieldError::new(code(ErrorKind::NotFound), "there is no entity with this id")
}

/// There is no such relationship, or none that the caller may know of.
pub(super) fn no_relationship() -> FieldError {
    FieldError::new(
        code(ErrorKind::NotFound),
        "there is no relationship with this id",
    )
}

/// A defect, or a broken machine; the log has more under the request's id.
pub(super) fn internal() -> FieldError {
    FieldError::new(code(ErrorKind::Internal), "an internal error occurred")
}
