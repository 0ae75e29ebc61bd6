// SPDX-License-Identifier: Apache-2.0
//! What a request may do here, as decided before it arrives.

use std::fmt;
use std::sync::Arc;

use durward_budget::Share;
use durward_model::transaction::Origin;
use durward_query::CursorKey;

use crate::error::SyncError;
use crate::jobs::Jobs;

/// Tells whether what was allowed is allowed still.
pub type AskAgain = dyn Fn() -> Result<(), SyncError> + Send + Sync;

/// Tells whether what was allowed is allowed still, and counts the request that asks: for addresses
/// that are their own authority and are used later than they were given out.
/// [`SyncError::TooMany`] says that it is, but not so often.
#[derive(Clone)]
pub struct StillAllowed(pub Arc<AskAgain>);

impl fmt::Debug for StillAllowed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("StillAllowed(..)")
    }
}

/// The authority of one request, set as a request extension by whoever authenticated it.
#[derive(Clone, Debug)]
pub struct SyncAccess {
    /// The jobs (and through them the graph) of the credential's organization.
    pub jobs: Arc<Jobs>,
    /// Name of the organization as job answers show it (`accountId`).
    pub account: String,
    /// Address by which the client reached the server, for the URLs in answers.
    pub base_url: String,
    /// What the caller may make the server hold and do.
    pub share: Share,
    /// Who acts, for the journal.
    pub origin: Origin,
    /// Whether the caller may take the action that the contract names for the route. The routes
    /// refuse it, because they know how to end the body that comes with the request.
    pub is_allowed: bool,
    /// Whether the caller may take it at a later moment.
    pub still_allowed: StillAllowed,
    /// Set when the caller asks too often: seconds after which it may ask again. The routes refuse
    /// it, because a job must know of an upload that was.
    pub too_many: Option<u32>,
    /// By which the cursors of the caller's exports are sealed.
    pub cursor_key: CursorKey,
    /// The one integration instance that the credential is for; `None` when it is not an
    /// integration's.
    pub integration_instance: Option<String>,
}
