//! One walk over all records: what it is for, how far it has come, what it found; and when there is
//! to be another one.
//!
//! Must not know a store or a key: it is a function of what domain keys there are and of the time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use service::records::millis;
use wire::Timestamp;

use crate::software::domain_keys::{DomainKeyState, RETIRED_DAYS};

/// After how many days a Region is walked over again in which records were found that don't open.
const AGAIN_DAYS: i64 = 1;
/// How many records that don't open are named.
const NAMED_MAX: usize = 20;
/// Stands for the Region of a record whose place can't be read. No Region has this name.
const UNKNOWN: &str = "";

/// A number of records by Region.
pub(super) type Counts = BTreeMap<String, u64>;

/// The walk that is under way, and the one before it.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) pass: Option<Pass>,
    pub(super) last: Option<Ended>,
}

/// A walk.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Pass {
    #[serde(with = "millis")]
    started: Timestamp,
    /// The domain keys that were current at the start, in the Regions that have older ones. Other
    /// Regions are passed over.
    goals: BTreeMap<String, u32>,
    /// The domain keys to be destroyed if nothing is found that needs them.
    destroys: Vec<(String, u32)>,
    /// The prefixes of all kinds of records, in the order of the walk.
    kinds: Vec<String>,
    /// Whether it is known how many records there are. They are counted first.
    pub(super) counted: bool,
    /// Which of the kinds it is at, and the last record of it that was looked at.
    pub(super) kind: usize,
    pub(super) after: String,
    totals: Counts,
    looked: Counts,
    pub(super) rewrapped: Counts,
    left: Counts,
    damaged: Vec<String>,
}

/// How a walk ended.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Ended {
    #[serde(with = "millis")]
    pub(super) at: Timestamp,
    pub(super) goals: BTreeMap<String, u32>,
    /// By this walk, and those before it for the same domain key.
    pub(super) rewrapped: Counts,
    /// Records that don't open, or were changed all the time: they are as they were.
    pub(super) left: Counts,
    pub(super) damaged: Vec<String>,
}

impl Ended {
    /// Whether everything in the Region was found under the domain key of that number.
    pub(super) fn finished(&self, region: &str, current: u32) -> bool {
        self.goals.get(region) == Some(&current) && !is_left(&self.left, region)
    }

    /// Whether it is too early to look at the Region again, where something was left.
    fn waits(&self, region: &str, current: u32, now: Timestamp) -> bool {
        let again = self.at.plus_days(AGAIN_DAYS);
        // A clock that jumped back must not make it wait for years.
        let is_early = (self.at..again).contains(&now);
        is_early && self.goals.get(region) == Some(&current) && is_left(&self.left, region)
    }
}

fn is_left(left: &Counts, region: &str) -> bool {
    left.contains_key(region) || left.contains_key(UNKNOWN)
}

/// What is to be done with the domain keys when a walk has ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) retire: Vec<(String, u32)>,
    pub(super) destroy: Vec<(String, u32)>,
}

/// The current domain key of each Region.
pub(super) fn currents(keys: &[DomainKeyState]) -> BTreeMap<&str, &DomainKeyState> {
    let mut currents = BTreeMap::new();
    for key in keys {
        let known = currents.entry(key.region.as_str()).or_insert(key);
        if known.number < key.number {
            *known = key;
        }
    }
    currents
}

impl Pass {
    /// The walk that is to be made now, if any: something is still wrapped by a domain key that
    /// isn't current, or may be; or the time of a retired one is over and has to be confirmed.
    /// `is_settled` says of a Region whether whatever its last rotation overtook has ended.
    pub(super) fn due(
        keys: &[DomainKeyState],
        last: Option<&Ended>,
        kinds: Vec<String>,
        now: Timestamp,
        is_settled: impl Fn(&str) -> bool,
    ) -> Option<Self> {
        let currents = currents(keys);
        let (mut goals, mut destroys, mut is_due) = (BTreeMap::new(), Vec::new(), false);
        for key in keys {
            let region = key.region.as_str();
            let current = currents.get(region).map_or(key.number, |current| current.number);
            if key.number == current {
                continue;
            }
            goals.insert(region.to_owned(), current);
            let over = key.retired.is_some_and(|at| at.plus_days(RETIRED_DAYS) <= now);
            if over && is_settled(region) {
                destroys.push((region.to_owned(), key.number));
            } else if key.retired.is_some() {
                continue;
            }
            is_due |= !last.is_some_and(|last| last.waits(region, current, now));
        }
        is_due.then(|| Self {
            started: now,
            goals,
            destroys,
            kinds,
            counted: false,
            kind: 0,
            after: String::new(),
            totals: Counts::new(),
            looked: Counts::new(),
            rewrapped: Counts::new(),
            left: Counts::new(),
            damaged: Vec::new(),
        })
    }

