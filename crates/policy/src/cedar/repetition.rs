// SPDX-License-Identifier: Apache-2.0
//! What Cedar writes several times.
//!
//! `X is T in E` becomes `X is T && X in E`, and `X has a.b.c` names X three times, so that nesting
//! them doubles what is read and judged with every level: forty levels would never end. This counts
//! the tokens that are added so.

use cedar_policy_formatter::token::Token;

/// Most tokens that repetition may add to one policy.
pub const REPEATED_MAX: usize = 8192;

/// The tokens of one pair of brackets, or of a statement outside of brackets, as they will be.
#[derive(Clone, Copy, Default)]
struct Level {
    /// Everything before the present operand.
    before: usize,
    /// The present operand: what `is` and `has` could repeat.
    operand: usize,
    /// After `has`: the target, which every further name repeats.
    repeated: Option<usize>,
}

/// Counts one token after the other.
#[derive(Default)]
pub(super) struct Repetition {
    outer: Vec<Level>,
    level: Level,
    added: usize,
}

impl Repetition {
    pub(super) fn take(&mut self, token: &Token) -> Result<(), String> {
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => {
                self.outer.push(std::mem::take(&mut self.level));
            }
            Token::RParen | Token::RBracket | Token::RBrace => {
                let inner =
                    std::mem::replace(&mut self.level, self.outer.pop().unwrap_or_default());
                self.level.operand = sum(&[self.level.operand, inner.before, inner.operand, 1]);
            }
            Token::SemiColon if self.outer.is_empty() => self.level = Level::default(),
            Token::Is => {
                let target = self.level.end();
                self.repeat(target);
            }
            Token::Has => {
                let target = self.level.end();
                self.level.repeated = Some(target);
            }
            Token::Dot => match self.level.repeated {
                Some(target) => {
                    self.level.repeated = Some(sum(&[target, 1]));
                    self.repeat(target);
                }
                None => self.level.operand = sum(&[self.level.operand, 1]),
            },
            // All that can stand within the target of `is` and `has`.
            Token::Add
            | Token::Dash
            | Token::Mul
            | Token::Neg
            | Token::DoubleColon
            | Token::Identifier(_)
            | Token::Number(_)
            | Token::Str(_)
            | Token::True
            | Token::False
            | Token::Principal
            | Token::Action
            | Token::Resource
            | Token::Context => self.level.operand = sum(&[self.level.operand, 1]),
            _ => {
                self.level.end();
            }
        }
        if self.added > REPEATED_MAX {
            return Err(
                "is and has stand within what is and has are asked about, which repeats it too \
                 often; write it flatter"
                    .to_owned(),
            );
        }
        Ok(())
    }

    fn repeat(&mut self, tokens: usize) {
        self.added = sum(&[self.added, tokens]);
        self.level.before = sum(&[self.level.before, tokens]);
    }
}

impl Level {
    /// Ends the operand and gives its size.
    fn end(&mut self) -> usize {
        let operand = std::mem::take(&mut self.operand);
        self.before = sum(&[self.before, operand, 1]);
        self.repeated = None;
        operand
    }
}

fn sum(parts: &[usize]) -> usize {
    parts.iter().copied().fold(0, usize::saturating_add)
}
