//! How many keys there are of each kind in each state: for whoever watches the server.
//!
//! Counting reads every key's record, a page at a time, so that others get their turn in between.
//! Keys that are made or removed meanwhile may be in the number or not.

use service::Error;
use wire::Timestamp;
use wire::enums::{KeySpec, KeyState};

use crate::records::{KeyRecord, decode};
use crate::{Kms, layout};

/// How many records a page has: a millisecond or two of work.
const PAGE: usize = 200;

/// Keys by spec and state, those of all accounts and Regions together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Census {
    /// By spec, then by state.
    counts: Vec<u64>,
}

impl Default for Census {
    fn default() -> Self {
        Self { counts: vec![0; KeySpec::ALL.len() * KeyState::ALL.len()] }
    }
}

impl Census {
    fn add(&mut self, spec: KeySpec, state: KeyState) {
        // A value's place in its table is its discriminant.
        let place = spec as usize * KeyState::ALL.len() + state as usize;
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
        }
    }

    /// The numbers that aren't zero.
    pub fn iter(&self) -> impl Iterator<Item = (KeySpec, KeyState, u64)> {
        let kinds = KeySpec::ALL.iter();
        let kinds = kinds.flat_map(|spec| KeyState::ALL.iter().map(move |state| (*spec, *state)));
        kinds
            .zip(&self.counts)
            .filter(|(_, count)| **count > 0)
            .map(|((spec, state), count)| (spec, state, *count))
    }
}

impl Kms {
    /// Counts the keys behind the store key `after` (empty for the start), as many as take no long
    /// time. Gives where to go on, or nothing at the end.
    ///
    /// # Errors
    /// Those of the store; a record that can't be read.
    pub async fn count_page(
        &self,
        census: &mut Census,
        after: &str,
        now: Timestamp,
    ) -> Result<Option<String>, Error> {
        let mut page = self.store.range(layout::KEYS, after, PAGE).await?;
        for item in &page.items {
            let record: KeyRecord = decode(&item.value)?;
            if record.exists(now) {
                census.add(record.spec, record.state(now));
            }
        }
        Ok(page.items.pop().filter(|_| page.more).map(|last| last.key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_and_state_has_a_place_of_its_own() {
        let mut census = Census::default();
        for spec in KeySpec::ALL {
            for state in KeyState::ALL {
                census.add(*spec, *state);
            }
        }
        let last = (KeySpec::MlKem1024, KeyState::Enabled);
        census.add(last.0, last.1);
        assert_eq!(census.iter().count(), KeySpec::ALL.len() * KeyState::ALL.len());
        for (spec, state, count) in census.iter() {
            assert_eq!(count, if (spec, state) == last { 2 } else { 1 }, "{spec} {state}");
        }
    }
}
