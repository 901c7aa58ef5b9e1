//! One entry for fuzzing: every parser, whether or not what another one guards was passed.
//!
//! Must not be used to verify anything.

use crate::certificate::Certificate;
use crate::document::Document;
use crate::envelope::Envelope;
use crate::{Refusal, public_key};

/// Reads `bytes` as an envelope, as a document, as a certificate and as a public key, and then
/// what is in them.
///
/// # Errors
/// The refusal of the envelope or of what is in it.
pub fn parse_everything(bytes: &[u8]) -> Result<(), Refusal> {
    // What these say isn't looked at; fuzzing asks only whether they come to an end.
    let _ = Document::parse(bytes);
    let _ = Certificate::parse(bytes);
    let _ = public_key::check(bytes);
    let envelope = Envelope::parse(bytes)?;
    let document = Document::parse(envelope.payload())?;
    let signer = Certificate::parse(&document.certificate)?;
    for der in &document.cabundle {
        let certificate = Certificate::parse(der)?;
        let _ = (certificate.names(&signer), certificate.is_authority(1));
    }
    document.public_key.as_deref().map_or(Err(Refusal::PublicKey), public_key::check)
}
