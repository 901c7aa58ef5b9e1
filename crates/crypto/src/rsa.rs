//! RSA keys of 2048, 3072 and 4096 bits: encryption, decryption, signatures (RFC 8017).
//!
//! It owns which keys are taken and how they are parsed and named. It must not know key usages:
//! a key here can do whatever RSA can.

use std::sync::OnceLock;

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    KeyPair, KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm,
    OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::{
    self, KeyPair as _, ParsedPublicKey, RsaParameters, RsaSignatureEncoding,
};
use zeroize::Zeroizing;

use crate::derive::{self, Label};
use crate::memory::Locked;
use crate::parsed::{self, Message};
use crate::{Error, KeyRejection, Unopened, der};

/// AlgorithmIdentifier of rsaEncryption, whose parameters are NULL (RFC 8017, A.1).
pub(crate) const ALGORITHM: [u8; 15] =
    [0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00];

/// The last element of an RSAPublicKey whose exponent is 65537.
const EXPONENT_65537: [u8; 5] = [0x02, 0x03, 0x01, 0x00, 0x01];

/// The sizes of RSA keys that AWS KMS has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RsaSpec {
    /// RSA_2048.
    Rsa2048,
    /// RSA_3072.
    Rsa3072,
    /// RSA_4096.
    Rsa4096,
}

impl RsaSpec {
    /// The length of the modulus, of a ciphertext and of a signature, in bytes.
    pub const fn modulus_len(self) -> usize {
        match self {
            Self::Rsa2048 => 256,
            Self::Rsa3072 => 384,
            Self::Rsa4096 => 512,
        }
    }

    const fn size(self) -> KeySize {
        match self {
            Self::Rsa2048 => KeySize::Rsa2048,
            Self::Rsa3072 => KeySize::Rsa3072,
            Self::Rsa4096 => KeySize::Rsa4096,
        }
    }
}

/// RSAES-OAEP (RFC 8017, 7.1) with one hash for OAEP and MGF1 and no label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RsaEncryptionAlgorithm {
    /// RSAES_OAEP_SHA_1.
    OaepSha1,
    /// RSAES_OAEP_SHA_256.
    OaepSha256,
}

impl RsaEncryptionAlgorithm {
    /// The longest plaintext that a key of `spec` encrypts, in bytes.
    pub const fn longest_plaintext(self, spec: RsaSpec) -> usize {
        let hash = match self {
            Self::OaepSha1 => 20,
            Self::OaepSha256 => 32,
        };
        spec.modulus_len() - 2 * hash - 2
    }

    const fn padding(self) -> &'static OaepAlgorithm {
        match self {
            Self::OaepSha1 => &OAEP_SHA1_MGF1SHA1,
            Self::OaepSha256 => &OAEP_SHA256_MGF1SHA256,
        }
    }
}

/// The signature schemes of RSA keys. PSS has MGF1 with the same hash and a salt as long as it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RsaSigningAlgorithm {
    /// RSASSA_PSS_SHA_256.
    PssSha256,
    /// RSASSA_PSS_SHA_384.
    PssSha384,
    /// RSASSA_PSS_SHA_512.
    PssSha512,
    /// RSASSA_PKCS1_V1_5_SHA_256.
    Pkcs1Sha256,
    /// RSASSA_PKCS1_V1_5_SHA_384.
    Pkcs1Sha384,
    /// RSASSA_PKCS1_V1_5_SHA_512.
    Pkcs1Sha512,
}

/// How many signature schemes there are; their discriminants count from 0.
const SCHEMES: usize = 6;

