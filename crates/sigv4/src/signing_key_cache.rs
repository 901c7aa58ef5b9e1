//! Signing keys that were derived before: a derivation is five HMACs, a request only one.
//!
//! Owns which keys are kept and for how long. Must not know secrets: it is handed derived keys. No
//! clock: whoever stores a key says what time it is.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::scope::Scope;
use crate::signing_key::SigningKey;
use crate::time::{current_days, day_number};

/// A power of two, well above the number of cores that write at the same moment.
const SHARDS: usize = 16;

/// The most scopes kept for one access key; regions and services can be many, and whoever has one
/// valid key could otherwise fill the memory with them.
const SCOPES_PER_ACCESS_KEY: usize = 32;

/// Signing keys by access key id and scope, bounded and safe to share between threads.
///
/// A stale key is never stored: [`SigningKeyCache::find`] gives a [`Vacancy`] that must be in hand
/// *before* the secret is read, and [`SigningKeyCache::store`] drops the key if
/// [`SigningKeyCache::forget`] was called in between. So whoever changes or removes a secret makes
/// the change visible to readers first, then calls `forget`; once that returns, no lookup finds a
/// key of the old secret.
pub struct SigningKeyCache {
    shards: [RwLock<Shard>; SHARDS],
    access_keys_per_shard: usize,
}

#[derive(Default)]
struct Shard {
    keys: HashMap<Box<str>, Vec<Cached>>,
    /// Counts the calls of `forget`, each of which may have made a vacancy's secret stale.
    forgotten: u64,
}

struct Cached {
    day: u32,
    region: Box<str>,
    service: Box<str>,
    key: Arc<SigningKey>,
}

impl Cached {
    fn is_for(&self, day: u32, scope: &Scope<'_>) -> bool {
        self.day == day && *self.region == *scope.region() && *self.service == *scope.service()
    }
}

/// The leave to store a key that wasn't there.
pub struct Vacancy<'a> {
    access_key_id: &'a str,
    scope: Scope<'a>,
    forgotten: u64,
}

impl SigningKeyCache {
    /// A cache for about as many access keys as `access_keys` says, rounded up to whole shards.
    pub fn new(access_keys: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| RwLock::default()),
            access_keys_per_shard: access_keys.div_ceil(SHARDS).max(1),
        }
    }

    /// The key for an access key and scope. A hit allocates nothing.
    ///
    /// # Errors
    /// A [`Vacancy`]: read the secret now, derive the key, verify, then store it.
    pub fn find<'a>(
        &self,
        access_key_id: &'a str,
        scope: &Scope<'a>,
    ) -> Result<Arc<SigningKey>, Vacancy<'a>> {
        let shard = self.shard(access_key_id).read();
        let day = day_number(scope.date());
        let scopes = shard.keys.get(access_key_id).map(Vec::as_slice).unwrap_or_default();
        match scopes.iter().find(|cached| day.is_some_and(|day| cached.is_for(day, scope))) {
            Some(cached) => Ok(Arc::clone(&cached.key)),
            None => Err(Vacancy { access_key_id, scope: *scope, forgotten: shard.forgotten }),
        }
    }

    /// Keeps a key, best after it verified a signature: then strangers can't crowd others out.
    /// `now` is in Unix seconds.
    ///
    /// Only keys of yesterday, today and tomorrow are kept; an older one belongs to a presigned
    /// request, which is rare.
    pub fn store(&self, vacancy: &Vacancy<'_>, key: Arc<SigningKey>, now: i64) {
        let Vacancy { access_key_id, scope, forgotten } = vacancy;
        let (first, last) = current_days(now);
        let Some(day) = day_number(scope.date()).filter(|day| (first..=last).contains(day)) else {
            return;
        };
        let mut shard = self.shard(access_key_id).write();
        if shard.forgotten != *forgotten {
            return;
        }
        if !shard.keys.contains_key(*access_key_id)
            && shard.keys.len() >= self.access_keys_per_shard
        {
            shard.make_room(first);
        }
        let scopes = match shard.keys.entry((*access_key_id).into()) {
            Entry::Occupied(occupied) => occupied.into_mut(),
            Entry::Vacant(vacant) => vacant.insert(Vec::new()),
        };
        scopes.retain(|cached| cached.day >= first && !cached.is_for(day, scope));
        if scopes.len() >= SCOPES_PER_ACCESS_KEY {
            scopes.remove(0);
        }
        scopes.push(Cached {
            day,
            region: scope.region().into(),
            service: scope.service().into(),
            key,
        });
    }

    /// Drops every key of an access key whose secret was changed or removed. See the type's
    /// documentation for the order.
    pub fn forget(&self, access_key_id: &str) {
        let mut shard = self.shard(access_key_id).write();
        shard.forgotten = shard.forgotten.wrapping_add(1);
        shard.keys.remove(access_key_id);
    }

    /// Drops every key, as after a restore of the whole state.
    pub fn forget_all(&self) {
        for shard in &self.shards {
            let mut shard = shard.write();
            shard.forgotten = shard.forgotten.wrapping_add(1);
            shard.keys.clear();
        }
    }

    /// Drops the keys of days that are over; storing does this by and by. `now` is in Unix seconds.
    pub fn retire(&self, now: i64) {
        let (first, _) = current_days(now);
        for shard in &self.shards {
            shard.write().retire(first);
        }
    }

    fn shard(&self, access_key_id: &str) -> &RwLock<Shard> {
        // FNV-1a: who picks ids for one shard gains nothing but contention with himself.
        let hash = access_key_id
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        &self.shards[(hash >> 16) as usize % SHARDS]
    }
}

