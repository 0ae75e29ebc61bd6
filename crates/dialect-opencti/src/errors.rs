// SPDX-License-Identifier: Apache-2.0
//! Errors as `pycti` reads them: `name` beside the message repeats the code.

use durward_model::ErrorKind;
use durward_query::QueryError;
use serde_json::json;

use durward_graphql::engine::FieldError;

/// No credential, or one that does not work.
pub(crate) fn auth_required() -> FieldError {
    FieldError::new("AUTH_REQUIRED", "You must be logged in to do this.")
}

/// A right is missing.
pub(super) fn forbidden() -> FieldError {
    FieldError::new("FORBIDDEN_ACCESS", "You are not allowed to do this.")
}

/// A field that this build does not serve.
pub(super) fn unsupported(field: &str) -> FieldError {
    FieldError::new("UNSUPPORTED_ERROR", format!("{field} is not supported"))
        .with_data(json!({"reason": "not supported", "field": field}))
}

/// A wrong argument.
pub(super) fn functional(message: impl Into<String>) -> FieldError {
    FieldError::new("FUNCTIONAL_ERROR", message)
}

/// A query that failed.
pub(super) fn of_query(error: &QueryError) -> FieldError {
    match error {
        QueryError::UnknownKey { key } => {
            FieldError::new("UNSUPPORTED_ERROR", error.to_string()).with_data(json!({"key": key}))
        }
        other => match other.kind() {
            ErrorKind::Unsupported => FieldError::new("UNSUPPORTED_ERROR", other.to_string()),
            ErrorKind::Timeout => FieldError::new("COMPLEX_SEARCH_ERROR", other.to_string()),
            _ => functional(other.to_string()),
        },
    }
}

/// Repeats the code as `name` and adds what the client prints.
pub(super) fn finish(error: &mut FieldError) {
    error.name = Some(error.code.clone());
    let status = match &*error.code {
        "AUTH_REQUIRED" => 401,
        "FORBIDDEN_ACCESS" => 403,
        "TOO_MANY_REQUESTS" => 429,
        "FUNCTIONAL_ERROR"
        | "UNSUPPORTED_ERROR"
        | "BAD_USER_INPUT"
        | "BAD_REQUEST"
        | "COMPLEX_SEARCH_ERROR"
        | "GRAPHQL_PARSE_FAILED"
        | "GRAPHQL_VALIDATION_FAILED"
        | "OPERATION_RESOLUTION_FAILURE" => 400,
        _ => 500,
    };
    let mut data = error.data.as_object().cloned().unwrap_or_default();
    data.entry("http_status").or_insert_with(|| status.into());
    data.entry("genre").or_insert_with(|| {
        if status < 500 {
            "BUSINESS"
        } else {
            "TECHNICAL"
        }
        .into()
    });
    *error.data = data.into();
}
