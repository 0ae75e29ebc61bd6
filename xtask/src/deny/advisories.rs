// SPDX-License-Identifier: Apache-2.0
//! Security advisories: the list in `advisories.toml` against the versions in `Cargo.lock`.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use cargo_metadata::semver::{Version, VersionReq};
use toml::Value;

use super::{field, strings, tables};

const LIST: &str = "advisories.toml";
/// A list that was not looked over for longer is told of.
const AGE_DAYS_MAX: i64 = 90;

/// An entry of the list.
#[derive(Debug)]
struct Advisory {
    id: String,
    package: String,
    why: String,
    /// Versions that are not affected, because they are patched or for other reasons.
    sound: Vec<VersionReq>,
}

/// The list as it was looked over on a day.
#[derive(Debug)]
struct Advisories {
    /// Days since 1970.
    checked: i64,
    all: Vec<Advisory>,
}

/// What is wrong, and a warning when the list is old; `today` in days since 1970.
pub(super) fn check(root: &Path, today: i64) -> anyhow::Result<(Vec<String>, Option<String>)> {
    let read = |name: &str| {
        std::fs::read_to_string(root.join(name)).with_context(|| format!("reading {name}"))
    };
    let advisories = parse(&read(LIST)?).with_context(|| format!("reading {LIST}"))?;
    let locked = locked(&read("Cargo.lock")?).context("reading Cargo.lock")?;
    Ok((findings(&advisories, &locked), warning(&advisories, today)))
}

fn parse(text: &str) -> anyhow::Result<Advisories> {
    let list: Value = toml::from_str(text)?;
    let checked = field(&list, "checked").context("it does not say when it was checked")?;
    let mut all = Vec::new();
    for table in tables(&list, &["advisory"]) {
        let id = field(table, "id").context("an advisory without an id")?;
        let one = advisory(&id, table).with_context(|| format!("in {id}"))?;
        ensure!(
            !all.iter().any(|known: &Advisory| known.id == id),
            "{id} stands twice"
        );
        all.push(one);
    }
    ensure!(!all.is_empty(), "it lists nothing");
    Ok(Advisories {
        checked: days(&checked)?,
        all,
    })
}

fn advisory(id: &str, table: &Value) -> anyhow::Result<Advisory> {
    const KEYS: [&str; 6] = ["id", "crate", "date", "patched", "unaffected", "why"];
    if let Some(members) = table.as_table()
        && let Some(wrong) = members.keys().find(|key| !KEYS.contains(&key.as_str()))
    {
        bail!("{wrong:?} is not known; there are: {}", KEYS.join(", "));
    }
    ensure!(
        id.starts_with("RUSTSEC-") || id.starts_with("GHSA-"),
        "an id begins with RUSTSEC- or GHSA-"
    );
    days(&field(table, "date").context("it has no date")?)?;
    let mut sound = Vec::new();
    for key in ["patched", "unaffected"] {
        for text in strings(table, &[key]) {
            sound.push(VersionReq::parse(&text).with_context(|| format!("{key} {text:?}"))?);
        }
    }
    Ok(Advisory {
        id: id.to_owned(),
        package: field(table, "crate").context("it names no crate")?,
        why: field(table, "why").context("it does not say why")?,
        sound,
    })
}

/// Names and versions of all locked packages.
fn locked(text: &str) -> anyhow::Result<Vec<(String, Version)>> {
    let lock: Value = toml::from_str(text)?;
    let mut found = Vec::new();
    for table in tables(&lock, &["package"]) {
        let name = field(table, "name").context("a package without a name")?;
        let version = field(table, "version").context("a package without a version")?;
        let version = Version::parse(&version).with_context(|| format!("{name} {version}"))?;
        found.push((name, version));
    }
    Ok(found)
}

fn findings(advisories: &Advisories, locked: &[(String, Version)]) -> Vec<String> {
    let mut findings = Vec::new();
    for advisory in &advisories.all {
        let mut versions = locked
            .iter()
            .filter(|(name, _)| *name == advisory.package)
            .map(|(_, version)| version)
            .peekable();
        if versions.peek().is_none() {
            findings.push(format!(
                "{}: {} is not locked any more; take the entry out of {LIST}",
                advisory.id, advisory.package
            ));
        }
        for version in versions {
            if !advisory.sound.iter().any(|sound| sound.matches(version)) {
                findings.push(format!(
                    "{} {version} is affected by {}: {}",
                    advisory.package, advisory.id, advisory.why
                ));
            }
        }
    }
    findings
}

