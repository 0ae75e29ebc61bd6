// SPDX-License-Identifier: Apache-2.0
//! The canonical text of a query: one line, keywords in capitals, no needless parentheses, clauses
//! in a fixed order. It parses to a tree equal to the one printed.

use std::fmt::{self, Display, Formatter, Write};

use super::ast::{
    Alternative, Direction, Group, Node, PathPart, Query, ReturnItem, Returns, Selector,
    SelectorKind, SortKey, Step, Verbs,
};
use super::dates::format_date;
use super::expression::{
    ArithmeticOperator, Comparison, Condition, Expression, ListItem, Number, Reference,
    RegexLiteral, Value,
};
use super::words::{is_keyword, is_literal, is_plain_name, is_reserved, unit_name};

/// Writes `items` with `separator` between them.
fn join<T: Display>(
    formatter: &mut Formatter<'_>,
    items: impl IntoIterator<Item = T>,
    separator: &str,
) -> fmt::Result {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            formatter.write_str(separator)?;
        }
        write!(formatter, "{item}")?;
    }
    Ok(())
}

/// A quoted text.
struct Quoted<'t>(&'t str);

impl Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_char('\'')?;
        for character in self.0.chars() {
            if matches!(character, '\'' | '\\') {
                formatter.write_char('\\')?;
            }
            formatter.write_char(character)?;
        }
        formatter.write_char('\'')
    }
}

impl Display for Query {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "FIND {}{}",
            if self.unique { "UNIQUE " } else { "" },
            self.start
        )?;
        for part in &self.path {
            write!(formatter, " {part}")?;
        }
        if let Some(filter) = &self.filter {
            write!(formatter, " WHERE {filter}")?;
        }
        if let Some(returns) = &self.returns {
            write!(formatter, " RETURN {returns}")?;
        }
        if !self.order.is_empty() {
            formatter.write_str(" ORDER BY ")?;
            join(formatter, &self.order, ", ")?;
        }
        if let Some(skip) = self.skip {
            write!(formatter, " SKIP {skip}")?;
        }
        if let Some(limit) = self.limit {
            write!(formatter, " LIMIT {limit}")?;
        }
        if let Some(having) = &self.having {
            write!(formatter, " HAVING {having}")?;
        }
        Ok(())
    }
}

impl Display for Returns {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (Self::Tree { unique, .. } | Self::Items { unique, .. }) = self;
        formatter.write_str(if *unique { "UNIQUE " } else { "" })?;
        match self {
            Self::Tree { .. } => formatter.write_str("TREE"),
            Self::Items { items, .. } => join(formatter, items, ", "),
        }
    }
}

impl Display for ReturnItem {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.expression)?;
        match &self.alias {
            None => Ok(()),
            Some(alias) if is_plain_name(&alias.text) && !is_reserved(&alias.text) => {
                write!(formatter, " AS {}", alias.text)
            }
            Some(alias) => write!(formatter, " AS {}", Quoted(&alias.text)),
        }
    }
}

impl Display for SortKey {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}{}",
            self.expression,
            if self.descending { " DESC" } else { "" }
        )
    }
}

impl Display for Node {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.selector)?;
        if let Some(filter) = &self.filter {
            write!(formatter, " WITH {filter}")?;
        }
        self.alias
            .as_ref()
            .map_or(Ok(()), |alias| write!(formatter, " AS {}", alias.text))
    }
}

impl Display for Selector {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for name in &self.smart_classes {
            write!(formatter, "#{name} ")?;
        }
        match &self.kind {
            SelectorKind::Any => formatter.write_char('*'),
            SelectorKind::Text(text) => Quoted(text).fmt(formatter),
            SelectorKind::OneOf(alternatives) => match alternatives.as_slice() {
                [Alternative::Class(name) | Alternative::Type(name)] if !is_keyword(name) => {
                    formatter.write_str(name)
                }
                several => {
                    formatter.write_char('(')?;
                    join(formatter, several, "|")?;
                    formatter.write_char(')')
                }
            },
        }
    }
}

impl Display for Alternative {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Class(name) | Self::Type(name) => formatter.write_str(name),
            Self::SmartClass(name) => write!(formatter, "#{name}"),
            Self::Any => formatter.write_char('*'),
        }
    }
}

impl Display for PathPart {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(step) => step.fmt(formatter),
            Self::Group(group) => group.fmt(formatter),
        }
    }
}

impl Display for Step {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "THAT {}{}",
            if self.negated { "!" } else { "" },
            self.verbs
        )?;
        formatter.write_str(match self.direction {
            Direction::Any => "",
            Direction::LeftToRight => " >>",
            Direction::RightToLeft => " <<",
        })?;
        if let Some(alias) = &self.alias {
            write!(formatter, " AS {}", alias.text)?;
        }
        write!(formatter, " {}", self.node)
    }
}

