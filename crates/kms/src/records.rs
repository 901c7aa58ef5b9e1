//! What is stored of keys. How it is written down is [`service::records`]'s.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use service::ports::MaterialId;
use wire::enums::{KeyManagerType, KeySpec, KeyState, KeyUsageType, OriginType, RotationType};
use wire::{Region, Timestamp};

pub(crate) use service::records::{decode, encode, millis, optional_millis};

/// A key.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct KeyRecord {
    pub(crate) spec: KeySpec,
    pub(crate) usage: KeyUsageType,
    pub(crate) origin: OriginType,
    pub(crate) manager: KeyManagerType,
    #[serde(with = "millis")]
    pub(crate) created: Timestamp,
    pub(crate) description: String,
    pub(crate) enabled: bool,
    pub(crate) deletion: Option<Deletion>,
    pub(crate) policy: String,
    /// The ARNs of users and roles in the policy, each with the unique id of the one that had it
    /// when the policy was written: another one of the same name isn't meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) bound: Vec<(String, String)>,
    /// In the order in which they were first set.
    pub(crate) tags: Vec<(String, String)>,
    /// The newest last.
    pub(crate) materials: Vec<MaterialRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rotation: Option<RotationSchedule>,
    /// Of multi-Region keys alone: where its relatives are. The same in every one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) multi_region: Option<MultiRegion>,
    /// Of a primary whose deletion waits for its replicas to be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) waiting: Option<WaitingDeletion>,
}

impl KeyRecord {
    /// Whether the key still exists: once its deletion's date has come, it doesn't, whether or not
    /// its record has been removed yet.
    pub(crate) fn exists(&self, now: Timestamp) -> bool {
        self.deletion_date(now).is_none_or(|at| now < at)
    }

    /// When the key is to be deleted, if that is known.
    pub(crate) fn deletion_date(&self, now: Timestamp) -> Option<Timestamp> {
        deletion_date(self.deletion, self.waiting, self.multi_region.as_ref(), now)
    }

    /// The state at that moment.
    pub(crate) fn state(&self, now: Timestamp) -> KeyState {
        if self.deletion_date(now).is_some() {
            KeyState::PendingDeletion
        } else if self.waiting.is_some() {
            KeyState::PendingReplicaDeletion
        } else if self.lacks_material(now) {
            KeyState::PendingImport
        } else if self.enabled {
            KeyState::Enabled
        } else {
            KeyState::Disabled
        }
    }
}

/// Of a key's record what says whether the key exists: for lists, which read many records and need
/// nothing else of them.
#[derive(Deserialize)]
pub(crate) struct Existence {
    deletion: Option<Deletion>,
    #[serde(default)]
    multi_region: Option<MultiRegion>,
    #[serde(default)]
    waiting: Option<WaitingDeletion>,
}

impl Existence {
    /// As [`KeyRecord::exists`].
    pub(crate) fn exists(&self, now: Timestamp) -> bool {
        let date = deletion_date(self.deletion, self.waiting, self.multi_region.as_ref(), now);
        date.is_none_or(|at| now < at)
    }
}

/// When a key is to be deleted, if that is known: the window of a primary that waits begins when
/// the last of its replicas is gone.
fn deletion_date(
    deletion: Option<Deletion>,
    waiting: Option<WaitingDeletion>,
    related: Option<&MultiRegion>,
    now: Timestamp,
) -> Option<Timestamp> {
    if let Some(deletion) = deletion {
        return Some(deletion.at);
    }
    let (waiting, related) = (waiting?, related?);
    let mut start = waiting.since;
    for replica in &related.replicas {
        start = start.max(replica.deletion.filter(|at| *at <= now)?);
    }
    Some(start.plus_days(i64::from(waiting.days)))
}

/// When a key's material is replaced by itself.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct RotationSchedule {
    pub(crate) period_days: i32,
    #[serde(with = "millis")]
    pub(crate) next: Timestamp,
}

/// What made a material current.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Rotated {
    #[serde(with = "millis")]
    pub(crate) at: Timestamp,
    pub(crate) kind: RotationType,
}

/// Which keys a multi-Region key is related to.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct MultiRegion {
    /// The Region of the primary.
    #[serde(with = "region_name")]
    pub(crate) primary: Region,
    /// In the order in which they were made.
    pub(crate) replicas: Vec<Replica>,
}

impl MultiRegion {
    /// The Regions of the replicas that exist at that moment.
    pub(crate) fn replicas(&self, now: Timestamp) -> impl Iterator<Item = &Region> {
        let exist = move |replica: &&Replica| replica.deletion.is_none_or(|at| now < at);
        self.replicas.iter().filter(exist).map(|replica| &replica.region)
    }

    /// The Regions of all of them that exist at that moment, the primary's first.
    pub(crate) fn regions(&self, now: Timestamp) -> impl Iterator<Item = &Region> {
        std::iter::once(&self.primary).chain(self.replicas(now))
    }
}

/// A replica, as its relatives know it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Replica {
    #[serde(with = "region_name")]
    pub(crate) region: Region,
    /// When it is to be deleted; it doesn't exist from then on.
    #[serde(default, with = "optional_millis", skip_serializing_if = "Option::is_none")]
    pub(crate) deletion: Option<Timestamp>,
}

/// The deletion of a primary that waits for its replicas to be gone.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct WaitingDeletion {
    #[serde(with = "millis")]
    pub(crate) since: Timestamp,
    /// The window that follows.
    pub(crate) days: i32,
}

