//! Multi-Region keys: a primary and its replicas, and what they share.
//!
//! Shared are id, spec, usage, origin, material and rotation; description, tags, policy, aliases,
//! grants and state are each one's own. All stand in one store, so that a change of what is shared
//! is one commit over all of them: nobody ever meets relatives that disagree.

use std::sync::Arc;

use service::Error;
use service::ports::{Commit, MaterialId};
use wire::enums::MultiRegionKeyType;
use wire::shapes::{
    ArnText, MultiRegionConfiguration, MultiRegionKey, MultiRegionKeys, RegionText,
};
use wire::{ErrorCode, Region, Timestamp};

use crate::Kms;
use crate::change::add_replacing;
use crate::key::{Key, arn};
use crate::records::{Import, KeyRecord, MaterialRecord};

/// How many replicas a key may have. AWS has no more Regions, and one commit has room for a change
/// of all of them.
pub(crate) const REPLICAS_MAX: usize = 50;

impl Key {
    /// Whether it is a replica of a key in another Region.
    pub(crate) fn is_replica(&self) -> bool {
        self.record.multi_region.as_ref().is_some_and(|related| related.primary != self.region)
    }

    /// Whether it has replicas at that moment.
    pub(crate) fn has_replicas(&self, now: Timestamp) -> bool {
        let related = self.record.multi_region.as_ref();
        related.is_some_and(|related| related.replicas(now).next().is_some())
    }

    /// Refuses a key that isn't the primary of a multi-Region key.
    ///
    /// # Errors
    /// UnsupportedOperationException.
    pub(crate) fn is_primary(&self) -> Result<(), Error> {
        if self.record.multi_region.is_some() && !self.is_replica() {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::UnsupportedOperationException,
            format!("{} is not a multi-region primary key.", self.arn),
        ))
    }

    /// How its relatives are told of in its metadata.
    pub(crate) fn multi_region_configuration(
        &self,
        now: Timestamp,
    ) -> Option<MultiRegionConfiguration> {
        let related = self.record.multi_region.as_ref()?;
        let named = |region: &Region| MultiRegionKey {
            arn: Some(ArnText::of(arn(&self.account, region, &self.id))),
            region: Some(RegionText::of(region.as_str())),
        };
        Some(MultiRegionConfiguration {
            multi_region_key_type: Some(if self.is_replica() {
                MultiRegionKeyType::Replica
            } else {
                MultiRegionKeyType::Primary
            }),
            primary_key: Some(named(&related.primary)),
            replica_keys: Some(MultiRegionKeys(related.replicas(now).map(named).collect())),
        })
    }
}

impl Kms {
    /// The key and all its relatives that exist at that moment, the primary first; a single-Region
    /// key stands alone.
    pub(crate) async fn family(
        &self,
        key: &Arc<Key>,
        now: Timestamp,
    ) -> Result<Vec<Arc<Key>>, Error> {
        let Some(related) = &key.record.multi_region else { return Ok(vec![Arc::clone(key)]) };
        let mut family = Vec::new();
        for region in related.regions(now) {
            let member = if *region == key.region {
                Arc::clone(key)
            } else {
                let found = self.standing_key(&key.account, region, &key.id, now).await?;
                // Somebody removes it just now, or changes the family: decide again.
                found.ok_or_else(Error::conflict)?
            };
            family.push(member);
        }
        Ok(family)
    }

    /// A commit that makes the same change of what is shared in the key and all its relatives.
    ///
    /// # Errors
    /// Those of the store; a conflict makes the pipeline decide the request again.
    pub(crate) async fn replacing_family(
        &self,
        key: &Arc<Key>,
        now: Timestamp,
        change: impl Fn(&Key, &mut KeyRecord),
    ) -> Result<Commit, Error> {
        let mut commit = Commit::default();
        for member in self.family(key, now).await? {
            let mut record = member.record.clone();
            change(&member, &mut record);
            add_replacing(&mut commit, &member, &record)?;
        }
        Ok(commit)
    }

    /// Makes the same change of what is shared in the key and all its relatives.
    ///
    /// # Errors
    /// As [`Kms::replacing_family`].
    pub(crate) async fn replace_family(
        &self,
        key: &Arc<Key>,
        now: Timestamp,
        change: impl Fn(&Key, &mut KeyRecord),
    ) -> Result<(), Error> {
        let commit = self.replacing_family(key, now, change).await?;
        self.store.commit(commit).await?;
        Ok(())
    }

    /// The primary among the key and its relatives, if it exists at that moment; a single-Region
    /// key is its own.
    pub(crate) async fn primary(
        &self,
        key: &Arc<Key>,
        now: Timestamp,
    ) -> Result<Option<Arc<Key>>, Error> {
        match &key.record.multi_region {
            Some(related) if key.is_replica() => {
                self.standing_key(&key.account, &related.primary, &key.id, now).await
            }
            _ => Ok(Some(Arc::clone(key))),
        }
    }

    /// Whether the key and all its relatives have that material, ready for use.
    pub(crate) async fn is_everywhere(
        &self,
        key: &Arc<Key>,
        id: MaterialId,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let has = |member: &Arc<Key>| {
            let mut materials = member.record.materials.iter();
            materials.any(|material| material.id == id && material.is_usable(now))
        };
        Ok(self.family(key, now).await?.iter().all(has))
    }

    /// A primary's material, wrapped for the relative in that Region.
    ///
    /// # Errors
    /// Those of the key store.
    pub(crate) async fn rebound(
        &self,
        primary: &Key,
        material: &MaterialRecord,
        region: &Region,
    ) -> Result<MaterialRecord, Error> {
        // Imported material isn't copied: its owner brings it to each Region.
        let Some(wrapped) = material.wrapped.as_ref().filter(|_| material.import.is_none()) else {
            let import = material.import.clone();
            let import = import.map(|i| Import { expires: None, expected: i.pending, ..i });
            return Ok(MaterialRecord { wrapped: None, import, ..material.clone() });
        };
        let arn = arn(&primary.account, region, &primary.id);
        let from = primary.binding();
        let to = service::ports::Binding { region: region.as_str(), key_arn: &arn, ..from };
        let wrapped = self.key_store.rebind(from, material.id, wrapped, to).await?;
        Ok(MaterialRecord { wrapped: Some(wrapped), ..material.clone() })
    }
}
