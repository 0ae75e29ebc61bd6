// SPDX-License-Identifier: Apache-2.0

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use durward_model::transaction::Sequence;
use durward_policy::Right;

use super::*;

#[test]
fn headers_must_name_the_organization_of_the_credential() {
    let world = World::new();
    let organizations = world.open();
    let other = organizations.create("Beta", "b@example.com").unwrap();
    let token = &world.output.jupiterone.api_key;
    let with = |accounts: &[&str]| world.try_with(&organizations, token, accounts);
    assert!(with(&[&world.output.org.id]).is_ok());
    assert!(with(&["Acme", &world.output.org.id]).is_ok());
    for accounts in [
        &["Beta"][..],
        &[&other.org.id],
        &["Acme", "Beta"],
        &["nobody"],
        &[""],
    ] {
        assert_eq!(
            with(accounts).unwrap_err().reason(),
            "wrong_organization",
            "{accounts:?}"
        );
    }
    // A token of another organization is that organization's, whatever the header says.
    let foreign = world.try_with(&organizations, &other.opencti.token, &["Acme"]);
    assert_eq!(foreign.unwrap_err().reason(), "wrong_organization");
}

#[test]
fn tampered_tokens_are_refused() {
    let world = World::new();
    let organizations = world.open();
    for token in [&world.output.api_token, &world.output.sonrai.token] {
        let parts: Vec<&str> = token.split('.').collect();
        let decoded = |part: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(part).unwrap();
            serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()
        };
        let encoded = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let mut header = decoded(parts[0]);
        let mut claims = decoded(parts[1]);

        claims["exp"] = (START.as_millis() / 1000 + 999 * DAY_SECONDS).into();
        let longer = format!("{}.{}.{}", parts[0], encoded(&claims), parts[2]);
        assert_eq!(world.refusal(&organizations, &longer), "token");
        header["alg"] = "none".into();
        let unsigned = format!("{}.{}.", encoded(&header), parts[1]);
        assert_eq!(world.refusal(&organizations, &unsigned), "token");
        header["alg"] = "RS256".into();
        header["kid"] = "0000000000000000".into();
        let other_key = format!("{}.{}.{}", encoded(&header), parts[1], parts[2]);
        assert_eq!(world.refusal(&organizations, &other_key), "token");
        assert!(world.try_token(&organizations, token).is_ok());
    }
    let api_key = &world.output.jupiterone.api_key;
    let mut wrong = api_key.clone();
    wrong.pop();
    for token in [
        &wrong,
        &format!("{api_key}x"),
        "00000000-0000-4000-8000-000000000000",
        "x",
    ] {
        assert_eq!(world.refusal(&organizations, token), "unknown", "{token}");
    }
    for token in ["eyJ.a.b", "eyJhbGciOiJub25lIn0.e30."] {
        assert_eq!(world.refusal(&organizations, token), "unknown", "{token}");
    }
}

#[test]
fn a_token_of_another_server_with_the_same_names_is_refused() {
    let (world, stranger) = (World::new(), World::new());
    let organizations = world.open();
    for token in [
        &stranger.output.api_token,
        &stranger.output.sonrai.token,
        &stranger.output.jupiterone.api_key,
        &stranger.output.opencti.token,
    ] {
        assert_eq!(world.refusal(&organizations, token), "unknown");
    }
}

#[test]
fn tokens_end_after_thirty_days() {
    let world = World::new();
    let organizations = world.open();
    world.pass(30 * DAY_SECONDS - 1);
    let output = &world.output;
    let tokens = [
        &output.api_token,
        &output.jupiterone.api_key,
        &output.opencti.token,
        &output.sonrai.token,
    ];
    for token in tokens {
        assert!(world.try_token(&organizations, token).is_ok());
    }
    world.pass(1);
    for token in tokens {
        assert_eq!(world.refusal(&organizations, token), "expired");
    }
    drop(organizations);
    let organizations = world.open();
    for token in tokens {
        assert_eq!(world.refusal(&organizations, token), "expired");
    }
}

#[test]
fn every_refusal_says_the_same_to_the_client() {
    use durward_model::error::ClientMessage as _;
    let world = World::new();
    let organizations = world.open();
    let refusals = [
        world.try_token(&organizations, "x").unwrap_err(),
        world.try_token(&organizations, "eyJ.a.b").unwrap_err(),
        world
            .try_with(&organizations, &world.output.api_token, &["Beta"])
            .unwrap_err(),
        organizations
            .authenticate(&Presented::default(), world.now())
            .unwrap_err(),
    ];
    for refusal in refusals {
        assert_eq!(refusal.client_message(), "authentication failed");
        assert_eq!(refusal.kind(), durward_model::ErrorKind::Unauthenticated);
    }
}

#[test]
fn use_and_failures_leave_their_traces_at_a_bounded_rate() {
    let world = World::new();
    let organizations = world.open();
    let (caller, organization) = world.admin(&organizations);
    let recorded = |activity: &str| {
        let transactions = organization
            .store()
            .transactions(Sequence(1), 10_000)
            .unwrap();
        transactions
            .into_iter()
            .filter(|t| t.origin.activity == activity)
            .collect::<Vec<_>>()
    };
    for _ in 0..50 {
        assert!(
            world
                .try_token(&organizations, &world.output.opencti.token)
                .is_ok()
        );
        assert!(
            world
                .try_with(&organizations, &world.output.opencti.token, &["x"])
                .is_err()
        );
    }
    // What is recorded without waiting is there when something later is.
    organization
        .revoke_credential(&caller, caller.credential().unwrap())
        .unwrap();
    let used = recorded("credential used");
    assert_eq!(
        used.len(),
        2,
        "once for the administrator's token, once for the other"
    );
    let failures = recorded("authentication failed");
    assert!(
        !failures.is_empty() && failures.len() <= 60,
        "{}",
        failures.len()
    );
    let origin = &failures[0].origin;
    assert_eq!(origin.source_address, "192.0.2.1");
    assert!(
        origin.detail.contains("another organization"),
        "{}",
        origin.detail
    );
    assert!(
        origin.detail.contains("first opencti token"),
        "{}",
        origin.detail
    );
    assert!(!origin.detail.contains(&world.output.opencti.token));
    let known = organization
        .credential(&caller, used[1].origin.credential.unwrap())
        .unwrap();
    assert!(known.last_used_at.is_some());
}

#[test]
fn cursor_keys_differ_between_credentials_and_last() {
    let world = World::new();
    let organizations = world.open();
    let key =
        |organizations: &Organizations, token: &str| world.token(organizations, token).cursor_key();
    let one = key(&organizations, &world.output.api_token);
    assert_ne!(one, key(&organizations, &world.output.opencti.token));
    drop(organizations);
    assert_eq!(one, key(&world.open(), &world.output.api_token));
}

#[test]
fn the_operator_has_every_right_and_no_account() {
    let world = World::new();
    let organizations = world.open();
    let organization = organizations.find_or_only(None).unwrap();
    let operator = Caller::operator(&organization);
    assert!(Right::all().all(|right| operator.may(right)));
    assert_eq!(operator.origin("imported").actor, None);
    let error = create_own(&operator, CredentialKind::OpenctiToken, "x", None).unwrap_err();
    assert!(error.to_string().contains("has no account"), "{error}");
}
