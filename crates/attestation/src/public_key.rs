//! The key that answers are encrypted to: which ones are taken.

use aws_lc_rs::rsa::PublicEncryptingKey;
use der::asn1::{Null, ObjectIdentifier};
use der::{Decode as _, asn1::AnyRef};
use x509_cert::spki::SubjectPublicKeyInfoRef;

use crate::Refusal;

/// rsaEncryption (RFC 8017, A.1).
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// AWS takes RSA_2048 and larger; the library has no use for less.
const BITS_MIN: usize = 2048;
const BITS_MAX: usize = 4096;

/// Refuses what isn't exactly one SubjectPublicKeyInfo of an RSA key of 2048 to 4096 bits.
pub(crate) fn check(spki: &[u8]) -> Result<(), Refusal> {
    let info = SubjectPublicKeyInfoRef::from_der(spki).map_err(|_| Refusal::PublicKey)?;
    let is_rsa = info.algorithm.oid == RSA_ENCRYPTION
        && info.algorithm.parameters == Some(AnyRef::from(Null));
    let key = PublicEncryptingKey::from_der(spki).map_err(|_| Refusal::PublicKey)?;
    if is_rsa && (BITS_MIN..=BITS_MAX).contains(&key.key_size_bits()) {
        Ok(())
    } else {
        Err(Refusal::PublicKey)
    }
}
