// SPDX-License-Identifier: Apache-2.0
//! Tests of the whole front end: from text to tree, to text, to error.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests may panic"
)]

mod errors;
mod hostile;
mod reading;
mod round_trip;
mod texts;
