//! Encapsulate: a fresh shared secret, in plaintext and encapsulated (ML-KEM).
//!
//! Errors, in order: InvalidGrantTokenException, NotFoundException, AccessDeniedException,
//! DisabledException or KMSInvalidStateException, InvalidKeyUsageException,
//! DryRunOperationException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::enums::{EncapsulationAlgorithmSpec, KeyUsageType};
use wire::shapes::{Ciphertext, GrantTokens, Plaintext};
use wire::{ErrorCode, structure};
use zeroize::Zeroizing;

use crate::Kms;
use crate::encryption::failed;
use crate::key_use::KeyUse;
use crate::operations::CRYPTOGRAPHY;

/// Encapsulate.
pub(crate) struct Encapsulate;

structure! {
    /// Input of Encapsulate.
    pub(crate) struct EncapsulateRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        encapsulation_algorithm: EncapsulationAlgorithmSpec = required "EncapsulationAlgorithm",
        grant_tokens: GrantTokens = optional "GrantTokens",
        dry_run: bool = optional "DryRun",
    }

    /// Output of Encapsulate.
    pub(crate) struct EncapsulateResponse {
        key_id: wire::shapes::KeyId = optional "KeyId",
        shared_secret: Plaintext = optional "SharedSecret",
        shared_secret_ciphertext_blob: Ciphertext = optional "SharedSecretCiphertextBlob",
        encapsulation_algorithm: EncapsulationAlgorithmSpec = optional "EncapsulationAlgorithm",
    }
}

impl Operation for Encapsulate {
    type Service = Kms;
    type Input = EncapsulateRequest;
    type Output = EncapsulateResponse;
    type Target = KeyUse;

    const FACTS: Facts = Facts {
        name: "Encapsulate",
        actions: &["kms:Encapsulate"],
        usage: Some(KeyUsageType::EncapsulateDecapsulate),
        errors: &[
            ErrorCode::NotFoundException,
            ErrorCode::DisabledException,
            ErrorCode::KeyUnavailableException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::InvalidGrantTokenException,
            ErrorCode::InvalidKeyUsageException,
            ErrorCode::KMSInternalException,
            ErrorCode::KMSInvalidStateException,
            ErrorCode::DryRunOperationException,
        ],
        ..CRYPTOGRAPHY
    };

    async fn resolve(cx: &Context<'_, Kms>, input: &Self::Input) -> Result<Self::Target, Error> {
        let (action, tokens) = (Self::FACTS.actions[0], input.grant_tokens.as_ref());
        KeyUse::resolve(cx, &input.key_id, action, tokens, None).await
    }

    async fn run(
        cx: &Context<'_, Kms>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let (_, material) = target.current_material(cx.service.key_store.as_ref()).await?;
        let made = material.encapsulate().await.map_err(failed)?;
        Ok(EncapsulateResponse {
            key_id: Some(target.arn_as_key_id()),
            shared_secret: Some(Plaintext::of(made.secret)),
            shared_secret_ciphertext_blob: Some(Ciphertext::of(Zeroizing::new(made.ciphertext))),
            encapsulation_algorithm: Some(input.encapsulation_algorithm),
        })
    }
}
