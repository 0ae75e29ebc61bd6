// SPDX-License-Identifier: Apache-2.0
//! The words with a meaning of their own.

use super::expression::{Function, Unit};

/// All keywords.
pub(super) const KEYWORDS: &[&str] = &[
    "FIND", "WITH", "THAT", "AS", "WHERE", "RETURN", "UNIQUE", "TREE", "ORDER", "BY", "ASC",
    "DESC", "SKIP", "LIMIT", "HAVING", "AND", "OR", "TO", "RELATES",
];

/// Keywords that cannot be a class, type or verb, because they end a selector.
const SELECTOR_ENDS: &[&str] = &[
    "FIND", "WITH", "THAT", "AS", "WHERE", "RETURN", "HAVING", "AND", "OR", "TO",
];

/// Words that stand for a value.
const LITERALS: &[&str] = &["true", "false", "undefined", "null"];

/// Spellings of units.
const UNITS: &[(&str, Unit)] = &[
    ("minutes", Unit::Minute),
    ("minute", Unit::Minute),
    ("mins", Unit::Minute),
    ("min", Unit::Minute),
    ("hours", Unit::Hour),
    ("hour", Unit::Hour),
    ("hrs", Unit::Hour),
    ("hr", Unit::Hour),
    ("days", Unit::Day),
    ("day", Unit::Day),
    ("weeks", Unit::Week),
    ("week", Unit::Week),
    ("wks", Unit::Week),
    ("wk", Unit::Week),
    ("months", Unit::Month),
    ("month", Unit::Month),
    ("mos", Unit::Month),
    ("mo", Unit::Month),
    ("years", Unit::Year),
    ("year", Unit::Year),
    ("yrs", Unit::Year),
    ("yr", Unit::Year),
];

fn contains(words: &[&str], word: &str) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// Whether `word` is a keyword.
pub(super) fn is_keyword(word: &str) -> bool {
    contains(KEYWORDS, word)
}

/// Whether `word` stands for a value.
pub(super) fn is_literal(word: &str) -> bool {
    contains(LITERALS, word)
}

/// Whether `word` may not be an alias: keywords, functions and literals.
pub(super) fn is_reserved(word: &str) -> bool {
    is_keyword(word) || is_literal(word) || Function::from_name(word).is_some()
}

/// Whether `word` may be a class, type or verb.
pub(super) fn may_be_selected(word: &str) -> bool {
    !contains(SELECTOR_ENDS, word)
}

/// The unit that `word` spells.
pub(super) fn unit(word: &str) -> Option<Unit> {
    UNITS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(word))
        .map(|(_, unit)| *unit)
}

/// The unit as it is printed.
pub(super) fn unit_name(unit: Unit) -> &'static str {
    UNITS
        .iter()
        .find(|(_, known)| *known == unit)
        .map_or("", |(name, _)| name)
}

/// Every spelling of a unit.
pub(super) fn unit_names() -> impl Iterator<Item = &'static str> {
    UNITS.iter().map(|(name, _)| *name)
}

/// Whether `word` is a name that needs no brackets and no quotes.
pub(super) fn is_plain_name(word: &str) -> bool {
    word.chars().next().is_some_and(is_name_start) && word.chars().all(is_name_character)
}

/// Whether a name may begin with `character`.
pub(super) fn is_name_start(character: char) -> bool {
    character.is_alphabetic() || character == '_'
}

/// Whether a name may hold `character`.
pub(super) fn is_name_character(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}
