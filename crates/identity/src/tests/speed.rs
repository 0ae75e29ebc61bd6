// SPDX-License-Identifier: Apache-2.0
//! How long authentication takes. Run in a release build:
//! `cargo test --release -p durward-identity --lib -- --ignored --nocapture speed`.

use std::time::Duration;

use durward_vault::digest;

use super::*;

/// Runs a piece of work many times and says how long once takes.
#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn time(name: &str, times: u32, mut work: impl FnMut()) -> Duration {
    work();
    let start = std::time::Instant::now();
    for _ in 0..times {
        work();
    }
    let each = start.elapsed() / times;
    println!("{name}: {each:?}");
    each
}

#[test]
#[ignore = "a measurement, of meaning in a release build only"]
fn authentication_and_grants_are_fast() {
    let world = World::new();
    let organizations = world.open();
    let now = world.now();
    let presented = Presented {
        user_agent: "strongdm-sdk-python/18.4.0",
        source_address: "192.0.2.1",
        request_id: "0123456789abcdef",
        ..Presented::default()
    };
    let (key, secret) = (
        &world.output.strongdm.access_key,
        &world.output.strongdm.secret_key,
    );
    let digest = digest::sha256(b"Roles.List\n\x0a\x00");
    let date = now.to_rfc3339_millis()[..10].to_owned();
    let signature = super::signed::signature(secret, &date, &digest);
    let signed = time("signed request", 200_000, || {
        let caller = organizations.authenticate_signed(&presented, key, &digest, &signature, now);
        assert!(caller.is_ok());
    });
    let (id, secret) = (
        &world.output.cyral.client_id,
        &world.output.cyral.client_secret,
    );
    let grant = || {
        let granted = organizations.grant_client_credentials(id, secret, &presented, now);
        granted.unwrap()
    };
    let granting = time("token grant", 5_000, || drop(grant()));
    let header = format!("Bearer {}", grant().access_token.expose());
    let bearer = Presented {
        authorization: Some(&header),
        ..presented
    };
    let entering = time("access token", 200_000, || {
        assert!(organizations.authenticate(&bearer, now).is_ok());
    });
    if cfg!(not(debug_assertions)) {
        assert!(signed < Duration::from_micros(6), "{signed:?}");
        assert!(granting < Duration::from_micros(500), "{granting:?}");
        assert!(entering < Duration::from_micros(6), "{entering:?}");
    }
}
