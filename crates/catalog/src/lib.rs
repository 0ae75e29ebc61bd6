// SPDX-License-Identifier: Apache-2.0
//! What Durward knows beforehand about kinds of objects, and how their ids are spelled.
//!
//! `contracts/catalog/*.toml` says it, and this crate reads it. Nothing here sees a graph.
//!
//! Start reading at [`Catalog`] and [`Kind`]; spellings are in [`ids`].

pub mod cloud;
pub mod credentials;
mod dialects;
pub mod ids;
pub mod kinds;
mod place;
pub mod stix;
mod telling;
mod types;
mod vocabulary;

pub use cloud::CloudType;
pub use dialects::{CyralName, SonraiName, StrongdmName};
pub use kinds::Kind;
pub use telling::{OPENCTI_TYPE, Said, Telling};
pub use types::{
    CREDENTIAL, Catalog, CatalogError, ORGANIZATION, RAW_DATA, TypeEntry, UniqueProperty,
};
pub use vocabulary::Vocabulary;
