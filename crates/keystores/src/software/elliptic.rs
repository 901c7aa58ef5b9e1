//! The material of a key on a NIST curve or on secp256k1. The curve decides the hash; the services
//! let no other algorithm through.

use std::future::ready;

use crypto::EcKey;
use service::ports::{KeyStoreError, Material, MaterialError, Message, Pending};
use wire::enums::SigningAlgorithmSpec;
use zeroize::Zeroizing;

use super::rsa::hashed;
use super::{material_error, verified};

/// A parsed key.
pub(super) struct Elliptic(EcKey);

impl Elliptic {
    pub(super) fn new(key: EcKey) -> Self {
        Self(key)
    }
}

impl Material for Elliptic {
    fn public_key(&self) -> Pending<'_, Result<Vec<u8>, KeyStoreError>> {
        Box::pin(ready(Ok(self.0.public_key().to_vec())))
    }

    fn sign<'a>(
        &'a self,
        _: SigningAlgorithmSpec,
        message: Message<'a>,
    ) -> Pending<'a, Result<Vec<u8>, MaterialError>> {
        let signed =
            hashed(message).and_then(|message| self.0.sign(message).map_err(material_error));
        Box::pin(ready(signed))
    }

    fn verify<'a>(
        &'a self,
        _: SigningAlgorithmSpec,
        message: Message<'a>,
        signature: &'a [u8],
    ) -> Pending<'a, Result<bool, MaterialError>> {
        let result =
            hashed(message).and_then(|message| verified(self.0.verify(message, signature)));
        Box::pin(ready(result))
    }

    fn agree<'a>(
        &'a self,
        peer: &'a [u8],
    ) -> Pending<'a, Result<Zeroizing<Vec<u8>>, MaterialError>> {
        Box::pin(ready(self.0.agree(peer).map_err(material_error)))
    }
}
