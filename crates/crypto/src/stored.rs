//! How material of every kind but symmetric is stored: wrapped by a domain key, each kind with a
//! label of its own.
//!
//! Key pairs are stored in PKCS#8, MAC keys as they are. It must not know where wrapped keys are
//! kept or what their binding says; `docs/internals/key-hierarchy.md` gives its form.

use std::ops::RangeInclusive;

use crate::derive::Label;
use crate::domain_key::DomainKey;
use crate::envelope::Salt;
use crate::memory::Locked;
use crate::{Curve, EcKey, Ed25519Key, Error, ImportKey, MacKey, MacSpec, MlDsaKey, MlDsaSpec};
use crate::{MlKemKey, MlKemSpec, RsaKey, RsaSpec, ed25519, ml_dsa, ml_kem, wrap};

/// The lengths of a PKCS#8 private key of RSA or an elliptic curve, in bytes. The largest,
/// RSA_4096, has about 2,400; imported keys are stored as the library writes them.
const PKCS8: RangeInclusive<usize> = 1..=4096;

/// The kinds of material as they are stored, each with its label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredKind {
    /// A symmetric encryption key.
    Symmetric,
    /// An RSA key.
    Rsa,
    /// A key of an elliptic curve, but for Ed25519.
    Ec,
    /// An Ed25519 key.
    Ed25519,
    /// An ML-DSA key.
    MlDsa,
    /// An ML-KEM key.
    MlKem,
    /// A MAC key.
    Mac,
}

impl StoredKind {
    const fn label(self) -> Label {
        match self {
            Self::Symmetric => Label::WRAP_SYMMETRIC,
            Self::Rsa => Label::WRAP_RSA,
            Self::Ec => Label::WRAP_EC,
            Self::Ed25519 => Label::WRAP_ED25519,
            Self::MlDsa => Label::WRAP_ML_DSA,
            Self::MlKem => Label::WRAP_ML_KEM,
            Self::Mac => Label::WRAP_MAC,
        }
    }
}

impl DomainKey {
    /// Wraps under this key what `other` wrapped, with the same `binding`. The material is not
    /// parsed on the way: what comes out holds the same bytes, and none of it leaves locked memory.
    ///
    /// # Errors
    /// [`Error::Unopened`] if `wrapped` was altered or belongs to another key, kind or binding;
    /// [`Error::Random`], [`Error::Library`], [`Error::MemoryNotLocked`].
    pub fn rewrap(
        &self,
        other: &Self,
        kind: StoredKind,
        wrapped: &[u8],
        binding: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let material = other.unwrap(kind.label(), binding, wrapped, PKCS8)?;
        self.wrap(kind.label(), binding, &material)
    }

    /// Whether material opens: what was wrapped by this key, with this `binding`.
    ///
    /// # Errors
    /// As [`Self::rewrap`].
    pub fn check(&self, kind: StoredKind, wrapped: &[u8], binding: &[u8]) -> Result<(), Error> {
        self.unwrap(kind.label(), binding, wrapped, PKCS8).map(drop)
    }

    fn wrap(&self, label: Label, binding: &[u8], key: &Locked) -> Result<Vec<u8>, Error> {
        wrap::wrap(self.locked(), label, &Salt::random()?, binding, key)
    }

    fn unwrap(
        &self,
        label: Label,
        binding: &[u8],
        wrapped: &[u8],
        lengths: RangeInclusive<usize>,
    ) -> Result<Locked, Error> {
        wrap::unwrap(self.locked(), label, binding, wrapped, lengths)
    }

    /// Wraps an RSA key for storage. It opens only with the same `binding`.
    ///
    /// # Errors
    /// [`Error::Random`], [`Error::Library`], [`Error::MemoryNotLocked`].
    pub fn wrap_rsa(&self, key: &RsaKey, binding: &[u8]) -> Result<Vec<u8>, Error> {
        self.wrap(Label::WRAP_RSA, binding, &key.pkcs8()?)
    }

    /// Opens what [`Self::wrap_rsa`] made.
    ///
    /// # Errors
    /// [`Error::Unopened`] if it was altered or belongs to another key or binding,
    /// [`Error::KeyRejected`] if it is not of `spec`, [`Error::MemoryNotLocked`].
    pub fn unwrap_rsa(
        &self,
        spec: RsaSpec,
        wrapped: &[u8],
        binding: &[u8],
    ) -> Result<RsaKey, Error> {
        let pkcs8 = self.unwrap(Label::WRAP_RSA, binding, wrapped, PKCS8)?;
        RsaKey::from_pkcs8(spec, pkcs8.expose())
    }

    /// Wraps an elliptic curve key for storage. It opens only with the same `binding`.
    ///
    /// # Errors
    /// [`Error::Random`], [`Error::Library`], [`Error::MemoryNotLocked`].
    pub fn wrap_ec(&self, key: &EcKey, binding: &[u8]) -> Result<Vec<u8>, Error> {
        self.wrap(Label::WRAP_EC, binding, &key.pkcs8()?)
    }

    /// Opens what [`Self::wrap_ec`] made.
    ///
    /// # Errors
    /// As [`Self::unwrap_rsa`].
    pub fn unwrap_ec(&self, curve: Curve, wrapped: &[u8], binding: &[u8]) -> Result<EcKey, Error> {
        let pkcs8 = self.unwrap(Label::WRAP_EC, binding, wrapped, PKCS8)?;
        EcKey::from_pkcs8(curve, pkcs8.expose())
    }

