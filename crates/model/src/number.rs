// SPDX-License-Identifier: Apache-2.0
//! Numbers, kept exactly or refused.
//!
//! A whole number is stored in 64 bits with a sign. One that does not fit would be rounded without
//! a word by a conversion to a float, so everything that reads numbers (JSON bodies, variables,
//! literals of query languages, texts that stand for numbers) reads them here.

use std::cmp::Ordering;

/// A number of any kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number.
    Whole(i64),
    /// A number with a fraction, or one that was written with a point; finite.
    Float(f64),
}

/// A number that cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a number must lie between -9223372036854775808 and 9223372036854775807, or it would be \
     rounded; send larger ones as texts"
)]
pub struct OutOfRange;

/// 2 to the power of 63: the first float that no whole number reaches. From here on a JSON reader's
/// float may be a whole number that it rounded.
const WHOLE_END: f64 = 9_223_372_036_854_775_808.0;

impl Number {
    /// The number that a JSON reader read.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn from_json(number: &serde_json::Number) -> Result<Self, OutOfRange> {
        match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Ok(Self::Whole(whole)),
            (None, Some(float)) => Self::from_float(float),
            (None, None) => Err(OutOfRange),
        }
    }

    /// The number that a text spells: nothing else may be in it.
    ///
    /// # Errors
    /// `None` for a text that is no number; [`OutOfRange`] for one that does not fit.
    pub fn parse(text: &str) -> Option<Result<Self, OutOfRange>> {
        // Names such as `inf` and `NaN` are numbers to Rust, but to nobody else here.
        let begins = |first: char| first.is_ascii_digit() || "+-.".contains(first);
        if !text.starts_with(begins) || text.contains(['n', 'N']) {
            return None;
        }
        match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(whole), _) => Some(Ok(Self::Whole(whole))),
            (Err(_), Ok(float)) => Some(Self::from_float(float)),
            (Err(_), Err(_)) => None,
        }
    }

    fn from_float(float: f64) -> Result<Self, OutOfRange> {
        if float.abs() < WHOLE_END {
            Ok(Self::Float(float))
        } else {
            Err(OutOfRange)
        }
    }

    /// By magnitude, exactly: a whole number is not rounded to be compared with a float.
    pub fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => left.cmp(&right),
            (Self::Float(left), Self::Float(right)) => {
                left.partial_cmp(&right).unwrap_or(Ordering::Equal)
            }
            (Self::Whole(left), Self::Float(right)) => whole_with_float(left, right),
            (Self::Float(left), Self::Whole(right)) => whole_with_float(right, left).reverse(),
        }
    }

    /// As [`Number::compare`], but tells the two zeros of floats apart, as total orders must.
    pub fn total_compare(self, other: Self) -> Ordering {
        let zero_of = |number: Self| match number {
            Self::Whole(_) => 0.0,
            Self::Float(float) => float,
        };
        match self.compare(other) {
            Ordering::Equal if zero_of(self) == 0.0 && zero_of(other) == 0.0 => {
                zero_of(self).total_cmp(&zero_of(other))
            }
            order => order,
        }
    }

    /// As a float, rounded where it must be: for arithmetic with fractions only.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Float(float) => float,
        }
    }
}

fn whole_with_float(whole: i64, float: f64) -> Ordering {
    if float >= WHOLE_END {
        return Ordering::Less;
    }
    if float < -WHOLE_END {
        return Ordering::Greater;
    }
    let fraction = float.fract();
    let by_whole = whole.cmp(&(float.trunc() as i64));
    by_whole.then_with(|| 0.0.partial_cmp(&fraction).unwrap_or(Ordering::Equal))
}

/// Refuses JSON that holds, at any depth, a number that its reader rounded.
///
/// # Errors
/// When there is one.
pub fn check_json(json: &serde_json::Value) -> Result<(), OutOfRange> {
    let mut left = vec![json];
    while let Some(one) = left.pop() {
        match one {
            // Between 63 and 64 bits a JSON document still holds the number as it was sent.
            serde_json::Value::Number(number) if number.as_u64().is_none() => {
                Number::from_json(number)?;
            }
            serde_json::Value::Array(items) => left.extend(items),
            serde_json::Value::Object(members) => left.extend(members.values()),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_and_everything_else_is_exact() {
        for (text, whole) in [
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("9007199254740993", 9_007_199_254_740_993),
        ] {
            let read: serde_json::Number = serde_json::from_str(text).unwrap();
            assert_eq!(Number::from_json(&read), Ok(Number::Whole(whole)));
            assert_eq!(Number::parse(text), Some(Ok(Number::Whole(whole))));
        }
        for text in [
            "9223372036854775808",
            "-9223372036854775809",
            "18446744073709551615",
            "18446744073709551616",
            "123456789012345678901234567890",
            "1e20",
        ] {
            let read: serde_json::Number = serde_json::from_str(text).unwrap();
            assert_eq!(Number::from_json(&read), Err(OutOfRange), "{text}");
            assert_eq!(Number::parse(text), Some(Err(OutOfRange)), "{text}");
        }
        assert_eq!(Number::parse("2.5"), Some(Ok(Number::Float(2.5))));
        for text in ["", "inf", "NaN", "-inf", "x1", "1x", "infinity", "1 "] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
        assert!(check_json(&json!({"a": [1, {"b": u64::MAX}], "c": 0.5})).is_ok());
        let deep = serde_json::from_str(r#"{"a": [{"b": 18446744073709551616}]}"#).unwrap();
        assert_eq!(check_json(&deep), Err(OutOfRange));
    }

    #[test]
    fn whole_numbers_are_not_rounded_to_be_compared() {
        let big = Number::Whole(9_007_199_254_740_993);
        let near = Number::Float(9_007_199_254_740_992.0);
        assert_eq!(big.compare(near), Ordering::Greater);
        assert_eq!(near.compare(big), Ordering::Less);
        assert_eq!(
            Number::Whole(-2).compare(Number::Float(-2.5)),
            Ordering::Greater
        );
        assert_eq!(Number::Whole(2).compare(Number::Float(2.5)), Ordering::Less);
        assert_eq!(
            Number::Whole(i64::MAX).compare(Number::Float(WHOLE_END)),
            Ordering::Less
        );
        assert_eq!(
            Number::Whole(i64::MIN).compare(Number::Float(-WHOLE_END)),
            Ordering::Equal
        );
        let zeros = [Number::Float(-0.0), Number::Whole(0), Number::Float(0.0)];
        assert_eq!(zeros[0].compare(zeros[1]), Ordering::Equal);
        assert_eq!(zeros[0].total_compare(zeros[1]), Ordering::Less);
        assert_eq!(zeros[0].total_compare(zeros[2]), Ordering::Less);
        assert_eq!(zeros[1].total_compare(zeros[2]), Ordering::Equal);
    }
}
