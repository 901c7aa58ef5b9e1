//! The public keys by which digests are verified: Ed25519, as PEM (RFC 7468) of a
//! SubjectPublicKeyInfo (RFC 8410).
//!
//! Must not know digests.

use std::fmt;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use pem_rfc7468::LineEnding;

use crate::chain::{Hash, hex_text, sha256};

/// What stands before the key's 32 bytes in its SubjectPublicKeyInfo (RFC 8410, section 4).
const SPKI_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// The label of a public key's PEM (RFC 7468, section 13).
const LABEL: &str = "PUBLIC KEY";
/// The boundary behind a public key's PEM.
const END: &str = "-----END PUBLIC KEY-----";
/// The most keys that a text may hold.
const KEYS_MAX: usize = 1_000;

/// A public key that verifies digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    bytes: [u8; 32],
    fingerprint: Hash,
}

/// A text that holds no Ed25519 public key where one should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidPublicKey;

impl fmt::Display for InvalidPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not Ed25519 public keys in PEM (-----BEGIN PUBLIC KEY-----)")
    }
}

impl std::error::Error for InvalidPublicKey {}

impl PublicKey {
    /// The key of these bytes (RFC 8032, section 5.1.5). What isn't a point verifies nothing.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self { bytes, fingerprint: fingerprint(&bytes) }
    }

    /// The key of a SubjectPublicKeyInfo in DER.
    ///
    /// # Errors
    /// [`InvalidPublicKey`].
    pub fn from_der(der: &[u8]) -> Result<Self, InvalidPublicKey> {
        let key = der.strip_prefix(&SPKI_PREFIX).ok_or(InvalidPublicKey)?;
        Ok(Self::from_bytes(key.try_into().map_err(|_| InvalidPublicKey)?))
    }

    /// The keys in a text, one after the other; what stands between them is skipped.
    ///
    /// # Errors
    /// [`InvalidPublicKey`], also if there is none or there are more than a thousand.
    pub fn all_from_pem(text: &str) -> Result<Vec<Self>, InvalidPublicKey> {
        let mut keys = Vec::new();
        let mut rest = text;
        while let Some(end) = rest.find(END) {
            let (one, behind) = rest.split_at(end + END.len());
            let begin = one.find("-----BEGIN ").ok_or(InvalidPublicKey)?;
            let (label, der) =
                pem_rfc7468::decode_vec(&one.as_bytes()[begin..]).map_err(|_| InvalidPublicKey)?;
            if label != LABEL || keys.len() == KEYS_MAX {
                return Err(InvalidPublicKey);
            }
            keys.push(Self::from_der(&der)?);
            rest = behind;
        }
        if keys.is_empty() { Err(InvalidPublicKey) } else { Ok(keys) }
    }

    /// The key as PEM, with a line's end behind it.
    pub fn to_pem(&self) -> String {
        // The encoding fails only for lengths that overflow, which 44 bytes don't.
        pem_rfc7468::encode_string(LABEL, LineEnding::LF, &self.der()).unwrap_or_default()
    }

    /// The SHA-256 of the key's SubjectPublicKeyInfo, by which digests name it, in hex.
    pub fn fingerprint_text(&self) -> String {
        hex_text(&self.fingerprint)
    }

    pub(crate) fn fingerprint(&self) -> Hash {
        self.fingerprint
    }

    /// The key's 32 bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.bytes
    }

    /// Whether this key's private one has signed the message.
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.bytes).verify(message, signature).is_ok()
    }

    fn der(&self) -> Vec<u8> {
        [&SPKI_PREFIX[..], &self.bytes].concat()
    }
}

/// The SHA-256 of the key's SubjectPublicKeyInfo.
pub(crate) fn fingerprint(key: &[u8; 32]) -> Hash {
    sha256(&[&SPKI_PREFIX[..], key].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_keys_are_read_from_what_was_written() {
        let keys = [PublicKey::from_bytes([1; 32]), PublicKey::from_bytes([2; 32])];
        let text = format!("# number 1\n{}# number 2\n{}", keys[0].to_pem(), keys[1].to_pem());
        assert_eq!(PublicKey::all_from_pem(&text).unwrap(), keys);
        assert_eq!(keys[0].fingerprint_text().len(), 64);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let pem = PublicKey::from_bytes([1; 32]).to_pem();
        for bad in [
            "",
            "x",
            &pem[..40],
            &pem.replace("MCow", "MCox"),
            &pem.replace('B', "-"),
            &pem.replace("PUBLIC", "PRIVATE"),
            END,
        ] {
            assert_eq!(PublicKey::all_from_pem(bad), Err(InvalidPublicKey), "{bad}");
        }
    }
}
