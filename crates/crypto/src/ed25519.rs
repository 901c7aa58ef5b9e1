//! Ed25519 keys: ED25519_SHA_512 and ED25519_PH_SHA_512 (RFC 8032).
//!
//! The private key is in locked memory only, since both signatures are made from its bytes. It
//! must not know message types or key usages.

use aws_lc_rs::digest::{SHA512, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};

use crate::derive::{self, Label};
use crate::ffi::{ED25519_PRIVATE, ED25519_PUBLIC, ED25519_SEED, SHA_512};
use crate::memory::Locked;
use crate::parsed;
use crate::{Error, KeyRejection, der, ffi, random};

/// AlgorithmIdentifier of id-Ed25519, which has no parameters (RFC 8410, 3).
const ALGORITHM: [u8; 7] = [0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70];

/// A PKCS#8 key of version 1 up to the seed (RFC 8410, 7).
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// The length of that form in bytes.
pub(crate) const PKCS8: usize = PKCS8_PREFIX.len() + ED25519_SEED;

/// An Ed25519 key pair.
pub struct Ed25519Key {
    /// The seed and behind it the public key.
    private: Locked,
    public: [u8; ED25519_PUBLIC],
    spki: Box<[u8]>,
}

impl Ed25519Key {
    /// Makes a new key pair.
    ///
    /// # Errors
    /// [`Error::MemoryNotLocked`], [`Error::Random`].
    pub fn generate() -> Result<Self, Error> {
        Self::from_seed(&Locked::filled(ED25519_SEED, random::fill)?)
    }

    /// Takes a private key in PKCS#8, of version 1 or, with the public key behind it, 2.
    ///
    /// # Errors
    /// [`Error::KeyRejected`] if it is not exactly one Ed25519 key, or its public key is not that
    /// of its private one.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, Error> {
        let inner = der::private_key(pkcs8, &ALGORITHM)?;
        // The library checks what stands behind the private key; its copy is wiped when it is
        // freed.
        Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| KeyRejection::Inconsistent)?;
        let seed = inner.strip_prefix(&PKCS8_PREFIX[14..]).ok_or(KeyRejection::Encoding)?;
        Self::from_seed(&parsed::lock(seed)?)
    }

    /// Takes what [`Self::pkcs8`] gave, without a copy of the key outside of locked memory.
    pub(crate) fn from_stored(pkcs8: &[u8]) -> Result<Self, Error> {
        let seed = pkcs8.strip_prefix(&PKCS8_PREFIX).ok_or(KeyRejection::Encoding)?;
        Self::from_seed(&parsed::lock(seed)?)
    }

    fn from_seed(seed: &Locked) -> Result<Self, Error> {
        let seed = seed.expose().try_into().map_err(|_| KeyRejection::Encoding)?;
        let private = Locked::filled::<Error>(ED25519_PRIVATE, |slot| {
            let slot = slot.first_chunk_mut().ok_or(Error::Library)?;
            ffi::ed25519_expand(seed, slot);
            Ok(())
        })?;
        let mut public = [0; ED25519_PUBLIC];
        public.copy_from_slice(&private.expose()[ED25519_SEED..]);
        let spki = der::public_key(&ALGORITHM, &public).into();
        Ok(Self { private, public, spki })
    }

    /// The private key in PKCS#8, version 1.
    pub(crate) fn pkcs8(&self) -> Result<Locked, Error> {
        Locked::filled(PKCS8, |slot| {
            let (prefix, seed) = slot.split_at_mut(PKCS8_PREFIX.len());
            prefix.copy_from_slice(&PKCS8_PREFIX);
            seed.copy_from_slice(&self.private.expose()[..ED25519_SEED]);
            Ok(())
        })
    }

    fn private(&self) -> Result<&[u8; ED25519_PRIVATE], Error> {
        self.private.expose().try_into().map_err(|_| Error::Library)
    }

    /// The public key as a DER SubjectPublicKeyInfo (RFC 8410, 4).
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

    /// Signs a message: ED25519_SHA_512, MessageType RAW.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = ffi::ed25519_sign(self.private()?, message).map_err(|_| Error::Library)?;
        Ok(signature.to_vec())
    }

    /// Signs the SHA-512 digest of a message: ED25519_PH_SHA_512, MessageType DIGEST. The digest is
    /// the message of Ed25519ph, so it is hashed once more (AWS KMS API Reference, Sign).
    ///
    /// # Errors
    /// [`Error::DigestLength`] if it has not 64 bytes, [`Error::Library`].
    pub fn sign_digest(&self, digest: &[u8]) -> Result<Vec<u8>, Error> {
        self.sign_prehash(&prehash(exact(digest)?)?)
    }

    /// Ed25519ph of the message with this SHA-512 (RFC 8032, 5.1).
    fn sign_prehash(&self, prehash: &[u8; SHA_512]) -> Result<Vec<u8>, Error> {
        let signature = ffi::ed25519ph_sign(self.private()?, prehash);
        Ok(signature.map_err(|_| Error::Library)?.to_vec())
    }

    /// Verifies what [`Self::sign`] made.
    ///
    /// # Errors
    /// [`Error::InvalidSignature`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        verify(&self.public, message, signature)
    }

    /// Verifies what [`Self::sign_digest`] made.
    ///
    /// # Errors
    /// [`Error::InvalidSignature`], [`Error::DigestLength`].
    pub fn verify_digest(&self, digest: &[u8], signature: &[u8]) -> Result<(), Error> {
        self.verify_prehash(&prehash(exact(digest)?)?, signature)
    }

    /// Verifies what [`Self::sign_prehash`] made.
    fn verify_prehash(&self, prehash: &[u8; SHA_512], signature: &[u8]) -> Result<(), Error> {
        let signature = signature.try_into().map_err(|_| Error::InvalidSignature)?;
        ffi::ed25519ph_verify(&self.public, prehash, signature).map_err(|_| Error::InvalidSignature)
    }
}

fn prehash(message: &[u8]) -> Result<[u8; SHA_512], Error> {
    digest(&SHA512, message).as_ref().try_into().map_err(|_| Error::Library)
}

fn exact(digest: &[u8]) -> Result<&[u8; SHA_512], Error> {
    digest.try_into().map_err(|_| Error::DigestLength { bytes: digest.len(), expected: SHA_512 })
}

fn verify(public: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Error> {
    UnparsedPublicKey::new(&ED25519, public)
        .verify(message, signature)
        .map_err(|_| Error::InvalidSignature)
}

#[cfg(test)]
mod tests;
