//! Decrypt: opens a ciphertext; the key is the one that the ciphertext names.
//!
//! Errors, in order: InvalidGrantTokenException, ValidationException (a member that is required
//! here), NotFoundException, InvalidCiphertextException (nothing names a key),
//! AccessDeniedException, IncorrectKeyException (the request names another key than the
//! ciphertext), DisabledException or KMSInvalidStateException, InvalidKeyUsageException,
//! ValidationException (Recipient), InvalidCiphertextException, DryRunOperationException.

use service::{Authorized, Context, Error, Facts, FilledIn, Operation};
use wire::enums::{EncryptionAlgorithmSpec, KeyUsageType};
use wire::shapes::{
    Ciphertext, DryRunModifiers, EncryptionContext, GrantTokens, KeyMaterialId, Plaintext,
    RecipientInfo,
};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::decryption::{DecryptionKey, Source};
use crate::grants::check_tokens;
use crate::operations::{CRYPTOGRAPHY, KEY_MATERIAL_ID};
use crate::recipient::Audience;

/// Decrypt.
pub(crate) struct Decrypt;

structure! {
    /// Input of Decrypt.
    pub(crate) struct DecryptRequest {
        ciphertext_blob: Ciphertext = optional "CiphertextBlob",
        encryption_context: EncryptionContext = optional "EncryptionContext",
        grant_tokens: GrantTokens = optional "GrantTokens",
        key_id: wire::shapes::KeyId = optional "KeyId",
        encryption_algorithm: EncryptionAlgorithmSpec = optional "EncryptionAlgorithm",
        recipient: RecipientInfo = optional "Recipient",
        dry_run: bool = optional "DryRun",
        dry_run_modifiers: DryRunModifiers = optional "DryRunModifiers",
    }

    /// Output of Decrypt.
    pub(crate) struct DecryptResponse {
        key_id: wire::shapes::KeyId = optional "KeyId",
        plaintext: Plaintext = optional "Plaintext",
        encryption_algorithm: EncryptionAlgorithmSpec = optional "EncryptionAlgorithm",
        ciphertext_for_recipient: Ciphertext = optional "CiphertextForRecipient",
        key_material_id: KeyMaterialId = optional "KeyMaterialId",
    }
}

impl Operation for Decrypt {
    type Service = Kms;
    type Input = DecryptRequest;
    type Output = DecryptResponse;
    type Target = DecryptionKey;

    const FILLED_IN: &'static [(&'static str, FilledIn)] =
        &[("EncryptionAlgorithm", FilledIn::Text("SYMMETRIC_DEFAULT"))];
    const FACTS: Facts = Facts {
        name: "Decrypt",
        actions: &["kms:Decrypt"],
        usage: Some(KeyUsageType::EncryptDecrypt),
        errors: &[
            ErrorCode::NotFoundException,
            ErrorCode::DisabledException,
            ErrorCode::InvalidCiphertextException,
            ErrorCode::KeyUnavailableException,
            ErrorCode::IncorrectKeyException,
            ErrorCode::InvalidKeyUsageException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::InvalidGrantTokenException,
            ErrorCode::KMSInternalException,
            ErrorCode::KMSInvalidStateException,
            ErrorCode::DryRunOperationException,
        ],
        ..CRYPTOGRAPHY
    };

    async fn resolve(cx: &Context<'_, Kms>, input: &Self::Input) -> Result<Self::Target, Error> {
        check_tokens(cx, input.grant_tokens.as_ref()).await?;
        let source = Source {
            ciphertext: input.ciphertext_blob.as_ref(),
            key_id: input.key_id.as_ref(),
            modifiers: input.dry_run_modifiers.as_ref(),
            context: input.encryption_context.as_ref(),
            action: Self::FACTS.actions[0],
        };
        DecryptionKey::resolve(cx, &source).await
    }

    async fn run(
        cx: &Context<'_, Kms>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let algorithm = target.key.encrypts_by(input.encryption_algorithm)?;
        let audience = Audience::of(cx, input.recipient.as_ref())?;
        let opened = target.decrypt(cx, algorithm, input.encryption_context.as_ref()).await?;
        if let Some(material) = &opened.material {
            cx.notes().additional(KEY_MATERIAL_ID, material.as_str());
        }
        let material = opened.material.and_then(|material| audience.for_caller(material));
        let answered = audience.answer(cx, opened.plaintext)?;
        Ok(DecryptResponse {
            key_id: Some(target.key.arn_as_key_id()),
            plaintext: answered.plaintext,
            encryption_algorithm: Some(algorithm),
            ciphertext_for_recipient: answered.ciphertext_for_recipient,
            key_material_id: material,
        })
    }
}
