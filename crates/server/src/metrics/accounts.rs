//! Which accounts are told apart: the first that come, up to a number, since each is a set of time
//! series of its own. All later ones are `other`.
//!
//! An account has a place, found without a lock. Must not know what is counted.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use wire::AccountId;

/// The most accounts that can be told apart.
const ACCOUNTS_MAX: usize = 512;

/// The places of accounts.
pub(super) struct Accounts {
    /// Each holds an account's number and one more, or zero. At least half are free.
    slots: Box<[AtomicU64]>,
    taken: AtomicUsize,
    max: usize,
}

impl Accounts {
    pub(super) fn new(max: usize) -> Self {
        let max = max.min(ACCOUNTS_MAX);
        let slots = (2 * max).next_power_of_two().max(2);
        Self {
            slots: (0..slots).map(|_| AtomicU64::new(0)).collect(),
            taken: AtomicUsize::new(0),
            max,
        }
    }

    /// The place of what isn't known to be any account's.
    fn unknown(&self) -> usize {
        self.slots.len()
    }

    /// The place of accounts that aren't told apart.
    fn other(&self) -> usize {
        self.slots.len() + 1
    }

    /// The place of an account.
    pub(super) fn place(&self, account: Option<&AccountId>) -> usize {
        let Some(account) = account else { return self.unknown() };
        let wanted = account.number() + 1;
        let mask = self.slots.len() - 1;
        // Fibonacci hashing: accounts' numbers are mostly random, those of tests are neighbours.
        let hash = wanted.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let start = usize::try_from(hash).unwrap_or(0);
        for step in 0..self.slots.len() {
            let place = (start + step) & mask;
            match self.slots[place].load(Ordering::Acquire) {
                found if found == wanted => return place,
                0 if self.take(place, wanted) => return place,
                0 if self.taken.load(Ordering::Acquire) >= self.max => return self.other(),
                // Another account was faster.
                _ => {}
            }
        }
        self.other()
    }

    #[cold]
    fn take(&self, place: usize, wanted: u64) -> bool {
        let more = |taken: usize| (taken < self.max).then_some(taken + 1);
        if self.taken.try_update(Ordering::AcqRel, Ordering::Acquire, more).is_err() {
            return false;
        }
        let slot = &self.slots[place];
        match slot.compare_exchange(0, wanted, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => true,
            Err(found) => {
                self.taken.fetch_sub(1, Ordering::AcqRel);
                found == wanted
            }
        }
    }

    /// The account at that place, as a label.
    pub(super) fn label(&self, place: usize) -> String {
        match self.slots.get(place).map(|slot| slot.load(Ordering::Acquire)) {
            Some(number) if number > 0 => format!("{:012}", number - 1),
            _ if place == self.unknown() => "unknown".to_owned(),
            _ => "other".to_owned(),
        }
    }

    /// A row of that many counters for each place.
    pub(super) fn rows(&self, counters: usize) -> Seen {
        Seen { rows: (0..self.slots.len() + 2).map(|_| OnceLock::new()).collect(), counters }
    }
}

/// Rows of counters by account, each made when the account is first seen.
pub(super) struct Seen {
    rows: Box<[OnceLock<Box<[AtomicU64]>>]>,
    counters: usize,
}

impl Seen {
    /// The counters of the account at that place.
    pub(super) fn row(&self, place: usize) -> &[AtomicU64] {
        let new = || (0..self.counters).map(|_| AtomicU64::new(0)).collect();
        self.rows.get(place).map_or(&[], |row| row.get_or_init(new))
    }

    /// The rows that there are.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &[AtomicU64])> {
        let rows = self.rows.iter().enumerate();
        rows.filter_map(|(place, row)| row.get().map(|row| (place, row.as_ref())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(accounts: &Accounts, number: u64) -> usize {
        accounts.place(AccountId::parse(&format!("{number:012}")).ok().as_ref())
    }

    #[test]
    fn the_first_are_told_apart() {
        let accounts = Accounts::new(5);
        let places: Vec<_> = (0..5).map(|number| place(&accounts, number)).collect();
        for (number, first) in places.iter().enumerate() {
            assert_eq!(accounts.label(*first), format!("{number:012}"));
            assert_eq!(place(&accounts, number as u64), *first);
        }
        for number in 5..1000 {
            assert_eq!(accounts.label(place(&accounts, number)), "other");
        }
        assert_eq!(accounts.label(accounts.place(None)), "unknown");
        assert_eq!(place(&accounts, 3), places[3]);
    }

    #[test]
    fn none_can_be_told_apart() {
        let accounts = Accounts::new(0);
        assert_eq!(accounts.label(place(&accounts, 1)), "other");
    }

    #[test]
    fn threads_agree() {
        let accounts = Accounts::new(100);
        let look = || (0..100).map(|number| place(&accounts, number)).collect::<Vec<_>>();
        let found = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(look)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        let settled = look();
        for (number, last) in settled.iter().enumerate() {
            assert_eq!(accounts.label(*last), format!("{number:012}"));
        }
        // While the others took places, an account may have been passed over, never mistaken.
        for (number, place) in found.iter().flat_map(|seen| seen.iter().enumerate()) {
            let label = accounts.label(*place);
            assert!(label == format!("{number:012}") || label == "other", "{label}");
        }
    }

    #[test]
    fn rows_are_made_when_they_are_needed() {
        let accounts = Accounts::new(3);
        let rows = accounts.rows(7);
        assert_eq!(rows.iter().count(), 0);
        rows.row(accounts.place(None))[6].fetch_add(1, Ordering::Relaxed);
        assert_eq!(rows.iter().map(|(_, row)| row.len()).collect::<Vec<_>>(), [7]);
        assert!(rows.row(1000).is_empty());
    }
}
