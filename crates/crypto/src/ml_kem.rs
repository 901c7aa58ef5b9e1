//! ML-KEM keys: encapsulation and decapsulation of shared secrets (FIPS 203).
//!
//! It owns the stored form, which is the seed. It must not know key usages.

use zeroize::Zeroizing;

use crate::derive::{self, Label};
use crate::memory::Locked;
use crate::{Error, der, ffi, seed_key};

/// The length of a shared secret, in bytes.
pub const SHARED_SECRET: usize = 32;

/// The length of a seed, d and z of FIPS 203, in bytes.
const SEED: usize = 64;

/// The length of the PKCS#8 form, in bytes.
pub(crate) const PKCS8: usize = seed_key::len(SEED);

/// The parameter sets of ML-KEM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MlKemSpec {
    /// ML_KEM_512.
    MlKem512,
    /// ML_KEM_768.
    MlKem768,
    /// ML_KEM_1024.
    MlKem1024,
}

impl MlKemSpec {
    /// The object identifier's end (RFC 9935, 3).
    const fn algorithm(self) -> [u8; seed_key::ALGORITHM] {
        seed_key::algorithm(match self {
            Self::MlKem512 => [0x04, 0x01],
            Self::MlKem768 => [0x04, 0x02],
            Self::MlKem1024 => [0x04, 0x03],
        })
    }

    /// The length of an encapsulated key, in bytes (FIPS 203, table 3).
    pub const fn ciphertext_len(self) -> usize {
        match self {
            Self::MlKem512 => 768,
            Self::MlKem768 => 1088,
            Self::MlKem1024 => 1568,
        }
    }

    /// The length of an encapsulation key, in bytes (FIPS 203, table 3).
    const fn public_len(self) -> usize {
        match self {
            Self::MlKem512 => 800,
            Self::MlKem768 => 1184,
            Self::MlKem1024 => 1568,
        }
    }
}

/// An ML-KEM key pair. The seed is in locked memory; what the library expands from it is in the
/// library's, which is wiped when it is freed but not locked.
pub struct MlKemKey {
    spec: MlKemSpec,
    pkcs8: Locked,
    key: ffi::PrivateKey,
    spki: Box<[u8]>,
}

/// A new shared secret and the ciphertext that gives it to the holder of the private key.
pub struct Encapsulation {
    /// The secret, wiped when it is dropped.
    pub shared_secret: Zeroizing<Vec<u8>>,
    /// The ciphertext.
    pub ciphertext: Vec<u8>,
}

impl MlKemKey {
    /// Makes a new key pair from a random seed (FIPS 203, algorithm 19).
    ///
    /// # Errors
    /// [`Error::MemoryNotLocked`], [`Error::Random`], [`Error::Library`].
    pub fn generate(spec: MlKemSpec) -> Result<Self, Error> {
        Self::from_locked(spec, seed_key::generate(&spec.algorithm(), SEED)?)
    }

    /// Takes a private key in PKCS#8, as its seed alone (RFC 9935, 6).
    ///
    /// # Errors
    /// [`Error::KeyRejected`] if it is not exactly one seed of `spec`.
    pub fn from_pkcs8(spec: MlKemSpec, pkcs8: &[u8]) -> Result<Self, Error> {
        Self::from_locked(spec, seed_key::parse(&spec.algorithm(), SEED, pkcs8)?)
    }

    fn from_locked(spec: MlKemSpec, pkcs8: Locked) -> Result<Self, Error> {
        let key = ffi::PrivateKey::from_pkcs8(pkcs8.expose()).map_err(|_| Error::Library)?;
        let mut public = vec![0; spec.public_len()];
        key.public(&mut public).map_err(|_| Error::Library)?;
        let spki = der::public_key(&spec.algorithm(), &public).into();
        Ok(Self { spec, pkcs8, key, spki })
    }

    /// The private key in PKCS#8, as its seed.
    pub(crate) fn pkcs8(&self) -> &Locked {
        &self.pkcs8
    }

    /// The parameter set of the key.
    pub fn spec(&self) -> MlKemSpec {
        self.spec
    }

    /// The public key as a DER SubjectPublicKeyInfo (RFC 9935, 4).
    pub fn public_key(&self) -> &[u8] {
        &self.spki
    }

    /// The identifier of this key pair under the key `key_id`: always the same for the same two.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn material_id(&self, key_id: &[u8]) -> Result<[u8; 32], Error> {
        derive::hashed(&self.spki, Label::PUBLIC_KEY_ID, key_id)
    }

    /// Makes a shared secret with the public key.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn encapsulate(&self) -> Result<Encapsulation, Error> {
        let mut shared_secret = Zeroizing::new(vec![0; SHARED_SECRET]);
        let mut ciphertext = vec![0; self.spec.ciphertext_len()];
        self.key.encapsulate(&mut ciphertext, &mut shared_secret).map_err(|_| Error::Library)?;
        Ok(Encapsulation { shared_secret, ciphertext })
    }

    /// Recovers a shared secret with the private key. A ciphertext that was altered gives
    /// another secret and no error: ML-KEM rejects implicitly. The secret is wiped when it is
    /// dropped.
    ///
    /// # Errors
    /// [`Error::CiphertextLength`], [`Error::Library`].
    pub fn decapsulate(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let expected = self.spec.ciphertext_len();
        if ciphertext.len() != expected {
            return Err(Error::CiphertextLength { bytes: ciphertext.len(), expected });
        }
        let mut shared_secret = Zeroizing::new(vec![0; SHARED_SECRET]);
        self.key.decapsulate(ciphertext, &mut shared_secret).map_err(|_| Error::Library)?;
        Ok(shared_secret)
    }
}

#[cfg(test)]
mod tests;
