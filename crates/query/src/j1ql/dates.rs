// SPDX-License-Identifier: Apache-2.0
//! The text inside `date(...)`.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Time};

/// 0001-01-01T00:00:00Z in milliseconds.
const EARLIEST_MS: i64 = -62_135_596_800_000;
/// 9999-12-31T23:59:59.999Z in milliseconds.
const LATEST_MS: i64 = 253_402_300_799_999;
const EPOCH: DateTime = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);

/// Milliseconds since the epoch of `YYYY[-MM[-DD[Thh[:mm[:ss[.fraction]]][zone]]]]`, where zone is
/// `Z` or `±hh[[:]mm]`. What is left out is the first month, the first day, zero o'clock and UTC.
/// Fractions below a millisecond are cut off.
pub(super) fn parse_date(text: &str) -> Option<i64> {
    let mut fields = Fields { rest: text };
    let year = fields.digits(4)?;
    let (mut month, mut day) = (1, 1);
    let (mut hour, mut minute, mut second, mut milliseconds) = (0, 0, 0, 0);
    let mut offset_seconds = 0;
    if fields.skip('-') {
        month = fields.digits(2)?;
        if fields.skip('-') {
            day = fields.digits(2)?;
            if fields.skip('T') || fields.skip('t') {
                hour = fields.digits(2)?;
                if fields.skip(':') {
                    minute = fields.digits(2)?;
                    if fields.skip(':') {
                        second = fields.digits(2)?;
                        if fields.skip('.') {
                            milliseconds = fields.fraction()?;
                        }
                    }
                }
                offset_seconds = fields.zone()?;
            }
        }
    }
    if !fields.rest.is_empty() {
        return None;
    }
    let date = Date::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
    );
    let time = Time::new(
        i8::try_from(hour).ok()?,
        i8::try_from(minute).ok()?,
        i8::try_from(second).ok()?,
        0,
    );
    let local = date.ok()?.to_datetime(time.ok()?);
    let seconds = local.duration_since(EPOCH).as_secs() - i64::from(offset_seconds);
    let epoch_ms = seconds * 1000 + i64::from(milliseconds);
    (EARLIEST_MS..=LATEST_MS)
        .contains(&epoch_ms)
        .then_some(epoch_ms)
}

/// Milliseconds since the epoch of a text that is a whole date at least (`YYYY-MM-DD`), perhaps
/// with a time: what counts as a date where a text is compared with one.
pub(crate) fn date_text(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let is_date = bytes.first().is_some_and(u8::is_ascii_digit)
        && bytes.get(4) == Some(&b'-')
        && bytes.get(7) == Some(&b'-');
    if !is_date {
        return None;
    }
    match text.split_once(' ') {
        Some((date, time)) => parse_date(&format!("{date}T{time}")),
        None => parse_date(text),
    }
}

/// The date that [`parse_date`] reads as `epoch_ms`.
pub(super) fn format_date(epoch_ms: i64) -> String {
    let since = SignedDuration::from_millis(epoch_ms.clamp(EARLIEST_MS, LATEST_MS));
    match EPOCH.checked_add(since) {
        Ok(moment) => format!("{moment:.3}Z"),
        Err(_) => String::new(),
    }
}

struct Fields<'t> {
    rest: &'t str,
}

impl Fields<'_> {
    fn skip(&mut self, character: char) -> bool {
        let Some(rest) = self.rest.strip_prefix(character) else {
            return false;
        };
        self.rest = rest;
        true
    }

    fn digits(&mut self, count: usize) -> Option<i32> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        self.rest = rest;
        digits.parse().ok()
    }

    /// Digits of a second, as milliseconds.
    fn fraction(&mut self) -> Option<i32> {
        let rest = self
            .rest
            .trim_start_matches(|character: char| character.is_ascii_digit());
        let digits = self.rest.get(..self.rest.len() - rest.len())?;
        self.rest = rest;
        let kept = digits.get(..digits.len().min(3))?;
        (!kept.is_empty())
            .then(|| format!("{kept:0<3}").parse().ok())
            .flatten()
    }

    /// The seconds east of UTC.
    fn zone(&mut self) -> Option<i32> {
        if self.rest.is_empty() || self.skip('Z') || self.skip('z') {
            return Some(0);
        }
        let sign = if self.skip('-') {
            -1
        } else if self.skip('+') {
            1
        } else {
            return None;
        };
        let hours = self.digits(2)?;
        let minutes = if self.skip(':') || !self.rest.is_empty() {
            self.digits(2)?
        } else {
            0
        };
        (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
    }
}

#[cfg(test)]
mod tests {
    use super::{EARLIEST_MS, LATEST_MS, date_text, format_date, parse_date};

    #[test]
    fn reads_every_precision() {
        const JAN_2021_MS: i64 = 1_609_459_200_000;
        for (text, epoch_ms) in [
            ("1970", 0),
            ("2021", JAN_2021_MS),
            ("2021-01", JAN_2021_MS),
            ("2021-01-02", JAN_2021_MS + 86_400_000),
            ("2021-01-01T05Z", JAN_2021_MS + 5 * 3_600_000),
            (
                "2021-01-01T05:06+02:00",
                JAN_2021_MS + 3 * 3_600_000 + 6 * 60_000,
            ),
            (
                "2021-01-01T00:00:07-0130",
                JAN_2021_MS + 7_000 + 90 * 60_000,
            ),
            ("2021-01-01T00:00:07.5Z", JAN_2021_MS + 7_500),
            ("2021-01-01T00:00:07.123456789", JAN_2021_MS + 7_123),
            ("2020-02-29", 1_582_934_400_000),
            ("0001-01-01T00:00:00Z", EARLIEST_MS),
            ("9999-12-31T23:59:59.999Z", LATEST_MS),
        ] {
            assert_eq!(parse_date(text), Some(epoch_ms), "{text}");
            assert_eq!(parse_date(&format_date(epoch_ms)), Some(epoch_ms), "{text}");
        }
    }

    #[test]
    fn a_text_that_counts_as_a_date_names_a_day() {
        for text in [
            "2021-01-01",
            "2021-01-01T00:00:00Z",
            "2021-01-01 00:00",
            "2021-01-01T02+02",
        ] {
            assert_eq!(date_text(text), Some(1_609_459_200_000), "{text}");
        }
        for text in [
            "",
            "2021",
            "2021-01",
            "2021-1-1",
            "2021-01-01 ",
            "20210101",
            "21-01-01",
        ] {
            assert_eq!(date_text(text), None, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in [
            "",
            "21",
            "2021-",
            "2021-13",
            "2021-02-29",
            "2021-01-01T",
            "2021-01-01T25Z",
            "2021-01-01T00:00:60Z",
            "2021-01-01T00:00:00.Z",
            "2021-01-01T00:00+24:00",
            "20211-01",
            "2021-01-01T00+1",
            "2021-01-01Z",
            "二〇二一",
            "0001-01-01T00:00+01:00",
            "0000",
            "9999-12-31T23:00-02:00",
            "+2021",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }
}
