// SPDX-License-Identifier: Apache-2.0
//! What the lexer makes and the parser reads.

use super::errors::Span;
use super::expression::CompareOperator;

/// A piece of the query text.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

/// The kinds of token. Words, numbers and symbols have no content of their own: it is their text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// A keyword or a name; after a dot it may begin with a digit.
    Word,
    /// Digits, perhaps with decimals; never a sign.
    Number,
    /// A quoted text, without quotes and escapes.
    Text(String),
    Regex {
        pattern: String,
        ignore_case: bool,
    },
    /// `[key]`
    Key(String),
    /// `#Name`
    SmartClass(String),
    /// `${param.name}`
    Parameter(String),
    /// `${name}`
    Variable(String),
    /// `{{name}}`
    Template(String),
    /// `date(...)`
    Date(i64),
    Compare(CompareOperator),
    Open,
    Close,
    Comma,
    Dot,
    Star,
    Slash,
    Plus,
    Minus,
    Caret,
    Bar,
    Bang,
    Question,
    Semicolon,
    /// `>>`
    LeftToRight,
    /// `<<`
    RightToLeft,
    End,
}

/// Symbols, longer ones first where one begins with another.
pub(super) const SYMBOLS: &[(&str, TokenKind)] = &[
    ("!~=", TokenKind::Compare(CompareOperator::NotContains)),
    ("!^=", TokenKind::Compare(CompareOperator::NotStartsWith)),
    ("!$=", TokenKind::Compare(CompareOperator::NotEndsWith)),
    ("!=", TokenKind::Compare(CompareOperator::NotEqual)),
    ("~=", TokenKind::Compare(CompareOperator::Contains)),
    ("^=", TokenKind::Compare(CompareOperator::StartsWith)),
    ("$=", TokenKind::Compare(CompareOperator::EndsWith)),
    ("<=", TokenKind::Compare(CompareOperator::LessOrEqual)),
    (">=", TokenKind::Compare(CompareOperator::GreaterOrEqual)),
    ("<<", TokenKind::RightToLeft),
    (">>", TokenKind::LeftToRight),
    ("<", TokenKind::Compare(CompareOperator::Less)),
    (">", TokenKind::Compare(CompareOperator::Greater)),
    ("=", TokenKind::Compare(CompareOperator::Equal)),
    ("(", TokenKind::Open),
    (")", TokenKind::Close),
    (",", TokenKind::Comma),
    (".", TokenKind::Dot),
    ("*", TokenKind::Star),
    ("/", TokenKind::Slash),
    ("+", TokenKind::Plus),
    ("-", TokenKind::Minus),
    ("^", TokenKind::Caret),
    ("|", TokenKind::Bar),
    ("!", TokenKind::Bang),
    ("?", TokenKind::Question),
    (";", TokenKind::Semicolon),
];