impl Display for Verbs {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("RELATES TO"),
            Self::OneOf(verbs) => match verbs.as_slice() {
                [verb] if !is_keyword(verb) => formatter.write_str(verb),
                several => {
                    formatter.write_char('(')?;
                    join(formatter, several, "|")?;
                    formatter.write_char(')')
                }
            },
        }
    }
}

impl Display for Group {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_char('(')?;
        join(formatter, &self.parts, " ")?;
        formatter.write_str(if self.optional { ")?" } else { ")" })?;
        self.alias
            .as_ref()
            .map_or(Ok(()), |alias| write!(formatter, " AS {}", alias.text))
    }
}

impl Display for Condition {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (conditions, separator) = match self {
            Self::Comparison(comparison) => return comparison.fmt(formatter),
            Self::And(conditions) => (conditions, " AND "),
            Self::Or(conditions) => (conditions, " OR "),
        };
        for (index, condition) in conditions.iter().enumerate() {
            if index > 0 {
                formatter.write_str(separator)?;
            }
            let needs_parentheses = match condition {
                Self::Comparison(_) => false,
                Self::Or(_) => true,
                Self::And(_) => matches!(self, Self::And(_)),
            };
            if needs_parentheses {
                write!(formatter, "({condition})")?;
            } else {
                condition.fmt(formatter)?;
            }
        }
        Ok(())
    }
}

impl Display for Comparison {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} {} {}",
            self.left,
            self.operator.symbol(),
            self.value
        )
    }
}

impl Display for Value {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expression(expression) => expression.fmt(formatter),
            Self::Regex(regex) => regex.fmt(formatter),
            Self::Subquery(query) => write!(formatter, "({query})"),
            Self::List(alternatives) => {
                formatter.write_char('(')?;
                for (index, together) in alternatives.iter().enumerate() {
                    formatter.write_str(if index > 0 { " OR " } else { "" })?;
                    join(formatter, together, " AND ")?;
                }
                formatter.write_char(')')
            }
        }
    }
}

impl Display for ListItem {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expression(expression) => expression.fmt(formatter),
            Self::Regex(regex) => regex.fmt(formatter),
        }
    }
}

impl Display for RegexLiteral {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_char('/')?;
        let mut escaped = false;
        for character in self.pattern.chars() {
            if character == '/' && !escaped {
                formatter.write_char('\\')?;
            }
            escaped = character == '\\' && !escaped;
            formatter.write_char(character)?;
        }
        formatter.write_str(if self.ignore_case { "/i" } else { "/" })
    }
}

impl Display for Expression {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => Quoted(text).fmt(formatter),
            Self::Number(number) => number.fmt(formatter),
            Self::Duration { amount, unit } => write!(formatter, "{amount} {}", unit_name(*unit)),
            Self::Boolean(truth) => truth.fmt(formatter),
            Self::Undefined => formatter.write_str("undefined"),
            Self::Now => formatter.write_str("date.now"),
            Self::Date(epoch_ms) => write!(formatter, "date({})", format_date(*epoch_ms)),
            Self::Parameter(name) => write!(formatter, "${{param.{}}}", name.text),
            Self::Variable(name) => write!(formatter, "${{{}}}", name.text),
            Self::Template(name) => write!(formatter, "{{{{{}}}}}", name.text),
            Self::Reference(reference) => reference.fmt(formatter),
            Self::Call(call) => {
                write!(formatter, "{}(", call.function.name())?;
                join(formatter, &call.arguments, ", ")?;
                formatter.write_char(')')
            }
            Self::Binary(binary) => {
                let strength = binary.operator.strength();
                let groups_right = binary.operator == ArithmeticOperator::Power;
                operand(formatter, &binary.left, strength + u8::from(groups_right))?;
                write!(formatter, " {} ", binary.operator.symbol())?;
                operand(formatter, &binary.right, strength + u8::from(!groups_right))
            }
            Self::Everything => formatter.write_char('*'),
        }
    }
}

/// Writes an operand, in parentheses if it binds more weakly than `weakest`.
fn operand(formatter: &mut Formatter<'_>, operand: &Expression, weakest: u8) -> fmt::Result {
    match operand {
        Expression::Binary(binary) if binary.operator.strength() < weakest => {
            write!(formatter, "({operand})")
        }
        _ => operand.fmt(formatter),
    }
}

impl Display for Number {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => number.fmt(formatter),
            Self::Decimal(number) => {
                let digits = number.to_string();
                let decimals = if digits.contains('.') { "" } else { ".0" };
                write!(formatter, "{digits}{decimals}")
            }
        }
    }
}

impl Display for Reference {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.segments.iter().enumerate() {
            // Only the first name could be read as something else.
            let is_plain = is_plain_name(segment)
                && (index > 0
                    || !(is_keyword(segment)
                        || is_literal(segment)
                        || segment.eq_ignore_ascii_case("date")));
            formatter.write_str(if index > 0 { "." } else { "" })?;
            if is_plain {
                formatter.write_str(segment)?;
            } else {
                write!(formatter, "[{segment}]")?;
            }
        }
        formatter.write_str(if self.every_property { ".*" } else { "" })
    }
}