impl Shard {
    fn retire(&mut self, first: u32) {
        self.keys.retain(|_, scopes| {
            scopes.retain(|cached| cached.day >= first);
            !scopes.is_empty()
        });
    }

    /// Drops what is over; if nothing is, whichever access key the map's random order names first.
    fn make_room(&mut self, first: u32) {
        let before = self.keys.len();
        self.retire(first);
        if self.keys.len() == before
            && let Some(id) = self.keys.keys().next().cloned()
        {
            self.keys.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_440_938_160;

    fn scope(date: &'static str, region: &'static str) -> Scope<'static> {
        Scope::new(date, region, "kms").unwrap()
    }

    fn key(scope: &Scope<'_>) -> Arc<SigningKey> {
        Arc::new(SigningKey::derive("secret", scope))
    }

    fn store(cache: &SigningKeyCache, id: &str, scope: &Scope<'_>, now: i64) {
        if let Err(vacancy) = cache.find(id, scope) {
            cache.store(&vacancy, key(scope), now);
        }
    }

    fn count(cache: &SigningKeyCache) -> usize {
        cache.shards.iter().map(|s| s.read().keys.values().map(Vec::len).sum::<usize>()).sum()
    }

    #[test]
    fn a_key_is_found_under_its_own_scope_only() {
        let cache = SigningKeyCache::new(100);
        let today = scope("20150830", "us-east-1");
        let stored = key(&today);
        let vacancy = cache.find("AKIA", &today).err().unwrap();
        cache.store(&vacancy, Arc::clone(&stored), NOW);
        assert!(Arc::ptr_eq(&cache.find("AKIA", &today).ok().unwrap(), &stored));
        assert!(cache.find("AKIB", &today).is_err());
        assert!(cache.find("AKIA", &scope("20150831", "us-east-1")).is_err());
        assert!(cache.find("AKIA", &scope("20150830", "us-east-2")).is_err());
        assert!(cache.find("AKIA", &Scope::new("20150830", "us-east-1", "sts").unwrap()).is_err());
    }

    #[test]
    fn a_forgotten_key_is_gone_with_all_its_scopes() {
        let cache = SigningKeyCache::new(100);
        let (one, two) = (scope("20150830", "us-east-1"), scope("20150830", "eu-west-1"));
        store(&cache, "AKIA", &one, NOW);
        store(&cache, "AKIA", &two, NOW);
        store(&cache, "OTHER", &one, NOW);
        cache.forget("AKIA");
        assert!(cache.find("AKIA", &one).is_err());
        assert!(cache.find("AKIA", &two).is_err());
        assert!(cache.find("OTHER", &one).is_ok());
        cache.forget_all();
        assert_eq!(count(&cache), 0);
    }

    #[test]
    fn a_key_derived_before_the_change_is_not_stored_after_it() {
        let cache = SigningKeyCache::new(100);
        let today = scope("20150830", "us-east-1");
        let vacancy = cache.find("AKIA", &today).err().unwrap();
        cache.forget("AKIA");
        cache.store(&vacancy, key(&today), NOW);
        assert!(cache.find("AKIA", &today).is_err());

        let vacancy = cache.find("AKIA", &today).err().unwrap();
        cache.forget_all();
        cache.store(&vacancy, key(&today), NOW);
        assert!(cache.find("AKIA", &today).is_err());
    }

    #[test]
    fn days_fall_out() {
        let cache = SigningKeyCache::new(100);
        for (date, kept) in [
            ("20150828", false),
            ("20150829", true),
            ("20150830", true),
            ("20150831", true),
            ("20150901", false),
        ] {
            store(&cache, "AKIA", &scope(date, "us-east-1"), NOW);
            assert_eq!(cache.find("AKIA", &scope(date, "us-east-1")).is_ok(), kept, "{date}");
        }
        store(&cache, "AKIA", &scope("20150901", "us-east-1"), NOW + 2 * 86_400);
        assert!(cache.find("AKIA", &scope("20150830", "us-east-1")).is_err());
        assert_eq!(count(&cache), 2);
        cache.retire(NOW + 30 * 86_400);
        assert_eq!(count(&cache), 0);
    }

    #[test]
    fn memory_is_bounded() {
        let cache = SigningKeyCache::new(64);
        let today = scope("20150830", "us-east-1");
        for number in 0..2_000 {
            let id = format!("AKIA{number}");
            store(&cache, &id, &today, NOW);
            assert!(cache.find(&id, &today).is_ok(), "the newest key is kept");
        }
        assert!(count(&cache) <= 64, "{}", count(&cache));

        let cache = SigningKeyCache::new(64);
        for number in 0..100 {
            let region = format!("r{number}");
            store(&cache, "AKIA", &Scope::new("20150830", &region, "kms").unwrap(), NOW);
        }
        assert_eq!(count(&cache), SCOPES_PER_ACCESS_KEY);
    }

    #[test]
    fn threads_never_find_a_key_after_it_was_forgotten() {
        let cache = SigningKeyCache::new(16);
        let today = scope("20150830", "us-east-1");
        std::thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| {
                    for _ in 0..2_000 {
                        store(&cache, "AKIA", &today, NOW);
                    }
                });
            }
            threads.spawn(|| {
                for _ in 0..2_000 {
                    let before = cache.find("AKIA", &today).ok();
                    cache.forget("AKIA");
                    if let (Some(old), Ok(new)) = (before, cache.find("AKIA", &today)) {
                        assert!(!Arc::ptr_eq(&old, &new));
                    }
                }
            });
        });
    }
}
