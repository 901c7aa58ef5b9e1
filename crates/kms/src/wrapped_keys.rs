//! The materials in keys' records, for a key store that replaces the keys it wraps with.
//!
//! All of a key's materials are wrapped anew at once, the current one, those before it, and what
//! waits for its rotation. Nothing else in the record changes, so a request that was decided on
//! the record as it was is decided again and ends the same way.

use std::sync::Arc;

use service::ports::{Binding, Item, KeyStore, KeyStoreError, Pending, WrappedRecords};
use wire::Region;

use crate::key::arn;
use crate::key_id::KeyId;
use crate::records::{KeyRecord, decode, encode};
use crate::{ciphertext, layout};

/// The records of all keys.
pub struct WrappedKeys {
    key_store: Arc<dyn KeyStore>,
}

impl WrappedKeys {
    /// Those whose material that key store wraps.
    pub fn new(key_store: Arc<dyn KeyStore>) -> Self {
        Self { key_store }
    }

    async fn rewrap_all(&self, item: &Item) -> Result<Option<Vec<u8>>, KeyStoreError> {
        let named = layout::parse_key(&item.key).ok_or(KeyStoreError::Damaged)?;
        let (account, region, id) = named;
        let region = Region::parse(region).ok_or(KeyStoreError::Damaged)?;
        let id = KeyId::parse(id).ok_or(KeyStoreError::Damaged)?;
        let record = decode(&item.value).map_err(|_| KeyStoreError::Damaged);
        let mut record: KeyRecord = record?;
        let binding = Binding {
            region: region.as_str(),
            key_arn: &arn(&account, &region, &id),
            identity: ciphertext::identity(&account, &id),
            spec: record.spec,
        };
        let mut changed = false;
        for material in &mut record.materials {
            let Some(wrapped) = &material.wrapped else { continue };
            if let Some(anew) = self.key_store.rewrap(binding, material.id, wrapped).await? {
                (material.wrapped, changed) = (Some(anew), true);
            }
        }
        if !changed {
            return Ok(None);
        }
        encode(&record).map(Some).map_err(|_| KeyStoreError::Damaged)
    }
}

impl WrappedRecords for WrappedKeys {
    fn prefix(&self) -> &'static str {
        layout::KEYS
    }

    fn region<'a>(&self, place: &'a str) -> Option<&'a str> {
        layout::parse_key(place).map(|(_, region, _)| region)
    }

    fn rewrapped<'a>(
        &'a self,
        item: &'a Item,
    ) -> Pending<'a, Result<Option<Vec<u8>>, KeyStoreError>> {
        Box::pin(self.rewrap_all(item))
    }
}
