// SPDX-License-Identifier: Apache-2.0
//! Access keys: signatures, permissions, rekeying and deletion.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use durward_model::transaction::Sequence;
use durward_policy::{Right, Rights};
use durward_vault::{MacKey, digest};

use super::roles::{add_account, log_in};
use super::*;
use crate::{CredentialFilter, CredentialUpdate};

/// The signature of a digest as a client makes it on a day.
pub(super) fn signature(secret: &str, date: &str, digest: &[u8; 32]) -> [u8; 32] {
    let secret = STANDARD.decode(secret).unwrap_or_default();
    let of_day = MacKey::new(&secret).sign(date.as_bytes());
    let of_requests = MacKey::new(&of_day).sign(b"sdm_api_v1");
    MacKey::new(&of_requests).sign(digest)
}

pub(super) fn sign_in(
    world: &World,
    organizations: &Organizations,
    access_key: &str,
    secret: &str,
) -> Result<Caller, AuthError> {
    let now = world.now();
    let date = now.to_rfc3339_millis()[..10].to_owned();
    signed_on(world, organizations, access_key, secret, &date)
}

fn signed_on(
    world: &World,
    organizations: &Organizations,
    access_key: &str,
    secret: &str,
    date: &str,
) -> Result<Caller, AuthError> {
    let digest = digest::sha256(b"Roles.List\n\x0a\x00");
    let signature = signature(secret, date, &digest);
    let presented = Presented {
        user_agent: "sdk",
        ..Presented::default()
    };
    organizations.authenticate_signed(&presented, access_key, &digest, &signature, world.now())
}

fn keys_of(made: &IssuedCredential) -> (String, String) {
    (
        made.summary.public_id.clone().unwrap(),
        made.secret.expose().clone(),
    )
}

#[test]
fn signatures_hold_for_the_day() {
    let world = World::new();
    let organizations = world.open();
    let (key, secret) = (
        &world.output.strongdm.access_key,
        &world.output.strongdm.secret_key,
    );
    let on = |date: &str| {
        let result = signed_on(&world, &organizations, key, secret, date);
        result.map_or_else(|error| error.reason(), |_| "in")
    };
    // 2027-01-15 08:00 UTC.
    let days = ["2027-01-14", "2027-01-15", "2027-01-16"];
    assert_eq!(days.map(on), ["wrong_secret", "in", "wrong_secret"]);
    world.pass(16 * 3600 - 301);
    assert_eq!(days.map(on), ["wrong_secret", "in", "wrong_secret"]);
    world.pass(1);
    assert_eq!(days.map(on), ["wrong_secret", "in", "in"]);
    world.pass(300);
    assert_eq!(days.map(on), ["wrong_secret", "in", "in"]);
    world.pass(300);
    assert_eq!(days.map(on), ["wrong_secret", "wrong_secret", "in"]);

    let now = world.now();
    let digest = digest::sha256(b"x");
    let good = signature(secret, "2027-01-16", &digest);
    let attempt = |key: &str, digest: &[u8; 32], signature: &[u8]| {
        let presented = Presented::default();
        let caller = organizations.authenticate_signed(&presented, key, digest, signature, now);
        caller.map_or_else(|error| error.reason(), |_| "in")
    };
    assert_eq!(attempt(key, &digest, &good), "in");
    assert_eq!(attempt(key, &digest::sha256(b"y"), &good), "wrong_secret");
    assert_eq!(attempt(key, &digest, &good[..31]), "wrong_secret");
    assert_eq!(attempt(key, &digest, b""), "wrong_secret");
    assert_eq!(attempt("auth-0", &digest, &good), "unknown");
    assert_eq!(attempt("", &digest, &good), "missing");
    let long = "x".repeat(9000);
    assert_eq!(attempt(&long, &digest, &good), "malformed");
    assert_eq!(
        attempt(&world.output.cyral.client_id, &digest, &good),
        "unknown"
    );
}

