//! Decapsulate: the shared secret that was encapsulated for a key (ML-KEM). A ciphertext of the
//! right length always gives a secret; a wrong one gives another secret (implicit rejection).
//!
//! Errors, in order: InvalidGrantTokenException, NotFoundException, AccessDeniedException,
//! DisabledException or KMSInvalidStateException, InvalidKeyUsageException,
//! InvalidCiphertextException (the length), DryRunOperationException.

use service::ports::MaterialError;
use service::{Authorized, Context, Error, Facts, Operation};
use wire::enums::{EncapsulationAlgorithmSpec, KeyUsageType};
use wire::shapes::{Ciphertext, GrantTokens, Plaintext};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::encryption::failed;
use crate::key_use::KeyUse;
use crate::operations::CRYPTOGRAPHY;

/// Decapsulate.
pub(crate) struct Decapsulate;

structure! {
    /// Input of Decapsulate.
    pub(crate) struct DecapsulateRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        shared_secret_ciphertext_blob: Ciphertext = required "SharedSecretCiphertextBlob",
        encapsulation_algorithm: EncapsulationAlgorithmSpec = required "EncapsulationAlgorithm",
        grant_tokens: GrantTokens = optional "GrantTokens",
        dry_run: bool = optional "DryRun",
    }

    /// Output of Decapsulate.
    pub(crate) struct DecapsulateResponse {
        key_id: wire::shapes::KeyId = optional "KeyId",
        shared_secret: Plaintext = optional "SharedSecret",
        encapsulation_algorithm: EncapsulationAlgorithmSpec = optional "EncapsulationAlgorithm",
    }
}

impl Operation for Decapsulate {
    type Service = Kms;
    type Input = DecapsulateRequest;
    type Output = DecapsulateResponse;
    type Target = KeyUse;

    const FACTS: Facts = Facts {
        name: "Decapsulate",
        actions: &["kms:Decapsulate"],
        usage: Some(KeyUsageType::EncapsulateDecapsulate),
        errors: &[
            ErrorCode::NotFoundException,
            ErrorCode::DisabledException,
            ErrorCode::KeyUnavailableException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::InvalidGrantTokenException,
            ErrorCode::InvalidKeyUsageException,
            ErrorCode::InvalidCiphertextException,
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
        let ciphertext = input.shared_secret_ciphertext_blob.as_bytes();
        let secret = material.decapsulate(ciphertext).await.map_err(|error| match error {
            MaterialError::Input => Error::bare(ErrorCode::InvalidCiphertextException),
            other @ MaterialError::KeyStore(_) => failed(other),
        })?;
        Ok(DecapsulateResponse {
            key_id: Some(target.arn_as_key_id()),
            shared_secret: Some(Plaintext::of(secret)),
            encapsulation_algorithm: Some(input.encapsulation_algorithm),
        })
    }
}
