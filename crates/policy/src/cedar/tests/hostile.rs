// SPDX-License-Identifier: Apache-2.0
//! Texts that are made to end the process: each construct of the language nested and chained as far
//! as the limits allow and far beyond, dressed up so that another lexer might read them otherwise.
//! An overflow of a stack ends the whole test program, which is how it fails here.
#![allow(clippy::disallowed_methods, reason = "what takes for ever is to fail")]

use std::time::{Duration, Instant as StdInstant};

use super::super::stack;
use super::*;

/// A construct: what begins each level, what stands inside, what ends each level.
type Construct<'a> = (&'a str, &'a str, &'a str);

/// Every way to nest or to chain an expression, with the operators and brackets of one level.
const CONSTRUCTS: [(Construct<'static>, usize); 36] = [
    (("(", "true", ")"), 1),
    (("!(", "true", ")"), 2),
    (("!!!!(", "true", ")"), 5),
    (("-(", "1", ")"), 2),
    (("----(", "1", ")"), 5),
    (("[", "1", "]"), 1),
    (("[1,", "1", ", 2]"), 1),
    (("{a:", "1", "}"), 1),
    (("{\"a\":", "1", "}"), 1),
    (("{a:{b:", "1", "}}"), 2),
    (("(", "1", " > 1)"), 1),
    (("(", "1", " != 1)"), 1),
    (("(1 +", "1", ")"), 2),
    (("(1 *", "1", ")"), 2),
    (("(true &&", "true", ")"), 2),
    (("(false ||", "true", ")"), 2),
    (("(", "\"a\"", " like \"a*\")"), 2),
    (("(", "principal", " has a)"), 2),
    (("(", "principal", " in A::\"a\")"), 2),
    (("[].contains(", "1", ")"), 3),
    (("resource.sdm.getTag(", "\"a\"", ")"), 3),
    (("ip(", "\"10.0.0.0/8\"", ")"), 1),
    (("decimal(", "\"1.5\"", ")"), 1),
    (("datetime(", "\"2026-01-01\"", ").toDate()"), 3),
    (("", "1", " + 1"), 1),
    (("", "1", " - 1"), 1),
    (("", "1", " * 1"), 1),
    (("true && ", "true", ""), 1),
    (("true || ", "true", ""), 1),
    (("if true then true else ", "true", ""), 1),
    (("if ", "true", " then true else false"), 1),
    (("if true then ", "true", " else false"), 1),
    (("", "context", ".a"), 1),
    (("", "context", "[\"a\"]"), 1),
    (("", "context", ".contains(1)"), 2),
    // Each name repeats all before it.
    (("", "context has a", ".a"), 4),
];

/// What stands in front of a condition: all that a lexer might read as longer or shorter.
const DRESSES: [&str; 9] = [
    "",
    "//\r",
    "// a \"\r",
    "//\u{2028}\n",
    "\u{2028}\u{a0}\u{3000}\t\u{b}\u{c}\u{85}",
    "// \\\n",
    "\"a // \\\" ; } \\\\\" == \"\" || ",
    "\"//\r\" != \"\n\" && ",
    "//\r//\r\n//\n\r",
];

fn statement(dress: &str, construct: Construct<'_>, levels: usize) -> String {
    let (open, inside, close) = construct;
    let (opens, closes) = (open.repeat(levels), close.repeat(levels));
    format!("forbid (principal, action, resource) when {{ {dress}{opens}{inside}{closes} }};")
}

/// The deepest that the limits allow, beside what the dress may take.
fn levels_max(construct: Construct<'_>, operators: usize) -> usize {
    let (open, _, close) = construct;
    let chain = (OPERATORS_MAX - 12) / operators;
    let opening = |text: &str| text.chars().filter(|sign| "([{".contains(*sign)).count();
    let closing = |text: &str| text.chars().filter(|sign| ")]}".contains(*sign)).count();
    let (opened, closed) = (opening(open), closing(open));
    match opened.saturating_sub(closed) {
        0 => chain,
        nested => chain.min((DEPTH_MAX - 3 - opening(close)) / nested),
    }
}

/// Reads it with half the stack; compiles, judges and forgets it on a thread with little.
fn survive(text: String) -> bool {
    let run = move || {
        let Ok(policy) = CedarPolicy::parse_on(stack::READ_BYTES / 2, &text) else {
            return false;
        };
        let set = PolicySet::compile([NamedPolicy {
            id: ObjectId(1),
            name: Arc::from("hostile"),
            policy: Arc::new(policy),
        }]);
        set.decide(&CedarRequest {
            principal: &principal(),
            action: &CedarName::connect().unwrap(),
            resource: &resource(),
            context: at("2026-11-25T09:30:15Z"),
        });
        true
    };
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(run);
    thread.unwrap().join().unwrap()
}

#[test]
fn every_construct_is_bounded_in_every_dress() {
    for (number, (construct, operators)) in CONSTRUCTS.into_iter().enumerate() {
        let levels = levels_max(construct, operators);
        let plain = statement("", construct, levels);
        let shown = || format!("{construct:?} {levels} deep");
        // Some are no policies for their types, whatever their depth; those are refused when flat.
        let is_policy = survive(statement("", construct, 1));
        assert_eq!(survive(plain), is_policy, "{}", shown());
        for (dress_number, dress) in DRESSES.iter().enumerate() {
            // Each construct in two dresses, each dress on many constructs.
            if dress_number % 4 == number % 4 {
                survive(statement(dress, construct, levels));
                let beyond = levels.saturating_mul(5).max(DEPTH_MAX * 2);
                assert!(!survive(statement(dress, construct, beyond)), "{}", shown());
            }
        }
        let (open, _, close) = construct;
        let most = (CEDAR_BYTES_MAX - 100) / (open.len() + close.len());
        assert!(!survive(statement("//\r", construct, most)), "{}", shown());
    }
}

/// Brackets that do not close what they seem to: recovery from errors must not nest unseen.
#[test]
fn what_is_no_policy_is_refused_whatever_its_length() {
    let fill = |unit: &str| unit.repeat((CEDAR_BYTES_MAX - 60) / unit.len());
    let units = [
        "(",
        "[",
        "{",
        ")",
        "}",
        "{]:",
        "{1}:",
        "{;}:",
        "(;)+",
        "[;",
        "a(",
        "\"",
        "\\\"",
        "//\r",
        "//\n",
        "\u{2028}",
        "\"\\\"",
        "= ",
        "? ",
        "?a ",
        "@a ",
        "@a(\"b\") ",
        ";",
        "permit;",
        "$",
        "permit(",
        "a::",
        "1,",
        "==1",
        "when{true}",
        "é",
        "\u{0}",
        "9",
        "if ",
        "-",
        "!",
    ];
    for (number, unit) in units.into_iter().enumerate() {
        let filled = fill(unit);
        let text = match number % 3 {
            0 => format!("forbid (principal, action, resource) when {{ {filled} }};"),
            1 => format!("permit(principal == {filled}"),
            _ => filled,
        };
        let begun = StdInstant::now();
        survive(text);
        let took = begun.elapsed();
        assert!(took < Duration::from_mins(1), "{unit:?} took {took:?}");
    }
}

/// `is in` and `has a.b` repeat their target: nested, they double with every level.
#[test]
fn what_cedar_repeats_is_bounded() {
    for (open, inside, close) in [
        ("(", "context.a", " is A in A::\"a\")"),
        (
            "(if ",
            "true",
            " then context else context) is A in A::\"a\"",
        ),
        ("(", "context.a", " has b.c.d.e.f)"),
        ("[{a: ", "context.a", " has b.c}]"),
    ] {
        let begun = StdInstant::now();
        assert!(
            survive(statement("", (open, inside, close), 1)),
            "{open}{inside}{close}"
        );
        let text = statement("", (open, inside, close), 40);
        assert!(!survive(text), "{open}{inside}{close}");
        assert!(begun.elapsed() < Duration::from_mins(1));
    }
    // Side by side they are what people write.
    let flat = "principal is StrongDM::Account in StrongDM::Role::\"r-1\" && ".repeat(90);
    assert!(survive(statement("", (&flat, "true", ""), 1)));
}

/// What was read before is read still, at the same place, with every kind of comment and blank.
#[test]
fn comments_and_blanks_change_nothing() {
    for blank in [
        " ",
        "\n",
        "\r",
        "\u{2028}",
        "// x (((\r",
        "// \"\n",
        "//\r\n",
        "// ; }\n",
    ] {
        let text = format!(
            "{blank}@note(\"a // b\"){blank}forbid{blank}(principal,{blank}action, resource){blank}\
             when{blank}{{ resource.name{blank}== \"orders\" }};{blank}"
        );
        let policy = CedarPolicy::parse(&text).unwrap_or_else(|error| panic!("{text:?} {error}"));
        assert_eq!(policy.statement_count(), 1, "{text:?}");
        assert!(connect(&[&text]).is_forbidden(), "{text:?}");
        let wrong = format!("{blank}forbid (principal, action resource);");
        let error = CedarPolicy::parse(&wrong).unwrap_err();
        let lines = 1 + blank.matches('\n').count();
        assert_eq!(error.line, lines, "{wrong:?}: {error}");
    }
}

#[test]
fn an_unreadable_policy_forbids_and_says_why() {
    let error = CedarPolicy::parse("permit (").unwrap_err();
    let set = PolicySet::compile([NamedPolicy {
        id: ObjectId(1),
        name: Arc::from("old"),
        policy: Arc::new(CedarPolicy::unreadable(&error)),
    }]);
    let verdict = set.decide(&CedarRequest {
        principal: &principal(),
        action: &CedarName::connect().unwrap(),
        resource: &resource(),
        context: at("2026-11-25T09:30:15Z"),
    });
    assert!(verdict.is_forbidden());
    let told = &verdict.forbidden_by.first().unwrap().annotations;
    assert!(
        told.get("unreadable").unwrap().contains("line 1"),
        "{told:?}"
    );
}

/// Errors quote the text, but not all of it.
#[test]
fn reasons_are_short() {
    let word = "a".repeat(CEDAR_BYTES_MAX - 10);
    let error = CedarPolicy::parse(&word).unwrap_err();
    assert!(
        error.reason.chars().count() <= 400,
        "{}",
        error.reason.len()
    );
}
