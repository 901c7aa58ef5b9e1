//! Material that comes from outside: the key pairs under which it travels, and its taking in.
//!
//! Must not know tokens, or which key may have which material.

use std::sync::Arc;

use crypto::{ImportedMaterial, RsaSpec, WrappingAlgorithm};
use service::ports::{Binding, Import, ImportError, ImportKey, KeyStoreError, Opened};
use wire::enums::{AlgorithmSpec, WrappingKeySpec};

use super::material::{Kind, Secret};
use super::{BoundName, FORMAT, Software, numbered, parse_numbered, unavailable, unopened};

impl Software {
    pub(super) async fn make_import_key(
        &self,
        binding: Binding<'_>,
        spec: WrappingKeySpec,
    ) -> Result<ImportKey, KeyStoreError> {
        let rsa = rsa_spec(spec)?;
        let (number, domain_key) = self.domain_keys.current(binding.region).await?;
        let bound = bound(binding, spec);
        let work = move || {
            let key = crypto::ImportKey::generate(rsa).map_err(unavailable)?;
            let sealed = domain_key.wrap_import_key(&key, &bound).map_err(unavailable)?;
            let wrapped = numbered(FORMAT, number, &sealed);
            Ok(ImportKey { public_key: key.public_key().to_vec(), wrapped })
        };
        self.workers.run(work).await?
    }

    pub(super) async fn take_import(
        &self,
        binding: Binding<'_>,
        import: Import<'_>,
    ) -> Result<(Vec<u8>, Opened), ImportError> {
        let (rsa, algorithm) = (rsa_spec(import.spec)?, wrapping_algorithm(import.algorithm)?);
        let parsed = parse_numbered(FORMAT, import.wrapped);
        let (number, sealed) = parsed.ok_or(KeyStoreError::Damaged)?;
        let domain_key = self.domain_keys.numbered(binding.region, number).await?;
        let bound = bound(binding, import.spec);
        let key = domain_key.unwrap_import_key(rsa, sealed, &bound).map_err(unopened)?;
        let (key, encrypted) = (Arc::new(key), import.encrypted.to_vec());
        let open = move |kind: Kind| match key.open(algorithm, &encrypted) {
            Ok(material) => keyed(kind, &material),
            Err(crypto::Error::Unopened(_)) => Err(ImportError::Unopened),
            Err(error) => Err(unavailable(error).into()),
        };
        self.keep(binding, true, open).await
    }
}

/// A key of that kind, of bytes as they are.
pub(super) fn taken(kind: Kind, bytes: &[u8]) -> Result<Secret, ImportError> {
    keyed(kind, &ImportedMaterial::of(bytes).map_err(unavailable)?)
}

fn keyed(kind: Kind, material: &ImportedMaterial) -> Result<Secret, ImportError> {
    kind.take(material).map_err(|error| match error {
        crypto::Error::KeyRejected(why) => ImportError::Rejected(why.to_string()),
        other => unavailable(other).into(),
    })
}

/// What an import key is authenticated with: the KMS key that it is for, and what it is itself.
fn bound(binding: Binding<'_>, spec: WrappingKeySpec) -> Vec<u8> {
    let name = BoundName::of(binding);
    [&name.key_arn, "import", spec.as_str(), name.spec].join("\0").into_bytes()
}

fn rsa_spec(spec: WrappingKeySpec) -> Result<RsaSpec, KeyStoreError> {
    match spec {
        WrappingKeySpec::Rsa2048 => Ok(RsaSpec::Rsa2048),
        WrappingKeySpec::Rsa3072 => Ok(RsaSpec::Rsa3072),
        WrappingKeySpec::Rsa4096 => Ok(RsaSpec::Rsa4096),
        WrappingKeySpec::Sm2 => Err(KeyStoreError::Unsupported),
    }
}

fn wrapping_algorithm(algorithm: AlgorithmSpec) -> Result<WrappingAlgorithm, KeyStoreError> {
    match algorithm {
        AlgorithmSpec::RsaesOaepSha1 => Ok(WrappingAlgorithm::RsaesOaepSha1),
        AlgorithmSpec::RsaesOaepSha256 => Ok(WrappingAlgorithm::RsaesOaepSha256),
        AlgorithmSpec::RsaAesKeyWrapSha1 => Ok(WrappingAlgorithm::RsaAesKeyWrapSha1),
        AlgorithmSpec::RsaAesKeyWrapSha256 => Ok(WrappingAlgorithm::RsaAesKeyWrapSha256),
        AlgorithmSpec::RsaesPkcs1V15 | AlgorithmSpec::Sm2Pke => Err(KeyStoreError::Unsupported),
    }
}

#[cfg(test)]
mod tests;
