//! Wrapping anew, in the background, what older domain keys wrapped; then retiring and destroying
//! those.
//!
//! A walk looks at every record that holds something wrapped, a page at a time, and writes those
//! that an older domain key wrapped, each on condition that it is as it was read. How far it has
//! come is stored from time to time; after a crash it goes on from there, and what it looks at
//! twice is wrapped anew once. A domain key that a whole walk found nothing of is retired; one that
//! has been retired for a week, and that another whole walk found nothing of, is destroyed. That
//! second walk finds what was stored behind the back of the first.
//!
//! Must not know what is in a record: [`WrappedRecords`] does.

mod pass;

use std::sync::Arc;

use service::Error;
use service::ports::{
    Commit, Expect, Item, KeyStoreError, Revision, Store, StoreError, WrappedRecords,
};
use service::records::{decode, encode};
use tokio::sync::Mutex;
use tokio::task::yield_now;
use wire::Timestamp;

use self::pass::{Pass, State, currents};
use super::Software;
use super::domain_keys::DomainKeyState;

/// Where the state of the walk stands.
const PLACE: &str = "keystore/rewrapping";
/// How many records a step looks at; a commit takes as many.
const PAGE: usize = 64;
/// How many records a step counts.
const COUNTED: usize = 1000;
/// How many bytes are committed at once, well below what a commit may have.
const COMMIT_BYTES: usize = 512 << 10;
/// After how many steps the state is stored.
const STEPS_STORED: u32 = 16;
/// After how many records other work on the thread gets its turn.
const TURN: usize = 8;
/// How often a record is looked at again that somebody else changes all the time.
const ATTEMPTS_MAX: usize = 8;

/// The background work of rotation.
pub struct Rewrapping {
    software: Arc<Software>,
    records: Vec<Arc<dyn WrappedRecords>>,
    known: Mutex<Option<Known>>,
}

/// What is known of the walk in this process; the store may know an earlier state.
struct Known {
    state: State,
    steps: u32,
}

/// What a step did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Whether there is more to do now. Otherwise the next step is due when something was rotated,
    /// or in an hour: a retired domain key's time may be over.
    pub more: bool,
    /// How many records were looked at.
    pub looked: usize,
    /// How many of them were wrapped anew.
    pub rewrapped: usize,
    /// The places of records that don't open. They are left as they are.
    pub damaged: Vec<String>,
    /// Domain keys, by Region and number, that no record needs any more.
    pub retired: Vec<(String, u32)>,
    /// Domain keys that were destroyed.
    pub destroyed: Vec<(String, u32)>,
}

/// How far a Region's rotation has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotationStatus {
    /// The domain key that wraps.
    pub current: DomainKeyState,
    /// Those before it that haven't been destroyed.
    pub older: Vec<DomainKeyState>,
    /// How many records were wrapped anew by the current one.
    pub rewrapped: u64,
    /// How many records are still to be looked at, or were left because they don't open; `None`
    /// while they aren't counted.
    pub remaining: Option<u64>,
    /// When everything was found to be wrapped by the current one.
    pub finished_at: Option<Timestamp>,
    /// Some of the records that don't open, of this Region or any.
    pub damaged: Vec<String>,
}

/// A record that is to be written.
struct Anew<'a> {
    item: &'a Item,
    region: Option<&'a str>,
    value: Vec<u8>,
}

/// What became of a record that was looked at by itself.
enum Single {
    AsItWas,
    Rewrapped,
    Left,
}

impl Rewrapping {
    /// The work for that key store. `records` must be all kinds of records that hold what it
    /// wrapped: what they don't reach is lost when a domain key is destroyed.
    pub fn new(software: Arc<Software>, records: Vec<Arc<dyn WrappedRecords>>) -> Self {
        Self { software, records, known: Mutex::default() }
    }

    /// Does a bounded piece of the work: a page of records, or less. The pause between two steps is
    /// the caller's to choose; requests get their turn within a step too.
    ///
    /// # Errors
    /// Those of the store. Nothing is lost; the next step tries again.
    pub async fn step(&self, now: Timestamp) -> Result<Progress, Error> {
        let mut known = self.known.lock().await;
        if known.is_none() {
            *known = Some(Known { state: self.load().await?, steps: 0 });
        }
        let Some(known) = known.as_mut() else { return Ok(Progress::default()) };
        let state = &mut known.state;
        let mut progress = match &mut state.pass {
            None => return self.begin(state, now).await,
            Some(pass) if !pass.counted => self.count(pass).await?,
            Some(pass) => self.walk(pass).await?,
        };
        if state.pass.as_ref().is_some_and(Pass::has_ended) {
            self.end(state, now, &mut progress).await?;
            self.save(state).await?;
        } else {
            known.steps += 1;
            if known.steps.is_multiple_of(STEPS_STORED) {
                self.save(&known.state).await?;
            }
        }
        Ok(Progress { more: true, ..progress })
    }

