// SPDX-License-Identifier: Apache-2.0
//! The contracts that the dialects serve, as they stand in `contracts/graphql`.

/// What OpenCTI's clients may say.
pub const OPENCTI: &str = include_str!("../../../contracts/graphql/opencti.graphql");
/// What JupiterOne's clients may say.
pub const JUPITERONE: &str = include_str!("../../../contracts/graphql/jupiterone.graphql");
/// What Sonrai's clients may say.
pub const SONRAI: &str = include_str!("../../../contracts/graphql/sonrai.graphql");
/// The native schema.
pub const DURWARD: &str = include_str!("../../../contracts/graphql/durward.graphql");
