//! GenerateDataKey: a fresh data key, in plaintext and encrypted under a key.
//!
//! Errors, in order: InvalidGrantTokenException, NotFoundException, AccessDeniedException,
//! DisabledException or KMSInvalidStateException, InvalidKeyUsageException, ValidationException
//! (not exactly one of KeySpec and NumberOfBytes; Recipient), DryRunOperationException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::enums::{DataKeySpec, KeyUsageType};
use wire::shapes::{
    Ciphertext, EncryptionContext, GrantTokens, KeyMaterialId, NumberOfBytes, Plaintext,
    RecipientInfo,
};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::data_key::length;
use crate::key_use::KeyUse;
use crate::operations::{CRYPTOGRAPHY, KEY_MATERIAL_ID};
use crate::recipient::Audience;

/// GenerateDataKey.
pub(crate) struct GenerateDataKey;

structure! {
    /// Input of GenerateDataKey.
    pub(crate) struct GenerateDataKeyRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        encryption_context: EncryptionContext = optional "EncryptionContext",
        number_of_bytes: NumberOfBytes = optional "NumberOfBytes",
        key_spec: DataKeySpec = optional "KeySpec",
        grant_tokens: GrantTokens = optional "GrantTokens",
        recipient: RecipientInfo = optional "Recipient",
        dry_run: bool = optional "DryRun",
    }

    /// Output of GenerateDataKey.
    pub(crate) struct GenerateDataKeyResponse {
        ciphertext_blob: Ciphertext = optional "CiphertextBlob",
        plaintext: Plaintext = optional "Plaintext",
        key_id: wire::shapes::KeyId = optional "KeyId",
        ciphertext_for_recipient: Ciphertext = optional "CiphertextForRecipient",
        key_material_id: KeyMaterialId = optional "KeyMaterialId",
    }
}

impl Operation for GenerateDataKey {
    type Service = Kms;
    type Input = GenerateDataKeyRequest;
    type Output = GenerateDataKeyResponse;
    type Target = KeyUse;

    const FACTS: Facts = Facts {
        name: "GenerateDataKey",
        actions: &["kms:GenerateDataKey"],
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
        let audience = Audience::of(cx, input.recipient.as_ref())?;
        let data_key = cx.service.key_store.random(length)?;
        let context = input.encryption_context.as_ref();
        let sealed = cx.service.seal(target, context, &data_key).await?;
        let answered = audience.answer(cx, data_key)?;
        cx.notes().additional(KEY_MATERIAL_ID, sealed.material.as_str());
        Ok(GenerateDataKeyResponse {
            ciphertext_blob: Some(sealed.ciphertext),
            plaintext: answered.plaintext,
            key_id: Some(target.arn_as_key_id()),
            ciphertext_for_recipient: answered.ciphertext_for_recipient,
            key_material_id: audience.for_caller(sealed.material),
        })
    }
}
