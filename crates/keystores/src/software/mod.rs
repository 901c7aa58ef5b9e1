//! The software key store: material wrapped under a domain key, domain keys wrapped under the root
//! key, all of it opened only inside crate `crypto`.
//!
//! `docs/internals/key-hierarchy.md` describes the hierarchy to the byte.

mod domain_keys;
mod edwards;
mod elliptic;
mod import;
mod lattice;
mod mac;
mod material;
mod offload;
mod rewrapping;
mod root_keys;
mod rsa;
mod symmetric;

use std::sync::Arc;
use std::time::Duration;

use crypto::RootKey;
use service::ports::{
    Binding, DataKeyPair, Entropy, EntropyUnavailable, Import, ImportError, ImportKey, KeyStore,
    KeyStoreError, Material, MaterialError, MaterialId, Opened, Pending, Store, TokenError,
    TokenKind,
};
use wire::Timestamp;
use wire::enums::{DataKeyPairSpec, WrappingKeySpec};
use zeroize::Zeroizing;

pub use self::domain_keys::DomainKeyState;
use self::domain_keys::DomainKeys;
use self::material::{Kind, Secret, data_key_pair};
use self::offload::Workers;
pub use self::rewrapping::{Progress, Rewrapping, RotationStatus};

/// The first byte of wrapped material as records hold it, before the domain key's number.
const FORMAT: u8 = 1;
/// The first byte of tokens, before the domain key's number.
const TOKEN_FORMAT: u8 = 1;
/// Longer than any request takes: what a domain key wrapped is stored by then, or never.
const SETTLING_TIME: Duration = Duration::from_mins(10);

/// A key store in this process's memory.
pub struct Software {
    domain_keys: DomainKeys,
    workers: Arc<Workers>,
}

impl Software {
    /// A key store whose domain keys are kept in `store` under `root_key`.
    pub fn new(store: Arc<dyn Store>, root_key: RootKey) -> Self {
        let domain_keys = DomainKeys::new(store, root_key, SETTLING_TIME);
        Self { domain_keys, workers: Arc::new(Workers::new()) }
    }

    /// The same, where requests that began before a rotation have ended after that time, on a clock
    /// that nobody moves. No domain key is destroyed on what was found before.
    pub fn with_settling_time(mut self, time: Duration) -> Self {
        self.domain_keys.set_settling_time(time);
        self
    }

    /// Checks that `root_key` opens what the store holds, by opening every domain key.
    ///
    /// # Errors
    /// [`KeyStoreError::Damaged`] where it doesn't: another root key, or damage.
    pub async fn verify(&self) -> Result<(), KeyStoreError> {
        self.domain_keys.open_all().await
    }

    /// All domain keys, by Region and number.
    ///
    /// # Errors
    /// [`KeyStoreError::Damaged`] for a record that can't be read; those of the store.
    pub async fn domain_keys(&self) -> Result<Vec<DomainKeyState>, KeyStoreError> {
        self.domain_keys.list().await
    }

    /// Makes the next domain key of a Region, which wraps everything from now on; gives its number,
    /// or `None` for a Region that has no domain key yet. Older ones open what they wrapped until
    /// [`Rewrapping`] has found that nothing needs them.
    ///
    /// # Errors
    /// [`KeyStoreError::Unavailable`].
    pub async fn rotate(&self, region: &str, now: Timestamp) -> Result<Option<u32>, KeyStoreError> {
        self.domain_keys.rotate(region, now).await
    }

    /// Rotates the domain keys that were made at least `older_than` ago, all of them where it is
    /// zero; gives the names of their Regions. To be called from time to time: a domain key that
    /// has no date yet gets one here.
    ///
    /// # Errors
    /// Those of the store. What was rotated before stays rotated.
    pub async fn rotate_domain_keys(
        &self,
        now: Timestamp,
        older_than: Duration,
    ) -> Result<Vec<String>, KeyStoreError> {
        self.domain_keys.rotate_due(now, older_than).await
    }

