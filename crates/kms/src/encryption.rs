//! Encrypting under a symmetric key.

use service::Error;
use wire::shapes::{Ciphertext, EncryptionContext, KeyMaterialId};
use zeroize::Zeroizing;

use crate::encryption_context::canonical;
use crate::key::Key;
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
    pub(crate) async fn encrypt(
        &self,
        key: &Key,
        context: Option<&EncryptionContext>,
        plaintext: &[u8],
    ) -> Result<Sealed, Error> {
        let (id, material) = key.current_material(self.key_store.as_ref()).await?;
        let header = ciphertext::header(&key.account, &key.id, &id);
        let mut blob = Vec::with_capacity(header.len() + SEALED_OVERHEAD + plaintext.len());
        blob.extend_from_slice(&header);
        material.seal(&header, &canonical(context), plaintext, &mut blob)?;
        Ok(Sealed {
            ciphertext: Ciphertext::of(Zeroizing::new(blob)),
            material: KeyMaterialId::of(id.to_string()),
        })
    }
}
