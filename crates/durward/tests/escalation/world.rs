// SPDX-License-Identifier: Apache-2.0
//! A server with an organization worth attacking, and those who attack it.

use durward_testkit::{Client, Credentials, Server};
use serde_json::{Value, json};

use crate::common::{self, NATIVE, data, ok};
use crate::strongdm::Sdk;

/// Code of gRPC for a request that is wrong.
pub const INVALID: u8 = 3;
/// Code of gRPC for what is not there, or not to be seen.
pub const NOT_FOUND: u8 = 5;
/// Code of gRPC for what is there already.
pub const EXISTS: u8 = 6;
/// Code of gRPC for what the caller may not do.
pub const DENIED: u8 = 7;
/// Code of gRPC for a caller who is not let in.
pub const UNAUTHENTICATED: u8 = 16;

const CREDENTIAL: &str = "mutation M($input: CreateCredentialInput!) {
  createCredential(input: $input) { secret credential { id publicId } }
}";
const AUDIT: &str = "{ auditTrail(first: 200) { nodes {
  sequence actorId credential activity detail sourceAddress userAgent changeCount changes } } }";

/// The lists of core objects.
const LISTS: [&str; 10] = [
    "Accounts",
    "Groups",
    "Roles",
    "Resources",
    "Nodes",
    "Policies",
    "AccountAttachments",
    "AccountsGroups",
    "GroupsRoles",
    "AccountGrants",
];

/// The server.
pub struct World {
    pub server: Server,
    /// The administrator, by the native token.
    pub chief: Client,
    /// The administrator's access key.
    pub sdk: Sdk,
    /// The administrator of another organization on the same server.
    pub other: Credentials,
}

/// A credential just made.
#[derive(Clone, Debug)]
pub struct Made {
    pub id: String,
    pub public_id: String,
    pub secret: String,
}

impl World {
    pub fn start() -> Self {
        let mut server = common::start();
        let other = common::second_organization(&mut server, "Elsewhere");
        let chief = server.client();
        let sdk = Sdk::chief(&server);
        Self {
            server,
            chief,
            sdk,
            other,
        }
    }

    /// A person of a permission level; the answer is the id as StrongDM shows it.
    pub fn person(&mut self, name: &str, level: &str) -> String {
        let user = json!({"email": format!("{name}@testbed.example"), "first_name": name,
            "last_name": "Tester", "permission_levelRW": level});
        self.sdk
            .made("Accounts", "account", &json!({ "user": user }))
    }

    /// A credential of an account, made by the administrator.
    pub fn credential(&self, account: &str, kind: &str, rights: Option<&[&str]>) -> Made {
        Self::credential_by(&self.chief, account, kind, rights)
            .unwrap_or_else(|answer| panic!("{answer}"))
    }

    /// A credential of an account, made by somebody; or the refusal.
    pub fn credential_by(
        maker: &Client,
        account: &str,
        kind: &str,
        rights: Option<&[&str]>,
    ) -> Result<Made, Value> {
        let mut input = json!({"account": account.trim_start_matches("a-"), "kind": kind,
            "name": format!("{kind} of {account}"), "rights": rights});
        if kind == "sonrai_token" {
            input["expiresAt"] = json!(common::in_seconds(9_000));
        }
        let answer = maker.graphql(NATIVE, CREDENTIAL, &json!({"input": input}));
        let answer = answer.unwrap();
        if !answer["errors"].is_null() {
            return Err(answer);
        }
        let made = &answer["data"]["createCredential"];
        let part = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(Made {
            id: part(&made["credential"]["id"]),
            public_id: part(&made["credential"]["publicId"]),
            secret: part(&made["secret"]),
        })
    }

    /// A client of an account with an access key of its own.
    pub fn sdk_of(&self, account: &str, rights: Option<&[&str]>) -> Sdk {
        let made = self.credential(account, "strongdm_key", rights);
        self.sdk
            .with_key(&self.server, &made.public_id, &made.secret)
    }