impl RsaSigningAlgorithm {
    const fn hash(self) -> &'static digest::Algorithm {
        match self {
            Self::PssSha256 | Self::Pkcs1Sha256 => &SHA256,
            Self::PssSha384 | Self::Pkcs1Sha384 => &SHA384,
            Self::PssSha512 | Self::Pkcs1Sha512 => &SHA512,
        }
    }

    const fn signing(self) -> &'static RsaSignatureEncoding {
        match self {
            Self::PssSha256 => &signature::RSA_PSS_SHA256,
            Self::PssSha384 => &signature::RSA_PSS_SHA384,
            Self::PssSha512 => &signature::RSA_PSS_SHA512,
            Self::Pkcs1Sha256 => &signature::RSA_PKCS1_SHA256,
            Self::Pkcs1Sha384 => &signature::RSA_PKCS1_SHA384,
            Self::Pkcs1Sha512 => &signature::RSA_PKCS1_SHA512,
        }
    }

    const fn verification(self) -> &'static RsaParameters {
        match self {
            Self::PssSha256 => &signature::RSA_PSS_2048_8192_SHA256,
            Self::PssSha384 => &signature::RSA_PSS_2048_8192_SHA384,
            Self::PssSha512 => &signature::RSA_PSS_2048_8192_SHA512,
            Self::Pkcs1Sha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Self::Pkcs1Sha384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            Self::Pkcs1Sha512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        }
    }
}

/// An RSA key pair. The parsed private key is in the library's memory, which is wiped when it
/// is freed but not locked; `docs/internals/key-hierarchy.md` says why.
pub struct RsaKey {
    spec: RsaSpec,
    pair: KeyPair,
    decrypting: OnceLock<OaepPrivateDecryptingKey>,
    public: PublicKey,
}

/// The public half.
struct PublicKey {
    spki: Box<[u8]>,
    encrypting: OnceLock<OaepPublicEncryptingKey>,
    verifying: [OnceLock<ParsedPublicKey>; SCHEMES],
}

impl RsaKey {
    /// Makes a new key pair, which takes 30 ms to 2 s.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn generate(spec: RsaSpec) -> Result<Self, Error> {
        let pair = KeyPair::generate(spec.size()).map_err(|_| Error::Library)?;
        Self::from_pair(spec, pair)
    }

    /// Takes a private key in PKCS#8.
    ///
    /// # Errors
    /// [`Error::KeyRejected`] if it is not exactly one key of `spec` whose public exponent is
    /// 65537.
    pub fn from_pkcs8(spec: RsaSpec, pkcs8: &[u8]) -> Result<Self, Error> {
        der::private_key(pkcs8, &ALGORITHM)?;
        let pair = KeyPair::from_pkcs8(pkcs8).map_err(|_| KeyRejection::Inconsistent)?;
        check(spec, pair.public_key().as_ref())?;
        Self::from_pair(spec, pair)
    }

    fn from_pair(spec: RsaSpec, pair: KeyPair) -> Result<Self, Error> {
        let spki: PublicKeyX509Der = pair.public_key().as_der().map_err(|_| Error::Library)?;
        let public = PublicKey::new(spki.as_ref().into());
        Ok(Self { spec, pair, decrypting: OnceLock::new(), public })
    }

    /// The private key in PKCS#8 as the library writes it. The library makes it on the ordinary
    /// heap and wipes it there.
    pub(crate) fn pkcs8(&self) -> Result<Locked, Error> {
        parsed::lock(self.export()?.as_ref())
    }

    fn export(&self) -> Result<Pkcs8V1Der<'static>, Error> {
        self.pair.as_der().map_err(|_| Error::Library)
    }

    /// The size of the key.
    pub fn spec(&self) -> RsaSpec {
        self.spec
    }

    /// The public key as a DER SubjectPublicKeyInfo (RFC 5280, 4.1).
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

    /// Encrypts with the public key.
    ///
    /// # Errors
    /// [`Error::PlaintextTooLong`], [`Error::Library`].
    pub fn encrypt(
        &self,
        algorithm: RsaEncryptionAlgorithm,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let most = algorithm.longest_plaintext(self.spec);
        if plaintext.len() > most {
            return Err(Error::PlaintextTooLong { bytes: plaintext.len(), most });
        }
        let mut ciphertext = vec![0; self.spec.modulus_len()];
        let key = self.public.encrypting()?;
        key.encrypt(algorithm.padding(), plaintext, &mut ciphertext, None)
            .map_err(|_| Error::Library)?;
        Ok(ciphertext)
    }

    /// Decrypts with the private key. The plaintext is wiped when it is dropped.
    ///
    /// # Errors
    /// [`Unopened`], whatever the reason. The library takes the same time for every ciphertext
    /// that has the modulus' length and is less than it.
    pub fn decrypt(
        &self,
        algorithm: RsaEncryptionAlgorithm,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        let mut plaintext = Zeroizing::new(vec![0; self.spec.modulus_len()]);
        let len = self.decrypt_into(algorithm, ciphertext, &mut plaintext)?;
        plaintext.truncate(len);
        Ok(plaintext)
    }

    /// Decrypts to the front of `plaintext`, which must be as long as the modulus, and returns
    /// how many bytes that are.
    pub(crate) fn decrypt_into(
        &self,
        algorithm: RsaEncryptionAlgorithm,
        ciphertext: &[u8],
        plaintext: &mut [u8],
    ) -> Result<usize, Unopened> {
        let key = parsed::once(&self.decrypting, || {
            let key = PrivateDecryptingKey::from_pkcs8(self.export()?.as_ref())
                .map_err(|_| Error::Library)?;
            OaepPrivateDecryptingKey::new(key).map_err(|_| Error::Library)
        })
        .map_err(|_| Unopened)?;
        key.decrypt(algorithm.padding(), ciphertext, plaintext, None)
            .map(|plaintext| plaintext.len())
            .map_err(|_| Unopened)
    }

    /// Signs with the private key.
    ///
    /// # Errors
    /// [`Error::DigestLength`], [`Error::Library`].
    pub fn sign(
        &self,
        algorithm: RsaSigningAlgorithm,
        message: Message<'_>,
    ) -> Result<Vec<u8>, Error> {
        let mut signature = vec![0; self.spec.modulus_len()];
        match message {
            Message::Raw(message) => {
                self.pair.sign(algorithm.signing(), &SystemRandom::new(), message, &mut signature)
            }
            Message::Digest(bytes) => {
                let digest = parsed::digest(bytes, algorithm.hash())?;
                self.pair.sign_digest(algorithm.signing(), &digest, &mut signature)
            }
        }
        .map_err(|_| Error::Library)?;
        Ok(signature)
    }

    /// Verifies a signature with the public key.
    ///
    /// # Errors
    /// [`Error::InvalidSignature`], [`Error::DigestLength`], [`Error::Library`].
    pub fn verify(
        &self,
        algorithm: RsaSigningAlgorithm,
        message: Message<'_>,
        signature: &[u8],
    ) -> Result<(), Error> {
        self.public.verify(algorithm, message, signature)
    }
}

