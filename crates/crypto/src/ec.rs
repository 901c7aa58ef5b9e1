//! Elliptic curve keys: ECDSA on four curves (FIPS 186-5) and ECDH on three (SP 800-56A).
//!
//! The NIST curves are AWS-LC's in everything; secp256k1 is signed and verified by libsecp256k1.
//! It owns which keys and peers are taken. It must not know key usages.

use std::sync::OnceLock;

use aws_lc_rs::agreement::{self, UnparsedPublicKey};
use aws_lc_rs::digest::{self, Digest, SHA256, SHA384, SHA512};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::pkcs8::Document;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, KeyPair as _,
    ParsedPublicKey,
};
use zeroize::Zeroizing;

use self::koblitz::{SigningKey, VerifyingKey};
use crate::derive::{self, Label};
use crate::memory::Locked;
use crate::parsed::{self, Message};
use crate::{Error, KeyRejection, der};

mod koblitz;

/// The curves that AWS KMS has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Curve {
    /// ECC_NIST_P256, with ECDSA_SHA_256 and ECDH.
    P256,
    /// ECC_NIST_P384, with ECDSA_SHA_384 and ECDH.
    P384,
    /// ECC_NIST_P521, with ECDSA_SHA_512 and ECDH.
    P521,
    /// ECC_SECG_P256K1, with ECDSA_SHA_256.
    Secp256k1,
}

impl Curve {
    /// AlgorithmIdentifier of id-ecPublicKey with the curve's name as the parameters (RFC 5480,
    /// 2.1.1). Curves that are spelt out are not taken, not even these.
    const fn algorithm(self) -> &'static [u8] {
        match self {
            Self::P256 => &[
                0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A,
                0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07,
            ],
            Self::P384 => &[
                0x30, 0x10, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x05, 0x2B,
                0x81, 0x04, 0x00, 0x22,
            ],
            Self::P521 => &[
                0x30, 0x10, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x05, 0x2B,
                0x81, 0x04, 0x00, 0x23,
            ],
            Self::Secp256k1 => &[
                0x30, 0x10, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x05, 0x2B,
                0x81, 0x04, 0x00, 0x0A,
            ],
        }
    }

    const fn hash(self) -> &'static digest::Algorithm {
        match self {
            Self::P256 | Self::Secp256k1 => &SHA256,
            Self::P384 => &SHA384,
            Self::P521 => &SHA512,
        }
    }

    const fn signing(self) -> &'static EcdsaSigningAlgorithm {
        match self {
            Self::P256 => &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
            Self::P384 => &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
            Self::P521 => &signature::ECDSA_P521_SHA512_ASN1_SIGNING,
            Self::Secp256k1 => &signature::ECDSA_P256K1_SHA256_ASN1_SIGNING,
        }
    }

    /// AWS-LC's algorithm, for the curves that it verifies.
    const fn verification(self) -> Option<&'static EcdsaVerificationAlgorithm> {
        match self {
            Self::P256 => Some(&signature::ECDSA_P256_SHA256_ASN1),
            Self::P384 => Some(&signature::ECDSA_P384_SHA384_ASN1),
            Self::P521 => Some(&signature::ECDSA_P521_SHA512_ASN1),
            Self::Secp256k1 => None,
        }
    }

    /// The digest that is signed.
    fn digest(self, message: Message<'_>) -> Result<Digest, Error> {
        match message {
            Message::Raw(message) => Ok(digest::digest(self.hash(), message)),
            Message::Digest(bytes) => parsed::digest(bytes, self.hash()),
        }
    }

    const fn agreement(self) -> Result<&'static agreement::Algorithm, Error> {
        match self {
            Self::P256 => Ok(&agreement::ECDH_P256),
            Self::P384 => Ok(&agreement::ECDH_P384),
            Self::P521 => Ok(&agreement::ECDH_P521),
            Self::Secp256k1 => Err(Error::NoKeyAgreement),
        }
    }
}

/// An elliptic curve key pair. On a NIST curve the parsed private key is in the library's memory,
/// which is wiped when it is freed but not locked; `docs/internals/key-hierarchy.md` says why.
pub struct EcKey {
    curve: Curve,
    private: PrivateKey,
    agreeing: OnceLock<agreement::PrivateKey>,
    public: PublicKey,
}

/// The private half, as it signs.
enum PrivateKey {
    Nist(EcdsaKeyPair),
    Koblitz(SigningKey),
}

/// The public half.
struct PublicKey {
    curve: Curve,
    spki: Box<[u8]>,
    verifying: OnceLock<Verifying>,
}

/// The public half, as it verifies.
enum Verifying {
    Nist(ParsedPublicKey),
    Koblitz(VerifyingKey),
}

