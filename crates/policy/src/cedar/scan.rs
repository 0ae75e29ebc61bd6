// SPDX-License-Identifier: Apache-2.0
//! A look over a policy's text before it is parsed: Cedar's parser and the steps after it recurse,
//! so that depth must be bounded before.

use super::CedarSyntaxError;

/// Deepest nesting of brackets.
pub const DEPTH_MAX: usize = 48;
/// Most operators, member accesses and keywords of one statement: each may nest once more.
pub const OPERATORS_MAX: usize = 500;

const NESTING_WORDS: [&[u8]; 5] = [b"if", b"has", b"like", b"in", b"is"];

/// Line and column, both from 1, of a byte; the column counts characters.
pub(super) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count().saturating_add(1);
    let last = before.rsplit('\n').next().unwrap_or_default();
    (line, last.chars().count().saturating_add(1))
}

/// Refuses texts that nest too deeply, and statements with slots.
pub(super) fn check(text: &str) -> Result<(), CedarSyntaxError> {
    let mut scan = Scan {
        rest: text.as_bytes(),
        depth: 0,
        operators: 0,
    };
    while !scan.rest.is_empty() {
        let offset = text.len().saturating_sub(scan.rest.len());
        if let Err(reason) = scan.step() {
            let (line, column) = position(text, offset);
            return Err(CedarSyntaxError {
                line,
                column,
                reason,
            });
        }
    }
    Ok(())
}

struct Scan<'a> {
    rest: &'a [u8],
    depth: usize,
    operators: usize,
}

impl Scan<'_> {
    fn step(&mut self) -> Result<(), String> {
        let Some((first, rest)) = self.rest.split_first() else {
            return Ok(());
        };
        match first {
            b'"' => self.rest = after_string(rest),
            b'/' if rest.first() == Some(&b'/') => {
                let line = rest.iter().position(|byte| *byte == b'\n');
                self.rest = line.and_then(|end| rest.get(end..)).unwrap_or_default();
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
                let end = self.rest.iter().position(|byte| !is_part(byte));
                let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
                self.rest = rest;
                if NESTING_WORDS.contains(&word) {
                    return self.count();
                }
            }
            other => {
                self.rest = rest;
                return self.sign(*other);
            }
        }
        Ok(())
    }

    fn sign(&mut self, sign: u8) -> Result<(), String> {
        match sign {
            b'(' | b'[' | b'{' => {
                self.depth = self.depth.saturating_add(1);
                if self.depth > DEPTH_MAX {
                    return Err(format!(
                        "brackets stand more than {DEPTH_MAX} deep; write it flatter"
                    ));
                }
                self.count()
            }
            b')' | b']' | b'}' => {
                self.depth = self.depth.saturating_sub(1);
                Ok(())
            }
            b';' => {
                self.operators = 0;
                Ok(())
            }
            b'?' => Err("a policy cannot have slots such as ?principal".to_owned()),
            b'&' | b'|' | b'+' | b'-' | b'*' | b'.' | b'!' => self.count(),
            _ => Ok(()),
        }
    }

    fn count(&mut self) -> Result<(), String> {
        self.operators = self.operators.saturating_add(1);
        if self.operators > OPERATORS_MAX {
            return Err(format!(
                "the statement has more than {OPERATORS_MAX} operators and brackets; write several \
                 statements, or a set with contains"
            ));
        }
        Ok(())
    }
}

/// What follows a string, whose opening quote is already gone.
fn after_string(mut rest: &[u8]) -> &[u8] {
    while let Some((byte, after)) = rest.split_first() {
        match byte {
            b'"' => return after,
            b'\\' => rest = after.get(1..).unwrap_or_default(),
            _ => rest = after,
        }
    }
    rest
}
