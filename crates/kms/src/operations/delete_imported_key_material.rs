//! DeleteImportedKeyMaterial: takes imported material away; the key can't be used until the same
//! material comes in again.
//!
//! Errors, in order: NotFoundException, AccessDeniedException, KMSInvalidStateException (pending
//! deletion), UnsupportedOperationException (a key of another origin), NotFoundException (the key
//! has no such material).

use std::sync::Arc;

use service::{Authorized, Context, Error, Facts, Operation};
use wire::shapes::{DeletedKeyMaterialId, KeyMaterialId};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::imports::{IMPORTABLE, takes_imports, unsupported};
use crate::key::Key;
use crate::key_id::Aliases;
use crate::operations::MANAGEMENT;
use crate::records::KeyRecord;

/// DeleteImportedKeyMaterial.
pub(crate) struct DeleteImportedKeyMaterial;

structure! {
    /// Input of DeleteImportedKeyMaterial.
    pub(crate) struct DeleteImportedKeyMaterialRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        key_material_id: KeyMaterialId = optional "KeyMaterialId",
    }

    /// Output of DeleteImportedKeyMaterial.
    pub(crate) struct DeleteImportedKeyMaterialResponse {
        key_id: wire::shapes::KeyId = optional "KeyId",
        key_material_id: DeletedKeyMaterialId = optional "KeyMaterialId",
    }
}

impl Operation for DeleteImportedKeyMaterial {
    type Service = Kms;
    type Input = DeleteImportedKeyMaterialRequest;
    type Output = DeleteImportedKeyMaterialResponse;
    type Target = Arc<Key>;

    const FACTS: Facts = Facts {
        name: "DeleteImportedKeyMaterial",
        actions: &["kms:DeleteImportedKeyMaterial"],
        states: IMPORTABLE,
        errors: &[
            ErrorCode::InvalidArnException,
            ErrorCode::UnsupportedOperationException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::NotFoundException,
            ErrorCode::KMSInternalException,
            ErrorCode::KMSInvalidStateException,
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
        takes_imports(target)?;
        if input.key_material_id.is_some() && !target.is_symmetric() {
            return Err(unsupported(
                "KeyMaterialId is only supported for symmetric encryption KMS keys".to_owned(),
            ));
        }
        let record = &target.record;
        let place = match &input.key_material_id {
            None => record.current(),
            Some(id) => {
                let is = |material: &crate::records::MaterialRecord| {
                    material.id.to_string() == id.as_str() && !material.is_gone(cx.now)
                };
                let found = record.materials.iter().position(is);
                Some(found.ok_or_else(|| Error::bare(ErrorCode::NotFoundException))?)
            }
        };
        // A key into which nothing has ever come has nothing to lose.
        if let Some(place) = place {
            let material = &record.materials[place];
            if material.is_pending() && !target.is_replica() {
                // With a primary's, its replicas' goes too.
                let forget = |_: &Key, record: &mut KeyRecord| {
                    record.materials.retain(|material| !material.is_pending());
                };
                cx.service.replace_family(target, cx.now, forget).await?;
            } else {
                cx.service.replace(target, |record| record.drop_material(place)).await?;
            }
        }
        Ok(DeleteImportedKeyMaterialResponse {
            key_id: Some(target.arn_as_key_id()),
            key_material_id: place
                .filter(|_| target.is_symmetric())
                .map(|place| DeletedKeyMaterialId::of(record.materials[place].id.to_string())),
        })
    }
}
