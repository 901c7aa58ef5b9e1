//! The material of a symmetric encryption key.

use std::future::ready;

use crypto::SymmetricKey;
use service::ports::{KeyStoreError, Material, Pending, Unopened};
use zeroize::Zeroizing;

use super::unavailable;

/// A handle of material in locked memory.
pub(super) struct Symmetric(SymmetricKey);

impl Symmetric {
    pub(super) fn new(key: SymmetricKey) -> Self {
        Self(key)
    }
}

impl Material for Symmetric {
    fn seal<'a>(
        &'a self,
        header: &'a [u8],
        context: &'a [u8],
        plaintext: &'a [u8],
        out: &'a mut Vec<u8>,
    ) -> Pending<'a, Result<(), KeyStoreError>> {
        let sealed = self.0.seal(header, context, plaintext, out).map_err(unavailable);
        Box::pin(ready(sealed))
    }

    fn open<'a>(
        &'a self,
        header: &'a [u8],
        context: &'a [u8],
        sealed: &'a [u8],
    ) -> Pending<'a, Result<Zeroizing<Vec<u8>>, Unopened>> {
        Box::pin(ready(self.0.open(header, context, sealed).map_err(|_| Unopened)))
    }
}
