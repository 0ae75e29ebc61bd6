// SPDX-License-Identifier: Apache-2.0
//! Which of its names in OpenCTI an object has, where its STIX type has several.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::Spanned;

use crate::CatalogError;
use crate::place::Text;

/// The property of an entity that holds its name in OpenCTI. The graph works it out from the other
/// properties whenever one of them changes; nobody writes it.
pub const OPENCTI_TYPE: &str = "opencti_type";

/// What an object says in one of its properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said<'o> {
    /// It has no such property.
    Nothing,
    /// A text.
    Text(&'o str),
    /// Something that is no text.
    Other,
}

/// How the objects of one type are told apart: the first rule that fits gives the name.
#[derive(Clone, Debug)]
pub struct Telling {
    rules: Vec<Rule>,
    /// Name of those that no rule fits.
    otherwise: String,
    properties: BTreeSet<String>,
}

/// A name, and what an object must say to have it.
#[derive(Clone, Debug, PartialEq)]
struct Rule {
    name: String,
    /// Texts in properties, upper and lower case being the same.
    equals: BTreeMap<String, String>,
    /// A property that must be there.
    has: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRule {
    name: Spanned<String>,
    #[serde(default)]
    equals: BTreeMap<String, String>,
    has: Option<String>,
}

impl Rule {
    /// Whether it asks for nothing: it names what no other rule fits.
    fn is_last(&self) -> bool {
        self.equals.is_empty() && self.has.is_none()
    }

    fn fits<'o>(&self, said: &impl Fn(&str) -> Said<'o>) -> bool {
        let is_there = |name: &String| said(name) != Said::Nothing;
        let is_equal = |(name, wanted): (&String, &String)| match said(name) {
            Said::Text(text) => text.eq_ignore_ascii_case(wanted),
            Said::Nothing | Said::Other => false,
        };
        self.has.iter().all(is_there) && self.equals.iter().all(is_equal)
    }

    /// Whether it fits wherever another one does.
    fn covers(&self, other: &Self) -> bool {
        let asked =
            |name: &String| other.has.as_ref() == Some(name) || other.equals.contains_key(name);
        let same = |(name, wanted): (&String, &String)| {
            let found = other.equals.get(name);
            found.is_some_and(|found| found.eq_ignore_ascii_case(wanted))
        };
        self.has.iter().all(asked) && self.equals.iter().all(same)
    }
}

impl Telling {
    /// The rules of a type with these names, which begins at a byte of its file.
    pub(crate) fn read(
        file: Text,
        at: usize,
        names: &[String],
        raw: Vec<RawRule>,
    ) -> Result<Self, CatalogError> {
        let mut rules: Vec<Rule> = Vec::with_capacity(raw.len());
        for raw in raw {
            let line = raw.name.span().start;
            let rule = Rule {
                name: raw.name.into_inner(),
                equals: raw.equals,
                has: raw.has,
            };
            if let Some(reason) = objection(names, &rules, &rule) {
                return Err(file.wrong(line, reason));
            }
            rules.push(rule);
        }
        let (first, others) = names
            .split_first()
            .map_or(("", names), |(first, others)| (first.as_str(), others));
        let is_told = |name: &&String| rules.iter().any(|rule| rule.name == **name);
        if let Some(name) = others.iter().find(|name| !is_told(name)) {
            let reason = format!("no rule says which objects are called {name}");
            return Err(file.wrong(at, reason));
        }
        let last = rules.pop_if(|rule| rule.is_last());
        let asked = |rule: &Rule| {
            rule.equals
                .keys()
                .chain(&rule.has)
                .cloned()
                .collect::<Vec<_>>()
        };
        Ok(Self {
            properties: rules.iter().flat_map(asked).collect(),
            otherwise: last.map_or_else(|| first.to_owned(), |rule| rule.name),
            rules,
        })
    }

    /// The properties by which objects are told apart.
    pub fn properties(&self) -> &BTreeSet<String> {
        &self.properties
    }