    /// Whether it walks over these kinds of records. One that was begun by a version that had
    /// others proves nothing.
    pub(super) fn is_over(&self, kinds: &[String]) -> bool {
        self.kinds == kinds
    }

    /// Whether something in the Region of that name may have to be wrapped anew.
    pub(super) fn concerns(&self, region: Option<&str>) -> bool {
        region.is_none_or(|region| self.goals.contains_key(region))
    }

    pub(super) fn count(&mut self, region: Option<&str>) {
        add(&mut self.totals, region);
    }

    pub(super) fn look(&mut self, region: Option<&str>) {
        add(&mut self.looked, region);
    }

    pub(super) fn rewrap(&mut self, region: Option<&str>) {
        add(&mut self.rewrapped, region);
    }

    /// Notes a record that stays as it is although it should not.
    pub(super) fn leave(&mut self, region: Option<&str>, place: &str) {
        add(&mut self.left, region);
        if self.damaged.len() < NAMED_MAX {
            self.damaged.push(place.to_owned());
        }
    }

    /// Goes on behind that record, or at the next kind of records if it was the last.
    pub(super) fn advance(&mut self, last: Option<&str>, more: bool) {
        if let Some(last) = last.filter(|_| more) {
            last.clone_into(&mut self.after);
        } else {
            (self.kind, self.after) = (self.kind + 1, String::new());
        }
        if self.kind == self.kinds.len() && !self.counted {
            (self.counted, self.kind) = (true, 0);
        }
    }

    /// Whether there is nothing left to look at.
    pub(super) fn has_ended(&self) -> bool {
        self.counted && self.kind >= self.kinds.len()
    }

    /// How many of the Region's records are still to be looked at, as far as that is known.
    pub(super) fn remaining(&self, region: &str) -> Option<u64> {
        let number = |counts: &Counts| counts.get(region).copied().unwrap_or_default();
        self.counted.then(|| number(&self.totals).saturating_sub(number(&self.looked)))
    }

    /// Whether it brings everything in the Region under the domain key of that number.
    pub(super) fn brings(&self, region: &str, current: u32) -> bool {
        self.goals.get(region) == Some(&current)
    }

    /// What follows for the domain keys, where nothing was left that needs them.
    pub(super) fn verdict(&self, keys: &[DomainKeyState]) -> Verdict {
        let mut verdict = Verdict::default();
        for DomainKeyState { region, number, retired, .. } in keys {
            let is_older = self.goals.get(region).is_some_and(|goal| number < goal);
            if !is_older || is_left(&self.left, region) {
                continue;
            }
            let name = (region.clone(), *number);
            if retired.is_none() {
                verdict.retire.push(name);
            } else if self.destroys.contains(&name) {
                verdict.destroy.push(name);
            }
        }
        verdict
    }

    /// What is remembered of it.
    pub(super) fn end(self, last: Option<&Ended>, now: Timestamp) -> Ended {
        let mut rewrapped = self.rewrapped;
        for (region, goal) in &self.goals {
            let before = last.filter(|last| last.goals.get(region) == Some(goal));
            if let Some(before) = before.and_then(|last| last.rewrapped.get(region)) {
                *rewrapped.entry(region.clone()).or_default() += before;
            }
        }
        // What is known of Regions that had no part in this walk stays true.
        let (mut goals, mut left) = (self.goals, self.left);
        for (region, goal) in last.iter().flat_map(|last| &last.goals) {
            if !goals.contains_key(region) {
                goals.insert(region.clone(), *goal);
                let before = |counts: &Counts| counts.get(region).copied();
                let counts = last.map(|last| (before(&last.rewrapped), before(&last.left)));
                let (wrapped, remained) = counts.unwrap_or_default();
                rewrapped.extend(wrapped.map(|count| (region.clone(), count)));
                left.extend(remained.map(|count| (region.clone(), count)));
            }
        }
        Ended { at: now, goals, rewrapped, left, damaged: self.damaged }
    }
}

fn add(counts: &mut Counts, region: Option<&str>) {
    *counts.entry(region.unwrap_or(UNKNOWN).to_owned()).or_default() += 1;
}

#[cfg(test)]
mod tests;
