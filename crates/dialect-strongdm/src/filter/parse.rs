// SPDX-License-Identifier: Apache-2.0
//! Reads filters: total, so that any text is a filter or has a reason why it is none.

use super::pattern::{PATTERN_BYTES_MAX, WILDCARDS_MAX};
use super::{Comparison, FieldTerm, Filter, FilterError, Pattern, TagTerm, Term, folded};

/// Longest filter in bytes.
pub const FILTER_BYTES_MAX: usize = 256 << 10;
/// Most terms of a filter.
pub const TERMS_MAX: usize = 10_000;
/// Most terms of a filter that are not about ids: each is a test of every object.
pub const TESTS_MAX: usize = 100;
/// The field whose terms are alternatives.
pub(crate) const ID: &str = "id";
/// How much of a wrong term is shown.
const SHOWN_CHARS: usize = 40;

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// When it is not one, with a sentence that says why.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        if text.len() > FILTER_BYTES_MAX {
            let reason = format!("the filter is longer than {FILTER_BYTES_MAX} bytes");
            return Err(FilterError::new(reason));
        }
        let (mut terms, mut tests) = (Vec::new(), 0);
        let mut rest = text.trim_start_matches(is_separator);
        while !rest.is_empty() {
            if terms.len() == TERMS_MAX {
                let reason = format!("the filter has more than {TERMS_MAX} terms");
                return Err(FilterError::new(reason));
            }
            let (term, after) = term(rest)?;
            tests += usize::from(!term.is_of_ids());
            if tests > TESTS_MAX {
                let reason = format!("the filter has more than {TESTS_MAX} terms beside ids");
                return Err(FilterError::new(reason));
            }
            terms.push(term);
            rest = after.trim_start_matches(is_separator);
        }
        Ok(Self { terms })
    }
}

impl Term {
    /// Whether it is about the ids of the objects themselves.
    fn is_of_ids(&self) -> bool {
        match self {
            Self::Field(term) => folded(&term.name) == ID,
            Self::Tag(_) => false,
        }
    }
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || c == ','
}

/// Reads one term from the beginning of a text.
fn term(text: &str) -> Result<(Term, &str), FilterError> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-' || c == '.';
    let name_end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let (name, after) = text.split_at(name_end);
    let Some(after) = after.strip_prefix(':').filter(|_| !name.is_empty()) else {
        let shown = shown(text);
        let reason = format!("{shown:?} is not a filter term; terms look like field:value");
        return Err(FilterError::new(reason));
    };
    if matches!(folded(name).as_str(), "tag" | "tags") {
        return tag(name, after);
    }
    let (comparison, value) = comparison(after);
    let (value, rest) = value_until(value, false)?;
    let Some(value) = value else {
        return Err(FilterError::new(format!(
            "the filter field {name:?} has no value"
        )));
    };
    let pattern = Pattern::of(&value);
    check_wildcards(name, &pattern)?;
    let name = name.to_owned();
    let term = FieldTerm {
        name,
        comparison,
        pattern,
    };
    Ok((Term::Field(term), rest))
}

fn tag<'t>(name: &str, text: &'t str) -> Result<(Term, &'t str), FilterError> {
    let (key, rest) = value_until(text, true)?;
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        let reason = format!("the filter field {name:?} has no name of a tag");
        return Err(FilterError::new(reason));
    };
    let Some(rest) = rest.strip_prefix('=') else {
        return Ok((Term::Tag(TagTerm { key, value: None }), rest));
    };
    // Nothing behind the sign is the empty value.
    let (value, rest) = value_until(rest, false)?;
    let value = Pattern::of(&value.unwrap_or_default());
    check_wildcards(name, &value)?;
    let value = Some(value);
    Ok((Term::Tag(TagTerm { key, value }), rest))
}

/// Patterns are tried on every object: what takes long to try is refused.
fn check_wildcards(name: &str, pattern: &Pattern) -> Result<(), FilterError> {
    if pattern.is_small() {
        return Ok(());
    }
    Err(FilterError::new(format!(
        "the pattern of the filter field {name:?} is too large; it may have {WILDCARDS_MAX} \
         wildcards and, with any, {PATTERN_BYTES_MAX} bytes"
    )))
}

fn comparison(text: &str) -> (Option<Comparison>, &str) {
    for known in [
        Comparison::LessOrEqual,
        Comparison::GreaterOrEqual,
        Comparison::Less,
        Comparison::Greater,
    ] {
        if let Some(rest) = text.strip_prefix(known.as_str()) {
            return (Some(known), rest);
        }
    }
    (None, text)
}

/// Reads quoted and bare pieces up to a separator, or an equals sign where that ends it too.
fn value_until(text: &str, ends_at_equals: bool) -> Result<(Option<String>, &str), FilterError> {
    let mut value = None;
    let mut rest = text;
    loop {
        let bare_end = rest
            .find(|c| is_separator(c) || c == '"' || (ends_at_equals && c == '='))
            .unwrap_or(rest.len());
        let (bare, after) = rest.split_at(bare_end);
        if !bare.is_empty() {
            value.get_or_insert_with(String::new).push_str(bare);
        }
        if !after.starts_with('"') {
            return Ok((value, after));
        }
        let (quoted, after) = quoted(after)?;
        value.get_or_insert_with(String::new).push_str(&quoted);
        rest = after;
    }
}

