//! The key store: where key material lives. Only handles and wrapped bytes cross this port.

use std::fmt;
use std::sync::Arc;

use wire::enums::{
    AlgorithmSpec, DataKeyPairSpec, EncryptionAlgorithmSpec, KeySpec, MacAlgorithmSpec,
    SigningAlgorithmSpec, WrappingKeySpec,
};
use zeroize::Zeroizing;

use super::Pending;
use crate::ids::hex_digit;

/// What names a key material: a function of the material and the key it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MaterialId(pub [u8; 32]);

impl fmt::Display for MaterialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = hex_digit(byte >> 4);
            pair[1] = hex_digit(byte);
        }
        // Only ASCII gets into the array.
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
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

/// Why a material didn't do what it was asked.
#[derive(Debug)]
pub enum MaterialError {
    /// The input is none that this material can take: of the wrong length, off the curve,
    /// malformed.
    Input,
    /// The key store failed, or has no such use of this material.
    KeyStore(KeyStoreError),
}

impl From<KeyStoreError> for MaterialError {
    fn from(error: KeyStoreError) -> Self {
        Self::KeyStore(error)
    }
}

/// What is signed.
#[derive(Debug, Clone, Copy)]
pub enum Message<'a> {
    /// A message, which the algorithm hashes.
    Raw(&'a [u8]),
    /// A message's digest, which is not hashed again (Ed25519ph hashes it once more by definition).
    Digest(&'a [u8]),
    /// ML-DSA's message representative (FIPS 204, section 6.2).
    ExternalMu(&'a [u8]),
}

/// A secret that two parties share, with what the other one needs to come by it.
pub struct Encapsulated {
    /// The secret.
    pub secret: Zeroizing<Vec<u8>>,
    /// The secret, encapsulated.
    pub ciphertext: Vec<u8>,
}

/// A key material, ready for use. What a kind of material can't do answers
/// [`KeyStoreError::Unsupported`]; that is a failure of ours, as the callers check the spec first.
///
/// Everything may take time, be it for a network or for arithmetic; nothing blocks the caller's
/// thread for long.
pub trait Material: Send + Sync {
    /// Encrypts symmetrically; appends the sealed bytes to `out`. Header and context are
    /// authenticated.
    fn seal<'a>(
        &'a self,
        _header: &'a [u8],
        _context: &'a [u8],
        _plaintext: &'a [u8],
        _out: &'a mut Vec<u8>,
    ) -> Pending<'a, Result<(), KeyStoreError>> {
        unsupported()
    }

    /// Decrypts what [`Material::seal`] appended, or a ciphertext that an unsupported material
    /// can't have made.
    fn open<'a>(
        &'a self,
        _header: &'a [u8],
        _context: &'a [u8],
        _sealed: &'a [u8],
    ) -> Pending<'a, Result<Zeroizing<Vec<u8>>, Unopened>> {
        Box::pin(std::future::ready(Err(Unopened)))
    }

    /// The public key: SubjectPublicKeyInfo in DER (RFC 5280).
    fn public_key(&self) -> Pending<'_, Result<Vec<u8>, KeyStoreError>> {
        unsupported()
    }

    /// Encrypts with the public key.
    fn encrypt<'a>(
        &'a self,
        _algorithm: EncryptionAlgorithmSpec,
        _plaintext: &'a [u8],
    ) -> Pending<'a, Result<Vec<u8>, MaterialError>> {
        unsupported()
    }

    /// Decrypts with the private key.
    fn decrypt<'a>(
        &'a self,
        _algorithm: EncryptionAlgorithmSpec,
        _ciphertext: &'a [u8],
    ) -> Pending<'a, Result<Zeroizing<Vec<u8>>, Unopened>> {
        Box::pin(std::future::ready(Err(Unopened)))
    }

    /// Signs.
    fn sign<'a>(
        &'a self,
        _algorithm: SigningAlgorithmSpec,
        _message: Message<'a>,
    ) -> Pending<'a, Result<Vec<u8>, MaterialError>> {
        unsupported()
    }

    /// Whether the signature is one of this message.
    fn verify<'a>(
        &'a self,
        _algorithm: SigningAlgorithmSpec,
        _message: Message<'a>,
        _signature: &'a [u8],
    ) -> Pending<'a, Result<bool, MaterialError>> {
        unsupported()
    }

    /// Makes a MAC.
    fn mac<'a>(
        &'a self,
        _algorithm: MacAlgorithmSpec,
        _message: &'a [u8],
    ) -> Pending<'a, Result<Vec<u8>, MaterialError>> {
        unsupported()
    }

    /// Whether the MAC is one of this message, found out in constant time.
    fn verify_mac<'a>(
        &'a self,
        _algorithm: MacAlgorithmSpec,
        _message: &'a [u8],
        _mac: &'a [u8],
    ) -> Pending<'a, Result<bool, MaterialError>> {
        unsupported()
    }

    /// Agrees on a secret with the holder of that public key (SubjectPublicKeyInfo in DER).
    fn agree<'a>(
        &'a self,
        _peer: &'a [u8],
    ) -> Pending<'a, Result<Zeroizing<Vec<u8>>, MaterialError>> {
        unsupported()
    }

    /// Makes a secret and encapsulates it for the holder of the private key.
    fn encapsulate(&self) -> Pending<'_, Result<Encapsulated, MaterialError>> {
        unsupported()
    }

    /// Recovers an encapsulated secret.
    fn decapsulate<'a>(
        &'a self,
        _ciphertext: &'a [u8],
    ) -> Pending<'a, Result<Zeroizing<Vec<u8>>, MaterialError>> {
        unsupported()
    }
}

