// SPDX-License-Identifier: Apache-2.0
//! What can be wrong with a file.

use durward_model::ErrorKind;

/// Why a file of the AWS command line cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AwsImportError {
    /// Not JSON.
    #[error("{file} is not JSON")]
    Syntax {
        /// Name of the file.
        file: String,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// JSON of another kind.
    #[error(
        "{file} is none of get-account-authorization-details, list-roots, \
         list-organizational-units-for-parent and list-accounts-for-parent"
    )]
    UnknownKind {
        /// Name of the file.
        file: String,
    },
    /// A member is missing or of the wrong kind.
    #[error("{file}: {place} has no usable {member}")]
    Member {
        /// Name of the file.
        file: String,
        /// The object that lacks it.
        place: String,
        /// The member.
        member: &'static str,
    },
    /// The account of authorization details cannot be told.
    #[error("{file} names no ARN from which its account could be told")]
    NoAccount {
        /// Name of the file.
        file: String,
    },
    /// Children of an unknown parent.
    #[error(
        "{file} does not tell whose children it lists: put the parent's id (r-... or ou-...) into \
         the file name"
    )]
    NoParent {
        /// Name of the file.
        file: String,
    },
    /// Units that contain each other.
    #[error("organizational unit {unit} is its own ancestor")]
    Cycle {
        /// Id of the unit.
        unit: String,
    },
}

impl AwsImportError {
    /// Always invalid: the files are at fault.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}