impl EcKey {
    /// Makes a new key pair.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn generate(curve: Curve) -> Result<Self, Error> {
        let pair = EcdsaKeyPair::generate(curve.signing()).map_err(|_| Error::Library)?;
        Self::from_pair(curve, pair)
    }

    /// Takes a private key in PKCS#8, with or without the public key in it (RFC 5915, 3).
    ///
    /// # Errors
    /// [`Error::KeyRejected`] if it is not exactly one key of `curve`, or its public key is not
    /// that of its private one.
    pub fn from_pkcs8(curve: Curve, pkcs8: &[u8]) -> Result<Self, Error> {
        der::private_key(pkcs8, curve.algorithm())?;
        let pair = EcdsaKeyPair::from_pkcs8(curve.signing(), pkcs8)
            .map_err(|_| KeyRejection::Inconsistent)?;
        Self::from_pair(curve, pair)
    }

    fn from_pair(curve: Curve, pair: EcdsaKeyPair) -> Result<Self, Error> {
        let spki: PublicKeyX509Der = pair.public_key().as_der().map_err(|_| Error::Library)?;
        let public = PublicKey { curve, spki: spki.as_ref().into(), verifying: OnceLock::new() };
        let private = match curve {
            Curve::Secp256k1 => PrivateKey::Koblitz(SigningKey::new(export(&pair)?)?),
            Curve::P256 | Curve::P384 | Curve::P521 => PrivateKey::Nist(pair),
        };
        Ok(Self { curve, private, agreeing: OnceLock::new(), public })
    }

    /// The private key in PKCS#8 as AWS-LC writes it, with the public key in it.
    pub(crate) fn pkcs8(&self) -> Result<Locked, Error> {
        match &self.private {
            PrivateKey::Nist(pair) => export(pair),
            PrivateKey::Koblitz(key) => parsed::lock(key.pkcs8().expose()),
        }
    }

    /// The curve of the key.
    pub fn curve(&self) -> Curve {
        self.curve
    }

    /// The public key as a DER SubjectPublicKeyInfo (RFC 5480, 2).
    pub fn public_key(&self) -> &[u8] {
        &self.public.spki
    }

    /// The identifier of this key pair under the key `key_id`: always the same for the same two.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn material_id(&self, key_id: &[u8]) -> Result<[u8; 32], Error> {
        derive::hashed(&self.public.spki, Label::PUBLIC_KEY_ID, key_id)
    }

    /// Signs with ECDSA and the curve's hash; the signature is DER (RFC 3279, 2.2.3).
    ///
    /// # Errors
    /// [`Error::DigestLength`], [`Error::Library`].
    pub fn sign(&self, message: Message<'_>) -> Result<Vec<u8>, Error> {
        let pair = match &self.private {
            PrivateKey::Nist(pair) => pair,
            PrivateKey::Koblitz(key) => return key.sign(&self.curve.digest(message)?),
        };
        match message {
            Message::Raw(message) => pair.sign(&SystemRandom::new(), message),
            Message::Digest(bytes) => pair.sign_digest(&parsed::digest(bytes, self.curve.hash())?),
        }
        .map(|signature| signature.as_ref().to_vec())
        .map_err(|_| Error::Library)
    }

    /// Verifies what [`Self::sign`] made.
    ///
    /// # Errors
    /// [`Error::InvalidSignature`], [`Error::DigestLength`], [`Error::Library`].
    pub fn verify(&self, message: Message<'_>, signature: &[u8]) -> Result<(), Error> {
        self.public.verify(message, signature)
    }

    /// ECDH (SP 800-56A, 5.7.1.2) with a peer's public key, a DER SubjectPublicKeyInfo. Gives
    /// the x coordinate as it is, as long as the curve's field, wiped when it is dropped.
    ///
    /// # Errors
    /// [`Error::PeerRejected`] if the peer's key is malformed, of another curve or not on it;
    /// [`Error::NoKeyAgreement`] on secp256k1; [`Error::Library`].
    pub fn agree(&self, peer: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let algorithm = self.curve.agreement()?;
        if !der::is_public_key(peer, self.curve.algorithm()) {
            return Err(Error::PeerRejected);
        }
        let key = parsed::once(&self.agreeing, || {
            agreement::PrivateKey::from_private_key_der(algorithm, self.pkcs8()?.expose())
                .map_err(|_| Error::Library)
        })?;
        let peer = UnparsedPublicKey::new(algorithm, peer);
        agreement::agree(key, peer, Error::PeerRejected, |secret| {
            Ok(Zeroizing::new(secret.to_vec()))
        })
    }
}

impl PublicKey {
    fn verify(&self, message: Message<'_>, signature: &[u8]) -> Result<(), Error> {
        let key = match parsed::once(&self.verifying, || self.parse())? {
            Verifying::Nist(key) => key,
            Verifying::Koblitz(key) => return key.verify(&self.curve.digest(message)?, signature),
        };
        match message {
            Message::Raw(message) => key.verify_sig(message, signature),
            Message::Digest(bytes) => {
                key.verify_digest_sig(&parsed::digest(bytes, self.curve.hash())?, signature)
            }
        }
        .map_err(|_| Error::InvalidSignature)
    }

    fn parse(&self) -> Result<Verifying, Error> {
        match self.curve.verification() {
            Some(algorithm) => ParsedPublicKey::new(algorithm, &self.spki)
                .map(Verifying::Nist)
                .map_err(|_| Error::Library),
            None => VerifyingKey::from_spki(&self.spki).map(Verifying::Koblitz),
        }
    }
}

/// The private key in PKCS#8. The library writes it on the ordinary heap and wipes it there.
fn export(pair: &EcdsaKeyPair) -> Result<Locked, Error> {
    let pkcs8: Document = pair.to_pkcs8v1().map_err(|_| Error::Library)?;
    parsed::lock(pkcs8.as_ref())
}

#[cfg(test)]
mod tests;
