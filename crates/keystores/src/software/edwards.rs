//! The material of an Edwards25519 key.

use std::future::ready;

use crypto::Ed25519Key;
use service::ports::{KeyStoreError, Material, MaterialError, Message, Pending};
use wire::enums::SigningAlgorithmSpec;

use super::{material_error, verified};

/// A parsed key. A digest is signed by Ed25519ph, which hashes it once more by definition.
pub(super) struct Edwards(Ed25519Key);

impl Edwards {
    pub(super) fn new(key: Ed25519Key) -> Self {
        Self(key)
    }
}

impl Material for Edwards {
    fn public_key(&self) -> Pending<'_, Result<Vec<u8>, KeyStoreError>> {
        Box::pin(ready(Ok(self.0.public_key().to_vec())))
    }

    fn sign<'a>(
        &'a self,
        _: SigningAlgorithmSpec,
        message: Message<'a>,
    ) -> Pending<'a, Result<Vec<u8>, MaterialError>> {
        let signed = match message {
            Message::Raw(bytes) => self.0.sign(bytes).map_err(material_error),
            Message::Digest(bytes) => self.0.sign_digest(bytes).map_err(material_error),
            Message::ExternalMu(_) => Err(MaterialError::Input),
        };
        Box::pin(ready(signed))
    }

    fn verify<'a>(
        &'a self,
        _: SigningAlgorithmSpec,
        message: Message<'a>,
        signature: &'a [u8],
    ) -> Pending<'a, Result<bool, MaterialError>> {
        let result = match message {
            Message::Raw(bytes) => verified(self.0.verify(bytes, signature)),
            Message::Digest(bytes) => verified(self.0.verify_digest(bytes, signature)),
            Message::ExternalMu(_) => Err(MaterialError::Input),
        };
        Box::pin(ready(result))
    }
}
