//! Where seal keys, shares and passphrases stand while they are used, and what is left of them.

use std::mem::forget;

use super::{look_after, search};
use crate::memory::Locked;
use crate::parsed::lock;
use crate::{PassphraseCost, RootKey, SALT, SealKey, Share, random};

/// A passphrase that stands in locked memory, where the search doesn't count it.
fn passphrase() -> Locked {
    Locked::filled::<crate::Error>(48, random::fill).unwrap()
}

#[test]
fn seal_keys_shares_and_passphrases_stand_in_locked_memory_only() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("seal.key");
    let from_file = SealKey::create_file(&path).unwrap();
    let (key, root) = (SealKey::generate().unwrap(), RootKey::generate().unwrap());
    let wrapped_root = key.wrap_root_key(&root, b"b").unwrap();
    let wrapped_key = root.wrap_seal_key(&key, b"b").unwrap();
    let shares = key.split(2, 3).unwrap();
    let of_shares = [&shares[0], &shares[2]];
    let (secret, cost) = (passphrase(), PassphraseCost::new(8192, 1, 2).unwrap());
    let stretched = SealKey::from_passphrase(secret.expose(), &[1; SALT], cost).unwrap();
    let operations: [&(dyn Fn() + Sync); 9] = [
        &|| forget(SealKey::read_file(&path).unwrap()),
        &|| drop(key.wrap_root_key(&root, b"b").unwrap()),
        &|| forget(key.unwrap_root_key(&wrapped_root, b"b").unwrap()),
        &|| drop(root.wrap_seal_key(&key, b"b").unwrap()),
        &|| forget(root.unwrap_seal_key(&wrapped_key, b"b").unwrap()),
        &|| forget(key.split(3, 5).unwrap()),
        &|| forget(SealKey::combine(&of_shares).unwrap()),
        &|| assert_eq!(shares[1].id().unwrap().len(), 32),
        &|| forget(SealKey::from_passphrase(secret.expose(), &[1; SALT], cost).unwrap()),
    ];
    let wanted = [
        ("key", key.locked()),
        ("key of the file", from_file.locked()),
        ("root key", root.locked()),
        ("key of the passphrase", stretched.locked()),
        ("passphrase", &secret),
        ("share", shares[0].value()),
        ("share", shares[1].value()),
    ];
    look_after(&operations, || {
        let found = search(&wanted.map(|(_, bytes)| bytes.expose()));
        for ((name, _), (locked, elsewhere)) in wanted.iter().zip(found) {
            assert!(locked >= 2, "the search does not find the {name} where it is");
            assert_eq!(elsewhere, 0, "the {name} stands outside locked memory");
        }
    });
}

#[test]
fn nothing_is_left_of_what_was_handed_out() {
    let key = SealKey::generate().unwrap();
    let share = key.split(2, 2).unwrap().remove(0);
    let wanted = lock(share.text().unwrap().as_bytes()).unwrap();
    let operations: [&(dyn Fn() + Sync); 3] = [
        &|| drop(share.text().unwrap()),
        &|| forget(Share::parse(str::from_utf8(wanted.expose()).unwrap()).unwrap()),
        &|| drop(key.for_kms()),
    ];
    look_after(&operations, || {
        let bytes = [wanted.expose(), share.value().expose(), key.locked().expose()];
        for (name, (_, elsewhere)) in ["text", "share", "key"].into_iter().zip(search(&bytes)) {
            assert_eq!(elsewhere, 0, "the {name} is left behind");
        }
    });
}
