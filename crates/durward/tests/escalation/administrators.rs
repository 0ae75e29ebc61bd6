// SPDX-License-Identifier: Apache-2.0
//! Of two administrators who end each other at once one stays, through whichever interface.

use std::sync::Barrier;

use serde_json::json;

use crate::common::{NATIVE, data};
use crate::world::World;

const SUSPEND: &str = "mutation S($id: ID!) { suspendAccount(id: $id) { active } }";
const RESUME: &str = "mutation R($id: ID!) { resumeAccount(id: $id) { active } }";
const ROUNDS: usize = 8;

#[test]
fn two_administrators_who_suspend_each_other_leave_one() {
    let world = World::start();
    let first = world.administrator();
    let caller = data(&world.chief, NATIVE, "{ caller { email } }", &json!({}));
    let email = caller["caller"]["email"].clone();
    let create = "mutation { createAccount(input: {email: \"second@testbed.example\",
        role: \"Administrator\"}) { id } }";
    let made = data(&world.chief, NATIVE, create, &json!({}));
    let second = made["createAccount"]["id"].as_str().unwrap().to_owned();
    let mut sdk = world.sdk_of(&second, None);
    let other = world.bearer(&second, "api_token");
    let user = json!({"id": first, "email": email, "permission_levelRW": "suspended"});
    let of_first = json!({"id": first, "account": {"user": user}});
    let of_second = json!({ "id": second });
    for round in 0..ROUNDS {
        let start = Barrier::new(2);
        let (by_first, by_second) = std::thread::scope(|scope| {
            let by_first = scope.spawn(|| {
                start.wait();
                let answer = world.chief.graphql(NATIVE, SUSPEND, &of_second);
                answer.unwrap()["errors"].is_null()
            });
            start.wait();
            let by_second = sdk.ask("Accounts.Update", &of_first).is_ok();
            (by_first.join().unwrap(), by_second)
        });
        assert_ne!(by_first, by_second, "round {round}: one of them stays");
        if by_first {
            data(&world.chief, NATIVE, RESUME, &of_second);
        } else {
            let id = json!({"id": first.trim_start_matches("a-")});
            data(&other, NATIVE, RESUME, &id);
        }
    }
}
