//! ListKeyRotations: the materials that rotations made current, in their order; on request also the
//! first, and imported material that waits for its rotation.
//!
//! Errors, in order: NotFoundException, AccessDeniedException, UnsupportedOperationException (a key
//! whose material doesn't rotate), ValidationException (limit), InvalidMarkerException.

use std::sync::Arc;

use service::{Authorized, Context, Error, Facts, Operation};
use wire::Timestamp;
use wire::enums::{IncludeKeyMaterial, KeyMaterialState};
use wire::shapes::{
    KeyMaterialDescription, KeyMaterialId, Limit, Marker, Rotations, RotationsListEntry,
};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::key::Key;
use crate::key_id::Aliases;
use crate::material::Expiration;
use crate::operations::MANAGEMENT;
use crate::paging::{self, PageSizes};
use crate::records::MaterialRecord;
use crate::rotation::rotates;

/// ListKeyRotations.
pub(crate) struct ListKeyRotations;

const PAGE: PageSizes = PageSizes { max: 1000, default: 100 };

structure! {
    /// Input of ListKeyRotations.
    pub(crate) struct ListKeyRotationsRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        include_key_material: IncludeKeyMaterial = optional "IncludeKeyMaterial",
        limit: Limit = optional "Limit",
        marker: Marker = optional "Marker",
    }

    /// Output of ListKeyRotations.
    pub(crate) struct ListKeyRotationsResponse {
        rotations: Rotations = optional "Rotations",
        next_marker: Marker = optional "NextMarker",
        truncated: bool = optional "Truncated",
    }
}

impl Operation for ListKeyRotations {
    type Service = Kms;
    type Input = ListKeyRotationsRequest;
    type Output = ListKeyRotationsResponse;
    type Target = Arc<Key>;

    const FACTS: Facts = Facts {
        name: "ListKeyRotations",
        actions: &["kms:ListKeyRotations"],
        read_only: true,
        errors: &[
            ErrorCode::NotFoundException,
            ErrorCode::InvalidArnException,
            ErrorCode::InvalidMarkerException,
            ErrorCode::KMSInternalException,
            ErrorCode::KMSInvalidStateException,
            ErrorCode::UnsupportedOperationException,
        ],
        ..MANAGEMENT
    };

    async fn resolve(cx: &Context<'_, Kms>, input: &Self::Input) -> Result<Self::Target, Error> {
        cx.service.key_named(cx, &input.key_id, Aliases::Refused, Self::FACTS.actions[0]).await
    }

    async fn run(
        cx: &Context<'_, Kms>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        rotates(target)?;
        let page = PAGE.request(Self::FACTS.name, input.limit, input.marker.as_ref())?;
        let all = input.include_key_material == Some(IncludeKeyMaterial::AllKeyMaterial);
        let materials: Vec<_> = target
            .record
            .materials
            .iter()
            .enumerate()
            .filter(|(_, material)| all || material.rotated.is_some())
            .filter(|(_, material)| !material.is_gone(cx.now))
            .collect();
        let is = |(_, material): &(usize, &MaterialRecord), after: &str| {
            material.id.to_string() == after
        };
        let (part, truncated) = page.part(&materials, is);
        let last = part.last().filter(|_| truncated);
        let mut entries: Vec<_> =
            part.iter().map(|(place, _)| entry(target, *place, cx.now)).collect();
        for ((_, material), entry) in part.iter().zip(&mut entries) {
            let pending = material.is_pending();
            if pending && !cx.service.is_everywhere(target, material.id, cx.now).await? {
                entry.key_material_state =
                    Some(KeyMaterialState::PendingMultiRegionImportAndRotation);
            }
        }
        Ok(ListKeyRotationsResponse {
            rotations: Some(Rotations(entries)),
            next_marker: last
                .map(|(_, material)| paging::marker(Self::FACTS.name, &material.id.to_string())),
            truncated: Some(truncated),
        })
    }
}

/// What is told of the material at that place.
fn entry(key: &Key, place: usize, now: Timestamp) -> RotationsListEntry {
    let material = &key.record.materials[place];
    let description = material.import.as_ref().and_then(|import| import.description.as_ref());
    let expiration = material.expiration(now);
    RotationsListEntry {
        key_id: Some(key.arn_as_key_id()),
        key_material_id: Some(KeyMaterialId::of(material.id.to_string())),
        key_material_description: description.map(KeyMaterialDescription::of),
        import_state: material.import_state(now),
        key_material_state: Some(key.record.material_state(place)),
        expiration_model: expiration.map(Expiration::model),
        valid_to: expiration.and_then(|expiration| expiration.valid_to),
        rotation_date: material.rotated.map(|rotated| rotated.at),
        rotation_type: material.rotated.map(|rotated| rotated.kind),
    }
}
