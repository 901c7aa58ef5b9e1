//! The root key: the top of the hierarchy, under which the domain keys are stored.
//!
//! It must not know how an operator seals it, apart from the plain file of dev mode.

use std::path::Path;

use crate::derive::Label;
use crate::domain_key::{self, DomainKey};
use crate::envelope::Salt;
use crate::key_file::{self, KeyFileError, KeyFileKind};
use crate::memory::Locked;
use crate::{Error, random, wrap};

/// The length of a root key, in bytes.
pub(crate) const LEN: usize = 32;

/// A 256-bit key that wraps domain keys. Without it nothing that is stored can be opened.
pub struct RootKey {
    key: Locked,
}

impl RootKey {
    /// Makes a new random key.
    ///
    /// # Errors
    /// [`Error::MemoryNotLocked`], [`Error::Random`].
    pub fn generate() -> Result<Self, Error> {
        Locked::filled(LEN, random::fill).map(Self::from_locked)
    }

    /// Makes a new random key and writes it to a new file that only its owner can read; file and
    /// directory entry are on disk when this returns.
    ///
    /// # Errors
    /// Nothing is overwritten: a file that exists is [`crate::Problem::Exists`]. After another
    /// error no file is left behind, if the file system still lets it be removed.
    pub fn create_file(path: &Path) -> Result<Self, KeyFileError> {
        let made = Self::generate().map_err(|error| KeyFileError {
            path: path.to_owned(),
            kind: KeyFileKind::RootKey,
            problem: error.into(),
        })?;
        key_file::create(KeyFileKind::RootKey, path, &made.key)?;
        Ok(made)
    }

    /// Reads a key that [`Self::create_file`] wrote.
    ///
    /// # Errors
    /// A [`KeyFileError`] whose text names the file and what to do.
    pub fn read_file(path: &Path) -> Result<Self, KeyFileError> {
        key_file::read(KeyFileKind::RootKey, path).map(Self::from_locked)
    }

    pub(crate) fn from_locked(key: Locked) -> Self {
        Self { key }
    }

    pub(crate) fn locked(&self) -> &Locked {
        &self.key
    }

    /// Wraps a domain key for storage. It opens only with the same `binding`, which says which
    /// domain key it is; `docs/internals/key-hierarchy.md` gives its form.
    ///
    /// # Errors
    /// [`Error::Random`], [`Error::Library`].
    pub fn wrap_domain_key(&self, key: &DomainKey, binding: &[u8]) -> Result<Vec<u8>, Error> {
        self.wrap_domain_key_with(&Salt::random()?, key, binding)
    }

    pub(crate) fn wrap_domain_key_with(
        &self,
        salt: &Salt,
        key: &DomainKey,
        binding: &[u8],
    ) -> Result<Vec<u8>, Error> {
        wrap::wrap(&self.key, Label::WRAP_DOMAIN_KEY, salt, binding, key.locked())
    }

    /// Opens what [`Self::wrap_domain_key`] made.
    ///
    /// # Errors
    /// [`Error::Unopened`] if it was altered or belongs to another key or binding,
    /// [`Error::MemoryNotLocked`].
    pub fn unwrap_domain_key(&self, wrapped: &[u8], binding: &[u8]) -> Result<DomainKey, Error> {
        let lengths = domain_key::LEN..=domain_key::LEN;
        wrap::unwrap(&self.key, Label::WRAP_DOMAIN_KEY, binding, wrapped, lengths)
            .map(DomainKey::from_locked)
    }

    /// Wraps the root key that this one takes the place of, so that domain keys that are still
    /// under it open while they are wrapped anew. The form is that of a wrapped key, bound to
    /// nothing beside its label; it stands in the store as it is.
    ///
    /// # Errors
    /// [`Error::Random`], [`Error::Library`].
    pub fn wrap_root_key(&self, previous: &Self) -> Result<Vec<u8>, Error> {
        wrap::wrap(&self.key, Label::WRAP_ROOT_KEY, &Salt::random()?, &[], &previous.key)
    }

    /// Opens what [`Self::wrap_root_key`] made.
    ///
    /// # Errors
    /// [`Error::Unopened`] if it was altered or is under another root key,
    /// [`Error::MemoryNotLocked`].
    pub fn unwrap_root_key(&self, wrapped: &[u8]) -> Result<Self, Error> {
        wrap::unwrap(&self.key, Label::WRAP_ROOT_KEY, &[], wrapped, LEN..=LEN)
            .map(Self::from_locked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SymmetricKey;

    #[test]
    fn a_domain_key_opens_with_its_own_root_key_and_binding_only() {
        let root = RootKey::generate().unwrap();
        let domain = DomainKey::generate().unwrap();
        let wrapped = root.wrap_domain_key(&domain, b"eu-central-1\x001").unwrap();
        let opened = root.unwrap_domain_key(&wrapped, b"eu-central-1\x001").unwrap();
        let material = domain.wrap_symmetric(&SymmetricKey::generate().unwrap(), b"b").unwrap();
        assert!(opened.unwrap_symmetric(&material, b"b").is_ok());

        let other = RootKey::generate().unwrap();
        let refused = |result: Result<DomainKey, Error>| {
            assert!(matches!(result.err(), Some(Error::Unopened(_))));
        };
        refused(root.unwrap_domain_key(&wrapped, b"eu-central-1\x002"));
        refused(other.unwrap_domain_key(&wrapped, b"eu-central-1\x001"));
    }

    #[test]
    fn a_wrapped_key_of_one_kind_is_not_one_of_another() {
        // Both secrets have the same bytes, so the label alone keeps the kinds apart.
        let same = || {
            Locked::filled::<Error>(LEN, |slot| {
                slot.fill(5);
                Ok(())
            })
        };
        let root = RootKey::from_locked(same().unwrap());
        let domain = DomainKey::from_locked(same().unwrap());
        let wrapped = root.wrap_domain_key(&DomainKey::generate().unwrap(), b"b").unwrap();
        assert!(root.unwrap_domain_key(&wrapped, b"b").is_ok());
        assert!(domain.unwrap_symmetric(&wrapped, b"b").is_err());
        let bound_to_nothing = root.wrap_domain_key(&domain, b"").unwrap();
        assert!(root.unwrap_root_key(&bound_to_nothing).is_err());
    }

    #[test]
    fn the_previous_root_key_opens_under_the_new_one_only() {
        let (previous, new) = (RootKey::generate().unwrap(), RootKey::generate().unwrap());
        let wrapped = new.wrap_root_key(&previous).unwrap();
        assert_eq!(wrapped.len(), 77);
        let opened = new.unwrap_root_key(&wrapped).unwrap();
        assert_eq!(opened.locked().expose(), previous.locked().expose());
        assert!(previous.unwrap_root_key(&wrapped).is_err());
        for position in 0..wrapped.len() {
            let mut altered = wrapped.clone();
            altered[position] ^= 1;
            assert!(new.unwrap_root_key(&altered).is_err(), "byte {position}");
            assert!(new.unwrap_root_key(&wrapped[..position]).is_err(), "length {position}");
        }
    }
}
