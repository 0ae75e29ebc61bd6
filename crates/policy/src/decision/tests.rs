// SPDX-License-Identifier: Apache-2.0

use durward_model::Value;
use durward_query::RowCondition;
use proptest::prelude::*;

use super::*;

const NOW: Context = Context {
    now: Instant::from_millis(1000),
};

fn principal(account: Rights, credential: Rights, policies: &[&str]) -> Principal {
    let parsed = policies
        .iter()
        .map(|text| Arc::new(AccessPolicy::parse(text).unwrap()));
    Principal {
        account: ObjectId(1),
        account_suspended: false,
        account_rights: account,
        credential_rights: credential,
        policies: parsed.collect(),
        expires_at: None,
        organization: "o".to_owned(),
    }
}

fn ask(principal: &Principal, right: Right) -> Decision {
    authorize(principal, right, Object::Organization, &NOW)
}

#[test]
fn a_credential_never_does_more_than_its_account() {
    let reader = Rights::NONE.with(Right::READ_GRAPH);
    let holder = principal(reader, Rights::ALL, &[AccessPolicy::ALLOW_ALL]);
    assert!(ask(&holder, Right::READ_GRAPH).allowed);
    let refused = ask(&holder, Right::WRITE_GRAPH);
    assert!(!refused.allowed);
    assert_eq!(
        refused.explanation(),
        "The account does not have the right graph:write."
    );
    let narrow = principal(Rights::ALL, reader, &[]);
    assert_eq!(
        ask(&narrow, Right::WRITE_GRAPH).explanation(),
        "The credential was not made for the right graph:write."
    );
}

#[test]
fn suspension_and_expiry_refuse_everything() {
    let mut holder = principal(Rights::ALL, Rights::ALL, &[]);
    assert!(ask(&holder, Right::READ_AUDIT).allowed);
    holder.expires_at = Some(NOW.now);
    let decision = ask(&holder, Right::READ_AUDIT);
    assert_eq!(
        decision.explanation(),
        "The credential expired at 1970-01-01T00:00:01Z."
    );
    holder.expires_at = Some(NOW.now.plus_micros(1));
    assert!(ask(&holder, Right::READ_AUDIT).allowed);
    holder.account_suspended = true;
    assert_eq!(
        ask(&holder, Right::READ_AUDIT).why,
        [Reason::AccountSuspended]
    );
    assert_eq!(holder.row_access(), Ok(RowAccess::Nothing));
}

#[test]
fn every_policy_of_the_chain_must_allow() {
    let view = r#"{"permissions":[{"effect":"ALLOW","actions":["dashboard:View"],
        "resources":["dashboard:7"]}]}"#;
    let holder = principal(Rights::ALL, Rights::ALL, &[AccessPolicy::ALLOW_ALL, view]);
    let named = |id| Object::Named {
        kind: "dashboard",
        id,
    };
    assert!(authorize(&holder, Right::VIEW_DASHBOARD, named("7"), &NOW).allowed);
    let other = authorize(&holder, Right::VIEW_DASHBOARD, named("8"), &NOW);
    assert_eq!(
        other.explanation(),
        "No statement of the policy allows dashboard:View."
    );
    assert!(!ask(&holder, Right::READ_GRAPH).allowed);
    assert_eq!(holder.row_access(), Ok(RowAccess::Nothing));
}

#[test]
fn one_of_several_rights_is_enough() {
    let holder = principal(Rights::NONE.with(Right::READ_AUDIT), Rights::ALL, &[]);
    let ask = |rights: &[Right]| authorize_any(&holder, rights, Object::Organization, &NOW);
    assert!(ask(&[Right::WRITE_GRAPH, Right::READ_AUDIT]).allowed);
    assert_eq!(ask(&[Right::WRITE_GRAPH, Right::SYNCHRONIZE]).why.len(), 2);
    assert!(!ask(&[]).allowed);
}

#[test]
fn conditions_of_a_chain_hold_together() {
    let only = |property: &str, values: &str| {
        format!(
            r#"{{"permissions":[{{"effect":"ALLOW","actions":["*"],"resources":["*"],
            "condition":{{"stringEquals":{{"{property}":{values}}}}}}}]}}"#
        )
    };
    let (one, two) = (only("_type", r#"["a","b"]"#), only("owner", "\"x\""));
    let holder = principal(
        Rights::ALL,
        Rights::ALL,
        &[&one, &two, AccessPolicy::ALLOW_ALL],
    );
    let pair = |name: &str, value: &str| (name.to_owned(), Value::from(value));
    let expected = RowCondition::any_of(vec![
        vec![pair("_type", "a"), pair("owner", "x")],
        vec![pair("_type", "b"), pair("owner", "x")],
    ]);
    assert_eq!(holder.row_access(), Ok(RowAccess::Only(expected)));

    let many: Vec<String> = (0..30).map(|n| format!("\"{n}\"")).collect();
    let list = format!("[{}]", many.join(","));
    let (one, two) = (only("a", &list), only("b", &list));
    let holder = principal(Rights::ALL, Rights::ALL, &[&one, &two]);
    assert_eq!(holder.row_access(), Err(TooManyAlternatives));
}

fn rights() -> impl Strategy<Value = Rights> {
    let count = Right::all().count();
    proptest::collection::vec(0..count, 0..6).prop_map(|positions| {
        positions
            .iter()
            .filter_map(|position| Right::all().nth(*position))
            .collect()
    })
}

proptest! {
    /// Narrowing a principal in any way never allows what was refused before.
    #[test]
    fn narrowing_never_widens(account in rights(), credential in rights(), less in rights()) {
        let wide = principal(account, credential, &[]);
        let deny = r#"{"permissions":[{"effect":"ALLOW","actions":["*"],"resources":["*"]},
            {"effect":"DENY","actions":["persister:Synchronize"],"resources":["*"]}]}"#;
        let narrow = [
            principal(account.intersect(less), credential, &[]),
            principal(account, credential.intersect(less), &[]),
            principal(account, credential, &[deny]),
        ];
        for right in Right::all() {
            for narrowed in &narrow {
                prop_assert!(ask(&wide, right).allowed || !ask(narrowed, right).allowed);
            }
            let held = account.contains(right) && credential.contains(right);
            prop_assert_eq!(ask(&wide, right).allowed, held);
        }
    }
}
