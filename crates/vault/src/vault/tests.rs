// SPDX-License-Identifier: Apache-2.0

use std::fs;

use durward_model::Instant;
use serde_json::{Map, Value};

use super::*;

struct Place {
    folder: tempfile::TempDir,
    master: Arc<MasterKeys>,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let master = Arc::new(MasterKeys::create(&folder.path().join("m.key")).unwrap());
        Self { folder, master }
    }

    fn key_file(&self) -> PathBuf {
        self.folder.path().join("m.key")
    }

    fn create(&self) -> Vault {
        Vault::create(self.folder.path(), "org", &self.master).unwrap()
    }

    fn reopen(&self) -> Result<Vault, VaultError> {
        let master = Arc::new(MasterKeys::load(&self.key_file())?);
        Vault::open(self.folder.path(), "org", &master)
    }
}

fn opened(vault: &Vault, sealed: &[u8]) -> Vec<u8> {
    vault.unseal("purpose", sealed).unwrap().expose().clone()
}

#[test]
fn everything_survives_a_restart() {
    let place = Place::new();
    let vault = place.create();
    let sealed = vault.seal("purpose", b"content").unwrap();
    let claims = serde_json::json!({"exp": 10}).as_object().unwrap().clone();
    let token = vault.token_keys().sign(&claims).unwrap();
    let again = place.reopen().unwrap();
    assert_eq!(opened(&again, &sealed), b"content");
    assert!(matches!(
        again.unseal("other", &sealed),
        Err(VaultError::Sealed)
    ));
    assert_eq!(again.id_secret(), vault.id_secret());
    assert_eq!(again.derive_key("a"), vault.derive_key("a"));
    assert_ne!(again.derive_key("a"), again.derive_key("b"));
    assert_eq!(again.head_key().public_key(), vault.head_key().public_key());
    assert!(
        again
            .token_keys()
            .verify(&token, Instant::from_millis(0))
            .is_ok()
    );
}

#[test]
fn another_organization_opens_nothing() {
    let place = Place::new();
    let (one, two) = (place.folder.path().join("1"), place.folder.path().join("2"));
    for folder in [&one, &two] {
        fs::create_dir(folder).unwrap();
    }
    let first = Vault::create(&one, "one", &place.master).unwrap();
    let second = Vault::create(&two, "two", &place.master).unwrap();
    let sealed = first.seal("purpose", b"content").unwrap();
    assert!(matches!(
        second.unseal("purpose", &sealed),
        Err(VaultError::Sealed)
    ));
    // A key store moved to another organization is noticed, even with its name edited.
    let error = Vault::open(&one, "two", &place.master).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("belongs to the organization one"),
        "{error}"
    );
    let text = fs::read_to_string(one.join(KEY_STORE_FILE)).unwrap();
    let renamed = text.replace("\"organization\": \"one\"", "\"organization\": \"two\"");
    fs::write(one.join(KEY_STORE_FILE), renamed).unwrap();
    assert!(matches!(
        Vault::open(&one, "two", &place.master),
        Err(VaultError::Sealed)
    ));
}