    /// The name of an object. `said` tells what it says in a property.
    pub fn name<'o>(&self, said: impl Fn(&str) -> Said<'o>) -> &str {
        self.by_rule(said).unwrap_or(&self.otherwise)
    }

    /// The same, where the object says anything by which it could be told.
    pub fn by_rule<'o>(&self, said: impl Fn(&str) -> Said<'o>) -> Option<&str> {
        let rule = self.rules.iter().find(|rule| rule.fits(&said));
        rule.map(|rule| rule.name.as_str())
    }
}

/// What is wrong with a rule that follows others.
fn objection(names: &[String], before: &[Rule], rule: &Rule) -> Option<String> {
    let name = &rule.name;
    if !names.contains(name) {
        return Some(format!("{name} is none of the names of its type"));
    }
    if rule.equals.contains_key(OPENCTI_TYPE) || rule.has.as_deref() == Some(OPENCTI_TYPE) {
        return Some(format!(
            "{OPENCTI_TYPE} is what the rules give; none may ask for it"
        ));
    }
    let covering = before.iter().find(|earlier| earlier.covers(rule));
    covering.map(|earlier| {
        let earlier = &earlier.name;
        format!("this rule for {name} never counts: an earlier one for {earlier} fits as well")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;
    use crate::stix;

    type Object = BTreeMap<&'static str, Option<&'static str>>;

    /// What an object says; a property without a text is a number.
    fn said<'o>(object: &Object) -> impl Fn(&str) -> Said<'o> {
        |name| match object.get(name) {
            None => Said::Nothing,
            Some(Some(text)) => Said::Text(text),
            Some(None) => Said::Other,
        }
    }

    /// Every object that says one of these, or nothing, in each property.
    fn objects(choices: &[(&'static str, &[Option<&'static str>])]) -> Vec<Object> {
        let mut all = vec![Object::new()];
        for (name, values) in choices {
            let with = |object: &Object| {
                let set = values.iter().map(|value| {
                    let mut object = object.clone();
                    object.insert(name, *value);
                    object
                });
                set.collect::<Vec<_>>()
            };
            let more: Vec<Object> = all.iter().flat_map(with).collect();
            all.extend(more);
        }
        all
    }

    /// Asks for the name of every object, and compares it with what `expected` says.
    fn compare(
        stix_type: &str,
        choices: &[(&'static str, &[Option<&'static str>])],
        expected: impl Fn(&Object) -> String,
    ) {
        let told = stix::named(stix_type).unwrap().told.as_ref().unwrap();
        let objects = objects(choices);
        for object in &objects {
            assert_eq!(told.name(said(object)), expected(object), "{object:?}");
        }
        let asked: BTreeSet<String> = choices.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(*told.properties(), asked, "every property is tried");
    }

    /// A text without regard to case; empty where there is none.
    fn folded(object: &Object, name: &str) -> String {
        let text = object.get(name).copied().flatten();
        text.unwrap_or_default().to_ascii_lowercase()
    }

    #[test]
    fn identities_are_told_by_class_and_security_platforms_by_type() {
        let classes = [
            "organization",
            "Organization",
            "class",
            "SYSTEM",
            "SecurityPlatform",
            "individual",
            "group",
            "unknown",
            "",
        ];
        let classes: Vec<_> = classes.map(Some).into_iter().chain([None]).collect();
        let types = [
            Some("SecurityPlatform"),
            Some("securityplatform"),
            Some("Other"),
            None,
        ];
        let choices = [("identity_class", &classes[..]), ("x_opencti_type", &types)];
        compare("identity", &choices, |object| {
            let is_platform = folded(object, "x_opencti_type") == "securityplatform";
            let name = match folded(object, "identity_class").as_str() {
                "organization" if is_platform => "SecurityPlatform",
                "organization" => "Organization",
                "class" => "Sector",
                "system" => "System",
                "securityplatform" => "SecurityPlatform",
                _ => "Individual",
            };
            name.to_owned()
        });
    }

    #[test]
    fn locations_are_told_by_their_kind_or_their_most_precise_property() {
        let kinds = [
            "City",
            "country",
            "Region",
            "ADMINISTRATIVE-AREA",
            "Position",
            "Planet",
            "",
        ];
        let kinds = kinds.map(Some);
        let any = [Some("x"), None];
        let by_precision = [
            ("latitude", "Position"),
            ("longitude", "Position"),
            ("street_address", "Position"),
            ("city", "City"),
            ("administrative_area", "Administrative-Area"),
            ("country", "Country"),
            ("region", "Region"),
        ];
        let mut choices = vec![("x_opencti_location_type", &kinds[..])];
        choices.extend(by_precision.map(|(name, _)| (name, &any[..])));
        let names = &stix::named("location").unwrap().opencti;
        compare("location", &choices, |object| {
            if object.contains_key("x_opencti_location_type") {
                let kind = folded(object, "x_opencti_location_type");
                let known = names.iter().find(|name| name.to_ascii_lowercase() == kind);
                return known.map_or("City", |name| name).to_owned();
            }
            let precise = by_precision
                .iter()
                .find(|(name, _)| object.contains_key(name));
            precise.map_or("Region", |(_, name)| name).to_owned()
        });
        let told = stix::named("location").unwrap().told.as_ref().unwrap();
        assert_eq!(told.by_rule(said(&Object::new())), None, "it says nothing");
        let region = Object::from([("region", None)]);
        assert_eq!(told.by_rule(said(&region)), Some("Region"));
    }

    #[test]
    fn threat_actors_are_individuals_by_type_or_by_resources() {
        let types = [
            Some("threat-actor-individual"),
            Some("Threat-Actor-Group"),
            None,
        ];
        let levels = [Some("Individual"), Some("team"), None];
        let choices = [("x_opencti_type", &types[..]), ("resource_level", &levels)];
        compare("threat-actor", &choices, |object| {
            let is_individual = folded(object, "x_opencti_type") == "threat-actor-individual"
                || folded(object, "resource_level") == "individual";
            let name = if is_individual { "Individual" } else { "Group" };
            format!("Threat-Actor-{name}")
        });
    }

    #[test]
    fn a_mistake_in_the_rules_is_told_with_its_line() {
        let refusal = |rules: &str| {
            let text = format!("\ntold = [\n{rules}\n]");
            let text: &'static str = text.leak();
            let file = Text {
                file: "stix.toml",
                text,
            };
            #[derive(Deserialize)]
            struct File {
                told: Vec<RawRule>,
            }
            let read: File = file.read().unwrap();
            let names = ["One", "Two", "Three"].map(str::to_owned);
            match Telling::read(file, 0, &names, read.told) {
                Ok(_) => "fine".to_owned(),
                Err(error) => error.to_string(),
            }
        };
        let two = "{ name = 'Two', equals = { class = 'two' } },\n";
        let three = "{ name = 'Three', has = 'size' },\n";
        assert_eq!(refusal(&format!("{two}{three}")), "fine");
        assert_eq!(refusal(&format!("{two}{three}{{ name = 'Two' }}")), "fine");
        let missing = refusal(two);
        assert!(
            missing.contains(":1: no rule says which objects are called Three"),
            "{missing}"
        );
        let unknown = refusal(&format!("{two}{three}{{ name = 'Four', has = 'size' }}"));
        assert!(
            unknown.contains(":5: Four is none of the names"),
            "{unknown}"
        );
        let circle = refusal("{ name = 'Two', has = 'opencti_type' }");
        assert!(circle.contains(":3: opencti_type is what"), "{circle}");
        let idle = [
            "{ name = 'Two', equals = { class = 'TWO', size = 'x' } }",
            "{ name = 'One', equals = { size = 'small' } }",
            "{ name = 'One', has = 'size', equals = { class = 'x' } }",
        ];
        for rule in idle {
            let idle = refusal(&format!("{two}{three}{rule}"));
            assert!(idle.contains(":5: this rule for"), "{idle}");
        }
        let early = refusal(&format!("{{ name = 'One' }},\n{two}{three}"));
        assert!(
            early.contains(":4: this rule for Two never counts"),
            "{early}"
        );
    }
}
