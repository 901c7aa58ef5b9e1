//! Tests of the seal key's wrappings, and of Argon2id against RFC 9106.

use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};

use super::*;

fn refused<T>(result: Result<T, Error>) {
    assert!(matches!(result.err(), Some(Error::Unopened(_))));
}

#[test]
fn root_key_and_seal_key_open_under_each_other_and_with_their_binding_only() {
    let (seal, root) = (SealKey::generate().unwrap(), RootKey::generate().unwrap());
    let wrapped = seal.wrap_root_key(&root, b"binding").unwrap();
    let opened = seal.unwrap_root_key(&wrapped, b"binding").unwrap();
    assert_eq!(opened.locked().expose(), root.locked().expose());
    let back = root.wrap_seal_key(&seal, b"binding").unwrap();
    let opened = root.unwrap_seal_key(&back, b"binding").unwrap();
    assert_eq!(opened.locked().expose(), seal.locked().expose());

    refused(seal.unwrap_root_key(&wrapped, b"bindinh"));
    refused(root.unwrap_seal_key(&back, b"bindinh"));
    refused(SealKey::generate().unwrap().unwrap_root_key(&wrapped, b"binding"));
    refused(RootKey::generate().unwrap().unwrap_seal_key(&back, b"binding"));
    for position in 0..wrapped.len() {
        let mut altered = wrapped.clone();
        altered[position] ^= 1;
        refused(seal.unwrap_root_key(&altered, b"binding"));
        refused(seal.unwrap_root_key(&wrapped[..position], b"binding"));
    }
}

#[test]
fn one_wrapping_is_none_of_another_under_the_same_bytes() {
    let same = || lock(&[5; LEN]).unwrap();
    let (seal, root) = (SealKey::from_locked(same()), RootKey::from_locked(same()));
    let wrapped = seal.wrap_root_key(&root, b"b").unwrap();
    refused(root.unwrap_seal_key(&wrapped, b"b"));
    refused(seal.unwrap_root_key(&root.wrap_seal_key(&seal, b"b").unwrap(), b"b"));
    refused(seal.unwrap_root_key(&root.wrap_root_key(&root).unwrap(), b""));
}

#[test]
fn what_a_kms_gives_back_is_the_same_key_or_refused() {
    let seal = SealKey::generate().unwrap();
    let back = SealKey::from_kms(&seal.for_kms()).unwrap();
    assert_eq!(back.locked().expose(), seal.locked().expose());
    for len in [0, 31, 33] {
        refused(SealKey::from_kms(&vec![7; len]));
    }
}

#[test]
fn the_mac_is_of_its_root_key_and_description() {
    let root = RootKey::generate().unwrap();
    let mac = root.seal_set_mac(b"description").unwrap();
    root.verify_seal_set_mac(b"description", &mac).unwrap();
    root.duplicate().unwrap().verify_seal_set_mac(b"description", &mac).unwrap();
    let wrong = |root: &RootKey, description: &[u8], mac: &[u8]| {
        let refused = root.verify_seal_set_mac(description, mac);
        assert!(matches!(refused, Err(Error::InvalidMac)));
    };
    wrong(&root, b"descriptioo", &mac);
    wrong(&RootKey::generate().unwrap(), b"description", &mac);
    wrong(&root, b"description", &mac[..31]);
    wrong(&root, b"description", &[]);
}

#[test]
fn a_passphrase_salt_and_cost_each_give_another_key() {
    let cost = |memory, passes, lanes| PassphraseCost::new(memory, passes, lanes).unwrap();
    let key = |passphrase: &[u8], salt: u8, cost| {
        SealKey::from_passphrase(passphrase, &[salt; SALT], cost).unwrap()
    };
    let least = cost(8192, 1, 1);
    let base = key(b"a passphrase", 1, least);
    let again = key(b"a passphrase", 1, least);
    assert_eq!(base.locked().expose(), again.locked().expose());
    for other in [
        key(b"a passphrasf", 1, least),
        key(b"a passphrase", 2, least),
        key(b"a passphrase", 1, cost(8193, 1, 1)),
        key(b"a passphrase", 1, cost(8192, 2, 1)),
        key(b"a passphrase", 1, cost(8192, 1, 2)),
        key(b"", 1, least),
    ] {
        assert_ne!(base.locked().expose(), other.locked().expose());
    }
}

#[test]
fn costs_out_of_bounds_cannot_be_expressed() {
    for (memory, passes, lanes) in [
        (8191, 1, 1),
        (2 * 1024 * 1024 + 1, 1, 1),
        (8192, 0, 1),
        (8192, 17, 1),
        (8192, 1, 0),
        (8192, 1, 17),
        (0, 0, 0),
        (u32::MAX, u32::MAX, u32::MAX),
    ] {
        assert!(PassphraseCost::new(memory, passes, lanes).is_none());
    }
    let recommended = PassphraseCost::RECOMMENDED;
    let again =
        PassphraseCost::new(recommended.memory_kib(), recommended.passes(), recommended.lanes());
    assert_eq!(again, Some(recommended));
}

/// RFC 9106, 5.3: the library under our memory gives the standard's tag.
#[test]
fn argon2id_is_the_one_of_rfc_9106() {
    let params = ParamsBuilder::new()
        .m_cost(32)
        .t_cost(3)
        .p_cost(4)
        .data(AssociatedData::new(&[4; 12]).unwrap())
        .output_len(32)
        .build()
        .unwrap();
    let secret = [3; 8];
    let mut scratch = crate::memory::Scratch::of(params.block_count()).unwrap();
    let argon2 =
        Argon2::new_with_secret(&secret, Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let mut tag = [0; 32];
    argon2
        .hash_password_into_with_memory(&[1; 32], &[2; 16], &mut tag, scratch.blocks_mut())
        .unwrap();
    let expected = [
        0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b, 0x53,
        0xc9, 0xd0, 0x1e, 0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01,
        0xe6, 0x59,
    ];
    assert_eq!(tag, expected);
}
