//! The uses that are newer than what the store has.
//!
//! Bounded: what doesn't fit is left out, and whoever asks is refused until the log has been read
//! again. Must not know where uses are kept.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;
use service::ports::Position;
use wire::Timestamp;

use super::Use;

/// How many parts the map has, so that taking a copy of one holds nobody up for long.
pub(super) const SHARDS: usize = 64;

/// A use, with its place in the log.
#[derive(Clone, Copy)]
pub(super) struct Placed {
    pub(super) last: Use,
    pub(super) at: Position,
}

/// How a use becomes known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// By the request, before its answer.
    Live,
    /// By the log, later.
    Again,
}

/// The last uses by the keys' ARNs.
pub(crate) struct Recent {
    shards: Vec<Mutex<HashMap<Arc<str>, Placed>>>,
    count: AtomicUsize,
    limit: usize,
    /// How many uses were left out for want of room.
    left_out: AtomicU64,
    /// How many of those have been read again.
    read_again: AtomicU64,
    /// Since when uses are tracked, in milliseconds.
    since: AtomicI64,
}

impl Recent {
    /// Room for the uses of that many keys.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            count: AtomicUsize::new(0),
            limit,
            left_out: AtomicU64::new(0),
            read_again: AtomicU64::new(0),
            since: AtomicI64::new(i64::MIN),
        }
    }

    /// Takes in a use. Of two, the later in the log stays, in whichever order they are told.
    pub(super) fn note(&self, arn: &str, placed: Placed, told: Told) {
        let mut shard = self.shard(arn).lock();
        if let Some(known) = shard.get_mut(arn) {
            if known.at < placed.at {
                *known = placed;
            }
        } else if told == Told::Again || self.count.load(Ordering::Relaxed) < self.limit {
            // Who reads the log makes room after each stretch of it.
            shard.insert(Arc::from(arn), placed);
            self.count.fetch_add(1, Ordering::Relaxed);
        } else {
            self.left_out.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// The last use of the key, if it is a recent one.
    pub(super) fn of(&self, arn: &str) -> Option<Use> {
        self.shard(arn).lock().get(arn).map(|placed| placed.last)
    }

    /// Forgets a key.
    pub(crate) fn forget(&self, arn: &str) {
        if self.shard(arn).lock().remove(arn).is_some() {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Forgets a use that is stored, unless there is a later one.
    pub(super) fn settle(&self, arn: &str, at: Position) {
        let mut shard = self.shard(arn).lock();
        if shard.get(arn).is_some_and(|placed| placed.at <= at) {
            shard.remove(arn);
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Forgets all.
    pub(super) fn clear(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            self.count.fetch_sub(shard.len(), Ordering::Relaxed);
            shard.clear();
        }
    }

    /// What is in one part of the map.
    pub(super) fn copy(&self, shard: usize) -> Vec<(Arc<str>, Placed)> {
        let shard = self.shards[shard].lock();
        shard.iter().map(|(arn, placed)| (Arc::clone(arn), *placed)).collect()
    }

    /// Whether half of the room is taken.
    pub(super) fn is_crowded(&self) -> bool {
        self.count.load(Ordering::Relaxed) >= self.limit / 2
    }

    /// How many uses have been left out.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::SeqCst)
    }

    /// Those that had been left out when there were so many have been read again.
    pub(super) fn were_read_again(&self, left_out: u64) {
        self.read_again.store(left_out, Ordering::SeqCst);
    }

    /// Whether none is missing.
    pub(super) fn is_complete(&self) -> bool {
        self.left_out() == self.read_again.load(Ordering::SeqCst)
    }

    pub(super) fn since(&self) -> Timestamp {
        Timestamp::from_millis(self.since.load(Ordering::Relaxed))
    }

    pub(super) fn set_since(&self, since: Timestamp) {
        self.since.store(since.millis(), Ordering::Relaxed);
    }

    /// A key's part is chosen by the end of its id, which is random.
    fn shard(&self, arn: &str) -> &Mutex<HashMap<Arc<str>, Placed>> {
        let end = arn.as_bytes().last_chunk().map_or(0, |end: &[u8; 2]| {
            let digit = |byte| char::from(byte).to_digit(16).unwrap_or(0) as usize;
            digit(end[0]) * 16 + digit(end[1])
        });
        &self.shards[end % SHARDS]
    }
}

#[cfg(test)]
mod tests {
    use service::Ids;
    use wire::enums::KeyLastUsageTrackingOperation;

    use super::*;

    fn placed(second: i64, at: u64) -> Placed {
        let id = "12345126-30d5-4b28-98b9-9153da559963";
        let last = Use {
            operation: KeyLastUsageTrackingOperation::Sign,
            time: Timestamp::from_millis(second * 1000),
            ids: Ids::parse(id, id).unwrap(),
        };
        Placed { last, at: Position(at) }
    }

    fn live(recent: &Recent, arn: &str, second: i64, at: u64) {
        recent.note(arn, placed(second, at), Told::Live);
    }

    fn time_of(recent: &Recent, arn: &str) -> Option<i64> {
        recent.of(arn).map(|last| last.time.seconds())
    }

    #[test]
    fn the_later_in_the_log_stays_whatever_its_time() {
        let recent = Recent::new(10);
        live(&recent, "k/a", 50, 2);
        live(&recent, "k/a", 90, 1);
        assert_eq!(time_of(&recent, "k/a"), Some(50));
        live(&recent, "k/a", 7, 3);
        assert_eq!(time_of(&recent, "k/a"), Some(7));
        assert_eq!(time_of(&recent, "k/b"), None);
    }

    #[test]
    fn what_was_stored_is_forgotten_unless_it_is_older() {
        let recent = Recent::new(10);
        live(&recent, "k/a", 1, 1);
        live(&recent, "k/b", 1, 2);
        live(&recent, "k/b", 2, 3);
        recent.settle("k/a", Position(1));
        recent.settle("k/b", Position(2));
        assert_eq!((time_of(&recent, "k/a"), time_of(&recent, "k/b")), (None, Some(2)));
        recent.forget("k/b");
        assert_eq!(recent.count.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn what_does_not_fit_is_known_to_be_missing() {
        let recent = Recent::new(2);
        for (place, arn) in ["k/a", "k/b", "k/c", "k/a"].into_iter().enumerate() {
            live(&recent, arn, 1, place as u64);
        }
        assert_eq!((recent.left_out(), recent.is_complete()), (1, false));
        assert_eq!(recent.count.load(Ordering::Relaxed), 2);
        recent.note("k/c", placed(1, 2), Told::Again);
        recent.were_read_again(1);
        assert!(recent.is_complete());
        assert_eq!(time_of(&recent, "k/c"), Some(1));
        assert_eq!((0..SHARDS).map(|shard| recent.copy(shard).len()).sum::<usize>(), 3);
        recent.clear();
        assert_eq!((recent.count.load(Ordering::Relaxed), time_of(&recent, "k/a")), (0, None));
    }
}
