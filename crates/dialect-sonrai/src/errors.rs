// SPDX-License-Identifier: Apache-2.0
//! Errors of this dialect: a sentence and `extensions.code`.

use durward_model::ErrorKind;

use durward_graphql::context::code;
pub(super) use durward_graphql::context::field_error as of;
use durward_graphql::engine::FieldError;

/// A wrong argument.
pub(super) fn invalid(message: impl Into<String>) -> FieldError {
    FieldError::new(code(ErrorKind::Invalid), message)
}

/// There is no such token, or none that the caller may know of.
pub(super) fn no_token() -> FieldError {
    FieldError::new(code(ErrorKind::NotFound), "there is no token with this srn")
}
