//! What KMS does by itself, told to the audit log before it is done (AWS KMS Developer Guide,
//! "RotateKey", "DeleteKey", "DeleteExpiredKeyMaterial").
//!
//! Owns the names and details of these events. What can't be told isn't done; what was told and
//! then interrupted is told again when it is done.

use service::ports::MaterialId;
use service::{Error, Resource, Service as _, ServiceEvent};
use wire::enums::RotationType;
use wire::{AccountId, Region, Timestamp};

use crate::Kms;
use crate::key::{Key, RESOURCE_KIND, arn};
use crate::key_id::KeyId;

/// A rotation that is about to happen.
pub(crate) struct Rotation {
    pub(crate) kind: RotationType,
    pub(crate) previous: Option<MaterialId>,
    pub(crate) current: MaterialId,
}

impl Kms {
    /// Tells that a key gets new material.
    ///
    /// # Errors
    /// KMSInternalException: the log can't be written.
    pub(crate) async fn tell_rotation(
        &self,
        key: &Key,
        now: Timestamp,
        rotation: &Rotation,
    ) -> Result<(), Error> {
        let mut details = vec![
            ("rotationType", rotation.kind.to_string()),
            ("keyOrigin", key.record.origin.to_string()),
        ];
        details.extend(rotation.previous.map(|id| ("previousKeyMaterialId", id.to_string())));
        details.push(("currentKeyMaterialId", rotation.current.to_string()));
        self.tell("RotateKey", &key.resource(), &key.region, now, details).await
    }

    /// Tells that a key whose deletion's date has come is removed.
    ///
    /// # Errors
    /// As [`Kms::tell_rotation`].
    pub(crate) async fn tell_deletion(
        &self,
        account: &AccountId,
        region: &Region,
        id: &KeyId,
        now: Timestamp,
    ) -> Result<(), Error> {
        let resource = Resource {
            account: *account,
            arn: arn(account, region, id).into(),
            kind: RESOURCE_KIND,
        };
        self.tell("DeleteKey", &resource, region, now, Vec::new()).await
    }

    /// Tells that imported material that has expired is removed.
    ///
    /// # Errors
    /// As [`Kms::tell_rotation`].
    pub(crate) async fn tell_expiration(
        &self,
        key: &Key,
        now: Timestamp,
        material: MaterialId,
    ) -> Result<(), Error> {
        let details = vec![("keyMaterialId", material.to_string())];
        self.tell("DeleteExpiredKeyMaterial", &key.resource(), &key.region, now, details).await
    }

    async fn tell(
        &self,
        name: &'static str,
        resource: &Resource,
        region: &Region,
        now: Timestamp,
        mut details: Vec<(&'static str, String)>,
    ) -> Result<(), Error> {
        let log = self.audit.as_deref();
        let log = log.ok_or_else(|| Error::internal("nobody to tell what is done unasked"))?;
        let id = resource.arn.rsplit('/').next().unwrap_or_default();
        details.push(("keyId", id.to_owned()));
        let event = ServiceEvent {
            name,
            source: Self::EVENT_SOURCE,
            time: now,
            region: region.as_str(),
            resource,
            details: &details,
        };
        event.tell(log, self.entropy.as_ref()).await
    }
}
