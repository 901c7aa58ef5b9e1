//! What the kinds of keys share: the message to be signed, handles that are parsed on first use,
//! and copies of key bytes into locked memory.
//!
//! It must not know any algorithm.

use std::sync::OnceLock;

use aws_lc_rs::digest::{Algorithm, Digest};

use crate::Error;
use crate::memory::Locked;

/// What is signed or verified (AWS KMS API Reference, Sign: MessageType RAW and DIGEST).
#[derive(Clone, Copy)]
pub enum Message<'a> {
    /// The message, which is hashed here.
    Raw(&'a [u8]),
    /// The message's digest by the algorithm's hash, which is never hashed again.
    Digest(&'a [u8]),
}

/// The digest as the library takes it.
///
/// # Errors
/// [`Error::DigestLength`] if it is not as long as the hash's.
pub(crate) fn digest(bytes: &[u8], hash: &'static Algorithm) -> Result<Digest, Error> {
    let expected = hash.output_len();
    Digest::import_less_safe(bytes, hash)
        .map_err(|_| Error::DigestLength { bytes: bytes.len(), expected })
}

/// The handle in `cell`, which `parse` makes when it is needed for the first time. A handle for
/// one use is no burden on a key that has another.
pub(crate) fn once<T>(
    cell: &OnceLock<T>,
    parse: impl FnOnce() -> Result<T, Error>,
) -> Result<&T, Error> {
    if let Some(handle) = cell.get() {
        return Ok(handle);
    }
    // Two threads may both parse; one handle is kept.
    let handle = parse()?;
    Ok(cell.get_or_init(|| handle))
}

/// Copies key bytes into locked memory.
pub(crate) fn lock(bytes: &[u8]) -> Result<Locked, Error> {
    Locked::filled(bytes.len(), |slot| {
        slot.copy_from_slice(bytes);
        Ok(())
    })
}

/// The lengths that a refusal of a digest tells: its own and the right one.
#[cfg(test)]
pub(crate) fn digest_length(error: Error) -> (usize, usize) {
    match error {
        Error::DigestLength { bytes, expected } => (bytes, expected),
        other => panic!("{other}"),
    }
}
