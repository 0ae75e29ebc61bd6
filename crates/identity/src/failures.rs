// SPDX-License-Identifier: Apache-2.0
//! Failed authentications in the audit log, at a bounded rate.

use durward_model::Instant;
use durward_model::transaction::Origin;
use parking_lot::Mutex;

use crate::Organization;
use crate::authenticate::{AuthError, Presented};

/// Most failures of one organization that are recorded one by one in a window.
const RECORDED_MAX: u32 = 60;
/// Length of the window in seconds.
const WINDOW_SECONDS: i64 = 60;
/// Longest text of a client that is kept.
const TEXT_CHARACTERS_MAX: usize = 256;
/// Activity verb of a failed authentication.
pub(crate) const ACTIVITY: &str = "authentication failed";

/// Counts failures, so that a flood of them does not become a flood of records.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    window: Mutex<Window>,
}

#[derive(Debug, Default)]
struct Window {
    ends_at: Option<Instant>,
    recorded: u32,
    suppressed: u64,
}

impl Failures {
    /// Whether this failure is to be recorded, and how many were left out since the last one.
    fn admit(&self, now: Instant) -> Option<u64> {
        let mut window = self.window.lock();
        if window.ends_at.is_none_or(|end| end <= now) {
            window.ends_at = Some(now.plus_seconds(WINDOW_SECONDS));
            window.recorded = 0;
        }
        if window.recorded >= RECORDED_MAX {
            window.suppressed = window.suppressed.saturating_add(1);
            return None;
        }
        window.recorded = window.recorded.saturating_add(1);
        Some(std::mem::take(&mut window.suppressed))
    }
}

impl Organization {
    /// Records that a credential was refused. `subject` is a public name of it, if one is known.
    pub(crate) fn record_failure(
        &self,
        presented: &Presented<'_>,
        error: &AuthError,
        subject: Option<&str>,
        now: Instant,
    ) {
        let Some(suppressed) = self.failures().admit(now) else {
            return;
        };
        let mut detail = error.to_string();
        if let Some(subject) = subject {
            detail.push_str("; credential ");
            detail.push_str(&shortened(subject));
        }
        if suppressed > 0 {
            detail.push_str("; failures left out before it: ");
            detail.push_str(&suppressed.to_string());
        }
        self.store().record(Origin {
            actor: None,
            credential: None,
            activity: ACTIVITY.to_owned(),
            request_id: shortened(presented.request_id),
            source_address: shortened(presented.source_address),
            user_agent: shortened(presented.user_agent),
            detail,
        });
    }
}

/// The start of a text that a client sent.
pub(crate) fn shortened(text: &str) -> String {
    if text.len() <= TEXT_CHARACTERS_MAX {
        return text.to_owned();
    }
    text.chars().take(TEXT_CHARACTERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_not_recorded() {
        let failures = Failures::default();
        let start = Instant::from_millis(0);
        let admitted = (0..1000)
            .filter(|_| failures.admit(start).is_some())
            .count();
        assert_eq!(admitted, RECORDED_MAX as usize);
        let later = start.plus_seconds(WINDOW_SECONDS);
        assert_eq!(failures.admit(later), Some(1000 - u64::from(RECORDED_MAX)));
        assert_eq!(failures.admit(later), Some(0));
    }
}
