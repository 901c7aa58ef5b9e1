//! Rotation of the root key: a new one for every seal in one commit, without any operator's secret.
//!
//! Owns the order in which keys change hands. Must not know domain keys: the key store wraps them
//! anew, and removes the previous root key's record when the last is done.

use crypto::RootKey;
use service::ports::Expect;

use crate::Seals;
use crate::error::SealsError;
use crate::record::SealRecord;
use crate::set::{self, NextSet};

/// Where the previous root key stands, wrapped under the current one, as long as domain keys are
/// under it.
const PREVIOUS: &str = "keystore/root-key/previous";

impl Seals {
    /// Replaces the root key. The new one is returned for the key store, which still opens domain
    /// keys under the previous one until it has wrapped them anew.
    ///
    /// One commit writes all of it: after a crash the seals open either the old root key, and
    /// nothing was begun, or the new one, under which the previous one stands.
    ///
    /// # Errors
    /// [`SealsError::RotationUnderWay`] while the previous root key is still needed,
    /// [`SealsError::Sealed`]. After [`SealsError::Store`] it isn't known whether the root key was
    /// replaced; the server can go on with the old one, and the next start finds out.
    pub async fn rotate_root_key(&self) -> Result<RootKey, SealsError> {
        let mut held = self.root_key.lock().await;
        let root_key = held.as_ref().ok_or(SealsError::Sealed)?;
        if self.previous_stands().await? {
            return Err(SealsError::RotationUnderWay);
        }
        let loaded = set::load(&*self.store).await?;
        let mut next = NextSet::after(loaded.whole(root_key)?);
        let number = next.record.root_key_number.checked_add(1);
        next.record.root_key_number = number.ok_or(SealsError::RotationsUsedUp)?;
        let new = RootKey::generate()?;
        for seal in &loaded.seals {
            let seal_key =
                root_key.unwrap_seal_key(&seal.record.seal_key, &seal.record.binding())?;
            let mut record = SealRecord {
                version: next.record.version,
                root_key_number: next.record.root_key_number,
                ..seal.record.clone()
            };
            record.wrap(&new, &seal_key)?;
            next.put(&record, Some(seal.revision))?;
        }
        next.commit.preconditions.push((PREVIOUS.to_owned(), Expect::Absent));
        next.commit.puts.push((PREVIOUS.to_owned(), new.wrap_root_key(root_key)?));
        let given = new.duplicate()?;
        next.write(&*self.store, &new).await?;
        *held = Some(new);
        Ok(given)
    }

    /// Whether a rotation of the root key isn't finished: domain keys are still under the previous
    /// one.
    ///
    /// # Errors
    /// [`SealsError::Store`].
    pub async fn rotation_under_way(&self) -> Result<bool, SealsError> {
        self.previous_stands().await
    }

    async fn previous_stands(&self) -> Result<bool, SealsError> {
        Ok(self.store.get(PREVIOUS).await?.is_some())
    }
}
