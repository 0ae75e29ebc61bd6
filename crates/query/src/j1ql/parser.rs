// SPDX-License-Identifier: Apache-2.0
//! From tokens to a syntax tree: the cursor and the clauses of a query.
//!
//! Recursive descent without backtracking. Whenever the parser asks for a word and finds another,
//! it notes the word: these are the candidates for a suggestion.

mod expression;
mod filter;
mod path;

use super::ast::{Name, Query, ReturnItem, Returns, SortKey};
use super::errors::{J1qlError, Span};
use super::expression::Expression;
use super::lexer::shown;
use super::suggest::closest;
use super::token::{Token, TokenKind};
use super::words::{is_keyword, is_reserved};
use super::{LIMIT_MAX, LIST_ITEMS_MAX, NESTING_MAX, SKIP_MAX};

type Parsed<T> = Result<T, J1qlError>;

/// Clauses after the path that begin with these words end a list of columns.
const CLAUSES: &[&str] = &["WHERE", "RETURN", "ORDER", "SKIP", "LIMIT", "HAVING"];

/// A cursor over the tokens of one query text.
pub(super) struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    end: Token,
    /// Index of the token that is read next.
    at: usize,
    /// Words that the parser has asked for at the token that is read next.
    expected: Vec<&'static str>,
    /// Open groups, subqueries, parentheses and calls.
    depth: usize,
    /// Open subqueries.
    subqueries: usize,
    /// Steps so far.
    steps: usize,
    /// Operators of the present expression so far.
    operators: usize,
}

impl<'t> Parser<'t> {
    pub(super) fn new(text: &'t str, tokens: Vec<Token>) -> Self {
        let span = tokens.last().map_or_else(Span::default, |last| last.span);
        Self {
            text,
            tokens,
            end: Token {
                kind: TokenKind::End,
                span,
            },
            at: 0,
            expected: Vec::new(),
            depth: 0,
            subqueries: 0,
            steps: 0,
            operators: 0,
        }
    }

    /// The whole text as one query.
    pub(super) fn parse(mut self) -> Parsed<Query> {
        let query = self.query()?;
        self.take(&TokenKind::Semicolon);
        if *self.kind() == TokenKind::End {
            Ok(query)
        } else {
            Err(self.unexpected())
        }
    }

    fn nth(&self, ahead: usize) -> &Token {
        self.tokens
            .get(self.at.saturating_add(ahead))
            .unwrap_or(&self.end)
    }

    fn kind(&self) -> &TokenKind {
        &self.nth(0).kind
    }

    fn kind_after(&self) -> &TokenKind {
        &self.nth(1).kind
    }

    fn span(&self) -> Span {
        self.nth(0).span
    }