impl PublicKey {
    fn new(spki: Box<[u8]>) -> Self {
        Self { spki, encrypting: OnceLock::new(), verifying: [const { OnceLock::new() }; SCHEMES] }
    }

    fn encrypting(&self) -> Result<&OaepPublicEncryptingKey, Error> {
        parsed::once(&self.encrypting, || {
            PublicEncryptingKey::from_der(&self.spki)
                .map_err(|_| Error::Library)
                .and_then(|key| OaepPublicEncryptingKey::new(key).map_err(|_| Error::Library))
        })
    }

    fn verify(
        &self,
        algorithm: RsaSigningAlgorithm,
        message: Message<'_>,
        signature: &[u8],
    ) -> Result<(), Error> {
        let key = parsed::once(&self.verifying[algorithm as usize], || {
            ParsedPublicKey::new(algorithm.verification(), &self.spki).map_err(|_| Error::Library)
        })?;
        match message {
            Message::Raw(message) => key.verify_sig(message, signature),
            Message::Digest(bytes) => {
                key.verify_digest_sig(&parsed::digest(bytes, algorithm.hash())?, signature)
            }
        }
        .map_err(|_| Error::InvalidSignature)
    }
}

/// Checks size and exponent in the DER of an RSAPublicKey (RFC 8017, A.1.1), a sequence of two
/// integers. A modulus of the full size has its top bit set, so a zero byte stands before it.
fn check(spec: RsaSpec, public: &[u8]) -> Result<(), KeyRejection> {
    let modulus = spec.modulus_len();
    let [.., high, low] = (modulus + 1).to_be_bytes();
    let integer = [0x02, 0x82, high, low, 0x00];
    // Tag and length of the sequence take four bytes.
    let is_modulus = public.get(4..9) == Some(&integer[..])
        && public.get(9).is_some_and(|first| first & 0x80 != 0);
    if !is_modulus {
        return Err(KeyRejection::Size);
    }
    if public.get(9 + modulus..) != Some(&EXPONENT_65537[..]) {
        return Err(KeyRejection::Exponent);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
