//! Symmetric key material: what AWS calls the HSM backing key (HBK) of a SYMMETRIC_DEFAULT key.
//!
//! It owns how material seals and opens a value and how it is named. It must not know key ids,
//! the layout of a blob's header or the form of an encryption context: those are bytes to it.

use zeroize::Zeroizing;

use crate::derive::{self, Label};
use crate::envelope::{self, Envelope, Salt};
use crate::memory::Locked;
use crate::parsed;
use crate::{Error, KeyRejection, Unopened, random};

/// The length of symmetric key material, in bytes.
pub(crate) const LEN: usize = 32;

/// How many bytes [`SymmetricKey::seal`] adds to a plaintext: nonce, IV and tag.
pub const SEALED_OVERHEAD: usize = envelope::OVERHEAD;

/// 256 bits of key material. It never leaves this crate but wrapped by a [`crate::DomainKey`].
pub struct SymmetricKey {
    material: Locked,
}

impl SymmetricKey {
    /// Makes new random material.
    ///
    /// # Errors
    /// [`Error::MemoryNotLocked`], [`Error::Random`].
    pub fn generate() -> Result<Self, Error> {
        Locked::filled(LEN, random::fill).map(Self::from_locked)
    }

    /// Takes material that was made elsewhere.
    ///
    /// # Errors
    /// [`Error::KeyRejected`] if it has not 32 bytes, [`Error::MemoryNotLocked`].
    pub fn from_bytes(material: &[u8]) -> Result<Self, Error> {
        if material.len() != LEN {
            return Err(KeyRejection::Length { bytes: material.len(), expected: LEN }.into());
        }
        parsed::lock(material).map(Self::from_locked)
    }

    pub(crate) fn from_locked(material: Locked) -> Self {
        Self { material }
    }

    pub(crate) fn locked(&self) -> &Locked {
        &self.material
    }

    /// The identifier of this material under the key `key_id`: always the same for the same two,
    /// and telling nothing about the material.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn material_id(&self, key_id: &[u8]) -> Result<[u8; 32], Error> {
        let mut id = [0; derive::DERIVED];
        derive::fill(&self.material, Label::MATERIAL_ID, key_id, &mut id)?;
        Ok(id)
    }

    /// Appends `nonce || IV || ciphertext || tag` to `out`. It opens only with the same `header`
    /// and `context`.
    ///
    /// The associated data is `header || nonce || IV || context`. A format must therefore fix
    /// the length of its header, and give it in the header's first byte if it has several
    /// versions: otherwise bytes could move between header and context.
    ///
    /// # Errors
    /// [`Error::Random`], [`Error::Library`]; `out` is as it was then.
    pub fn seal(
        &self,
        header: &[u8],
        context: &[u8],
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        self.seal_with(&Salt::random()?, header, context, plaintext, out)
    }

    pub(crate) fn seal_with(
        &self,
        salt: &Salt,
        header: &[u8],
        context: &[u8],
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let aad = aad(header, salt, context);
        envelope::seal(&self.material, Label::BLOB, salt, &aad, plaintext, out)
    }

    /// Opens what [`Self::seal`] appended. The plaintext is wiped when it is dropped.
    ///
    /// # Errors
    /// [`Unopened`], whatever the reason.
    pub fn open(
        &self,
        header: &[u8],
        context: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        let envelope = Envelope::parse(sealed)?;
        let aad = aad(header, &envelope.salt, context);
        let mut plaintext = Zeroizing::new(vec![0; envelope.ciphertext.len()]);
        envelope.open(&self.material, Label::BLOB, &aad, &mut plaintext)?;
        Ok(plaintext)
    }
}

fn aad(header: &[u8], salt: &Salt, context: &[u8]) -> Vec<u8> {
    [header, salt.as_bytes(), context].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [u8; 58] = [1; 58];

    fn sealed(key: &SymmetricKey, context: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        key.seal(&HEADER, context, plaintext, &mut out).unwrap();
        out
    }

    #[test]
    fn a_value_opens_to_what_was_sealed() {
        let key = SymmetricKey::generate().unwrap();
        for len in [0, 1, 32, 4096, 6144] {
            let plaintext = vec![7; len];
            let value = sealed(&key, b"context", &plaintext);
            assert_eq!(value.len(), len + SEALED_OVERHEAD);
            assert_eq!(*key.open(&HEADER, b"context", &value).unwrap(), plaintext);
        }
    }

    #[test]
    fn material_that_was_made_elsewhere_has_256_bits() {
        let key = SymmetricKey::from_bytes(&[7; 32]).unwrap();
        assert_eq!(key.locked().expose(), [7; 32]);
        for len in [0, 16, 31, 33, 64] {
            let error = SymmetricKey::from_bytes(&vec![7; len]).err().expect("refused");
            assert!(matches!(
                error,
                Error::KeyRejected(KeyRejection::Length { bytes, expected: 32 }) if bytes == len
            ));
        }
    }

    #[test]
    fn sealing_appends_and_leaves_what_stands_before() {
        let key = SymmetricKey::generate().unwrap();
        let mut out = HEADER.to_vec();
        key.seal(&HEADER, b"", b"plaintext", &mut out).unwrap();
        assert_eq!(out[..58], HEADER);
        assert_eq!(*key.open(&HEADER, b"", &out[58..]).unwrap(), b"plaintext");
    }

    #[test]
    fn another_key_header_or_context_does_not_open() {
        let key = SymmetricKey::generate().unwrap();
        let value = sealed(&key, b"context", b"plaintext");
        let other = SymmetricKey::generate().unwrap();
        let mut header = HEADER;
        header[57] ^= 1;
        assert_eq!(other.open(&HEADER, b"context", &value), Err(Unopened));
        assert_eq!(key.open(&header, b"context", &value), Err(Unopened));
        assert_eq!(key.open(&HEADER, b"contexu", &value), Err(Unopened));
        assert_eq!(key.open(&HEADER, b"", &value), Err(Unopened));
    }

    #[test]
    fn every_altered_bit_and_every_shorter_value_is_refused() {
        let key = SymmetricKey::generate().unwrap();
        let value = sealed(&key, b"context", b"plaintext");
        for position in 0..value.len() {
            for bit in 0..8 {
                let mut altered = value.clone();
                altered[position] ^= 1 << bit;
                assert_eq!(key.open(&HEADER, b"context", &altered), Err(Unopened));
            }
            assert_eq!(key.open(&HEADER, b"context", &value[..position]), Err(Unopened));
        }
        let longer = [&value[..], &[0]].concat();
        assert_eq!(key.open(&HEADER, b"context", &longer), Err(Unopened));
    }

    #[test]
    fn nonce_and_iv_are_fresh_each_time() {
        let key = SymmetricKey::generate().unwrap();
        let values: Vec<_> = (0..100).map(|_| sealed(&key, b"", b"same")).collect();
        let distinct = |from: usize, to: usize| {
            let parts: std::collections::HashSet<_> = values.iter().map(|v| &v[from..to]).collect();
            parts.len()
        };
        assert_eq!((distinct(0, 16), distinct(16, 28), distinct(28, 48)), (100, 100, 100));
    }

    #[test]
    fn a_material_id_depends_on_material_and_key_id() {
        let (key, other) = (SymmetricKey::generate().unwrap(), SymmetricKey::generate().unwrap());
        let id = key.material_id(b"one").unwrap();
        assert_eq!(id, key.material_id(b"one").unwrap());
        assert_ne!(id, key.material_id(b"two").unwrap());
        assert_ne!(id, other.material_id(b"one").unwrap());
    }
}
