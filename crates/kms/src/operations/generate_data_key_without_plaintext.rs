//! GenerateDataKeyWithoutPlaintext: a fresh data key, only encrypted.
//!
//! Errors, in order: InvalidGrantTokenException, NotFoundException, AccessDeniedException,
//! DisabledException or KMSInvalidStateException, InvalidKeyUsageException, ValidationException
//! (not exactly one of KeySpec and NumberOfBytes), DryRunOperationException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::enums::{DataKeySpec, KeyUsageType};
use wire::shapes::{Ciphertext, EncryptionContext, GrantTokens, KeyMaterialId, NumberOfBytes};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::data_key::length;
use crate::key_use::KeyUse;
use crate::operations::{CRYPTOGRAPHY, KEY_MATERIAL_ID};

/// GenerateDataKeyWithoutPlaintext.
pub(crate) struct GenerateDataKeyWithoutPlaintext;

structure! {
    /// Input of GenerateDataKeyWithoutPlaintext.
    pub(crate) struct GenerateDataKeyWithoutPlaintextRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        encryption_context: EncryptionContext = optional "EncryptionContext",
        key_spec: DataKeySpec = optional "KeySpec",
        number_of_bytes: NumberOfBytes = optional "NumberOfBytes",
        grant_tokens: GrantTokens = optional "GrantTokens",
        dry_run: bool = optional "DryRun",
    }

    /// Output of GenerateDataKeyWithoutPlaintext.
    pub(crate) struct GenerateDataKeyWithoutPlaintextResponse {
        ciphertext_blob: Ciphertext = optional "CiphertextBlob",
        key_id: wire::shapes::KeyId = optional "KeyId",
        key_material_id: KeyMaterialId = optional "KeyMaterialId",
    }
}

impl Operation for GenerateDataKeyWithoutPlaintext {
    type Service = Kms;
    type Input = GenerateDataKeyWithoutPlaintextRequest;
    type Output = GenerateDataKeyWithoutPlaintextResponse;
    type Target = KeyUse;

    const FACTS: Facts = Facts {
        name: "GenerateDataKeyWithoutPlaintext",
        actions: &["kms:GenerateDataKeyWithoutPlaintext"],
        usage: Some(KeyUsageType::EncryptDecrypt),
        errors: &[
            ErrorCode::NotFoundException,
            ErrorCode::DisabledException,
            ErrorCode::KeyUnavailableException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::InvalidKeyUsageException,
            ErrorCode::InvalidGrantTokenException,
            ErrorCode::KMSInternalException,
            ErrorCode::KMSInvalidStateException,
            ErrorCode::DryRunOperationException,
        ],
        ..CRYPTOGRAPHY
    };

    async fn resolve(cx: &Context<'_, Kms>, input: &Self::Input) -> Result<Self::Target, Error> {
        let (action, tokens) = (Self::FACTS.actions[0], input.grant_tokens.as_ref());
        KeyUse::resolve(cx, &input.key_id, action, tokens, input.encryption_context.as_ref()).await
    }

    async fn run(
        cx: &Context<'_, Kms>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        target.encrypts_by(None)?;
        let length = length(input.key_spec, input.number_of_bytes)?;
        let data_key = cx.service.key_store.random(length)?;
        let context = input.encryption_context.as_ref();
        let sealed = cx.service.seal(target, context, &data_key).await?;
        cx.notes().additional(KEY_MATERIAL_ID, sealed.material.as_str());
        Ok(GenerateDataKeyWithoutPlaintextResponse {
            ciphertext_blob: Some(sealed.ciphertext),
            key_id: Some(target.arn_as_key_id()),
            key_material_id: Some(sealed.material),
        })
    }
}
