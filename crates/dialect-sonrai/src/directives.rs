// SPDX-License-Identifier: Apache-2.0
//! `@regex` and `@formatDateTime`: leaves written another way.

use std::borrow::Cow;
use std::num::NonZeroUsize;

use durward_model::Instant;
use lru::LruCache;
use parking_lot::Mutex;
use regex::{Regex, RegexBuilder};
use serde_json::Value as Json;

use super::{Context, errors};
use durward_graphql::context::REWRITTEN_BYTES_MAX;
use durward_graphql::engine::{Call, FieldError, JsonMap};

/// Longest pattern and longest format in characters.
const PATTERN_CHARACTERS_MAX: usize = 1_000;
/// Largest compiled form of a pattern in bytes.
const PATTERN_BYTES_MAX: usize = 64 << 10;
/// Longest text that a replacement may make in bytes.
const REPLACED_BYTES_MAX: usize = 1 << 20;
/// Patterns that are kept compiled, for the items of lists.
const KEPT: NonZeroUsize = NonZeroUsize::MIN.saturating_add(31);

static PATTERNS: std::sync::LazyLock<Mutex<LruCache<String, Regex>>> =
    std::sync::LazyLock::new(|| Mutex::new(LruCache::new(KEPT)));

/// Refuses directives where there is no text and no date.
pub(super) fn refuse(call: &Call<'_, Context>) -> Result<(), FieldError> {
    if !call.has_directives() {
        return Ok(());
    }
    for name in ["regex", "formatDateTime"] {
        if !call.directives(name)?.is_empty() {
            let message = format!("@{name} does not apply to {}", call.name());
            return Err(errors::invalid(message));
        }
    }
    Ok(())
}

/// A leaf as the directives of its field want it.
pub(super) fn apply(call: &Call<'_, Context>, leaf: Json) -> Result<Json, FieldError> {
    if !call.has_directives() {
        return Ok(leaf);
    }
    let mut leaf = leaf;
    for arguments in call.directives("formatDateTime")? {
        leaf = formatted(call, leaf, text(&arguments, "format"))?;
    }
    for arguments in call.directives("regex")? {
        let pattern = pattern(text(&arguments, "match"))?;
        let replacement = groups(text(&arguments, "replace"));
        leaf = replaced(call, leaf, &pattern, &replacement)?;
    }
    Ok(leaf)
}

fn text<'a>(arguments: &'a JsonMap, name: &str) -> &'a str {
    arguments
        .get(name)
        .and_then(Json::as_str)
        .unwrap_or_default()
}

fn pattern(text: &str) -> Result<Regex, FieldError> {
    if let Some(known) = PATTERNS.lock().get(text) {
        return Ok(known.clone());
    }
    if text.chars().count() > PATTERN_CHARACTERS_MAX {
        return Err(errors::invalid(format!(
            "@regex takes a pattern of at most {PATTERN_CHARACTERS_MAX} characters"
        )));
    }
    let compiled = RegexBuilder::new(text)
        .size_limit(PATTERN_BYTES_MAX)
        .build();
    let compiled = compiled.map_err(|_| {
        errors::invalid(
            "the match of @regex is no regular expression that can be searched: lookaround and \
             back references are not known",
        )
    })?;
    PATTERNS.lock().put(text.to_owned(), compiled.clone());
    Ok(compiled)
}

/// `$1` as the regular expressions here want it, whatever follows; other dollars are themselves.
fn groups(replacement: &str) -> String {
    let mut written = String::with_capacity(replacement.len());
    let mut rest = replacement;
    while let Some((before, after)) = rest.split_once('$') {
        written.push_str(before);
        let digits = after.chars().take_while(char::is_ascii_digit).count();
        let (group, behind) = after.split_at_checked(digits).unwrap_or(("", after));
        if group.is_empty() {
            written.push_str("$$");
        } else {
            written.push_str("${");
            written.push_str(group);
            written.push('}');
        }
        rest = behind;
    }
    written.push_str(rest);
    written
}

