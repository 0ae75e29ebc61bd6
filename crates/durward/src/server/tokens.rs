// SPDX-License-Identifier: Apache-2.0
//! Tokens for the clients of the Cyral dialect, from the token service of the core.

use durward_dialect_cyral::token::{Client, Granted, Refused, TokenService};
use durward_model::ErrorKind;

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
        self.server
            .organizations
            .authenticate_client(&presented, client.id, client.secret, now)
            .map_err(|_| Refused::Client)?;
        Err(Refused::Other(
            ErrorKind::Unsupported,
            "tokens are not granted yet".to_owned(),
        ))
    }

    fn grant_refresh(&self, client: Client<'_>, _: &str) -> Result<Granted, Refused> {
        self.grant_client(client)
    }
}
