// SPDX-License-Identifier: Apache-2.0
//! Lowers filters on entities to the plan algebra.

use std::collections::{BTreeMap, BTreeSet};

use durward_model::{ObjectId, Value};
use durward_query::plan::{
    Comparison as Compare, Condition, Expression, Operand, Plan, Property, Relation, Slot, SortKey,
    Source,
};

use super::pattern::{Simple, small_regex};
use super::value::IdTerm;
use super::{
    Comparison, Field, FieldTerm, Fields, Filter, FilterError, ID, Meaning, Pattern, Term, Terms,
    folded,
};

/// Where the only object of these plans is bound.
const SLOT: Slot = Slot(0);
/// Sort of the tokens that their maker gave none.
const TOKEN_TYPE_DEFAULT: &str = "api";

impl Fields {
    /// The plan of a list under a filter, in an order: `field` or `-field`, or empty for the order
    /// of creation.
    ///
    /// # Errors
    /// When a field does not exist, or a value does not fit its field.
    pub fn plan(&self, filter: &Filter, order_by: &str) -> Result<Plan, FilterError> {
        let mut terms = Terms::of(filter);
        let mut conditions = Vec::new();
        let mut branches: BTreeSet<usize> = (0..self.branches.len()).collect();
        if self.has_types {
            self.types(&terms.take("type"), &mut branches, &mut conditions)?;
        }
        self.categories(&mut terms, &mut branches)?;
        let mut sources = None;
        for (name, of_field) in terms.fields() {
            let field = self.by_name.get(name);
            let unknown = || FilterError::unknown(of_field.first().map_or(name, |term| &term.name));
            let field = field.ok_or_else(unknown)?;
            if field.meaning == Meaning::Id {
                sources = self.ids(of_field)?;
                continue;
            }
            for term in of_field {
                conditions.push(on_value(&field.meaning, term)?);
            }
            // A value that is there tells that the branch has the field.
            if of_field.iter().any(|term| may_be_absent(field, term)) {
                branches.retain(|at| field.branches.contains(at));
            }
        }
        for term in terms.tags() {
            conditions.push(on_tag(term)?);
        }
        conditions.extend(self.unasked(filter));
        conditions.extend(self.branch_condition(&branches, sources.is_some()));
        let mut plan = Plan::list(Source::Any);
        plan.start.sources = match sources {
            Some(ids) => vec![Source::Ids(ids)],
            None => self.type_sources(&branches),
        };
        if !conditions.is_empty() {
            plan.start.filter = Some(Condition::All(conditions));
        }
        plan.order = self.order(order_by)?;
        Ok(plan)
    }

    fn type_sources(&self, branches: &BTreeSet<usize>) -> Vec<Source> {
        let chosen = branches.iter().filter_map(|at| self.branches.get(*at));
        let types: BTreeSet<&str> = chosen.map(|branch| branch.entity_type).collect();
        if types.is_empty() {
            return vec![Source::Ids(Vec::new())];
        }
        let types = types.into_iter();
        types.map(|name| Source::Type(name.to_owned())).collect()
    }

    /// The ids that terms name; `None` when they name all.
    fn ids(&self, terms: &[&FieldTerm]) -> Result<Option<Vec<ObjectId>>, FilterError> {
        let mut ids = BTreeSet::new();
        for term in terms {
            match term.id(&self.id_prefix)? {
                IdTerm::Every => return Ok(None),
                IdTerm::Of(id) => ids.extend(id),
            }
        }
        Ok(Some(ids.into_iter().collect()))
    }

    fn types(
        &self,
        terms: &[&FieldTerm],
        branches: &mut BTreeSet<usize>,
        conditions: &mut Vec<Condition>,
    ) -> Result<(), FilterError> {
        for term in terms {
            let (mut chosen, mut any) = (BTreeSet::new(), Vec::new());
            term.must_not_compare()?;
            let wanted = Pattern::of(&plain(&term.pattern.text()));
            let mut named = BTreeSet::new();
            for (at, branch) in self.branches.iter().enumerate() {
                if wanted.fits(&plain(&branch.name), false) {
                    named.insert(at);
                }
            }
            // Tokens go by their own sort as well: `api`, `admin-token`.
            let token = self
                .branches
                .iter()
                .position(|branch| branch.name == "token");
            if let Some(token) = token.filter(|at| !named.contains(at)) {
                chosen.insert(token);
                any.push(Condition::All(vec![
                    self.branch_condition(&BTreeSet::from([token]), true)
                        .unwrap_or(Condition::All(Vec::new())),
                    token_type(&wanted)?,
                ]));
            }
            any.extend(self.branch_condition(&named, true));
            chosen.extend(named);
            if token.is_some() {
                conditions.push(Condition::Any(any));
            }
            branches.retain(|at| chosen.contains(at));
        }
        Ok(())
    }

