// SPDX-License-Identifier: Apache-2.0
//! A file of the catalog, and where in it something does not fit.

use serde::de::DeserializeOwned;

use crate::CatalogError;

/// A file of `contracts/catalog`, as it was built in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text {
    /// Its name.
    pub(crate) file: &'static str,
    /// What it says.
    pub(crate) text: &'static str,
}

impl Text {
    /// What the file says, if it is TOML of the expected shape.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T, CatalogError> {
        toml::from_str(self.text).map_err(|source| CatalogError::Syntax {
            file: self.file,
            source: Box::new(source),
        })
    }

    /// A mistake at a byte of the text.
    pub(crate) fn wrong(self, at: usize, reason: String) -> CatalogError {
        let before = self.text.bytes().take(at);
        CatalogError::Wrong {
            file: self.file,
            line: 1 + before.filter(|byte| *byte == b'\n').count(),
            reason,
        }
    }
}
