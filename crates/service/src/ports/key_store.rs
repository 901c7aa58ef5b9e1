//! The key store: where key material lives. Only handles and wrapped bytes cross this port.

use std::fmt;
use std::sync::Arc;

use wire::enums::KeySpec;
use zeroize::Zeroizing;

use super::Pending;

/// What names a key material: a function of the material and the key it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MaterialId(pub [u8; 32]);

impl fmt::Display for MaterialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a material belongs to. Wrapped bytes open only under the binding that they were made for.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// The Region, whose domain key wraps the material.
    pub region: &'a str,
    /// The ARN of the KMS key.
    pub key_arn: &'a str,
    /// The KMS key's account and id as ciphertexts hold them; the material's id is bound to it. The
    /// replicas of a multi-Region key share it.
    pub identity: [u8; 25],
    /// What the material is.
    pub spec: KeySpec,
}

/// Why a key store didn't do what it was asked.
#[derive(Debug)]
pub enum KeyStoreError {
    /// This key store has no such material.
    Unsupported,
    /// Wrapped bytes don't open: damaged, or not of this binding. Never the caller's fault.
    Damaged,
    /// The key store can't work now.
    Unavailable(Box<dyn std::error::Error + Send + Sync>),
}

impl fmt::Display for KeyStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported => f.write_str("the key store does not support this"),
            Self::Damaged => f.write_str("a wrapped key material does not open"),
            Self::Unavailable(cause) => write!(f, "the key store is unavailable: {cause}"),
        }
    }
}

impl std::error::Error for KeyStoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unavailable(cause) => Some(cause.as_ref()),
            _ => None,
        }
    }
}

/// A ciphertext that doesn't open, for a reason that isn't told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unopened;

/// The material of a symmetric encryption key, ready for use.
pub trait SymmetricMaterial: Send + Sync {
    /// Encrypts; appends the sealed bytes to `out`. Header and context are authenticated.
    ///
    /// # Errors
    /// [`KeyStoreError::Unavailable`].
    fn seal(
        &self,
        header: &[u8],
        context: &[u8],
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), KeyStoreError>;

    /// Decrypts what [`SymmetricMaterial::seal`] appended to `header`.
    ///
    /// # Errors
    /// [`Unopened`] whatever is wrong.
    fn open(
        &self,
        header: &[u8],
        context: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unopened>;
}

/// A material that was just made or opened.
pub struct Opened {
    /// Its id.
    pub id: MaterialId,
    /// Its handle.
    pub material: Arc<dyn SymmetricMaterial>,
}

/// Where key material lives.
pub trait KeyStore: Send + Sync {
    /// Makes new material; gives the bytes to keep in the key's record, wrapped, and the handle.
    fn generate<'a>(
        &'a self,
        binding: Binding<'a>,
    ) -> Pending<'a, Result<(Vec<u8>, Opened), KeyStoreError>>;

    /// Opens wrapped bytes that [`KeyStore::generate`] gave for the same binding and id.
    fn open<'a>(
        &'a self,
        binding: Binding<'a>,
        id: MaterialId,
        wrapped: &'a [u8],
    ) -> Pending<'a, Result<Arc<dyn SymmetricMaterial>, KeyStoreError>>;

    /// Random bytes from the key store's generator, for data keys and GenerateRandom.
    ///
    /// # Errors
    /// [`KeyStoreError::Unavailable`].
    fn random(&self, length: usize) -> Result<Zeroizing<Vec<u8>>, KeyStoreError>;
}
