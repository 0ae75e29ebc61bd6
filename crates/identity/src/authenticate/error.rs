// SPDX-License-Identifier: Apache-2.0
//! Why a request is not let in.

use durward_model::ErrorKind;
use durward_model::error::ClientMessage;
use durward_vault::TokenError;

use crate::IdentityError;

/// Why a request is not let in. All answer alike but the one that does not lie in the credential;
/// the variants are for the dialects that must tell
/// some of them apart, for the audit log and for metrics.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// No credential came along.
    #[error("no credential was sent")]
    Missing,
    /// What came along is not of a form that can be one.
    #[error("the credential is malformed: {reason}")]
    Malformed {
        /// What is wrong.
        reason: &'static str,
    },
    /// No such credential.
    #[error("the credential is unknown")]
    Unknown,
    /// A signed token that is not ours or was altered.
    #[error("the credential is unknown: {0}")]
    Token(TokenError),
    /// The secret or signature does not belong to the named credential.
    #[error("the secret is wrong")]
    WrongSecret,
    /// Its time is over.
    #[error("the credential expired")]
    Expired,
    /// Its time has not come.
    #[error("the credential is not valid yet")]
    NotYetValid,
    /// It is of a kind that no interface accepts.
    #[error("credentials of this kind are not accepted here")]
    NotAccepted,
    /// It was revoked.
    #[error("the credential was revoked")]
    Revoked,
    /// Its account is suspended.
    #[error("the account is suspended")]
    AccountSuspended,
    /// Its organization is suspended.
    #[error("the organization is suspended")]
    OrganizationSuspended,
    /// Its organization, or one that may be its own, cannot be opened.
    #[error("the organization is unavailable")]
    OrganizationUnavailable,
    /// A header names another organization than the credential.
    #[error("the request names another organization than the credential")]
    WrongOrganization,
    /// What is stored about the credential cannot be understood.
    #[error("the credential cannot be used")]
    Unusable(#[source] IdentityError),
}

impl AuthError {
    /// The one sentence for clients.
    pub const PUBLIC_MESSAGE: &'static str = "authentication failed";

    /// Short name for metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed { .. } => "malformed",
            Self::Unknown => "unknown",
            Self::Token(_) => "token",
            Self::WrongSecret => "wrong_secret",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::NotAccepted => "not_accepted",
            Self::Revoked => "revoked",
            Self::AccountSuspended => "account_suspended",
            Self::OrganizationSuspended => "organization_suspended",
            Self::OrganizationUnavailable => "organization_unavailable",
            Self::WrongOrganization => "wrong_organization",
            Self::Unusable(_) => "unusable",
        }
    }

    pub(crate) fn of_token(error: TokenError) -> Self {
        match error {
            TokenError::Expired => Self::Expired,
            TokenError::NotYetValid => Self::NotYetValid,
            TokenError::Malformed { reason } => Self::Malformed { reason },
            other => Self::Token(other),
        }
    }
}

impl ClientMessage for AuthError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::OrganizationUnavailable => ErrorKind::Unavailable,
            _ => ErrorKind::Unauthenticated,
        }
    }

    fn client_message(&self) -> String {
        match self {
            Self::OrganizationUnavailable => self.to_string(),
            _ => Self::PUBLIC_MESSAGE.to_owned(),
        }
    }
}
