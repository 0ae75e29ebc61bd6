// SPDX-License-Identifier: Apache-2.0
//! Licence expressions: `A OR B`, `A AND B`, parentheses, `A WITH exception`, and the old `A/B`.

use std::collections::BTreeSet;

use anyhow::bail;

/// Deeper parentheses than any real manifest has.
const DEPTH_MAX: usize = 16;

/// Whether the licences in `allowed` satisfy the expression.
pub(crate) fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> anyhow::Result<bool> {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser {
        words: &words,
        at: 0,
        allowed,
    };
    let holds = parser.any(0)?;
    if let Some(word) = parser.peek() {
        bail!("unexpected {word:?} in licence expression {expression:?}");
    }
    Ok(holds)
}

struct Parser<'a> {
    words: &'a [&'a str],
    at: usize,
    allowed: &'a BTreeSet<String>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&str> {
        self.words.get(self.at).copied()
    }

    fn takes(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        self.at += usize::from(found);
        found
    }

    fn any(&mut self, depth: usize) -> anyhow::Result<bool> {
        let mut holds = self.all(depth)?;
        while self.takes("OR") {
            holds |= self.all(depth)?;
        }
        Ok(holds)
    }

    fn all(&mut self, depth: usize) -> anyhow::Result<bool> {
        let mut holds = self.one(depth)?;
        while self.takes("AND") {
            holds &= self.one(depth)?;
        }
        Ok(holds)
    }

    fn one(&mut self, depth: usize) -> anyhow::Result<bool> {
        if self.takes("(") {
            if depth == DEPTH_MAX {
                bail!("licence expression with more than {DEPTH_MAX} parentheses");
            }
            let holds = self.any(depth + 1)?;
            if !self.takes(")") {
                bail!("licence expression with an open parenthesis");
            }
            return Ok(holds);
        }
        let Some(name) = self.peek().map(str::to_owned) else {
            bail!("licence expression ends too early");
        };
        self.at += 1;
        if !self.takes("WITH") {
            return Ok(self.allowed.contains(&name));
        }
        let Some(exception) = self.peek().map(str::to_owned) else {
            bail!("licence expression ends after WITH");
        };
        self.at += 1;
        Ok(self.allowed.contains(&format!("{name} WITH {exception}")))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    fn allowed(expression: &str) -> bool {
        let names = ["MIT", "ISC", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"];
        is_allowed(expression, &names.map(str::to_owned).into()).unwrap()
    }

    #[test]
    fn alternatives_need_one_and_conjunctions_all() {
        assert!(allowed("MIT OR GPL-3.0"));
        assert!(allowed("Apache-2.0/GPL-2.0"));
        assert!(!allowed("MIT AND GPL-3.0"));
        assert!(allowed("ISC AND (Apache-2.0 OR GPL-3.0)"));
        assert!(!allowed("ISC AND (LGPL-2.1 OR GPL-3.0)"));
        // AND binds tighter than OR.
        assert!(allowed("MIT OR ISC AND GPL-3.0"));
    }

    #[test]
    fn an_exception_is_a_licence_of_its_own() {
        assert!(allowed("Apache-2.0 WITH LLVM-exception"));
        assert!(!allowed("MIT WITH LLVM-exception"));
    }

    #[test]
    fn broken_expressions_are_errors() {
        let none = BTreeSet::new();
        for text in ["", "MIT OR", "(MIT", "MIT ISC", "MIT WITH", &"(".repeat(40)] {
            assert!(is_allowed(text, &none).is_err(), "{text:?}");
        }
    }
}