    /// How far each Region's rotation has come.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn status(&self) -> Result<Vec<RotationStatus>, Error> {
        let known = self.known.lock().await;
        let stored = if known.is_none() { Some(self.load().await?) } else { None };
        let state = known.as_ref().map(|known| &known.state).or(stored.as_ref());
        let keys = self.software.domain_keys().await?;
        let status = currents(&keys).into_iter().map(|(region, current)| {
            let older = |key: &&DomainKeyState| key.region == region && key.number < current.number;
            let older: Vec<_> = keys.iter().filter(older).cloned().collect();
            state.map(|state| status_of(state, current.clone(), older))
        });
        Ok(status.flatten().collect())
    }

    /// Begins a walk if one is due, after the root key's replacement if that was interrupted.
    async fn begin(&self, state: &mut State, now: Timestamp) -> Result<Progress, Error> {
        self.software.finish_root_key().await?;
        let keys = self.software.domain_keys().await?;
        for key in &keys {
            // Dated by a clock that has jumped back since: its time would never be over.
            if key.retired.is_some_and(|at| now < at) {
                self.software.domain_keys.retire(&key.region, key.number, now).await?;
            }
        }
        let is_settled = |region: &str| self.software.domain_keys.is_settled(region);
        let pass = Pass::due(&keys, state.last.as_ref(), self.kinds(), now, is_settled);
        let Some(pass) = pass else { return Ok(Progress::default()) };
        state.pass = Some(pass);
        Ok(Progress { more: true, ..Progress::default() })
    }

    async fn count(&self, pass: &mut Pass) -> Result<Progress, Error> {
        let Some(kind) = self.records.get(pass.kind) else {
            pass.advance(None, false);
            return Ok(Progress::default());
        };
        let page = self.store().range(kind.prefix(), &pass.after, COUNTED).await?;
        for item in &page.items {
            let region = kind.region(&item.key);
            if pass.concerns(region) {
                pass.count(region);
            }
        }
        pass.advance(page.items.last().map(|item| item.key.as_str()), page.more);
        Ok(Progress::default())
    }

    /// Looks at a page of records. The walk is where it was if this fails.
    async fn walk(&self, at: &mut Pass) -> Result<Progress, Error> {
        let (mut pass, mut progress) = (at.clone(), Progress::default());
        let Some(kind) = self.records.get(pass.kind) else { return Ok(progress) };
        let page = self.store().range(kind.prefix(), &pass.after, PAGE).await?;
        let (mut anew, mut bytes) = (Vec::new(), 0);
        for (index, item) in page.items.iter().enumerate() {
            let region = kind.region(&item.key);
            if !pass.concerns(region) {
                continue;
            }
            if index % TURN == TURN - 1 {
                yield_now().await;
            }
            pass.look(region);
            progress.looked += 1;
            match kind.rewrapped(item).await {
                Ok(Some(value)) => {
                    bytes += value.len();
                    anew.push(Anew { item, region, value });
                }
                Ok(None) => {}
                Err(KeyStoreError::Unavailable(cause)) => {
                    return Err(KeyStoreError::Unavailable(cause).into());
                }
                // One that was removed or changed since the page was read may seem damaged.
                Err(_) => {
                    self.singly(kind.as_ref(), item, region, &mut pass, &mut progress).await?;
                }
            }
            if bytes > COMMIT_BYTES {
                self.write(kind.as_ref(), &mut anew, &mut pass, &mut progress).await?;
                bytes = 0;
            }
        }
        self.write(kind.as_ref(), &mut anew, &mut pass, &mut progress).await?;
        pass.advance(page.items.last().map(|item| item.key.as_str()), page.more);
        *at = pass;
        Ok(progress)
    }

    /// Writes records in one commit; one by one if somebody else changed one of them meanwhile.
    async fn write(
        &self,
        kind: &dyn WrappedRecords,
        anew: &mut Vec<Anew<'_>>,
        pass: &mut Pass,
        progress: &mut Progress,
    ) -> Result<(), Error> {
        if anew.is_empty() {
            return Ok(());
        }
        let mut commit = Commit::default();
        for Anew { item, value, .. } in &mut *anew {
            add(&mut commit, &item.key, item.revision, std::mem::take(value));
        }
        match self.store().commit(commit).await {
            Ok(_) => {
                progress.rewrapped += anew.len();
                anew.drain(..).for_each(|anew| pass.rewrap(anew.region));
            }
            Err(StoreError::Conflict | StoreError::TooLarge) => {
                for Anew { item, region, .. } in anew.drain(..) {
                    self.singly(kind, item, region, pass, progress).await?;
                }
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Looks at one record again, as it is now.
    async fn singly(
        &self,
        kind: &dyn WrappedRecords,
        item: &Item,
        region: Option<&str>,
        pass: &mut Pass,
        progress: &mut Progress,
    ) -> Result<(), Error> {
        match self.single(kind, &item.key).await? {
            Single::AsItWas => {}
            Single::Rewrapped => {
                pass.rewrap(region);
                progress.rewrapped += 1;
            }
            Single::Left => {
                pass.leave(region, &item.key);
                progress.damaged.push(item.key.clone());
            }
        }
        Ok(())
    }

    async fn single(&self, kind: &dyn WrappedRecords, place: &str) -> Result<Single, Error> {
        for _ in 0..ATTEMPTS_MAX {
            let Some(item) = self.store().get(place).await? else { return Ok(Single::AsItWas) };
            let value = match kind.rewrapped(&item).await {
                Ok(Some(value)) => value,
                Ok(None) => return Ok(Single::AsItWas),
                Err(KeyStoreError::Unavailable(cause)) => {
                    return Err(KeyStoreError::Unavailable(cause).into());
                }
                Err(_) => return Ok(Single::Left),
            };
            let mut commit = Commit::default();
            add(&mut commit, place, item.revision, value);
            match self.store().commit(commit).await {
                Ok(_) => return Ok(Single::Rewrapped),
                Err(StoreError::Conflict) => {}
                Err(StoreError::TooLarge) => return Ok(Single::Left),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Single::Left)
    }

    /// Does what follows from a whole walk.
    async fn end(
        &self,
        state: &mut State,
        now: Timestamp,
        progress: &mut Progress,
    ) -> Result<(), Error> {
        let Some(pass) = &state.pass else { return Ok(()) };
        let domain_keys = &self.software.domain_keys;
        let verdict = pass.verdict(&domain_keys.list().await?);
        for (region, number) in verdict.retire {
            domain_keys.retire(&region, number, now).await?;
            progress.retired.push((region, number));
        }
        for (region, number) in verdict.destroy {
            if domain_keys.destroy(&region, number).await? {
                progress.destroyed.push((region, number));
            }
        }
        let ended = state.pass.take().map(|pass| pass.end(state.last.as_ref(), now));
        state.last = ended;
        Ok(())
    }

    async fn load(&self) -> Result<State, Error> {
        let Some(item) = self.store().get(PLACE).await? else { return Ok(State::default()) };
        // It says no more than where to go on: without it the walk begins anew, which is safe.
        let mut state: State = decode(&item.value).unwrap_or_default();
        let kinds = self.kinds();
        state.pass = state.pass.filter(|pass| pass.is_over(&kinds));
        Ok(state)
    }

    async fn save(&self, state: &State) -> Result<(), Error> {
        let puts = vec![(PLACE.to_owned(), encode(state)?)];
        self.store().commit(Commit { puts, ..Commit::default() }).await?;
        Ok(())
    }

    fn kinds(&self) -> Vec<String> {
        self.records.iter().map(|kind| kind.prefix().to_owned()).collect()
    }

    fn store(&self) -> &dyn Store {
        self.software.domain_keys.store().as_ref()
    }
}

fn add(commit: &mut Commit, place: &str, read: Revision, value: Vec<u8>) {
    commit.preconditions.push((place.to_owned(), Expect::At(read)));
    commit.puts.push((place.to_owned(), value));
}

fn status_of(state: &State, current: DomainKeyState, older: Vec<DomainKeyState>) -> RotationStatus {
    let region = current.region.as_str();
    let count = |counts: &pass::Counts| counts.get(region).copied().unwrap_or_default();
    let brings = |pass: &&Pass| pass.brings(region, current.number);
    let (pass, last) = (state.pass.as_ref().filter(brings), state.last.as_ref());
    let last = last.filter(|last| last.goals.get(region) == Some(&current.number));
    let finished = last.filter(|last| last.finished(region, current.number));
    let is_alone = older.is_empty();
    RotationStatus {
        rewrapped: last.map_or(0, |last| count(&last.rewrapped))
            + pass.map_or(0, |pass| count(&pass.rewrapped)),
        remaining: match (finished, pass) {
            (Some(_), _) => Some(0),
            (None, Some(pass)) => pass.remaining(region),
            (None, None) => last.map(|last| count(&last.left)).or(is_alone.then_some(0)),
        },
        finished_at: finished.map(|last| last.at),
        damaged: last.map_or_else(Vec::new, |last| last.damaged.clone()),
        current,
        older,
    }
}

#[cfg(test)]
mod tests;