    /// Takes another root key and wraps every domain key under it. The previous root key must stand
    /// at `keystore/root-key/previous` as [`RootKey::wrap_root_key`] of `new` made it, and is
    /// removed from there at the end.
    ///
    /// # Errors
    /// [`KeyStoreError::Damaged`] if there is a domain key that neither opens: nothing has changed
    /// then. [`KeyStoreError::Unavailable`]: the store can't be written, or the previous root key
    /// isn't there; if `new` was taken, [`Software::finish_root_key`] goes on.
    pub async fn replace_root_key(&self, new: RootKey) -> Result<(), KeyStoreError> {
        self.domain_keys.replace_root_key(new).await
    }

    /// Goes on where replacing the root key was interrupted; false if there is nothing to do.
    ///
    /// # Errors
    /// Those of the store; [`KeyStoreError::Damaged`] for a domain key that doesn't open.
    pub async fn finish_root_key(&self) -> Result<bool, KeyStoreError> {
        self.domain_keys.finish_replacing().await
    }

    /// Makes a secret by `make`, elsewhere if that is slow, and wraps it for storage.
    async fn keep<E: From<KeyStoreError> + Send + 'static>(
        &self,
        binding: Binding<'_>,
        slow: bool,
        make: impl FnOnce(Kind) -> Result<Secret, E> + Send + 'static,
    ) -> Result<(Vec<u8>, Opened), E> {
        let kind = Kind::of(binding.spec)?;
        let (number, domain_key) = self.domain_keys.current(binding.region).await?;
        let name = BoundName::of(binding);
        let workers = Arc::clone(&self.workers);
        let work = move || {
            let secret = make(kind)?;
            let id = secret.id(&name.identity).map_err(unavailable)?;
            let sealed = secret.wrap(&domain_key, &name.associated(id)).map_err(unavailable)?;
            let opened = Opened { id, material: secret.handle(&workers) };
            Ok((numbered(FORMAT, number, &sealed), opened))
        };
        self.workers.run_if(slow, work).await?
    }

    async fn unwrap(
        &self,
        binding: Binding<'_>,
        id: MaterialId,
        wrapped: &[u8],
    ) -> Result<Secret, KeyStoreError> {
        let kind = Kind::of(binding.spec)?;
        let (number, sealed) = parse_numbered(FORMAT, wrapped).ok_or(KeyStoreError::Damaged)?;
        let domain_key = self.domain_keys.numbered(binding.region, number).await?;
        kind.unwrap(&domain_key, sealed, &BoundName::of(binding).associated(id)).map_err(unopened)
    }
}

/// Puts format and the domain key's number before what that key sealed.
fn numbered(format: u8, number: u32, sealed: &[u8]) -> Vec<u8> {
    [&[format], &number.to_be_bytes()[..], sealed].concat()
}

/// Takes apart what [`numbered`] put together.
fn parse_numbered(format: u8, bytes: &[u8]) -> Option<(u32, &[u8])> {
    let rest = bytes.strip_prefix(&[format])?;
    let (number, sealed) = rest.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*number), sealed))
}

/// What material is bound to, as bytes.
pub(crate) struct BoundName {
    key_arn: String,
    identity: [u8; 25],
    spec: &'static str,
}

impl BoundName {
    fn of(binding: Binding<'_>) -> Self {
        Self {
            key_arn: binding.key_arn.to_owned(),
            identity: binding.identity,
            spec: binding.spec.as_str(),
        }
    }

    /// What wrapped material is authenticated with: key ARN, material id and spec.
    fn associated(&self, id: MaterialId) -> Vec<u8> {
        [&self.key_arn, &id.to_string(), self.spec].join("\0").into_bytes()
    }
}