#[test]
fn the_wrong_master_key_is_named() {
    let place = Place::new();
    place.create();
    let other = Arc::new(MasterKeys::create(&place.folder.path().join("other.key")).unwrap());
    let error = Vault::open(place.folder.path(), "org", &other).unwrap_err();
    let VaultError::MasterKeyWrong { needed, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(needed, place.master.fingerprint());
}

#[test]
fn rotation_survives_a_crash_at_every_step() {
    let place = Place::new();
    let vault = place.create();
    let sealed = vault.seal("purpose", b"content").unwrap();
    let old = fs::read(place.key_file()).unwrap();

    let rotating = Arc::new(place.master.begin_rotation().unwrap());
    assert!(rotating.is_rotating());
    assert_eq!(opened(&place.reopen().unwrap(), &sealed), b"content");
    // Cut off here: the next attempt goes on with the same new key.
    let continued = Arc::new(MasterKeys::load(&place.key_file()).unwrap());
    let rotating = Arc::new(continued.begin_rotation().unwrap());
    assert_eq!(rotating.fingerprint(), continued.fingerprint());

    vault.rewrap(&rotating).unwrap();
    assert_eq!(opened(&place.reopen().unwrap(), &sealed), b"content");
    let finished = Arc::new(rotating.finish_rotation().unwrap());
    vault.use_master(&finished);
    assert!(!finished.is_rotating());
    assert_ne!(finished.fingerprint(), place.master.fingerprint());
    assert_eq!(opened(&place.reopen().unwrap(), &sealed), b"content");
    assert_eq!(opened(&vault, &sealed), b"content");
    // The old key no longer opens the store.
    fs::write(place.key_file(), old).unwrap();
    assert!(matches!(
        place.reopen(),
        Err(VaultError::MasterKeyWrong { .. })
    ));
}

#[test]
fn an_erased_subject_is_gone_and_the_others_stay() {
    let place = Place::new();
    let vault = place.create();
    let alice = vault.seal_for_subject("alice", "purpose", b"a").unwrap();
    let second = vault.seal_for_subject("alice", "purpose", b"a2").unwrap();
    let bob = vault.seal_for_subject("bob", "purpose", b"b").unwrap();
    let again = place.reopen().unwrap();
    assert_eq!(opened(&again, &alice), b"a");
    assert!(again.erase_subject("alice").unwrap());
    assert!(!again.erase_subject("alice").unwrap());
    assert!(
        !again.erase_subject("").unwrap(),
        "the organization's own key stays"
    );
    for vault in [&again, &place.reopen().unwrap()] {
        for sealed in [&alice, &second] {
            let error = vault.unseal("purpose", sealed);
            assert!(matches!(error, Err(VaultError::KeyErased { .. })));
        }
        assert_eq!(opened(vault, &bob), b"b");
    }
    // A new key for the same subject gets a new number: the old values stay unreadable.
    let fresh = again.seal_for_subject("alice", "purpose", b"new").unwrap();
    assert_eq!(opened(&again, &fresh), b"new");
    assert!(matches!(
        again.unseal("purpose", &alice),
        Err(VaultError::KeyErased { .. })
    ));
}

#[test]
fn damage_and_newer_formats_are_named() {
    let place = Place::new();
    place.create();
    let path = place.folder.path().join(KEY_STORE_FILE);
    let good: Map<String, Value> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    fs::write(&path, b"{").unwrap();
    assert!(matches!(
        place.reopen(),
        Err(VaultError::StoreDamaged { .. })
    ));
    let mut newer = good.clone();
    newer.insert("format".to_owned(), 3.into());
    newer.insert("more".to_owned(), 2.into());
    fs::write(&path, Value::from(newer).to_string()).unwrap();
    assert!(matches!(
        place.reopen(),
        Err(VaultError::StoreTooNew { format: 3, .. })
    ));
    let text = serde_json::to_string(&good).unwrap();
    assert!(!text.contains("PRIVATE"));
}

#[test]
fn token_keys_roll() {
    let place = Place::new();
    let vault = place.create();
    let claims = serde_json::json!({"exp": 10}).as_object().unwrap().clone();
    let now = Instant::from_millis(0);
    for keys in [Vault::token_keys, Vault::grant_keys] {
        let vault = place.reopen().unwrap();
        let token = keys(&vault).sign(&claims).unwrap();
        vault.add_token_key().unwrap();
        let newer = keys(&vault).sign(&claims).unwrap();
        let again = place.reopen().unwrap();
        assert!(keys(&again).verify(&token, now).is_ok());
        again.retire_old_token_keys().unwrap();
        assert_eq!(
            keys(&again).verify(&token, now),
            Err(crate::TokenError::UnknownKey)
        );
        assert!(keys(&place.reopen().unwrap()).verify(&newer, now).is_ok());
    }
    drop(vault);
}

/// The key store of a vault as the release before seals would have left it.
fn unsealed(place: &Place, vault: &Vault) -> Value {
    let keys = vault.keys.read();
    let bytes = keys.store.unsealed(&keys.open, &place.master).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn a_store_of_an_earlier_release_gets_its_grant_key_and_its_seal_once() {
    let place = Place::new();
    let vault = place.create();
    let path = place.folder.path().join(KEY_STORE_FILE);
    let mut store = unsealed(&place, &vault);
    let secrets = store["secrets"].as_object_mut().unwrap();
    secrets.retain(|name, _| !name.starts_with("grant key "));
    fs::write(&path, store.to_string()).unwrap();
    let first = place.reopen().unwrap();
    let id = first.grant_keys().current_key_id().to_owned();
    assert_ne!(id, vault.grant_keys().current_key_id());
    let again = place.reopen().unwrap();
    assert_eq!(again.grant_keys().current_key_id(), id);
    assert_eq!(again.generation(), first.generation());
    assert_eq!(
        first.token_keys().current_key_id(),
        vault.token_keys().current_key_id()
    );
}

#[test]
fn no_member_of_a_store_can_be_changed_taken_out_or_put_back() {
    let place = Place::new();
    let vault = place.create();
    vault.seal_for_subject("alice", "purpose", b"a").unwrap();
    let path = place.folder.path().join(KEY_STORE_FILE);
    let read = || -> Value { serde_json::from_slice(&fs::read(&path).unwrap()).unwrap() };
    let early = read();
    vault.add_token_key().unwrap();
    vault.retire_old_token_keys().unwrap();
    let good = read();
    let refused = |store: &Value, what: &str| {
        fs::write(&path, store.to_string()).unwrap();
        assert!(place.reopen().is_err(), "{what}");
    };
    for name in good.as_object().unwrap().keys() {
        let mut store = good.clone();
        store.as_object_mut().unwrap().remove(name);
        refused(&store, name);
        if store["format"].is_number() && early[name] != good[name] && name != "seal" {
            store[name] = early[name].clone();
            refused(&store, name);
        }
    }
    for name in good["secrets"].as_object().unwrap().keys() {
        let mut store = good.clone();
        store["secrets"].as_object_mut().unwrap().remove(name);
        refused(&store, name);
    }
    let mut back = good.clone();
    for (name, secret) in early["secrets"].as_object().unwrap() {
        back["secrets"][name] = secret.clone();
    }
    refused(&back, "retired keys are back");
    // Nor is a sealed file taken for one of the release that had no seal.
    for format in [0, 1] {
        let mut plain = back.clone();
        plain["format"] = format.into();
        plain.as_object_mut().unwrap().remove("seal");
        refused(&plain, "without a seal");
    }
    fs::write(&path, good.to_string()).unwrap();
    assert_eq!(place.reopen().unwrap().generation(), vault.generation());
    assert!(early["generation"].as_u64() < good["generation"].as_u64());
}

#[test]
fn replaced_keys_end_what_they_signed_and_no_other() {
    let place = Place::new();
    let vault = place.create();
    let claims = serde_json::json!({"exp": 10}).as_object().unwrap().clone();
    let now = Instant::from_millis(0);
    let token = vault.token_keys().sign(&claims).unwrap();
    let grant = vault.grant_keys().sign(&claims).unwrap();
    vault.replace_token_keys(TokenSort::Token).unwrap();
    for vault in [&vault, &place.reopen().unwrap()] {
        assert!(vault.token_keys().verify(&token, now).is_err());
        assert!(vault.grant_keys().verify(&grant, now).is_ok());
    }
    vault.replace_token_keys(TokenSort::Grant).unwrap();
    assert!(vault.grant_keys().verify(&grant, now).is_err());
    assert!(
        place
            .reopen()
            .unwrap()
            .grant_keys()
            .verify(&grant, now)
            .is_err()
    );
}

#[test]
fn a_replaced_head_key_stands_for_what_it_signed_before() {
    use durward_journal::HeadSigner as _;
    use durward_model::transaction::Sequence;
    let place = Place::new();
    let vault = place.create();
    let keys = vault.head_key();
    let (id, signature) = (keys.key_id(), keys.sign(b"head"));
    let head = |sequence| durward_journal::Head {
        sequence: Sequence(sequence),
        ..Default::default()
    };
    let over = vault.replace_head_key(&head(5)).unwrap();
    assert!(over.is_signed() && over.sequence == 5);
    vault.replace_head_key(&head(8)).unwrap();
    for keys in [keys, place.reopen().unwrap().head_key()] {
        assert_ne!(keys.key_id(), id);
        assert!(keys.verify(&id, Sequence(5), b"head", &signature));
        assert!(!keys.verify(&id, Sequence(6), b"head", &signature));
        let newest = keys.sign(b"new");
        assert!(keys.verify(&keys.key_id(), Sequence(9), b"new", &newest));
    }
}
