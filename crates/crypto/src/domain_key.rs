//! A domain key: the key of one region, under which all key material of that region is stored.
//!
//! It must not know regions, versions or stores; they are in the bytes that it binds to.

use crate::derive::Label;
use crate::envelope::Salt;
use crate::memory::Locked;
use crate::symmetric::SymmetricKey;
use crate::{Error, random, symmetric, wrap};

/// The length of a domain key, in bytes.
pub(crate) const LEN: usize = 32;

/// A 256-bit key that wraps key material. It never leaves this crate but wrapped by a
/// [`crate::RootKey`].
pub struct DomainKey {
    key: Locked,
}

impl DomainKey {
    /// Makes a new random key.
    ///
    /// # Errors
    /// [`Error::MemoryNotLocked`], [`Error::Random`].
    pub fn generate() -> Result<Self, Error> {
        Locked::filled(LEN, random::fill).map(Self::from_locked)
    }

    pub(crate) fn from_locked(key: Locked) -> Self {
        Self { key }
    }

    pub(crate) fn locked(&self) -> &Locked {
        &self.key
    }

    /// Wraps key material for storage. It opens only with the same `binding`, which says whose
    /// material it is; `docs/internals/key-hierarchy.md` gives its form.
    ///
    /// # Errors
    /// [`Error::Random`], [`Error::Library`].
    pub fn wrap_symmetric(&self, key: &SymmetricKey, binding: &[u8]) -> Result<Vec<u8>, Error> {
        self.wrap_symmetric_with(&Salt::random()?, key, binding)
    }

    pub(crate) fn wrap_symmetric_with(
        &self,
        salt: &Salt,
        key: &SymmetricKey,
        binding: &[u8],
    ) -> Result<Vec<u8>, Error> {
        wrap::wrap(&self.key, Label::WRAP_SYMMETRIC, salt, binding, key.locked())
    }

    /// Opens what [`Self::wrap_symmetric`] made.
    ///
    /// # Errors
    /// [`Error::Unopened`] if it was altered or belongs to another key or binding,
    /// [`Error::MemoryNotLocked`].
    pub fn unwrap_symmetric(&self, wrapped: &[u8], binding: &[u8]) -> Result<SymmetricKey, Error> {
        let lengths = symmetric::LEN..=symmetric::LEN;
        wrap::unwrap(&self.key, Label::WRAP_SYMMETRIC, binding, wrapped, lengths)
            .map(SymmetricKey::from_locked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn material_opens_with_its_own_key_and_binding_only() {
        let domain = DomainKey::generate().unwrap();
        let material = SymmetricKey::generate().unwrap();
        let wrapped = domain.wrap_symmetric(&material, b"binding").unwrap();
        assert_eq!(wrapped.len(), 77);
        let opened = domain.unwrap_symmetric(&wrapped, b"binding").unwrap();
        assert_eq!(opened.material_id(b"id").unwrap(), material.material_id(b"id").unwrap());

        let other = DomainKey::generate().unwrap();
        let refused = |result: Result<SymmetricKey, Error>| {
            assert!(matches!(result.err(), Some(Error::Unopened(_))));
        };
        refused(domain.unwrap_symmetric(&wrapped, b"bindinh"));
        refused(domain.unwrap_symmetric(&wrapped, b""));
        refused(other.unwrap_symmetric(&wrapped, b"binding"));
    }

    #[test]
    fn every_altered_byte_and_every_other_length_is_refused() {
        let domain = DomainKey::generate().unwrap();
        let wrapped = domain.wrap_symmetric(&SymmetricKey::generate().unwrap(), b"b").unwrap();
        for position in 0..wrapped.len() {
            let mut altered = wrapped.clone();
            altered[position] ^= 1;
            assert!(domain.unwrap_symmetric(&altered, b"b").is_err(), "byte {position}");
            assert!(domain.unwrap_symmetric(&wrapped[..position], b"b").is_err());
        }
        let longer = [&wrapped[..], &[0]].concat();
        assert!(domain.unwrap_symmetric(&longer, b"b").is_err());
    }

    #[test]
    fn the_same_material_is_never_wrapped_the_same_way() {
        let domain = DomainKey::generate().unwrap();
        let material = SymmetricKey::generate().unwrap();
        let (one, other) = (
            domain.wrap_symmetric(&material, b"b").unwrap(),
            domain.wrap_symmetric(&material, b"b").unwrap(),
        );
        assert_ne!(one[1..17], other[1..17]);
        assert_ne!(one[29..], other[29..]);
    }
}
