// SPDX-License-Identifier: Apache-2.0
//! Cuts a query text into tokens. What a `/` means depends on the token before it.

use super::dates::parse_date;
use super::errors::{J1qlError, Span};
use super::token::{SYMBOLS, Token, TokenKind};
use super::words::{is_keyword, is_name_character, is_name_start};

/// The most characters of a token that an error shows.
const SHOWN_CHARACTERS_MAX: usize = 64;

/// The tokens of `text`; the last is [`TokenKind::End`].
pub(super) fn tokenize(text: &str) -> Result<Vec<Token>, J1qlError> {
    let mut lexer = Lexer {
        text,
        at: Span {
            line: 1,
            column: 1,
            start: 0,
            end: 0,
        },
        tokens: Vec::new(),
    };
    loop {
        lexer.skip_blanks()?;
        let start = lexer.at;
        let Some(first) = lexer.peek() else {
            lexer.push(TokenKind::End, start);
            return Ok(lexer.tokens);
        };
        let kind = lexer.token(first, start)?;
        lexer.push(kind, start);
    }
}

/// The part of a token that an error shows.
pub(crate) fn shown(token: &str) -> String {
    match token.char_indices().nth(SHOWN_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}...", token.get(..end).unwrap_or("")),
        None => token.to_owned(),
    }
}

