// SPDX-License-Identifier: Apache-2.0

use std::sync::Arc;

use durward_model::ObjectId;

use super::*;
use crate::cedar::StatementError;
use crate::{AccessPolicy, Rights};

const AT: Instant = Instant::from_millis(10_000);

fn question(action: &str, object: &str) -> Question {
    Question {
        principal: "ada@example.org".to_owned(),
        action: action.to_owned(),
        object: object.to_owned(),
    }
}

fn path(from: Option<i64>, until: Option<i64>) -> GrantPath {
    let step = |kind: &str, name: &str| PathStep {
        kind: kind.to_owned(),
        id: String::new(),
        name: name.to_owned(),
    };
    GrantPath {
        steps: vec![step("group", "Data"), step("role", "Analysts")],
        valid_from: from.map(Instant::from_millis),
        valid_until: until.map(Instant::from_millis),
    }
}

fn statement() -> StatementRef {
    StatementRef {
        policy: ObjectId(10),
        name: Arc::from("nights"),
        statement: 2,
        annotations: Arc::new(BTreeMap::from([(
            "error".to_owned(),
            "only by day".to_owned(),
        )])),
    }
}

fn access(account: AccountState, paths: &[GrantPath], verdict: &CedarVerdict) -> Explanation {
    Explanation::of_access(&question("connect", "orders"), account, paths, verdict, AT)
}

#[test]
fn a_grant_gives_and_a_policy_takes() {
    let none = CedarVerdict::default();
    let account = AccountState::default();
    let open = access(account, &[path(None, Some(10_001))], &none);
    assert!(open.allowed);
    assert_eq!(
        open.why,
        [
            "ada@example.org can connect to orders at 1970-01-01T00:00:10Z.",
            "It is reached by group \"Data\", role \"Analysts\", until 1970-01-01T00:00:10.001Z.",
            "No policy speaks of it.",
        ]
    );
    let forbidden = CedarVerdict {
        forbidden_by: vec![statement()],
        ..CedarVerdict::default()
    };
    let told = access(account, &[path(None, None)], &forbidden);
    assert!(!told.allowed);
    assert_eq!(
        told.why.last().unwrap(),
        "Statement 2 of the policy \"nights\" forbids it: only by day."
    );
    let permitted = CedarVerdict {
        permitted_by: vec![statement()],
        ..CedarVerdict::default()
    };
    let told = access(account, &[], &permitted);
    assert!(!told.allowed, "a permit gives no access");
    assert!(
        told.why
            .contains(&"No role and no grant leads to it.".to_owned())
    );
}

#[test]
fn times_suspension_and_errors_are_told() {
    let none = CedarVerdict::default();
    for (from, until, validity) in [
        (None, None, PathValidity::Open),
        (Some(10_000), Some(10_001), PathValidity::Open),
        (Some(10_001), None, PathValidity::NotYet),
        (None, Some(10_000), PathValidity::Ended),
    ] {
        let told = access(AccountState::default(), &[path(from, until)], &none);
        assert_eq!(told.paths.first().unwrap().validity, validity);
        assert_eq!(told.allowed, validity == PathValidity::Open);
    }
    let gone = AccountState {
        suspended: true,
        credential_ends: Some(AT),
    };
    let told = access(gone, &[path(None, None)], &none);
    assert!(!told.allowed);
    assert_eq!(
        told.why.get(1..3).unwrap(),
        [
            "The account is suspended.",
            "The credential expired at 1970-01-01T00:00:10Z.",
        ]
    );
    let unclear = CedarVerdict {
        forbidden_by: vec![statement()],
        errors: vec![StatementError {
            statement: statement(),
            reason: "no tag zone".to_owned(),
        }],
        ..CedarVerdict::default()
    };
    let told = access(AccountState::default(), &[path(None, None)], &unclear);
    assert!(!told.allowed);
    assert!(
        told.why
            .last()
            .unwrap()
            .contains("cannot be judged (no tag zone)")
    );
    let json = serde_json::to_value(&told).unwrap();
    assert_eq!(
        json.pointer("/forbiddenBy/0/policy").unwrap(),
        "000000000000000a"
    );
    assert_eq!(json.pointer("/paths/0/validity").unwrap(), "open");
}

#[test]
fn rights_held_and_missing_are_told() {
    let mut principal = Principal {
        account: ObjectId(1),
        account_suspended: false,
        account_rights: Rights::from_names(["strongdm:role:create", "graph:read"]).unwrap(),
        credential_rights: Rights::ALL,
        policies: Vec::new(),
        expires_at: None,
        organization: "o".to_owned(),
    };
    let tell = |principal: &Principal, action: Action| {
        Explanation::of_action(
            &question(action.name(), "the organization"),
            principal,
            action,
            Object::Organization,
            &Context { now: AT },
        )
    };
    let may = tell(&principal, Action::RoleCreate);
    assert!(may.allowed);
    assert_eq!(
        may.why,
        [
            "ada@example.org may role:create on the organization at 1970-01-01T00:00:10Z.",
            "The account and the credential have strongdm:role:create.",
        ]
    );
    let may_not = tell(&principal, Action::GroupCreate);
    assert!(!may_not.allowed);
    assert_eq!(
        may_not.why.get(1).unwrap(),
        "The account has none of accounts:manage, strongdm:group:write."
    );
    let narrow = r#"{"permissions":[{"effect":"DENY","actions":["*"],"resources":["*"]}]}"#;
    principal.policies = vec![Arc::new(AccessPolicy::parse(narrow).unwrap())];
    let denied = tell(&principal, Action::RoleCreate);
    assert!(!denied.allowed);
    assert!(denied.why.iter().any(|sentence| {
        sentence == "Statement 1 of a policy of the credential denies strongdm:role:create."
    }));
    principal.credential_rights = Rights::NONE;
    assert_eq!(
        tell(&principal, Action::RoleCreate).why.get(1).unwrap(),
        "The account has strongdm:role:create, but the credential was not made for it."
    );
}
