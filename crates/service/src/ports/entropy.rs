//! Randomness.

use std::fmt;

/// The random number generator failed; nothing may be made without it.
#[derive(Debug, Clone, Copy)]
pub struct EntropyUnavailable;

impl fmt::Display for EntropyUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the random number generator failed")
    }
}

impl std::error::Error for EntropyUnavailable {}

/// A cryptographically secure source of random bytes.
pub trait Entropy: Send + Sync {
    /// Fills the buffer.
    ///
    /// # Errors
    /// [`EntropyUnavailable`]; the buffer must not be used then.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable>;
}
