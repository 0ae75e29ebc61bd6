// SPDX-License-Identifier: Apache-2.0
//! Tokens for the clients of the Cyral dialect, from the token service of the core.

use durward_dialect_cyral::token::{Client, Granted, Refused, TokenService};
use durward_identity::{AuthError, GrantError, TokenGrant};
use durward_model::ErrorKind;
use durward_model::error::ClientMessage as _;

use crate::server::Server;
use crate::server::authenticate::Source;

/// The token service, for one request.
pub(crate) struct Tokens<'a> {
    pub(crate) server: &'a Server,
    pub(crate) source: &'a Source,
}

impl TokenService for Tokens<'_> {
    fn grant_client(&self, client: Client<'_>) -> Result<Granted, Refused> {
        let presented = self.source.presented(None, &[]);
        let now = self.server.clock.now();
        let organizations = &self.server.organizations;
        let granted =
            organizations.grant_client_credentials(client.id, client.secret, &presented, now);
        granted.map(granted_of).map_err(refused)
    }

    fn grant_refresh(&self, client: Client<'_>, refresh_token: &str) -> Result<Granted, Refused> {
        let presented = self.source.presented(None, &[]);
        let now = self.server.clock.now();
        let organizations = &self.server.organizations;
        let granted =
            organizations.grant_refresh(refresh_token, client.id, client.secret, &presented, now);
        granted.map(granted_of).map_err(refused)
    }
}

fn granted_of(grant: TokenGrant) -> Granted {
    Granted {
        access_token: grant.access_token.expose().clone(),
        refresh_token: grant.refresh_token.expose().clone(),
        expires_in_seconds: grant.access_seconds.max(0).unsigned_abs(),
        refresh_expires_in_seconds: grant.refresh_seconds.max(0).unsigned_abs(),
        session: grant.session,
        scope: grant.scope,
    }
}

fn refused(error: GrantError) -> Refused {
    let count = |reason: &AuthError| {
        metrics::counter!("durward_authentication_failures_total", "reason" => reason.reason())
            .increment(1);
    };
    match error {
        GrantError::InvalidClient(reason) | GrantError::InvalidGrant(reason)
            if reason.kind() == ErrorKind::Unavailable =>
        {
            count(&reason);
            Refused::Other(reason.kind(), reason.client_message())
        }
        GrantError::InvalidClient(reason) => {
            count(&reason);
            Refused::Client
        }
        GrantError::InvalidGrant(reason) => {
            count(&reason);
            Refused::RefreshToken
        }
        GrantError::Failed(error) => {
            tracing::error!(%error, "a token cannot be granted");
            Refused::Other(error.kind(), "the token cannot be granted now".to_owned())
        }
        GrantError::InvalidRequest { .. } => Refused::Other(error.kind(), error.description()),
    }
}
