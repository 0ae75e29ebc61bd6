// SPDX-License-Identifier: Apache-2.0
//! Search texts of lists: phrases in quotes, words, defanged indicators.

use crate::plan::{Condition, SearchRank, Slot};

/// Most parts of a search text.
const PARTS_MAX: usize = 64;

/// Which properties rank the hits of a search.
#[derive(Clone, Debug, Default)]
pub struct SearchFields {
    /// A value that is just the searched text is the best hit.
    pub exact: Vec<String>,
    /// A hit in these comes next.
    pub near: Vec<String>,
}

/// The parts of a search text: quoted phrases and single words, cleaned.
pub(super) fn parts(text: &str) -> Vec<String> {
    let text = refanged(text);
    let mut parts = Vec::new();
    for (position, piece) in text.split('"').enumerate() {
        if position % 2 == 1 {
            parts.push(piece.trim().to_owned());
        } else {
            parts.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    parts.retain(|part| !part.is_empty());
    parts.truncate(PARTS_MAX);
    parts
}

/// Indicators as they were before somebody made them harmless.
fn refanged(text: &str) -> String {
    let text = text
        .replace("[.]", ".")
        .replace("(.)", ".")
        .replace("[:]", ":");
    match text.get(..4) {
        Some(scheme) if scheme.eq_ignore_ascii_case("hxxp") => {
            format!("http{}", text.get(4..).unwrap_or_default())
        }
        _ => text.replace(" hxxp", " http").replace("\"hxxp", "\"http"),
    }
}

/// An object is hit when any part occurs in it.
pub(super) fn condition(slots: &[Slot], parts: &[String]) -> Condition {
    let mut any = Vec::with_capacity(parts.len() * slots.len());
    for slot in slots {
        any.extend(
            parts
                .iter()
                .map(|part| Condition::Text(*slot, vec![part.clone()])),
        );
    }
    Condition::Any(any)
}

pub(super) fn rank(parts: &[String], fields: &SearchFields) -> SearchRank {
    let mut texts = parts.to_vec();
    if parts.len() > 1 {
        texts.push(parts.join(" "));
    }
    SearchRank {
        texts,
        exact: fields.exact.clone(),
        near: fields.near.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_phrases_words_and_defanged_indicators() {
        assert_eq!(
            parts("one \"two three\" four"),
            ["one", "two three", "four"]
        );
        assert_eq!(parts("hxxps://evil[.]example"), ["https://evil.example"]);
        assert_eq!(parts("see hxxp://a"), ["see", "http://a"]);
        assert_eq!(parts("\"open"), ["open"]);
        assert!(parts("  \"\" ").is_empty());
    }
}