fn replaced(
    call: &Call<'_, Context>,
    leaf: Json,
    pattern: &Regex,
    replacement: &str,
) -> Result<Json, FieldError> {
    match leaf {
        Json::Null => Ok(Json::Null),
        Json::String(text) => {
            if !call.context.may_rewrite(text.len()) {
                let message = format!(
                    "@regex rewrites at most {REWRITTEN_BYTES_MAX} bytes of text in one request"
                );
                return Err(errors::invalid(message));
            }
            let changed = match pattern.replace_all(&text, replacement) {
                Cow::Borrowed(_) => return Ok(Json::String(text)),
                Cow::Owned(changed) => changed,
            };
            if changed.len() > REPLACED_BYTES_MAX {
                let message =
                    format!("@regex makes a text of more than {REPLACED_BYTES_MAX} bytes");
                return Err(errors::invalid(message));
            }
            Ok(Json::String(changed))
        }
        Json::Array(items) => items
            .into_iter()
            .map(|item| replaced(call, item, pattern, replacement))
            .collect(),
        _ => {
            let message = format!("@regex does not apply to {}, which is no text", call.name());
            Err(errors::invalid(message))
        }
    }
}

fn formatted(call: &Call<'_, Context>, leaf: Json, format: &str) -> Result<Json, FieldError> {
    if format.chars().count() > PATTERN_CHARACTERS_MAX {
        return Err(errors::invalid("the format of @formatDateTime is too long"));
    }
    if leaf.is_null() {
        return Ok(leaf);
    }
    let instant = leaf.as_str().and_then(|text| text.parse::<Instant>().ok());
    let instant = instant.ok_or_else(|| {
        let name = call.name();
        errors::invalid(format!(
            "@formatDateTime does not apply to {name}, which is no date"
        ))
    })?;
    match format {
        "epochMillis" => Ok(instant.as_millis().to_string().into()),
        "epochSeconds" => Ok(instant.as_millis().div_euclid(1000).to_string().into()),
        _ => letters(instant, format).map(Json::String),
    }
}

/// An instant by the letters of a format.
fn letters(instant: Instant, format: &str) -> Result<String, FieldError> {
    let timestamp = jiff::Timestamp::from_microsecond(instant.as_micros())
        .map_err(|_| errors::invalid("the date is too far away to be written so"))?;
    let time = timestamp.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    let mut written = String::new();
    let mut rest = format.chars().peekable();
    while let Some(letter) = rest.next() {
        if letter == '\'' {
            let quoted: String = rest.by_ref().take_while(|next| *next != '\'').collect();
            written.push_str(if quoted.is_empty() { "'" } else { &quoted });
            continue;
        }
        if !letter.is_ascii_alphabetic() {
            written.push(letter);
            continue;
        }
        let mut count = 1;
        while rest.next_if_eq(&letter).is_some() {
            count += 1;
        }
        let part = match (letter, count) {
            ('y' | 'u', 4) => format!("{:04}", time.year()),
            ('y' | 'u', 2) => format!("{:02}", time.year().rem_euclid(100)),
            ('M', 2) => format!("{:02}", time.month()),
            ('d', 2) => format!("{:02}", time.day()),
            ('H', 2) => format!("{:02}", time.hour()),
            ('m', 2) => format!("{:02}", time.minute()),
            ('s', 2) => format!("{:02}", time.second()),
            ('S', 3) => format!("{:03}", time.millisecond()),
            ('X', 1..=3) => "Z".to_owned(),
            _ => {
                let letters = letter.to_string().repeat(count);
                return Err(errors::invalid(format!(
                    "the format of @formatDateTime has {letters}; it knows yyyy, yy, MM, dd, HH, \
                     mm, ss, SSS, X and texts in single quotes"
                )));
            }
        };
        written.push_str(&part);
    }
    Ok(written)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn groups_end_where_their_digits_end() {
        assert_eq!(groups("$1"), "${1}");
        assert_eq!(groups("a$1b$12-$x$"), "a${1}b${12}-$$x$$");
        let last = pattern(".*/([0-9]*)").unwrap();
        let scope = "aws/r-9xk2/ou-9xk2-3hq7wv1p/245907731864";
        assert_eq!(last.replace_all(scope, groups("$1")), "245907731864");
    }

    #[test]
    fn dates_are_written_by_letters() {
        let instant: Instant = "2026-02-03T04:05:06.789Z".parse().unwrap();
        let written = |format| letters(instant, format);
        assert_eq!(
            written("yyyy-MM-dd HH:mm:ss").unwrap(),
            "2026-02-03 04:05:06"
        );
        let whole = "yyyy-MM-dd'T'HH:mm:ss.SSSX";
        assert_eq!(written(whole).unwrap(), "2026-02-03T04:05:06.789Z");
        assert!(written("EEE").unwrap_err().message.contains("EEE"));
    }

    #[test]
    fn patterns_are_bounded() {
        assert!(pattern("(?=a)b").is_err());
        assert!(pattern(&"a".repeat(PATTERN_CHARACTERS_MAX + 1)).is_err());
        assert!(pattern("(a{1000}){1000}").is_err());
    }
}
