//! What can go wrong in this crate, in words that never hold a secret.
//!
//! It must not know what a caller answers to a client: AWS's errors are made in other crates.

use std::{error, fmt, io};

/// A sealed value did not open: it was altered, cut, made with another key, or is bound to
/// something else. Which of these it was is deliberately not told, because whoever tries forged
/// values would learn from the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unopened;

impl fmt::Display for Unopened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sealed value does not open")
    }
}

impl error::Error for Unopened {}

/// Why key material that was handed in is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyRejection {
    /// It is not the DER form of one PKCS#8 private key (RFC 5208, RFC 5958) and nothing else.
    Encoding,
    /// It is a key of another algorithm, parameter set or curve.
    Algorithm,
    /// It is an RSA key of another size.
    Size,
    /// It is an RSA key whose public exponent is not 65537.
    Exponent,
    /// Its parts contradict each other or are out of range.
    Inconsistent,
    /// It is not as many bytes as a key of its kind has.
    Length {
        /// Its length in bytes.
        bytes: usize,
        /// The length of its kind.
        expected: usize,
    },
}

impl fmt::Display for KeyRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encoding => "it is not one PKCS#8 private key in DER",
            Self::Algorithm => "it is a key of another algorithm, parameter set or curve",
            Self::Size => "it is an RSA key of another size",
            Self::Exponent => "the public exponent is not 65537",
            Self::Inconsistent => "its parts contradict each other or are out of range",
            Self::Length { bytes, expected } => {
                return write!(f, "it has {bytes} bytes instead of {expected}");
            }
        })
    }
}

impl error::Error for KeyRejection {}

/// Why a share of a seal key, or several of them, are not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShareRejection {
    /// The text is no share: prefix, length or letters are others.
    NotAShare,
    /// The text was mistyped: its checksum is another.
    Mistyped,
    /// It was made by a version of the program that is newer than this one.
    Version {
        /// The version byte.
        found: u8,
    },
    /// Threshold or number of shares are out of bounds.
    Bounds,
    /// Shares of several sets can't be combined.
    OtherSet,
    /// Two shares have the same number.
    Duplicate {
        /// That number.
        number: u8,
    },
    /// Fewer shares than the threshold.
    TooFew {
        /// How many there are.
        given: usize,
        /// How many are needed.
        threshold: u8,
    },
}

impl fmt::Display for ShareRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAShare => f.write_str("it is not a share; a share begins with SRS1-"),
            Self::Mistyped => f.write_str("it was mistyped: its checksum is wrong"),
            Self::Version { found } => {
                write!(f, "it has version {found}; use the program that made it")
            }
            Self::Bounds => f.write_str("the threshold or the number of shares is out of bounds"),
            Self::OtherSet => f.write_str("it belongs to another set of shares"),
            Self::Duplicate { number } => write!(f, "share {number} is there twice"),
            Self::TooFew { given, threshold } => {
                write!(f, "{given} shares are not enough; {threshold} are needed")
            }
        }
    }
}

impl error::Error for ShareRejection {}

