// SPDX-License-Identifier: Apache-2.0
//! How many activities without changes are recorded: a flood of failing logins must not fill the
//! disk.

use durward_model::Instant;
use durward_model::transaction::Origin;

/// Activities recorded a second in the long run.
const PER_SECOND: i64 = 500;
/// Activities recorded at once after a quiet time.
const BURST: i64 = 2000;
const MICROS: i64 = 1_000_000;

/// A token bucket, in millionths of a token.
#[derive(Debug)]
pub(super) struct ActivityLimit {
    tokens: i64,
    filled_at: Option<Instant>,
    lost: u64,
}

impl Default for ActivityLimit {
    fn default() -> Self {
        Self {
            tokens: BURST * MICROS,
            filled_at: None,
            lost: 0,
        }
    }
}

impl ActivityLimit {
    /// Whether this activity is recorded; then it also tells of those lost before it.
    pub(super) fn admit(&mut self, now: Instant, origin: &mut Origin) -> bool {
        let before = self.filled_at.unwrap_or(now);
        let elapsed = now.as_micros().saturating_sub(before.as_micros()).max(0);
        let filled = elapsed.saturating_mul(PER_SECOND);
        self.tokens = self.tokens.saturating_add(filled).min(BURST * MICROS);
        self.filled_at = Some(now.max(before));
        if self.tokens < MICROS {
            self.lost += 1;
            return false;
        }
        self.tokens -= MICROS;
        if self.lost > 0 {
            let separator = if origin.detail.is_empty() { "" } else { "; " };
            origin.detail = format!(
                "{}{separator}{} activities before it not recorded",
                origin.detail, self.lost
            );
            self.lost = 0;
        }
        true
    }

    /// One that was admitted could not be recorded after all.
    pub(super) fn count_lost(&mut self) {
        self.lost += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_bounded_and_told_of() {
        let mut limit = ActivityLimit::default();
        let at = Instant::from_micros;
        let mut origin = Origin::default();
        let admitted = (0..5000)
            .filter(|_| limit.admit(at(0), &mut origin))
            .count();
        assert_eq!(admitted, 2000);
        assert!(origin.detail.is_empty());
        assert!(limit.admit(at(MICROS), &mut origin));
        assert_eq!(origin.detail, "3000 activities before it not recorded");
        let later = (0..5000)
            .filter(|_| limit.admit(at(MICROS), &mut origin))
            .count();
        assert_eq!(later, 499);
    }
}
