//! ML-DSA keys: signatures of messages and of message representatives (FIPS 204).
//!
//! It owns the stored form, which is the seed. It must not know message types or key usages.

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::{
    self, KeyPair as _, ParsedPublicKey, PqdsaKeyPair, PqdsaSigningAlgorithm,
    PqdsaVerificationAlgorithm,
};

use crate::derive::{self, Label};
use crate::memory::Locked;
use crate::seed_key;
use crate::{Error, KeyRejection, ffi, parsed};

/// The length of a message representative (mu), in bytes.
pub const MU: usize = 64;

/// The length of a seed, in bytes.
const SEED: usize = 32;

/// The length of the PKCS#8 form, in bytes.
pub(crate) const PKCS8: usize = seed_key::len(SEED);

/// The parameter sets of ML-DSA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MlDsaSpec {
    /// ML_DSA_44.
    MlDsa44,
    /// ML_DSA_65.
    MlDsa65,
    /// ML_DSA_87.
    MlDsa87,
}

impl MlDsaSpec {
    /// The last byte of the object identifier (RFC 9881, 2).
    const fn algorithm(self) -> [u8; seed_key::ALGORITHM] {
        seed_key::algorithm(match self {
            Self::MlDsa44 => [0x03, 0x11],
            Self::MlDsa65 => [0x03, 0x12],
            Self::MlDsa87 => [0x03, 0x13],
        })
    }

    const fn signing(self) -> &'static PqdsaSigningAlgorithm {
        match self {
            Self::MlDsa44 => &signature::ML_DSA_44_SIGNING,
            Self::MlDsa65 => &signature::ML_DSA_65_SIGNING,
            Self::MlDsa87 => &signature::ML_DSA_87_SIGNING,
        }
    }

    const fn verification(self) -> &'static PqdsaVerificationAlgorithm {
        match self {
            Self::MlDsa44 => &signature::ML_DSA_44,
            Self::MlDsa65 => &signature::ML_DSA_65,
            Self::MlDsa87 => &signature::ML_DSA_87,
        }
    }
}

/// An ML-DSA key pair. The seed is in locked memory; what the library expands from it is in the
/// library's, which is wiped when it is freed but not locked.
pub struct MlDsaKey {
    spec: MlDsaSpec,
    pkcs8: Locked,
    pair: PqdsaKeyPair,
    /// The same key for signatures of mu, which aws-lc-rs doesn't have.
    external: OnceLock<ffi::PrivateKey>,
    spki: Box<[u8]>,
    verifying: OnceLock<ParsedPublicKey>,
}

impl MlDsaKey {
    /// Makes a new key pair from a random seed (FIPS 204, algorithm 1).
    ///
    /// # Errors
    /// [`Error::MemoryNotLocked`], [`Error::Random`], [`Error::Library`].
    pub fn generate(spec: MlDsaSpec) -> Result<Self, Error> {
        Self::from_locked(spec, seed_key::generate(&spec.algorithm(), SEED)?)
    }

    /// Takes a private key in PKCS#8, as its seed alone (RFC 9881, 6).
    ///
    /// # Errors
    /// [`Error::KeyRejected`] if it is not exactly one seed of `spec`.
    pub fn from_pkcs8(spec: MlDsaSpec, pkcs8: &[u8]) -> Result<Self, Error> {
        Self::from_locked(spec, seed_key::parse(&spec.algorithm(), SEED, pkcs8)?)
    }

    fn from_locked(spec: MlDsaSpec, pkcs8: Locked) -> Result<Self, Error> {
        let seed = &pkcs8.expose()[PKCS8 - SEED..];
        let pair = PqdsaKeyPair::from_seed(spec.signing(), seed)
            .map_err(|_| KeyRejection::Inconsistent)?;
        let spki: PublicKeyX509Der = pair.public_key().as_der().map_err(|_| Error::Library)?;
        let spki = spki.as_ref().into();
        let (external, verifying) = (OnceLock::new(), OnceLock::new());
        Ok(Self { spec, pkcs8, pair, external, spki, verifying })
    }

    /// The private key in PKCS#8, as its seed.
    pub(crate) fn pkcs8(&self) -> &Locked {
        &self.pkcs8
    }

    /// The parameter set of the key.
    pub fn spec(&self) -> MlDsaSpec {
        self.spec
    }

    /// The public key as a DER SubjectPublicKeyInfo (RFC 9881, 4).
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

    /// Signs a message with an empty context (FIPS 204, algorithm 2): MessageType RAW.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut signature = vec![0; self.spec.signing().signature_len()];
        self.pair.sign(message, &mut signature).map_err(|_| Error::Library)?;
        Ok(signature)
    }

    /// Signs a message representative that the caller computed (FIPS 204, 6.2):
    /// MessageType EXTERNAL_MU. The signature is one of the message.
    ///
    /// # Errors
    /// [`Error::DigestLength`] if it has not [`MU`] bytes, [`Error::Library`].
    pub fn sign_mu(&self, mu: &[u8]) -> Result<Vec<u8>, Error> {
        let mut signature = vec![0; self.spec.signing().signature_len()];
        self.external()?.sign_digest(exact(mu)?, &mut signature).map_err(|_| Error::Library)?;
        Ok(signature)
    }

    /// Verifies a signature of a message, whichever way it was made.
    ///
    /// # Errors
    /// [`Error::InvalidSignature`], [`Error::Library`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let key = parsed::once(&self.verifying, || {
            ParsedPublicKey::new(self.spec.verification(), &self.spki).map_err(|_| Error::Library)
        })?;
        key.verify_sig(message, signature).map_err(|_| Error::InvalidSignature)
    }

    /// Verifies a signature by the message representative, whichever way it was made.
    ///
    /// # Errors
    /// [`Error::InvalidSignature`], [`Error::DigestLength`], [`Error::Library`].
    pub fn verify_mu(&self, mu: &[u8], signature: &[u8]) -> Result<(), Error> {
        let mu = exact(mu)?;
        self.external()?.verify_digest(mu, signature).map_err(|_| Error::InvalidSignature)
    }

    fn external(&self) -> Result<&ffi::PrivateKey, Error> {
        parsed::once(&self.external, || {
            ffi::PrivateKey::from_pkcs8(self.pkcs8.expose()).map_err(|_| Error::Library)
        })
    }
}

fn exact(mu: &[u8]) -> Result<&[u8], Error> {
    if mu.len() == MU {
        return Ok(mu);
    }
    Err(Error::DigestLength { bytes: mu.len(), expected: MU })
}

#[cfg(test)]
mod tests;
