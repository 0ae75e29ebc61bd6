// SPDX-License-Identifier: Apache-2.0
//! Threat intelligence: STIX 2.1 objects, their deterministic ids and their place in the graph.
//!
//! Start with [`import_bundle`]; how each STIX type is shown in the graph and in OpenCTI is in
//! [`kinds`], which values its members take in [`members`].

pub mod bundle;
mod canonical;
pub mod import;
pub mod kinds;
mod markings;
pub mod members;
pub mod object;
pub mod pattern;
pub mod room;
pub mod standard_id;

pub use bundle::{Bundle, BundleError, Rejected, parse_bundle};
pub use import::{ImportError, ImportReport, import_bundle};
pub use object::{ObjectError, Reference, StixObject};
pub use room::{Room, Stop};
pub use standard_id::standard_id;