    /// The span of the token before the cursor.
    fn last_span(&self) -> Span {
        self.at
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last))
            .unwrap_or(&self.end)
            .span
    }

    /// The text of the next token if it is a word.
    fn word(&self) -> Option<&'t str> {
        self.word_at(0)
    }

    fn word_at(&self, ahead: usize) -> Option<&'t str> {
        let token = self.nth(ahead);
        (token.kind == TokenKind::Word).then(|| token.span.of(self.text))
    }

    fn advance(&mut self) {
        self.at += 1;
        self.expected.clear();
    }

    fn take(&mut self, kind: &TokenKind) -> bool {
        let found = self.kind() == kind;
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, kind: &TokenKind) -> Parsed<()> {
        if self.take(kind) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn is_word(&self, ahead: usize, word: &str) -> bool {
        self.word_at(ahead)
            .is_some_and(|found| found.eq_ignore_ascii_case(word))
    }

    fn at_keyword(&mut self, keyword: &'static str) -> bool {
        self.expected.push(keyword);
        self.is_word(0, keyword)
    }

    fn take_keyword(&mut self, keyword: &'static str) -> bool {
        let found = self.at_keyword(keyword);
        if found {
            self.advance();
        }
        found
    }

    /// The error that the next token does not belong here.
    fn unexpected(&self) -> J1qlError {
        self.unexpected_among(self.expected.iter().copied())
    }

    fn unexpected_among(&self, candidates: impl Iterator<Item = &'static str>) -> J1qlError {
        let token = self.nth(0);
        let text = match token.kind {
            TokenKind::End => "end of query",
            _ => token.span.of(self.text),
        };
        let mistyped = self.word().filter(|word| !is_keyword(word));
        let suggestion = mistyped
            .and_then(|word| closest(word, candidates))
            .map(str::to_owned);
        J1qlError::UnexpectedToken {
            token: shown(text),
            at: token.span,
            suggestion,
        }
    }

    /// Enters a nesting level at the next token.
    fn descend(&mut self) -> Parsed<()> {
        if self.depth == NESTING_MAX {
            return Err(J1qlError::TooDeep {
                what: "Parts",
                levels: NESTING_MAX,
                at: self.span(),
            });
        }
        self.depth += 1;
        Ok(())
    }

    fn ascend(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Adds an entry to a list, unless it is full.
    fn push<T>(&self, list: &mut Vec<T>, item: T) -> Parsed<()> {
        if list.len() == LIST_ITEMS_MAX {
            return Err(J1qlError::TooManyItems {
                at: self.last_span(),
            });
        }
        list.push(item);
        Ok(())
    }

    /// The tokens from `first` to before the cursor as written, one blank for each gap.
    fn source(&self, first: usize) -> String {
        let mut source = String::new();
        let mut end = None;
        for token in self.tokens.get(first..self.at).unwrap_or(&[]) {
            if end.is_some_and(|end| end != token.span.start) {
                source.push(' ');
            }
            source.push_str(token.span.of(self.text));
            end = Some(token.span.end);
        }
        source
    }

    fn query(&mut self) -> Parsed<Query> {
        let start = self.span();
        if !self.take_keyword("FIND") {
            let text_ahead = usize::from(self.is_word(0, "UNIQUE"));
            if !matches!(self.nth(text_ahead).kind, TokenKind::Text(_)) {
                return Err(self.unexpected());
            }
        }
        let unique = self.take_keyword("UNIQUE");
        let node = self.node()?;
        let path = self.path()?;
        let mut query = Query {
            unique,
            start: node,
            path,
            filter: None,
            returns: None,
            order: Vec::new(),
            skip: None,
            limit: None,
            having: None,
            span: start,
        };
        while self.clause(&mut query)? {}
        query.span = start.to(self.last_span());
        Ok(query)
    }

    /// Reads one clause into `query`, if there is one that `query` does not have yet.
    fn clause(&mut self, query: &mut Query) -> Parsed<bool> {
        if query.filter.is_none() && self.take_keyword("WHERE") {
            query.filter = Some(self.condition()?);
        } else if query.returns.is_none() && self.take_keyword("RETURN") {
            query.returns = Some(self.returns()?);
        } else if query.order.is_empty() && self.take_keyword("ORDER") {
            if !self.take_keyword("BY") {
                return Err(self.unexpected());
            }
            query.order = self.sort_keys()?;
        } else if query.skip.is_none() && self.take_keyword("SKIP") {
            query.skip = Some(self.bounded("skip", 0, SKIP_MAX)?);
        } else if query.limit.is_none() && self.take_keyword("LIMIT") {
            query.limit = Some(self.bounded("limit", 1, LIMIT_MAX)?);
        } else if query.having.is_none() && self.take_keyword("HAVING") {
            query.having = Some(self.condition()?);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Whether a keyword stands where a value may stand, but is the name of a property or alias.
    /// In `UNIQUE [key]` it is not, for the blank.
    fn keyword_is_name(&self) -> bool {
        let next = self.nth(1);
        match next.kind {
            TokenKind::Dot | TokenKind::Compare(_) => true,
            TokenKind::Key(_) => next.span.start == self.span().end,
            _ => false,
        }
    }

    fn at_clause(&self) -> bool {
        CLAUSES.iter().any(|clause| self.is_word(0, clause)) && !self.keyword_is_name()
    }

    fn returns(&mut self) -> Parsed<Returns> {
        let unique = self.at_keyword("UNIQUE") && !self.keyword_is_name();
        if unique {
            self.advance();
        }
        if self.at_keyword("TREE") && !self.keyword_is_name() {
            let span = self.span();
            self.advance();
            return Ok(Returns::Tree { unique, span });
        }
        let mut items = Vec::new();
        loop {
            let item = self.return_item()?;
            self.push(&mut items, item)?;
            if !self.take(&TokenKind::Comma) || self.at_list_end() {
                return Ok(Returns::Items { unique, items });
            }
        }
    }

    /// Whether a comma before the cursor was a trailing one.
    fn at_list_end(&self) -> bool {
        matches!(
            self.kind(),
            TokenKind::End | TokenKind::Close | TokenKind::Semicolon
        ) || self.at_clause()
    }

    fn return_item(&mut self) -> Parsed<ReturnItem> {
        let (first, start) = (self.at, self.span());
        if self.take(&TokenKind::Star) {
            return Ok(ReturnItem {
                expression: Expression::Everything,
                alias: None,
                text: "*".to_owned(),
                span: start,
            });
        }
        let expression = self.expression()?;
        let (text, span) = (self.source(first), start.to(self.last_span()));
        let alias = if self.take_keyword("AS") {
            Some(self.column_alias()?)
        } else {
            None
        };
        Ok(ReturnItem {
            expression,
            alias,
            text,
            span,
        })
    }

    fn column_alias(&mut self) -> Parsed<Name> {
        if let TokenKind::Text(text) = self.kind() {
            let name = Name {
                text: text.clone(),
                span: self.span(),
            };
            self.advance();
            return Ok(name);
        }
        self.alias()
    }

    /// A name after `AS`.
    fn alias(&mut self) -> Parsed<Name> {
        match self.word() {
            Some(word) if !is_reserved(word) => {
                let name = Name {
                    text: word.to_owned(),
                    span: self.span(),
                };
                self.advance();
                Ok(name)
            }
            _ => Err(self.unexpected_among(std::iter::empty())),
        }
    }

    fn sort_keys(&mut self) -> Parsed<Vec<SortKey>> {
        let mut keys = Vec::new();
        loop {
            let (first, start) = (self.at, self.span());
            let expression = self.expression()?;
            let (text, span) = (self.source(first), start.to(self.last_span()));
            let descending = self.take_keyword("DESC");
            if !descending {
                self.take_keyword("ASC");
            }
            self.push(
                &mut keys,
                SortKey {
                    expression,
                    descending,
                    text,
                    span,
                },
            )?;
            if !self.take(&TokenKind::Comma) {
                return Ok(keys);
            }
        }
    }

    /// The number after `LIMIT` or `SKIP`.
    fn bounded(&mut self, clause: &'static str, lowest: u64, highest: u64) -> Parsed<u64> {
        let start = self.span();
        let negative = self.take(&TokenKind::Minus);
        if *self.kind() != TokenKind::Number {
            return Err(self.unexpected());
        }
        let at = start.to(self.span());
        let number = self
            .span()
            .of(self.text)
            .parse::<u64>()
            .ok()
            .filter(|_| !negative);
        self.advance();
        number
            .filter(|number| (lowest..=highest).contains(number))
            .ok_or(J1qlError::OutOfRange {
                clause,
                lowest,
                highest,
                at,
            })
    }
}
