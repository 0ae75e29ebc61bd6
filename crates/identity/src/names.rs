// SPDX-License-Identifier: Apache-2.0
//! Checks of names and of the addresses of accounts.

use crate::IdentityError;

const NAME_CHARACTERS_MAX: usize = 200;
const TAG_CHARACTERS_MAX: usize = 1024;
const EMAIL_CHARACTERS_MAX: usize = 320;

/// A name that people read. It is kept as it was sent.
pub fn name(what: &'static str, text: &str) -> Result<String, IdentityError> {
    if text.trim().is_empty() {
        return Err(IdentityError::input(what, "must not be empty"));
    }
    if text.chars().count() > NAME_CHARACTERS_MAX {
        let reason = format!("may have at most {NAME_CHARACTERS_MAX} characters");
        return Err(IdentityError::input(what, reason));
    }
    if text.chars().any(char::is_control) {
        return Err(IdentityError::input(
            what,
            "must not hold control characters",
        ));
    }
    Ok(text.to_owned())
}

/// The address of an account, kept as it was sent. It names the account, and whether it receives
/// mail is not for us to say: the vendors take any word, and so do their clients' own tests.
pub fn email(text: &str) -> Result<String, IdentityError> {
    let wrong = |reason: String| IdentityError::input("the e-mail address", reason);
    if text.is_empty() {
        return Err(wrong("must not be empty".to_owned()));
    }
    if text.chars().count() > EMAIL_CHARACTERS_MAX {
        let reason = format!("may have at most {EMAIL_CHARACTERS_MAX} characters");
        return Err(wrong(reason));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(wrong("must not hold blanks".to_owned()));
    }
    Ok(text.to_owned())
}

/// The name and value of a tag.
pub fn tag(name: &str, value: &str) -> Result<(), IdentityError> {
    let wrong = |reason: &str| IdentityError::input("the tag", reason);
    if name.trim().is_empty() {
        return Err(wrong("needs a name"));
    }
    let characters = name.chars().count().max(value.chars().count());
    if characters > TAG_CHARACTERS_MAX {
        let reason = format!("may have at most {TAG_CHARACTERS_MAX} characters");
        return Err(IdentityError::input("the tag", reason));
    }
    if name.chars().chain(value.chars()).any(char::is_control) {
        return Err(wrong("must not hold control characters"));
    }
    Ok(())
}

/// Whether two e-mail addresses are one.
pub fn is_same_email(left: &str, right: &str) -> bool {
    left.to_lowercase() == right.to_lowercase()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_checked() {
        let kept = "  Müller & Söhne ";
        assert_eq!(name("x", kept).unwrap(), kept);
        for wrong in ["", "  ", "a\nb", &"x".repeat(201)] {
            assert!(name("x", wrong).is_err(), "{wrong}");
        }
        for kept in [
            "a.b+c@example.com",
            "a",
            "@b",
            "a@",
            "a@b@c",
            "<a@b>",
            "jürgen",
        ] {
            assert_eq!(email(kept).unwrap(), kept);
        }
        for wrong in [
            "",
            " ",
            "a b@c",
            " a@b",
            "a@b\n",
            "a\u{a0}b",
            "a\0",
            &"b".repeat(321),
        ] {
            assert!(email(wrong).is_err(), "{wrong}");
        }
        assert!(is_same_email("A@Example.com", "a@example.COM"));
    }
}
