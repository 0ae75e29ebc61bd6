// SPDX-License-Identifier: Apache-2.0

use durward_query::RowCondition;

use super::*;

fn policy(statements: &str) -> AccessPolicy {
    AccessPolicy::parse(&format!("{{\"permissions\":[{statements}]}}")).unwrap()
}

fn statement(effect: &str, action: &str, resource: &str) -> String {
    format!(r#"{{"effect":"{effect}","actions":["{action}"],"resources":["{resource}"]}}"#)
}

fn reason(text: &str) -> String {
    let PolicyError::Invalid {
        line,
        column,
        reason,
    } = AccessPolicy::parse(text).unwrap_err()
    else {
        panic!("not a fault of the text: {text}")
    };
    assert!(line > 0, "{text}");
    format!("{line}:{column} {reason}")
}

#[test]
fn faults_are_named_with_their_position() {
    let table = [
        ("", "1:1 EOF while parsing a value"),
        ("{}", "1:2 missing field `permissions`"),
        ("[]", "1:1 invalid type: sequence, expected an object"),
        ("[[]]", "1:1 invalid type: sequence, expected an object"),
        (r#"{"permissions":[]}"#, "1:18 the list must not be empty"),
        (
            r#"{"permissions":[1]}"#,
            "1:17 invalid type: integer `1`, expected an object",
        ),
        (
            "{\"permissions\":[\n{\"effect\":\"allow\"}]}",
            "2:18 \"allow\" is not an effect; write ALLOW or DENY in capitals",
        ),
        (
            "{\"permissions\":[{\"effect\":\"ALLOW\",\n\"actions\":[\"query:*\"]}]}",
            "2:21 \"query:*\" holds a partial wildcard; write a full action or a lone *",
        ),
        (
            concat!(
                r#"{"permissions":[{"effect":"ALLOW","actions":["*"],"#,
                "\n",
                r#""resources":["dashboard:*"]}]}"#
            ),
            "2:27 \"dashboard:*\" holds a partial wildcard; write a full resource or a lone *",
        ),
    ];
    for (text, expected) in table {
        let found = reason(text);
        assert!(found.starts_with(expected), "{text}: {found}");
    }
}

#[test]
fn unknown_members_names_and_conditions_are_refused() {
    let with = |extra: &str| {
        let plain = statement("ALLOW", "query:ReadGraphData", "*");
        format!(
            "{{\"permissions\":[{}{extra}}}]}}",
            plain.strip_suffix('}').unwrap()
        )
    };
    assert!(AccessPolicy::parse(&with("")).is_ok());
    assert!(AccessPolicy::parse(&with(r#","condition":{"stringEquals":{"a":"b"}}"#)).is_ok());
    assert!(AccessPolicy::parse(&with(r#","condition":{"stringEquals":{"a":["b","c"]}}"#)).is_ok());
    for extra in [
        r#","principal":"x""#,
        r#","condition":{"stringLike":{"a":"b"}}"#,
        r#","condition":{"stringEquals":{}}"#,
        r#","condition":{"stringEquals":{"a":1}}"#,
        r#","condition":{"stringEquals":{"a":[]}}"#,
        r#","condition":{"stringEquals":{"a":"b","a":"c"}}"#,
        r#","effect":"DENY""#,
    ] {
        assert!(AccessPolicy::parse(&with(extra)).is_err(), "{extra}");
    }
    let condition = r#","condition":{"stringEquals":{"a":"b"}}}"#;
    for (effect, action, resource) in [
        ("DENY", "query:ReadGraphData", "*"),
        ("ALLOW", "dashboard:View", "*"),
        ("ALLOW", "query:ReadGraphData", "entity:1"),
    ] {
        let plain = statement(effect, action, resource);
        let text = format!(
            "{{\"permissions\":[{}{condition}]}}",
            plain.strip_suffix('}').unwrap()
        );
        assert!(
            reason(&text).contains("a condition may stand only"),
            "{text}"
        );
    }
    for (effect, action, resource) in [
        ("ALLOW", "query:Fly", "*"),
        ("ALLOW", "QUERY:READGRAPHDATA", "*"),
        ("ALLOW", "*", "boat:1"),
        ("ALLOW", "*", "dashboard"),
        ("ALLOW", "*", "dashboard:"),
        ("Allow", "*", "*"),
    ] {
        let text = format!(
            "{{\"permissions\":[{}]}}",
            statement(effect, action, resource)
        );
        assert!(AccessPolicy::parse(&text).is_err(), "{text}");
    }
    let long = format!(
        "{}{}",
        " ".repeat(POLICY_BYTES_MAX),
        AccessPolicy::ALLOW_ALL
    );
    assert!(matches!(
        AccessPolicy::parse(&long),
        Err(PolicyError::TooLong { .. })
    ));
    for unit in ["[", "{\"permissions\":[", "{\"permissions\":{\"a\":"] {
        let deep = unit.repeat(POLICY_BYTES_MAX / unit.len());
        let thread = std::thread::Builder::new().stack_size(256 << 10);
        let run = move || AccessPolicy::parse(&deep).is_err();
        assert!(thread.spawn(run).unwrap().join().unwrap(), "{unit}");
    }
    let deep_value = format!("{{\"stringEquals\":{{\"a\":{}", "[".repeat(50_000));
    let text = format!(
        "{{\"permissions\":[{{\"effect\":\"ALLOW\",\"actions\":[\"*\"],\"resources\":[\"*\"],\
         \"condition\":{deep_value}"
    );
    let thread = std::thread::Builder::new().stack_size(512 << 10);
    let run = move || AccessPolicy::parse(&text).is_err();
    assert!(thread.spawn(run).unwrap().join().unwrap());
    let wide: Vec<String> = (0..4000).map(|n| format!("\"p{n}\":\"v\"")).collect();
    let found = reason(&format!(
        "{{\"permissions\":[{}]}}",
        conditional("*", &format!("{{{}}}", wide.join(",")))
    ));
    assert!(found.contains("1 to 32 properties"), "{found}");
}

#[test]
fn denial_wins_and_silence_refuses() {
    let all = AccessPolicy::parse(AccessPolicy::ALLOW_ALL).unwrap();
    for right in Right::all() {
        assert_eq!(
            all.verdict(right, "account:o"),
            Verdict::Allowed { statement: 1 }
        );
    }
    let no_reading = policy(&format!(
        "{},{}",
        statement("ALLOW", "*", "*"),
        statement("DENY", "query:ReadGraphData", "*")
    ));
    assert_eq!(
        no_reading.verdict(Right::READ_GRAPH, "account:o"),
        Verdict::Denied { statement: 2 }
    );
    assert_eq!(
        no_reading.verdict(Right::WRITE_GRAPH, "account:o"),
        Verdict::Allowed { statement: 1 }
    );
    let one = policy(&statement("ALLOW", "dashboard:View", "dashboard:7"));
    assert_eq!(
        one.verdict(Right::VIEW_DASHBOARD, "dashboard:7"),
        Verdict::Allowed { statement: 1 }
    );
    assert_eq!(
        one.verdict(Right::VIEW_DASHBOARD, "dashboard:77"),
        Verdict::Silent
    );
    assert_eq!(
        one.verdict(Right::READ_GRAPH, "dashboard:7"),
        Verdict::Silent
    );
    let short = policy(&statement("ALLOW", "ReadGraphData", "*"));
    assert_eq!(
        short.verdict(Right::READ_GRAPH, "account:o"),
        Verdict::Allowed { statement: 1 }
    );
    assert_eq!(
        short.verdict(Right::WRITE_GRAPH, "account:o"),
        Verdict::Silent
    );
}

fn conditional(action: &str, condition: &str) -> String {
    let plain = statement("ALLOW", action, "*");
    let open = plain.strip_suffix('}').unwrap();
    format!("{open},\"condition\":{{\"stringEquals\":{condition}}}}}")
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, durward_model::Value)> {
    list.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).into()))
        .collect()
}

#[test]
fn conditions_become_one_row_condition() {
    let two = policy(&format!(
        "{},{}",
        conditional(
            "query:ReadGraphData",
            r#"{"_type":"github_repo","owner":["a","b"]}"#
        ),
        conditional("*", r#"{"_class":"User"}"#)
    ));
    let expected = RowCondition::any_of(vec![
        pairs(&[("_type", "github_repo"), ("owner", "a")]),
        pairs(&[("_type", "github_repo"), ("owner", "b")]),
        pairs(&[("_class", "User")]),
    ]);
    assert_eq!(two.row_access("account:o"), RowAccess::Only(expected));
    // A condition can be judged for reads only, so its statement allows nothing else.
    assert_eq!(
        two.verdict(Right::WRITE_GRAPH, "account:o"),
        Verdict::Silent
    );
    assert_eq!(
        two.verdict(Right::MANAGE_CREDENTIALS, "account:o"),
        Verdict::Silent
    );

    let wide = policy(&format!(
        "{},{}",
        conditional("*", r#"{"_class":"User"}"#),
        statement("ALLOW", "query:ReadGraphData", "*")
    ));
    assert_eq!(wide.row_access("account:o"), RowAccess::Everything);
    let denied = policy(&format!(
        "{},{}",
        conditional("*", r#"{"_class":"User"}"#),
        statement("DENY", "query:ReadGraphData", "account:o")
    ));
    assert_eq!(denied.row_access("account:o"), RowAccess::Nothing);
    let silent = policy(&statement("ALLOW", "dashboard:View", "*"));
    assert_eq!(silent.row_access("account:o"), RowAccess::Nothing);
}

#[test]
fn conditions_that_explode_are_refused() {
    let values: Vec<String> = (0..CONDITION_ITEMS_MAX)
        .map(|n| format!("\"v{n}\""))
        .collect();
    let list = format!("[{}]", values.join(","));
    let condition = format!(r#"{{"a":{list},"b":{list},"c":{list},"d":{list},"e":{list}}}"#);
    let huge = policy(&conditional("*", &condition));
    assert!(huge.row_access("account:o").check().is_err());
}
