// SPDX-License-Identifier: Apache-2.0
//! Where the value of a field comes from, and what is shown where an object has none.
//!
//! One table for answers, filters and orders: whoever filters for what he sees finds it.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use durward_catalog::stix;
use durward_model::Value;
use durward_query::filter_group::KeyMeaning;

use crate::names;

/// The deterministic id of an object, as a source.
pub(super) const STANDARD_ID: &str = "_key";
/// When an object was first written here, as a source.
pub(super) const CREATED_AT: &str = "_createdOn";
/// When its present version was written, as a source.
pub(super) const UPDATED_AT: &str = "_beginOn";

/// What stands where no source has a value.
#[derive(Clone, Copy, Debug)]
enum Otherwise {
    /// Null, unless the contract forbids it.
    Nothing,
    False,
    Int(i64),
    Text(&'static str),
}

/// A field whose value is not simply the property of its name.
struct Rule {
    field: &'static str,
    /// The first of these that is there counts.
    sources: &'static [&'static str],
    otherwise: Otherwise,
}

const fn rule(field: &'static str, sources: &'static [&'static str], otherwise: Otherwise) -> Rule {
    Rule {
        field,
        sources,
        otherwise,
    }
}

/// What names an object, in the order in which it is asked: an indicator without a name is called
/// by its pattern.
const NAME: &[&str] = &[
    "name",
    "pattern",
    "value",
    "result_name",
    "definition",
    "displayName",
];
/// What names an observable, in the order in which it is asked.
pub(super) const OBSERVABLE_VALUE: &[&str] = &[
    "value",
    "name",
    "path",
    "subject",
    "key",
    "attribute_key",
    "number",
    "account_login",
    "user_id",
    "serial_number",
    "command_line",
    "url",
    "iban",
    "card_number",
    "fingerprint_sha256",
    "persona_name",
    "displayName",
];

const RULES: &[Rule] = &[
    rule("name", NAME, Otherwise::Nothing),
    rule("observable_value", OBSERVABLE_VALUE, Otherwise::Nothing),
    rule("spec_version", &[], Otherwise::Text("2.1")),
    rule("created", &["created", CREATED_AT], Otherwise::Nothing),
    rule("modified", &["modified", UPDATED_AT], Otherwise::Nothing),
    rule("revoked", &["revoked"], Otherwise::False),
    rule("is_inferred", &[], Otherwise::False),
    rule(
        "x_opencti_negative",
        &["x_opencti_negative"],
        Otherwise::False,
    ),
    rule("x_opencti_order", &["x_opencti_order"], Otherwise::Int(0)),
    rule("number_observed", &["number_observed"], Otherwise::Int(1)),
    rule(
        "attribute_count",
        &["attribute_count", "count"],
        Otherwise::Int(1),
    ),
    rule("context", &["context"], Otherwise::Text("unspecified")),
    rule(
        "identity_class",
        &["identity_class"],
        Otherwise::Text("individual"),
    ),
    rule(
        "x_opencti_location_type",
        &["x_opencti_location_type"],
        Otherwise::Text("Region"),
    ),
    rule(
        "aliases",
        &["aliases", "x_opencti_aliases", "x_mitre_aliases"],
        Otherwise::Nothing,
    ),
    rule(
        "x_opencti_aliases",
        &["x_opencti_aliases", "aliases"],
        Otherwise::Nothing,
    ),
    rule(
        "attribute_abstract",
        &["attribute_abstract", "abstract"],
        Otherwise::Nothing,
    ),
    rule(
        "attribute_key",
        &["attribute_key", "key"],
        Otherwise::Nothing,
    ),
    rule(
        "attribute_date",
        &["attribute_date", "date"],
        Otherwise::Nothing,
    ),
    rule(
        "collection_layers",
        &["collection_layers", "x_mitre_collection_layers"],
        Otherwise::Nothing,
    ),
    rule(
        "x_mitre_platforms",
        &["x_mitre_platforms", "x_opencti_platforms"],
        Otherwise::Nothing,
    ),
    rule(
        "x_opencti_description",
        &["x_opencti_description", "description"],
        Otherwise::Nothing,
    ),
];

/// What a leaf that the contract requires is declared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Required {
    Text,
    Flag,
    Integer,
    Number,
    Moment,
}

impl Required {
    /// Of the name of a declared type.
    pub(super) fn of(declared: &str) -> Option<Self> {
        Some(match declared {
            "String" | "ID" => Self::Text,
            "Boolean" => Self::Flag,
            "Int" => Self::Integer,
            "Float" => Self::Number,
            "DateTime" => Self::Moment,
            _ => return None,
        })
    }

    /// What stands for a value that is not there and must be: a text is what the object is called,
    /// at last its id.
    pub(super) fn sources(self) -> (&'static [&'static str], Value) {
        match self {
            Self::Text => (&["displayName", STANDARD_ID], Value::Null),
            Self::Flag => (&[], Value::Bool(false)),
            Self::Integer | Self::Number => (&[], Value::Int(0)),
            Self::Moment => (&["created", CREATED_AT], Value::Null),
        }
    }
}

/// The sources of a field in the order in which they are asked, and what stands for none.
fn sources(field: &str, required: Option<Required>) -> (Vec<&str>, Value) {
    let rule = RULES.iter().find(|rule| rule.field == field);
    let mut sources = rule.map_or_else(|| vec![field], |rule| rule.sources.to_vec());
    let fixed = match rule.map_or(Otherwise::Nothing, |rule| rule.otherwise) {
        Otherwise::Nothing => None,
        Otherwise::False => Some(Value::Bool(false)),
        Otherwise::Int(number) => Some(Value::Int(number)),
        Otherwise::Text(text) => Some(Value::from(text)),
    };
    match (fixed, required) {
        (Some(fixed), _) => (sources, fixed),
        (None, Some(required)) => {
            let (more, otherwise) = required.sources();
            sources.extend(more);
            (sources, otherwise)
        }
        (None, None) => (sources, Value::Null),
    }
}

