// SPDX-License-Identifier: Apache-2.0
//! Cloud identity: real cloud data turned into entities and relationships.
//!
//! Pure functions from what a cloud's command line prints to records; writing them is the caller's
//! affair. Start with [`aws::AwsImport`].

pub mod aws;
