//! Rotation: new material for a key, while the older ones go on decrypting.
//!
//! An automatic rotation is a function of the schedule and of the clock: whoever looks a key up
//! after its date meets the new material, whether or not anybody was there at that date.

use std::sync::Arc;

use service::Error;
use service::ports::{Commit, MaterialId};
use wire::enums::{KeyState, OriginType, RotationType};
use wire::{ErrorCode, Timestamp};

use crate::Kms;
use crate::change::add_replacing;
use crate::events::Rotation;
use crate::key::Key;
use crate::records::{KeyRecord, MaterialRecord, Rotated, RotationSchedule};

/// The time between automatic rotations if a request doesn't say, in days.
pub(crate) const PERIOD_DAYS_DEFAULT: i32 = 365;
/// How near to an automatic rotation none on demand may begin, in milliseconds.
pub(crate) const NEAR_MS: i64 = 20 * 60 * 1000;
/// How many rotations are made up for at once, after a long time without anybody asking.
const OVERDUE_MAX: usize = 50;

/// Refuses a key whose material doesn't rotate, not even on demand.
///
/// # Errors
/// UnsupportedOperationException, which AWS answers without a message.
pub(crate) fn rotates(key: &Key) -> Result<(), Error> {
    match key.record.origin {
        OriginType::AwsKms | OriginType::External if key.is_symmetric() => Ok(()),
        _ => Err(Error::bare(ErrorCode::UnsupportedOperationException)),
    }
}

/// Refuses a key whose material doesn't rotate by itself; imported material can't.
///
/// # Errors
/// As [`rotates`].
pub(crate) fn rotates_by_itself(key: &Key) -> Result<(), Error> {
    match key.record.origin {
        OriginType::AwsKms => rotates(key),
        _ => Err(Error::bare(ErrorCode::UnsupportedOperationException)),
    }
}

/// Refuses a replica: its material rotates when its primary's does.
///
/// # Errors
/// UnsupportedOperationException.
pub(crate) fn rotates_here(key: &Key) -> Result<(), Error> {
    if key.is_replica() {
        return Err(Error::bare(ErrorCode::UnsupportedOperationException));
    }
    Ok(())
}

/// Whether an automatic rotation's date has come. A disabled key waits until it is enabled; for a
/// replica, its primary decides.
pub(crate) fn is_due(key: &Key, now: Timestamp) -> bool {
    key.record.rotation.is_some_and(|schedule| schedule.next <= now)
        && (key.is_replica() || key.state(now) == KeyState::Enabled)
}

/// The material that the key encrypts with.
fn current_id(key: &Key) -> Option<MaterialId> {
    key.record.current().map(|place| key.record.materials[place].id)
}

impl Kms {
    /// Makes up for the automatic rotations whose dates have come; gives whether the key is to be
    /// looked up again. Somebody else may rotate it at the same time; then theirs counts.
    ///
    /// # Errors
    /// Those of the store, the key store and the audit log.
    pub(crate) async fn rotate_due(&self, key: &Arc<Key>, now: Timestamp) -> Result<bool, Error> {
        if self.due(key, now).await?.is_none() {
            return Ok(false);
        }
        let _turn = self.own_turns.at(&key.id).await;
        // Whoever waited for the turn may find it done.
        let Some(mut primary) = self.due_now(key, now).await? else { return Ok(true) };
        let Some(mut schedule) = primary.record.rotation else { return Ok(true) };
        let (due, period) = (schedule.next, i64::from(schedule.period_days));
        let mut materials = Vec::new();
        while schedule.next <= now && materials.len() < OVERDUE_MAX {
            let kind = RotationType::Automatic;
            materials.push(self.next_material(&primary, schedule.next, kind).await?);
            schedule.next = schedule.next.plus_days(period);
        }
        let before = current_id(&primary);
        self.tell_rotations(&primary, now, &materials).await?;
        loop {
            match self.rotate(&primary, now, &materials, Some(schedule)).await {
                Err(error) if !error.is_conflict() => return Err(error),
                Ok(()) => return Ok(true),
                Err(_) => {}
            }
            // Something else of the key was changed: what was told still holds, if that was all.
            let Some(again) = self.due_now(key, now).await? else { return Ok(true) };
            let same = again.record.rotation.is_some_and(|rotation| {
                rotation.next == due && i64::from(rotation.period_days) == period
            });
            if !same || current_id(&again) != before || again.region != primary.region {
                return Ok(true);
            }
            primary = again;
        }
    }

