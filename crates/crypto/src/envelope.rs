//! Sealing under a key that is derived for the one value and then forgotten.
//!
//! A random 96-bit IV may be drawn 2^32 times under one AES-GCM key (SP 800-38D, 8.3). Here every
//! value has a fresh 128-bit nonce from which its own key is derived, so a secret may seal
//! without a count being kept. It owns the form `nonce || IV || ciphertext || tag`; it must not
//! know what is bound to the value or stored before it.

use zeroize::Zeroizing;

use crate::derive::{self, Label};
use crate::memory::Locked;
use crate::{Error, Unopened, aead, random};

const NONCE: usize = 16;
const SALT: usize = NONCE + aead::IV;

/// What an envelope is longer than the plaintext, in bytes.
pub(crate) const OVERHEAD: usize = SALT + aead::TAG;

/// The public random part of one envelope: the nonce that gives its key, and its IV.
pub(crate) struct Salt([u8; SALT]);

impl Salt {
    /// Draws both at once, because a call of the generator costs almost half of a seal.
    pub(crate) fn random() -> Result<Self, Error> {
        let mut salt = [0; SALT];
        random::fill(&mut salt)?;
        Ok(Self(salt))
    }

    /// A salt that is known beforehand, for published test vectors.
    #[cfg(test)]
    pub(crate) fn fixed(nonce: [u8; NONCE], iv: [u8; aead::IV]) -> Self {
        let mut salt = [0; SALT];
        salt[..NONCE].copy_from_slice(&nonce);
        salt[NONCE..].copy_from_slice(&iv);
        Self(salt)
    }

    /// `nonce || IV`, as it stands in the envelope.
    pub(crate) fn as_bytes(&self) -> &[u8; SALT] {
        &self.0
    }

    pub(crate) fn nonce(&self) -> &[u8] {
        &self.0[..NONCE]
    }

    fn iv(&self) -> [u8; aead::IV] {
        let mut iv = [0; aead::IV];
        iv.copy_from_slice(&self.0[NONCE..]);
        iv
    }
}

/// An envelope taken apart.
pub(crate) struct Envelope<'a> {
    pub(crate) salt: Salt,
    pub(crate) ciphertext: &'a [u8],
    tag: &'a [u8; aead::TAG],
}

impl<'a> Envelope<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Unopened> {
        let (salt, rest) = bytes.split_first_chunk::<SALT>().ok_or(Unopened)?;
        let (ciphertext, tag) = rest.split_last_chunk().ok_or(Unopened)?;
        Ok(Self { salt: Salt(*salt), ciphertext, tag })
    }

    /// Writes the plaintext to `out`, which must be as long as the ciphertext.
    ///
    /// # Errors
    /// [`Unopened`]; `out` must be wiped then.
    pub(crate) fn open(
        &self,
        secret: &Locked,
        label: Label,
        aad: &[u8],
        out: &mut [u8],
    ) -> Result<(), Unopened> {
        let mut key = Zeroizing::new([0; aead::KEY]);
        derive::fill(secret, label, self.salt.nonce(), &mut key).map_err(|_| Unopened)?;
        aead::open(&key, self.salt.iv(), aad, self.ciphertext, self.tag, out)
    }
}

/// Appends the envelope of `plaintext` to `out`.
///
/// # Errors
/// [`Error::Library`]; `out` is as it was then.
pub(crate) fn seal(
    secret: &Locked,
    label: Label,
    salt: &Salt,
    aad: &[u8],
    plaintext: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let mut key = Zeroizing::new([0; aead::KEY]);
    derive::fill(secret, label, salt.nonce(), &mut key)?;
    let start = out.len();
    out.reserve(plaintext.len() + OVERHEAD);
    out.extend_from_slice(salt.as_bytes());
    let sealed = aead::seal(&key, salt.iv(), aad, plaintext, out);
    if sealed.is_err() {
        out.truncate(start);
    }
    sealed
}
