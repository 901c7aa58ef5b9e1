//! The COSE_Sign1 around a document (RFC 9052, 4.2): its form and its signature.
//!
//! Must not know what the payload says.

use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED, UnparsedPublicKey};
use ciborium::Value;
use coset::{AsCborValue as _, CoseSign1};

use crate::Refusal;
use crate::certificate::{Certificate, Curve};

/// The longest payload (AWS, Nitro Enclaves attestation process, 3.1).
const PAYLOAD_MAX: usize = 16_384;
/// What stands around a payload: a tag, four heads, a protected header and a signature.
const FRAME_MAX: usize = 256;
/// The longest document that can be one, in bytes. What is longer isn't read.
pub const LONGEST: usize = PAYLOAD_MAX + FRAME_MAX;

/// The protected header `{1: -35}`, which names ES384. Others aren't parsed.
const PROTECTED: [u8; 4] = [0xA1, 0x01, 0x38, 0x22];
/// The tag of a COSE_Sign1. Nitro's documents go without, AWS's description has it.
const TAG: u64 = 18;
/// How deep an envelope is nested: the tag, the array, the unprotected header.
const DEPTH: usize = 3;
/// An ES384 signature: two integers of 48 bytes (RFC 9053, 2.1).
const SIGNATURE_LEN: usize = 96;

/// A document in its envelope, not yet verified.
pub(crate) struct Envelope(CoseSign1);

impl Envelope {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > LONGEST {
            return Err(Refusal::TooLong);
        }
        let value = match only_value(bytes, DEPTH).ok_or(Refusal::Envelope)? {
            Value::Tag(TAG, value) => *value,
            value => value,
        };
        if !is_es384(&value) {
            return Err(Refusal::Envelope);
        }
        CoseSign1::from_cbor_value(value).map(Self).map_err(|_| Refusal::Envelope)
    }

    /// What is signed.
    pub(crate) fn payload(&self) -> &[u8] {
        self.0.payload.as_deref().unwrap_or_default()
    }

    /// Verifies the signature with the key of `signer`, which must be of ES384's curve.
    pub(crate) fn verify(&self, signer: &Certificate) -> Result<(), Refusal> {
        if signer.curve != Curve::P384 {
            return Err(Refusal::Signature);
        }
        let key = UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, &signer.point);
        self.0
            .verify_signature(&[], |signature, signed| key.verify(signed, signature))
            .map_err(|_| Refusal::Signature)
    }
}

/// The one value that `bytes` are, nested at most `depth` deep. A value takes a few dozen times
/// the memory of its bytes, so they must have been bounded.
pub(crate) fn only_value(mut bytes: &[u8], depth: usize) -> Option<Value> {
    let value = ciborium::de::from_reader_with_recursion_limit(&mut bytes, depth).ok()?;
    bytes.is_empty().then_some(value)
}

/// Whether this is the array of a COSE_Sign1, with all that it is made of in bounds. It is made
/// sure before the library looks, which would parse any header, nested as deep as it likes.
fn is_es384(value: &Value) -> bool {
    let Value::Array(parts) = value else { return false };
    let [
        Value::Bytes(protected),
        Value::Map(unprotected),
        Value::Bytes(payload),
        Value::Bytes(signature),
    ] = parts.as_slice()
    else {
        return false;
    };
    *protected == PROTECTED
        && unprotected.is_empty()
        && (1..=PAYLOAD_MAX).contains(&payload.len())
        && signature.len() == SIGNATURE_LEN
}
