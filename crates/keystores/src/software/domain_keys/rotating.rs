//! The life of a domain key: it is made, followed by the next one, retired when no record needs it,
//! and destroyed when nothing that a caller holds can need it.
//!
//! Must not know who needs it; that is found out by walking over the records.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use service::ports::{Commit, Expect, KeyStoreError};
use wire::Timestamp;

use super::record::Dates;
use super::{DomainKeyState, DomainKeys, place};

/// How long a domain key goes on opening what callers hold after the last record was wrapped anew,
/// in days. Session tokens are good for at most 36 hours, import tokens for 24.
pub(crate) const RETIRED_DAYS: i64 = 7;

impl DomainKeys {
    /// Makes the Region's next domain key, which wraps from now on; gives its number. `None` for a
    /// Region that has none yet. Where somebody else makes one at the same time, there is one.
    pub(crate) async fn rotate(
        &self,
        region: &str,
        now: Timestamp,
    ) -> Result<Option<u32>, KeyStoreError> {
        let _writing = self.writing.lock().await;
        let Some(latest) = self.latest(region).await? else { return Ok(None) };
        let next = latest.checked_add(1);
        let next = next.ok_or_else(|| KeyStoreError::Unavailable("no number is left".into()))?;
        self.make(region, next, Dates { made: Some(now), retired: None }).await?;
        self.follow(region, next);
        self.followed.lock().insert(region.to_owned(), Instant::now());
        Ok(Some(next))
    }

    /// Rotates every Region whose current domain key was made at least `older_than` ago; gives
    /// their names. One without a date, and one that a clock that jumped dated in the future, is
    /// dated now and counts from here.
    pub(crate) async fn rotate_due(
        &self,
        now: Timestamp,
        older_than: Duration,
    ) -> Result<Vec<String>, KeyStoreError> {
        let mut rotated = Vec::new();
        for (region, DomainKeyState { number, made, .. }) in self.currents().await? {
            let made = made.filter(|made| *made <= now);
            let age = made.map(|made| now.millis().saturating_sub(made.millis()).unsigned_abs());
            let is_old = age.is_some_and(|age| u128::from(age) >= older_than.as_millis());
            if is_old || older_than.is_zero() {
                self.rotate(&region, now).await?;
                rotated.push(region);
            } else if made.is_none() {
                self.date(&region, number, |dates| dates.made = Some(now)).await?;
            }
        }
        Ok(rotated)
    }

    /// The current domain key of each Region.
    async fn currents(&self) -> Result<BTreeMap<String, DomainKeyState>, KeyStoreError> {
        // Of several of a Region the last one stays, which is the greatest.
        let keys = self.list().await?;
        Ok(keys.into_iter().map(|key| (key.region.clone(), key)).collect())
    }

    /// Whether whatever began while the last domain key of the Region wrapped has ended: nothing
    /// can be stored any more that it wrapped.
    pub(crate) fn is_settled(&self, region: &str) -> bool {
        let followed = self.followed.lock().get(region).copied();
        followed.is_none_or(|at| at.elapsed() >= self.settling_time)
    }

    /// Notes that no record needs the domain key since `now`.
    pub(crate) async fn retire(
        &self,
        region: &str,
        number: u32,
        now: Timestamp,
    ) -> Result<(), KeyStoreError> {
        self.date(region, number, |dates| dates.retired = Some(now)).await
    }

    /// Removes a retired domain key for good; false if it isn't there or not retired.
    pub(crate) async fn destroy(&self, region: &str, number: u32) -> Result<bool, KeyStoreError> {
        let _writing = self.writing.lock().await;
        let is_current = self.latest(region).await?.is_none_or(|latest| latest <= number);
        let read = match self.read(region, number).await {
            Ok(read) if read.dates.retired.is_some() && !is_current => read,
            Ok(_) | Err(KeyStoreError::Damaged) => return Ok(false),
            Err(error) => return Err(error),
        };
        let (name, place) = ((region.to_owned(), number), place(region, number));
        self.opened.write().destroyed.insert(name.clone());
        let preconditions = vec![(place.clone(), Expect::At(read.revision))];
        let commit = Commit { preconditions, deletes: vec![place], ..Commit::default() };
        let destroyed = self.unless_overtaken(commit).await;
        let mut opened = self.opened.write();
        if let Ok(true) = destroyed {
            opened.keys.remove(&name);
        } else {
            opened.destroyed.remove(&name);
        }
        destroyed
    }

    async fn date(
        &self,
        region: &str,
        number: u32,
        change: impl FnOnce(&mut Dates),
    ) -> Result<(), KeyStoreError> {
        let _writing = self.writing.lock().await;
        let read = self.read(region, number).await?;
        let mut dates = read.dates;
        change(&mut dates);
        // Whoever was faster knows better; who still wants it will say so again.
        self.write(region, number, &read.key, dates, Expect::At(read.revision)).await.map(drop)
    }
}
