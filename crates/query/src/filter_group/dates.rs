// SPDX-License-Identifier: Apache-2.0
//! Dates in filters: RFC 3339, or relative to now (`now-24h`, `now-1y/d`).

use durward_model::Instant;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// Largest number of units in a relative date.
const AMOUNT_MAX: i64 = 100_000;

/// The instant that a text means.
pub(super) fn parse(text: &str, now: Instant) -> Option<Instant> {
    let text = text.trim();
    match text.strip_prefix("now") {
        Some(rest) => relative(rest, now),
        None => text.parse().ok(),
    }
}

/// Sign, number and unit, each optional together, then an optional rounding.
fn relative(rest: &str, now: Instant) -> Option<Instant> {
    let (offset, rounding) = match rest.split_once('/') {
        Some((offset, rounding)) => (offset, Some(rounding)),
        None => (rest, None),
    };
    let mut moment = Timestamp::from_microsecond(now.as_micros())
        .ok()?
        .to_zoned(TimeZone::UTC)
        .datetime();
    if !offset.is_empty() {
        let sign = match offset.chars().next()? {
            '+' => 1,
            '-' => -1,
            _ => return None,
        };
        let body = offset.get(1..)?;
        let unit = body.chars().last()?;
        let amount: i64 = body.strip_suffix(unit)?.parse().ok()?;
        if !(0..=AMOUNT_MAX).contains(&amount) {
            return None;
        }
        moment = moment.checked_add(span(sign * amount, unit)?).ok()?;
    }
    if let Some(rounding) = rounding {
        moment = round_down(moment, rounding)?;
    }
    let zoned = moment.to_zoned(TimeZone::UTC).ok()?;
    Some(Instant::from_micros(zoned.timestamp().as_microsecond()))
}

fn span(amount: i64, unit: char) -> Option<Span> {
    let span = Span::new();
    match unit {
        's' => span.try_seconds(amount),
        'm' => span.try_minutes(amount),
        'h' => span.try_hours(amount),
        'd' => span.try_days(amount),
        'w' => span.try_weeks(amount),
        'M' => span.try_months(amount),
        'y' => span.try_years(amount),
        _ => return None,
    }
    .ok()
}

/// The start of the unit that the moment lies in; weeks start on Monday.
fn round_down(moment: DateTime, unit: &str) -> Option<DateTime> {
    let day = moment.date();
    let at = |hour, minute, second| day.at(hour, minute, second, 0);
    Some(match unit {
        "s" => at(moment.hour(), moment.minute(), moment.second()),
        "m" => at(moment.hour(), moment.minute(), 0),
        "h" => at(moment.hour(), 0, 0),
        "d" => at(0, 0, 0),
        "w" => {
            let back = i64::from(day.weekday().to_monday_zero_offset());
            at(0, 0, 0).checked_sub(Span::new().days(back)).ok()?
        }
        "M" => day.first_of_month().at(0, 0, 0, 0),
        "y" => day.first_of_year().at(0, 0, 0, 0),
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn reads_relative_and_plain_dates() {
        let now: Instant = "2026-03-18T10:20:30Z".parse().unwrap();
        let cases = [
            ("now", "2026-03-18T10:20:30Z"),
            ("now-24h", "2026-03-17T10:20:30Z"),
            ("now+2M", "2026-05-18T10:20:30Z"),
            ("now-1y/d", "2025-03-18T00:00:00Z"),
            ("now/w", "2026-03-16T00:00:00Z"),
            ("now-1w/M", "2026-03-01T00:00:00Z"),
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
            ("2026-01-02", "2026-01-02T00:00:00Z"),
        ];
        for (text, wanted) in cases {
            assert_eq!(parse(text, now), Some(wanted.parse().unwrap()), "{text}");
        }
        for text in [
            "now-",
            "now-h",
            "now1d",
            "now-1q",
            "now/x",
            "later",
            "now-9999999999d",
            "nowé",
        ] {
            assert_eq!(parse(text, now), None, "{text}");
        }
    }
}
