// SPDX-License-Identifier: Apache-2.0
//! The scale of the graph.

use anyhow::Context;

/// A multiple of a million entities, kept in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scale(u32);

impl Scale {
    /// Reads `0.01`, `1` and the like.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let number: f64 = text.parse().with_context(|| format!("--scale {text:?}"))?;
        anyhow::ensure!(
            (0.001..=100.0).contains(&number),
            "--scale must be 0.001 to 100"
        );
        Ok(Self((number * 1000.0).round() as u32))
    }

    pub(crate) fn number(self) -> f64 {
        f64::from(self.0) / 1000.0
    }

    /// `at_one` where the scale is 1, `at_ten` where it is 10: targets exist for these two only.
    pub(crate) fn target<T>(self, at_one: T, at_ten: Option<T>) -> Option<T> {
        match self.0 {
            1000 => Some(at_one),
            10_000 => at_ten,
            _ => None,
        }
    }

    /// The user that the queries ask for: one that has a middling reach.
    pub(crate) fn user(self) -> u32 {
        if self.0 < 1000 { 424 } else { 4242 }
    }
}

impl std::fmt::Display for Scale {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.number())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn scales_read_and_print() {
        for text in ["0.01", "0.1", "1", "10"] {
            assert_eq!(Scale::parse(text).unwrap().to_string(), text);
        }
        assert!(Scale::parse("0").is_err());
        assert!(Scale::parse("big").is_err());
        assert_eq!(Scale::parse("10").unwrap().target(4, Some(40)), Some(40));
        assert_eq!(Scale::parse("0.1").unwrap().target(4, Some(40)), None);
    }
}
