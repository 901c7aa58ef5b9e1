//! ListKeyRotations: the materials that rotations made, in their order; on request also the first.
//!
//! Errors, in order: NotFoundException, AccessDeniedException, UnsupportedOperationException (a key
//! whose material doesn't rotate), ValidationException (limit), InvalidMarkerException.

use std::sync::Arc;

use service::{Authorized, Context, Error, Facts, Operation};
use wire::enums::{IncludeKeyMaterial, KeyMaterialState};
use wire::shapes::{KeyMaterialId, Limit, Marker, Rotations, RotationsListEntry};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::key::Key;
use crate::key_id::Aliases;
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
        _: &Context<'_, Kms>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        rotates(target)?;
        let page = PAGE.request(Self::FACTS.name, input.limit, input.marker.as_ref())?;
        let all = input.include_key_material == Some(IncludeKeyMaterial::AllKeyMaterial);
        let current = target
            .record
            .current()
            .map(|place| &target.record.materials[place])
            .map(|material| material.id);
        let materials: Vec<_> = target
            .record
            .materials
            .iter()
            .filter(|material| all || material.rotated.is_some())
            .collect();
        let is = |material: &&MaterialRecord, after: &str| material.id.to_string() == after;
        let (part, truncated) = page.part(&materials, is);
        let last = part.last().filter(|_| truncated);
        let entries = part.iter().map(|material| RotationsListEntry {
            key_id: Some(target.arn_as_key_id()),
            key_material_id: Some(KeyMaterialId::of(material.id.to_string())),
            key_material_description: None,
            import_state: None,
            key_material_state: Some(if Some(material.id) == current {
                KeyMaterialState::Current
            } else {
                KeyMaterialState::NonCurrent
            }),
            expiration_model: None,
            valid_to: None,
            rotation_date: material.rotated.map(|rotated| rotated.at),
            rotation_type: material.rotated.map(|rotated| rotated.kind),
        });
        Ok(ListKeyRotationsResponse {
            rotations: Some(Rotations(entries.collect())),
            next_marker: last
                .map(|material| paging::marker(Self::FACTS.name, &material.id.to_string())),
            truncated: Some(truncated),
        })
    }
}
