// SPDX-License-Identifier: Apache-2.0
//! Durations of many requests, and what is said about them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The clock of all measurements.
#[expect(clippy::disallowed_methods, reason = "measuring takes a real clock")]
pub fn now() -> Instant {
    Instant::now()
}

/// Durations in microseconds.
#[derive(Debug, Default)]
pub struct Times(Vec<f64>);

impl Times {
    /// One more.
    pub fn add(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64() * 1e6);
    }

    /// All of another.
    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The duration in milliseconds that the share `part` of all do not exceed.
    pub fn milliseconds(&self, part: f64) -> f64 {
        let mut sorted = Self(self.0.clone());
        sorted.0.sort_by(f64::total_cmp);
        sorted.quantile(part) / 1e3
    }

    /// The value that the share `part` of all do not exceed; 0 where there are none.
    fn quantile(&self, part: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        let at = (part * last as f64).round() as usize;
        self.0.get(at).copied().unwrap_or(0.0)
    }

    /// Count, extremes, median and 99th percentile as JSON.
    pub fn summary(mut self) -> Value {
        self.0.sort_by(f64::total_cmp);
        json!({
            "count": self.0.len(),
            "min_us": self.quantile(0.0),
            "median_us": self.quantile(0.5),
            "p99_us": self.quantile(0.99),
            "max_us": self.quantile(1.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_sorted_values() {
        let mut times = Times::default();
        for micros in (1..=101).rev() {
            times.add(Duration::from_micros(micros));
        }
        assert_eq!(times.milliseconds(0.5).to_string(), "0.051");
        let summary = times.summary();
        assert_eq!(summary["count"], 101);
        assert_eq!(summary["median_us"].as_f64().map(f64::round), Some(51.0));
        assert_eq!(summary["p99_us"].as_f64().map(f64::round), Some(100.0));
    }
}
