// SPDX-License-Identifier: Apache-2.0
//! The kinds of credentials, read from `contracts/catalog/credentials.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;
use toml::Spanned;

use crate::place::Text;
use crate::{CatalogError, Kind};

const FILE: Text = Text {
    file: "credentials.toml",
    text: include_str!("../../../contracts/catalog/credentials.toml"),
};

/// What the secret of a credential is.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Secret {
    /// A JSON web token that the organization signs.
    Signed,
    /// Random text that begins with the organization.
    Opaque,
    /// A random UUID.
    Uuid,
    /// A public name and a random secret.
    Pair,
    /// A token that is granted to a pair and never stored.
    #[default]
    Granted,
}

/// What is kept of a secret.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Kept {
    /// Its digest: it is only compared.
    Digest,
    /// The secret under a key: it must be recovered.
    Sealed,
}

/// The alphabet of random text.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Alphabet {
    /// Padded base64.
    Base64,
    /// Base64 for addresses, without padding.
    Base64Url,
}

/// Names of the actions asked for what is done with credentials of a kind, whoever owns them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acts {
    /// Seeing one, without its secret.
    pub see: String,
    /// Making one.
    pub make: String,
    /// Changing one.
    pub change: String,
    /// Ending one.
    pub end: String,
}

/// What a signed or granted token says beside its owner and its times.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// The claim with the organization.
    pub organization: String,
    /// The claim with a list of the organization alone; empty where there is none.
    #[serde(default)]
    pub organizations: String,
    /// Claims that are the same in each.
    pub text: BTreeMap<String, String>,
}

/// The public name and the secret of a pair.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Public {
    /// What the name begins with.
    pub begins: String,
    /// The alphabet of the secret.
    pub secret: Alphabet,
}

/// Which temporary credentials may make one that lives on when they have ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Outlives {
    /// None.
    #[default]
    None,
    /// Those of the kind of this name.
    Kind(String),
    /// All.
    Any,
}

/// What the catalog says about a kind of credentials.
#[derive(Clone, Debug, Default)]
pub struct CredentialEntry {
    /// How it is stored.
    pub name: String,
    /// What its secret is.
    pub secret: Secret,
    /// What is kept of the secret; nothing of what is granted.
    pub kept: Option<Kept>,
    /// Whether an interface lets its holder in.
    pub is_accepted: bool,
    /// Kinds whose objects may own one.
    pub owners: Vec<Kind>,
    /// Names of the actions asked for what is done with it.
    pub actions: Acts,
    /// What a signed or granted token says.
    pub claims: Option<Claims>,
    /// A word that must not be in its secret; empty for none.
    pub avoided: String,
    /// Its public half, where it has one.
    pub public: Option<Public>,
    /// Shortest and longest life in seconds, where they are bounded.
    pub life_seconds: Option<(i64, i64)>,
    /// Whether every one has a JSON policy.
    pub has_policy: bool,
    /// Whether it makes its successor, and lists its like, without any right.
    pub renews: bool,
    /// What may make one that outlives it.
    pub outlives: Outlives,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    credential: Vec<Raw>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: Spanned<String>,
    secret: Secret,
    kept: Option<Kept>,
    #[serde(default = "yes")]
    accepted: bool,
    owner: Vec<String>,
    action: Acts,
    claims: Option<Claims>,
    #[serde(default)]
    avoided: String,
    public: Option<Public>,
    life: Option<(i64, i64)>,
    #[serde(default)]
    policy: bool,
    #[serde(default)]
    renews: bool,
    outlives: Option<String>,
}

fn yes() -> bool {
    true
}

static BUILT_IN: LazyLock<Result<Vec<CredentialEntry>, CatalogError>> =
    LazyLock::new(|| parse(FILE));
/// What is known about a kind that there is not.
static NONE: LazyLock<CredentialEntry> = LazyLock::new(CredentialEntry::default);

/// Every kind of credentials.
pub fn all() -> &'static [CredentialEntry] {
    BUILT_IN.as_ref().map_or(&[], Vec::as_slice)
}

/// The kind of this name; one that nobody may make, and no interface accepts, when there is none.
pub fn named(name: &str) -> &'static CredentialEntry {
    all()
        .iter()
        .find(|known| known.name == name)
        .unwrap_or(&NONE)
}

/// Whether the file can be used.
pub(crate) fn check() -> Result<(), CatalogError> {
    BUILT_IN.as_ref().map(|_| ()).map_err(Clone::clone)
}

fn parse(file: Text) -> Result<Vec<CredentialEntry>, CatalogError> {
    let raw: File = file.read()?;
    let names: BTreeSet<String> = raw
        .credential
        .iter()
        .map(|raw| raw.name.get_ref().clone())
        .collect();
    if names.len() < raw.credential.len() {
        let mut seen = BTreeSet::new();
        let mut twice = raw.credential.iter().map(|raw| raw.name.get_ref());
        let name = twice.find(|name| !seen.insert((*name).clone())).cloned();
        let name = name.unwrap_or_default();
        return Err(CatalogError::Twice { name });
    }
    let entries = raw.credential.into_iter();
    entries
        .map(|raw| {
            let at = raw.name.span().start;
            entry(raw, &names).map_err(|reason| file.wrong(at, reason))
        })
        .collect()
}

