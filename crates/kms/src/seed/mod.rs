//! Planting: keys with ids and materials that a test fixes, put into the store before the server
//! serves.
//!
//! Everything is checked before anything is written, by the rules of the operations that would
//! have made the same: CreateKey, ImportKeyMaterial, CreateAlias, TagResource, PutKeyPolicy. Each
//! key is written by one commit, with its aliases; a key that is there already stays as it is.
//! Must not know where a seed comes from, nor how it is written down.

mod check;

use std::fmt;

use service::Error;
use service::ports::{Binding, Commit, Expect, ImportError};
use wire::enums::{KeyManagerType, KeySpec, KeyUsageType, OriginType, RotationType};
use wire::{AccountId, Region, Timestamp};
use zeroize::Zeroizing;

use crate::ciphertext::identity;
use crate::key::arn;
use crate::key_id::KeyId;
use crate::records::{
    AliasRecord, Import, KeyRecord, MaterialRecord, Rotated, RotationSchedule, encode,
};
use crate::{Kms, key_policy, layout};

/// A key to be planted.
pub struct SeedKey {
    /// The account that owns it.
    pub account: AccountId,
    /// Its Region.
    pub region: Region,
    /// Its id: a UUID.
    pub id: KeyId,
    /// What kind of material it has.
    pub spec: KeySpec,
    /// What it is for; what its spec is for, where that is one thing alone.
    pub usage: Option<KeyUsageType>,
    /// AWS_KMS, or EXTERNAL for a key whose material counts as imported.
    pub origin: OriginType,
    /// When it was made; now if it doesn't say.
    pub created: Option<Timestamp>,
    /// Its description.
    pub description: String,
    /// Whether it is enabled.
    pub enabled: bool,
    /// Its tags, in this order.
    pub tags: Vec<(String, String)>,
    /// Its aliases, with their prefix.
    pub aliases: Vec<String>,
    /// Its policy; CreateKey's default if it has none.
    pub policy: Option<String>,
    /// Whether the policy may keep the account from ever changing it.
    pub bypass_policy_lockout_safety_check: bool,
    /// The days between automatic rotations, if it rotates; the next is that long from now.
    pub rotation_period_days: Option<i32>,
    /// Its materials, the oldest first: raw for symmetric and HMAC keys, else PKCS#8 in DER. A key
    /// of origin AWS_KMS without any gets a new one.
    pub materials: Vec<Zeroizing<Vec<u8>>>,
}

/// What of a key is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeedField {
    /// The key as a whole.
    Key,
    /// `id`.
    Id,
    /// `spec`.
    Spec,
    /// `usage`.
    Usage,
    /// `origin`.
    Origin,
    /// `created`.
    Created,
    /// `description`.
    Description,
    /// `tags`.
    Tags,
    /// The alias at that place.
    Alias(usize),
    /// `policy`.
    Policy,
    /// `rotation_period_days`.
    Rotation,
    /// The material at that place.
    Material(usize),
}

/// Why nothing, or not everything, was planted.
#[derive(Debug)]
pub enum SeedError {
    /// A key can't be as the seed has it; nothing was planted.
    Refused {
        /// Its place in the seed.
        key: usize,
        /// What of it.
        field: SeedField,
        /// Why, without anything of a material.
        message: String,
    },
    /// The store or the key store failed; some keys may have been planted.
    Failed(Error),
}

impl From<Error> for SeedError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl fmt::Display for SeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { message, .. } => f.write_str(message),
            Self::Failed(error) => match error.cause() {
                Some(cause) => write!(f, "{error}: {cause}"),
                None => error.fmt(f),
            },
        }
    }
}

impl std::error::Error for SeedError {}

/// What planting did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Planted {
    /// How many keys it made.
    pub made: usize,
    /// The ARNs of those that were there already and stay as they are.
    pub kept: Vec<String>,
}

/// A key that is ready to be written.
struct Ready {
    account: AccountId,
    region: Region,
    commit: Commit,
}

impl Kms {
    /// Plants keys as of `now`. To be called before requests are served.
    ///
    /// # Errors
    /// [`SeedError`].
    pub async fn plant(&self, seed: Vec<SeedKey>, now: Timestamp) -> Result<Planted, SeedError> {
        check::apart(&seed)?;
        for (place, key) in seed.iter().enumerate() {
            check::key(key, &self.limits, now).map_err(|refusal| refusal.of(place))?;
        }
        let mut planted = Planted::default();
        let mut ready = Vec::new();
        for (place, key) in seed.into_iter().enumerate() {
            if !self.is_free_id(&key.account, &key.region, &key.id, now).await? {
                planted.kept.push(arn(&key.account, &key.region, &key.id));
                continue;
            }
            self.aliases_are_free(place, &key, now).await?;
            ready.push((place, self.ready(place, key, now).await?));
        }
        self.all_have_room(&ready).await?;
        for (_, key) in ready {
            let room = self.room_for_key(&key.account, &key.region, now).await?;
            self.store.commit(key.commit).await.map_err(Error::from)?;
            room.took_place();
            planted.made += 1;
        }
        Ok(planted)
    }

