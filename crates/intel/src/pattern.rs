// SPDX-License-Identifier: Apache-2.0
//! STIX patterns, as far as they are shown: which values they compare observables with.
//!
//! One pass over the tokens of the pattern language (STIX 2.1, chapter 9): texts with their
//! escapes, words, comments. Nothing evaluates patterns here, so nothing reads them differently.

use std::str::Chars;

/// One comparison for equality, `type:path = 'value'`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// STIX type of the observable.
    pub object_type: String,
    /// The value, without quotes and escapes.
    pub value: String,
}

#[derive(Debug, PartialEq)]
enum Token<'p> {
    Word(&'p str),
    Text(String),
    Equal,
    Other(char),
}

/// The comparisons for equality with a text, in their order. Negated ones are left out.
pub fn comparisons(pattern: &str) -> Vec<Comparison> {
    let mut found = Vec::new();
    let tokens = Tokens {
        rest: pattern.chars(),
    };
    let mut object_type = "";
    let mut word = "";
    let mut is_negated = false;
    let mut is_compared = false;
    for token in tokens {
        let was_compared = std::mem::take(&mut is_compared);
        match token {
            Token::Word(next) => {
                is_negated |= next.eq_ignore_ascii_case("NOT");
                word = next;
            }
            Token::Other(':') => {
                object_type = std::mem::take(&mut word);
                is_negated = false;
            }
            Token::Equal => is_compared = !is_negated,
            Token::Text(value) => {
                if was_compared && !object_type.is_empty() {
                    found.push(Comparison {
                        object_type: object_type.to_owned(),
                        value,
                    });
                }
            }
            Token::Other(_) => {}
        }
    }
    found
}

struct Tokens<'p> {
    rest: Chars<'p>,
}

impl<'p> Iterator for Tokens<'p> {
    type Item = Token<'p>;

    fn next(&mut self) -> Option<Token<'p>> {
        loop {
            let text = self.rest.as_str();
            let first = self.rest.next()?;
            return Some(match first {
                _ if first.is_whitespace() => continue,
                '\'' => Token::Text(self.text()),
                '/' if text.starts_with("//") => {
                    self.rest.by_ref().find(|next| matches!(next, '\n' | '\r'));
                    continue;
                }
                '/' if text.starts_with("/*") => {
                    self.rest.next();
                    self.comment();
                    continue;
                }
                '=' => {
                    if self.rest.as_str().starts_with('=') {
                        self.rest.next();
                    }
                    Token::Equal
                }
                '!' | '<' | '>' => {
                    if self.rest.as_str().starts_with('=') {
                        self.rest.next();
                    }
                    Token::Other(first)
                }
                _ if is_of_word(first) => {
                    let length = text.find(|next: char| !is_of_word(next));
                    let (word, rest) = text.split_at(length.unwrap_or(text.len()));
                    self.rest = rest.chars();
                    Token::Word(word)
                }
                other => Token::Other(other),
            });
        }
    }
}

impl Tokens<'_> {
    /// The rest of a text behind its opening quote.
    fn text(&mut self) -> String {
        let mut text = String::new();
        while let Some(next) = self.rest.next() {
            match next {
                '\'' => break,
                '\\' => text.extend(self.rest.next()),
                other => text.push(other),
            }
        }
        text
    }

    /// The rest of a comment behind its opening.
    fn comment(&mut self) {
        let rest = self.rest.as_str();
        let behind = rest.split_once("*/").map_or("", |(_, behind)| behind);
        self.rest = behind.chars();
    }
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str) -> Vec<(String, String)> {
        let found = comparisons(pattern).into_iter();
        found.map(|one| (one.object_type, one.value)).collect()
    }

    fn pair(object_type: &str, value: &str) -> (String, String) {
        (object_type.to_owned(), value.to_owned())
    }

    #[test]
    fn comparisons_are_found_and_nothing_else_is() {
        let two = "[ipv4-addr:value = '1.2.3.4' OR domain-name:value='a.example']";
        let expected = [
            pair("ipv4-addr", "1.2.3.4"),
            pair("domain-name", "a.example"),
        ];
        assert_eq!(found(two), expected);
        assert_eq!(
            found("[file:hashes.'SHA-256' = 'ab']"),
            [pair("file", "ab")]
        );
        // Quotes inside of texts are escaped, and what looks like a pattern there is none.
        let text = r"[url:value = 'a\'b\\'] AND [url:value != '[mutex:name = \'x\']']";
        assert_eq!(found(text), [pair("url", r"a'b\")]);
        for nothing in [
            "[url:value NOT = 'a']",
            "[url:value != 'a']",
            "[process:pid >= '4']",
            "[process:created > t'2020-01-01T00:00:00Z'] START t'2020-01-01T00:00:00Z'",
            "[/* url:value = 'a' */ process:pid = 4] // url:value = 'b'",
            "= '",
            "'",
            "",
        ] {
            assert!(found(nothing).is_empty(), "{nothing}: {:?}", found(nothing));
        }
    }
}
