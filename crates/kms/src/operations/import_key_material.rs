//! ImportKeyMaterial: gives a key material that its owner made.
//!
//! Errors, in order: NotFoundException, AccessDeniedException, KMSInvalidStateException (pending
//! deletion), UnsupportedOperationException (a key of another origin; members that are for
//! symmetric encryption keys), ValidationException (expiration, new material with an id),
//! InvalidImportTokenException, ExpiredImportTokenException, ValidationException (the encrypted
//! material's length), InvalidCiphertextException, IncorrectKeyMaterialException,
//! KMSInvalidStateException (another material is pending rotation).

use std::sync::Arc;

use service::ports::{Import, ImportError};
use service::{Authorized, Context, Error, Facts, Operation};
use wire::Timestamp;
use wire::enums::{ExpirationModelType, ImportType};
use wire::shapes::{Ciphertext, KeyMaterialDescription, KeyMaterialId};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::change::replacing;
use crate::expiration::note_expiration;
use crate::imports::{IMPORTABLE, Incoming, encrypted_length, takes_imports, unsupported};
use crate::key::Key;
use crate::key_id::Aliases;
use crate::operations::MANAGEMENT;
use crate::records::KeyRecord;

/// ImportKeyMaterial.
pub(crate) struct ImportKeyMaterial;

/// How far ahead material may expire, in days.
const VALID_DAYS_MAX: i64 = 365;

structure! {
    /// Input of ImportKeyMaterial.
    pub(crate) struct ImportKeyMaterialRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        import_token: Ciphertext = required "ImportToken",
        encrypted_key_material: Ciphertext = required "EncryptedKeyMaterial",
        valid_to: Timestamp = optional "ValidTo",
        expiration_model: ExpirationModelType = optional "ExpirationModel",
        import_type: ImportType = optional "ImportType",
        key_material_description: KeyMaterialDescription = optional "KeyMaterialDescription",
        key_material_id: KeyMaterialId = optional "KeyMaterialId",
    }

    /// Output of ImportKeyMaterial.
    pub(crate) struct ImportKeyMaterialResponse {
        key_id: wire::shapes::KeyId = optional "KeyId",
        key_material_id: KeyMaterialId = optional "KeyMaterialId",
    }
}

impl Operation for ImportKeyMaterial {
    type Service = Kms;
    type Input = ImportKeyMaterialRequest;
    type Output = ImportKeyMaterialResponse;
    type Target = Arc<Key>;

    const FACTS: Facts = Facts {
        name: "ImportKeyMaterial",
        actions: &["kms:ImportKeyMaterial"],
        states: IMPORTABLE,
        errors: &[
            ErrorCode::InvalidArnException,
            ErrorCode::UnsupportedOperationException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::NotFoundException,
            ErrorCode::KMSInternalException,
            ErrorCode::KMSInvalidStateException,
            ErrorCode::InvalidCiphertextException,
            ErrorCode::IncorrectKeyMaterialException,
            ErrorCode::ExpiredImportTokenException,
            ErrorCode::InvalidImportTokenException,
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
        suits(target, input)?;
        let expires = expiry(input, cx.now)?;
        let token = cx.service.open_import_token(target, &input.import_token, cx.now).await?;
        let encrypted = input.encrypted_key_material.as_bytes();
        if encrypted_length(token.algorithm, token.spec).is_some_and(|len| len != encrypted.len()) {
            return Err(Error::validation("Invalid encrypted key size."));
        }
        let import = Import {
            spec: token.spec,
            wrapped: &token.wrapped,
            algorithm: token.algorithm,
            encrypted,
        };
        let result = cx.service.key_store.import(target.binding(), import).await;
        let (wrapped, opened) = result.map_err(|error| match error {
            ImportError::Unopened => Error::bare(ErrorCode::InvalidCiphertextException),
            ImportError::Rejected(_) => Error::bare(ErrorCode::IncorrectKeyMaterialException),
            ImportError::KeyStore(error) => error.into(),
        })?;
        let incoming = Incoming {
            id: opened.id,
            wrapped,
            expires,
            kind: input.import_type,
            named: input.key_material_id.as_ref().map(KeyMaterialId::as_str),
            description: input
                .key_material_description
                .as_ref()
                .map(KeyMaterialDescription::as_str),
        };
        if target.is_replica() && input.import_type == Some(ImportType::NewKeyMaterial) {
            return Err(unsupported(
                "New key material must be imported into the primary key first".to_owned(),
            ));
        }
        let mut record = target.record.clone();
        record.take_in(&target.arn, incoming, cx.now)?;
        let new = record.materials.last().filter(|new| {
            new.is_pending() && !target.record.materials.iter().any(|old| old.id == new.id)
        });
        let mut commit = match new {
            // Its relatives learn what they shall have.
            Some(new) => {
                let change = |member: &Key, old: &mut KeyRecord| {
                    if member.region == target.region {
                        *old = record.clone();
                    } else {
                        old.expect_material(new);
                    }
                };
                cx.service.replacing_family(target, cx.now, change).await?
            }
            None => replacing(target, &record)?,
        };
        note_expiration(&mut commit, target, expires);
        cx.service.store.commit(commit).await?;
        Ok(ImportKeyMaterialResponse {
            key_id: Some(target.arn_as_key_id()),
            key_material_id: target
                .is_symmetric()
                .then(|| KeyMaterialId::of(opened.id.to_string())),
        })
    }
}

/// Refuses members that don't go with the key, or with each other.
fn suits(key: &Key, input: &ImportKeyMaterialRequest) -> Result<(), Error> {
    let members = [
        ("ImportType", input.import_type.is_some()),
        ("KeyMaterialDescription", input.key_material_description.is_some()),
        ("KeyMaterialId", input.key_material_id.is_some()),
    ];
    if let Some((name, _)) = members.iter().find(|(_, given)| *given && !key.is_symmetric()) {
        return Err(unsupported(format!(
            "{name} is only supported for symmetric encryption KMS keys"
        )));
    }
    if input.key_material_id.is_some() && input.import_type == Some(ImportType::NewKeyMaterial) {
        return Err(Error::validation(
            "KeyMaterialId cannot be specified with ImportType NEW_KEY_MATERIAL",
        ));
    }
    Ok(())
}

/// When the material shall expire.
fn expiry(input: &ImportKeyMaterialRequest, now: Timestamp) -> Result<Option<Timestamp>, Error> {
    let model = input.expiration_model.unwrap_or(ExpirationModelType::KeyMaterialExpires);
    match (model, input.valid_to) {
        (ExpirationModelType::KeyMaterialExpires, None) => Err(Error::validation(
            "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES",
        )),
        (ExpirationModelType::KeyMaterialDoesNotExpire, Some(_)) => Err(Error::validation(
            "A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE",
        )),
        (ExpirationModelType::KeyMaterialDoesNotExpire, None) => Ok(None),
        (_, Some(at)) if at <= now => Err(Error::validation("ValidTo must be in the future")),
        (_, Some(at)) if at > now.plus_days(VALID_DAYS_MAX) => {
            Err(Error::validation("ValidTo must be at most 365 days in the future"))
        }
        (_, Some(at)) => Ok(Some(at)),
    }
}
