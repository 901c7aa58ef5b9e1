//! The software key store: material wrapped under a domain key, domain keys wrapped under the root
//! key, all of it opened only inside crate `crypto`.
//!
//! `docs/internals/key-hierarchy.md` describes the hierarchy to the byte.

mod domain_keys;
mod edwards;
mod elliptic;
mod lattice;
mod mac;
mod material;
mod offload;
mod rsa;
mod symmetric;

use std::sync::Arc;

use crypto::RootKey;
use service::ports::{
    Binding, DataKeyPair, Entropy, EntropyUnavailable, KeyStore, KeyStoreError, Material,
    MaterialError, MaterialId, Opened, Pending, Store,
};
use wire::enums::DataKeyPairSpec;
use zeroize::Zeroizing;

use self::domain_keys::DomainKeys;
use self::material::{Kind, data_key_pair};
use self::offload::Workers;

/// The first byte of wrapped material as records hold it, before the domain key's number.
const FORMAT: u8 = 1;

/// A key store in this process's memory.
pub struct Software {
    domain_keys: DomainKeys,
    workers: Arc<Workers>,
}

impl Software {
    /// A key store whose domain keys are kept in `store` under `root_key`.
    pub fn new(store: Arc<dyn Store>, root_key: RootKey) -> Self {
        Self { domain_keys: DomainKeys::new(store, root_key), workers: Arc::new(Workers::new()) }
    }

    /// Checks that `root_key` opens what the store holds, by opening every domain key.
    ///
    /// # Errors
    /// [`KeyStoreError::Damaged`] where it doesn't: another root key, or damage.
    pub async fn verify(&self) -> Result<(), KeyStoreError> {
        self.domain_keys.open_all().await
    }

    async fn wrap_new(&self, binding: Binding<'_>) -> Result<(Vec<u8>, Opened), KeyStoreError> {
        let kind = Kind::of(binding.spec)?;
        let (number, domain_key) = self.domain_keys.current(binding.region).await?;
        let name = BoundName::of(binding);
        let workers = Arc::clone(&self.workers);
        let make = move || kind.make(&domain_key, &name, &workers);
        let (sealed, opened) = self.workers.run_if(kind.is_slow_to_make(), make).await??;
        let mut wrapped = Vec::with_capacity(5 + sealed.len());
        wrapped.push(FORMAT);
        wrapped.extend_from_slice(&number.to_be_bytes());
        wrapped.extend_from_slice(&sealed);
        Ok((wrapped, opened))
    }

    async fn unwrap(
        &self,
        binding: Binding<'_>,
        id: MaterialId,
        wrapped: &[u8],
    ) -> Result<Arc<dyn Material>, KeyStoreError> {
        let kind = Kind::of(binding.spec)?;
        let Some((&FORMAT, rest)) = wrapped.split_first() else {
            return Err(KeyStoreError::Damaged);
        };
        let (number, sealed) = rest.split_first_chunk::<4>().ok_or(KeyStoreError::Damaged)?;
        let number = u32::from_be_bytes(*number);
        let domain_key = self.domain_keys.numbered(binding.region, number).await?;
        kind.open(&domain_key, sealed, &BoundName::of(binding).associated(id), &self.workers)
    }
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
        Box::pin(self.wrap_new(binding))
    }

    fn open<'a>(
        &'a self,
        binding: Binding<'a>,
        id: MaterialId,
        wrapped: &'a [u8],
    ) -> Pending<'a, Result<Arc<dyn Material>, KeyStoreError>> {
        Box::pin(self.unwrap(binding, id, wrapped))
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
mod tests;
