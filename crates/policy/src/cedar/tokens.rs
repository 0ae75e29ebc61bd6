// SPDX-License-Identifier: Apache-2.0
//! A look over the tokens of a policy before it is parsed: Cedar's parser and the steps after it
//! recurse, and some write a target several times, so that nesting must be bounded before.
//!
//! The tokens are those of Cedar's own formatter, and what is parsed afterwards is these tokens and
//! blanks: comments and unusual white space are gone before another lexer can read them otherwise.

use cedar_policy_formatter::token::Token;
use logos::Logos as _;

use super::CedarSyntaxError;
use super::repetition::Repetition;

/// Deepest nesting of brackets.
pub const DEPTH_MAX: usize = 48;
/// Most operators, member accesses and keywords of one statement: each may nest once more.
pub const OPERATORS_MAX: usize = 500;

/// Line and column, both from 1, of a byte; the column counts characters.
pub(super) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count().saturating_add(1);
    let last = before.rsplit('\n').next().unwrap_or_default();
    (line, last.chars().count().saturating_add(1))
}

/// The text with everything between its tokens blanked, byte for byte, so that positions stay.
/// Texts that nest too deeply or repeat themselves too often, and statements with slots, are
/// refused.
pub(super) fn check(text: &str) -> Result<String, CedarSyntaxError> {
    let mut blanked = vec![b' '; text.len()];
    let mut judge = Judge::default();
    for (token, span) in Token::lexer(text).spanned() {
        let offset = span.start;
        let slice = text.get(span.clone()).unwrap_or_default();
        judge.take(token.ok().as_ref(), slice).map_err(|reason| {
            let (line, column) = position(text, offset);
            CedarSyntaxError {
                line,
                column,
                reason,
                is_passing: false,
            }
        })?;
        if let Some(place) = blanked.get_mut(span) {
            place.copy_from_slice(slice.as_bytes());
        }
    }
    // Line feeds stay too, for positions that Cedar itself would tell.
    for (place, byte) in blanked.iter_mut().zip(text.bytes()) {
        if byte == b'\n' {
            *place = b'\n';
        }
    }
    String::from_utf8(blanked).map_err(|_| CedarSyntaxError {
        line: 1,
        column: 1,
        reason: "its tokens are not text".to_owned(),
        is_passing: false,
    })
}

/// Counts what nests.
#[derive(Default)]
struct Judge {
    /// What closes the brackets that are open.
    closers: Vec<Token>,
    operators: usize,
    repetition: Repetition,
}

impl Judge {
    /// One token; none stands for what Cedar's lexer does not know.
    fn take(&mut self, token: Option<&Token>, text: &str) -> Result<(), String> {
        let Some(token) = token else {
            return unknown(text);
        };
        self.repetition.take(token)?;
        match token {
            Token::LParen => self.open(Token::RParen),
            Token::LBracket => self.open(Token::RBracket),
            Token::LBrace => self.open(Token::RBrace),
            Token::RParen | Token::RBracket | Token::RBrace => self.close(token),
            Token::PrincipalSlot | Token::ResourceSlot => Err(slot()),
            Token::SemiColon if self.closers.is_empty() => {
                self.operators = 0;
                Ok(())
            }
            Token::Or
            | Token::And
            | Token::Add
            | Token::Dash
            | Token::Mul
            | Token::Dot
            | Token::Neg
            | Token::If
            | Token::Has
            | Token::Like
            | Token::In
            | Token::Is => self.count(),
            _ => Ok(()),
        }
    }

    fn open(&mut self, closer: Token) -> Result<(), String> {
        self.closers.push(closer);
        if self.closers.len() > DEPTH_MAX {
            return Err(format!(
                "brackets stand more than {DEPTH_MAX} deep; write it flatter"
            ));
        }
        self.count()
    }

    fn close(&mut self, closer: &Token) -> Result<(), String> {
        match self.closers.pop() {
            Some(expected) if expected == *closer => Ok(()),
            Some(expected) => Err(format!(
                "unexpected token `{closer}`: expected `{expected}`"
            )),
            None => Err(format!("unexpected token `{closer}`: it closes nothing")),
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

fn slot() -> String {
    "a policy cannot have slots such as ?principal".to_owned()
}

/// What is no token. Cedar's parser knows a lone `=`, to say what to write in its place.
fn unknown(text: &str) -> Result<(), String> {
    match text.chars().next() {
        Some('=') => Ok(()),
        Some('?') => Err(slot()),
        Some('"') => Err("the string that begins here has no end".to_owned()),
        first => Err(format!(
            "{:?} is no part of the language",
            first.map(String::from).unwrap_or_default()
        )),
    }
}
