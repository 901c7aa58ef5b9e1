//! Encrypt: up to 4,096 bytes under a key.
//!
//! Errors, in order: InvalidGrantTokenException, NotFoundException, AccessDeniedException,
//! DisabledException or KMSInvalidStateException, InvalidKeyUsageException (usage, then algorithm),
//! DryRunOperationException.

use service::{Authorized, Context, Error, Facts, FilledIn, Operation};
use wire::enums::{EncryptionAlgorithmSpec, KeyUsageType};
use wire::shapes::{Ciphertext, EncryptionContext, GrantTokens, Plaintext};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::key_use::KeyUse;
use crate::operations::{CRYPTOGRAPHY, KEY_MATERIAL_ID};

/// Encrypt.
pub(crate) struct Encrypt;

structure! {
    /// Input of Encrypt.
    pub(crate) struct EncryptRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        plaintext: Plaintext = required "Plaintext",
        encryption_context: EncryptionContext = optional "EncryptionContext",
        grant_tokens: GrantTokens = optional "GrantTokens",
        encryption_algorithm: EncryptionAlgorithmSpec = optional "EncryptionAlgorithm",
        dry_run: bool = optional "DryRun",
    }

    /// Output of Encrypt.
    pub(crate) struct EncryptResponse {
        ciphertext_blob: Ciphertext = optional "CiphertextBlob",
        key_id: wire::shapes::KeyId = optional "KeyId",
        encryption_algorithm: EncryptionAlgorithmSpec = optional "EncryptionAlgorithm",
    }
}

impl Operation for Encrypt {
    type Service = Kms;
    type Input = EncryptRequest;
    type Output = EncryptResponse;
    type Target = KeyUse;

    const FILLED_IN: &'static [(&'static str, FilledIn)] =
        &[("EncryptionAlgorithm", FilledIn::Text("SYMMETRIC_DEFAULT"))];
    const FACTS: Facts = Facts {
        name: "Encrypt",
        actions: &["kms:Encrypt"],
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
        let algorithm = target.encrypts_by(input.encryption_algorithm)?;
        let context = input.encryption_context.as_ref();
        let sealed =
            cx.service.encrypt(target, algorithm, context, input.plaintext.as_bytes()).await?;
        if target.is_symmetric() {
            cx.notes().additional(KEY_MATERIAL_ID, sealed.material.as_str());
        }
        Ok(EncryptResponse {
            ciphertext_blob: Some(sealed.ciphertext),
            key_id: Some(target.arn_as_key_id()),
            encryption_algorithm: Some(algorithm),
        })
    }
}
