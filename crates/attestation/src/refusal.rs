//! Why a document is refused, in words for whoever sent it. They hold nothing of the document.

use std::fmt;

/// Why a document is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// It is longer than [`crate::LONGEST`].
    TooLong,
    /// It is no COSE_Sign1 (RFC 9052, 4.2) with ES384 in its protected header, nothing in its
    /// unprotected one, and payload and signature of lengths that can be.
    Envelope,
    /// The payload is no CBOR map, or something follows it.
    Payload,
    /// A field that attestation documents don't have.
    UnknownField,
    /// This field is missing, doubled, of another type or out of its bounds.
    Field(&'static str),
    /// The first certificate of the bundle is not a trusted root.
    UntrustedRoot,
    /// A certificate is not X.509 version 3 as such a chain has it: malformed, of another
    /// algorithm, or with a critical extension that isn't known.
    Certificate,
    /// A certificate is not valid yet, or no longer.
    Validity,
    /// A certificate was used for what it isn't made for, or a path is longer than it allows.
    Usage,
    /// A certificate isn't the one before's work: its issuer's name or signature is another.
    Issuer,
    /// The document's signature is not the certificate's.
    Signature,
    /// There is no public key, or none that answers can be encrypted to.
    PublicKey,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => return write!(f, "it is longer than {} bytes", crate::LONGEST),
            Self::Envelope => "it is not a COSE_Sign1 that is signed with ES384",
            Self::Payload => "its payload is not one CBOR map",
            Self::UnknownField => "it has a field that attestation documents don't have",
            Self::Field(name) => {
                return write!(f, "its field {name} is missing, doubled or out of bounds");
            }
            Self::UntrustedRoot => "its certificate chain does not begin with a trusted root",
            Self::Certificate => "a certificate is malformed or of a kind that is not supported",
            Self::Validity => "a certificate is not valid at this time",
            Self::Usage => "a certificate is used for what it does not permit",
            Self::Issuer => "a certificate was not issued by the one before it",
            Self::Signature => "its signature is not valid",
            Self::PublicKey => "it has no RSA public key of 2048 to 4096 bits",
        })
    }
}

impl std::error::Error for Refusal {}