/// A deletion that was scheduled.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Deletion {
    #[serde(with = "millis")]
    pub(crate) at: Timestamp,
}

/// A key material.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct MaterialRecord {
    #[serde(with = "hex_id")]
    pub(crate) id: MaterialId,
    /// As the key store wrapped it; absent while imported material isn't there.
    #[serde(default, with = "base64_bytes", skip_serializing_if = "Option::is_none")]
    pub(crate) wrapped: Option<Vec<u8>>,
    /// Absent on the first material, which no rotation made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rotated: Option<Rotated>,
    /// Of imported material alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) import: Option<Import>,
}

impl MaterialRecord {
    /// Material that the key store made or took, and that encrypts at once.
    pub(crate) fn new(id: MaterialId, wrapped: Vec<u8>) -> Self {
        Self { id, wrapped: Some(wrapped), rotated: None, import: None }
    }
}

/// What is true of imported material beside the material itself.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Import {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// When it stops being usable.
    #[serde(default, with = "optional_millis", skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<Timestamp>,
    /// Whether it waits for the rotation that makes it current.
    #[serde(default)]
    pub(crate) pending: bool,
    /// Whether it is here because a replica is to get what its primary has.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) expected: bool,
}

/// An alias.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AliasRecord {
    pub(crate) target: String,
    #[serde(with = "millis")]
    pub(crate) created: Timestamp,
    #[serde(with = "millis")]
    pub(crate) updated: Timestamp,
}

mod region_name {
    use super::{Deserialize, Deserializer, Region, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(region: &Region, to: S) -> Result<S::Ok, S::Error> {
        region.as_str().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Region, D::Error> {
        let name = String::deserialize(from)?;
        Region::parse(&name).ok_or_else(|| serde::de::Error::custom("not a Region's name"))
    }
}

mod base64_bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde calls it with a reference")]
    pub(super) fn serialize<S: Serializer>(
        bytes: &Option<Vec<u8>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        bytes.as_ref().map(|bytes| STANDARD.encode(bytes)).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| STANDARD.decode(text)).transpose().map_err(serde::de::Error::custom)
    }
}

mod hex_id {
    use super::{Deserialize, Deserializer, MaterialId, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(id: &MaterialId, to: S) -> Result<S::Ok, S::Error> {
        id.to_string().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<MaterialId, D::Error> {
        let text = String::deserialize(from)?;
        let mut id = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(serde::de::Error::custom("a material id has 64 hex digits"));
        }
        for (byte, digits) in id.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(serde::de::Error::custom)?;
            *byte = u8::from_str_radix(digits, 16).map_err(serde::de::Error::custom)?;
        }
        Ok(MaterialId(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What version 0.1.0 wrote. It must be readable for ever.
    const KEY_V1: &str = concat!(
        "\u{1}",
        r#"{"spec":"SYMMETRIC_DEFAULT","usage":"ENCRYPT_DECRYPT","origin":"AWS_KMS","#,
        r#""manager":"CUSTOMER","created":1700000000123,"description":"d","enabled":false,"#,
        r#""deletion":{"at":1700000000999},"policy":"{}","tags":[["k","v"]],"materials":[{"id":"#,
        r#""000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f","wrapped":"AQID"}]}"#,
    );

    #[test]
    fn format_one_is_read_and_written() {
        let record: KeyRecord = decode(KEY_V1.as_bytes()).unwrap();
        assert_eq!(record.materials[0].id.0[31], 0x1f);
        assert_eq!(record.materials[0].wrapped.as_deref(), Some(&[1, 2, 3][..]));
        assert_eq!(record.deletion.unwrap().at.millis(), 1_700_000_000_999);
        assert_eq!(encode(&record).unwrap(), KEY_V1.as_bytes());
    }

    #[test]
    fn existence_is_read_alike_from_a_part_of_the_record() {
        let dated = KEY_V1.to_owned();
        let waiting = |deletion: &str| {
            let since = r#""multi_region":{"primary":"eu-west-1","replicas":[{"region":"us-east-1"#;
            let since = format!(r#"{since}"{deletion}}}]}},"waiting":{{"since":1000,"days":7}}"#);
            let bare = KEY_V1.replace(r#"{"at":1700000000999}"#, "null");
            format!("{},{since}}}", &bare[..bare.len() - 1])
        };
        let (open, closed) = (waiting(""), waiting(r#","deletion":2000"#));
        let mut met = [0; 2];
        for text in [dated, open, closed] {
            let whole: KeyRecord = decode(text.as_bytes()).unwrap();
            let part: Existence = decode(text.as_bytes()).unwrap();
            for now in [0, 1_999, 2_000, 604_801_999, 604_802_000, 1_700_000_000_999] {
                let now = Timestamp::from_millis(now);
                assert_eq!(part.exists(now), whole.exists(now), "{text} {now:?}");
                met[usize::from(part.exists(now))] += 1;
            }
        }
        assert!(met[0] > 2 && met[1] > 2, "{met:?}");
    }

    #[test]
    fn other_formats_are_refused() {
        let newer = KEY_V1.replace('\u{1}', "\u{2}");
        assert!(decode::<KeyRecord>(newer.as_bytes()).is_err());
        assert!(decode::<KeyRecord>(b"").is_err());
        assert!(decode::<KeyRecord>(b"\x01{}").is_err());
    }
}
