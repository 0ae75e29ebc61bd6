// SPDX-License-Identifier: Apache-2.0
//! Moments in time.

use std::fmt;
use std::str::FromStr;

/// A moment: microseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

/// A text that is not an RFC 3339 date and time.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is not a date and time such as 2026-01-31T08:00:00Z")]
pub struct InstantParseError {
    text: String,
}

impl Instant {
    /// The latest instant; a read at it sees the head.
    pub const MAX: Self = Self(i64::MAX);
    /// The earliest instant; nothing exists at it.
    pub const MIN: Self = Self(i64::MIN);

    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From milliseconds since the epoch; saturates at the ends of the range.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1000))
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the epoch, rounded down.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This instant and `micros` microseconds more; saturates.
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// This instant and `seconds` seconds more; saturates.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_micros(seconds.saturating_mul(1_000_000))
    }

    /// Date and time in UTC with milliseconds, such as `2026-01-31T08:00:00.000Z`.
    pub fn to_rfc3339_millis(self) -> String {
        match jiff::Timestamp::from_microsecond(self.0.div_euclid(1000).saturating_mul(1000)) {
            Ok(timestamp) => format!("{timestamp:.3}"),
            Err(_) if self.0 < 0 => "-009999-01-02T01:59:59.000Z".to_owned(),
            Err(_) => "9999-12-30T22:00:00.000Z".to_owned(),
        }
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(timestamp) => write!(formatter, "{timestamp}"),
            Err(_) => formatter.write_str(&self.to_rfc3339_millis()),
        }
    }
}

impl FromStr for Instant {
    type Err = InstantParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let trimmed = text.trim();
        if let Ok(timestamp) = trimmed.parse::<jiff::Timestamp>() {
            return Ok(Self(timestamp.as_microsecond()));
        }
        let date = trimmed.parse::<jiff::civil::Date>();
        let midnight = date
            .ok()
            .and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok());
        match midnight {
            Some(zoned) if trimmed.len() == 10 => Ok(Self(zoned.timestamp().as_microsecond())),
            _ => Err(InstantParseError {
                text: text.chars().take(64).collect(),
            }),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn parses_and_prints() {
        let instant: Instant = "2026-01-31T08:00:00.123456Z".parse().unwrap();
        assert_eq!(instant.to_string(), "2026-01-31T08:00:00.123456Z");
        assert_eq!(instant.to_rfc3339_millis(), "2026-01-31T08:00:00.123Z");
        assert_eq!(
            "1970-01-02".parse::<Instant>().unwrap().as_millis(),
            86_400_000
        );
        assert!("yesterday".parse::<Instant>().is_err());
        assert_eq!(Instant::from_micros(-1).as_millis(), -1);
    }
}
