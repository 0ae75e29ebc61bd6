// SPDX-License-Identifier: Apache-2.0
//! Computed values.

use super::super::OPERATORS_MAX;
use super::super::ast::Name;
use super::super::errors::{J1qlError, Span};
use super::super::expression::{
    ArithmeticOperator, Arity, Binary, Call, Expression, Function, Number, Reference,
};
use super::super::lexer::shown;
use super::super::token::TokenKind;
use super::super::words::{is_keyword, is_literal, unit, unit_names};
use super::{Parsed, Parser};

/// The strength of the weakest operator.
const WEAKEST: u8 = 1;
/// What tags begin with, before the dot.
const TAG: &str = "tag";

impl Parser<'_> {
    /// An expression that is not part of a larger one.
    pub(super) fn expression(&mut self) -> Parsed<Expression> {
        self.operators = 0;
        self.sum()
    }

    fn sum(&mut self) -> Parsed<Expression> {
        let first = self.atom()?;
        self.climb(first, WEAKEST)
    }

    /// What may follow an expression in parentheses that has just been read.
    pub(super) fn continue_expression(&mut self, inside: Expression) -> Parsed<Expression> {
        self.climb(inside, WEAKEST)
    }

    /// Takes in the operators after `left` that bind at least as strongly as `weakest`.
    fn climb(&mut self, mut left: Expression, weakest: u8) -> Parsed<Expression> {
        while let Some(operator) = self.operator().filter(|found| found.strength() >= weakest) {
            if self.operators == OPERATORS_MAX {
                return Err(J1qlError::TooManyOperators { at: self.span() });
            }
            if operator == ArithmeticOperator::Subtract {
                self.check_tag(&left)?;
            }
            self.operators += 1;
            self.advance();
            let groups_right = operator == ArithmeticOperator::Power;
            let right = self.atom()?;
            let right = self.climb(right, operator.strength() + u8::from(!groups_right))?;
            left = Expression::Binary(Box::new(Binary {
                operator,
                left,
                right,
            }));
        }
        Ok(left)
    }

    /// Names of tags may end in a number: `tag.env-2` wants brackets and is no subtraction. Other
    /// names are told apart where it is known what they may mean.
    fn check_tag(&self, left: &Expression) -> Parsed<()> {
        let Expression::Reference(name) = left else {
            return Ok(());
        };
        let is_tag = match name.segments.as_slice() {
            [tag, _, ..] if tag == TAG => true,
            [_, tag, _, ..] => tag == TAG,
            _ => false,
        };
        let minus = self.span();
        let is_number = *self.kind_after() == TokenKind::Number;
        let rest = self.text.get(minus.end as usize..).unwrap_or_default();
        if !is_tag || !is_number || minus.start != name.span.end || rest.starts_with(' ') {
            return Ok(());
        }
        let is_of_name = |letter: char| letter.is_alphanumeric() || "-_".contains(letter);
        let tail = rest.split(|letter| !is_of_name(letter)).next();
        let tail = format!("-{}", tail.unwrap_or_default());
        let meant = match (name.alias(), name.property()) {
            (alias, Some(property)) if alias != TAG => format!("{alias}.[{property}{tail}]"),
            _ => format!("[{}{tail}]", name.key()),
        };
        Err(J1qlError::UnbracketedName {
            written: shown(&format!("{}{tail}", name.key())),
            meant: shown(&meant),
            at: name.span,
        })
    }

    fn operator(&self) -> Option<ArithmeticOperator> {
        match self.kind() {
            TokenKind::Plus => Some(ArithmeticOperator::Add),
            TokenKind::Minus => Some(ArithmeticOperator::Subtract),
            TokenKind::Star => Some(ArithmeticOperator::Multiply),
            TokenKind::Slash => Some(ArithmeticOperator::Divide),
            TokenKind::Caret => Some(ArithmeticOperator::Power),
            _ => None,
        }
    }

    fn atom(&mut self) -> Parsed<Expression> {
        let span = self.span();
        let named = |text: &String| Name {
            text: text.clone(),
            span,
        };
        let expression = match self.kind() {
            TokenKind::Open => {
                self.descend()?;
                self.advance();
                let inside = self.sum()?;
                self.expect(&TokenKind::Close)?;
                self.ascend();
                return Ok(inside);
            }
            TokenKind::Minus => {
                self.advance();
                return self.number("-");
            }
            TokenKind::Number => return self.number(""),
            TokenKind::Key(_) => return self.reference(),
            TokenKind::Word => return self.named_atom(),
            TokenKind::Text(text) => Expression::Text(text.clone()),
            TokenKind::Parameter(name) => Expression::Parameter(named(name)),
            TokenKind::Variable(name) => Expression::Variable(named(name)),
            TokenKind::Template(name) => Expression::Template(named(name)),
            TokenKind::Date(epoch_ms) => Expression::Date(*epoch_ms),
            _ => return Err(self.unexpected()),
        };
        self.advance();
        Ok(expression)
    }

    fn number(&mut self, sign: &str) -> Parsed<Expression> {
        let at = self.span();
        if *self.kind() != TokenKind::Number {
            return Err(self.unexpected());
        }
        let digits = format!("{sign}{}", at.of(self.text));
        self.advance();
        let amount = match durward_model::Number::parse(&digits) {
            Some(Ok(durward_model::Number::Whole(whole))) => Number::Integer(whole),
            Some(Ok(durward_model::Number::Float(decimal))) => Number::Decimal(decimal),
            _ => return Err(J1qlError::NumberOutOfRange { at }),
        };
        self.expected.extend(unit_names());
        let Some(unit) = self.word().and_then(unit) else {
            return Ok(Expression::Number(amount));
        };
        self.advance();
        Ok(Expression::Duration { amount, unit })
    }

    /// An expression that begins with a word.
    fn named_atom(&mut self) -> Parsed<Expression> {
        let word = self.word().unwrap_or("");
        let starts_reference = matches!(self.kind_after(), TokenKind::Dot | TokenKind::Key(_));
        if word.eq_ignore_ascii_case("date")
            && self.is_word(2, "now")
            && *self.kind_after() == TokenKind::Dot
            && !matches!(self.nth(3).kind, TokenKind::Dot | TokenKind::Key(_))
        {
            (0..3).for_each(|_| self.advance());
            return Ok(Expression::Now);
        }
        if is_literal(word) && !starts_reference {
            let literal = match word.to_ascii_lowercase().as_str() {
                "true" => Expression::Boolean(true),
                "false" => Expression::Boolean(false),
                _ => Expression::Undefined,
            };
            self.advance();
            return Ok(literal);
        }
        if is_keyword(word) && !self.keyword_is_name() {
            return Err(self.unexpected());
        }
        // `WITH a = b (THAT ...)?` is a property before a group.
        if *self.kind_after() == TokenKind::Open && !self.is_word(2, "THAT") {
            let Some(function) = Function::from_name(word) else {
                let names = Function::ALL.iter().map(|function| function.name());
                return Err(self.unexpected_among(names));
            };
            return self.call(function);
        }
        self.reference()
    }

    fn call(&mut self, function: Function) -> Parsed<Expression> {
        let start = self.span();
        self.advance();
        self.descend()?;
        self.advance();
        let mut arguments = Vec::new();
        if function == Function::Count && self.take(&TokenKind::Star) {
            arguments.push(Expression::Everything);
        } else if *self.kind() != TokenKind::Close {
            loop {
                let argument = self.sum()?;
                self.push(&mut arguments, argument)?;
                if !self.take(&TokenKind::Comma) {
                    break;
                }
            }
        }
        self.expect(&TokenKind::Close)?;
        self.ascend();
        let span = start.to(self.last_span());
        check_arity(function, arguments.len(), span)?;
        Ok(Expression::Call(Box::new(Call {
            function,
            arguments,
            span,
        })))
    }

    fn reference(&mut self) -> Parsed<Expression> {
        let start = self.span();
        let mut segments = Vec::new();
        let mut every_property = false;
        self.segment(&mut segments)?;
        loop {
            if self.take(&TokenKind::Dot) {
                if self.take(&TokenKind::Star) {
                    every_property = true;
                    break;
                }
                self.segment(&mut segments)?;
            } else if matches!(self.kind(), TokenKind::Key(_)) {
                self.segment(&mut segments)?;
            } else {
                break;
            }
        }
        let span = start.to(self.last_span());
        Ok(Expression::Reference(Reference {
            segments,
            every_property,
            span,
        }))
    }

    fn segment(&mut self, segments: &mut Vec<String>) -> Parsed<()> {
        let segment = match self.kind() {
            TokenKind::Word => self.word().unwrap_or("").to_owned(),
            TokenKind::Key(key) => key.clone(),
            _ => return Err(self.unexpected()),
        };
        self.advance();
        self.push(segments, segment)
    }
}

fn check_arity(function: Function, arguments: usize, at: Span) -> Parsed<()> {
    let (fits, needs) = match function.arity() {
        Arity::One => (arguments == 1, "one argument"),
        Arity::OneOrMore => (arguments >= 1, "at least one argument"),
    };
    if fits {
        return Ok(());
    }
    Err(J1qlError::ArgumentCount {
        function: function.name(),
        needs,
        at,
    })
}
