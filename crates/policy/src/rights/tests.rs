// SPDX-License-Identifier: Apache-2.0

use super::set::WORDS;
use super::*;

#[test]
fn constants_name_what_they_say() {
    for (right, name) in [
        (Right::READ_GRAPH, "graph:read"),
        (Right::WRITE_GRAPH, "graph:write"),
        (Right::READ_RAW_DATA, "graph:read-raw-data"),
        (Right::SYNCHRONIZE, "graph:synchronize"),
        (Right::READ_ACCOUNT_ENTITY, "graph:read-account-entity"),
        (Right::READ_COMPLIANCE_STANDARD, "compliance:read-standard"),
        (Right::READ_COMPLIANCE_SUMMARY, "compliance:read-summary"),
        (Right::VIEW_DASHBOARD, "dashboard:view"),
        (Right::READ_SETTINGS, "settings:read"),
        (Right::READ_PARAMETER, "parameters:read"),
        (Right::LIST_PARAMETERS, "parameters:list"),
        (Right::WRITE_PARAMETER, "parameters:write"),
        (Right::DELETE_PARAMETER, "parameters:delete"),
        (Right::MANAGE_OWN_CREDENTIALS, "credentials:manage-own"),
        (Right::MANAGE_CREDENTIALS, "credentials:manage"),
        (Right::READ_ACCOUNTS, "accounts:read"),
        (Right::MANAGE_ACCOUNTS, "accounts:manage"),
        (Right::READ_AUDIT, "audit:read"),
        (Right::READ_ORGANIZATION, "organization:read"),
        (Right::MANAGE_ORGANIZATION, "organization:manage"),
        (Right::READ_ACCESS, "access:read"),
        (Right::MANAGE_ACCESS, "access:manage"),
        (Right::READ_RESOURCES, "resources:read"),
        (Right::MANAGE_RESOURCES, "resources:manage"),
        (Right::OPENCTI_BYPASS, "opencti:BYPASS"),
    ] {
        assert_eq!(right.name(), name);
        assert_eq!(Right::named(name), Some(right));
    }
    let names: std::collections::BTreeSet<_> = TABLE.iter().map(|entry| entry.name).collect();
    assert_eq!(names.len(), TABLE.len(), "names are unique");
    assert!(TABLE.len() <= WORDS * 64);
}

#[test]
fn capabilities_include_their_prefixes() {
    let right = Right::of_capability("KNOWLEDGE_KNUPDATE_KNDELETE").unwrap();
    let rights = Rights::NONE.with(right);
    let expected = [
        "opencti:KNOWLEDGE",
        "opencti:KNOWLEDGE_KNUPDATE",
        "opencti:KNOWLEDGE_KNUPDATE_KNDELETE",
    ];
    assert_eq!(rights.names(), expected);
    let bypass = Rights::NONE.with(Right::OPENCTI_BYPASS);
    assert!(Right::all().all(|right| { bypass.contains(right) == right.capability().is_some() }));
}

#[test]
fn sets_behave_as_sets() {
    let reader: Rights = [Right::READ_GRAPH, Right::READ_AUDIT].into_iter().collect();
    let writer: Rights = [Right::READ_GRAPH, Right::WRITE_GRAPH]
        .into_iter()
        .collect();
    assert_eq!(reader.intersect(writer).names(), ["graph:read"]);
    assert!(reader.is_within(&Rights::ALL) && !Rights::ALL.is_within(&reader));
    assert_eq!(
        Rights::from_names(reader.union(writer).names()),
        Ok(reader.union(writer))
    );
    assert_eq!(Rights::ALL.names(), ["*"]);
    assert_eq!(Rights::from_names(["graph:read", "*"]), Ok(Rights::ALL));
    let error = Rights::from_names(["graph:fly"]).unwrap_err();
    assert_eq!(error.to_string(), "there is no right named \"graph:fly\"");
    assert_eq!(Rights::NONE.names(), Vec::<&str>::new());
}

#[test]
fn every_dialect_has_its_rights() {
    assert_eq!(Vocabulary::StrongDm.words().count(), 104);
    assert_eq!(Vocabulary::Cyral.words().count(), 18);
    for key in Vocabulary::StrongDm.words() {
        let right = Right::named(&format!("strongdm:{key}")).unwrap();
        assert_eq!(right.strongdm_key(), Some(key));
        assert_eq!(right.jupiterone_action(), None);
    }
    for name in Vocabulary::Cyral.words() {
        assert_eq!(Right::of_cyral(name).unwrap().cyral_name(), Some(name));
    }
    assert_eq!(Vocabulary::StrongDm.meaning("user:fly"), None);
    assert_eq!(Right::of_cyral("modify users"), None);
    let approver = Vocabulary::Sonrai.meaning("approve").unwrap();
    assert_eq!(approver.names(), ["sonrai:view", "sonrai:approve"]);
}

#[test]
fn vocabularies_tell_their_part_of_a_set() {
    let key = Vocabulary::StrongDm.meaning("role:create").unwrap();
    assert_eq!(key.names(), ["strongdm:role:create"]);
    let both = key.union(Vocabulary::Cyral.meaning("Modify Roles").unwrap());
    assert_eq!(Vocabulary::StrongDm.words_of(&both), ["role:create"]);
    assert_eq!(Vocabulary::Cyral.untold(&both), key);
    assert_eq!(Vocabulary::Cyral.meaning("modify roles"), None);
    let update = Vocabulary::OpenCti.meaning("KNOWLEDGE_KNUPDATE").unwrap();
    let words = Vocabulary::OpenCti.words_of(&update);
    assert_eq!(words, ["KNOWLEDGE", "KNOWLEDGE_KNUPDATE"]);
    assert_eq!(Vocabulary::Sonrai.words().count(), 3);
}