/// The first value that some sources have, else another.
pub(super) fn first(sources: &[&str], otherwise: Value, read: impl Fn(&str) -> Value) -> Value {
    let values = sources.iter().map(|name| read(name));
    values
        .into_iter()
        .find(|value| !value.is_null())
        .unwrap_or(otherwise)
}

/// The value of a field. `read` gives the value of a source.
pub(super) fn value(
    field: &str,
    required: Option<Required>,
    read: impl Fn(&str) -> Value,
) -> Value {
    let (sources, otherwise) = sources(field, required);
    first(&sources, otherwise, read)
}

/// What filters and orders mean by the fields of some types of the contract: the same value.
pub(super) fn meanings(types: &[&str]) -> BTreeMap<String, KeyMeaning> {
    let mut required: BTreeMap<&str, Option<Required>> = BTreeMap::new();
    for fields in types.iter().filter_map(|name| CONTRACT.get(*name)) {
        for (field, declared) in fields {
            // A field that one of the types may leave out is shown as null there.
            let all = required.entry(field).or_insert(*declared);
            if *all != *declared {
                *all = None;
            }
        }
    }
    let rules = RULES.iter().map(|rule| (rule.field, None));
    let mut fields: BTreeMap<&str, Option<Required>> = rules.collect();
    fields.extend(required.into_iter().filter(|(field, required)| {
        required.is_some() || RULES.iter().any(|rule| rule.field == *field)
    }));
    let meaning = |(field, required): (&str, Option<Required>)| {
        let (sources, otherwise) = sources(field, required);
        let properties = sources.into_iter().map(str::to_owned).collect();
        let meaning = KeyMeaning::FirstOf {
            properties,
            otherwise,
        };
        (field.to_owned(), meaning)
    };
    fields.into_iter().map(meaning).collect()
}

/// The types of the contract that show objects of an OpenCTI type, concrete or abstract.
pub(super) fn contract_types(opencti: &str) -> Vec<&'static str> {
    let mut types = Vec::new();
    for known in stix::types() {
        let names = known.opencti.iter().map(String::as_str);
        let names = names.filter(|name| known.is_a(name, opencti));
        types.extend(names.map(names::graphql_type));
    }
    types
}

/// Leaves by type of the contract and field, and as what they are required.
type Contract = HashMap<&'static str, Vec<(&'static str, Option<Required>)>>;

static CONTRACT: LazyLock<Contract> = LazyLock::new(|| {
    let mut all = Contract::new();
    let mut fields: Option<&mut Vec<_>> = None;
    for line in crate::CONTRACT.lines() {
        if let Some(head) = line.strip_prefix("type ") {
            let name = head.split_whitespace().next().unwrap_or_default();
            fields = Some(all.entry(name).or_default());
        } else if line.starts_with('}') {
            fields = None;
        } else if let (Some(fields), Some((name, declared))) = (&mut fields, leaf(line)) {
            fields.push((name, declared));
        }
    }
    all
});

/// Name of a field without arguments, and as what it is required.
fn leaf(line: &'static str) -> Option<(&'static str, Option<Required>)> {
    let (name, declared) = line.strip_prefix("  ")?.split_once(": ")?;
    let is_name = !name.is_empty() && !name.contains([' ', '(', '#']);
    let required = declared.trim().strip_suffix('!').and_then(Required::of);
    is_name.then_some((name, required))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    fn properties(meaning: &KeyMeaning) -> (Vec<&str>, Value) {
        let KeyMeaning::FirstOf {
            properties,
            otherwise,
        } = meaning
        else {
            return (Vec::new(), Value::Null);
        };
        let names = properties.iter().map(String::as_str);
        (names.collect(), otherwise.clone())
    }

    #[test]
    fn filters_mean_what_the_types_of_a_list_show() {
        let malware = meanings(&contract_types("Malware"));
        assert!(
            properties(&malware["name"])
                .0
                .ends_with(&["displayName", STANDARD_ID])
        );
        assert_eq!(properties(&malware["revoked"]).1, Value::Bool(false));
        assert!(!malware.contains_key("confidence"), "null is shown as null");
        // A file may have no name, and shows none.
        let files = meanings(&contract_types("StixFile"));
        assert!(!properties(&files["name"]).0.contains(&STANDARD_ID));
        let all = meanings(&contract_types("Stix-Domain-Object"));
        assert!(properties(&all["name"]).0.contains(&STANDARD_ID));
        let edges = meanings(&["StixSightingRelationship"]);
        assert_eq!(properties(&edges["attribute_count"]).1, Value::Int(1));
        assert_eq!(contract_types("Malware"), ["Malware"]);
        assert!(contract_types("Stix-Core-Object").contains(&"IPv4Addr"));
    }

    #[test]
    fn every_required_leaf_of_every_type_has_a_value() {
        let nothing = |name: &str| match name {
            STANDARD_ID => Value::from("id"),
            CREATED_AT | UPDATED_AT => Value::Instant(durward_model::Instant::from_micros(0)),
            _ => Value::Null,
        };
        for name in contract_types("Stix-Object") {
            for (field, required) in CONTRACT.get(name).unwrap() {
                if required.is_some() {
                    let value = value(field, *required, nothing);
                    assert!(!value.is_null(), "{name}.{field}");
                }
            }
        }
    }
}