/// Reads the JSON string that a text begins with.
fn quoted(text: &str) -> Result<(String, &str), FilterError> {
    let mut is_escaped = false;
    for (position, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => {
                let (string, rest) = text.split_at(position + 1);
                let read = serde_json::from_str(string);
                let read = read.map_err(|_| {
                    let shown = shown(string);
                    FilterError::new(format!("{shown} in the filter is not a valid JSON string"))
                })?;
                return Ok((read, rest));
            }
            _ => {}
        }
    }
    let shown = shown(text);
    let reason = format!("the quote that begins {shown} in the filter is never closed");
    Err(FilterError::new(reason))
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(name: &str, value: &str) -> Term {
        Term::Field(FieldTerm {
            name: name.to_owned(),
            comparison: None,
            pattern: Pattern::of(value),
        })
    }

    fn tag(key: &str, value: Option<&str>) -> Term {
        let (key, value) = (key.to_owned(), value.map(Pattern::of));
        Term::Tag(TagTerm { key, value })
    }

    #[test]
    fn forms_of_real_clients_are_read() {
        for (text, terms) in [
            ("", vec![]),
            ("  ,\t", vec![]),
            ("name:\"a b\"", vec![field("name", "a b")]),
            ("id:1,id:2", vec![field("id", "1"), field("id", "2")]),
            ("name:*sql*", vec![field("name", "*sql*")]),
            ("name:\"List*\" ", vec![field("name", "List*")]),
            ("name:a\"b c\"d", vec![field("name", "ab cd")]),
            ("name:\"\"", vec![field("name", "")]),
            ("tag:env=dev", vec![tag("env", Some("dev"))]),
            ("tags:env", vec![tag("env", None)]),
            ("tag:\"e=v\"=\"d e\" ", vec![tag("e=v", Some("d e"))]),
            ("tag:env=", vec![tag("env", Some(""))]),
            ("tag:a=b=c", vec![tag("a", Some("b=c"))]),
            (
                "type:ssh  hostname:\"\\u00e9\\\"\"",
                vec![field("type", "ssh"), field("hostname", "é\"")],
            ),
            (
                "before:2026-01-01T00:00:00Z",
                vec![field("before", "2026-01-01T00:00:00Z")],
            ),
        ] {
            assert_eq!(Filter::parse(text).unwrap().terms, terms, "{text}");
        }
        let filter = Filter::parse("port:>=5432").unwrap();
        let Some(Term::Field(term)) = filter.terms.first() else {
            unreachable!("one term");
        };
        assert_eq!(term.comparison, Some(Comparison::GreaterOrEqual));
    }

    #[test]
    fn what_is_no_filter_is_told_in_a_sentence() {
        for (text, reason) in [
            (
                "name",
                "\"name\" is not a filter term; terms look like field:value",
            ),
            ("name: x", "the filter field \"name\" has no value"),
            (
                ":x",
                "\":x\" is not a filter term; terms look like field:value",
            ),
            (
                "name:\"x",
                "the quote that begins \"x in the filter is never closed",
            ),
            (
                "name:\"\\x\"",
                "\"\\x\" in the filter is not a valid JSON string",
            ),
            ("tag:=x", "the filter field \"tag\" has no name of a tag"),
        ] {
            assert_eq!(Filter::parse(text).unwrap_err().to_string(), reason);
        }
        let long = "x".repeat(FILTER_BYTES_MAX + 1);
        assert!(Filter::parse(&long).is_err());
        assert!(Filter::parse(&"id:b ".repeat(TERMS_MAX)).is_ok());
        assert!(Filter::parse(&"id:b ".repeat(TERMS_MAX + 1)).is_err());
        let many = format!("{} {}", "a:b ".repeat(TESTS_MAX), "ID:1 ".repeat(TESTS_MAX));
        assert!(Filter::parse(&many).is_ok());
        for more in ["a:b", "tag:x"] {
            assert!(Filter::parse(&format!("{many}{more}")).is_err());
        }
        let wide = format!("a:{}", "*x".repeat(WILDCARDS_MAX));
        assert!(Filter::parse(&wide).is_ok());
        assert!(Filter::parse(&format!("{wide}*")).is_err());
        let long = "x".repeat(PATTERN_BYTES_MAX);
        assert!(Filter::parse(&format!("a:{long}x")).is_ok());
        assert!(Filter::parse(&format!("a:{long}*")).is_err());
        assert!(Filter::parse(&format!("tag:a={long}*")).is_err());
    }

    proptest! {
        #[test]
        fn every_text_is_read_or_refused(text in "\\PC{0,60}") {
            check(&text);
        }

        #[test]
        fn every_text_of_the_alphabet_is_read_or_refused(text in "[a:=\"\\\\*,<> _t]{0,40}") {
            check(&text);
        }
    }

    fn check(text: &str) {
        match Filter::parse(text) {
            Ok(filter) => {
                let printed = filter.to_string();
                assert_eq!(Filter::parse(&printed).as_ref(), Ok(&filter), "{printed}");
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}
