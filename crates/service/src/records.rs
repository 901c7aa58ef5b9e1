//! How records are written down: a format version, then JSON.
//!
//! A version of the binary reads every format that an earlier one wrote. A change of meaning gets a
//! new number and keeps the old reader; a new member with a default does not. Must not know what a
//! record holds.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// The only format so far.
const FORMAT: u8 = 1;

/// Writes a record down.
///
/// # Errors
/// A failure of ours: the record can't be expressed in JSON.
pub fn encode<T: Serialize>(record: &T) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![FORMAT];
    serde_json::to_writer(&mut bytes, record).map_err(Error::internal)?;
    Ok(bytes)
}

/// Reads a record.
///
/// # Errors
/// A failure of ours: the record is of a format that this version doesn't know, or damaged.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    match bytes.split_first() {
        Some((&FORMAT, json)) => serde_json::from_slice(json).map_err(Error::internal),
        Some((format, _)) => Err(Error::internal(format!("unknown record format {format}"))),
        None => Err(Error::internal("an empty record")),
    }
}

/// A moment as the number of its milliseconds, for serde's `with`.
pub mod millis {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use wire::Timestamp;

    /// Writes it.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        time.millis().serialize(to)
    }

    /// Reads it.
    ///
    /// # Errors
    /// The deserializer's.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(from).map(Timestamp::from_millis)
    }
}

/// The same for a moment that may be absent.
pub mod optional_millis {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use wire::Timestamp;

    /// Writes it.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(time: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
        time.map(Timestamp::millis).serialize(to)
    }

    /// Reads it.
    ///
    /// # Errors
    /// The deserializer's.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::<i64>::deserialize(from)?.map(Timestamp::from_millis))
    }
}