    /// A client with an access key of the administrator that is for a few permissions only.
    pub fn narrow(&mut self, permissions: &[&str]) -> Sdk {
        let name = format!("narrow {}", permissions.join(" "));
        let name: String = name.chars().take(100).collect();
        let token = json!({"token": {"name": name, "permissions": permissions}});
        let made = self.sdk.ok("Accounts.Create", &json!({"account": token}));
        let part = |name: &str| made[name].as_str().unwrap();
        self.sdk
            .with_key(&self.server, part("access_key"), part("secret_key"))
    }

    /// A client with a bearer token of an account.
    pub fn bearer(&self, account: &str, kind: &str) -> Client {
        let made = self.credential(account, kind, None);
        self.server.anonymous().with_token(&made.secret)
    }

    /// A client of Cyral's dialect.
    pub fn cyral(&self, made: &Made) -> Client {
        let token = ok(self.token(&made.public_id, &made.secret));
        let token = token["access_token"].as_str().unwrap();
        self.server.anonymous().with_token(token)
    }

    /// The answer to a client that asks for an access token.
    pub fn token(&self, id: &str, secret: &str) -> durward_testkit::Answer {
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        let path = "/v1/users/oidc/token";
        let anonymous = self.server.anonymous();
        anonymous.send("POST", path, Some(form.as_bytes())).unwrap()
    }

    /// The id of the administrator as StrongDM shows it.
    pub fn administrator(&self) -> String {
        let id = self.server.credentials().json()["admin"]["id"].as_str();
        format!("a-{}", id.unwrap().replace('-', "").as_str())
    }

    /// The id of a built-in role as StrongDM shows it.
    pub fn role(&mut self, name: &str) -> String {
        let rows = self.sdk.list("Roles", &format!("name:{name}"));
        rows[0]["id"].as_str().unwrap().to_owned()
    }

    /// All that somebody could have changed.
    pub fn state(&mut self) -> Value {
        let mut state = json!({});
        for service in LISTS {
            state[service] = self.sdk.list(service, "").into();
        }
        let text = "{ credentials(first: 100) { nodes { id kind name publicId policy revokedAt
            expiresAt } } organization { entityCount relationshipCount }
            accounts(first: 100) { nodes { id email active roles } } types { name count } }";
        state["native"] = data(&self.chief, NATIVE, text, &json!({}));
        state
    }

    /// The newest transactions, the newest first.
    pub fn audit(&self) -> Vec<Value> {
        let answer = data(&self.chief, NATIVE, AUDIT, &json!({}));
        answer["auditTrail"]["nodes"].as_array().unwrap().clone()
    }

    /// Does what must change nothing, and leave as many refusals in the audit as it says.
    pub fn without_trace<T>(&mut self, attempt: impl FnOnce(&mut Self) -> T) -> T {
        let (before, since) = (self.state(), self.newest());
        let outcome = attempt(self);
        assert_eq!(self.state(), before, "something was changed");
        for record in self.audit() {
            let sequence = record["sequence"].as_i64().unwrap();
            let activity = record["activity"].as_str().unwrap();
            let is_quiet = matches!(
                activity,
                "access denied" | "credential used" | "authentication failed"
            );
            assert!(sequence <= since || is_quiet, "{record}");
        }
        outcome
    }

    /// The refusals since a sequence.
    pub fn denials_since(&self, since: i64) -> Vec<Value> {
        let is_denial = |record: &Value| {
            record["activity"] == "access denied" && record["sequence"].as_i64() > Some(since)
        };
        self.audit().into_iter().filter(is_denial).collect()
    }

    /// The sequence of the newest transaction.
    pub fn newest(&self) -> i64 {
        let head = data(&self.chief, NATIVE, "{ head { sequence } }", &json!({}));
        head["head"]["sequence"].as_i64().unwrap()
    }
}