    fn categories(
        &self,
        terms: &mut Terms<'_>,
        branches: &mut BTreeSet<usize>,
    ) -> Result<(), FilterError> {
        if self
            .branches
            .iter()
            .all(|branch| branch.category.is_empty())
        {
            return Ok(());
        }
        let wanted = terms.take("category");
        for term in &wanted {
            term.must_not_compare()?;
        }
        if !wanted.is_empty() {
            branches.retain(|at| {
                let category = self.branches.get(*at).map_or("", |branch| branch.category);
                wanted.iter().all(|term| term.pattern.fits(category, false))
            });
        }
        Ok(())
    }

    /// What tells the entities of these branches from others; `None` where their types do.
    fn branch_condition(&self, branches: &BTreeSet<usize>, with_types: bool) -> Option<Condition> {
        let is_whole = |entity_type: &str| {
            let mut all = self.branches.iter().enumerate();
            all.all(|(at, branch)| branch.entity_type != entity_type || branches.contains(&at))
        };
        let mut by_type: BTreeMap<&str, Vec<(&str, Value)>> = BTreeMap::new();
        for branch in branches.iter().filter_map(|at| self.branches.get(*at)) {
            let only = by_type.entry(branch.entity_type).or_default();
            only.extend(branch.only.clone());
        }
        let needs_kinds = |entity_type: &str, only: &[(&str, Value)]| {
            // Credentials are of more kinds than tokens; resources and nodes are of no other.
            let is_shared = entity_type == durward_catalog::CREDENTIAL;
            !only.is_empty() && (is_shared || !is_whole(entity_type))
        };
        let plain = by_type.iter().all(|(name, only)| !needs_kinds(name, only));
        if plain && !with_types {
            return None;
        }
        let mut any = Vec::new();
        for (entity_type, only) in by_type {
            let mut all = vec![Condition::equals(SLOT, "_type", Value::from(entity_type))];
            if needs_kinds(entity_type, &only) {
                let name = only.first().map_or("", |(name, _)| *name);
                let values = only.into_iter().map(|(_, value)| value).collect();
                all.push(Condition::equals(SLOT, name, Value::List(values)));
            }
            any.push(Condition::All(all));
        }
        Some(Condition::Any(any))
    }

    /// What keeps out of a list the built-in objects that a filter does not ask for by their id or
    /// name.
    fn unasked(&self, filter: &Filter) -> Option<Condition> {
        let property = Property::of(self.built_in?);
        let asks = filter.terms.iter().any(|term| match term {
            Term::Field(term) => {
                let name = folded(&term.name);
                matches!(name.as_str(), ID | "name") && term.pattern.literal().is_some()
            }
            Term::Tag(_) => false,
        });
        let is_built_in = compare(
            &property,
            Relation::Equal,
            false,
            literal(Value::Bool(true)),
        );
        (!asks).then(|| Condition::Not(Box::new(is_built_in)))
    }

    fn order(&self, order_by: &str) -> Result<Vec<SortKey>, FilterError> {
        let order_by = order_by.trim();
        let (descending, name) = match order_by.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, order_by),
        };
        if name.is_empty() && !descending {
            return Ok(Vec::new());
        }
        let field = self.named(name).ok_or_else(|| {
            FilterError::new(format!("lists cannot be ordered by {order_by:?} here"))
        })?;
        let property = match &field.meaning {
            Meaning::Id => Property::of("_id"),
            Meaning::Text(property)
            | Meaning::Truth(property)
            | Meaning::Number(property)
            | Meaning::Time(property) => property.clone(),
        };
        Ok(vec![SortKey {
            value: Expression::Property(SLOT, property),
            descending,
        }])
    }
}

/// A name of a type without case, `_` and `-`.
fn plain(name: &str) -> String {
    durward_access::resource_kind::folded(name)
}

fn compare(property: &Property, relation: Relation, fold: bool, right: Operand) -> Condition {
    Condition::Compare(Compare {
        left: Expression::Property(SLOT, property.clone()),
        relation,
        negated: false,
        every: false,
        fold,
        right: vec![right],
    })
}

fn literal(value: Value) -> Operand {
    Operand::Value(Expression::Literal(value))
}

fn absent(property: &Property) -> Condition {
    compare(property, Relation::Equal, false, literal(Value::Null))
}

/// Whether a term may hold for an entity without the property.
fn may_be_absent(field: &Field, term: &FieldTerm) -> bool {
    let pattern = &term.pattern;
    match field.meaning {
        Meaning::Text(_) | Meaning::Id => pattern.fits_nothing(),
        Meaning::Truth(_) | Meaning::Number(_) => true,
        Meaning::Time(_) => pattern.is_anything(),
    }
}