    async fn aliases_are_free(
        &self,
        place: usize,
        key: &SeedKey,
        now: Timestamp,
    ) -> Result<(), SeedError> {
        for (at, name) in key.aliases.iter().enumerate() {
            if !self.is_free_alias(&key.account, &key.region, name, now).await? {
                let message = format!("{name} is another key's alias already");
                return Err(refused(SeedField::Alias(at), message).of(place));
            }
        }
        Ok(())
    }

    async fn all_have_room(&self, ready: &[(usize, Ready)]) -> Result<(), SeedError> {
        for (nth, (place, key)) in ready.iter().enumerate() {
            let is_there = |(_, other): &&(usize, Ready)| {
                (other.account, &other.region) == (key.account, &key.region)
            };
            let earlier = ready[..nth].iter().filter(is_there).count();
            if earlier >= self.keys_left(&key.account, &key.region).await? {
                let message = format!(
                    "the account {} has as many keys in {} as it may",
                    key.account, key.region
                );
                return Err(refused(SeedField::Key, message).of(*place));
            }
        }
        Ok(())
    }

    /// Wraps the materials and writes the records down.
    async fn ready(&self, place: usize, key: SeedKey, now: Timestamp) -> Result<Ready, SeedError> {
        let materials = self.materials(place, &key, now).await?;
        let created = key.created.unwrap_or(now);
        let (account, region, id) = (key.account, key.region, key.id);
        let schedule = |days: i32| RotationSchedule {
            period_days: days,
            next: now.plus_days(i64::from(days)),
        };
        let record = KeyRecord {
            spec: key.spec,
            usage: check::usage(key.spec, key.usage).map_err(|refusal| refusal.of(place))?,
            origin: key.origin,
            manager: KeyManagerType::Customer,
            created,
            description: key.description,
            enabled: key.enabled,
            deletion: None,
            policy: key
                .policy
                .unwrap_or_else(|| key_policy::default_policy(&account, region.as_str())),
            bound: Vec::new(),
            tags: key.tags,
            materials,
            rotation: key.rotation_period_days.map(schedule),
            multi_region: None,
            waiting: None,
        };
        let key_place = layout::key(&account, &region, id.as_str());
        let mut commit = Commit {
            preconditions: vec![(key_place.clone(), Expect::Absent)],
            puts: vec![(key_place, encode(&record)?)],
            deletes: Vec::new(),
        };
        let target = id.as_str().to_owned();
        let alias = encode(&AliasRecord { target, created, updated: created })?;
        for name in &key.aliases {
            let alias_place = layout::alias(&account, &region, name);
            commit.preconditions.push((alias_place.clone(), Expect::Absent));
            commit.puts.push((alias_place, alias.clone()));
            let entry = layout::key_alias(&account, &region, id.as_str(), name);
            commit.puts.push((entry, Vec::new()));
        }
        Ok(Ready { account, region, commit })
    }

    /// The key's materials, wrapped; a new one for a key of origin AWS_KMS that has none.
    async fn materials(
        &self,
        place: usize,
        key: &SeedKey,
        now: Timestamp,
    ) -> Result<Vec<MaterialRecord>, SeedError> {
        let arn = arn(&key.account, &key.region, &key.id);
        let binding = Binding {
            region: key.region.as_str(),
            key_arn: &arn,
            identity: identity(&key.account, &key.id),
            spec: key.spec,
        };
        let imported = key.origin == OriginType::External;
        if key.materials.is_empty() && !imported {
            let (wrapped, opened) = self.key_store.generate(binding).await.map_err(Error::from)?;
            return Ok(vec![MaterialRecord::new(opened.id, wrapped)]);
        }
        let kind = if imported { RotationType::OnDemand } else { RotationType::Automatic };
        let mut records: Vec<MaterialRecord> = Vec::with_capacity(key.materials.len());
        for (at, material) in key.materials.iter().enumerate() {
            let refused = |message| refused(SeedField::Material(at), message).of(place);
            let taken = self.key_store.take(binding, material.clone()).await;
            let (wrapped, opened) = taken.map_err(|error| match error {
                ImportError::Rejected(why) => {
                    refused(format!("no material of a key of spec {}: {why}", key.spec))
                }
                ImportError::Unopened => refused("it does not open".to_owned()),
                ImportError::KeyStore(error) => SeedError::Failed(error.into()),
            })?;
            if records.iter().any(|earlier| earlier.id == opened.id) {
                return Err(refused("the key has this material already".to_owned()));
            }
            records.push(MaterialRecord {
                rotated: (at > 0).then_some(Rotated { at: key.created.unwrap_or(now), kind }),
                import: imported.then(Import::default),
                ..MaterialRecord::new(opened.id, wrapped)
            });
        }
        Ok(records)
    }
}

/// A refusal of some key.
struct Refusal {
    field: SeedField,
    message: String,
}

impl Refusal {
    fn of(self, key: usize) -> SeedError {
        SeedError::Refused { key, field: self.field, message: self.message }
    }
}

fn refused(field: SeedField, message: impl Into<String>) -> Refusal {
    Refusal { field, message: message.into() }
}
