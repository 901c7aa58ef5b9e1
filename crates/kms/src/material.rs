//! What a key's materials are at a moment: there or missing, current or waiting, until when.
//!
//! All of it follows from the record and the clock. Nothing has to happen at the moment at which
//! imported material expires, and a clock that jumps back brings it back.

use wire::Timestamp;
use wire::enums::{ExpirationModelType, ImportState, KeyMaterialState};

use crate::records::{KeyRecord, MaterialRecord};

/// Until when imported material is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expiration {
    /// Absent where it never expires.
    pub(crate) valid_to: Option<Timestamp>,
}

impl Expiration {
    /// How answers call it.
    pub(crate) fn model(self) -> ExpirationModelType {
        match self.valid_to {
            Some(_) => ExpirationModelType::KeyMaterialExpires,
            None => ExpirationModelType::KeyMaterialDoesNotExpire,
        }
    }
}

impl MaterialRecord {
    /// Whether it waits for the rotation that makes it current.
    pub(crate) fn is_pending(&self) -> bool {
        self.import.as_ref().is_some_and(|import| import.pending)
    }

    /// Whether it is there and hasn't expired.
    pub(crate) fn is_usable(&self, now: Timestamp) -> bool {
        let expires = self.import.as_ref().and_then(|import| import.expires);
        self.wrapped.is_some() && expires.is_none_or(|expires| now < expires)
    }

    /// Whether it belongs to the key no more: it expired while it waited for its rotation, and
    /// only a rotation ties material to its key for good.
    pub(crate) fn is_gone(&self, now: Timestamp) -> bool {
        self.is_pending() && !self.is_usable(now) && !self.is_expected()
    }

    /// Whether a replica waits for it because its primary has it.
    pub(crate) fn is_expected(&self) -> bool {
        self.import.as_ref().is_some_and(|import| import.expected)
    }

    /// Whether imported material is there; `None` for material that was made here.
    pub(crate) fn import_state(&self, now: Timestamp) -> Option<ImportState> {
        let there = self.is_usable(now);
        let state = if there { ImportState::Imported } else { ImportState::PendingImport };
        self.import.as_ref().map(|_| state)
    }

    /// Until when imported material is there; `None` where it isn't, or was made here.
    pub(crate) fn expiration(&self, now: Timestamp) -> Option<Expiration> {
        let import = self.import.as_ref().filter(|_| self.is_usable(now))?;
        Some(Expiration { valid_to: import.expires })
    }
}

impl KeyRecord {
    /// Where in the list the material stands that encrypts: the newest that waits for no rotation.
    pub(crate) fn current(&self) -> Option<usize> {
        self.materials.iter().rposition(|material| !material.is_pending())
    }

    /// Where in the list the material stands that waits for its rotation.
    pub(crate) fn pending(&self, now: Timestamp) -> Option<usize> {
        self.materials.iter().rposition(|material| material.is_pending() && !material.is_gone(now))
    }

    /// Whether material is missing that the key needs: it has none, or some of it was deleted or
    /// has expired. One that waits for its rotation isn't needed yet.
    pub(crate) fn lacks_material(&self, now: Timestamp) -> bool {
        let mut needed = self.materials.iter().filter(|material| !material.is_pending()).peekable();
        needed.peek().is_none() || needed.any(|material| !material.is_usable(now))
    }

    /// Which of the key's materials the one at that place is.
    pub(crate) fn material_state(&self, place: usize) -> KeyMaterialState {
        if self.materials[place].is_pending() {
            KeyMaterialState::PendingRotation
        } else if self.current() == Some(place) {
            KeyMaterialState::Current
        } else {
            KeyMaterialState::NonCurrent
        }
    }

    /// Until when the key's imported material is all there: as long as the one that expires first.
    /// What waits for its rotation doesn't count.
    pub(crate) fn expiration(&self, now: Timestamp) -> Option<Expiration> {
        let needed = self.materials.iter().filter(|material| !material.is_pending());
        let there: Vec<_> = needed.filter_map(|material| material.expiration(now)).collect();
        let valid_to = there.iter().filter_map(|expiration| expiration.valid_to).min();
        (!there.is_empty()).then_some(Expiration { valid_to })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use service::ports::MaterialId;

    use super::*;
    use crate::records::{Import, decode};

    /// A symmetric key with these imported materials: whether each waits, and when it expires.
    pub(crate) fn key(materials: &[(bool, Option<i64>)]) -> KeyRecord {
        let empty = concat!(
            "\u{1}",
            r#"{"spec":"SYMMETRIC_DEFAULT","usage":"ENCRYPT_DECRYPT","origin":"EXTERNAL","#,
            r#""manager":"CUSTOMER","created":0,"description":"","enabled":true,"#,
            r#""deletion":null,"policy":"{}","tags":[],"materials":[]}"#,
        );
        let mut record: KeyRecord = decode(empty.as_bytes()).unwrap();
        for (number, (pending, expires)) in (0..).zip(materials) {
            let import = Import {
                description: None,
                expires: expires.map(Timestamp::from_millis),
                pending: *pending,
                expected: false,
            };
            record.materials.push(MaterialRecord {
                import: Some(import),
                ..MaterialRecord::new(MaterialId([number; 32]), vec![1])
            });
        }
        record
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_key_lacks_what_is_not_there_and_nothing_that_waits() {
        assert!(key(&[]).lacks_material(at(0)));
        assert!(!key(&[(false, None), (true, Some(5))]).lacks_material(at(9)));
        let expiring = key(&[(false, Some(5)), (false, None)]);
        assert!(!expiring.lacks_material(at(4)));
        assert!(expiring.lacks_material(at(5)));
        assert!(!expiring.lacks_material(at(4)), "a clock that jumps back harms nothing");
        let mut deleted = key(&[(false, None), (false, None)]);
        deleted.materials[0].wrapped = None;
        assert!(deleted.lacks_material(at(0)));
    }

    #[test]
    fn states_follow_from_place_and_waiting() {
        use KeyMaterialState::{Current, NonCurrent, PendingRotation};
        let record = key(&[(false, None), (false, None), (true, None)]);
        let states: Vec<_> = (0..3).map(|place| record.material_state(place)).collect();
        assert_eq!(states, [NonCurrent, Current, PendingRotation]);
        assert_eq!((record.current(), record.pending(at(0))), (Some(1), Some(2)));
    }

    #[test]
    fn what_expires_while_it_waits_is_gone() {
        let record = key(&[(false, None), (true, Some(5))]);
        assert_eq!((record.pending(at(4)), record.pending(at(5))), (Some(1), None));
        assert!(record.materials[1].is_gone(at(5)));
    }

    #[test]
    fn a_key_expires_with_the_first_of_its_materials() {
        let told = |record: &KeyRecord, now| record.expiration(at(now)).map(|e| e.valid_to);
        assert_eq!(told(&key(&[]), 0), None);
        assert_eq!(told(&key(&[(false, None)]), 0), Some(None));
        let record = key(&[(false, Some(9)), (false, Some(5)), (true, Some(2))]);
        assert_eq!(told(&record, 0), Some(Some(at(5))));
        assert_eq!(told(&record, 5), Some(Some(at(9))));
        assert_eq!(told(&record, 9), None);
    }
}
