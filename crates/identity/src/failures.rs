// SPDX-License-Identifier: Apache-2.0
//! Failed authentications in the audit log, at a bounded rate.

use durward_model::Instant;
use durward_model::transaction::Origin;

use crate::Organization;
use crate::authenticate::{AuthError, Presented};

/// Most failures of one organization that are recorded one by one in a window.
pub(crate) const RECORDED_MAX: u32 = 60;
/// Longest text of a client that is kept.
const TEXT_CHARACTERS_MAX: usize = 256;
/// Activity verb of a failed authentication.
pub(crate) const ACTIVITY: &str = "authentication failed";

impl Organization {
    /// Records that a credential was refused. `subject` is a public name of it, if one is known.
    pub(crate) fn record_failure(
        &self,
        presented: &Presented<'_>,
        error: &AuthError,
        subject: Option<&str>,
        now: Instant,
    ) {
        let mut detail = error.to_string();
        if let Some(subject) = subject {
            detail.push_str("; credential ");
            detail.push_str(&shortened(subject));
        }
        let origin = Origin {
            actor: None,
            credential: None,
            activity: ACTIVITY.to_owned(),
            request_id: shortened(presented.request_id),
            source_address: shortened(presented.source_address),
            user_agent: shortened(presented.user_agent),
            detail,
        };
        self.record_all(self.failures().note(ACTIVITY, origin, now));
    }
}

/// The start of a text that a client sent.
pub(crate) fn shortened(text: &str) -> String {
    if text.len() <= TEXT_CHARACTERS_MAX {
        return text.to_owned();
    }
    text.chars().take(TEXT_CHARACTERS_MAX).collect()
}