impl KeyStore for Software {
    fn generate<'a>(
        &'a self,
        binding: Binding<'a>,
    ) -> Pending<'a, Result<(Vec<u8>, Opened), KeyStoreError>> {
        Box::pin(async move {
            let slow = Kind::of(binding.spec)?.is_slow_to_make();
            self.keep(binding, slow, |kind| kind.generate().map_err(unavailable)).await
        })
    }

    fn open<'a>(
        &'a self,
        binding: Binding<'a>,
        id: MaterialId,
        wrapped: &'a [u8],
    ) -> Pending<'a, Result<Arc<dyn Material>, KeyStoreError>> {
        Box::pin(async move { Ok(self.unwrap(binding, id, wrapped).await?.handle(&self.workers)) })
    }

    fn rebind<'a>(
        &'a self,
        from: Binding<'a>,
        id: MaterialId,
        wrapped: &'a [u8],
        to: Binding<'a>,
    ) -> Pending<'a, Result<Vec<u8>, KeyStoreError>> {
        Box::pin(async move {
            let secret = self.unwrap(from, id, wrapped).await?;
            let (number, domain_key) = self.domain_keys.current(to.region).await?;
            let bound = BoundName::of(to).associated(id);
            let sealed = secret.wrap(&domain_key, &bound).map_err(unavailable)?;
            Ok(numbered(FORMAT, number, &sealed))
        })
    }

    fn rewrap<'a>(
        &'a self,
        binding: Binding<'a>,
        id: MaterialId,
        wrapped: &'a [u8],
    ) -> Pending<'a, Result<Option<Vec<u8>>, KeyStoreError>> {
        Box::pin(async move {
            let kind = Kind::of(binding.spec)?.stored();
            let (number, sealed) = parse_numbered(FORMAT, wrapped).ok_or(KeyStoreError::Damaged)?;
            let bound = BoundName::of(binding).associated(id);
            let domain_key = self.domain_keys.numbered(binding.region, number).await?;
            let (latest, current) = self.domain_keys.current(binding.region).await?;
            if number >= latest {
                domain_key.check(kind, sealed, &bound).map_err(unopened)?;
                return Ok(None);
            }
            let sealed = current.rewrap(&domain_key, kind, sealed, &bound).map_err(unopened)?;
            Ok(Some(numbered(FORMAT, latest, &sealed)))
        })
    }

    fn import_key<'a>(
        &'a self,
        binding: Binding<'a>,
        spec: WrappingKeySpec,
    ) -> Pending<'a, Result<ImportKey, KeyStoreError>> {
        Box::pin(self.make_import_key(binding, spec))
    }

    fn import<'a>(
        &'a self,
        binding: Binding<'a>,
        import: Import<'a>,
    ) -> Pending<'a, Result<(Vec<u8>, Opened), ImportError>> {
        Box::pin(self.take_import(binding, import))
    }

    fn take<'a>(
        &'a self,
        binding: Binding<'a>,
        material: Zeroizing<Vec<u8>>,
    ) -> Pending<'a, Result<(Vec<u8>, Opened), ImportError>> {
        Box::pin(self.keep(binding, false, move |kind| import::taken(kind, &material)))
    }

    fn seal_token<'a>(
        &'a self,
        region: &'a str,
        kind: TokenKind,
        plaintext: &'a [u8],
        context: &'a [u8],
    ) -> Pending<'a, Result<Vec<u8>, KeyStoreError>> {
        Box::pin(async move {
            let (number, domain_key) = self.domain_keys.current(region).await?;
            let sealed = domain_key.seal_token(token_kind(kind), plaintext, context);
            Ok(numbered(TOKEN_FORMAT, number, &sealed.map_err(unavailable)?))
        })
    }

    fn open_token<'a>(
        &'a self,
        region: &'a str,
        kind: TokenKind,
        token: &'a [u8],
        context: &'a [u8],
    ) -> Pending<'a, Result<Zeroizing<Vec<u8>>, TokenError>> {
        Box::pin(async move {
            let parsed = parse_numbered(TOKEN_FORMAT, token);
            let (number, sealed) = parsed.ok_or(TokenError::Unopened)?;
            // The number is the caller's word: one that doesn't exist is no damage of ours.
            let domain_key = match self.domain_keys.numbered(region, number).await {
                Ok(key) => key,
                Err(KeyStoreError::Damaged) => return Err(TokenError::Unopened),
                Err(error) => return Err(TokenError::KeyStore(error)),
            };
            let opened = domain_key.open_token(token_kind(kind), sealed, context);
            opened.map_err(|_| TokenError::Unopened)
        })
    }

    fn rewrap_token<'a>(
        &'a self,
        region: &'a str,
        kind: TokenKind,
        token: &'a [u8],
        context: &'a [u8],
    ) -> Pending<'a, Result<Option<Vec<u8>>, KeyStoreError>> {
        Box::pin(async move {
            let opened = self.open_token(region, kind, token, context).await;
            let opened = opened.map_err(|error| match error {
                TokenError::Unopened => KeyStoreError::Damaged,
                TokenError::KeyStore(error) => error,
            })?;
            let parsed = parse_numbered(TOKEN_FORMAT, token);
            let (number, _) = parsed.ok_or(KeyStoreError::Damaged)?;
            let (latest, _) = self.domain_keys.current(region).await?;
            if number >= latest {
                return Ok(None);
            }
            self.seal_token(region, kind, &opened, context).await.map(Some)
        })
    }

    fn data_key_pair(
        &self,
        spec: DataKeyPairSpec,
    ) -> Pending<'_, Result<DataKeyPair, KeyStoreError>> {
        Box::pin(async move { self.workers.run(move || data_key_pair(spec)).await? })
    }

    fn random(&self, length: usize) -> Result<Zeroizing<Vec<u8>>, KeyStoreError> {
        crypto::random::data_key(length).map_err(unavailable)
    }

    fn seal_for_recipient(
        &self,
        public_key: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, MaterialError> {
        crypto::recipient::seal(public_key, plaintext).map_err(|error| match error {
            crypto::Error::KeyRejected(_) => MaterialError::Input,
            other => material_error(other),
        })
    }
}

