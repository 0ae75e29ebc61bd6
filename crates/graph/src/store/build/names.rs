// SPDX-License-Identifier: Apache-2.0
//! Names and keys: their limits and their normal form.

use std::borrow::Cow;

use durward_model::Namespace;
use durward_model::limits::{CLASSES_MAX, KEY_BYTES_MAX, NAME_BYTES_MAX};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::{Build, StoreError};

/// A key in Unicode normal form C, in which two spellings of one text are the same bytes.
pub(in crate::store) fn normalized(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

impl Build<'_> {
    /// The normal form of a key, if it may be one.
    pub(super) fn checked_key(&self, key: &str) -> Result<String, StoreError> {
        if key.is_empty() {
            return self.invalid("a natural key must not be empty");
        }
        let key = normalized(key);
        if key.len() > KEY_BYTES_MAX {
            return self.invalid(format!(
                "the natural key has {} bytes; at most {KEY_BYTES_MAX} are allowed",
                key.len()
            ));
        }
        Ok(key.into_owned())
    }

    pub(super) fn check_name(&self, what: &str, name: &str) -> Result<(), StoreError> {
        if name.is_empty() {
            return self.invalid(format!("the {what} must not be empty"));
        }
        if name.len() > NAME_BYTES_MAX {
            return self.invalid(format!(
                "the {what} has {} bytes; at most {NAME_BYTES_MAX} are allowed",
                name.len()
            ));
        }
        if name.chars().any(char::is_control) {
            return self.invalid(format!("the {what} holds control characters"));
        }
        Ok(())
    }

    pub(super) fn check_namespace(&self, namespace: &Namespace) -> Result<(), StoreError> {
        self.check_name("source", &namespace.source)?;
        if namespace.scope.is_empty() {
            return Ok(());
        }
        self.check_name("scope", &namespace.scope)
    }

    /// Classes without repeats, in the order given.
    pub(super) fn checked_classes(&self, classes: &[String]) -> Result<Vec<String>, StoreError> {
        let mut checked: Vec<String> = Vec::with_capacity(classes.len());
        for class in classes {
            self.check_name("class", class)?;
            if !checked.contains(class) {
                checked.push(class.clone());
            }
        }
        if checked.len() > CLASSES_MAX {
            return self.invalid(format!(
                "{} classes are given; at most {CLASSES_MAX} are allowed",
                checked.len()
            ));
        }
        Ok(checked)
    }
}
