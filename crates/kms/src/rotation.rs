//! Rotation: new material for a key, while the older ones go on decrypting.
//!
//! An automatic rotation is a function of the schedule and of the clock: whoever looks a key up
//! after its date meets the new material, whether or not anybody was there at that date.

use std::sync::Arc;

use service::Error;
use service::ports::StoreError;
use wire::enums::{KeyState, OriginType, RotationType};
use wire::{ErrorCode, Timestamp};

use crate::Kms;
use crate::change::replacing;
use crate::key::Key;
use crate::records::{MaterialRecord, Rotated};

/// The time between automatic rotations if a request doesn't say, in days.
pub(crate) const PERIOD_DAYS_DEFAULT: i32 = 365;
/// How often a key can be rotated on demand.
pub(crate) const ON_DEMAND_MAX: usize = 25;
/// How near to an automatic rotation none on demand may begin, in milliseconds.
pub(crate) const NEAR_MS: i64 = 20 * 60 * 1000;
/// How many rotations are made up for at once, after a long time without anybody asking.
const OVERDUE_MAX: usize = 50;

/// Refuses a key whose material doesn't rotate.
///
/// # Errors
/// UnsupportedOperationException, which AWS answers without a message.
pub(crate) fn rotates(key: &Key) -> Result<(), Error> {
    if key.is_symmetric() && key.record.origin == OriginType::AwsKms {
        Ok(())
    } else {
        Err(Error::bare(ErrorCode::UnsupportedOperationException))
    }
}

/// Whether an automatic rotation's date has come. A disabled key waits until it is enabled.
pub(crate) fn is_due(key: &Key, now: Timestamp) -> bool {
    key.state(now) == KeyState::Enabled
        && key.record.rotation.is_some_and(|schedule| schedule.next <= now)
}

impl Kms {
    /// Makes up for the automatic rotations whose dates have come. Somebody else may do so at the
    /// same time; then theirs counts, and the key is to be looked up again.
    ///
    /// # Errors
    /// Those of the store and the key store.
    pub(crate) async fn rotate_due(&self, key: &Arc<Key>, now: Timestamp) -> Result<(), Error> {
        let mut record = key.record.clone();
        let Some(schedule) = &mut record.rotation else { return Ok(()) };
        for _ in 0..OVERDUE_MAX {
            if schedule.next > now {
                break;
            }
            record
                .materials
                .push(self.next_material(key, schedule.next, RotationType::Automatic).await?);
            schedule.next = schedule.next.plus_days(i64::from(schedule.period_days));
        }
        match self.store.commit(replacing(key, &record)?).await {
            Ok(_) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        }
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
