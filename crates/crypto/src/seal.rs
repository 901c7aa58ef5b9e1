//! A seal's key: what an operator's secret gives, and what the root key is wrapped under.
//!
//! It owns how a seal key comes from a passphrase, from shares, from a file or from a KMS, and how
//! root key and seal key wrap each other. It must not know records, names or attempts: what a
//! wrapped key is bound to comes from the caller. `docs/internals/seals.md` describes every byte.

mod passphrase;
mod shares;

pub use passphrase::{PassphraseCost, SALT};
pub use shares::{SHARES_MAX, Share};

use std::path::Path;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use zeroize::Zeroizing;

use crate::derive::{self, Label};
use crate::envelope::Salt;
use crate::key_file::{self, KeyFileError, KeyFileKind};
use crate::memory::Locked;
use crate::parsed::lock;
use crate::{Error, RootKey, Unopened, random, root_key, wrap};

/// The length of a seal key, in bytes.
pub(crate) const LEN: usize = 32;

/// A 256-bit key that wraps the root key. Whoever has it and the store has every key.
pub struct SealKey {
    key: Locked,
}

impl SealKey {
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

    /// Makes a new random key and writes it to a new file that only its owner can read; file and
    /// directory entry are on disk when this returns.
    ///
    /// # Errors
    /// As [`RootKey::create_file`].
    pub fn create_file(path: &Path) -> Result<Self, KeyFileError> {
        let made = Self::generate().map_err(|error| KeyFileError {
            path: path.to_owned(),
            kind: KeyFileKind::SealKey,
            problem: error.into(),
        })?;
        key_file::create(KeyFileKind::SealKey, path, &made.key)?;
        Ok(made)
    }

    /// Reads a key that [`Self::create_file`] wrote.
    ///
    /// # Errors
    /// As [`RootKey::read_file`].
    pub fn read_file(path: &Path) -> Result<Self, KeyFileError> {
        key_file::read(KeyFileKind::SealKey, path).map(Self::from_locked)
    }

    /// The key's bytes for a KMS to encrypt, wiped when they are dropped. This is the one way in
    /// which a key of the hierarchy leaves in plaintext: the KMS is trusted with it, and what its
    /// client and the network's encryption copy of it isn't in locked memory.
    pub fn for_kms(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.key.expose().to_vec())
    }

    /// The key that a KMS has decrypted. The caller wipes its copy.
    ///
    /// # Errors
    /// [`Error::Unopened`] if it isn't as long as a key, [`Error::MemoryNotLocked`].
    pub fn from_kms(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() != LEN {
            return Err(Unopened.into());
        }
        lock(bytes).map(Self::from_locked)
    }

    /// Wraps the root key for storage. It opens only with the same `binding`, which says which
    /// seal this is.
    ///
    /// # Errors
    /// [`Error::Random`], [`Error::Library`].
    pub fn wrap_root_key(&self, root_key: &RootKey, binding: &[u8]) -> Result<Vec<u8>, Error> {
        self.wrap_root_key_with(&Salt::random()?, root_key, binding)
    }

    pub(crate) fn wrap_root_key_with(
        &self,
        salt: &Salt,
        root_key: &RootKey,
        binding: &[u8],
    ) -> Result<Vec<u8>, Error> {
        wrap::wrap(&self.key, Label::SEAL_ROOT_KEY, salt, binding, root_key.locked())
    }

    /// Opens what [`Self::wrap_root_key`] made.
    ///
    /// # Errors
    /// [`Error::Unopened`] if it was altered or belongs to another key or binding,
    /// [`Error::MemoryNotLocked`].
    pub fn unwrap_root_key(&self, wrapped: &[u8], binding: &[u8]) -> Result<RootKey, Error> {
        let lengths = root_key::LEN..=root_key::LEN;
        wrap::unwrap(&self.key, Label::SEAL_ROOT_KEY, binding, wrapped, lengths)
            .map(RootKey::from_locked)
    }
}

/// What the root key does for the seals.
impl RootKey {
    /// Wraps a seal key for storage, so that the seal can be given another root key without the
    /// operator's secret. It opens only with the same `binding`.
    ///
    /// # Errors
    /// [`Error::Random`], [`Error::Library`].
    pub fn wrap_seal_key(&self, key: &SealKey, binding: &[u8]) -> Result<Vec<u8>, Error> {
        self.wrap_seal_key_with(&Salt::random()?, key, binding)
    }

    pub(crate) fn wrap_seal_key_with(
        &self,
        salt: &Salt,
        key: &SealKey,
        binding: &[u8],
    ) -> Result<Vec<u8>, Error> {
        wrap::wrap(self.locked(), Label::SEAL_KEY, salt, binding, &key.key)
    }

    /// Opens what [`Self::wrap_seal_key`] made.
    ///
    /// # Errors
    /// As [`SealKey::unwrap_root_key`].
    pub fn unwrap_seal_key(&self, wrapped: &[u8], binding: &[u8]) -> Result<SealKey, Error> {
        wrap::unwrap(self.locked(), Label::SEAL_KEY, binding, wrapped, LEN..=LEN)
            .map(SealKey::from_locked)
    }

    /// The MAC over what describes the set of seals.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn seal_set_mac(&self, description: &[u8]) -> Result<[u8; 32], Error> {
        let mut mac = [0; derive::DERIVED];
        derive::fill(self.locked(), Label::SEAL_SET, description, &mut mac)?;
        Ok(mac)
    }

    /// Whether `mac` is this root key's over `description`, in constant time.
    ///
    /// # Errors
    /// [`Error::InvalidMac`], [`Error::Library`].
    pub fn verify_seal_set_mac(&self, description: &[u8], mac: &[u8]) -> Result<(), Error> {
        verify_slices_are_equal(&self.seal_set_mac(description)?, mac)
            .map_err(|_| Error::InvalidMac)
    }

    /// The same key once more in locked memory, for the part of the server that works with it
    /// while the seals keep theirs.
    ///
    /// # Errors
    /// [`Error::MemoryNotLocked`].
    pub fn duplicate(&self) -> Result<Self, Error> {
        lock(self.locked().expose()).map(Self::from_locked)
    }
}

#[cfg(test)]
mod tests;
