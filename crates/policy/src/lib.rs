// SPDX-License-Identifier: Apache-2.0
//! The one authorization decision: may this principal do this to that, and why.
//!
//! Start with [`authorize`]. What a principal may do is the intersection of three things, taken at
//! the moment of the decision: the [`Rights`] of its account, the rights of the credential that it
//! uses, and every [`AccessPolicy`] that bounds the credential. Lists are not decided row by row:
//! they get one [`RowAccess`], which the query executor applies. Everybody but this crate and
//! `identity` asks for an [`Action`]; which [`Right`] lets it be done is known here alone.

pub mod access_policy;
pub mod action;
pub mod cedar;
pub mod decision;
pub mod explanation;
pub mod permission_level;
pub mod rights;
pub mod routes;
pub mod row_access;

pub use access_policy::{AccessPolicy, PolicyError};
pub use action::{Action, authorize_action, authorize_actions};
pub use cedar::{
    CedarContext, CedarName, CedarPolicy, CedarPrincipal, CedarRequest, CedarResource,
    CedarSyntaxError, CedarVerdict, NamedPolicy, PolicySet, StatementRef,
};
pub use decision::{Context, Decision, Object, Principal, Reason, authorize, authorize_any};
pub use explanation::{AccountState, Explanation, GrantPath, PathStep, Question};
pub use permission_level::PermissionLevel;
pub use rights::{Right, Rights, UnknownRight, Vocabulary};
pub use routes::{Guard, Route, RouteError, Routes};
pub use row_access::{RowAccess, TooManyAlternatives};
