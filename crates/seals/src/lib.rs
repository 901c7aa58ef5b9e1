//! Seals: the ways to the root key, and the records that they stand in.
//!
//! A sealed server has the root key in wrapped form only, once for each seal; what an operator has
//! (a passphrase, shares, a file) or may ask of a KMS opens it. This crate owns those records, what
//! binds them together, attempts and how they are slowed, and the root key's rotation. It must not
//! know HTTP, a terminal, or what the root key protects; key bytes are crate `crypto`'s.
//!
//! `docs/internals/seals.md` describes every byte.

mod attempts;
mod changes;
mod collected;
mod error;
mod kind;
mod kms;
mod making;
mod opening;
mod record;
mod rotation;
mod set;

pub use collected::Collected;
pub use error::{Finding, Refusal, SealsError, Tried, Unopened};
pub use kind::{Kind, PASSPHRASE_MIN, passphrase_from_file};
pub use kms::{KmsError, KmsKey};
pub use making::{Issued, IssuedShare, NewMethod, NewSeal};
pub use opening::{Outcome, Secret};
pub use record::{Details, Summary};

use std::sync::Arc;

use crypto::RootKey;
use service::ports::{Clock, Store};
use tokio::sync::Mutex;

use crate::attempts::Attempts;
use crate::collected::Collections;

/// The most seals that an installation has.
pub const SEALS_MAX: usize = 16;

/// The seals of one installation, and the root key while the server is unsealed.
pub struct Seals {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// The root key while unsealed. Held locked during a change, so that changes follow each other.
    root_key: Mutex<Option<RootKey>>,
    attempts: Attempts,
    collections: Collections,
}

impl Seals {
    fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, root_key: Option<RootKey>) -> Self {
        Self {
            store,
            clock,
            root_key: Mutex::new(root_key),
            attempts: Attempts::default(),
            collections: Collections::default(),
        }
    }

    /// The seals that the store holds, sealed; none if it has no seals at all, as a directory of
    /// dev mode.
    ///
    /// # Errors
    /// [`SealsError::Store`].
    pub async fn open(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Self>, SealsError> {
        let there = set::any(&*store).await?;
        Ok(there.then(|| Self::new(store, clock, None)))
    }

    /// Whether the root key is at hand.
    pub async fn unsealed(&self) -> bool {
        self.root_key.lock().await.is_some()
    }

    /// Forgets the root key and all shares that were entered. What else holds the key must be
    /// dropped by its owner.
    pub async fn seal(&self) {
        *self.root_key.lock().await = None;
        self.collections.forget();
    }

    /// The installation's id, which every seal is bound to: 32 hexadecimal digits.
    ///
    /// # Errors
    /// [`SealsError::Store`], [`SealsError::Tampered`] if the record that says it is gone.
    pub async fn installation(&self) -> Result<String, SealsError> {
        let loaded = set::load(&*self.store).await?;
        match loaded.set {
            Some(set) => Ok(set.record.installation),
            None => Err(SealsError::Tampered(loaded.findings)),
        }
    }

    /// Which root key the seals open, counted from 1.
    ///
    /// # Errors
    /// As [`Self::installation`].
    pub async fn root_key_number(&self) -> Result<u32, SealsError> {
        let loaded = set::load(&*self.store).await?;
        match loaded.set {
            Some(set) => Ok(set.record.root_key_number),
            None => Err(SealsError::Tampered(loaded.findings)),
        }
    }

    /// All seals that nothing shows to be tampered with, by name. Nothing is authenticated before a
    /// seal was opened.
    ///
    /// # Errors
    /// [`SealsError::Store`].
    pub async fn list(&self) -> Result<Vec<Summary>, SealsError> {
        let loaded = set::load(&*self.store).await?;
        let whole = loaded.seals.iter().filter(|one| one.whole);
        let mut seals: Vec<_> = whole.map(|one| one.record.summary()).collect();
        seals.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(seals)
    }

    /// What shows, without any secret, that records were added, removed or altered.
    ///
    /// # Errors
    /// [`SealsError::Store`].
    pub async fn findings(&self) -> Result<Vec<Finding>, SealsError> {
        Ok(set::load(&*self.store).await?.findings)
    }

    /// The root key, for a backup.
    ///
    /// # Errors
    /// [`SealsError::Sealed`], [`SealsError::Crypto`].
    pub async fn root_key(&self) -> Result<RootKey, SealsError> {
        let held = self.root_key.lock().await;
        Ok(held.as_ref().ok_or(SealsError::Sealed)?.duplicate()?)
    }

    /// The shares that were entered to unseal and are still waiting for others.
    pub fn collected(&self) -> Vec<Collected> {
        self.collections.waiting()
    }

    /// Forgets the shares that were entered, to unseal and to rehearse.
    pub fn forget_shares(&self) {
        self.collections.forget();
    }
}

/// Whether a record of that key belongs to the seals: together these records open without anything
/// else of the store.
pub fn is_record(key: &str) -> bool {
    key == set::SET || key.starts_with(set::PREFIX)
}
