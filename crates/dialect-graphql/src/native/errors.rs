// SPDX-License-Identifier: Apache-2.0
//! Errors of the native dialect: a sentence and `extensions.code`.

use durward_model::ErrorKind;
use tokio::task::JoinError;

use crate::context::code;
pub(super) use crate::context::field_error as of;
use crate::engine::FieldError;

/// A wrong argument.
pub(super) fn invalid(message: impl Into<String>) -> FieldError {
    FieldError::new(code(ErrorKind::Invalid), message)
}

/// There is no such thing, or none that the caller may know of.
pub(super) fn not_found(what: &str) -> FieldError {
    FieldError::new(
        code(ErrorKind::NotFound),
        format!("there is no such {what}"),
    )
}

/// A defect, or a broken machine; the log has more under the request's id.
pub(super) fn internal() -> FieldError {
    FieldError::new(code(ErrorKind::Internal), "an internal error occurred")
}

/// A task on the blocking pool that did not end in good order.
pub(super) fn broken(_: JoinError) -> FieldError {
    internal()
}
