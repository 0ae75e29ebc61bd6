// SPDX-License-Identifier: Apache-2.0
//! SDKs before version 7: they know the fields 5 and 7 of a user, and not 10 and 11.

use durward_dialect_strongdm::wire::{put_bytes, put_integer};
use prost_reflect::DynamicMessage;

use crate::common;
use crate::wire::Wire;
use durward_dialect_strongdm::Contract;

/// What an old SDK says of a user.
#[derive(Clone, Copy, Debug, Default)]
struct Old<'o> {
    id: &'o str,
    email: &'o str,
    is_suspended: bool,
    level: &'o str,
    /// The field of newer SDKs.
    new_level: &'o str,
}

impl Old<'_> {
    fn message(self) -> Vec<u8> {
        let mut user = Vec::new();
        for (number, text) in [
            (1, self.id),
            (2, self.email),
            (7, self.level),
            (11, self.new_level),
        ] {
            if !text.is_empty() {
                put_bytes(&mut user, number, text.as_bytes());
            }
        }
        put_integer(&mut user, 5, i64::from(self.is_suspended));
        let (mut account, mut request) = (Vec::new(), Vec::new());
        put_bytes(&mut account, 1, &user);
        if self.id.is_empty() {
            put_bytes(&mut request, 2, &account);
        } else {
            put_bytes(&mut request, 2, self.id.as_bytes());
            put_bytes(&mut request, 3, &account);
        }
        request
    }

    /// Sends it; answers with the id, and the fields 5, 7, 10 and 11 of the user.
    fn send(self, wire: &mut Wire, contract: &Contract) -> (String, bool, String, bool, String) {
        let method = if self.id.is_empty() {
            "Create"
        } else {
            "Update"
        };
        let path = format!("/v1.Accounts/{method}");
        let answer = wire.send(&wire.call(&path, &self.message()));
        assert_eq!(answer.code, "0", "{self:?}: {}", answer.message);
        let output = contract.method(&path).unwrap().output.clone();
        let message = DynamicMessage::decode(output, &answer.body[5..]).unwrap();
        let account = message.get_field_by_name("account").unwrap().into_owned();
        let user = account.as_message().unwrap().get_field_by_name("user");
        let user = user.unwrap().into_owned();
        let user = user.as_message().unwrap();
        let text = |number| {
            let value = user.get_field_by_number(number).unwrap().into_owned();
            value.as_str().unwrap().to_owned()
        };
        let flag = |number| user.get_field_by_number(number).unwrap().as_bool().unwrap();
        (text(1), flag(5), text(7), flag(10), text(11))
    }
}

#[test]
fn old_fields_of_a_user_are_listened_to_where_the_new_one_is_absent() {
    let server = common::start();
    let mut wire = Wire::new(&server);
    let contract = Contract::load().unwrap();
    let mut email = 0;
    let mut made = |wire: &mut Wire, old: Old<'_>| {
        email += 1;
        let email = format!("old{email}");
        Old {
            email: &email,
            ..old
        }
        .send(wire, &contract)
    };
    let plain = made(&mut wire, Old::default());
    assert_eq!((plain.1, plain.3, plain.4.as_str()), (false, false, "user"));
    let level = Old {
        level: "admin",
        ..Old::default()
    };
    assert_eq!(made(&mut wire, level).4, "admin");
    let newer = Old {
        level: "admin",
        is_suspended: true,
        new_level: "user",
        ..Old::default()
    };
    let newer = made(&mut wire, newer);
    assert_eq!((newer.3, newer.4.as_str()), (false, "user"));
    let asleep = Old {
        is_suspended: true,
        ..Old::default()
    };
    let asleep = made(&mut wire, asleep);
    assert_eq!(
        (asleep.1, asleep.3, asleep.4.as_str()),
        (true, true, "suspended")
    );
    // The old level is apart from being suspended, so that it can be sent back.
    assert_eq!(asleep.2, "user");
}

#[test]
fn an_update_without_the_fields_of_a_level_leaves_it() {
    let server = common::start();
    let mut wire = Wire::new(&server);
    let contract = Contract::load().unwrap();
    let first = Old {
        email: "old",
        level: "multi-team-leader",
        ..Old::default()
    };
    let (id, ..) = first.send(&mut wire, &contract);
    let mut update = |is_suspended: bool, level: &str, new_level: &str| {
        let old = Old {
            id: &id,
            email: "old",
            is_suspended,
            level,
            new_level,
        };
        let (_, old_suspended, old_level, suspended, level) = old.send(&mut wire, &contract);
        assert_eq!(old_suspended, suspended);
        (old_level, level)
    };
    let leader = || {
        (
            "multi-team-leader".to_owned(),
            "multi-team-leader".to_owned(),
        )
    };
    let user = || ("user".to_owned(), "user".to_owned());
    let suspended = || ("user".to_owned(), "suspended".to_owned());
    assert_eq!(update(false, "", ""), leader());
    assert_eq!(update(false, "multi-team-leader", ""), leader());
    assert_eq!(update(true, "multi-team-leader", ""), suspended());
    assert_eq!(update(false, "", ""), suspended());
    assert_eq!(update(true, "user", ""), suspended());
    // What an SDK before version 7 sends that ends a suspension.
    assert_eq!(update(false, "user", ""), user());
    assert_eq!(update(false, "suspended", ""), suspended());
    assert_eq!(update(false, "", "user"), user());
    assert_eq!(update(false, "", ""), user());
}
