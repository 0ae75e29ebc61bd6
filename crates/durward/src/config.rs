// SPDX-License-Identifier: Apache-2.0
//! The configuration file: TOML, overlaid by `DURWARD__SECTION__KEY` from the environment.

use std::path::Path;

use anyhow::Context as _;
use durward_identity::RatePlan;
use serde::{Deserialize, Deserializer, Serialize};

/// Prefix of the environment variables that overlay the file.
const ENVIRONMENT_PREFIX: &str = "DURWARD__";
/// Least budget (128 MiB): a credential gets a quarter of it, and one StrongDM call may have 4 MiB.
const MEMORY_BYTES_MIN: u64 = 128 << 20;

/// Everything that a configuration file may say. Every key has a default.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Configuration {
    /// How requests are served.
    pub(crate) server: ServerSection,
    /// How much one credential or organization may ask.
    pub(crate) limits: LimitsSection,
}

/// `[server]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServerSection {
    /// Address of the listener.
    pub(crate) listen: String,
    /// Further addresses, for clients that expect a port of their own. One may stand without a
    /// list.
    #[serde(deserialize_with = "one_or_more")]
    pub(crate) also_listen: Vec<String>,
    /// Whether anonymous callers may ask a GraphQL schema for its types.
    pub(crate) anonymous_introspection: bool,
    /// Address by which clients reach this server, for the URLs in its answers (deferred results,
    /// uploads). Empty: the address at which each connection arrived. Never what a client says.
    pub(crate) public_url: String,
    /// Whether `/metrics` asks callers on this machine for no credential. Leave it off where a
    /// proxy on the same machine passes requests of others on.
    pub(crate) metrics_anonymous: bool,
}

/// `[limits]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LimitsSection {
    /// `unlimited`, `jupiterone` for that vendor's own figures, or such as `100/60`.
    pub(crate) rate_preset: String,
    /// Longest run time of one query in milliseconds.
    pub(crate) query_timeout_ms: u64,
    /// Most paths that one query may walk.
    pub(crate) query_paths_max: u64,
    /// Bytes that all requests together may make the server hold, beside the graph.
    pub(crate) memory_bytes: u64,
}

impl Default for ServerSection {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            also_listen: Vec::new(),
            anonymous_introspection: false,
            public_url: String::new(),
            metrics_anonymous: false,
        }
    }
}

impl Default for LimitsSection {
    fn default() -> Self {
        Self {
            rate_preset: "unlimited".to_owned(),
            query_timeout_ms: 30_000,
            query_paths_max: 10_000_000,
            memory_bytes: durward_budget::TOTAL_BYTES_DEFAULT,
        }
    }
}

impl Configuration {
    /// Reads the file, if one is named, and overlays the environment.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML, or a key or value is not known.
    pub(crate) fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let text = match file {
            Some(path) => std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the configuration {}", path.display()))?,
            None => String::new(),
        };
        Self::parse(&text, std::env::vars())
    }

    fn parse(
        text: &str,
        environment: impl Iterator<Item = (String, String)>,
    ) -> anyhow::Result<Self> {
        let mut table: toml::Table = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(1, |before| before.matches('\n').count().saturating_add(1));
            let reason = error.message();
            anyhow::anyhow!("the configuration is not valid TOML: line {line}: {reason}")
        })?;
        for (name, value) in environment {
            let Some(path) = name.strip_prefix(ENVIRONMENT_PREFIX) else {
                continue;
            };
            overlay(&mut table, path, &value).with_context(|| format!("{name} is not usable"))?;
        }
        let configuration: Self = table.try_into().context("the configuration is not valid")?;
        configuration.check()?;
        Ok(configuration)
    }

    fn check(&self) -> anyhow::Result<()> {
        let preset = self.limits.rate_preset.as_str();
        anyhow::ensure!(
            RatePlan::named(preset).is_some(),
            "limits.rate_preset is {preset:?}; use \"unlimited\", \"jupiterone\" or operations of a \
             credential in seconds, such as \"100/60\""
        );
        anyhow::ensure!(
            self.limits.query_timeout_ms > 0,
            "limits.query_timeout_ms must be over 0"
        );
        anyhow::ensure!(
            self.limits.query_paths_max > 0,
            "limits.query_paths_max must be over 0"
        );
        anyhow::ensure!(
            self.limits.memory_bytes >= MEMORY_BYTES_MIN,
            "limits.memory_bytes must be at least {MEMORY_BYTES_MIN}"
        );
        Ok(())
    }

    /// All keys with their defaults, as a TOML text.
    ///
    /// # Errors
    /// Never in practice; the serializer's error is passed on.
    pub(crate) fn reference() -> anyhow::Result<String> {
        Ok(toml::to_string_pretty(&Self::default())?)
    }
}

/// Reads a list of texts, or one text; an empty text is no element.
fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "an address or a list of addresses")]
    enum OneOrMore {
        One(String),
        More(Vec<String>),
    }
    let mut found = match OneOrMore::deserialize(deserializer)? {
        OneOrMore::One(text) => vec![text],
        OneOrMore::More(texts) => texts,
    };
    found.retain(|text| !text.is_empty());
    Ok(found)
}

/// Puts an environment value at `SECTION__KEY`, as a TOML value if it reads as one, else as text.
fn overlay(table: &mut toml::Table, path: &str, value: &str) -> anyhow::Result<()> {
    let lower = path.to_ascii_lowercase();
    let (section, key) = lower
        .split_once("__")
        .context("it names no section and key")?;
    let parsed = format!("value = {value}")
        .parse::<toml::Table>()
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| toml::Value::String(value.to_owned()));
    let entry = table
        .entry(section)
        .or_insert_with(|| toml::Value::Table(toml::Table::new()));
    let section = entry.as_table_mut().context("its section is not a table")?;
    section.insert(key.to_owned(), parsed);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn environment_overlays_the_file() {
        let environment = [(
            "DURWARD__LIMITS__QUERY_TIMEOUT_MS".to_owned(),
            "5".to_owned(),
        )]
        .into_iter();
        let text = "[server]\nlisten = \"127.0.0.1:1\"\n";
        let configuration = Configuration::parse(text, environment).unwrap();
        assert_eq!(configuration.server.listen, "127.0.0.1:1");
        assert_eq!(configuration.limits.query_timeout_ms, 5);
    }

    #[test]
    fn further_addresses_are_one_or_a_list() {
        let read = |value: &str| {
            let environment = [("DURWARD__SERVER__ALSO_LISTEN".to_owned(), value.to_owned())];
            let read = Configuration::parse("", environment.into_iter());
            read.map(|configuration| configuration.server.also_listen)
        };
        assert_eq!(read("127.0.0.1:8000").unwrap(), ["127.0.0.1:8000"]);
        assert_eq!(read("").unwrap(), Vec::<String>::new());
        let list = read("[\"127.0.0.1:8000\", \"[::1]:8000\"]");
        assert_eq!(list.unwrap(), ["127.0.0.1:8000", "[::1]:8000"]);
        assert!(read("8000").is_err());
    }

    #[test]
    fn unknown_keys_and_values_are_refused() {
        let parse = |text| Configuration::parse(text, std::iter::empty());
        assert!(parse("[server]\nport = 1\n").is_err());
        assert!(parse("[limits]\nrate_preset = \"fast\"\n").is_err());
        assert!(parse("[limits]\nquery_timeout_ms = 0\n").is_err());
    }

    #[test]
    fn the_reference_reads_back() {
        let text = Configuration::reference().unwrap();
        assert!(Configuration::parse(&text, std::iter::empty()).is_ok());
    }
}
