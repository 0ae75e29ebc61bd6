// SPDX-License-Identifier: Apache-2.0

use aws_lc_rs::hmac;
use serde_json::json;

use super::*;

const NOW: Instant = Instant::from_millis(1_800_000_000_000);

fn keys() -> TokenKeys {
    keys_of(Algorithm::Rs256)
}

fn keys_of(algorithm: Algorithm) -> TokenKeys {
    let document = TokenKeys::generate(algorithm).unwrap();
    TokenKeys::from_pkcs8(algorithm, [document.expose().as_slice()]).unwrap()
}

fn claims(extra: &Value) -> Map<String, Value> {
    let mut claims = json!({"sub": "a", "exp": 1_800_000_060, "nbf": 1_800_000_000});
    claims
        .as_object_mut()
        .unwrap()
        .extend(extra.as_object().unwrap().clone());
    claims.as_object().unwrap().clone()
}

fn part(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

#[test]
fn signs_and_verifies() {
    let keys = keys();
    let claims = claims(&json!({"orgs": ["x"]}));
    let token = keys.sign(&claims).unwrap();
    assert!(has_token_shape(&token));
    let verified = keys.verify(&token, NOW).unwrap();
    assert_eq!(verified.claims, claims);
    assert_eq!(verified.key_id, keys.current_key_id());
    assert_eq!(unverified_claims(&token), Some(claims));
}

#[test]
fn every_altered_character_is_noticed() {
    let keys = keys();
    let token = keys.sign(&claims(&json!({}))).unwrap();
    for position in (0..token.len()).step_by(7) {
        let mut bytes = token.clone().into_bytes();
        let byte = bytes.get_mut(position).unwrap();
        *byte = if *byte == b'A' { b'B' } else { b'A' };
        assert!(
            keys.verify(std::str::from_utf8(&bytes).unwrap(), NOW)
                .is_err(),
            "{position}"
        );
    }
}

#[test]
fn only_the_issued_algorithm_counts() {
    let keys = keys();
    let kid = keys.current_key_id().to_owned();
    let body = part(&Value::Object(claims(&json!({}))));
    for algorithm in ["none", "None", "HS256", "RS512", "rs256", "EdDSA", ""] {
        let header = part(&json!({"alg": algorithm, "kid": kid}));
        // The classic confusion: the public key used as the secret of an HMAC.
        let public = keys.public_keys().next().unwrap().1;
        let secret = hmac::Key::new(hmac::HMAC_SHA256, public);
        let message = format!("{header}.{body}");
        let tag = URL_SAFE_NO_PAD.encode(hmac::sign(&secret, message.as_bytes()));
        for token in [format!("{message}."), format!("{message}.{tag}")] {
            let expected = TokenError::Algorithm {
                algorithm: algorithm.to_owned(),
            };
            assert_eq!(keys.verify(&token, NOW), Err(expected));
        }
    }
    let unsigned = format!("{}.{body}.", part(&json!({"alg": "RS256", "kid": kid})));
    assert_eq!(keys.verify(&unsigned, NOW), Err(TokenError::Signature));
    let critical = part(&json!({"alg": "RS256", "kid": kid, "crit": ["b64"]}));
    let token = format!("{critical}.{body}.");
    assert!(matches!(
        keys.verify(&token, NOW),
        Err(TokenError::Malformed { .. })
    ));
}

#[test]
fn keys_and_times_are_checked() {
    let (keys, other) = (keys(), keys());
    let token = other.sign(&claims(&json!({}))).unwrap();
    assert_eq!(keys.verify(&token, NOW), Err(TokenError::UnknownKey));
    let (_, rest) = token.split_once('.').unwrap();
    let header = part(&json!({"alg": "RS256", "kid": keys.current_key_id()}));
    assert_eq!(
        keys.verify(&format!("{header}.{rest}"), NOW),
        Err(TokenError::Signature)
    );
    let no_kid = part(&json!({"alg": "RS256"}));
    assert_eq!(
        keys.verify(&format!("{no_kid}.{rest}"), NOW),
        Err(TokenError::UnknownKey)
    );

    let token = keys.sign(&claims(&json!({}))).unwrap();
    assert!(keys.verify(&token, NOW.plus_seconds(59)).is_ok());
    assert_eq!(
        keys.verify(&token, NOW.plus_seconds(60)),
        Err(TokenError::Expired)
    );
    assert_eq!(
        keys.verify(&token, NOW.plus_seconds(-3600)),
        Err(TokenError::NotYetValid)
    );
    let mut endless = claims(&json!({}));
    endless.remove("exp");
    for bad in [endless, claims(&json!({"exp": "never"}))] {
        let token = keys.sign(&bad).unwrap();
        assert!(matches!(
            keys.verify(&token, NOW),
            Err(TokenError::Malformed { .. })
        ));
    }
}

#[test]
fn garbage_is_refused() {
    let keys = keys();
    let long = format!("eyJ.{}.x", "a".repeat(TOKEN_BYTES_MAX));
    for garbage in ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", "eyJ.ü.x", &long] {
        assert!(matches!(
            keys.verify(garbage, NOW),
            Err(TokenError::Malformed { .. })
        ));
        assert_eq!(unverified_claims(garbage), None);
    }
}

#[test]
fn a_new_key_signs_and_the_old_one_still_verifies() {
    for algorithm in [Algorithm::Rs256, Algorithm::EdDsa] {
        let (first, second) = (
            TokenKeys::generate(algorithm).unwrap(),
            TokenKeys::generate(algorithm).unwrap(),
        );
        let documents = [first.expose().as_slice(), second.expose().as_slice()];
        let old = TokenKeys::from_pkcs8(algorithm, [documents[0]]).unwrap();
        let token = old.sign(&claims(&json!({}))).unwrap();
        let both = TokenKeys::from_pkcs8(algorithm, documents).unwrap();
        assert_ne!(both.current_key_id(), old.current_key_id());
        assert!(both.verify(&token, NOW).is_ok());
        let newer = both.sign(&claims(&json!({}))).unwrap();
        assert_eq!(old.verify(&newer, NOW), Err(TokenError::UnknownKey));
    }
}

#[test]
fn keys_of_one_algorithm_refuse_the_other() {
    let (rsa, ed) = (keys(), keys_of(Algorithm::EdDsa));
    let claims = claims(&json!({}));
    for (own, other, name) in [(&rsa, &ed, "EdDSA"), (&ed, &rsa, "RS256")] {
        let token = other.sign(&claims).unwrap();
        assert_eq!(other.verify(&token, NOW).unwrap().claims, claims);
        assert_eq!(named_algorithm(&token).unwrap().name(), name);
        let refused = TokenError::Algorithm {
            algorithm: name.to_owned(),
        };
        assert_eq!(own.verify(&token, NOW), Err(refused));
        let (_, rest) = token.split_once('.').unwrap();
        let header = part(&json!({"alg": own.algorithm.name(), "kid": own.current_key_id()}));
        assert_eq!(
            own.verify(&format!("{header}.{rest}"), NOW),
            Err(TokenError::Signature)
        );
    }
    assert_eq!(named_algorithm("eyJ.x.y"), None);
}