    /// The primary of the key, if an automatic rotation of it is due.
    async fn due(&self, key: &Arc<Key>, now: Timestamp) -> Result<Option<Arc<Key>>, Error> {
        Ok(self.primary(key, now).await?.filter(|primary| is_due(primary, now)))
    }

    /// The same, of the key as it stands now.
    async fn due_now(&self, key: &Key, now: Timestamp) -> Result<Option<Arc<Key>>, Error> {
        match self.standing_key(&key.account, &key.region, &key.id, now).await? {
            Some(key) => self.due(&key, now).await,
            None => Ok(None),
        }
    }

    async fn tell_rotations(
        &self,
        primary: &Key,
        now: Timestamp,
        materials: &[MaterialRecord],
    ) -> Result<(), Error> {
        let mut previous = current_id(primary);
        for material in materials {
            let kind = material.rotated.map_or(RotationType::OnDemand, |rotated| rotated.kind);
            let rotation = Rotation { kind, previous, current: material.id };
            self.tell_rotation(primary, now, &rotation).await?;
            previous = Some(material.id);
        }
        Ok(())
    }

    /// Gives a primary and its replicas new material, on demand.
    ///
    /// # Errors
    /// A conflict, if somebody changed one of the keys meanwhile; those of the key store and the
    /// audit log.
    pub(crate) async fn rotate_on_demand(
        &self,
        primary: &Arc<Key>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let _turn = self.unchanged(primary, now).await?;
        let material = self.next_material(primary, now, RotationType::OnDemand).await?;
        self.tell_rotations(primary, now, std::slice::from_ref(&material)).await?;
        self.rotate(primary, now, &[material], primary.record.rotation).await
    }

    /// The turn to do something to a key that hasn't changed since a request was decided on it.
    async fn unchanged(
        &self,
        key: &Key,
        now: Timestamp,
    ) -> Result<tokio::sync::MutexGuard<'_, ()>, Error> {
        let turn = self.own_turns.at(&key.id).await;
        let found = self.standing_key(&key.account, &key.region, &key.id, now).await?;
        match found {
            Some(found) if found.revision == key.revision => Ok(turn),
            _ => Err(Error::conflict()),
        }
    }

    /// Adds materials to a primary and its replicas, and sets their schedule.
    ///
    /// # Errors
    /// A conflict, if somebody changed one of the keys meanwhile.
    pub(crate) async fn rotate(
        &self,
        primary: &Arc<Key>,
        now: Timestamp,
        materials: &[MaterialRecord],
        schedule: Option<RotationSchedule>,
    ) -> Result<(), Error> {
        let mut commit = Commit::default();
        for member in self.family(primary, now).await? {
            let mut record = member.record.clone();
            for material in materials {
                record.materials.push(if member.region == primary.region {
                    material.clone()
                } else {
                    self.rebound(primary, material, &member.region).await?
                });
            }
            record.rotation = schedule;
            add_replacing(&mut commit, &member, &record)?;
        }
        self.store.commit(commit).await?;
        Ok(())
    }

    /// Makes the imported material that waits current, in a primary and its replicas.
    ///
    /// # Errors
    /// KMSInvalidStateException if none waits, or one of them doesn't have it yet; a conflict.
    pub(crate) async fn rotate_imported(
        &self,
        primary: &Arc<Key>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let none = || {
            let arn = &primary.arn;
            Error::new(
                ErrorCode::KMSInvalidStateException,
                format!("No available key material pending rotation for the key: {arn}."),
            )
        };
        let place = primary.record.pending(now).ok_or_else(none)?;
        let id = primary.record.materials[place].id;
        if !self.is_everywhere(primary, id, now).await? {
            return Err(none());
        }
        let _turn = self.unchanged(primary, now).await?;
        let kind = RotationType::OnDemand;
        let rotation = Rotation { kind, previous: current_id(primary), current: id };
        self.tell_rotation(primary, now, &rotation).await?;
        let change = |_: &Key, record: &mut KeyRecord| record.make_current(id, now);
        self.replace_family(primary, now, change).await
    }

    /// New material for the key, made current at that moment.
    ///
    /// # Errors
    /// Those of the key store.
    pub(crate) async fn next_material(
        &self,
        key: &Key,
        at: Timestamp,
        kind: RotationType,
    ) -> Result<MaterialRecord, Error> {
        let (wrapped, opened) = self.key_store.generate(key.binding()).await?;
        let rotated = Some(Rotated { at, kind });
        Ok(MaterialRecord { rotated, ..MaterialRecord::new(opened.id, wrapped) })
    }
}
