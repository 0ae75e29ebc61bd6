// SPDX-License-Identifier: Apache-2.0
//! What contracts say of actions, and that the engine asks for it.

use durward_policy::Action;
use serde_json::{Value, json};

use super::super::{
    Call, Dialect, Engine, FieldError, JsonObject, Node, OperationKind, Resolution, Schema,
};
use super::run;

const DIRECTIVE: &str = "directive @action(is: [String!]!) repeatable on OBJECT | FIELD_DEFINITION";
const SDL: &str = r#"
"What is asked."
directive @action(is: [String!]!) repeatable on OBJECT | FIELD_DEFINITION

"Reads."
type Query @action(is: "graph:read") {
  thing: Thing
  both: Int @action(is: "graph:read") @action(is: "audit:journal")
  any(
    first: Int
  ): Int
    @action(is: ["audit:log", "user:list"])
}
type Thing { open: Int  closed: Int @action(is: "user:list")  must: Int! @action(is: "role:list") }
"#;

/// Lets its caller, a list of actions, take these.
struct Asking;

impl Dialect for Asking {
    type Context = super::Caller;

    fn require(&self, context: &Self::Context, one_of: &[Action]) -> Result<(), FieldError> {
        if one_of.iter().any(|action| context.may.contains(action)) {
            return Ok(());
        }
        Err(FieldError::new("FORBIDDEN", format!("not {one_of:?}")))
    }

    fn resolve_root<'a>(
        &'a self,
        _: OperationKind,
        call: Call<'a, Self::Context>,
    ) -> Resolution<'a, Self::Context> {
        Resolution::ready(Ok(match call.name() {
            "thing" => {
                let members = json!({"open": 1, "closed": 2, "must": 3});
                let members = members.as_object().unwrap().clone();
                Node::object(JsonObject::new("Thing", members))
            }
            _ => Node::Int(7),
        }))
    }
}

fn ask(may: &[Action], document: &str) -> Value {
    let engine = Engine::new(Asking, SDL, "asking.graphql").unwrap();
    let context = super::Caller {
        may: may.to_vec(),
        ..super::Caller::default()
    };
    super::run_as(&engine, &context, document, json!({}))
}

/// The data, and the paths of what was refused.
fn told(may: &[Action], document: &str) -> (Value, Vec<String>) {
    let answer = ask(may, document);
    let errors = answer["errors"].as_array().cloned().unwrap_or_default();
    let paths = errors.iter().map(|error| {
        assert_eq!(error["extensions"]["code"], "FORBIDDEN", "{error}");
        error["path"].to_string()
    });
    (answer["data"].clone(), paths.collect())
}

#[test]
fn root_fields_ask_for_what_they_or_their_type_name() {
    let all = "{ thing { open } both any }";
    let (data, refused) = told(&[Action::GraphRead], all);
    assert_eq!(
        data,
        json!({"thing": {"open": 1}, "both": null, "any": null})
    );
    assert_eq!(refused, [r#"["both"]"#, r#"["any"]"#]);
    let (data, _) = told(
        &[Action::GraphRead, Action::AuditJournal, Action::UserList],
        all,
    );
    assert_eq!(data, json!({"thing": {"open": 1}, "both": 7, "any": 7}));
    let (data, refused) = told(&[Action::AuditLog], all);
    assert_eq!(data, json!({"thing": null, "both": null, "any": 7}));
    assert_eq!(refused.len(), 2);
}

#[test]
fn fields_below_ask_too_and_nothing_is_told_of_arguments_first() {
    let read = Action::GraphRead;
    let (data, refused) = told(&[read], "{ thing { open closed } }");
    assert_eq!(data, json!({"thing": {"open": 1, "closed": null}}));
    assert_eq!(refused, [r#"["thing","closed"]"#]);
    let (data, _) = told(&[read], "{ thing { open must } }");
    assert_eq!(
        data,
        json!({"thing": null}),
        "null goes up as for every error"
    );
    let (data, _) = told(&[read, Action::RoleList], "{ thing { must } }");
    assert_eq!(data, json!({"thing": {"must": 3}}));
    let engine = Engine::new(Asking, SDL, "asking.graphql").unwrap();
    let document = "query Q($n: Int) { any(first: $n) }";
    let answer = run(&engine, document, json!({"n": 1}));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
}

#[test]
fn clients_neither_see_nor_send_the_directive() {
    let document = r#"{ any @action(is: "graph:read") }"#;
    let unknown = ask(&[Action::UserList], document);
    let message = unknown["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("@action"), "{message}");
    assert!(unknown.get("data").is_none_or(Value::is_null));
    let introspection = "{ __schema { directives { name } } }";
    let shown = ask(&[], introspection)["data"].to_string();
    assert!(
        shown.contains("deprecated") && !shown.contains("action"),
        "{shown}"
    );
    let text = Schema::public_text(SDL, "asking.graphql").unwrap();
    let expected = "\n\"Reads.\"\ntype Query {\n  thing: Thing\n  both: Int\n  any(\n    \
                    first: Int\n  ): Int\n}\n\
                    type Thing { open: Int  closed: Int  must: Int! }\n";
    assert_eq!(text.trim_start(), expected.trim_start());
}

#[test]
fn a_contract_that_names_no_action_or_a_wrong_one_is_refused_with_its_line() {
    let wrong = |rest: &str| {
        let sdl = format!("{DIRECTIVE}\n{rest}");
        Schema::parse(&sdl, "wrong.graphql")
            .unwrap_err()
            .to_string()
    };
    for (rest, told) in [
        (
            "type Query {\n  a: Int\n}",
            "line 3: `Query.a` names no action",
        ),
        (
            "type Query @action(is: \"graph:read\") { a: Int }\ntype Mutation {\n\n  b: Int }",
            "line 5: `Mutation.b` names no action",
        ),
        (
            "type Query {\n  a: Int @action(is: \"graph:fly\")\n}",
            "line 3: \"graph:fly\" is no action",
        ),
        (
            "type Query {\n  a: Int @action(is: [])\n}",
            "line 3: `@action` names no action",
        ),
        (
            "type Query @action(is: \"graph:read\") { a: B }\ntype B @action(is: \"graph:read\") { c: Int }",
            "line 3: `B` is no root type: its fields name their actions themselves",
        ),
        (
            "type Query @action(is: \"graph:read\") { a: B }\n\
             interface B { c: Int @action(is: \"graph:read\") }",
            "line 3: `B.c` is of an interface: its objects name the action",
        ),
    ] {
        let expected = format!("the contract wrong.graphql is not valid: {told}");
        assert_eq!(wrong(rest), expected);
    }
}