    /// Wraps an Ed25519 key for storage. It opens only with the same `binding`.
    ///
    /// # Errors
    /// [`Error::Random`], [`Error::Library`], [`Error::MemoryNotLocked`].
    pub fn wrap_ed25519(&self, key: &Ed25519Key, binding: &[u8]) -> Result<Vec<u8>, Error> {
        self.wrap(Label::WRAP_ED25519, binding, &key.pkcs8()?)
    }

    /// Opens what [`Self::wrap_ed25519`] made.
    ///
    /// # Errors
    /// As [`Self::unwrap_rsa`].
    pub fn unwrap_ed25519(&self, wrapped: &[u8], binding: &[u8]) -> Result<Ed25519Key, Error> {
        let lengths = ed25519::PKCS8..=ed25519::PKCS8;
        let pkcs8 = self.unwrap(Label::WRAP_ED25519, binding, wrapped, lengths)?;
        Ed25519Key::from_stored(pkcs8.expose())
    }

    /// Wraps an ML-DSA key for storage. It opens only with the same `binding`.
    ///
    /// # Errors
    /// [`Error::Random`], [`Error::Library`].
    pub fn wrap_ml_dsa(&self, key: &MlDsaKey, binding: &[u8]) -> Result<Vec<u8>, Error> {
        self.wrap(Label::WRAP_ML_DSA, binding, key.pkcs8())
    }

    /// Opens what [`Self::wrap_ml_dsa`] made.
    ///
    /// # Errors
    /// As [`Self::unwrap_rsa`].
    pub fn unwrap_ml_dsa(
        &self,
        spec: MlDsaSpec,
        wrapped: &[u8],
        binding: &[u8],
    ) -> Result<MlDsaKey, Error> {
        let lengths = ml_dsa::PKCS8..=ml_dsa::PKCS8;
        let pkcs8 = self.unwrap(Label::WRAP_ML_DSA, binding, wrapped, lengths)?;
        MlDsaKey::from_pkcs8(spec, pkcs8.expose())
    }

    /// Wraps an ML-KEM key for storage. It opens only with the same `binding`.
    ///
    /// # Errors
    /// [`Error::Random`], [`Error::Library`].
    pub fn wrap_ml_kem(&self, key: &MlKemKey, binding: &[u8]) -> Result<Vec<u8>, Error> {
        self.wrap(Label::WRAP_ML_KEM, binding, key.pkcs8())
    }

    /// Opens what [`Self::wrap_ml_kem`] made.
    ///
    /// # Errors
    /// As [`Self::unwrap_rsa`].
    pub fn unwrap_ml_kem(
        &self,
        spec: MlKemSpec,
        wrapped: &[u8],
        binding: &[u8],
    ) -> Result<MlKemKey, Error> {
        let lengths = ml_kem::PKCS8..=ml_kem::PKCS8;
        let pkcs8 = self.unwrap(Label::WRAP_ML_KEM, binding, wrapped, lengths)?;
        MlKemKey::from_pkcs8(spec, pkcs8.expose())
    }

    /// Wraps a MAC key for storage. It opens only with the same `binding`.
    ///
    /// # Errors
    /// [`Error::Random`], [`Error::Library`].
    pub fn wrap_mac(&self, key: &MacKey, binding: &[u8]) -> Result<Vec<u8>, Error> {
        self.wrap(Label::WRAP_MAC, binding, key.locked())
    }

    /// Opens what [`Self::wrap_mac`] made.
    ///
    /// # Errors
    /// [`Error::Unopened`] if it was altered, is of another length than `spec`'s, or belongs to
    /// another key or binding; [`Error::MemoryNotLocked`].
    pub fn unwrap_mac(
        &self,
        spec: MacSpec,
        wrapped: &[u8],
        binding: &[u8],
    ) -> Result<MacKey, Error> {
        let key =
            self.unwrap(Label::WRAP_MAC, binding, wrapped, spec.key_len()..=spec.key_len())?;
        Ok(MacKey::from_locked(spec, key))
    }

    /// Wraps the key pair of an import, for the import token. It opens only with the same
    /// `binding`.
    ///
    /// # Errors
    /// [`Error::Random`], [`Error::Library`], [`Error::MemoryNotLocked`].
    pub fn wrap_import_key(&self, key: &ImportKey, binding: &[u8]) -> Result<Vec<u8>, Error> {
        self.wrap(Label::WRAP_IMPORT, binding, &key.rsa().pkcs8()?)
    }

    /// Opens what [`Self::wrap_import_key`] made.
    ///
    /// # Errors
    /// As [`Self::unwrap_rsa`].
    pub fn unwrap_import_key(
        &self,
        spec: RsaSpec,
        wrapped: &[u8],
        binding: &[u8],
    ) -> Result<ImportKey, Error> {
        let pkcs8 = self.unwrap(Label::WRAP_IMPORT, binding, wrapped, PKCS8)?;
        RsaKey::from_pkcs8(spec, pkcs8.expose()).map(ImportKey::from_rsa)
    }
}

#[cfg(test)]
mod tests;
