//! The secrets of access keys, for a key store that replaces the keys it wraps with.
//!
//! They are all that IAM stores sealed: a session is in its token, which its caller holds.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use service::ports::{Item, KeyStore, KeyStoreError, Pending, TokenKind, WrappedRecords};
use service::records::{decode, encode};

use crate::access_key::GLOBAL;
use crate::layout;
use crate::records::AccessKeyRecord;

/// The records of all access keys.
pub struct WrappedAccessKeys {
    key_store: Arc<dyn KeyStore>,
}

impl WrappedAccessKeys {
    /// Those whose secrets that key store sealed.
    pub fn new(key_store: Arc<dyn KeyStore>) -> Self {
        Self { key_store }
    }

    async fn rewrap_secret(&self, item: &Item) -> Result<Option<Vec<u8>>, KeyStoreError> {
        let damaged = || KeyStoreError::Damaged;
        let id = item.key.strip_prefix(layout::ACCESS_KEYS).ok_or_else(damaged)?;
        let mut record: AccessKeyRecord = decode(&item.value).map_err(|_| damaged())?;
        let sealed = STANDARD.decode(&record.sealed_secret).map_err(|_| damaged())?;
        let (kind, id) = (TokenKind::AccessKey, id.as_bytes());
        let anew = self.key_store.rewrap_token(GLOBAL, kind, &sealed, id).await?;
        let Some(anew) = anew else { return Ok(None) };
        record.sealed_secret = STANDARD.encode(anew);
        encode(&record).map(Some).map_err(|_| damaged())
    }
}

impl WrappedRecords for WrappedAccessKeys {
    fn prefix(&self) -> &'static str {
        layout::ACCESS_KEYS
    }

    fn region<'a>(&self, _: &'a str) -> Option<&'a str> {
        Some(GLOBAL)
    }

    fn rewrapped<'a>(
        &'a self,
        item: &'a Item,
    ) -> Pending<'a, Result<Option<Vec<u8>>, KeyStoreError>> {
        Box::pin(self.rewrap_secret(item))
    }
}
