//! The store that lives in memory and dies with the process: for tests and `--in-memory`.
//!
//! Must not know a disk.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use service::ports::{
    Change, Commit, Expect, Item, Observer, Page, Pending, Revision, Store, StoreError,
    Subscription,
};

use crate::history::History;
use crate::limits;

/// Records in memory. Everything of the contract holds except surviving.
pub struct Memory {
    records: RwLock<BTreeMap<String, Record>>,
    /// Held from a commit's first check until its observers were told, so that commits happen
    /// one after the other while reads go on.
    committing: Mutex<()>,
    history: Arc<History>,
}

struct Record {
    value: Vec<u8>,
    revision: Revision,
}

impl Memory {
    /// An empty store, at revision 0.
    pub fn new() -> Self {
        Self {
            records: RwLock::default(),
            committing: Mutex::default(),
            history: History::starting_at(Revision(0)),
        }
    }

    fn apply(&self, commit: Commit) -> Result<Revision, StoreError> {
        limits::check(&commit)?;
        let _one_at_a_time = self.committing.lock();
        let mut records = self.records.write();
        let holds = |(key, expect): &(String, Expect)| {
            let found = records.get(key).map(|record| record.revision);
            match expect {
                Expect::Absent => found.is_none(),
                Expect::At(revision) => found == Some(*revision),
            }
        };
        if !commit.preconditions.iter().all(holds) {
            return Err(StoreError::Conflict);
        }
        let revision = Revision(self.history.revision().0 + 1);
        let mut keys = Vec::with_capacity(commit.puts.len() + commit.deletes.len());
        for (key, value) in commit.puts {
            keys.push(key.clone());
            records.insert(key, Record { value, revision });
        }
        for key in commit.deletes {
            if records.remove(&key).is_some() {
                keys.push(key);
            }
        }
        drop(records);
        self.history.publish(Change { revision, keys });
        Ok(revision)
    }

    fn page(&self, prefix: &str, after: &str, limit: usize) -> Page {
        let start = if after < prefix { Bound::Included(prefix) } else { Bound::Excluded(after) };
        let records = self.records.read();
        let mut matching = records
            .range::<str, _>((start, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix));
        let items = matching.by_ref().take(limit).map(|(key, record)| item(key, record)).collect();
        Page { items, more: matching.next().is_some() }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Store for Memory {
    fn get<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreError>> {
        Box::pin(async move { Ok(self.records.read().get(key).map(|record| item(key, record))) })
    }

    fn range<'a>(
        &'a self,
        prefix: &'a str,
        after: &'a str,
        limit: usize,
    ) -> Pending<'a, Result<Page, StoreError>> {
        Box::pin(async move { Ok(self.page(prefix, after, limit)) })
    }

    fn commit(&self, commit: Commit) -> Pending<'_, Result<Revision, StoreError>> {
        Box::pin(async move { self.apply(commit) })
    }

    fn watch(
        &self,
        from: Revision,
        observer: Arc<dyn Observer>,
    ) -> Result<Subscription, StoreError> {
        self.history.watch(from, observer)
    }

    fn revision(&self) -> Revision {
        self.history.revision()
    }
}

fn item(key: &str, record: &Record) -> Item {
    Item { key: key.to_owned(), value: record.value.clone(), revision: record.revision }
}
