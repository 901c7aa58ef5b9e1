//! When each key was last used, and by which request: what GetKeyLastUsage tells.
//!
//! The truth is the audit log: a key's last use is the last record in it that tells of a successful
//! cryptographic operation with that key. Everything here is derived from it, and the order of the
//! log, not a clock, says what is last (decision 11).
//!
//! [`recent`] holds in memory what is newer than what the store has, and is told of each use before
//! the log takes another record. [`keeper`] writes that to the store from time to time, with a mark
//! of how far in the log it was, and reads the log from the mark on when the server starts.

mod keeper;
mod recent;

use serde::{Deserialize, Serialize};
use service::ports::Position;
use service::{Error, Ids, Success};
use wire::Timestamp;
use wire::enums::KeyLastUsageTrackingOperation;

use crate::key::{Key, RESOURCE_KIND};
use crate::records::{decode, encode};
use crate::{Kms, layout};

pub use self::keeper::UsageKeeper;
use self::recent::Placed;
pub(crate) use self::recent::{Recent, Told};

/// The use of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) operation: KeyLastUsageTrackingOperation,
    pub(crate) time: Timestamp,
    pub(crate) ids: Ids,
}

/// A use as it is stored.
#[derive(Serialize, Deserialize)]
struct UseRecord {
    operation: KeyLastUsageTrackingOperation,
    /// Seconds since 1970.
    time: i64,
    request: String,
    event: String,
}

impl Use {
    fn encode(&self) -> Result<Vec<u8>, Error> {
        encode(&UseRecord {
            operation: self.operation,
            time: self.time.seconds(),
            request: self.ids.request().to_owned(),
            event: self.ids.event().to_owned(),
        })
    }

    fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let record: UseRecord = decode(bytes)?;
        let ids = Ids::parse(&record.request, &record.event);
        Ok(Self {
            operation: record.operation,
            time: Timestamp::from_millis(record.time.saturating_mul(1000)),
            ids: ids.ok_or_else(|| Error::internal("a stored use without ids"))?,
        })
    }
}

impl Kms {
    /// The last use of the key, if it was ever used.
    ///
    /// # Errors
    /// Those of the store; KMSInternalException while uses that didn't fit in memory are being read
    /// back from the log.
    pub(crate) async fn last_use(&self, key: &Key) -> Result<Option<Use>, Error> {
        // From here on every use that was answered is in memory or in the store. One that leaves
        // memory is in the store already, which is therefore asked second.
        if !self.recent.is_complete() {
            return Err(Error::internal("more keys were used than there is memory for"));
        }
        if let Some(last) = self.recent.of(&key.arn) {
            return Ok(Some(last));
        }
        let place = layout::usage(&key.account, &key.region, key.id.as_str());
        let stored = self.store.get(&place).await?;
        stored.map(|item| Use::decode(&item.value)).transpose()
    }

    /// Since when uses are tracked, where that isn't since before any key was made.
    pub(crate) fn tracked_since(&self) -> Timestamp {
        self.recent.since()
    }

    /// Takes in what the record at that place tells: a use of keys, or that a key was made.
    pub(crate) fn note(&self, success: &Success<'_>, at: Position, told: Told) {
        let mut keys = success.resources.iter().filter(|resource| resource.kind == RESOURCE_KIND);
        if let Some(operation) = KeyLastUsageTrackingOperation::parse(success.operation) {
            let last = Use { operation, time: success.time, ids: success.ids };
            for key in keys {
                self.recent.note(&key.arn, Placed { last, at }, told);
            }
        } else if matches!(success.operation, "CreateKey" | "ReplicateKey") {
            // The last resource is what was made: it may have the name of a key that is no more.
            if let Some(key) = keys.next_back() {
                self.recent.settle(&key.arn, at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the first version that tracked uses wrote. It must be readable for ever.
    const USE_V1: &str = concat!(
        "\u{1}",
        r#"{"operation":"ReEncrypt","time":1700000000,"#,
        r#""request":"12345126-30d5-4b28-98b9-9153da559963","#,
        r#""event":"abcde202-ba1a-467c-b4ba-f729d45ae521"}"#,
    );

    #[test]
    fn format_one_is_read_and_written() {
        let last = Use::decode(USE_V1.as_bytes()).unwrap();
        assert_eq!(last.operation, KeyLastUsageTrackingOperation::ReEncrypt);
        assert_eq!(last.time.millis(), 1_700_000_000_000);
        assert_eq!(last.encode().unwrap(), USE_V1.as_bytes());
        assert!(Use::decode(USE_V1.replace("abcde202", "").as_bytes()).is_err());
    }
}
