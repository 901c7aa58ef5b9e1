//! The software key store: material wrapped under a domain key, domain keys wrapped under the root
//! key, all of it opened only inside crate `crypto`.
//!
//! `docs/internals/key-hierarchy.md` describes the hierarchy to the byte.

mod domain_keys;
mod symmetric;

use std::sync::Arc;

use crypto::{RootKey, SymmetricKey};
use service::ports::{
    Binding, Entropy, EntropyUnavailable, KeyStore, KeyStoreError, MaterialId, Opened, Pending,
    Store, SymmetricMaterial,
};
use wire::enums::KeySpec;
use zeroize::Zeroizing;

use self::domain_keys::DomainKeys;
use self::symmetric::Symmetric;

/// The first byte of wrapped material as records hold it, before the domain key's number.
const FORMAT: u8 = 1;

/// A key store in this process's locked memory.
pub struct Software {
    domain_keys: DomainKeys,
}

impl Software {
    /// A key store whose domain keys are kept in `store` under `root_key`.
    pub fn new(store: Arc<dyn Store>, root_key: RootKey) -> Self {
        Self { domain_keys: DomainKeys::new(store, root_key) }
    }

    /// Checks that `root_key` opens what the store holds, by opening every domain key.
    ///
    /// # Errors
    /// [`KeyStoreError::Damaged`] where it doesn't: another root key, or damage.
    pub async fn verify(&self) -> Result<(), KeyStoreError> {
        self.domain_keys.open_all().await
    }

    async fn wrap_new(&self, binding: Binding<'_>) -> Result<(Vec<u8>, Opened), KeyStoreError> {
        supported(binding.spec)?;
        let (number, domain_key) = self.domain_keys.current(binding.region).await?;
        let key = SymmetricKey::generate().map_err(unavailable)?;
        let id = MaterialId(key.material_id(&binding.identity).map_err(unavailable)?);
        let sealed =
            domain_key.wrap_symmetric(&key, &associated(binding, id)).map_err(unavailable)?;
        let mut wrapped = Vec::with_capacity(5 + sealed.len());
        wrapped.push(FORMAT);
        wrapped.extend_from_slice(&number.to_be_bytes());
        wrapped.extend_from_slice(&sealed);
        Ok((wrapped, Opened { id, material: Arc::new(Symmetric::new(key)) }))
    }

    async fn unwrap(
        &self,
        binding: Binding<'_>,
        id: MaterialId,
        wrapped: &[u8],
    ) -> Result<Arc<dyn SymmetricMaterial>, KeyStoreError> {
        supported(binding.spec)?;
        let Some((&FORMAT, rest)) = wrapped.split_first() else {
            return Err(KeyStoreError::Damaged);
        };
        let (number, sealed) = rest.split_first_chunk::<4>().ok_or(KeyStoreError::Damaged)?;
        let number = u32::from_be_bytes(*number);
        let domain_key = self.domain_keys.numbered(binding.region, number).await?;
        let key =
            domain_key.unwrap_symmetric(sealed, &associated(binding, id)).map_err(|error| {
                match error {
                    crypto::Error::Unopened(_) => KeyStoreError::Damaged,
                    other => unavailable(other),
                }
            })?;
        Ok(Arc::new(Symmetric::new(key)))
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
    ) -> Pending<'a, Result<Arc<dyn SymmetricMaterial>, KeyStoreError>> {
        Box::pin(self.unwrap(binding, id, wrapped))
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

fn supported(spec: KeySpec) -> Result<(), KeyStoreError> {
    if spec == KeySpec::SymmetricDefault { Ok(()) } else { Err(KeyStoreError::Unsupported) }
}

/// What wrapped material is authenticated with: key ARN, material id and spec.
fn associated(binding: Binding<'_>, id: MaterialId) -> Vec<u8> {
    [binding.key_arn, &id.to_string(), binding.spec.as_str()].join("\0").into_bytes()
}

fn unavailable(error: crypto::Error) -> KeyStoreError {
    KeyStoreError::Unavailable(Box::new(error))
}

#[cfg(test)]
mod tests;
