// SPDX-License-Identifier: Apache-2.0
//! Boolean expressions over tags: `env=prod AND (team=db OR NOT legacy)`.
//!
//! Parentheses bind first, then `NOT`, then `AND`, then `OR`. A tag without a value means any
//! value; `*` as a value means the same. Names and values with blanks, parentheses or `=` stand in
//! double quotes.

/// A boolean expression over tags.
#[derive(Clone, Debug, PartialEq)]
pub enum TagQuery {
    /// The tag has this value; `None` is any.
    Tag(String, Option<String>),
    /// Not this.
    Not(Box<Self>),
    /// Both.
    And(Box<Self>, Box<Self>),
    /// Either.
    Or(Box<Self>, Box<Self>),
}

/// Deepest nesting of an expression.
const DEPTH_MAX: usize = 64;
/// Longest expression in bytes.
const BYTES_MAX: usize = 16_384;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Open,
    Close,
    Equals,
    And,
    Or,
    Not,
    Word(String),
}

impl TagQuery {
    /// An expression from its text.
    ///
    /// # Errors
    /// With a sentence about what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > BYTES_MAX {
            return Err(format!("the query has more than {BYTES_MAX} bytes"));
        }
        let mut parser = Parser {
            tokens: tokens(text)?,
            position: 0,
        };
        let query = parser.either(0)?;
        match parser.peek() {
            None => Ok(query),
            Some(token) => Err(format!("{} is not expected in the query", name(token))),
        }
    }

    /// Whether it holds for something with these tags.
    pub fn holds(&self, tag: &impl Fn(&str) -> Option<String>) -> bool {
        match self {
            Self::Tag(name, None) => tag(name).is_some(),
            Self::Tag(name, Some(value)) => tag(name).as_deref() == Some(value.as_str()),
            Self::Not(inner) => !inner.holds(tag),
            Self::And(left, right) => left.holds(tag) && right.holds(tag),
            Self::Or(left, right) => left.holds(tag) || right.holds(tag),
        }
    }
}

struct Parser {
    tokens: Vec<Token>,
    position: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.position)
    }

    fn take(&mut self, wanted: &Token) -> bool {
        let is_there = self.peek() == Some(wanted);
        if is_there {
            self.position += 1;
        }
        is_there
    }

    fn either(&mut self, depth: usize) -> Result<TagQuery, String> {
        let mut left = self.both(depth)?;
        while self.take(&Token::Or) {
            left = TagQuery::Or(Box::new(left), Box::new(self.both(depth)?));
        }
        Ok(left)
    }

    fn both(&mut self, depth: usize) -> Result<TagQuery, String> {
        let mut left = self.one(depth)?;
        while self.take(&Token::And) {
            left = TagQuery::And(Box::new(left), Box::new(self.one(depth)?));
        }
        Ok(left)
    }

    fn one(&mut self, depth: usize) -> Result<TagQuery, String> {
        if depth >= DEPTH_MAX {
            return Err(format!("the query is nested deeper than {DEPTH_MAX}"));
        }
        if self.take(&Token::Not) {
            return Ok(TagQuery::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.take(&Token::Open) {
            let inner = self.either(depth + 1)?;
            if !self.take(&Token::Close) {
                return Err("a parenthesis of the query is not closed".to_owned());
            }
            return Ok(inner);
        }
        let name = self.word()?;
        if !self.take(&Token::Equals) {
            return Ok(TagQuery::Tag(name, None));
        }
        let value = self.word()?;
        Ok(TagQuery::Tag(name, (value != "*").then_some(value)))
    }

    fn word(&mut self) -> Result<String, String> {
        match self.peek() {
            Some(Token::Word(word)) => {
                let word = word.clone();
                self.position += 1;
                Ok(word)
            }
            Some(token) => Err(format!(
                "a tag is expected in the query, not {}",
                name(token)
            )),
            None => Err("the query ends where a tag is expected".to_owned()),
        }
    }
}

fn name(token: &Token) -> String {
    match token {
        Token::Open => "(".to_owned(),
        Token::Close => ")".to_owned(),
        Token::Equals => "=".to_owned(),
        Token::And => "AND".to_owned(),
        Token::Or => "OR".to_owned(),
        Token::Not => "NOT".to_owned(),
        Token::Word(word) => format!("{word:?}"),
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let token = match c {
            c if c.is_whitespace() => continue,
            '(' => Token::Open,
            ')' => Token::Close,
            '=' => Token::Equals,
            '"' => {
                let mut word = String::new();
                loop {
                    match rest.next() {
                        Some('"') => break,
                        Some('\\') => word.extend(rest.next()),
                        Some(c) => word.push(c),
                        None => return Err("a quote of the query is not closed".to_owned()),
                    }
                }
                Token::Word(word)
            }
            c => {
                let mut word = String::from(c);
                let ends = |c: &char| c.is_whitespace() || matches!(c, '(' | ')' | '=' | '"');
                while let Some(c) = rest.next_if(|c| !ends(c)) {
                    word.push(c);
                }
                match word.to_ascii_uppercase().as_str() {
                    "AND" => Token::And,
                    "OR" => Token::Or,
                    "NOT" => Token::Not,
                    _ => Token::Word(word),
                }
            }
        };
        tokens.push(token);
    }
    Ok(tokens)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    fn holds(query: &str, tags: &[(&str, &str)]) -> bool {
        let tag = |name: &str| {
            let found = tags.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        TagQuery::parse(query).unwrap().holds(&tag)
    }

    #[test]
    fn precedence_is_not_and_or() {
        assert!(holds("a OR b AND c", &[("a", "")]));
        assert!(!holds("(a OR b) AND c", &[("a", "")]));
        assert!(holds("NOT a AND b", &[("b", "")]));
        assert!(!holds("NOT (a OR b)", &[("b", "")]));
        assert!(holds("env=prod and not legacy", &[("env", "prod")]));
        assert!(holds("\"a b\"=\"c=d\"", &[("a b", "c=d")]));
        assert!(holds("env=*", &[("env", "x")]));
        assert!(!holds("env=Prod", &[("env", "prod")]));
    }

    #[test]
    fn mistakes_are_named() {
        for wrong in ["", "a AND", "(a", "a)", "=b", "a==b", "NOT", "\"a", "a b"] {
            assert!(TagQuery::parse(wrong).is_err(), "{wrong}");
        }
        assert!(TagQuery::parse(&"(".repeat(1000)).is_err());
        assert!(TagQuery::parse(&"NOT ".repeat(1000)).is_err());
    }
}