fn warning(advisories: &Advisories, today: i64) -> Option<String> {
    let age = today.saturating_sub(advisories.checked);
    (age > AGE_DAYS_MAX).then(|| {
        format!("{LIST} was looked over {age} days ago; look for new advisories and set the date")
    })
}

/// Days since 1970 of a date such as 2026-11-30.
fn days(date: &str) -> anyhow::Result<i64> {
    let wrong = || format!("{date:?} is not a date such as 2026-11-30");
    let parts: Vec<i64> = date
        .split('-')
        .map(str::parse)
        .collect::<Result<_, _>>()
        .with_context(wrong)?;
    let [year, month, day] = parts[..] else {
        bail!(wrong());
    };
    ensure!(
        (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day),
        wrong()
    );
    // Years begin in March, so that the day of February's end comes last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    let from_march = (153 * month + 2) / 5 + day - 1;
    // The first of March of the year 0 is that many days before 1970.
    Ok(365 * year + leap_days + from_march - 719_468)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"
        checked = "2026-11-30"
        [[advisory]]
        id = "RUSTSEC-2026-0253"
        crate = "lru"
        date = "2026-05-12"
        patched = [">= 0.18.2"]
        unaffected = ["< 0.2"]
        why = "a reason"
        [[advisory]]
        id = "RUSTSEC-2025-0023"
        crate = "tokio"
        date = "2025-04-07"
        patched = [">= 1.38.2, < 1.39.0", ">= 1.44.2"]
        why = "another"
    "#;

    fn found(versions: &[(&str, &str)]) -> Vec<String> {
        let packages: Vec<String> = versions
            .iter()
            .map(|(name, version)| {
                format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n")
            })
            .collect();
        let locked = packages.concat();
        findings(&parse(SAMPLE).unwrap(), &super::locked(&locked).unwrap())
    }

    #[test]
    fn affected_versions_are_found_and_others_not() {
        for (lru, tokio, count) in [
            ("0.18.2", "1.54.1", 0),
            ("0.18.1", "1.54.1", 1),
            ("0.16.4", "1.44.1", 2),
            ("0.1.9", "1.38.9", 0),
            ("0.18.5+build", "1.39.0", 1),
        ] {
            let found = found(&[("lru", lru), ("tokio", tokio), ("other", "1.0.0")]);
            assert_eq!(found.len(), count, "{lru} {tokio}: {found:?}");
        }
        let two = found(&[("lru", "0.16.4"), ("lru", "0.19.0"), ("tokio", "1.50.0")]);
        assert_eq!(
            two,
            ["lru 0.16.4 is affected by RUSTSEC-2026-0253: a reason"]
        );
        let gone = found(&[("tokio", "1.50.0")]);
        assert!(
            gone.len() == 1 && gone[0].contains("not locked any more"),
            "{gone:?}"
        );
    }

    #[test]
    fn a_list_that_is_old_is_told_of() {
        let list = parse(SAMPLE).unwrap();
        let checked = days("2026-11-30").unwrap();
        assert_eq!(warning(&list, checked + AGE_DAYS_MAX), None);
        assert!(
            warning(&list, checked + AGE_DAYS_MAX + 1)
                .unwrap()
                .contains("91 days")
        );
    }

    #[test]
    fn dates_are_days() {
        for (date, expected) in [
            ("1970-01-01", 0),
            ("1972-02-29", 789),
            ("2000-03-01", 11_017),
            ("2026-11-30", 20_787),
        ] {
            assert_eq!(days(date).unwrap(), expected, "{date}");
        }
        for wrong in [
            "",
            "2026",
            "2026-13-01",
            "2026-1-0",
            "2026-01-01-01",
            "x-y-z",
        ] {
            assert!(days(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn wrong_entries_are_errors() {
        for (from, to) in [
            ("RUSTSEC-2026-0253", "CVE-1"),
            ("RUSTSEC-2026-0253", "RUSTSEC-2025-0023"),
            (">= 0.18.2", "later"),
            ("crate = \"lru\"", ""),
            ("why = \"a reason\"", ""),
            ("unaffected", "unafected"),
            ("checked", "seen"),
            ("2026-05-12", "May"),
        ] {
            assert!(
                parse(&SAMPLE.replacen(from, to, 1)).is_err(),
                "{from} as {to:?}"
            );
        }
        assert!(parse("checked = \"2026-11-30\"").is_err());
    }

    /// The list of this repository can be read, and nothing that is locked is affected.
    #[test]
    fn the_lock_file_is_sound() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let (findings, _) = check(&root, 0).unwrap();
        assert!(findings.is_empty(), "{findings:#?}");
    }
}
