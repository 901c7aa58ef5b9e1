//! An attestation document in, a verified recipient or a refusal out.
//!
//! Owns what AWS says of such documents (the Nitro Enclaves attestation process, "Validate a
//! NitroTPM Attestation Document"): the COSE_Sign1 around them, their fields and bounds, the chain
//! of certificates up to a root that is trusted, the key that answers are encrypted to. Whatever is
//! not as it must be refuses the document.
//!
//! Must not know: a clock (the moment is an argument), a network (no revocation is asked for, as
//! AWS says), what is encrypted to a recipient, which conditions hold its measurements.

mod certificate;
mod chain;
mod document;
mod envelope;
mod fuzzing;
mod public_key;
mod refusal;
mod roots;

#[cfg(test)]
mod issuing;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::document::Document;
use crate::envelope::Envelope;

pub use document::Source;
pub use envelope::LONGEST;
pub use fuzzing::parse_everything;
pub use refusal::Refusal;
pub use roots::{Roots, RootsRejected};

/// Whom an answer is encrypted for: what a verified document says of the attested environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// What kind of environment it is.
    pub source: Source,
    /// The module that issued the document; for an enclave, the parent instance's id is in it.
    pub module_id: String,
    /// When the document was issued, in milliseconds since 1970-01-01T00:00:00Z, as the issuer
    /// says.
    pub timestamp: u64,
    /// The platform configuration registers by their index, 0 to 31; each of 32, 48 or 64 bytes.
    pub pcrs: BTreeMap<u8, Vec<u8>>,
    /// An RSA key of 2048 to 4096 bits: SubjectPublicKeyInfo in DER (RFC 5280, 4.1).
    pub public_key: Vec<u8>,
}

impl Recipient {
    /// The digest of an enclave's image, which is its PCR 0. A NitroTPM has none.
    pub fn image_sha384(&self) -> Option<&[u8]> {
        match self.source {
            Source::NitroEnclave => self.pcrs.get(&0).map(Vec::as_slice),
            Source::NitroTpm => None,
        }
    }
}

/// Verifies `document` at the moment `now`, in seconds since 1970-01-01T00:00:00Z.
///
/// A document is good for as long as its certificates are valid; AWS names no other age. What
/// costs little is checked first, so that signatures are verified only of chains that could hold.
///
/// # Errors
/// [`Refusal`], whatever the bytes are.
pub fn verify(document: &[u8], roots: &Roots, now: i64) -> Result<Recipient, Refusal> {
    let envelope = Envelope::parse(document)?;
    let document = Document::parse(envelope.payload())?;
    let signer = chain::verify(&document.cabundle, &document.certificate, roots, now)?;
    envelope.verify(&signer)?;
    let public_key = document.public_key.ok_or(Refusal::PublicKey)?;
    public_key::check(&public_key)?;
    Ok(Recipient {
        source: document.source,
        module_id: document.module_id,
        timestamp: document.timestamp,
        pcrs: document.pcrs,
        public_key,
    })
}
