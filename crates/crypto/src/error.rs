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
    /// A wrapped key did not open.
    Unopened(Unopened),
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
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::MemoryNotLocked { source, .. } | Self::NotHardened { source, .. } => Some(source),
            Self::Unopened(unopened) => Some(unopened),
            Self::SecretTooLarge { .. }
            | Self::Random
            | Self::Library
            | Self::RandomLength { .. } => None,
        }
    }
}

impl From<Unopened> for Error {
    fn from(unopened: Unopened) -> Self {
        Self::Unopened(unopened)
    }
}
