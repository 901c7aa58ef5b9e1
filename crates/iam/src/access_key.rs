//! Access keys: a secret that is stored sealed, and whom it speaks for.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use service::ports::{KeyStoreError, TokenError, TokenKind};
use service::records::decode;
use service::{Error, StateCache};
use zeroize::Zeroizing;

use crate::credentials::SecretAccessKey;
use crate::directory::Directory;
use crate::layout;
use crate::records::AccessKeyRecord;

/// The name under which IAM's secrets are sealed in place of a Region's: IAM has none.
pub(crate) const GLOBAL: &str = "aws-global";
/// How many access keys stay in memory.
const CACHED: usize = 20_000;

/// An access key, ready for use.
pub(crate) struct AccessKey {
    pub(crate) record: AccessKeyRecord,
    pub(crate) secret: Arc<SecretAccessKey>,
}

impl AccessKey {
    pub(crate) fn cache() -> StateCache<Self> {
        StateCache::new(layout::ACCESS_KEYS, CACHED)
    }
}

impl Directory {
    /// The access key of that id, active or not.
    pub(crate) async fn access_key(&self, id: &str) -> Result<Option<Arc<AccessKey>>, Error> {
        let place = layout::access_key(id);
        if let Some(key) = self.access_keys.get(&place) {
            return Ok(Some(key));
        }
        let ticket = self.access_keys.before_load(&place);
        let Some(item) = self.store.get(&place).await? else { return Ok(None) };
        let record: AccessKeyRecord = decode(&item.value)?;
        let secret = Arc::new(self.open_secret(id, &record.sealed_secret).await?);
        let key = Arc::new(AccessKey { record, secret });
        self.access_keys.keep(&ticket, place, Arc::clone(&key));
        Ok(Some(key))
    }

    /// The form in which an access key's secret is stored.
    pub(crate) async fn seal_secret(&self, id: &str, secret: &str) -> Result<String, Error> {
        let (kind, secret, id) = (TokenKind::AccessKey, secret.as_bytes(), id.as_bytes());
        let sealed = self.key_store.seal_token(GLOBAL, kind, secret, id).await?;
        Ok(STANDARD.encode(sealed))
    }

    async fn open_secret(&self, id: &str, sealed: &str) -> Result<SecretAccessKey, Error> {
        let sealed = STANDARD.decode(sealed).map_err(Error::internal)?;
        let opening =
            self.key_store.open_token(GLOBAL, TokenKind::AccessKey, &sealed, id.as_bytes());
        let opened = opening.await.map_err(|error| match error {
            TokenError::Unopened => Error::from(KeyStoreError::Damaged),
            TokenError::KeyStore(error) => Error::from(error),
        })?;
        let text = std::str::from_utf8(&opened).map_err(Error::internal)?;
        Ok(SecretAccessKey::new(Zeroizing::new(text.to_owned())))
    }
}
