//! Domain keys: one current key a Region, numbered from 1, older ones kept to open what they
//! wrapped. Made when a Region is first used.

use std::collections::HashMap;
use std::sync::Arc;

use crypto::{DomainKey, RootKey};
use parking_lot::RwLock;
use service::ports::{Commit, Expect, KeyStoreError, Store, StoreError};

use super::unavailable;

/// Below which domain keys stand in the store.
const PREFIX: &str = "keystore/domain-key/";
/// How many the store is asked for at once.
const BATCH: usize = 1000;
/// How often making a Region's first domain key is tried again when somebody else is making it.
const ATTEMPTS_MAX: usize = 8;

/// The domain keys of all Regions.
pub(super) struct DomainKeys {
    store: Arc<dyn Store>,
    root_key: RootKey,
    opened: RwLock<HashMap<(String, u32), Arc<DomainKey>>>,
    current: RwLock<HashMap<String, u32>>,
}

impl DomainKeys {
    pub(super) fn new(store: Arc<dyn Store>, root_key: RootKey) -> Self {
        Self { store, root_key, opened: RwLock::default(), current: RwLock::default() }
    }

    /// The Region's current domain key, made if there is none.
    pub(super) async fn current(
        &self,
        region: &str,
    ) -> Result<(u32, Arc<DomainKey>), KeyStoreError> {
        for _ in 0..ATTEMPTS_MAX {
            let known = self.current.read().get(region).copied();
            let number = match known {
                Some(number) => Some(number),
                None => self.latest(region).await?,
            };
            if let Some(number) = number {
                self.current.write().insert(region.to_owned(), number);
                return Ok((number, self.numbered(region, number).await?));
            }
            self.make_first(region).await?;
        }
        Err(KeyStoreError::Unavailable("a domain key could not be made".into()))
    }

    /// The Region's domain key of that number.
    pub(super) async fn numbered(
        &self,
        region: &str,
        number: u32,
    ) -> Result<Arc<DomainKey>, KeyStoreError> {
        let name = (region.to_owned(), number);
        if let Some(key) = self.opened.read().get(&name) {
            return Ok(Arc::clone(key));
        }
        let item = self.store.get(&place(region, number)).await.map_err(store_failed)?;
        let item = item.ok_or(KeyStoreError::Damaged)?;
        let key = self.root_key.unwrap_domain_key(&item.value, &binding(region, number)).map_err(
            |error| match error {
                crypto::Error::Unopened(_) => KeyStoreError::Damaged,
                other => unavailable(other),
            },
        )?;
        Ok(Arc::clone(self.opened.write().entry(name).or_insert_with(|| Arc::new(key))))
    }

    /// Opens every domain key that the store holds.
    pub(super) async fn open_all(&self) -> Result<(), KeyStoreError> {
        let mut after = String::new();
        loop {
            let page = self.store.range(PREFIX, &after, BATCH).await.map_err(store_failed)?;
            for item in page.items {
                let (region, number) = named(&item.key).ok_or(KeyStoreError::Damaged)?;
                self.numbered(region, number).await?;
                after = item.key;
            }
            if !page.more {
                return Ok(());
            }
        }
    }

    async fn latest(&self, region: &str) -> Result<Option<u32>, KeyStoreError> {
        let prefix = format!("{PREFIX}{region}/");
        let mut latest = None;
        let mut after = String::new();
        loop {
            let page = self.store.range(&prefix, &after, BATCH).await.map_err(store_failed)?;
            if let Some(item) = page.items.into_iter().last() {
                let (_, number) = named(&item.key).ok_or(KeyStoreError::Damaged)?;
                latest = Some(number);
                after = item.key;
            }
            if !page.more {
                return Ok(latest);
            }
        }
    }

    async fn make_first(&self, region: &str) -> Result<(), KeyStoreError> {
        let key = DomainKey::generate().map_err(unavailable)?;
        let wrapped =
            self.root_key.wrap_domain_key(&key, &binding(region, 1)).map_err(unavailable)?;
        let place = place(region, 1);
        let commit = Commit {
            preconditions: vec![(place.clone(), Expect::Absent)],
            puts: vec![(place, wrapped)],
            deletes: Vec::new(),
        };
        match self.store.commit(commit).await {
            // Somebody else made it at the same time: theirs is the Region's.
            Ok(_) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(store_failed(error)),
        }
    }
}

/// Where a domain key stands; ten digits order as text.
fn place(region: &str, number: u32) -> String {
    format!("{PREFIX}{region}/{number:010}")
}

fn named(place: &str) -> Option<(&str, u32)> {
    let (region, number) = place.strip_prefix(PREFIX)?.split_once('/')?;
    Some((region, number.parse().ok()?))
}

/// What a wrapped domain key is authenticated with.
fn binding(region: &str, number: u32) -> Vec<u8> {
    format!("{region}\0{number}").into_bytes()
}

fn store_failed(error: StoreError) -> KeyStoreError {
    KeyStoreError::Unavailable(Box::new(error))
}