#[test]
fn a_token_has_the_permissions_it_was_made_for() {
    let world = World::new();
    let organizations = world.open();
    let (admin, organization) = world.admin(&organizations);
    let make = |caller: &Caller, rights: Rights| {
        let tags = BTreeMap::from([("env".to_owned(), "dev".to_owned())]);
        let end = Some(world.now().plus_seconds(60));
        let new = NewCredential {
            account_type: Some("api".to_owned()),
            rights: Some(rights),
            expires_at: end,
            tags,
            ..NewCredential::own(caller, CredentialKind::StrongdmKey, "bot").unwrap()
        };
        organization.create_own_credential(caller, new)
    };
    let few = Rights::NONE
        .with(Right::READ_ACCOUNTS)
        .with(Right::MANAGE_OWN_CREDENTIALS);
    let made = make(&admin, few).unwrap();
    assert_eq!(made.summary.account_type.as_deref(), Some("api"));
    assert_eq!(made.summary.rights, few);
    assert_eq!(made.summary.tags["env"], "dev");
    let (key, secret) = keys_of(&made);
    let bot = sign_in(&world, &organizations, &key, &secret).unwrap();
    assert!(bot.may(Right::READ_ACCOUNTS) && !bot.may(Right::READ_GRAPH));

    let error = make(&bot, few.with(Right::READ_GRAPH)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "not allowed: a credential cannot have rights that its maker lacks: graph:read"
    );
    assert!(make(&bot, Rights::ALL).is_err());
    assert_eq!(make(&bot, few).unwrap().summary.rights, few);
    let denials = organization
        .store()
        .transactions(Sequence(1), 1000)
        .unwrap();
    let denied = |t: &durward_model::transaction::Transaction| {
        t.origin.activity == "access denied" && t.origin.credential == Some(made.summary.id)
    };
    assert!(denials.iter().any(denied));

    let raise = CredentialUpdate {
        rights: Some(few.with(Right::READ_GRAPH)),
        ..CredentialUpdate::default()
    };
    let id = made.summary.id;
    let error = organization.update_credential(&bot, id, raise.clone());
    assert!(matches!(error, Err(IdentityError::Forbidden { .. })));
    organization.update_credential(&admin, id, raise).unwrap();
    let bot = sign_in(&world, &organizations, &key, &secret).unwrap();
    assert!(bot.may(Right::READ_GRAPH));
    let error = organization.rekey_credential(&bot, first_key(&admin));
    assert!(matches!(error, Err(IdentityError::Forbidden { .. })));
    world.pass(60);
    let ended = sign_in(&world, &organizations, &key, &secret);
    assert_eq!(ended.unwrap_err().reason(), "expired");
}

fn first_key(admin: &Caller) -> durward_model::ObjectId {
    let filter = CredentialFilter {
        kinds: vec![CredentialKind::StrongdmKey],
        search: "first".to_owned(),
        ..CredentialFilter::default()
    };
    admin.organization().credentials(admin, &filter).unwrap()[0].id
}

#[test]
fn names_tags_and_secrets_change() {
    let world = World::new();
    let organizations = world.open();
    let (admin, organization) = world.admin(&organizations);
    let kind = CredentialKind::StrongdmKey;
    let made = create_own(&admin, kind, "k", None).unwrap();
    let (key, secret) = keys_of(&made);
    let id = made.summary.id;
    let update = |name: Option<&str>, tags: &[(&str, &str)]| {
        let tags = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let update = CredentialUpdate {
            name: name.map(str::to_owned),
            tags: Some(tags.collect()),
            rights: None,
        };
        organization.update_credential(&admin, id, update)
    };
    let known = update(Some("new"), &[("a", "1"), ("b", "2")]).unwrap();
    assert_eq!((known.name.as_str(), known.tags.len()), ("new", 2));
    let known = update(None, &[("b", "3")]).unwrap();
    assert_eq!((known.name.as_str(), known.tags.len()), ("new", 1));
    assert_eq!(known.tags["b"], "3");
    assert!(update(Some(""), &[]).is_err());

    assert!(sign_in(&world, &organizations, &key, &secret).is_ok());
    let fresh = organization.rekey_credential(&admin, id).unwrap();
    assert_eq!(fresh.summary.public_id.as_deref(), Some(key.as_str()));
    assert_eq!(fresh.summary.rekeyed_at, Some(world.now()));
    let old = sign_in(&world, &organizations, &key, &secret);
    assert_eq!(old.unwrap_err().reason(), "wrong_secret");
    assert!(sign_in(&world, &organizations, &key, fresh.secret.expose()).is_ok());
    let bearer = create_own(&admin, CredentialKind::OpenctiToken, "t", None).unwrap();
    let error = organization.rekey_credential(&admin, bearer.summary.id);
    assert!(matches!(error, Err(IdentityError::Input { .. })));
}