struct Lexer<'t> {
    text: &'t str,
    /// The position of the next character; `start` is its offset.
    at: Span,
    tokens: Vec<Token>,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at.start as usize..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at.start += character.len_utf8() as u32;
        if character == '\n' {
            self.at.line += 1;
            self.at.column = 1;
        } else {
            self.at.column += 1;
        }
        Some(character)
    }

    fn skip(&mut self, prefix: &str) -> bool {
        let found = self.rest().starts_with(prefix);
        if found {
            for _ in prefix.chars() {
                self.bump();
            }
        }
        found
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let mut bytes = 0;
        while let Some(character) = self.peek().filter(|&character| wanted(character)) {
            bytes += character.len_utf8();
            self.bump();
        }
        rest.get(..bytes).unwrap_or("")
    }

    fn push(&mut self, kind: TokenKind, start: Span) {
        self.tokens.push(Token {
            kind,
            span: Span {
                end: self.at.start,
                ..start
            },
        });
    }

    fn unexpected(&self, token: &str, at: Span) -> J1qlError {
        let at = Span {
            end: self.at.start,
            ..at
        };
        J1qlError::UnexpectedToken {
            token: shown(token),
            at,
            suggestion: None,
        }
    }

    fn unterminated(&self, what: &'static str, at: Span) -> J1qlError {
        J1qlError::Unterminated {
            what,
            at: Span {
                end: self.at.start,
                ..at
            },
        }
    }

    /// Blanks, `/* ... */` and `// ...`.
    fn skip_blanks(&mut self) -> Result<(), J1qlError> {
        loop {
            self.take_while(|character| character.is_whitespace() || character == '\u{feff}');
            let start = self.at;
            if self.skip("//") {
                self.take_while(|character| character != '\n');
            } else if self.skip("/*") {
                while !self.skip("*/") {
                    if self.bump().is_none() {
                        return Err(self.unterminated("comment", start));
                    }
                }
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self, first: char, start: Span) -> Result<TokenKind, J1qlError> {
        if is_name_start(first) {
            return self.word(start);
        }
        if first.is_ascii_digit() {
            return Ok(self.number());
        }
        match first {
            '\'' | '"' => self.quoted(first, start),
            '[' => self.key(start),
            '#' => self.smart_class(start),
            '/' if !self.follows_operand() => self.regex(start),
            _ if self.skip("${") => self.placeholder("}", start),
            _ if self.skip("{{") => self.placeholder("}}", start),
            _ => self.symbol(start),
        }
    }

    fn symbol(&mut self, start: Span) -> Result<TokenKind, J1qlError> {
        for (text, kind) in SYMBOLS {
            if self.skip(text) {
                return Ok(kind.clone());
            }
        }
        let meant = self.bracketed(start);
        let character = self.bump().map(String::from).unwrap_or_default();
        let error = self.unexpected(&character, start);
        Err(match (error, meant) {
            (J1qlError::UnexpectedToken { token, at, .. }, suggestion @ Some(_)) => {
                J1qlError::UnexpectedToken {
                    token,
                    at,
                    suggestion,
                }
            }
            (error, _) => error,
        })
    }

    /// The property around an illegal character at `start` as it may be written: `[tag.a:b]`, after
    /// an alias everywhere but in `WITH`.
    fn bracketed(&self, start: Span) -> Option<String> {
        let mut names = Vec::new();
        let mut before = start.start;
        for token in self.tokens.iter().rev() {
            let is_part = matches!(token.kind, TokenKind::Word | TokenKind::Dot);
            if !is_part || token.span.end != before {
                break;
            }
            before = token.span.start;
            if token.kind == TokenKind::Word {
                names.push(token.span.of(self.text));
            }
        }
        names.reverse();
        let clause = self.tokens.iter().rev().find_map(|token| {
            let word = (token.kind == TokenKind::Word).then(|| token.span.of(self.text))?;
            let mut clauses = ["WITH", "WHERE", "RETURN", "BY", "HAVING"].into_iter();
            clauses.find(|one| one.eq_ignore_ascii_case(word))
        });
        let alias = match (clause?, names.len()) {
            (_, 0) => return None,
            ("WITH", _) => String::new(),
            (_, 1) => return None,
            _ => format!("{}.", names.remove(0)),
        };
        let wanted = |character: char| is_name_character(character) || "-.:@".contains(character);
        let rest = self.rest();
        let end = rest.find(|character| !wanted(character));
        let tail = shown(rest.get(..end.unwrap_or(rest.len()))?);
        (!tail.is_empty()).then(|| format!("{alias}[{}{tail}]", names.join(".")))
    }

    fn last_kind(&self) -> Option<&TokenKind> {
        self.tokens.last().map(|token| &token.kind)
    }

    /// Whether the last token ends a value, so that a `/` divides it.
    fn follows_operand(&self) -> bool {
        let Some(last) = self.tokens.last() else {
            return false;
        };
        match &last.kind {
            TokenKind::Word => {
                let after_dot = self.tokens.iter().rev().nth(1).map(|token| &token.kind);
                after_dot == Some(&TokenKind::Dot) || !is_keyword(last.span.of(self.text))
            }
            TokenKind::Number
            | TokenKind::Text(_)
            | TokenKind::Key(_)
            | TokenKind::Parameter(_)
            | TokenKind::Variable(_)
            | TokenKind::Template(_)
            | TokenKind::Date(_)
            | TokenKind::Star
            | TokenKind::Close => true,
            _ => false,
        }
    }

    fn word(&mut self, start: Span) -> Result<TokenKind, J1qlError> {
        let word = self.take_while(is_name_character);
        if word.eq_ignore_ascii_case("date") && self.last_kind() != Some(&TokenKind::Dot) {
            let inside = self
                .rest()
                .trim_start()
                .strip_prefix('(')
                .map(str::trim_start);
            let is_literal = inside.is_some_and(|inside| {
                inside.starts_with(|first: char| first.is_ascii_digit() || "'\"+-".contains(first))
            });
            if is_literal {
                return self.date(start);
            }
        }
        Ok(TokenKind::Word)
    }

    /// The parentheses after `date` and what is in them.
    fn date(&mut self, start: Span) -> Result<TokenKind, J1qlError> {
        self.take_while(|character| character != '(');
        self.bump();
        let inside = self
            .take_while(|character| character != ')' && character != '\n')
            .trim();
        if self.bump() != Some(')') {
            return Err(self.unterminated("date", start));
        }
        let unquoted = ['\'', '"'].into_iter().find_map(|quote| {
            inside
                .strip_prefix(quote)
                .and_then(|rest| rest.strip_suffix(quote))
        });
        match parse_date(unquoted.unwrap_or(inside)) {
            Some(epoch_ms) => Ok(TokenKind::Date(epoch_ms)),
            None => Err(J1qlError::InvalidDate {
                text: shown(inside),
                at: Span {
                    end: self.at.start,
                    ..start
                },
            }),
        }
    }

    fn number(&mut self) -> TokenKind {
        if self.last_kind() == Some(&TokenKind::Dot) {
            self.take_while(is_name_character);
            return TokenKind::Word;
        }
        self.take_while(|character| character.is_ascii_digit());
        let mut after = self.rest().chars();
        if after.next() == Some('.') && after.next().is_some_and(|digit| digit.is_ascii_digit()) {
            self.bump();
            self.take_while(|character| character.is_ascii_digit());
        }
        TokenKind::Number
    }

    fn quoted(&mut self, quote: char, start: Span) -> Result<TokenKind, J1qlError> {
        self.bump();
        let mut content = String::new();
        loop {
            match self.bump() {
                Some(character) if character == quote => return Ok(TokenKind::Text(content)),
                Some('\\') => content.extend(self.bump()),
                Some(character) => content.push(character),
                None => return Err(self.unterminated("string", start)),
            }
        }
    }

    fn key(&mut self, start: Span) -> Result<TokenKind, J1qlError> {
        self.bump();
        let key = self
            .take_while(|character| character != ']' && character != '\n')
            .trim();
        if self.bump() != Some(']') {
            return Err(self.unterminated("property name", start));
        }
        if key.is_empty() {
            return Err(self.unexpected("[]", start));
        }
        Ok(TokenKind::Key(key.to_owned()))
    }

    fn smart_class(&mut self, start: Span) -> Result<TokenKind, J1qlError> {
        self.bump();
        let name = self.take_while(is_name_character);
        if name.is_empty() {
            return Err(self.unexpected("#", start));
        }
        Ok(TokenKind::SmartClass(name.to_owned()))
    }

    /// What follows `${` or `{{`.
    fn placeholder(&mut self, end: &str, start: Span) -> Result<TokenKind, J1qlError> {
        let name = self
            .take_while(|character| character != '}' && character != '\n')
            .trim()
            .to_owned();
        if !self.skip(end) {
            return Err(self.unterminated("placeholder", start));
        }
        let (parameter, bare) = match name.strip_prefix("param.") {
            Some(bare) if end == "}" => (true, bare),
            _ => (false, name.as_str()),
        };
        if bare.is_empty()
            || !bare
                .chars()
                .all(|one| is_name_character(one) || "-.".contains(one))
        {
            let written = Span {
                end: self.at.start,
                ..start
            };
            return Err(self.unexpected(written.of(self.text), start));
        }
        Ok(match (parameter, end) {
            (true, _) => TokenKind::Parameter(bare.to_owned()),
            (false, "}") => TokenKind::Variable(name),
            (false, _) => TokenKind::Template(name),
        })
    }

    /// A regular expression on one line; a slash inside `[...]` does not end it.
    fn regex(&mut self, start: Span) -> Result<TokenKind, J1qlError> {
        self.bump();
        let mut pattern = String::new();
        let mut in_class = false;
        loop {
            match self.bump() {
                None | Some('\n') => return Err(self.unterminated("regular expression", start)),
                Some('/') if !in_class => break,
                Some('\\') => match self.bump() {
                    Some('/') => pattern.push('/'),
                    Some('\n') | None => {
                        return Err(self.unterminated("regular expression", start));
                    }
                    Some(escaped) => pattern.extend(['\\', escaped]),
                },
                Some(character) => {
                    in_class = (in_class || character == '[') && character != ']';
                    pattern.push(character);
                }
            }
        }
        let flags_start = self.at;
        let flags = self.take_while(is_name_character);
        match flags {
            "" | "i" => Ok(TokenKind::Regex {
                pattern,
                ignore_case: flags == "i",
            }),
            _ => Err(self.unexpected(flags, flags_start)),
        }
    }
}