fn on_value(meaning: &Meaning, term: &FieldTerm) -> Result<Condition, FilterError> {
    let relation = match term.comparison {
        None => Relation::Equal,
        Some(Comparison::Less) => Relation::Less,
        Some(Comparison::LessOrEqual) => Relation::LessOrEqual,
        Some(Comparison::Greater) => Relation::Greater,
        Some(Comparison::GreaterOrEqual) => Relation::GreaterOrEqual,
    };
    let is_anything = term.comparison.is_none() && term.pattern.is_anything();
    match meaning {
        Meaning::Text(property) => {
            let sign = term.comparison.map_or("", Comparison::as_str);
            let pattern = Pattern::of(&format!("{sign}{}", term.pattern.text()));
            on_text(property, &pattern)
        }
        _ if is_anything => Ok(Condition::All(Vec::new())),
        Meaning::Truth(property) => {
            term.must_not_compare()?;
            let is_so = compare(property, Relation::Equal, false, literal(Value::Bool(true)));
            Ok(if term.truth()? {
                is_so
            } else {
                Condition::Not(Box::new(is_so))
            })
        }
        Meaning::Number(property) => Ok(on_number(property, relation, term.number()?)),
        Meaning::Time(property) => {
            let moment = term.moment()?;
            let value = match property {
                Property::Metadata(_) => Value::Int(moment.as_millis()),
                Property::Named(_) => Value::Instant(moment),
            };
            Ok(compare(property, relation, false, literal(value)))
        }
        Meaning::Id => Err(FilterError::unknown(&term.name)),
    }
}

/// An absent text is the empty one to clients.
fn on_text(property: &Property, pattern: &Pattern) -> Result<Condition, FilterError> {
    if pattern.is_anything() {
        return Ok(Condition::All(Vec::new()));
    }
    let fits = on_present(property, pattern, false)?;
    Ok(if pattern.fits_nothing() {
        Condition::Any(vec![fits, absent(property)])
    } else {
        fits
    })
}

/// An absent number is zero to clients.
fn on_number(property: &Property, relation: Relation, number: f64) -> Condition {
    let fits = compare(property, relation, false, literal(Value::Float(number)));
    let zero_fits = match relation {
        Relation::Less => 0.0 < number,
        Relation::LessOrEqual => 0.0 <= number,
        Relation::Greater => 0.0 > number,
        Relation::GreaterOrEqual => 0.0 >= number,
        _ => number == 0.0,
    };
    if zero_fits {
        Condition::Any(vec![fits, absent(property)])
    } else {
        fits
    }
}

/// Names and values of tags are exact.
fn on_tag(term: &super::TagTerm) -> Result<Condition, FilterError> {
    let name = format!("{}{}", durward_access::object::TAG_PREFIX, term.key);
    let property = Property::of(&name);
    let exists = Condition::Not(Box::new(absent(&property)));
    match &term.value {
        None => Ok(exists),
        Some(pattern) if pattern.is_anything() => Ok(exists),
        Some(pattern) => on_present(&property, pattern, true),
    }
}

/// A pattern on a text that is there. Only the rare ones need a regular expression.
fn on_present(
    property: &Property,
    pattern: &Pattern,
    exact: bool,
) -> Result<Condition, FilterError> {
    let (relation, text) = match pattern.simple() {
        Some(Simple::Whole(text)) => (Relation::Equal, text),
        Some(Simple::Start(text)) => (Relation::StartsWith, text),
        Some(Simple::End(text)) => (Relation::EndsWith, text),
        Some(Simple::Part(text)) => (Relation::Contains, text),
        None => {
            let regex = Operand::Pattern(pattern.regex(exact)?);
            return Ok(compare(property, Relation::Equal, false, regex));
        }
    };
    Ok(compare(
        property,
        relation,
        !exact,
        literal(Value::from(text)),
    ))
}

/// The sort of a token fits, `_` and `-` not counting.
fn token_type(wanted: &Pattern) -> Result<Condition, FilterError> {
    let property = Property::of("accountType");
    let fits = Operand::Pattern(dashed(wanted)?);
    let mut any = vec![compare(&property, Relation::Equal, false, fits)];
    if wanted.fits(TOKEN_TYPE_DEFAULT, false) {
        any.push(absent(&property));
    }
    Ok(Condition::Any(any))
}

/// A pattern of letters that may have `_` or `-` between them.
fn dashed(wanted: &Pattern) -> Result<regex::Regex, FilterError> {
    let mut text = String::from("^");
    for c in wanted.text().chars() {
        match c {
            '*' => text.push_str(".*"),
            c => {
                text.push_str(&regex::escape(&c.to_string()));
                text.push_str("[-_]*");
            }
        }
    }
    text.push('$');
    small_regex(&text, false)
}
