//! The material of an RSA key. Its private operations take up to two milliseconds, so they run
//! among the slow work.

use std::future::ready;
use std::sync::Arc;

use crypto::{RsaEncryptionAlgorithm, RsaKey, RsaSigningAlgorithm};
use service::ports::{KeyStoreError, Material, MaterialError, Message, Pending, Unopened};
use wire::enums::{EncryptionAlgorithmSpec, SigningAlgorithmSpec};
use zeroize::Zeroizing;

use super::material_error;
use super::offload::Workers;

/// A parsed key.
pub(super) struct Rsa {
    key: Arc<RsaKey>,
    workers: Arc<Workers>,
}

impl Rsa {
    pub(super) fn new(key: RsaKey, workers: &Arc<Workers>) -> Self {
        Self { key: Arc::new(key), workers: Arc::clone(workers) }
    }
}

impl Material for Rsa {
    fn public_key(&self) -> Pending<'_, Result<Vec<u8>, KeyStoreError>> {
        Box::pin(ready(Ok(self.key.public_key().to_vec())))
    }

    fn encrypt<'a>(
        &'a self,
        algorithm: EncryptionAlgorithmSpec,
        plaintext: &'a [u8],
    ) -> Pending<'a, Result<Vec<u8>, MaterialError>> {
        let encrypted = encryption(algorithm)
            .and_then(|algorithm| self.key.encrypt(algorithm, plaintext).map_err(material_error));
        Box::pin(ready(encrypted))
    }

    fn decrypt<'a>(
        &'a self,
        algorithm: EncryptionAlgorithmSpec,
        ciphertext: &'a [u8],
    ) -> Pending<'a, Result<Zeroizing<Vec<u8>>, Unopened>> {
        let (key, ciphertext) = (Arc::clone(&self.key), ciphertext.to_vec());
        Box::pin(async move {
            let algorithm = encryption(algorithm).map_err(|_| Unopened)?;
            let work = move || key.decrypt(algorithm, &ciphertext);
            self.workers.run(work).await.map_err(|_| Unopened)?.map_err(|_| Unopened)
        })
    }

    fn sign<'a>(
        &'a self,
        algorithm: SigningAlgorithmSpec,
        message: Message<'a>,
    ) -> Pending<'a, Result<Vec<u8>, MaterialError>> {
        let key = Arc::clone(&self.key);
        Box::pin(async move {
            let algorithm = signing(algorithm)?;
            let (bytes, is_digest) = match message {
                Message::Raw(bytes) => (Zeroizing::new(bytes.to_vec()), false),
                Message::Digest(bytes) => (Zeroizing::new(bytes.to_vec()), true),
                Message::ExternalMu(_) => return Err(MaterialError::Input),
            };
            let work = move || {
                let message = if is_digest {
                    crypto::Message::Digest(&bytes)
                } else {
                    crypto::Message::Raw(&bytes)
                };
                key.sign(algorithm, message)
            };
            self.workers.run(work).await?.map_err(material_error)
        })
    }

    fn verify<'a>(
        &'a self,
        algorithm: SigningAlgorithmSpec,
        message: Message<'a>,
        signature: &'a [u8],
    ) -> Pending<'a, Result<bool, MaterialError>> {
        let verified = signing(algorithm).and_then(|algorithm| {
            let message = hashed(message)?;
            super::verified(self.key.verify(algorithm, message, signature))
        });
        Box::pin(ready(verified))
    }
}

/// The message as the algorithms that hash it take it.
pub(super) fn hashed(message: Message<'_>) -> Result<crypto::Message<'_>, MaterialError> {
    match message {
        Message::Raw(bytes) => Ok(crypto::Message::Raw(bytes)),
        Message::Digest(bytes) => Ok(crypto::Message::Digest(bytes)),
        Message::ExternalMu(_) => Err(MaterialError::Input),
    }
}

fn encryption(algorithm: EncryptionAlgorithmSpec) -> Result<RsaEncryptionAlgorithm, MaterialError> {
    match algorithm {
        EncryptionAlgorithmSpec::RsaesOaepSha1 => Ok(RsaEncryptionAlgorithm::OaepSha1),
        EncryptionAlgorithmSpec::RsaesOaepSha256 => Ok(RsaEncryptionAlgorithm::OaepSha256),
        _ => Err(KeyStoreError::Unsupported.into()),
    }
}

fn signing(algorithm: SigningAlgorithmSpec) -> Result<RsaSigningAlgorithm, MaterialError> {
    use RsaSigningAlgorithm as Rsa;
    use SigningAlgorithmSpec as Spec;
    match algorithm {
        Spec::RsassaPssSha256 => Ok(Rsa::PssSha256),
        Spec::RsassaPssSha384 => Ok(Rsa::PssSha384),
        Spec::RsassaPssSha512 => Ok(Rsa::PssSha512),
        Spec::RsassaPkcs1V15Sha256 => Ok(Rsa::Pkcs1Sha256),
        Spec::RsassaPkcs1V15Sha384 => Ok(Rsa::Pkcs1Sha384),
        Spec::RsassaPkcs1V15Sha512 => Ok(Rsa::Pkcs1Sha512),
        _ => Err(KeyStoreError::Unsupported.into()),
    }
}
