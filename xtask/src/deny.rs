// SPDX-License-Identifier: Apache-2.0
//! The rules of `deny.toml`, checked over `cargo metadata`: licences, sources, banned crates and
//! crates in more than one version; and the security advisories of `advisories.toml`.

mod advisories;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, bail};
use cargo_metadata::{CargoOpt, Metadata, MetadataCommand, Package};
use toml::Value;

use crate::spdx;

/// Checks the locked dependencies of the target platforms that `deny.toml` names.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(root.join("deny.toml")).context("reading deny.toml")?;
    let rules: Value = toml::from_str(&text).context("reading deny.toml")?;
    let metadata = metadata(root, &rules)?;
    let packages = resolved(&metadata);
    let mut findings = licences(&rules, &packages)?;
    findings.extend(sources(&rules, &packages));
    findings.extend(banned(&rules, &packages));
    findings.extend(duplicates(&rules, &packages));
    let (affected, warning) = advisories::check(root, today())?;
    findings.extend(affected);
    if let Some(warning) = warning {
        println!("  warning: {warning}");
    }
    for finding in &findings {
        println!("  {finding}");
    }
    if !findings.is_empty() {
        bail!(
            "{} dependency rules broken; deny.toml and advisories.toml have the rules",
            findings.len()
        );
    }
    println!(
        "{} packages: licences, sources, bans and versions as deny.toml asks, none with a known \
         advisory",
        packages.len()
    );
    Ok(())
}

/// Days since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "how old the list of advisories is, is asked of the calendar"
)]
fn today() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| (since.as_secs() / 86_400) as i64)
}

fn metadata(root: &Path, rules: &Value) -> anyhow::Result<Metadata> {
    let mut others = vec!["--locked".to_owned()];
    for target in strings(rules, &["graph", "targets"]) {
        others.extend(["--filter-platform".to_owned(), target]);
    }
    MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .features(CargoOpt::AllFeatures)
        .other_options(others)
        .exec()
        .context("running cargo metadata")
}

/// The packages that are compiled on the chosen targets.
fn resolved(metadata: &Metadata) -> Vec<&Package> {
    let Some(resolve) = &metadata.resolve else {
        return Vec::new();
    };
    let ids: BTreeSet<_> = resolve.nodes.iter().map(|node| &node.id).collect();
    metadata
        .packages
        .iter()
        .filter(|package| ids.contains(&package.id))
        .collect()
}

fn licences(rules: &Value, packages: &[&Package]) -> anyhow::Result<Vec<String>> {
    let allowed: BTreeSet<String> = strings(rules, &["licenses", "allow"]).into_iter().collect();
    let clarified: BTreeMap<String, String> = tables(rules, &["licenses", "clarify"])
        .filter_map(|table| Some((field(table, "crate")?, field(table, "expression")?)))
        .collect();
    let mut findings = Vec::new();
    for package in packages {
        let expression = package
            .license
            .as_ref()
            .or_else(|| clarified.get(package.name.as_str()));
        let Some(expression) = expression else {
            findings.push(format!(
                "{} {}: names no licence",
                package.name, package.version
            ));
            continue;
        };
        if !spdx::is_allowed(expression, &allowed)? {
            findings.push(format!(
                "{} {}: {expression}",
                package.name, package.version
            ));
        }
    }
    Ok(findings)
}

fn sources(rules: &Value, packages: &[&Package]) -> Vec<String> {
    let allowed: BTreeSet<String> = strings(rules, &["sources", "allow-registry"])
        .into_iter()
        .map(|url| format!("registry+{url}"))
        .collect();
    let mut findings = Vec::new();
    for package in packages {
        // A package without a source is a member of this workspace.
        if let Some(source) = &package.source
            && !allowed.contains(&source.repr)
        {
            findings.push(format!("{} comes from {}", package.name, source.repr));
        }
    }
    findings
}

fn banned(rules: &Value, packages: &[&Package]) -> Vec<String> {
    let mut findings = Vec::new();
    for table in tables(rules, &["bans", "deny"]) {
        let Some(name) = field(table, "crate") else {
            continue;
        };
        if packages.iter().any(|package| package.name.as_str() == name) {
            let reason = field(table, "reason").unwrap_or_default();
            findings.push(format!("{name} is banned: {reason}"));
        }
    }
    findings
}

/// Versions in `skip` do not count; of what is left, each crate may have one version. An entry
/// that skips nothing is a finding too, so the list cannot rot.
fn duplicates(rules: &Value, packages: &[&Package]) -> Vec<String> {
    let mut skipped: BTreeMap<String, bool> = tables(rules, &["bans", "skip"])
        .filter_map(|table| field(table, "crate"))
        .map(|name| (name, false))
        .collect();
    let mut versions: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for package in packages {
        versions
            .entry(&package.name)
            .or_default()
            .insert(package.version.to_string());
    }
    let mut findings = Vec::new();
    for (name, versions) in versions {
        let mut counted = Vec::new();
        for version in &versions {
            match skipped.get_mut(&format!("{name}@{version}")) {
                Some(used) => *used = versions.len() > 1,
                None => counted.push(version.as_str()),
            }
        }
        if counted.len() > 1 {
            findings.push(format!(
                "{name} in several versions: {}",
                counted.join(", ")
            ));
        }
    }
    let unused = skipped.iter().filter(|(_, used)| !**used);
    findings.extend(unused.map(|(name, _)| format!("skip entry {name} is not needed any more")));
    findings
}

fn at<'a>(rules: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(rules, |value, key| value.get(key))
}

fn strings(rules: &Value, path: &[&str]) -> Vec<String> {
    let list = at(rules, path)
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn tables<'a>(rules: &'a Value, path: &[&str]) -> impl Iterator<Item = &'a Value> {
    at(rules, path)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn field(table: &Value, key: &str) -> Option<String> {
    table.get(key).and_then(Value::as_str).map(str::to_owned)
}
