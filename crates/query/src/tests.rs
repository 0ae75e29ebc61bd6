// SPDX-License-Identifier: Apache-2.0
//! Tests of the whole way from a query text to its result.

mod behaviour;
mod examples;
mod graph;
mod naive;
mod random;
