//! Plaintext for the holder of an RSA key who isn't us: CMS EnvelopedData (RFC 5652, 6).
//!
//! It owns every byte of the envelope, which is the one that AWS KMS answers in
//! CiphertextForRecipient: the outer layers are of indefinite length (BER, X.690, 8.1.3.6), for
//! AWS's own Nitro Enclaves SDK reads no others. It must not know whose key it is, nor what the
//! plaintext is.

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{self, SHA256};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use zeroize::{Zeroize as _, Zeroizing};

use crate::der::{self, OCTET_STRING, SEQUENCE, header};
use crate::{Error, KeyRejection, random, rsa};

/// The sizes of keys that are encrypted to, in bits.
const BITS: std::ops::RangeInclusive<usize> = 2048..=4096;
/// The longest plaintext, in bytes; the longest that KMS answers is 4,096.
const LONGEST: usize = 8192;
/// The block and the initialization vector of AES, in bytes.
const BLOCK: usize = 16;

const SET: u8 = 0x31;
/// `[0]` as a string of bytes: a SubjectKeyIdentifier in a RecipientIdentifier.
const KEY_IDENTIFIER: u8 = 0x80;
/// INTEGER 2: the version of an EnvelopedData, and of a recipient who is named by a key identifier.
const VERSION_2: [u8; 3] = [0x02, 0x01, 0x02];
/// ContentInfo, id-envelopedData, `[0]`, EnvelopedData and its version; three lengths are left
/// open.
const OPENING: [u8; 20] = [
    0x30, 0x80, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x03, 0xA0, 0x80, 0x30,
    0x80, 0x02, 0x01, 0x02,
];
/// RSAES-OAEP with SHA-256 and MGF1 with SHA-256 (RFC 4055, 4.1).
const OAEP: [u8; 62] = [
    0x30, 0x3C, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x07, 0x30, 0x2F, 0xA0,
    0x0F, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0xA1, 0x1C, 0x30, 0x1A, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x08, 0x30,
    0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
];
/// EncryptedContentInfo, whose length is left open, id-data, aes256-CBC (RFC 3565, 4.1) up to the
/// initialization vector.
const CONTENT: [u8; 28] = [
    0x30, 0x80, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01, 0x30, 0x1D, 0x06,
    0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2A, 0x04, 0x10,
];
/// `[0]`, whose length is left open: the content, in as many strings of bytes as one likes.
const STRINGS: [u8; 2] = [0xA0, 0x80];
/// The ends of the five open lengths.
const CLOSING: [u8; 10] = [0; 10];

/// Encrypts `plaintext` with a fresh AES-256 key in CBC mode, and that key with RSAES-OAEP
/// (SHA-256) for the holder of `public_key`, a SubjectPublicKeyInfo in DER. The recipient is named
/// by the SHA-256 digest of those bytes, as AWS does.
///
/// CBC authenticates nothing, which is AWS's choice: whoever can alter the answer can alter the
/// plaintext.
///
/// # Errors
/// [`Error::KeyRejected`] unless it is one RSA key of 2048 to 4096 bits,
/// [`Error::PlaintextTooLong`] above 8,192 bytes, [`Error::Random`], [`Error::Library`].
pub fn seal(public_key: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
    let recipient = parse(public_key)?;
    if plaintext.len() > LONGEST {
        return Err(Error::PlaintextTooLong { bytes: plaintext.len(), most: LONGEST });
    }
    let mut content_key = Zeroizing::new([0; 32]);
    random::fill(content_key.as_mut())?;
    let (iv, content) = encrypt(&content_key, plaintext)?;
    let mut wrapped = vec![0; recipient.key_size_bytes()];
    recipient
        .encrypt(&OAEP_SHA256_MGF1SHA256, content_key.as_ref(), &mut wrapped, None)
        .map_err(|_| Error::Library)?;
    let name = digest::digest(&SHA256, public_key);
    let info = [
        &VERSION_2[..],
        &element(KEY_IDENTIFIER, name.as_ref()),
        &OAEP,
        &element(OCTET_STRING, &wrapped),
    ];
    let recipients = element(SET, &element(SEQUENCE, &info.concat()));
    let content = element(OCTET_STRING, &content);
    Ok([&OPENING[..], &recipients, &CONTENT, &iv, &STRINGS, &content, &CLOSING].concat())
}

fn parse(public_key: &[u8]) -> Result<OaepPublicEncryptingKey, Error> {
    if !der::is_public_key(public_key, &rsa::ALGORITHM) {
        return Err(KeyRejection::Algorithm.into());
    }
    let key = PublicEncryptingKey::from_der(public_key).map_err(|_| KeyRejection::Inconsistent)?;
    if !BITS.contains(&key.key_size_bits()) {
        return Err(KeyRejection::Size.into());
    }
    OaepPublicEncryptingKey::new(key).map_err(|_| Error::Library)
}

