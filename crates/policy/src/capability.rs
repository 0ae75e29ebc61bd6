// SPDX-License-Identifier: Apache-2.0
//! What an OpenCTI operation asks of its caller.

use crate::{Right, Rights, UnknownRight};

/// A requirement as contracts write it: `-` for nothing, `login` for any caller, or capabilities of
/// which one is enough, as in `KNOWLEDGE|SETTINGS_SETACCESSES`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Anybody, without a credential too.
    Public,
    /// Any caller with a credential that works.
    Login,
    /// A caller with one of these capabilities.
    AnyOf(Vec<Right>),
}

impl Requirement {
    /// Reads a requirement.
    pub fn parse(text: &str) -> Result<Self, UnknownRight> {
        match text.trim() {
            "-" => Ok(Self::Public),
            "login" => Ok(Self::Login),
            names => {
                let rights = names.split('|').map(|name| {
                    let unknown = || UnknownRight {
                        name: name.chars().take(64).collect(),
                    };
                    Right::of_capability(name.trim()).ok_or_else(unknown)
                });
                Ok(Self::AnyOf(rights.collect::<Result<_, _>>()?))
            }
        }
    }

    /// Whether a caller with these rights fulfils it; `None` is a caller without a credential.
    pub fn is_met_by(&self, rights: Option<&Rights>) -> bool {
        match (self, rights) {
            (Self::Public, _) | (Self::Login, Some(_)) => true,
            (Self::AnyOf(any), Some(rights)) => any.iter().any(|right| rights.contains(*right)),
            (_, None) => false,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn one_capability_of_several_is_enough() {
        let labels = Rights::NONE.with(Right::of_capability("SETTINGS_SETLABELS").unwrap());
        for (text, anonymous, caller) in [
            ("-", true, true),
            ("login", false, true),
            ("KNOWLEDGE|SETTINGS_SETLABELS", false, true),
            ("SETTINGS", false, true),
            ("KNOWLEDGE", false, false),
            ("BYPASS", false, false),
        ] {
            let requirement = Requirement::parse(text).unwrap();
            assert_eq!(requirement.is_met_by(None), anonymous, "{text}");
            assert_eq!(requirement.is_met_by(Some(&labels)), caller, "{text}");
        }
        assert!(Requirement::parse("KNOWLEDGE|FLY").is_err());
        assert!(Requirement::parse("").is_err());
    }
}
