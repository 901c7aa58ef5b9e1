//! HMAC keys: GenerateMac and VerifyMac (RFC 2104, FIPS 198-1).
//!
//! The key is in locked memory only: the HMAC state is built anew for every call, which costs a
//! fifth of a microsecond. It must not know key usages.

use aws_lc_rs::constant_time;

use crate::derive::{self, Label};
use crate::ffi::{self, Hash};
use crate::memory::Locked;
use crate::parsed;
use crate::{Error, KeyRejection, random};

/// The lengths of HMAC keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MacSpec {
    /// HMAC_224, with HMAC_SHA_224.
    Hmac224,
    /// HMAC_256, with HMAC_SHA_256.
    Hmac256,
    /// HMAC_384, with HMAC_SHA_384.
    Hmac384,
    /// HMAC_512, with HMAC_SHA_512.
    Hmac512,
}

impl MacSpec {
    /// The length of a key and of a MAC, in bytes. AWS takes imported material of this length
    /// only (AWS KMS Developer Guide, "Requirements for imported key material").
    pub const fn key_len(self) -> usize {
        match self {
            Self::Hmac224 => 28,
            Self::Hmac256 => 32,
            Self::Hmac384 => 48,
            Self::Hmac512 => 64,
        }
    }

    const fn hash(self) -> Hash {
        match self {
            Self::Hmac224 => Hash::Sha224,
            Self::Hmac256 => Hash::Sha256,
            Self::Hmac384 => Hash::Sha384,
            Self::Hmac512 => Hash::Sha512,
        }
    }
}

/// An HMAC key. It never leaves this crate but wrapped by a [`crate::DomainKey`].
pub struct MacKey {
    spec: MacSpec,
    key: Locked,
}

impl MacKey {
    /// Makes a new random key.
    ///
    /// # Errors
    /// [`Error::MemoryNotLocked`], [`Error::Random`].
    pub fn generate(spec: MacSpec) -> Result<Self, Error> {
        Ok(Self { spec, key: Locked::filled(spec.key_len(), random::fill)? })
    }

    /// Takes a key that was made elsewhere.
    ///
    /// # Errors
    /// [`Error::KeyRejected`] if it is not as long as `spec` says, [`Error::MemoryNotLocked`].
    pub fn from_bytes(spec: MacSpec, key: &[u8]) -> Result<Self, Error> {
        if key.len() != spec.key_len() {
            return Err(KeyRejection::Length { bytes: key.len(), expected: spec.key_len() }.into());
        }
        Ok(Self { spec, key: parsed::lock(key)? })
    }

    pub(crate) fn from_locked(spec: MacSpec, key: Locked) -> Self {
        Self { spec, key }
    }

    pub(crate) fn locked(&self) -> &Locked {
        &self.key
    }

    /// The length of the key.
    pub fn spec(&self) -> MacSpec {
        self.spec
    }

    /// The identifier of this material under the key `key_id`: always the same for the same two,
    /// telling nothing about the material, and no MAC under it.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn material_id(&self, key_id: &[u8]) -> Result<[u8; 32], Error> {
        derive::hashed(self.key.expose(), Label::MAC_KEY_ID, key_id)
    }

    /// The MAC of a message.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn mac(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut mac = vec![0; self.spec.key_len()];
        ffi::hmac(self.spec.hash(), self.key.expose(), message, &mut mac)
            .map_err(|_| Error::Library)?;
        Ok(mac)
    }

    /// Verifies a MAC, which must have its full length, in a time that doesn't depend on how much
    /// of it is right.
    ///
    /// # Errors
    /// [`Error::InvalidMac`], [`Error::Library`].
    pub fn verify(&self, message: &[u8], mac: &[u8]) -> Result<(), Error> {
        constant_time::verify_slices_are_equal(&self.mac(message)?, mac)
            .map_err(|_| Error::InvalidMac)
    }
}

#[cfg(test)]
mod tests;
