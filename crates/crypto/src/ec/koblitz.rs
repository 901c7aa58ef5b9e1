//! Signatures on secp256k1 by libsecp256k1: AWS-LC has no arithmetic of its own for this curve and
//! takes ten times as long.
//!
//! Keys are still made, read and written by AWS-LC. This must not know where a digest comes from.

use aws_lc_rs::digest::Digest;
use zeroize::Zeroizing;

use super::Curve;
use crate::ffi::{self, Half, SECP256K1_DIGEST, SECP256K1_POINT, Secp256k1Point};
use crate::memory::Locked;
use crate::{Error, der, random};

/// The ECPrivateKey (RFC 5915, 3) in what AWS-LC writes, up to the scalar: a sequence with the
/// public key in it, version 1, and an octet string.
const BEFORE_SCALAR: [u8; 7] = [0x30, 0x6B, 0x02, 0x01, 0x01, 0x04, 0x20];

/// A private key in PKCS#8, as AWS-LC writes it. No other form of it is kept: the scalar is read
/// where it stands.
pub(super) struct SigningKey(Locked);

impl SigningKey {
    /// # Errors
    /// [`Error::Library`] if the key has another form.
    pub(super) fn new(pkcs8: Locked) -> Result<Self, Error> {
        let key = Self(pkcs8);
        key.scalar()?;
        Ok(key)
    }

    pub(super) fn pkcs8(&self) -> &Locked {
        &self.0
    }

    fn scalar(&self) -> Result<&[u8; ffi::SECP256K1_SCALAR], Error> {
        der::private_key(self.0.expose(), Curve::Secp256k1.algorithm())?
            .strip_prefix(&BEFORE_SCALAR)
            .and_then(<[u8]>::first_chunk)
            .ok_or(Error::Library)
    }

    /// # Errors
    /// [`Error::Library`], [`Error::Random`].
    pub(super) fn sign(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        // The nonce would be safe without it. With it, two signatures of one message differ as
        // AWS's do, and a fault during one of them doesn't give the key away.
        let mut extra = Zeroizing::new([0; 32]);
        random::fill(&mut *extra)?;
        // AWS makes either value of s. A client that can take only one must find that out here.
        let mut coin = [0];
        random::fill(&mut coin)?;
        let half = if coin[0] & 1 == 0 { Half::Lower } else { Half::Higher };
        let (scalar, digest) = (self.scalar()?, bytes(digest)?);
        ffi::secp256k1_sign(scalar, digest, &extra, half).map_err(|_| Error::Library)
    }
}

/// A public key.
pub(super) struct VerifyingKey(Secp256k1Point);

impl VerifyingKey {
    /// Takes a SubjectPublicKeyInfo, which ends with the point.
    ///
    /// # Errors
    /// [`Error::Library`] if it isn't one of this curve.
    pub(super) fn from_spki(spki: &[u8]) -> Result<Self, Error> {
        let point: &[u8; SECP256K1_POINT] = spki.last_chunk().ok_or(Error::Library)?;
        Secp256k1Point::parse(point).map(Self).map_err(|_| Error::Library)
    }

    /// # Errors
    /// [`Error::InvalidSignature`]; [`Error::Library`].
    pub(super) fn verify(&self, digest: &Digest, signature: &[u8]) -> Result<(), Error> {
        self.0.verify(bytes(digest)?, signature).map_err(|_| Error::InvalidSignature)
    }
}

/// The digest as the library takes it; the curve's hash is SHA-256.
fn bytes(digest: &Digest) -> Result<&[u8; SECP256K1_DIGEST], Error> {
    digest.as_ref().try_into().map_err(|_| Error::Library)
}
