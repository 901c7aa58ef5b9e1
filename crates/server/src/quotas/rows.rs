//! What an account has used of its quotas in a Region: a bucket of tokens for each class.
//!
//! A bucket holds what a second brings, or one request where that is less, and fills at the quota's
//! rate. AWS counts in intervals of one second, without saying whether they slide; by a bucket, a
//! request is refused when the second before it has had as many as the quota allows, and after a
//! pause at most two seconds' worth fit into one.
//!
//! Each bucket is one number, the time at which it will be full again (the generic cell rate
//! algorithm, ITU-T I.371), so that taking from it is one exchange without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

use wire::{AccountId, Region};

use super::classes::{CLASSES, Rate};

/// What a bucket holds, in nanoseconds of its rate.
const SECOND: u64 = 1_000_000_000;
/// An interval that stands for no limit.
const UNLIMITED: u64 = 0;

/// An account and a Region, if any, without an allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    account: u64,
    region: [u8; 32],
}

impl Place {
    pub(super) fn of(account: &AccountId, region: Option<&Region>) -> Self {
        let mut name = [0; 32];
        // The name of a Region has at most 32 bytes.
        let region_name = region.map_or("", Region::as_str);
        for (to, from) in name.iter_mut().zip(region_name.bytes()) {
            *to = from;
        }
        Self { account: account.number(), region: name }
    }
}

/// The buckets of one account in one Region, by class.
pub(super) struct Row {
    /// Which settings it was made by.
    pub(super) generation: u64,
    buckets: Box<[Bucket]>,
}

struct Bucket {
    /// How long one request takes at the quota's rate.
    interval: u64,
    /// When it is full again.
    full_at: AtomicU64,
}

impl Row {
    /// Full buckets of those rates.
    pub(super) fn new(generation: u64, rate: impl Fn(usize) -> Option<Rate>) -> Self {
        let bucket = |class| Bucket {
            interval: rate(class).map_or(UNLIMITED, Rate::interval),
            full_at: AtomicU64::new(0),
        };
        Self { generation, buckets: (0..CLASSES.len()).map(bucket).collect() }
    }

    /// Takes as many requests of that class, if the bucket has them; `now` in nanoseconds.
    pub(super) fn take(&self, class: usize, times: u64, now: u64) -> bool {
        let Some(bucket) = self.buckets.get(class).filter(|bucket| bucket.interval != UNLIMITED)
        else {
            return true;
        };
        let cost = bucket.interval.saturating_mul(times);
        let room = SECOND.max(cost);
        let taken = bucket.full_at.try_update(Ordering::AcqRel, Ordering::Acquire, |full_at| {
            let full_at = full_at.max(now).saturating_add(cost);
            (full_at - now <= room).then_some(full_at)
        });
        taken.is_ok()
    }

    /// Gives back what was taken for a request that is refused after all.
    pub(super) fn give_back(&self, class: usize, times: u64) {
        if let Some(bucket) = self.buckets.get(class) {
            let cost = bucket.interval.saturating_mul(times);
            bucket.full_at.fetch_sub(cost, Ordering::AcqRel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(requests: u64) -> Row {
        Row::new(0, |_| Some(Rate::per_second(requests)))
    }

    #[test]
    fn a_second_brings_as_many_as_the_quota() {
        let row = row(5);
        let start = 10 * SECOND;
        assert_eq!((0..100).filter(|_| row.take(0, 1, start)).count(), 5);
        // One comes back with every fifth of a second, and no more than five after any pause.
        assert!(!row.take(0, 1, start + SECOND / 5 - 1));
        assert!(row.take(0, 1, start + SECOND / 5));
        assert!(!row.take(0, 1, start + SECOND / 5));
        assert_eq!((0..100).filter(|_| row.take(0, 1, start + 3600 * SECOND)).count(), 5);
    }

    #[test]
    fn classes_do_not_share() {
        let row = row(1);
        assert!(row.take(0, 1, 0) && row.take(1, 1, 0));
        assert!(!row.take(0, 1, 0) && !row.take(1, 1, 0));
    }

    #[test]
    fn less_than_one_a_second() {
        let row = Row::new(0, |_| Rate::thousandths(250));
        assert!(row.take(0, 1, 0));
        assert!(!row.take(0, 1, 4 * SECOND - 1));
        assert!(row.take(0, 1, 4 * SECOND));
    }

    #[test]
    fn several_at_once_are_taken_whole() {
        let row = row(5);
        assert!(row.take(0, 2, 0) && row.take(0, 2, 0));
        assert!(!row.take(0, 2, 0), "one is left");
        assert!(row.take(0, 1, 0));
        // What costs more than the bucket holds takes a full one.
        let slow = Row::new(0, |_| Rate::thousandths(500));
        assert!(slow.take(0, 2, 0) && !slow.take(0, 2, 4 * SECOND - 1));
    }

    #[test]
    fn what_is_given_back_can_be_taken() {
        let row = row(1);
        assert!(row.take(0, 1, SECOND));
        row.give_back(0, 1);
        assert!(row.take(0, 1, SECOND) && !row.take(0, 1, SECOND));
    }

    #[test]
    fn no_rate_is_no_limit() {
        let row = Row::new(0, |_| None);
        assert!((0..10_000).all(|_| row.take(3, 1, 0)));
    }

    #[test]
    fn many_threads_take_no_more_than_there_is() {
        let row = row(1000);
        let take = || (0..2000).filter(|_| row.take(0, 1, SECOND)).count();
        let taken = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
        });
        assert_eq!(taken, 1000);
    }
}