fn unsupported<'a, T: Send + 'a, E: From<KeyStoreError> + Send + 'a>() -> Pending<'a, Result<T, E>>
{
    Box::pin(std::future::ready(Err(KeyStoreError::Unsupported.into())))
}

/// A material that was just made or opened.
pub struct Opened {
    /// Its id.
    pub id: MaterialId,
    /// Its handle.
    pub material: Arc<dyn Material>,
}

/// A fresh key pair that is no key of KMS's.
pub struct DataKeyPair {
    /// The private key: PKCS#8 in DER (RFC 5208).
    pub private_key: Zeroizing<Vec<u8>>,
    /// The public key: SubjectPublicKeyInfo in DER (RFC 5280).
    pub public_key: Vec<u8>,
}

/// A key pair under which material may come in.
pub struct ImportKey {
    /// The public key: SubjectPublicKeyInfo in DER (RFC 5280).
    pub public_key: Vec<u8>,
    /// The private key, wrapped by the key store.
    pub wrapped: Vec<u8>,
}

/// Material that somebody brings, encrypted under an [`ImportKey`].
#[derive(Clone, Copy)]
pub struct Import<'a> {
    /// What the import key is.
    pub spec: WrappingKeySpec,
    /// Its private key, as the key store wrapped it.
    pub wrapped: &'a [u8],
    /// How the material is encrypted.
    pub algorithm: AlgorithmSpec,
    /// The encrypted material.
    pub encrypted: &'a [u8],
}

/// Why material from outside isn't taken.
#[derive(Debug)]
pub enum ImportError {
    /// It doesn't open, for a reason that isn't told.
    Unopened,
    /// It opens, but it is none for a key of that spec; the text says why and holds no secret.
    Rejected(String),
    /// The key store failed.
    KeyStore(KeyStoreError),
}

impl From<KeyStoreError> for ImportError {
    fn from(error: KeyStoreError) -> Self {
        Self::KeyStore(error)
    }
}

/// What a sealed token is for. One of one kind doesn't open as one of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// The ImportToken of GetParametersForImport.
    Import,
    /// The GrantToken of CreateGrant.
    Grant,
    /// The SessionToken of STS credentials.
    Session,
    /// The secret access key of an access key, as it is stored.
    AccessKey,
}