fn token_kind(kind: TokenKind) -> crypto::TokenKind {
    match kind {
        TokenKind::Import => crypto::TokenKind::Import,
        TokenKind::Grant => crypto::TokenKind::Grant,
        TokenKind::Session => crypto::TokenKind::Session,
        TokenKind::AccessKey => crypto::TokenKind::AccessKey,
    }
}

/// The library's random number generator, for ids.
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        crypto::random::fill(buffer).map_err(|_| EntropyUnavailable)
    }
}

fn unavailable(error: crypto::Error) -> KeyStoreError {
    KeyStoreError::Unavailable(Box::new(error))
}

/// What a material answers to an input that it can't take, or to a failure.
fn material_error(error: crypto::Error) -> MaterialError {
    match error {
        crypto::Error::DigestLength { .. }
        | crypto::Error::PlaintextTooLong { .. }
        | crypto::Error::CiphertextLength { .. }
        | crypto::Error::PeerRejected => MaterialError::Input,
        crypto::Error::NoKeyAgreement => KeyStoreError::Unsupported.into(),
        other => unavailable(other).into(),
    }
}

/// Whether a signature was verified.
fn verified(result: Result<(), crypto::Error>) -> Result<bool, MaterialError> {
    match result {
        Ok(()) => Ok(true),
        Err(crypto::Error::InvalidSignature) => Ok(false),
        Err(error) => Err(material_error(error)),
    }
}

/// A value that was read from a record: what doesn't open is damaged.
fn unopened(error: crypto::Error) -> KeyStoreError {
    match error {
        crypto::Error::Unopened(_) | crypto::Error::KeyRejected(_) => KeyStoreError::Damaged,
        other => unavailable(other),
    }
}

#[cfg(test)]
mod faulty;
#[cfg(test)]
mod tests;
