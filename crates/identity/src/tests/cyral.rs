// SPDX-License-Identifier: Apache-2.0
//! Clients with permissions, and the tokens that they are granted.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use durward_model::transaction::Sequence;
use durward_policy::{Right, Rights};

use super::roles::{add_account, log_in, suspend};
use super::*;
use crate::{CredentialUpdate, GrantError, TokenGrant, cyral_permissions};

const KIND: CredentialKind = CredentialKind::CyralClient;

fn modify_users() -> Right {
    Right::of_cyral("Modify Users").unwrap()
}

fn rights_named(permissions: &[&str]) -> Rights {
    let named = permissions
        .iter()
        .map(|name| Right::of_cyral(name).unwrap());
    named.collect()
}

fn create_client(
    caller: &Caller,
    name: &str,
    permissions: &[&str],
) -> Result<IssuedCredential, IdentityError> {
    let new = NewCredential {
        rights: Some(rights_named(permissions)),
        ..NewCredential::own(caller, KIND, name)?
    };
    caller.organization().create_own_credential(caller, new)
}

struct Client {
    id: String,
    secret: String,
}

impl Client {
    fn of(made: &IssuedCredential) -> Self {
        Self {
            id: made.summary.public_id.clone().unwrap(),
            secret: made.secret.expose().clone(),
        }
    }

    fn first(world: &World) -> Self {
        Self {
            id: world.output.cyral.client_id.clone(),
            secret: world.output.cyral.client_secret.clone(),
        }
    }

    fn grant(&self, world: &World, all: &Organizations) -> Result<TokenGrant, GrantError> {
        let presented = Presented {
            user_agent: "curl",
            source_address: "192.0.2.9",
            ..Presented::default()
        };
        all.grant_client_credentials(&self.id, &self.secret, &presented, world.now())
    }

    fn refresh(
        &self,
        world: &World,
        all: &Organizations,
        token: &str,
    ) -> Result<TokenGrant, GrantError> {
        all.grant_refresh(
            token,
            &self.id,
            &self.secret,
            &Presented::default(),
            world.now(),
        )
    }
}

fn access(grant: &TokenGrant) -> &str {
    grant.access_token.expose()
}

