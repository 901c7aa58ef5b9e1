//! Encrypting under a key: symmetrically, or with an RSA public key.

use service::Error;
use service::ports::MaterialError;
use wire::enums::EncryptionAlgorithmSpec;
use wire::shapes::{Ciphertext, EncryptionContext, KeyMaterialId};
use zeroize::Zeroizing;

use crate::encryption_context::canonical;
use crate::key::Key;
use crate::spec::plaintext_max;
use crate::{Kms, ciphertext};

/// About what sealing adds to a plaintext, in bytes; only room is made by it.
const SEALED_OVERHEAD: usize = 64;

/// A ciphertext with the material that made it.
pub(crate) struct Sealed {
    pub(crate) ciphertext: Ciphertext,
    pub(crate) material: KeyMaterialId,
}

impl Kms {
    /// Encrypts under the key's current material.
    ///
    /// # Errors
    /// A failure of the key store.
    pub(crate) async fn seal(
        &self,
        key: &Key,
        context: Option<&EncryptionContext>,
        plaintext: &[u8],
    ) -> Result<Sealed, Error> {
        let (id, material) = key.current_material(self.key_store.as_ref()).await?;
        let header = ciphertext::header(&key.account, &key.id, &id);
        let mut blob = Vec::with_capacity(header.len() + SEALED_OVERHEAD + plaintext.len());
        blob.extend_from_slice(&header);
        material.seal(&header, &canonical(context), plaintext, &mut blob).await?;
        Ok(Sealed {
            ciphertext: Ciphertext::of(Zeroizing::new(blob)),
            material: KeyMaterialId::of(id.to_string()),
        })
    }

    /// Encrypts by an algorithm that the key has.
    ///
    /// # Errors
    /// ValidationException for an encryption context where there can be none, and for a plaintext
    /// that is too long for the algorithm.
    pub(crate) async fn encrypt(
        &self,
        key: &Key,
        algorithm: EncryptionAlgorithmSpec,
        context: Option<&EncryptionContext>,
        plaintext: &[u8],
    ) -> Result<Sealed, Error> {
        if algorithm == EncryptionAlgorithmSpec::SymmetricDefault {
            return self.seal(key, context, plaintext).await;
        }
        without_context(context)?;
        let max = plaintext_max(key.record.spec, algorithm);
        if plaintext.len() > max {
            return Err(Error::validation(format!(
                "Algorithm {algorithm} and key spec {} cannot encrypt data larger than {max} \
                 bytes.",
                key.record.spec
            )));
        }
        let (id, material) = key.current_material(self.key_store.as_ref()).await?;
        let ciphertext = material.encrypt(algorithm, plaintext).await.map_err(failed)?;
        Ok(Sealed {
            ciphertext: Ciphertext::of(Zeroizing::new(ciphertext)),
            material: KeyMaterialId::of(id.to_string()),
        })
    }
}

/// Refuses an encryption context where it would not be bound to anything.
///
/// # Errors
/// ValidationException.
pub(crate) fn without_context(context: Option<&EncryptionContext>) -> Result<(), Error> {
    match context {
        Some(context) if !context.0.is_empty() => Err(Error::validation(
            "EncryptionContext is not supported with asymmetric encryption algorithms.",
        )),
        _ => Ok(()),
    }
}

/// An input that was checked before and that the material refuses nonetheless is our failure.
pub(crate) fn failed(error: MaterialError) -> Error {
    match error {
        MaterialError::Input => Error::internal("the material refused its input"),
        MaterialError::KeyStore(error) => error.into(),
    }
}
