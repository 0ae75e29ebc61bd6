// SPDX-License-Identifier: Apache-2.0
//! Reading the kinds, and saying in which line something does not fit.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::Spanned;

use super::{Actions, Ends, KNOWN, Kind, KindEntry, Property, SecretKind};
use crate::CatalogError;
use crate::dialects::{CyralName, SonraiName, StrongdmName};
use crate::place::Text;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kind: Vec<RawKind>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKind {
    name: Spanned<String>,
    noun: String,
    entity: Option<String>,
    relationship: Option<RawEnds>,
    #[serde(default)]
    class: Vec<String>,
    #[serde(default)]
    property: BTreeMap<String, Property>,
    action: Actions,
    #[serde(default)]
    built_in: Vec<BTreeMap<String, String>>,
    #[serde(default)]
    strongdm: Vec<StrongdmName>,
    #[serde(default)]
    sonrai: SonraiName,
    #[serde(default)]
    opencti: String,
    #[serde(default)]
    cyral: CyralName,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEnds {
    from: Vec<Spanned<String>>,
    start: String,
    verb: String,
    to: Vec<Spanned<String>>,
    end: String,
    r#type: String,
    #[serde(default)]
    several: bool,
    #[serde(default)]
    changes: bool,
    #[serde(default)]
    guarded: bool,
}

/// The kinds of a file: first those that code names, then the others as they stand.
pub(super) fn parse(file: Text) -> Result<Vec<KindEntry>, CatalogError> {
    let read: File = file.read()?;
    let wrong = |at, reason| file.wrong(at, reason);
    let numbers = number(&read, &wrong)?;
    let mut kinds = BTreeMap::new();
    let mut types = BTreeSet::new();
    for raw in read.kind {
        let at = raw.name.span().start;
        let entry = entry(raw, &numbers, &wrong)?;
        if !types.insert((entry.ends.is_some(), entry.type_name.clone())) {
            return Err(wrong(
                at,
                format!("the type {} is another kind's", entry.type_name),
            ));
        }
        kinds.insert(numbers.get(&entry.name).copied(), entry);
    }
    Ok(kinds.into_values().collect())
}

type Wrong<'w> = dyn Fn(usize, String) -> CatalogError + 'w;

fn number(file: &File, wrong: &Wrong<'_>) -> Result<BTreeMap<String, Kind>, CatalogError> {
    let mut numbers: BTreeMap<String, Kind> = BTreeMap::new();
    for (name, kind) in KNOWN {
        numbers.insert((*name).to_owned(), *kind);
    }
    let mut seen = BTreeSet::new();
    for raw in &file.kind {
        let (at, name) = (raw.name.span().start, raw.name.get_ref());
        if !seen.insert(name.as_str()) {
            return Err(wrong(at, format!("the kind {name} is declared twice")));
        }
        let next = u8::try_from(numbers.len());
        let next = next.map_err(|_| wrong(at, "there are too many kinds".to_owned()))?;
        numbers.entry(name.clone()).or_insert(Kind(next));
    }
    match KNOWN.iter().find(|(name, _)| !seen.contains(name)) {
        Some((name, _)) => Err(wrong(0, format!("the program needs the kind {name}"))),
        None => Ok(numbers),
    }
}

fn entry(
    raw: RawKind,
    numbers: &BTreeMap<String, Kind>,
    wrong: &Wrong<'_>,
) -> Result<KindEntry, CatalogError> {
    let at = raw.name.span().start;
    let name = raw.name.into_inner();
    let (type_name, ends) = match (raw.entity, raw.relationship) {
        (Some(entity), None) => (entity, None),
        (None, Some(ends)) => {
            let type_name = ends.r#type.clone();
            (type_name, Some(read_ends(ends, numbers, wrong)?))
        }
        _ => {
            let reason = format!("the kind {name} needs either `entity` or `relationship`");
            return Err(wrong(at, reason));
        }
    };
    let checked = raw.property.iter().try_for_each(|(property, said)| {
        check_property(said, ends.is_some()).map_err(|why| format!("{property} of {name}: {why}"))
    });
    checked.map_err(|reason| wrong(at, reason))?;
    let said = raw.property.values();
    let sealed = said.filter(|said| said.secret == Some(SecretKind::Sealed));
    if sealed.count() > 1 {
        let reason = format!("{name}: secrets are sealed in one property");
        return Err(wrong(at, reason));
    }
    let has_names = raw.sonrai != SonraiName::default()
        || raw.cyral != CyralName::default()
        || !raw.opencti.is_empty();
    let is_plain = raw.class.is_empty() && raw.built_in.is_empty() && !has_names;
    if ends.is_some() && !is_plain {
        let reason = format!(
            "{name}: relationships have neither classes nor `built_in`, and names in StrongDM only"
        );
        return Err(wrong(at, reason));
    }
    let mut strongdm = raw.strongdm;
    for known in &mut strongdm {
        if known.service.is_empty() || known.noun.is_empty() || known.prefix.is_empty() {
            let reason = format!("{name} in StrongDM needs a service, a noun and a prefix");
            return Err(wrong(at, reason));
        }
        if let Some(ends) = &ends {
            name_field(&mut known.start_field, &ends.start);
            name_field(&mut known.end_field, &ends.end);
        }
    }
    Ok(KindEntry {
        name,
        noun: raw.noun,
        type_name,
        ends,
        class: raw.class,
        properties: raw.property,
        actions: raw.action,
        built_in: raw.built_in,
        strongdm,
        sonrai: raw.sonrai,
        opencti: raw.opencti,
        cyral: raw.cyral,
    })
}

fn read_ends(
    raw: RawEnds,
    numbers: &BTreeMap<String, Kind>,
    wrong: &Wrong<'_>,
) -> Result<Ends, CatalogError> {
    let kinds = |names: Vec<Spanned<String>>| -> Result<Vec<Kind>, CatalogError> {
        let known = names.into_iter().map(|name| {
            let missing = || {
                wrong(
                    name.span().start,
                    format!("there is no kind {}", name.get_ref()),
                )
            };
            numbers.get(name.get_ref()).copied().ok_or_else(missing)
        });
        known.collect()
    };
    let at = raw.from.first().map_or(0, |first| first.span().start);
    let from = kinds(raw.from)?;
    if raw.guarded && !from.iter().all(|kind| Kind::ACCOUNTS.contains(kind)) {
        let reason = "`guarded` is for relationships that start at accounts";
        return Err(wrong(at, reason.to_owned()));
    }
    Ok(Ends {
        from,
        start: raw.start,
        verb: raw.verb,
        to: kinds(raw.to)?,
        end: raw.end,
        several: raw.several,
        changes: raw.changes,
        guarded: raw.guarded,
    })
}

/// Refuses what would have no effect.
fn check_property(said: &Property, is_of_relationship: bool) -> Result<(), &'static str> {
    if said.noun.is_empty() && (said.required || said.unique.is_some()) {
        return Err("it may be refused, so it needs a noun");
    }
    if is_of_relationship && (said.unique.is_some() || said.secret.is_some()) {
        return Err("relationships have no unique or secret properties");
    }
    if said.value.is_some() && (!is_of_relationship || said.strongdm.is_empty()) {
        return Err("`value` is for fields by which StrongDM filters relationships");
    }
    Ok(())
}

