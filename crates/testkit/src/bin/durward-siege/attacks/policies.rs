// SPDX-License-Identifier: Apache-2.0
//! Policies in Cedar's language that are small to write and deep to read or to judge, by an
//! administrator of the attackers' own organization.

use std::sync::Arc;

use durward_testkit::protobuf::put_bytes;

use super::grpc::{own_key, signed};
use crate::field::Field;

/// The condition of a policy that allows, or takes away, everything.
fn when(condition: &str) -> String {
    format!("permit(principal, action, resource) when {{ {condition} }};")
}

fn nested(open: &str, middle: &str, close: &str, depth: usize) -> String {
    format!("{}{middle}{}", open.repeat(depth), close.repeat(depth))
}

/// Every text that is tried.
fn bombs() -> Vec<String> {
    let parens = nested("(", "true", ")", 8_000);
    let mut bombs = vec![
        // Line ends that one reader knows and another does not.
        when(&format!("//\r{parens}")),
        when(&format!("//\u{2028}{parens}")),
        when(&format!("//\u{85}{parens}")),
        when(&format!("//\u{b}{parens}")),
        when(&format!("//\r\n{parens}")),
        when(&format!("\"//\" == \"//\" && {parens}")),
        when(&format!("\"\\\"//\" == \"\" || {parens}")),
        when(&format!("/*{}*/ {parens}", "\n")),
        when(&parens),
    ];
    let deep = [
        nested("[", "1", "]", 8_000) + " == 1",
        nested("{a:", "1", "}", 8_000) + " == 1",
        "!".repeat(12_000) + "true",
        "-".repeat(12_000) + "1 == 1",
        nested("if true then ", "true", " else true", 8_000),
        nested("if ", "true", " then true else true", 4_000),
        format!("principal{}", ".a".repeat(12_000)),
        format!("principal{}", "[\"a\"]".repeat(12_000)),
        format!("principal{} == 1", ".contains(1)".repeat(6_000)),
        format!("1{} == 1", " + 1".repeat(12_000)),
        format!("1{} == 1", " - 1".repeat(12_000)),
        format!("1{} == 1", " * 1".repeat(12_000)),
        format!("true{}", " && true".repeat(12_000)),
        format!("false{}", " || false".repeat(12_000)),
        format!("//\r1{} == 1", " + 1".repeat(12_000)),
        format!("//\rprincipal{}", ".a".repeat(12_000)),
        format!("principal has {}", vec!["a"; 6_000].join(".")),
        format!("\"a\" like \"{}\"", "*a".repeat(100_000)),
        format!("[{}].contains(2)", "1,".repeat(100_000) + "1"),
        format!("principal in [{}]", vec!["User::\"a\""; 20_000].join(",")),
        nested("ip(", "\"1\"", ")", 6_000),
        format!("principal is {}", vec!["A"; 10_000].join("::")),
    ];
    bombs.extend(deep.iter().map(|condition| when(condition)));
    bombs.push(when("true").repeat(6_000));
    bombs.push(
        "permit(principal, action, resource)".to_owned() + &" when { true }".repeat(9_000) + ";",
    );
    bombs.push("@a(\"b\")".repeat(9_000) + &when("true"));
    bombs.push(
        "forbid(principal, action in [".to_owned()
            + &"Action::\"a\",".repeat(20_000)
            + "], resource);",
    );
    bombs
}

/// Sends every text as a new policy.
pub(crate) async fn all(field: Arc<Field>) -> anyhow::Result<()> {
    let bombs = Arc::new(bombs());
    let key = own_key(&field);
    let lanes = 4;
    field
        .swarm(lanes, |field, lane| {
            let (bombs, key) = (Arc::clone(&bombs), key.clone());
            async move {
                for (number, bomb) in bombs.iter().enumerate().skip(lane).step_by(lanes) {
                    let (mut policy, mut message) = (Vec::new(), Vec::new());
                    put_bytes(&mut policy, 2, format!("bomb {number}").as_bytes());
                    put_bytes(&mut policy, 4, bomb.as_bytes());
                    put_bytes(&mut message, 2, &policy);
                    signed(&field, &key, "Policies/Create", &message).await?;
                }
                field.note("lane done");
                Ok(())
            }
        })
        .await;
    Ok(())
}
