//! Where the keys of the other kinds stand while they are used, and what is left of them.
//!
//! MAC and Ed25519 keys may stand in locked memory only. RSA, elliptic curve, ML-DSA and ML-KEM
//! keys stand in the library's memory as well while a handle lives, and nowhere after it.

use std::mem::forget;

use super::{look_after, search};
use crate::memory::Locked;
use crate::parsed::lock;
use crate::{
    Curve, DomainKey, EcKey, Ed25519Key, ImportKey, MacKey, MacSpec, Message, MlDsaKey, MlDsaSpec,
    MlKemKey, MlKemSpec, RsaEncryptionAlgorithm, RsaKey, RsaSigningAlgorithm, RsaSpec,
    WrappingAlgorithm,
};

#[test]
fn mac_and_ed25519_keys_stand_in_locked_memory_only() {
    let domain = DomainKey::generate().unwrap();
    let (mac, signing) = (MacKey::generate(MacSpec::Hmac256), Ed25519Key::generate());
    let (mac, signing) = (mac.unwrap(), signing.unwrap());
    let pkcs8 = signing.pkcs8().unwrap();
    let (wrapped_mac, wrapped) =
        (domain.wrap_mac(&mac, b"b").unwrap(), domain.wrap_ed25519(&signing, b"b").unwrap());
    let operations: [&(dyn Fn() + Sync); 9] = [
        &|| forget(mac.mac(b"message").unwrap()),
        &|| drop(mac.verify(b"message", &[0; 32]).unwrap_err()),
        &|| assert_eq!(mac.material_id(b"id").unwrap().len(), 32),
        &|| forget(domain.unwrap_mac(MacSpec::Hmac256, &wrapped_mac, b"b").unwrap()),
        &|| forget(signing.sign(b"message").unwrap()),
        &|| forget(signing.sign_digest(&[7; 64]).unwrap()),
        &|| forget(domain.wrap_ed25519(&signing, b"b").unwrap()),
        &|| forget(domain.unwrap_ed25519(&wrapped, b"b").unwrap()),
        &|| forget(Ed25519Key::from_pkcs8(pkcs8.expose()).unwrap()),
    ];
    let seed = &pkcs8.expose()[16..];
    look_after(&operations, || {
        for (name, (locked, elsewhere)) in
            ["MAC key", "seed"].into_iter().zip(search(&[mac.locked().expose(), seed]))
        {
            assert!(locked >= 2, "the search does not find the {name} where it is");
            assert_eq!(elsewhere, 0, "the {name} stands outside locked memory");
        }
    });
}

/// A part of a private key in PKCS#8 and, as the library holds integers, its bytes turned round.
fn part(pkcs8: &Locked, start: usize, len: usize) -> [Locked; 2] {
    let part = &pkcs8.expose()[start..start + len];
    let turned = Locked::filled::<crate::Error>(len, |slot| {
        slot.copy_from_slice(part);
        slot.reverse();
        Ok(())
    });
    [lock(part).unwrap(), turned.unwrap()]
}

/// Counts each form outside locked memory, with the handles of `keys` alive and without them.
fn outside<K: Sync>(key: K, wanted: &[Locked], operations: &[&(dyn Fn(&K) + Sync)]) -> [usize; 2] {
    let wanted: Vec<_> = wanted.iter().map(Locked::expose).collect();
    let elsewhere = || search(&wanted).into_iter().map(|(_, elsewhere)| elsewhere).sum();
    let mut alive = 0;
    let bound: Vec<_> = operations.iter().map(|operation| || operation(&key)).collect();
    let bound: Vec<_> = bound.iter().map(|operation| operation as &(dyn Fn() + Sync)).collect();
    look_after(&bound, || alive = elsewhere());
    drop((bound, operations));
    drop(key);
    [alive, elsewhere()]
}

#[test]
fn nothing_is_left_of_an_rsa_key_when_its_handle_is_gone() {
    let domain = DomainKey::generate().unwrap();
    let key = RsaKey::generate(RsaSpec::Rsa2048).unwrap();
    let pkcs8 = key.pkcs8().unwrap();
    // The primes are the two integers of 128 bytes behind d, in the second half.
    let prime = [0x02, 0x81, 0x81, 0x00];
    let start = pkcs8.expose().windows(4).position(|window| window == prime).unwrap() + 4;
    let wanted = part(&pkcs8, start, 128);
    let wrapped = domain.wrap_rsa(&key, b"b").unwrap();
    let padding = RsaEncryptionAlgorithm::OaepSha256;
    let ciphertext = key.encrypt(padding, b"plaintext").unwrap();
    let [alive, gone] = outside(
        key,
        &wanted,
        &[
            &|key| forget(key.sign(RsaSigningAlgorithm::PssSha256, Message::Raw(b"m")).unwrap()),
            &|key| forget(key.decrypt(padding, &ciphertext).unwrap()),
            &|key| forget(domain.wrap_rsa(key, b"b").unwrap()),
            &|_| drop(domain.unwrap_rsa(RsaSpec::Rsa2048, &wrapped, b"b").unwrap()),
        ],
    );
    assert!(alive >= 1, "the library holds the primes, or the search doesn't find them");
    assert_eq!(gone, 0, "a prime is left behind");
}