#[test]
fn a_deleted_credential_is_refused_at_once_and_stays_in_history() {
    let world = World::new();
    let organizations = world.open();
    let (admin, organization) = world.admin(&organizations);
    let viewer = add_account(&admin, "v@example.com", "Viewer");
    let viewer = log_in(&world, &organizations, viewer);
    let kinds = [
        CredentialKind::StrongdmKey,
        CredentialKind::SonraiToken,
        CredentialKind::ApiToken,
        CredentialKind::CyralClient,
    ];
    for kind in kinds {
        let end = Some(world.now().plus_seconds(10_000));
        let made = create_own(&admin, kind, "k", end).unwrap();
        let enter = || {
            let public_id = made.summary.public_id.clone().unwrap_or_default();
            let secret = made.secret.expose();
            let result = match kind {
                CredentialKind::StrongdmKey => sign_in(&world, &organizations, &public_id, secret),
                CredentialKind::CyralClient => {
                    let presented = Presented::default();
                    let now = world.now();
                    organizations.authenticate_client(&presented, &public_id, secret, now)
                }
                _ => world.try_token(&organizations, secret),
            };
            result.map_or_else(|error| error.reason(), |_| "in")
        };
        assert_eq!(enter(), "in", "{kind:?}");
        let id = made.summary.id;
        world.pass(1);
        let before = world.now();
        world.pass(1);
        let hidden = organization.delete_credential(&viewer, id);
        assert!(matches!(hidden, Err(IdentityError::NotFound { .. })));
        organization.delete_credential(&admin, id).unwrap();
        assert_eq!(enter(), "unknown", "{kind:?}");
        assert!(organization.credential(&admin, id).is_err());
        assert!(organization.delete_credential(&admin, id).is_err());
        let past = organization.store().view(Some(before));
        assert!(organization.credential_in(&admin, &past, id).is_ok());
    }
}

#[test]
fn a_key_bounded_by_a_policy_does_not_take_over_a_free_one() {
    let world = World::new();
    let organizations = world.open();
    let (admin, organization) = world.admin(&organizations);
    let policy = r#"{"permissions":[{"effect":"ALLOW","actions":["*"],"resources":["*"]},
        {"effect":"DENY","actions":["dashboard:View"],"resources":["dashboard:7"]}]}"#;
    let new = NewCredential {
        policy: Some(policy.to_owned()),
        ..NewCredential::own(&admin, CredentialKind::JupiteroneApiKey, "bounded").unwrap()
    };
    let bounded = organization.create_credential(&admin, new).unwrap();
    let bounded = world.token(&organizations, bounded.secret.expose());
    let error = organization.rekey_credential(&bounded, first_key(&admin));
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("does not bound that credential")
    );
    let new = NewCredential {
        rights: Some(Rights::ALL),
        ..NewCredential::own(&bounded, CredentialKind::StrongdmKey, "k").unwrap()
    };
    let own = organization.create_own_credential(&bounded, new).unwrap();
    organization
        .rekey_credential(&bounded, own.summary.id)
        .unwrap();
}
