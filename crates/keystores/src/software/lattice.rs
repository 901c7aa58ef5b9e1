//! The materials of ML-DSA and ML-KEM keys.

use std::future::ready;

use crypto::{MlDsaKey, MlKemKey};
use service::ports::{Encapsulated, KeyStoreError, Material, MaterialError, Message, Pending};
use wire::enums::SigningAlgorithmSpec;
use zeroize::Zeroizing;

use super::{material_error, verified};

/// A parsed ML-DSA key.
pub(super) struct LatticeSigning(MlDsaKey);

impl LatticeSigning {
    pub(super) fn new(key: MlDsaKey) -> Self {
        Self(key)
    }
}

impl Material for LatticeSigning {
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
            Message::ExternalMu(mu) => self.0.sign_mu(mu).map_err(material_error),
            Message::Digest(_) => Err(MaterialError::Input),
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
            Message::ExternalMu(mu) => verified(self.0.verify_mu(mu, signature)),
            Message::Digest(_) => Err(MaterialError::Input),
        };
        Box::pin(ready(result))
    }
}

/// A parsed ML-KEM key.
pub(super) struct Encapsulating(MlKemKey);

impl Encapsulating {
    pub(super) fn new(key: MlKemKey) -> Self {
        Self(key)
    }
}

impl Material for Encapsulating {
    fn public_key(&self) -> Pending<'_, Result<Vec<u8>, KeyStoreError>> {
        Box::pin(ready(Ok(self.0.public_key().to_vec())))
    }

    fn encapsulate(&self) -> Pending<'_, Result<Encapsulated, MaterialError>> {
        let made = self.0.encapsulate().map_err(material_error);
        Box::pin(ready(
            made.map(|made| Encapsulated {
                secret: made.shared_secret,
                ciphertext: made.ciphertext,
            }),
        ))
    }

    fn decapsulate<'a>(
        &'a self,
        ciphertext: &'a [u8],
    ) -> Pending<'a, Result<Zeroizing<Vec<u8>>, MaterialError>> {
        Box::pin(ready(self.0.decapsulate(ciphertext).map_err(material_error)))
    }
}
