//! DeriveSharedSecret: what a key and a peer's public key agree on (ECDH): the raw x coordinate.
//!
//! Errors, in order: InvalidGrantTokenException, NotFoundException, AccessDeniedException,
//! DisabledException or KMSInvalidStateException, InvalidKeyUsageException, ValidationException
//! (Recipient; the peer's key), DryRunOperationException.

use service::ports::MaterialError;
use service::{Authorized, Context, Error, Facts, Operation};
use wire::enums::{KeyAgreementAlgorithmSpec, KeyUsageType, OriginType};
use wire::shapes::{Ciphertext, GrantTokens, Plaintext, PublicKey, RecipientInfo};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::encryption::failed;
use crate::key_use::KeyUse;
use crate::operations::CRYPTOGRAPHY;
use crate::recipient::Audience;

/// DeriveSharedSecret.
pub(crate) struct DeriveSharedSecret;

structure! {
    /// Input of DeriveSharedSecret.
    pub(crate) struct DeriveSharedSecretRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        key_agreement_algorithm: KeyAgreementAlgorithmSpec = required "KeyAgreementAlgorithm",
        public_key: PublicKey = required "PublicKey",
        grant_tokens: GrantTokens = optional "GrantTokens",
        dry_run: bool = optional "DryRun",
        recipient: RecipientInfo = optional "Recipient",
    }

    /// Output of DeriveSharedSecret.
    pub(crate) struct DeriveSharedSecretResponse {
        key_id: wire::shapes::KeyId = optional "KeyId",
        shared_secret: Plaintext = optional "SharedSecret",
        ciphertext_for_recipient: Ciphertext = optional "CiphertextForRecipient",
        key_agreement_algorithm: KeyAgreementAlgorithmSpec = optional "KeyAgreementAlgorithm",
        key_origin: OriginType = optional "KeyOrigin",
    }
}

impl Operation for DeriveSharedSecret {
    type Service = Kms;
    type Input = DeriveSharedSecretRequest;
    type Output = DeriveSharedSecretResponse;
    type Target = KeyUse;

    const FACTS: Facts = Facts {
        name: "DeriveSharedSecret",
        actions: &["kms:DeriveSharedSecret"],
        usage: Some(KeyUsageType::KeyAgreement),
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
        let audience = Audience::of(cx, input.recipient.as_ref())?;
        let (_, material) = target.current_material(cx.service.key_store.as_ref()).await?;
        let secret = material.agree(input.public_key.as_bytes()).await;
        let secret = secret.map_err(|error| match error {
            // AWS answers without a message, whatever is wrong with the key.
            MaterialError::Input => Error::bare(ErrorCode::ValidationException),
            other @ MaterialError::KeyStore(_) => failed(other),
        })?;
        let answered = audience.answer(cx, secret)?;
        Ok(DeriveSharedSecretResponse {
            key_id: Some(target.arn_as_key_id()),
            shared_secret: answered.plaintext,
            ciphertext_for_recipient: answered.ciphertext_for_recipient,
            key_agreement_algorithm: Some(input.key_agreement_algorithm),
            key_origin: Some(target.record.origin),
        })
    }
}