fn entry(raw: Raw, names: &BTreeSet<String>) -> Result<CredentialEntry, String> {
    let owners = raw.owner.iter().map(|name| {
        Kind::named(name).ok_or_else(|| format!("there is no kind {name:?} to own a credential"))
    });
    let outlives = match raw.outlives {
        None => Outlives::None,
        Some(any) if any == "any" => Outlives::Any,
        Some(name) if names.contains(&name) => Outlives::Kind(name),
        Some(name) => return Err(format!("there is no kind {name:?} that it outlives")),
    };
    let entry = CredentialEntry {
        name: raw.name.into_inner(),
        secret: raw.secret,
        kept: raw.kept,
        is_accepted: raw.accepted,
        owners: owners.collect::<Result<_, _>>()?,
        actions: raw.action,
        claims: raw.claims,
        avoided: raw.avoided,
        public: raw.public,
        life_seconds: raw.life,
        has_policy: raw.policy,
        renews: raw.renews,
        outlives,
    };
    fits(&entry)?;
    Ok(entry)
}

/// Refuses words that contradict each other.
fn fits(entry: &CredentialEntry) -> Result<(), String> {
    let is = |secret| entry.secret == secret;
    let pairs = [
        (
            entry.claims.is_some() == (is(Secret::Signed) || is(Secret::Granted)),
            "claims are said by what is signed or granted, and by nothing else",
        ),
        (
            entry.public.is_some() == is(Secret::Pair),
            "a pair has a public name, and nothing else has",
        ),
        (
            entry.kept.is_none() == is(Secret::Granted),
            "of what is granted nothing is kept, of everything else its digest or itself",
        ),
        (
            entry.kept != Some(Kept::Sealed) || is(Secret::Pair),
            "a secret without a public name is found by its digest",
        ),
        (
            entry.owners.is_empty() == is(Secret::Granted),
            "what is stored has an owner",
        ),
        (
            entry
                .life_seconds
                .is_none_or(|(least, most)| 0 < least && least <= most),
            "the shortest life is longer than the longest",
        ),
        (
            entry.avoided.is_empty() || is(Secret::Signed),
            "only what is signed is drawn again",
        ),
    ];
    match pairs.into_iter().find(|(holds, _)| !holds) {
        Some((_, reason)) => Err(format!("{}: {reason}", entry.name)),
        None => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    const ROW: &str = "[[credential]]\nname = \"x\"\nsecret = \"opaque\"\nkept = \"digest\"\n\
        owner = [\"user\"]\naction = { see = \"a\", make = \"a\", change = \"a\", end = \"a\" }\n";

    fn parsed(text: &'static str) -> Result<Vec<CredentialEntry>, CatalogError> {
        parse(Text {
            file: "test.toml",
            text,
        })
    }

    #[test]
    fn built_in_kinds_are_read() {
        check().unwrap();
        let sonrai = named("sonrai_token");
        assert_eq!(sonrai.life_seconds, Some((7_200, 2_592_000)));
        assert_eq!(sonrai.outlives, Outlives::Kind("sonrai_token".to_owned()));
        assert!(!named("node_token").is_accepted && named("api_token").is_accepted);
        assert_eq!(named("strongdm_key").kept, Some(Kept::Sealed));
        assert!(!named("nothing").is_accepted && named("nothing").owners.is_empty());
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_line() {
        assert_eq!(parsed(ROW).unwrap().len(), 1);
        let twice = format!("{ROW}{ROW}").leak();
        assert!(matches!(parsed(twice), Err(CatalogError::Twice { name }) if name == "x"));
        for (from, to, reason) in [
            ("\"user\"", "\"ghost\"", "no kind \"ghost\""),
            ("\"opaque\"", "\"pair\"", "a pair has a public name"),
            ("\"opaque\"", "\"signed\"", "claims are said"),
            ("\"digest\"", "\"sealed\"", "found by its digest"),
            ("kept = \"digest\"\n", "", "nothing is kept"),
            ("[\"user\"]", "[]", "has an owner"),
            ("owner", "life = [2, 1]\nowner", "the shortest life"),
            ("owner", "avoided = \"no\"\nowner", "drawn again"),
            ("owner", "outlives = \"y\"\nowner", "no kind \"y\""),
        ] {
            let text = ROW.replacen(from, to, 1).leak();
            let error = parsed(text).unwrap_err().to_string();
            assert!(error.contains("test.toml:2"), "{error}");
            assert!(error.contains(reason), "{error}");
        }
        let unknown = ROW.replacen("owner", "colour = 1\nowner", 1).leak();
        assert!(matches!(parsed(unknown), Err(CatalogError::Syntax { .. })));
    }
}