/// Why an operation of this crate failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The kernel refused memory that is locked and left out of core dumps. Secrets are never
    /// put elsewhere instead.
    MemoryNotLocked {
        /// How many bytes were asked for.
        bytes: usize,
        /// The kernel's reason.
        source: io::Error,
    },
    /// A secret is larger than the largest slot of secret memory.
    SecretTooLarge {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The random number generator failed.
    Random,
    /// The cryptographic library refused an operation that the arguments allow, which happens
    /// when it has no memory left or its own tests failed.
    Library,
    /// The number of random bytes asked for is outside 1 to [`crate::random::LONGEST`].
    RandomLength {
        /// The number asked for.
        bytes: usize,
    },
    /// The process could not be protected from dumps and debuggers.
    NotHardened {
        /// The protection that failed.
        protection: &'static str,
        /// The kernel's reason.
        source: io::Error,
    },
    /// A wrapped key, a token or a ciphertext did not open.
    Unopened(Unopened),
    /// Key material that was handed in is not taken.
    KeyRejected(KeyRejection),
    /// A digest or a message representative (mu) is not as long as the algorithm's are.
    DigestLength {
        /// Its length in bytes.
        bytes: usize,
        /// The length of the algorithm's.
        expected: usize,
    },
    /// A plaintext is longer than the RSA key and the padding can encrypt.
    PlaintextTooLong {
        /// Its length in bytes.
        bytes: usize,
        /// The longest that can be encrypted.
        most: usize,
    },
    /// An encapsulated key is not as long as the parameter set's are.
    CiphertextLength {
        /// Its length in bytes.
        bytes: usize,
        /// The length of the parameter set's.
        expected: usize,
    },
    /// A peer's public key is malformed, of another curve, or not on its curve.
    PeerRejected,
    /// The key's curve has no key agreement: AWS KMS offers ECDH on the NIST curves only.
    NoKeyAgreement,
    /// The kernel gave no memory for a computation that needs much of it.
    NoMemory {
        /// How many bytes were asked for.
        bytes: usize,
        /// The kernel's reason.
        source: io::Error,
    },
    /// Shares of a seal key are not taken.
    ShareRejected(ShareRejection),
    /// A signature is not the key's signature of the message.
    InvalidSignature,
    /// A MAC is not the key's MAC of the message.
    InvalidMac,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MemoryNotLocked { bytes, source } => write!(
                f,
                "the kernel refused to lock {bytes} bytes of memory for keys ({source}); raise \
                 the limit on locked memory (`ulimit -l`, systemd's LimitMEMLOCK=, or a \
                 container's memlock ulimit)"
            ),
            Self::SecretTooLarge { bytes } => {
                write!(f, "a secret of {bytes} bytes is larger than secret memory hands out")
            }
            Self::Random => f.write_str("the random number generator failed"),
            Self::Library => f.write_str("the cryptographic library refused to work"),
            Self::RandomLength { bytes } => write!(
                f,
                "{bytes} random bytes were asked for; 1 to {} are given",
                crate::random::LONGEST
            ),
            Self::NotHardened { protection, source } => {
                write!(f, "the process could not be protected ({protection}): {source}")
            }
            Self::Unopened(unopened) => unopened.fmt(f),
            Self::KeyRejected(rejection) => write!(f, "the key is not taken: {rejection}"),
            Self::DigestLength { bytes, expected } => {
                write!(f, "the digest has {bytes} bytes; the algorithm's have {expected}")
            }
            Self::PlaintextTooLong { bytes, most } => {
                write!(f, "the plaintext has {bytes} bytes; at most {most} can be encrypted")
            }
            Self::CiphertextLength { bytes, expected } => {
                write!(f, "the ciphertext has {bytes} bytes; the parameter set's have {expected}")
            }
            Self::PeerRejected => f.write_str("the peer's public key is not valid on this curve"),
            Self::NoKeyAgreement => f.write_str("the curve has no key agreement"),
            Self::NoMemory { bytes, source } => {
                write!(f, "the kernel gave no {bytes} bytes of memory ({source})")
            }
            Self::ShareRejected(rejection) => write!(f, "the share is not taken: {rejection}"),
            Self::InvalidSignature => f.write_str("the signature is not valid"),
            Self::InvalidMac => f.write_str("the MAC is not valid"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::MemoryNotLocked { source, .. }
            | Self::NotHardened { source, .. }
            | Self::NoMemory { source, .. } => Some(source),
            Self::Unopened(unopened) => Some(unopened),
            Self::ShareRejected(rejection) => Some(rejection),
            Self::KeyRejected(rejection) => Some(rejection),
            Self::SecretTooLarge { .. }
            | Self::Random
            | Self::Library
            | Self::RandomLength { .. }
            | Self::DigestLength { .. }
            | Self::PlaintextTooLong { .. }
            | Self::CiphertextLength { .. }
            | Self::PeerRejected
            | Self::NoKeyAgreement
            | Self::InvalidSignature
            | Self::InvalidMac => None,
        }
    }
}

impl From<Unopened> for Error {
    fn from(unopened: Unopened) -> Self {
        Self::Unopened(unopened)
    }
}

impl From<KeyRejection> for Error {
    fn from(rejection: KeyRejection) -> Self {
        Self::KeyRejected(rejection)
    }
}

impl From<ShareRejection> for Error {
    fn from(rejection: ShareRejection) -> Self {
        Self::ShareRejected(rejection)
    }
}