/// Gives the initialization vector and the padded ciphertext.
fn encrypt(key: &[u8; 32], plaintext: &[u8]) -> Result<([u8; BLOCK], Vec<u8>), Error> {
    let key = UnboundCipherKey::new(&AES_256, key)
        .and_then(PaddedBlockEncryptingKey::cbc_pkcs7)
        .map_err(|_| Error::Library)?;
    // It is encrypted in place, and must not move while it holds plaintext.
    let mut content = Vec::with_capacity(plaintext.len() + BLOCK);
    content.extend_from_slice(plaintext);
    if let Ok(DecryptionContext::Iv128(iv)) = key.encrypt(&mut content) {
        return Ok((*iv.as_ref(), content));
    }
    content.zeroize();
    Err(Error::Library)
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    [&header(tag, content.len()), content].concat()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::cipher::PaddedBlockDecryptingKey;
    use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use aws_lc_rs::signature::KeyPair as _;

    use super::*;
    use crate::{Curve, EcKey, RsaEncryptionAlgorithm, RsaKey, RsaSpec};

    /// Opens an envelope whose parts stand where AWS's stand.
    fn open(key: &RsaKey, envelope: &[u8]) -> Vec<u8> {
        let modulus = key.spec().modulus_len();
        let rest = envelope.strip_prefix(&OPENING).unwrap();
        // The heads of the set, the sequence and, before the wrapped key, the string.
        let (head, rest) = rest.split_at(4 + 4 + 3 + 2 + 32 + OAEP.len() + 4);
        let name = digest::digest(&SHA256, key.public_key());
        assert_eq!((&head[13..45], &head[45..107]), (name.as_ref(), &OAEP[..]));
        let (wrapped, rest) = rest.split_at(modulus);
        let content_key = key.decrypt(RsaEncryptionAlgorithm::OaepSha256, wrapped).unwrap();
        let rest = rest.strip_prefix(&CONTENT).unwrap().strip_suffix(&CLOSING).unwrap();
        let (iv, rest) = rest.split_first_chunk::<16>().unwrap();
        let content = rest.strip_prefix(&STRINGS).unwrap();
        // A head of less than a block, and whole blocks.
        let at = content.len() % BLOCK;
        assert_eq!(content[0], OCTET_STRING);
        let cipher = UnboundCipherKey::new(&AES_256, &content_key).unwrap();
        let cipher = PaddedBlockDecryptingKey::cbc_pkcs7(cipher).unwrap();
        let mut content = content[at..].to_vec();
        let vector = DecryptionContext::Iv128((*iv).into());
        cipher.decrypt(&mut content, vector).unwrap().to_vec()
    }

    #[test]
    fn the_key_s_holder_opens_what_was_sealed() {
        for spec in [RsaSpec::Rsa2048, RsaSpec::Rsa3072, RsaSpec::Rsa4096] {
            let key = RsaKey::generate(spec).unwrap();
            for length in [0, 1, 15, 16, 32, 1024, 4096, LONGEST] {
                let plaintext = vec![7; length];
                let envelope = seal(key.public_key(), &plaintext).unwrap();
                assert_eq!(open(&key, &envelope), plaintext, "{length}");
            }
        }
    }

    #[test]
    fn an_envelope_has_the_bytes_that_aws_writes() {
        let key = RsaKey::generate(RsaSpec::Rsa2048).unwrap();
        let envelope = seal(key.public_key(), &[7; 32]).unwrap();
        // Recorded answers of AWS KMS for a 2048-bit key and 32 bytes begin so and are as long.
        let start = [
            0x30, 0x80, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x03, 0xA0,
            0x80, 0x30, 0x80, 0x02, 0x01, 0x02, 0x31, 0x82, 0x01, 0x6B, 0x30, 0x82, 0x01, 0x67,
            0x02, 0x01, 0x02, 0x80, 0x20,
        ];
        assert!(envelope.starts_with(&start));
        assert_eq!(envelope.len(), 493);
    }

    #[test]
    fn no_two_envelopes_are_the_same() {
        let key = RsaKey::generate(RsaSpec::Rsa2048).unwrap();
        let [one, other] = [(); 2].map(|()| seal(key.public_key(), b"same").unwrap());
        assert_ne!(one[135..391], other[135..391]);
        assert_ne!(one[391..], other[391..]);
    }

    #[test]
    fn only_rsa_keys_of_a_size_that_is_taken_are_encrypted_to() {
        let key = RsaKey::generate(RsaSpec::Rsa2048).unwrap();
        let good = key.public_key();
        let rejected = |spki: &[u8]| matches!(seal(spki, b"x"), Err(Error::KeyRejected(_)));
        assert!(rejected(&[]));
        assert!(rejected(&[good, &[0]].concat()));
        assert!(rejected(&good[..good.len() - 1]));
        assert!(rejected(EcKey::generate(Curve::P256).unwrap().public_key()));
        let longer = KeyPair::generate(KeySize::Rsa8192).unwrap();
        let longer: PublicKeyX509Der<'_> = longer.public_key().as_der().unwrap();
        assert!(rejected(longer.as_ref()));
        let too_long = seal(good, &[0; LONGEST + 1]);
        assert!(matches!(too_long, Err(Error::PlaintextTooLong { .. })));
    }
}
