// SPDX-License-Identifier: Apache-2.0
//! Which texts are policies, and what is said of those that are not.

use super::*;

#[test]
fn faults_are_named_with_their_position() {
    for (text, line, column, reason) in [
        ("hello", 1, 6, "unexpected end of input: expected `(`"),
        (
            "permit(principal, action, resource)\n  when { 1 = 2 };",
            2,
            10,
            "'=' is not a valid operator in Cedar; try using '==' instead",
        ),
        (
            "permit(principal, action, resource)",
            1,
            36,
            "unexpected end of input",
        ),
        (
            "permit (principal, action resource);",
            1,
            27,
            "unexpected token `resource`",
        ),
        (
            "// é ?\nforbid (principal == ?principal, action, resource);",
            2,
            22,
            "a policy cannot have slots such as ?principal",
        ),
        (
            "permit (principal, action == A::\"x\", resource);",
            1,
            30,
            "expected an entity uid with type `Action`",
        ),
    ] {
        let error = CedarPolicy::parse(text).unwrap_err();
        assert_eq!(
            (error.line, error.column),
            (line, column),
            "{text}: {error}"
        );
        assert!(error.reason.starts_with(reason), "{error}");
        assert!(!error.to_string().contains('\n'));
    }
}

#[test]
fn a_policy_has_any_number_of_statements() {
    for (text, count) in [
        ("", 0),
        ("// nothing yet\n", 0),
        ("permit (principal, action, resource);", 1),
        (
            r#"forbid (principal, action, resource == Postgres::Database::"*"); permit (principal,
            action == SQL::Action::"select", resource) when { resource.sdm.hasTag("a;?(") };"#,
            2,
        ),
    ] {
        assert_eq!(CedarPolicy::parse(text).unwrap().statement_count(), count);
    }
    let many = "permit (principal, action, resource);".repeat(CEDAR_STATEMENTS_MAX + 1);
    assert!(CedarPolicy::parse(&many).is_err());
    let long = format!("// {}", "x".repeat(CEDAR_BYTES_MAX));
    let error = CedarPolicy::parse(&long).unwrap_err();
    assert!(error.reason.contains("at most 65536"), "{error}");
}

/// Every way to nest, right below the limit on a thread with little stack, and above it.
#[test]
fn nesting_neither_overflows_nor_gets_through() {
    let statement = |body: &str| format!("forbid (principal, action, resource) when {{ {body} }};");
    let brackets = DEPTH_MAX - 1;
    let chain = OPERATORS_MAX - 8;
    let bodies = |brackets: usize, chain: usize| {
        [
            format!("{}true{}", "(".repeat(brackets), ")".repeat(brackets)),
            format!("{}1{} != 1", "[".repeat(brackets), "]".repeat(brackets)),
            format!(
                "{}1{} != 1",
                "{\"a\": ".repeat(brackets),
                "}".repeat(brackets)
            ),
            format!("!{}true{}", "!(".repeat(brackets), ")".repeat(brackets)),
            format!("{}true", "true && ".repeat(chain / 2)),
            format!("{}true", "false || ".repeat(chain / 2)),
            format!("{}1 > 1", "1 + ".repeat(chain)),
            format!("context{}", ".a".repeat(chain)),
            format!("{}true", "if true then true else ".repeat(chain)),
        ]
    };
    let run = move || {
        for body in bodies(brackets, chain) {
            let shown: String = body.chars().take(20).collect();
            let parsed = CedarPolicy::parse(&statement(&body)).map(Arc::new);
            let policy = parsed.unwrap_or_else(|error| panic!("{shown}: {error}"));
            let set = PolicySet::compile([NamedPolicy {
                id: ObjectId(1),
                name: Arc::from("deep"),
                policy,
            }]);
            let verdict = set.decide(&CedarRequest {
                principal: &principal(),
                action: &CedarName::connect().unwrap(),
                resource: &resource(),
                context: at("2026-11-25T09:30:15Z"),
            });
            assert!(verdict.is_forbidden(), "{shown}");
        }
        for body in bodies(DEPTH_MAX + 1, 2 * OPERATORS_MAX + 2) {
            assert!(CedarPolicy::parse(&statement(&body)).is_err());
        }
        for body in bodies(5_000, 20_000) {
            assert!(CedarPolicy::parse(&statement(&body)).is_err());
        }
    };
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(run);
    thread.unwrap().join().unwrap();
}
