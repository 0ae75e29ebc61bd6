// SPDX-License-Identifier: Apache-2.0
//! Nodes, steps and groups.

use super::super::STEPS_MAX;
use super::super::ast::{
    Alternative, Direction, Group, Node, PathPart, Selector, SelectorKind, Step, Verbs,
};
use super::super::errors::J1qlError;
use super::super::token::TokenKind;
use super::super::words::may_be_selected;
use super::{Parsed, Parser};

impl Parser<'_> {
    /// `selector { WITH condition | AS name }`
    pub(super) fn node(&mut self) -> Parsed<Node> {
        let mut node = Node {
            selector: self.selector()?,
            filter: None,
            alias: None,
        };
        loop {
            if node.filter.is_none() && self.take_keyword("WITH") {
                node.filter = Some(self.condition()?);
            } else if node.alias.is_none() && self.take_keyword("AS") {
                node.alias = Some(self.alias()?);
            } else {
                return Ok(node);
            }
        }
    }

    fn selector(&mut self) -> Parsed<Selector> {
        let start = self.span();
        let mut smart_classes = Vec::new();
        while let TokenKind::SmartClass(name) = self.kind() {
            let name = name.clone();
            self.advance();
            self.push(&mut smart_classes, name)?;
        }
        let kind = match self.kind() {
            TokenKind::Text(text) => {
                let kind = SelectorKind::Text(text.clone());
                self.advance();
                kind
            }
            TokenKind::Star => {
                self.advance();
                SelectorKind::Any
            }
            TokenKind::Open if smart_classes.is_empty() || !self.group_ahead() => {
                SelectorKind::OneOf(self.alternatives()?)
            }
            TokenKind::Word if self.at_name() => SelectorKind::OneOf(vec![self.named()]),
            _ if smart_classes.is_empty() => return Err(self.unexpected()),
            _ => SelectorKind::Any,
        };
        Ok(Selector {
            smart_classes,
            kind,
            span: start.to(self.last_span()),
        })
    }

    /// Whether the next word is a class, type or verb rather than the begin of a clause.
    fn at_name(&self) -> bool {
        let Some(word) = self.word() else {
            return false;
        };
        let begins_clause = match self.kind_after() {
            TokenKind::Number => self.is_word(0, "LIMIT") || self.is_word(0, "SKIP"),
            _ => self.is_word(0, "ORDER") && self.is_word(1, "BY"),
        };
        may_be_selected(word) && !begins_clause
    }

    /// The next word as a class or type.
    fn named(&mut self) -> Alternative {
        let word = self.word().unwrap_or("").to_owned();
        self.advance();
        if word.starts_with(char::is_uppercase) {
            Alternative::Class(word)
        } else {
            Alternative::Type(word)
        }
    }

    fn alternatives(&mut self) -> Parsed<Vec<Alternative>> {
        self.advance();
        let mut alternatives = Vec::new();
        loop {
            let alternative = match self.kind() {
                TokenKind::SmartClass(name) => {
                    let alternative = Alternative::SmartClass(name.clone());
                    self.advance();
                    alternative
                }
                TokenKind::Star => {
                    self.advance();
                    Alternative::Any
                }
                TokenKind::Word if self.at_name() => self.named(),
                _ => return Err(self.unexpected()),
            };
            self.push(&mut alternatives, alternative)?;
            if !self.take(&TokenKind::Bar) {
                self.expect(&TokenKind::Close)?;
                return Ok(alternatives);
            }
        }
    }

    /// Whether the parenthesis at the cursor opens a group of steps.
    fn group_ahead(&self) -> bool {
        self.is_word(1, "THAT")
    }

    /// Steps and groups, as many as there are.
    pub(super) fn path(&mut self) -> Parsed<Vec<PathPart>> {
        let mut parts = Vec::new();
        loop {
            let part = if self.at_keyword("THAT") {
                PathPart::Step(Box::new(self.step()?))
            } else if *self.kind() == TokenKind::Open {
                PathPart::Group(self.group()?)
            } else {
                return Ok(parts);
            };
            self.push(&mut parts, part)?;
        }
    }

    fn group(&mut self) -> Parsed<Group> {
        let start = self.span();
        self.descend()?;
        self.advance();
        if !self.at_keyword("THAT") {
            return Err(self.unexpected());
        }
        let parts = self.path()?;
        self.expect(&TokenKind::Close)?;
        self.ascend();
        let optional = self.take(&TokenKind::Question);
        let alias = if self.take_keyword("AS") {
            Some(self.alias()?)
        } else {
            None
        };
        Ok(Group {
            parts,
            optional,
            alias,
            span: start.to(self.last_span()),
        })
    }

    fn step(&mut self) -> Parsed<Step> {
        let start = self.span();
        if self.steps == STEPS_MAX {
            return Err(J1qlError::TooManySteps { at: start });
        }
        self.steps += 1;
        self.advance();
        let mut negated = self.take(&TokenKind::Bang);
        let verbs = self.verbs(&mut negated)?;
        let mut direction = Direction::Any;
        let mut alias = None;
        loop {
            let directed = direction != Direction::Any;
            if !directed && self.take(&TokenKind::LeftToRight) {
                direction = Direction::LeftToRight;
            } else if !directed && self.take(&TokenKind::RightToLeft) {
                direction = Direction::RightToLeft;
            } else if alias.is_none() && self.take_keyword("AS") {
                alias = Some(self.alias()?);
            } else if !self.take_keyword("TO") {
                break;
            }
        }
        let node = self.node()?;
        Ok(Step {
            negated,
            verbs,
            direction,
            alias,
            node,
            span: start.to(self.last_span()),
        })
    }

    fn verbs(&mut self, negated: &mut bool) -> Parsed<Verbs> {
        if self.take_keyword("RELATES") {
            return Ok(Verbs::Any);
        }
        if !self.take(&TokenKind::Open) {
            return Ok(Verbs::OneOf(vec![self.verb()?]));
        }
        if !*negated {
            *negated = self.take(&TokenKind::Bang);
        }
        let mut verbs = Vec::new();
        loop {
            let verb = self.verb()?;
            self.push(&mut verbs, verb)?;
            if !self.take(&TokenKind::Bar) {
                self.expect(&TokenKind::Close)?;
                return Ok(Verbs::OneOf(verbs));
            }
        }
    }

    fn verb(&mut self) -> Parsed<String> {
        match self.word() {
            Some(word) if may_be_selected(word) => {
                let verb = word.to_uppercase();
                self.advance();
                Ok(verb)
            }
            _ => Err(self.unexpected()),
        }
    }
}
