//! How many customer managed keys an account has in a Region, so that their limit can hold.
//!
//! The number isn't in the store: a record that every CreateKey and every deletion changes would
//! make all of them wait for each other. It is counted once, when the first key of an account and
//! Region is made after the start, by reading that account's keys page by page; from then on it is
//! kept up in memory. Whoever makes or removes a key holds the place's gate open for the moment of
//! the commit, and counting shuts it, so that no key is missed or counted twice. A commit that
//! failed, whose outcome may be unknown, makes the number unknown again.
//!
//! This rests on one process having the store to itself. Where several share one, each would have
//! to take a share of what is left.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use service::Error;
use tokio::sync::{OwnedRwLockReadGuard, RwLock};
use wire::{AccountId, ErrorCode, Region, Timestamp};

use crate::{Kms, layout};

/// How many records a count asks the store for at once.
const BATCH: usize = 1000;

/// The numbers that are known.
#[derive(Default)]
pub(crate) struct KeyCounts {
    places: Mutex<HashMap<(AccountId, Region), Arc<Place>>>,
}

/// An account in a Region.
#[derive(Default)]
struct Place {
    /// Held for reading by whoever is changing the number, for writing by whoever counts.
    gate: Arc<RwLock<()>>,
    /// How many keys there are, those that are being made included; unknown at first.
    count: Mutex<Option<usize>>,
}

/// A change of the number that is under way. Unless it is said to have taken place, the number is
/// unknown afterwards.
#[must_use = "what isn't said to have taken place has to be counted again"]
pub(crate) struct Passage {
    place: Arc<Place>,
    _open: OwnedRwLockReadGuard<()>,
    change: Change,
    known: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    /// A key is made; it is in the number already.
    Entry,
    /// A key is removed.
    Departure,
    /// Nothing that the limit counts.
    Aside,
}

impl Passage {
    /// The commit took place.
    pub(crate) fn took_place(mut self) {
        if self.change == Change::Departure {
            let mut count = self.place.count.lock();
            *count = count.and_then(|count| count.checked_sub(1));
        }
        self.known = true;
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        if !self.known && self.change != Change::Aside {
            *self.place.count.lock() = None;
        }
    }
}

impl KeyCounts {
    fn place(&self, account: &AccountId, region: &Region) -> Arc<Place> {
        let mut places = self.places.lock();
        Arc::clone(places.entry((*account, region.clone())).or_default())
    }

    async fn pass(&self, account: &AccountId, region: &Region, change: Change) -> Passage {
        let place = self.place(account, region);
        let open = Arc::clone(&place.gate).read_owned().await;
        Passage { place, _open: open, change, known: false }
    }

    /// To be held while a key is removed.
    pub(crate) async fn leave(&self, account: &AccountId, region: &Region) -> Passage {
        self.pass(account, region, Change::Departure).await
    }

    /// To be held while a key is made that the limit doesn't count.
    pub(crate) async fn pass_by(&self, account: &AccountId, region: &Region) -> Passage {
        self.pass(account, region, Change::Aside).await
    }

    /// Forgets all numbers.
    pub(crate) fn forget(&self) {
        self.places.lock().clear();
    }
}

impl Kms {
    /// Makes room for one more customer managed key; to be held while it is written, and taken
    /// only right before that, since counting waits for it.
    ///
    /// # Errors
    /// LimitExceededException, those of the store.
    pub(crate) async fn room_for_key(
        &self,
        account: &AccountId,
        region: &Region,
        now: Timestamp,
    ) -> Result<Passage, Error> {
        let max = self.limits.keys;
        let mut tidied = false;
        loop {
            let mut passage = self.key_counts.pass(account, region, Change::Aside).await;
            let count = {
                let mut count = passage.place.count.lock();
                let found = *count;
                if let Some(found) = found.filter(|found| *found < max) {
                    *count = Some(found + 1);
                }
                found
            };
            match count {
                Some(found) if found < max => {
                    passage.change = Change::Entry;
                    return Ok(passage);
                }
                // Keys whose date has come aren't there any more, though their records may be.
                Some(_) if !tidied => {
                    drop(passage);
                    tidied = true;
                    self.remove_due(now).await?;
                }
                Some(found) => return Err(exceeded(max, found)),
                None => {
                    let place = Arc::clone(&passage.place);
                    drop(passage);
                    self.count_keys(&place, account, region).await?;
                }
            }
        }
    }

    /// How many more customer managed keys there may be; as of now, without making room.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn keys_left(
        &self,
        account: &AccountId,
        region: &Region,
    ) -> Result<usize, Error> {
        let place = self.key_counts.place(account, region);
        self.count_keys(&place, account, region).await?;
        let count = *place.count.lock();
        Ok(self.limits.keys.saturating_sub(count.unwrap_or(usize::MAX)))
    }

    async fn count_keys(
        &self,
        place: &Place,
        account: &AccountId,
        region: &Region,
    ) -> Result<(), Error> {
        let _shut = place.gate.write().await;
        if place.count.lock().is_some() {
            return Ok(());
        }
        let all = self.count_below(&layout::keys(account, region)).await?;
        // Each AWS managed key has one alias, for ever, and nobody else has such an alias.
        let managed = layout::alias(account, region, "alias/aws/");
        let managed = self.count_below(&managed).await?;
        *place.count.lock() = Some(all.saturating_sub(managed));
        Ok(())
    }

    async fn count_below(&self, prefix: &str) -> Result<usize, Error> {
        let mut count = 0;
        let mut after = String::new();
        loop {
            let mut page = self.store.range(prefix, &after, BATCH).await?;
            count += page.items.len();
            match page.items.pop() {
                Some(last) if page.more => after = last.key,
                _ => return Ok(count),
            }
        }
    }

    /// Counts keys anew from now on: to be called after somebody else has removed records.
    pub fn forget_counts(&self) {
        self.key_counts.forget();
    }
}

/// AWS's words for it, as of 2016.
fn exceeded(max: usize, count: usize) -> Error {
    Error::new(
        ErrorCode::LimitExceededException,
        format!(
            "Key quota for this account in this region is {max} but the current usage is {count}."
        ),
    )
}
