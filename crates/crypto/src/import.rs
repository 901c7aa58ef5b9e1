//! Import of key material: the wrapping key pair of GetParametersForImport and what
//! ImportKeyMaterial opens with it.
//!
//! RSAES_PKCS1_V1_5, which AWS withdrew in October 2023, can't be expressed. It must not know
//! tokens, their expiry, or which wrapping algorithm suits which kind of key.

use crate::memory::Locked;
use crate::{Curve, EcKey, Ed25519Key, Error, MacKey, MacSpec, MlDsaKey, MlDsaSpec, MlKemKey};
use crate::{MlKemSpec, RsaEncryptionAlgorithm, RsaKey, RsaSpec, SymmetricKey, Unopened};
use crate::{ffi, parsed};

/// The most encrypted key material that is taken, in bytes (AWS KMS API Reference,
/// ImportKeyMaterial: EncryptedKeyMaterial has at most 6144).
const LONGEST: usize = 6144;

/// How much longer AES-KWP makes a key at least, in bytes (RFC 5649, 4.1).
const KWP_OVERHEAD: usize = 8;

/// How key material is encrypted on its way here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WrappingAlgorithm {
    /// RSAES_OAEP_SHA_1: the material under the RSA key.
    RsaesOaepSha1,
    /// RSAES_OAEP_SHA_256: the material under the RSA key.
    RsaesOaepSha256,
    /// RSA_AES_KEY_WRAP_SHA_1: an AES key under the RSA key, and behind it the material under the
    /// AES key by RFC 5649.
    RsaAesKeyWrapSha1,
    /// RSA_AES_KEY_WRAP_SHA_256: the same with SHA-256 in OAEP.
    RsaAesKeyWrapSha256,
}

impl WrappingAlgorithm {
    const fn encryption(self) -> RsaEncryptionAlgorithm {
        match self {
            Self::RsaesOaepSha1 | Self::RsaAesKeyWrapSha1 => RsaEncryptionAlgorithm::OaepSha1,
            Self::RsaesOaepSha256 | Self::RsaAesKeyWrapSha256 => RsaEncryptionAlgorithm::OaepSha256,
        }
    }

    const fn has_aes_key(self) -> bool {
        matches!(self, Self::RsaAesKeyWrapSha1 | Self::RsaAesKeyWrapSha256)
    }
}

/// The RSA key pair under which material comes in.
pub struct ImportKey {
    rsa: RsaKey,
}

impl ImportKey {
    /// Makes a new key pair, which takes 30 ms to 2 s.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn generate(spec: RsaSpec) -> Result<Self, Error> {
        RsaKey::generate(spec).map(Self::from_rsa)
    }

    pub(crate) fn from_rsa(rsa: RsaKey) -> Self {
        Self { rsa }
    }

    pub(crate) fn rsa(&self) -> &RsaKey {
        &self.rsa
    }

    /// The public key as a DER SubjectPublicKeyInfo.
    pub fn public_key(&self) -> &[u8] {
        self.rsa.public_key()
    }

    /// Opens encrypted key material.
    ///
    /// # Errors
    /// [`Error::Unopened`], whatever is wrong with it; [`Error::MemoryNotLocked`].
    pub fn open(
        &self,
        algorithm: WrappingAlgorithm,
        encrypted: &[u8],
    ) -> Result<ImportedMaterial, Error> {
        if encrypted.len() > LONGEST {
            return Err(Unopened.into());
        }
        if !algorithm.has_aes_key() {
            return self.decrypt(algorithm, encrypted).map(|bytes| ImportedMaterial { bytes });
        }
        let modulus = self.rsa.spec().modulus_len();
        let (kek, wrapped) = encrypted.split_at_checked(modulus).ok_or(Unopened)?;
        let room = wrapped.len().checked_sub(KWP_OVERHEAD).ok_or(Unopened)?;
        let kek = self.decrypt(algorithm, kek)?;
        let bytes = shortened(room, |slot| {
            ffi::aes_kwp_unwrap(kek.expose(), wrapped, slot).map_err(|_| Unopened)
        })?;
        Ok(ImportedMaterial { bytes })
    }

    fn decrypt(&self, algorithm: WrappingAlgorithm, ciphertext: &[u8]) -> Result<Locked, Error> {
        shortened(self.rsa.spec().modulus_len(), |slot| {
            self.rsa.decrypt_into(algorithm.encryption(), ciphertext, slot)
        })
    }
}

/// Secret bytes of a length that is only known when they are there.
fn shortened(
    room: usize,
    fill: impl FnOnce(&mut [u8]) -> Result<usize, Unopened>,
) -> Result<Locked, Error> {
    let mut len = 0;
    let long = Locked::filled::<Error>(room, |slot| {
        len = fill(slot)?;
        Ok(())
    })?;
    parsed::lock(long.expose().get(..len).ok_or(Unopened)?)
}

/// Key material that came in, of a kind that is still to be told: it can only become a key.
pub struct ImportedMaterial {
    bytes: Locked,
}

impl ImportedMaterial {
    /// Takes material that came in as it is, as a seed file's does.
    ///
    /// # Errors
    /// [`Error::SecretTooLarge`], [`Error::MemoryNotLocked`].
    pub fn of(bytes: &[u8]) -> Result<Self, Error> {
        parsed::lock(bytes).map(|bytes| Self { bytes })
    }

    /// The material as a symmetric encryption key.
    ///
    /// # Errors
    /// [`Error::KeyRejected`], [`Error::MemoryNotLocked`]; so for all the kinds.
    pub fn symmetric(&self) -> Result<SymmetricKey, Error> {
        SymmetricKey::from_bytes(self.bytes.expose())
    }

    /// The material as an HMAC key.
    ///
    /// # Errors
    /// As [`Self::symmetric`].
    pub fn mac(&self, spec: MacSpec) -> Result<MacKey, Error> {
        MacKey::from_bytes(spec, self.bytes.expose())
    }

    /// The material as an RSA private key in PKCS#8.
    ///
    /// # Errors
    /// As [`Self::symmetric`].
    pub fn rsa(&self, spec: RsaSpec) -> Result<RsaKey, Error> {
        RsaKey::from_pkcs8(spec, self.bytes.expose())
    }

    /// The material as an elliptic curve private key in PKCS#8.
    ///
    /// # Errors
    /// As [`Self::symmetric`].
    pub fn ec(&self, curve: Curve) -> Result<EcKey, Error> {
        EcKey::from_pkcs8(curve, self.bytes.expose())
    }

    /// The material as an Ed25519 private key in PKCS#8.
    ///
    /// # Errors
    /// As [`Self::symmetric`].
    pub fn ed25519(&self) -> Result<Ed25519Key, Error> {
        Ed25519Key::from_pkcs8(self.bytes.expose())
    }

    /// The material as an ML-DSA private key in PKCS#8, as its seed.
    ///
    /// # Errors
    /// As [`Self::symmetric`].
    pub fn ml_dsa(&self, spec: MlDsaSpec) -> Result<MlDsaKey, Error> {
        MlDsaKey::from_pkcs8(spec, self.bytes.expose())
    }

    /// The material as an ML-KEM private key in PKCS#8, as its seed.
    ///
    /// # Errors
    /// As [`Self::symmetric`].
    pub fn ml_kem(&self, spec: MlKemSpec) -> Result<MlKemKey, Error> {
        MlKemKey::from_pkcs8(spec, self.bytes.expose())
    }
}

#[cfg(test)]
mod tests;