/// Why a token isn't opened.
#[derive(Debug)]
pub enum TokenError {
    /// It is none, or none of this kind, Region and context; which it is isn't told.
    Unopened,
    /// The key store failed.
    KeyStore(KeyStoreError),
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
    ) -> Pending<'a, Result<Arc<dyn Material>, KeyStoreError>>;

    /// Wraps the material that is wrapped for one binding for another: the replica of a
    /// multi-Region key. Both have the same identity and spec.
    fn rebind<'a>(
        &'a self,
        from: Binding<'a>,
        id: MaterialId,
        wrapped: &'a [u8],
        to: Binding<'a>,
    ) -> Pending<'a, Result<Vec<u8>, KeyStoreError>>;

    /// Wraps stored material anew under the key that the key store wraps with now: the bytes to
    /// keep in place of `wrapped`; `None` where that is what wrapped it, and it opens.
    fn rewrap<'a>(
        &'a self,
        binding: Binding<'a>,
        id: MaterialId,
        wrapped: &'a [u8],
    ) -> Pending<'a, Result<Option<Vec<u8>>, KeyStoreError>>;

    /// Makes a key pair under which material for that key may come in.
    fn import_key<'a>(
        &'a self,
        binding: Binding<'a>,
        spec: WrappingKeySpec,
    ) -> Pending<'a, Result<ImportKey, KeyStoreError>>;

    /// Takes material that is encrypted under an import key that was made for the same binding.
    fn import<'a>(
        &'a self,
        binding: Binding<'a>,
        import: Import<'a>,
    ) -> Pending<'a, Result<(Vec<u8>, Opened), ImportError>>;

    /// Takes material as it is: raw for symmetric and HMAC keys, else PKCS#8 in DER. For seeds in
    /// dev mode.
    fn take<'a>(
        &'a self,
        binding: Binding<'a>,
        material: Zeroizing<Vec<u8>>,
    ) -> Pending<'a, Result<(Vec<u8>, Opened), ImportError>>;

    /// Seals something that a caller shall keep and bring back, and can neither read nor alter.
    fn seal_token<'a>(
        &'a self,
        region: &'a str,
        kind: TokenKind,
        plaintext: &'a [u8],
        context: &'a [u8],
    ) -> Pending<'a, Result<Vec<u8>, KeyStoreError>>;

    /// Opens what [`KeyStore::seal_token`] sealed with the same Region, kind and context.
    fn open_token<'a>(
        &'a self,
        region: &'a str,
        kind: TokenKind,
        token: &'a [u8],
        context: &'a [u8],
    ) -> Pending<'a, Result<Zeroizing<Vec<u8>>, TokenError>>;

    /// The same as [`KeyStore::rewrap`] for a token that is stored with us, not with a caller.
    /// [`KeyStoreError::Damaged`] where it doesn't open.
    fn rewrap_token<'a>(
        &'a self,
        region: &'a str,
        kind: TokenKind,
        token: &'a [u8],
        context: &'a [u8],
    ) -> Pending<'a, Result<Option<Vec<u8>>, KeyStoreError>>;

    /// Makes a key pair to be given away.
    fn data_key_pair(
        &self,
        spec: DataKeyPairSpec,
    ) -> Pending<'_, Result<DataKeyPair, KeyStoreError>>;

    /// Random bytes from the key store's generator, for data keys and GenerateRandom.
    ///
    /// # Errors
    /// [`KeyStoreError::Unavailable`].
    fn random(&self, length: usize) -> Result<Zeroizing<Vec<u8>>, KeyStoreError>;

    /// Encrypts for the holder of `public_key` (SubjectPublicKeyInfo in DER of an RSA key of 2048
    /// to 4096 bits), who isn't us: CMS EnvelopedData (RFC 5652) with RSAES-OAEP (SHA-256) and
    /// AES-256 in CBC mode.
    ///
    /// # Errors
    /// [`MaterialError::Input`] for another key; [`KeyStoreError::Unavailable`].
    fn seal_for_recipient(
        &self,
        public_key: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, MaterialError>;
}
