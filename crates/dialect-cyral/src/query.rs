// SPDX-License-Identifier: Apache-2.0
//! Query parameters.

/// The first value of a query parameter; none when it is absent or empty.
pub(crate) fn parameter(query: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes())
        .find(|(key, value)| key == name && !value.is_empty())
        .map(|(_, value)| value.into_owned())
}
