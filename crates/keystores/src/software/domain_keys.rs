//! Domain keys: one current key a Region, numbered from 1, older ones kept to open what they
//! wrapped. Made when a Region is first used.

mod record;
mod replacing;
mod rotating;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crypto::{DomainKey, RootKey};
use parking_lot::{Mutex, RwLock};
use service::ports::{Commit, Expect, Item, KeyStoreError, Revision, Store, StoreError};
use wire::Timestamp;

use self::record::Dates;
pub(super) use self::rotating::RETIRED_DAYS;
use super::root_keys::{RootKeys, Under};
use super::unavailable;

/// Below which domain keys stand in the store.
const PREFIX: &str = "keystore/domain-key/";
/// How many the store is asked for at once.
const BATCH: usize = 1000;
/// How often making a Region's first domain key is tried again when somebody else is making it, and
/// reading one that somebody else is writing.
const ATTEMPTS_MAX: usize = 8;

/// The domain keys of all Regions.
pub(super) struct DomainKeys {
    store: Arc<dyn Store>,
    root_keys: RootKeys,
    opened: RwLock<Opened>,
    current: RwLock<HashMap<String, u32>>,
    /// Held while a domain key's record is written, so that none is written under a root key that
    /// was replaced meanwhile.
    writing: tokio::sync::Mutex<()>,
    /// When the last domain key of a Region was followed by another one in this process.
    followed: Mutex<HashMap<String, Instant>>,
    settling_time: Duration,
}

#[derive(Default)]
struct Opened {
    keys: HashMap<(String, u32), Arc<DomainKey>>,
    /// A reader that was overtaken must not bring one of these back.
    destroyed: HashSet<(String, u32)>,
}

/// A domain key, as its record tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainKeyState {
    /// The Region whose material it wraps.
    pub region: String,
    /// Its number; the greatest of a Region is the one that wraps.
    pub number: u32,
    /// When it was made; `None` until the schedule first looks at a Region's first one.
    pub made: Option<Timestamp>,
    /// Since when no record needs it.
    pub retired: Option<Timestamp>,
}

impl DomainKeys {
    pub(super) fn new(store: Arc<dyn Store>, root_key: RootKey, settling_time: Duration) -> Self {
        Self {
            root_keys: RootKeys::new(Arc::clone(&store), root_key),
            store,
            opened: RwLock::default(),
            current: RwLock::default(),
            writing: tokio::sync::Mutex::default(),
            followed: Mutex::default(),
            settling_time,
        }
    }

    pub(super) fn set_settling_time(&mut self, time: Duration) {
        self.settling_time = time;
    }