#[test]
fn a_secp256k1_key_stands_in_locked_memory_only() {
    let domain = DomainKey::generate().unwrap();
    let key = EcKey::generate(Curve::Secp256k1).unwrap();
    let wanted = part(&key.pkcs8().unwrap(), 33, 32);
    let wrapped = domain.wrap_ec(&key, b"b").unwrap();
    let operations: [&(dyn Fn() + Sync); 4] = [
        &|| forget(key.sign(Message::Raw(b"message")).unwrap()),
        &|| forget(key.sign(Message::Digest(&[7; 32])).unwrap()),
        &|| forget(domain.wrap_ec(&key, b"b").unwrap()),
        &|| forget(domain.unwrap_ec(Curve::Secp256k1, &wrapped, b"b").unwrap()),
    ];
    look_after(&operations, || {
        let found = search(&wanted.each_ref().map(Locked::expose));
        assert!(found[0].0 >= 2, "the search does not find the scalar where it is");
        for (_, elsewhere) in found {
            assert_eq!(elsewhere, 0, "the scalar stands outside locked memory");
        }
    });
}

#[test]
fn nothing_is_left_of_an_elliptic_curve_key_when_its_handle_is_gone() {
    let domain = DomainKey::generate().unwrap();
    let key = EcKey::generate(Curve::P256).unwrap();
    let pkcs8 = key.pkcs8().unwrap();
    let wanted = part(&pkcs8, 36, 32);
    let wrapped = domain.wrap_ec(&key, b"b").unwrap();
    let peer = EcKey::generate(Curve::P256).unwrap().public_key().to_vec();
    let [alive, gone] = outside(
        key,
        &wanted,
        &[
            &|key| forget(key.sign(Message::Raw(b"m")).unwrap()),
            &|key| forget(key.agree(&peer).unwrap()),
            &|key| forget(domain.wrap_ec(key, b"b").unwrap()),
            &|_| drop(domain.unwrap_ec(Curve::P256, &wrapped, b"b").unwrap()),
        ],
    );
    assert!(alive >= 1, "the library holds the scalar, or the search doesn't find it");
    assert_eq!(gone, 0, "a scalar is left behind");
}

#[test]
fn nothing_is_left_of_a_seed_when_its_handle_is_gone() {
    let domain = DomainKey::generate().unwrap();
    let key = MlDsaKey::generate(MlDsaSpec::MlDsa65).unwrap();
    let wanted = [lock(&key.pkcs8().expose()[22..]).unwrap()];
    let wrapped = domain.wrap_ml_dsa(&key, b"b").unwrap();
    let [alive, gone] = outside(
        key,
        &wanted,
        &[
            &|key| forget(key.sign(b"message").unwrap()),
            &|key| forget(key.sign_mu(&[7; 64]).unwrap()),
            &|_| drop(domain.unwrap_ml_dsa(MlDsaSpec::MlDsa65, &wrapped, b"b").unwrap()),
        ],
    );
    assert!(alive >= 1, "the library holds the seed, or the search doesn't find it");
    assert_eq!(gone, 0, "an ML-DSA seed is left behind");

    let key = MlKemKey::generate(MlKemSpec::MlKem768).unwrap();
    let wanted = [lock(&key.pkcs8().expose()[22..]).unwrap()];
    let wrapped = domain.wrap_ml_kem(&key, b"b").unwrap();
    let ciphertext = key.encapsulate().unwrap().ciphertext;
    let [alive, gone] = outside(
        key,
        &wanted,
        &[
            &|key| forget(key.encapsulate().unwrap().ciphertext),
            &|key| forget(key.decapsulate(&ciphertext).unwrap()),
            &|_| drop(domain.unwrap_ml_kem(MlKemSpec::MlKem768, &wrapped, b"b").unwrap()),
        ],
    );
    assert!(alive >= 1, "the library holds the seed, or the search doesn't find it");
    assert_eq!(gone, 0, "an ML-KEM seed is left behind");
}

#[test]
fn imported_material_and_its_aes_key_stand_in_locked_memory_only() {
    use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded};
    let key = ImportKey::generate(RsaSpec::Rsa2048).unwrap();
    let kek = Locked::filled::<crate::Error>(32, crate::random::fill).unwrap();
    let material = Locked::filled::<crate::Error>(32, crate::random::fill).unwrap();
    // What the client does is done far away, so that its traces aren't taken for ours.
    let encrypted = std::thread::scope(|scope| {
        scope
            .spawn(|| {
                let mut out = [0; 64];
                let kwp = AesKek::new(&AES_256, kek.expose()).unwrap();
                let kwp = kwp.wrap_with_padding(material.expose(), &mut out).unwrap();
                let padding = RsaEncryptionAlgorithm::OaepSha256;
                [key.rsa().encrypt(padding, kek.expose()).unwrap(), kwp.to_vec()].concat()
            })
            .join()
            .unwrap()
    });
    let algorithm = WrappingAlgorithm::RsaAesKeyWrapSha256;
    let open = || forget(key.open(algorithm, &encrypted).unwrap().symmetric().unwrap());
    look_after(&[&open], || {
        let found = search(&[kek.expose(), material.expose()]);
        for (name, (locked, elsewhere)) in ["AES key", "material"].into_iter().zip(found) {
            assert!(locked >= 2, "the search does not find the {name} where it is");
            assert_eq!(elsewhere, 0, "the {name} stands outside locked memory");
        }
    });
}
