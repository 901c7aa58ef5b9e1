//! What was made of records, kept in memory until the store says that they changed.
//!
//! Strict: the store answers a commit only after it has told this cache, so whoever saw the answer
//! never meets the old state again. A load that began before a change can't put the old state
//! back: it is thrown away if anything in its shard changed meanwhile.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use crate::ports::{Change, Observer};
use parking_lot::Mutex;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// How many shards share the counters of changes. A load is thrown away in vain only if another
/// record of its shard changed while it ran.
const SHARDS: usize = 256;

/// A cache of values under store keys.
pub struct StateCache<T> {
    entries: Cache<String, Arc<T>, Weigh<T>>,
    changes: Vec<Mutex<u64>>,
    hasher: RandomState,
    prefix: &'static str,
    place: fn(&str) -> &str,
}

/// How much of the cache's capacity a value takes.
struct Weigh<T>(fn(&T) -> u64);

impl<T> Clone for Weigh<T> {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl<T> Weighter<String, Arc<T>> for Weigh<T> {
    fn weight(&self, _: &String, value: &Arc<T>) -> u64 {
        (self.0)(value)
    }
}

/// What a cache has been used for, and how full it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheStats {
    /// How often what was asked for was there, since the start.
    pub hits: u64,
    /// How often it wasn't.
    pub misses: u64,
    /// How many values there are.
    pub entries: usize,
    /// How much of the capacity they take.
    pub weight: u64,
    /// How much there is room for.
    pub capacity: u64,
}

/// Proof of what was known before a load began.
pub struct Ticket {
    shard: usize,
    changes: u64,
}

impl<T> StateCache<T> {
    /// A cache of at most `capacity` records, whose store keys begin with `prefix`.
    pub fn new(prefix: &'static str, capacity: usize) -> Self {
        Self::of_groups(prefix, capacity, |key| key, |_| 1)
    }

    /// A cache of values that are each made of several records: `place` gives the key under which
    /// the value stands that the record of a store key is part of. A value takes `weight` of the
    /// capacity, at least one.
    pub fn of_groups(
        prefix: &'static str,
        capacity: usize,
        place: fn(&str) -> &str,
        weight: fn(&T) -> u64,
    ) -> Self {
        Self {
            entries: Cache::with_weighter(capacity, capacity as u64, Weigh(weight)),
            changes: (0..SHARDS).map(|_| Mutex::new(0)).collect(),
            hasher: RandomState::new(),
            prefix,
            place,
        }
    }

    /// The value under that key, if it is cached.
    pub fn get(&self, key: &str) -> Option<Arc<T>> {
        self.entries.get(key)
    }

    /// To be taken before the store is read.
    pub fn before_load(&self, key: &str) -> Ticket {
        let shard = self.shard(key);
        Ticket { shard, changes: *self.changes[shard].lock() }
    }

    /// Keeps what was loaded, unless something changed since the ticket was taken.
    pub fn keep(&self, ticket: &Ticket, key: String, value: Arc<T>) {
        let changes = self.changes[ticket.shard].lock();
        if *changes == ticket.changes {
            self.entries.insert(key, value);
        }
    }

    /// Whether nothing that the ticket is of has changed since it was taken. For what is loaded in
    /// several reads: it is as it stood at one moment then.
    pub fn is_unchanged_since(&self, ticket: &Ticket) -> bool {
        *self.changes[ticket.shard].lock() == ticket.changes
    }

    /// What the cache has been used for, and how full it is.
    pub fn stats(&self) -> CacheStats {
        CacheStats {
            hits: self.entries.hits(),
            misses: self.entries.misses(),
            entries: self.entries.len(),
            weight: self.entries.weight(),
            capacity: self.entries.capacity(),
        }
    }

    fn shard(&self, key: &str) -> usize {
        // The remainder is smaller than SHARDS.
        usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0)
    }
}

impl<T: Send + Sync> Observer for StateCache<T> {
    fn changed(&self, change: &Change) {
        for key in change.keys.iter().filter(|key| key.starts_with(self.prefix)) {
            let key = (self.place)(key);
            let mut changes = self.changes[self.shard(key)].lock();
            *changes += 1;
            self.entries.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::Revision;

    fn change(key: &str) -> Change {
        Change { revision: Revision(1), keys: vec![key.to_owned()] }
    }

    #[test]
    fn a_change_drops_what_it_changed() {
        let cache = StateCache::new("k/", 10);
        cache.keep(&cache.before_load("k/1"), "k/1".to_owned(), Arc::new(1));
        cache.keep(&cache.before_load("k/2"), "k/2".to_owned(), Arc::new(2));
        cache.changed(&change("k/1"));
        assert_eq!(cache.get("k/1"), None);
        assert_eq!(cache.get("k/2").as_deref(), Some(&2));
    }

    #[test]
    fn a_load_that_a_change_overtook_is_not_kept() {
        let cache = StateCache::new("k/", 10);
        let ticket = cache.before_load("k/1");
        cache.changed(&change("k/1"));
        assert!(!cache.is_unchanged_since(&ticket));
        cache.keep(&ticket, "k/1".to_owned(), Arc::new(1));
        assert_eq!(cache.get("k/1"), None);
        let ticket = cache.before_load("k/1");
        cache.keep(&ticket, "k/1".to_owned(), Arc::new(2));
        assert!(cache.is_unchanged_since(&ticket));
        assert_eq!(cache.get("k/1").as_deref(), Some(&2));
    }

    #[test]
    fn a_change_of_a_part_drops_the_whole() {
        fn group(key: &str) -> &str {
            key.rsplit_once('!').map_or(key, |(group, _)| group)
        }
        let cache = StateCache::of_groups("k/", 10, group, |_| 1);
        let ticket = cache.before_load("k/1");
        cache.changed(&change("k/1!part"));
        cache.keep(&ticket, "k/1".to_owned(), Arc::new(1));
        assert_eq!(cache.get("k/1"), None);
        cache.keep(&cache.before_load("k/1"), "k/1".to_owned(), Arc::new(2));
        cache.changed(&change("k/2!part"));
        assert_eq!(cache.get("k/1").as_deref(), Some(&2));
        cache.changed(&change("k/1!other"));
        assert_eq!(cache.get("k/1"), None);
    }

    #[test]
    fn heavy_values_take_more_room() {
        let cache = StateCache::of_groups("k/", 100, |key| key, |weight: &u64| *weight);
        for n in 0..100 {
            let key = format!("k/{n}");
            cache.keep(&cache.before_load(&key), key.clone(), Arc::new(10));
        }
        assert!((1..=10).contains(&cache.entries.len()), "{}", cache.entries.len());
    }

    #[test]
    fn use_is_counted() {
        let cache = StateCache::new("k/", 10);
        assert_eq!(cache.get("k/1"), None);
        cache.keep(&cache.before_load("k/1"), "k/1".to_owned(), Arc::new(1));
        assert_eq!(cache.get("k/1").as_deref(), Some(&1));
        assert_eq!(cache.get("k/1").as_deref(), Some(&1));
        let stats = cache.stats();
        assert_eq!((stats.hits, stats.misses, stats.entries, stats.weight), (2, 1, 1, 1));
    }

    #[test]
    fn capacity_is_bounded() {
        let cache = StateCache::new("k/", 100);
        for n in 0..10_000 {
            let key = format!("k/{n}");
            cache.keep(&cache.before_load(&key), key.clone(), Arc::new(n));
        }
        assert!(cache.entries.len() <= 100);
    }
}