    pub(super) fn store(&self) -> &Arc<dyn Store> {
        &self.store
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
                None => self.latest(region).await?.map(|number| self.follow(region, number)),
            };
            if let Some(number) = number {
                return Ok((number, self.numbered(region, number).await?));
            }
            let _writing = self.writing.lock().await;
            self.make(region, 1, Dates::default()).await?;
        }
        Err(KeyStoreError::Unavailable("a domain key could not be made".into()))
    }

    /// Remembers that the Region's current domain key has at least that number; gives the one that
    /// is current. Whoever read an older number meanwhile doesn't bring it back.
    fn follow(&self, region: &str, number: u32) -> u32 {
        let mut current = self.current.write();
        let known = current.entry(region.to_owned()).or_insert(number);
        *known = number.max(*known);
        *known
    }

    /// The Region's domain key of that number.
    pub(super) async fn numbered(
        &self,
        region: &str,
        number: u32,
    ) -> Result<Arc<DomainKey>, KeyStoreError> {
        let name = (region.to_owned(), number);
        if let Some(key) = self.opened.read().keys.get(&name) {
            return Ok(Arc::clone(key));
        }
        let key = Arc::new(self.read(region, number).await?.key);
        let mut opened = self.opened.write();
        if opened.destroyed.contains(&name) {
            return Err(KeyStoreError::Damaged);
        }
        Ok(Arc::clone(opened.keys.entry(name).or_insert(key)))
    }

    /// Reads and opens a domain key.
    ///
    /// # Errors
    /// [`KeyStoreError::Damaged`] if there is none or it doesn't open.
    async fn read(&self, region: &str, number: u32) -> Result<Read, KeyStoreError> {
        let mut refused = None;
        for _ in 0..ATTEMPTS_MAX {
            let item = self.store.get(&place(region, number)).await.map_err(store_failed)?;
            let Item { value, revision, .. } = item.ok_or(KeyStoreError::Damaged)?;
            if refused == Some(revision) {
                break;
            }
            let (dates, wrapped) = Dates::split(&value).ok_or(KeyStoreError::Damaged)?;
            match self.root_keys.open(wrapped, &dates.binding(region, number)).await {
                Ok((key, under)) => return Ok(Read { key, under, dates, revision }),
                // The root key may have been replaced since the record was read.
                Err(KeyStoreError::Damaged) => refused = Some(revision),
                Err(error) => return Err(error),
            }
        }
        Err(KeyStoreError::Damaged)
    }

    /// Opens every domain key that the store holds.
    pub(super) async fn open_all(&self) -> Result<(), KeyStoreError> {
        for DomainKeyState { region, number, .. } in self.list().await? {
            self.numbered(&region, number).await?;
        }
        Ok(())
    }

    /// All domain keys, by Region and number.
    pub(super) async fn list(&self) -> Result<Vec<DomainKeyState>, KeyStoreError> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.store.range(PREFIX, &after, BATCH).await.map_err(store_failed)?;
            for item in page.items {
                let (region, number) = named(&item.key).ok_or(KeyStoreError::Damaged)?;
                let (dates, _) = Dates::split(&item.value).ok_or(KeyStoreError::Damaged)?;
                let (region, Dates { made, retired }) = (region.to_owned(), dates);
                all.push(DomainKeyState { region, number, made, retired });
                after = item.key;
            }
            if !page.more {
                return Ok(all);
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

    /// Makes the domain key of that number; false if somebody else made it at the same time: theirs
    /// is the Region's. To be called while writing.
    async fn make(&self, region: &str, number: u32, dates: Dates) -> Result<bool, KeyStoreError> {
        let key = DomainKey::generate().map_err(unavailable)?;
        self.write(region, number, &key, dates, Expect::Absent).await
    }

    /// Writes a domain key's record; false if what was expected there isn't. To be called while
    /// writing.
    async fn write(
        &self,
        region: &str,
        number: u32,
        key: &DomainKey,
        dates: Dates,
        expect: Expect,
    ) -> Result<bool, KeyStoreError> {
        let root_key = self.root_keys.current();
        let binding = dates.binding(region, number);
        let wrapped = root_key.wrap_domain_key(key, &binding).map_err(unavailable)?;
        let place = place(region, number);
        self.unless_overtaken(Commit {
            preconditions: vec![(place.clone(), expect)],
            puts: vec![(place, dates.before(&wrapped))],
            deletes: Vec::new(),
        })
        .await
    }

    /// Commits; false if somebody else was faster.
    async fn unless_overtaken(&self, commit: Commit) -> Result<bool, KeyStoreError> {
        match self.store.commit(commit).await {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(store_failed(error)),
        }
    }
}

/// A domain key as it was read.
struct Read {
    key: DomainKey,
    under: Under,
    dates: Dates,
    revision: Revision,
}

/// Where a domain key stands; ten digits order as text.
fn place(region: &str, number: u32) -> String {
    format!("{PREFIX}{region}/{number:010}")
}

fn named(place: &str) -> Option<(&str, u32)> {
    let (region, number) = place.strip_prefix(PREFIX)?.split_once('/')?;
    Some((region, number.parse().ok()?))
}

pub(super) fn store_failed(error: StoreError) -> KeyStoreError {
    KeyStoreError::Unavailable(Box::new(error))
}

#[cfg(test)]
mod tests;
