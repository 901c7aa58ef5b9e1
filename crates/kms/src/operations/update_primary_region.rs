//! UpdatePrimaryRegion: makes a replica the primary, and the primary a replica.
//!
//! Errors, in order: NotFoundException (the primary), AccessDeniedException, DisabledException or
//! KMSInvalidStateException (each of either key), UnsupportedOperationException (no primary),
//! NotFoundException (no replica in that Region).

use std::sync::Arc;

use service::ports::Uses;
use service::{Authorized, Context, Error, Facts, Operation, Resource, Target};
use wire::enums::KeyState;
use wire::shapes::RegionText;
use wire::{ErrorCode, Region, structure};

use crate::Kms;
use crate::authorization::permit_all;
use crate::key::{Key, arn};
use crate::key_id::{Aliases, not_found};
use crate::operations::{MANAGEMENT, Nothing, name_key};
use crate::records::KeyRecord;

/// The primary, and the replica that takes its place; `None` unless the key named is a primary
/// whose relatives the caller may know.
pub(crate) struct Succession {
    primary: Arc<Key>,
    replica: Option<Arc<Key>>,
}

impl Target<Kms> for Succession {
    async fn authorize(&self, facts: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        permit_all(cx, facts, &self.primary).await?;
        match &self.replica {
            Some(replica) => permit_all(cx, facts, replica).await,
            None => Ok(()),
        }
    }

    fn check(&self, facts: &Facts, cx: &Context<'_, Kms>) -> Result<(), Error> {
        self.primary.suits(facts, cx.now)?;
        self.replica.as_ref().map_or(Ok(()), |replica| replica.suits(facts, cx.now))
    }

    fn resources(&self) -> Vec<Resource> {
        std::iter::once(&self.primary).chain(&self.replica).map(|key| key.resource()).collect()
    }
}

/// UpdatePrimaryRegion.
pub(crate) struct UpdatePrimaryRegion;

structure! {
    /// Input of UpdatePrimaryRegion.
    pub(crate) struct UpdatePrimaryRegionRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        primary_region: RegionText = required "PrimaryRegion",
    }
}

impl Operation for UpdatePrimaryRegion {
    type Service = Kms;
    type Input = UpdatePrimaryRegionRequest;
    type Output = Nothing;
    type Target = Succession;

    const FACTS: Facts = Facts {
        name: "UpdatePrimaryRegion",
        actions: &["kms:UpdatePrimaryRegion"],
        states: &[KeyState::Enabled],
        errors: &[
            ErrorCode::DisabledException,
            ErrorCode::InvalidArnException,
            ErrorCode::KMSInvalidStateException,
            ErrorCode::KMSInternalException,
            ErrorCode::NotFoundException,
            ErrorCode::UnsupportedOperationException,
        ],
        ..MANAGEMENT
    };

    async fn resolve(cx: &Context<'_, Kms>, input: &Self::Input) -> Result<Self::Target, Error> {
        let action = Self::FACTS.actions[0];
        let primary = cx.service.key_named(cx, &input.key_id, Aliases::Refused, action).await?;
        let region = Region::parse(input.primary_region.as_str());
        let replica = match region.filter(|_| primary.is_primary().is_ok()) {
            Some(region) if region != primary.region => {
                cx.service.key(&primary.account, &region, &primary.id, cx.now).await?
            }
            _ => None,
        };
        Ok(Succession { primary, replica })
    }

    fn uses(input: &Self::Input, _: &Self::Target) -> Uses {
        Uses { elsewhere: Region::parse(input.primary_region.as_str()), ..Uses::default() }
    }

    async fn run(
        cx: &Context<'_, Kms>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let primary = &target.primary;
        primary.is_primary()?;
        name_key(cx, primary);
        if input.primary_region.as_str() == primary.region.as_str() {
            return Ok(Nothing {});
        }
        let Some(replica) = &target.replica else {
            let region = Region::parse(input.primary_region.as_str());
            let region = region.unwrap_or_else(|| primary.region.clone());
            let arn = arn(&primary.account, &region, &primary.id);
            return Err(not_found(format!("Key '{arn}' does not exist")));
        };
        let swap = |member: &Key, record: &mut KeyRecord| {
            for import in record.materials.iter_mut().filter_map(|m| m.import.as_mut()) {
                import.expected = import.pending && member.region != replica.region;
            }
            if let Some(related) = &mut record.multi_region {
                related.primary = replica.region.clone();
                for other in &mut related.replicas {
                    if other.region == replica.region {
                        other.region = primary.region.clone();
                    }
                }
            }
        };
        cx.service.replace_family(primary, cx.now, swap).await?;
        Ok(Nothing {})
    }
}