fn claims(token: &str) -> serde_json::Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn a_client_has_the_permissions_that_its_maker_gave_it() {
    let world = World::new();
    let organizations = world.open();
    let (admin, organization) = world.admin(&organizations);
    let create =
        |caller: &Caller, permissions: &[&str]| create_client(caller, "client", permissions);
    let made = create(&admin, &["View Users", "Modify Users", "Modify Policies"]).unwrap();
    let permissions = cyral_permissions(made.summary.rights);
    assert_eq!(permissions.len(), 3);
    let client = Client::of(&made);
    let grant = client.grant(&world, &organizations).unwrap();
    assert_eq!(grant.permissions, permissions);
    assert!(!format!("{grant:?}").contains(access(&grant)));
    let caller = world.token(&organizations, access(&grant));
    assert_eq!(caller.credential_kind(), Some(CredentialKind::CyralAccess));
    assert_eq!(caller.account(), admin.account());
    assert_eq!(caller.credential(), Some(made.summary.id));
    assert!(caller.may(modify_users()) && !caller.may(Right::READ_GRAPH));

    // It makes another, with no more than it has itself.
    let error = create(&caller, &["View Users", "Modify Roles"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "not allowed: a credential cannot have rights that its maker lacks: cyral:Modify Roles"
    );
    let second = create(&caller, &["View Users"]).unwrap();
    let id = second.summary.public_id.clone().unwrap();
    let second_id = second.summary.id;
    let update = |name: Option<&str>, permissions: Option<&[&str]>| {
        let update = CredentialUpdate {
            name: name.map(str::to_owned),
            tags: None,
            rights: permissions.map(rights_named),
        };
        organization.update_credential(&caller, second_id, update)
    };
    assert!(update(None, Some(&["View Users", "Repo Crawler"])).is_err());
    let weak = Client::of(&second).grant(&world, &organizations).unwrap();
    let weak = world.token(&organizations, access(&weak));
    assert!(
        create(&weak, &["View Users"]).is_err(),
        "it lacks the permission to"
    );
    let named = |caller: &Caller, id: &str| organization.credential_named(caller, KIND, id);
    let seen = named(&weak, &client.id).unwrap();
    assert!(organization.rekey_credential(&weak, seen.id).is_err());
    let changed = update(Some("new"), Some(&["Modify Users"])).unwrap();
    assert_eq!(cyral_permissions(changed.rights), ["Modify Users"]);
    assert!(
        weak.may(Right::of_cyral("View Users").unwrap()),
        "as it was"
    );
    let again = update(Some("newer"), None).unwrap();
    assert_eq!(again.name, "newer");
    assert_eq!(cyral_permissions(again.rights), ["Modify Users"]);
    assert_eq!(named(&caller, &id).unwrap(), again);

    let viewer = add_account(&admin, "v@example.com", "Viewer");
    let viewer = log_in(&world, &organizations, viewer);
    for id in [client.id.as_str(), "sa/default/0"] {
        assert!(named(&viewer, id).is_none());
    }
}

#[test]
fn access_tokens_last_minutes_and_refresh_tokens_hours() {
    let world = World::new();
    let organizations = world.open();
    let client = Client::first(&world);
    let first = client.grant(&world, &organizations).unwrap();
    assert_eq!((first.access_seconds, first.refresh_seconds), (300, 36_000));
    let said = claims(access(&first));
    let start = START.as_millis() / 1000;
    assert_eq!(said["exp"], start + 300);
    assert_eq!(said["iat"], start);
    assert_eq!(said["azp"], client.id.as_str());
    assert_eq!(said["sub"], world.output.admin.id.as_str());
    assert_eq!(said["sid"], first.session.as_str());
    assert_eq!(said["permissions"].as_array().unwrap().len(), 18);
    for claim in ["iss", "aud", "jti"] {
        assert!(said[claim].is_string(), "{claim}");
    }
    let refresh = first.refresh_token.expose();
    assert_eq!(claims(refresh)["exp"], start + 36_000);
    world.pass(299);
    assert!(world.try_token(&organizations, access(&first)).is_ok());
    world.pass(1);
    assert_eq!(world.refusal(&organizations, access(&first)), "expired");
    // The same refresh token serves again and again.
    for _ in 0..2 {
        let next = client.refresh(&world, &organizations, refresh).unwrap();
        assert_eq!(next.session, first.session);
        assert!(world.try_token(&organizations, access(&next)).is_ok());
    }
    world.pass(36_000 - 301);
    assert!(client.refresh(&world, &organizations, refresh).is_ok());
    world.pass(1);
    let error = client.refresh(&world, &organizations, refresh).unwrap_err();
    assert_eq!(error.oauth_code(), Some("invalid_grant"));
    // After a restart nothing is remembered, and the keys are the same.
    let grant = client.grant(&world, &organizations).unwrap();
    drop(organizations);
    let organizations = world.open();
    assert!(world.try_token(&organizations, access(&grant)).is_ok());
    let refresh = grant.refresh_token.expose();
    assert!(client.refresh(&world, &organizations, refresh).is_ok());
}

#[test]
fn errors_name_their_cause() {
    let world = World::new();
    let organizations = world.open();
    let (admin, organization) = world.admin(&organizations);
    let client = Client::first(&world);
    let code = |result: Result<TokenGrant, GrantError>| result.unwrap_err().oauth_code().unwrap();
    let with = |id: &str, secret: &str| {
        let (id, secret) = (id.to_owned(), secret.to_owned());
        code(Client { id, secret }.grant(&world, &organizations))
    };
    assert_eq!(with("", "x"), "invalid_request");
    assert_eq!(with(&client.id, ""), "invalid_request");
    assert_eq!(with(&client.id, "x"), "invalid_client");
    assert_eq!(with("sa/default/0", &client.secret), "invalid_client");
    let key = &world.output.strongdm;
    assert_eq!(with(&key.access_key, &key.secret_key), "invalid_client");
    let refresh = |token: &str| code(client.refresh(&world, &organizations, token));
    let grant = client.grant(&world, &organizations).unwrap();
    assert_eq!(refresh(""), "invalid_request");
    for token in ["x", access(&grant), &world.output.api_token] {
        assert_eq!(refresh(token), "invalid_grant");
    }
    let made = create_client(&admin, "other", &["View Users"]);
    let other = Client::of(&made.unwrap())
        .grant(&world, &organizations)
        .unwrap();
    assert_eq!(refresh(other.refresh_token.expose()), "invalid_grant");
    // A refresh token is no credential of the interfaces, and a changed token none at all.
    let token = grant.refresh_token.expose();
    assert_eq!(world.refusal(&organizations, token), "malformed");
    let tampered = format!("{}A", access(&grant));
    assert_ne!(world.refusal(&organizations, &tampered), "in");
    let activities = organization
        .store()
        .transactions(Sequence(1), 1000)
        .unwrap();
    let granted = activities
        .iter()
        .find(|t| t.origin.activity == "token granted");
    let origin = &granted.unwrap().origin;
    assert_eq!(origin.actor, admin.account());
    assert!(origin.credential.is_some());
    assert_eq!(
        (origin.source_address.as_str(), origin.user_agent.as_str()),
        ("192.0.2.9", "curl")
    );
    assert!(origin.detail.contains(&client.id), "{}", origin.detail);
    let failed = |t: &&durward_model::transaction::Transaction| {
        t.origin.activity == "authentication failed" && t.origin.detail.contains("sa/default/0")
    };
    assert!(activities.iter().any(|t| failed(&t)));
}

#[test]
fn tokens_end_with_what_they_were_granted_for() {
    let world = World::new();
    let organizations = world.open();
    let (admin, organization) = world.admin(&organizations);
    let made = create_client(&admin, "client", &["View Users"]).unwrap();
    let (id, client) = (made.summary.id, Client::of(&made));
    let both = |client: &Client, grant: &TokenGrant| {
        let entered = world.try_token(&organizations, access(grant));
        let refresh = client.refresh(&world, &organizations, grant.refresh_token.expose());
        (
            entered.map_or_else(|error| error.reason(), |_| "in"),
            refresh.map_or_else(|error| error.oauth_code().unwrap(), |_| "in"),
        )
    };
    let grant = client.grant(&world, &organizations).unwrap();
    assert_eq!(both(&client, &grant), ("in", "in"));
    let fresh = organization.rekey_credential(&admin, id).unwrap();
    assert_eq!(both(&client, &grant), ("revoked", "invalid_client"));
    let client = Client::of(&fresh);
    assert_eq!(both(&client, &grant), ("revoked", "invalid_grant"));
    let grant = client.grant(&world, &organizations).unwrap();
    assert_eq!(both(&client, &grant), ("in", "in"));

    // Rights are those of this moment, not those that the token tells.
    let more = CredentialUpdate {
        rights: Some(rights_named(&["Modify Roles"])),
        ..CredentialUpdate::default()
    };
    organization.update_credential(&admin, id, more).unwrap();
    let caller = world.token(&organizations, access(&grant));
    assert!(caller.may(Right::of_cyral("Modify Roles").unwrap()));
    assert!(!caller.may(Right::of_cyral("View Users").unwrap()));

    let owner = admin.account().unwrap();
    for suspended in [true, false] {
        suspend(&organization, owner, suspended);
        let expected = if suspended {
            ("account_suspended", "invalid_client")
        } else {
            ("in", "in")
        };
        assert_eq!(both(&client, &grant), expected);
    }
    organizations.rotate_token_key("Acme", true).unwrap();
    assert_eq!(both(&client, &grant), ("token", "invalid_grant"));
    let grant = client.grant(&world, &organizations).unwrap();
    organization.delete_credential(&admin, id).unwrap();
    assert_eq!(both(&client, &grant), ("unknown", "invalid_client"));
    let gone = organization.credential_named(&admin, KIND, &client.id);
    assert!(gone.is_none());
}

#[test]
fn a_token_of_one_organization_is_nothing_in_another() {
    let world = World::new();
    let organizations = world.open();
    let beta = organizations.create("Beta", "b@example.com").unwrap();
    let other = Client {
        id: beta.cyral.client_id.clone(),
        secret: beta.cyral.client_secret.clone(),
    };
    let client = Client::first(&world);
    let grant = client.grant(&world, &organizations).unwrap();
    let foreign = other.refresh(&world, &organizations, grant.refresh_token.expose());
    assert_eq!(foreign.unwrap_err().oauth_code(), Some("invalid_grant"));
    let caller = world.token(&organizations, access(&grant));
    assert_eq!(caller.organization().id().as_str(), world.output.org.id);
    let stranger = World::new();
    let strange = stranger.open();
    assert_eq!(stranger.refusal(&strange, access(&grant)), "unknown");
}
