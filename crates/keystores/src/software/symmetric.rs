//! The material of a symmetric encryption key.

use crypto::SymmetricKey;
use service::ports::{KeyStoreError, SymmetricMaterial, Unopened};
use zeroize::Zeroizing;

use super::unavailable;

/// A handle of material in locked memory.
pub(super) struct Symmetric(SymmetricKey);

impl Symmetric {
    pub(super) fn new(key: SymmetricKey) -> Self {
        Self(key)
    }
}

impl SymmetricMaterial for Symmetric {
    fn seal(
        &self,
        header: &[u8],
        context: &[u8],
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), KeyStoreError> {
        self.0.seal(header, context, plaintext, out).map_err(unavailable)
    }

    fn open(
        &self,
        header: &[u8],
        context: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        self.0.open(header, context, sealed).map_err(|_| Unopened)
    }
}
