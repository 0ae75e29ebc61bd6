// SPDX-License-Identifier: Apache-2.0
//! Checks of names and e-mail addresses.

use crate::IdentityError;

const NAME_CHARACTERS_MAX: usize = 200;
const TAG_CHARACTERS_MAX: usize = 1024;
const EMAIL_BYTES_MAX: usize = 254;

/// A name that people read, without blanks around it.
pub fn name(what: &'static str, text: &str) -> Result<String, IdentityError> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(IdentityError::input(what, "must not be empty"));
    }
    if trimmed.chars().count() > NAME_CHARACTERS_MAX {
        let reason = format!("may have at most {NAME_CHARACTERS_MAX} characters");
        return Err(IdentityError::input(what, reason));
    }
    if trimmed.chars().any(char::is_control) {
        return Err(IdentityError::input(
            what,
            "must not hold control characters",
        ));
    }
    Ok(trimmed.to_owned())
}

/// An e-mail address. Whether it receives mail is not for us to say; it must look like one.
pub fn email(text: &str) -> Result<String, IdentityError> {
    let wrong = |reason: &str| IdentityError::input("the e-mail address", reason);
    let trimmed = text.trim();
    if trimmed.len() > EMAIL_BYTES_MAX {
        return Err(wrong("is too long"));
    }
    let Some((local, domain)) = trimmed.rsplit_once('@') else {
        return Err(wrong("has no @"));
    };
    let unfit = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | '"');
    if local.is_empty() || domain.is_empty() || trimmed.chars().any(unfit) || local.contains('@') {
        return Err(wrong("must look like name@example.com"));
    }
    Ok(trimmed.to_owned())
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
        assert_eq!(name("x", "  Müller & Söhne ").unwrap(), "Müller & Söhne");
        for wrong in ["", "  ", "a\nb", &"x".repeat(201)] {
            assert!(name("x", wrong).is_err(), "{wrong}");
        }
        assert_eq!(email(" a.b+c@example.com ").unwrap(), "a.b+c@example.com");
        for wrong in [
            "",
            "a",
            "@b",
            "a@",
            "a b@c",
            "a@b@c",
            "<a@b>",
            &format!("a@{}", "b".repeat(300)),
        ] {
            assert!(email(wrong).is_err(), "{wrong}");
        }
        assert!(is_same_email("A@Example.com", "a@example.COM"));
    }
}
