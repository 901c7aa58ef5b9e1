//! Shares that were entered and wait for others.
//!
//! Owns for how long they wait. Must not know whether a share is the right one.

use std::time::Duration;

use crypto::{SealKey, Share};
use parking_lot::Mutex;
use tokio::time::Instant;

/// How long the first share of a set waits for the last: holders may have to be called.
const PATIENCE: Duration = Duration::from_mins(15);

/// What shares are entered for. Those for one purpose don't count for the other: nobody unseals a
/// server by taking part in a rehearsal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Unsealing,
    Rehearsal,
}

/// Shares of one set that wait for others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    /// The set.
    pub set: String,
    /// The numbers of the shares, in the order in which they came.
    pub numbers: Vec<u8>,
    /// How many more are needed.
    pub missing: u8,
    /// How long they will still wait.
    pub remaining: Duration,
}

/// All shares that wait, in locked memory.
#[derive(Default)]
pub(crate) struct Collections(Mutex<Vec<Collection>>);

struct Collection {
    purpose: Purpose,
    set: String,
    threshold: u8,
    since: Instant,
    shares: Vec<Share>,
}

/// What came of a share.
pub(crate) enum Added {
    /// It is there, with others; more are needed.
    Waiting(Collected),
    /// It was there before.
    Duplicate { number: u8, missing: u8 },
    /// It was the last that was needed. All are forgotten.
    Complete(Result<SealKey, crypto::Error>),
}

impl Collection {
    fn missing(&self) -> u8 {
        let there = u8::try_from(self.shares.len()).unwrap_or(u8::MAX);
        self.threshold.saturating_sub(there)
    }

    fn state(&self) -> Collected {
        Collected {
            set: self.set.clone(),
            numbers: self.shares.iter().map(Share::number).collect(),
            missing: self.missing(),
            remaining: PATIENCE.saturating_sub(self.since.elapsed()),
        }
    }
}

impl Collections {
    /// Adds a share, whose set has to be one that a seal has: that bounds the number of sets.
    pub(crate) fn add(&self, purpose: Purpose, share: Share) -> Added {
        let mut all = self.0.lock();
        expire(&mut all);
        let set = share.set();
        let known = all.iter().position(|one| one.purpose == purpose && one.set == set);
        let place = known.unwrap_or_else(|| {
            let (threshold, since) = (share.threshold(), Instant::now());
            all.push(Collection { purpose, set, threshold, since, shares: Vec::new() });
            all.len() - 1
        });
        let collection = &mut all[place];
        let number = share.number();
        if collection.shares.iter().any(|one| one.number() == number) {
            return Added::Duplicate { number, missing: collection.missing() };
        }
        collection.shares.push(share);
        if collection.missing() > 0 {
            return Added::Waiting(collection.state());
        }
        let complete = all.swap_remove(place);
        drop(all);
        Added::Complete(SealKey::combine(&complete.shares.iter().collect::<Vec<_>>()))
    }

    /// What waits to unseal.
    pub(crate) fn waiting(&self) -> Vec<Collected> {
        let mut all = self.0.lock();
        expire(&mut all);
        let unsealing = all.iter().filter(|one| one.purpose == Purpose::Unsealing);
        unsealing.map(Collection::state).collect()
    }

    pub(crate) fn forget(&self) {
        self.0.lock().clear();
    }
}

fn expire(all: &mut Vec<Collection>) {
    all.retain(|one| one.since.elapsed() < PATIENCE);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares() -> Vec<Share> {
        SealKey::generate().unwrap().split(3, 3).unwrap()
    }

    fn waiting(added: &Added) -> Option<(usize, u8)> {
        match added {
            Added::Waiting(state) => Some((state.numbers.len(), state.missing)),
            _ => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn shares_wait_for_a_quarter_of_an_hour() {
        let collections = Collections::default();
        let mut shares = shares().into_iter();
        let mut next = || shares.next().unwrap();
        assert_eq!(waiting(&collections.add(Purpose::Unsealing, next())), Some((1, 2)));
        tokio::time::advance(Duration::from_secs(14 * 60 + 59)).await;
        assert_eq!(waiting(&collections.add(Purpose::Unsealing, next())), Some((2, 1)));
        assert_eq!(collections.waiting()[0].remaining, Duration::from_secs(1));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(collections.waiting().is_empty());
        assert_eq!(waiting(&collections.add(Purpose::Unsealing, next())), Some((1, 2)));
    }

    #[tokio::test]
    async fn purposes_and_sets_are_kept_apart_and_duplicates_are_told() {
        let collections = Collections::default();
        let texts: Vec<_> = shares().iter().map(|share| share.text().unwrap()).collect();
        let share = |index: usize| Share::parse(&texts[index]).unwrap();
        assert_eq!(waiting(&collections.add(Purpose::Unsealing, share(0))), Some((1, 2)));
        assert_eq!(waiting(&collections.add(Purpose::Rehearsal, share(1))), Some((1, 2)));
        let other = shares().remove(0);
        assert_eq!(waiting(&collections.add(Purpose::Unsealing, other)), Some((1, 2)));
        let again = collections.add(Purpose::Unsealing, share(0));
        assert!(matches!(again, Added::Duplicate { number: 1, missing: 2 }));
        assert_eq!(waiting(&collections.add(Purpose::Unsealing, share(1))), Some((2, 1)));
        let complete = collections.add(Purpose::Unsealing, share(2));
        assert!(matches!(complete, Added::Complete(Ok(_))));
        assert_eq!(collections.waiting().len(), 1);
        collections.forget();
        assert!(collections.waiting().is_empty());
        assert_eq!(waiting(&collections.add(Purpose::Rehearsal, share(0))), Some((1, 2)));
    }
}