/// A field with an end is named as the end is, unless the file says otherwise.
fn name_field(field: &mut String, end: &str) {
    if field.is_empty() {
        *field = format!("{}_id", end.replace(' ', "_"));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;
    use crate::kinds::FILE;

    fn refusal(from: &str, to: &str) -> String {
        assert!(FILE.text.contains(from), "{from}");
        let text = FILE.text.replacen(from, to, 1).leak();
        parse(Text { text, ..FILE }).unwrap_err().to_string()
    }

    #[test]
    fn the_kinds_that_code_names_are_the_first() {
        let kinds = parse(FILE).unwrap();
        for ((kind, number), (name, known)) in kinds.iter().zip(0..).zip(KNOWN) {
            assert_eq!((kind.name.as_str(), Kind(number)), (*name, *known));
        }
        assert_eq!(Kind::GRANT.entry().name, "grant");
        assert_eq!(
            Kind::named("identity_alias").unwrap().ends().unwrap().verb,
            "IS"
        );
        let fields = |kind: Kind| {
            kind.strongdm()
                .map(|name| (&*name.start_field, &*name.end_field))
        };
        assert_eq!(fields(Kind::GRANT), Some(("account_id", "resource_id")));
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        let twice = refusal("name = \"service_account\"", "name = \"user\"");
        assert!(
            twice.contains("access.toml:") && twice.contains("declared twice"),
            "{twice}"
        );
        let line: usize = twice
            .split(':')
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let text = FILE.text.lines().nth(line - 1).unwrap();
        assert_eq!(text, "name = \"service_account\"");
        let needed = refusal("name = \"grant\"", "name = \"gift\"");
        assert!(needed.contains("needs the kind grant"), "{needed}");
        let end = refusal("to = [\"role\"]", "to = [\"rule\"]");
        assert!(end.contains("there is no kind rule"), "{end}");
        let typed = refusal("entity = \"account_service\"", "entity = \"account\"");
        assert!(
            typed.contains("the type account is another kind's"),
            "{typed}"
        );
        let shape = refusal("entity = \"access_role\"\n", "");
        assert!(
            shape.contains("either `entity` or `relationship`"),
            "{shape}"
        );
        let secret = refusal("strongdm = \"username\"", "secret = \"own\"");
        assert!(secret.contains("no unique or secret"), "{secret}");
        let value = refusal(
            "noun = \"subdomain\"",
            "noun = \"subdomain\", value = \"text\"",
        );
        assert!(value.contains("filters relationships"), "{value}");
        let class = refusal("noun = \"grant\"", "noun = \"grant\"\nclass = [\"Gift\"]");
        assert!(class.contains("neither classes nor"), "{class}");
        let sealed = refusal(
            "property.sealedCredentials",
            "property.other = { secret = \"sealed\" }\nproperty.sealedCredentials",
        );
        assert!(sealed.contains("sealed in one property"), "{sealed}");
        let guarded = refusal("several = true", "guarded = true");
        assert!(guarded.contains("start at accounts"), "{guarded}");
        let unknown = refusal("secret = ", "sekret = ");
        assert!(unknown.contains("access.toml"), "{unknown}");
    }
}
