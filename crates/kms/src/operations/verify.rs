//! Verify: whether a signature is one of this message and key. It never answers false.
//!
//! Errors, in order: InvalidGrantTokenException, NotFoundException, AccessDeniedException,
//! DisabledException or KMSInvalidStateException, InvalidKeyUsageException (usage, then algorithm),
//! ValidationException (message type, length), KMSInvalidSignatureException without a message,
//! DryRunOperationException.

use service::{Authorized, Context, Error, Facts, FilledIn, Operation};
use wire::enums::{KeyUsageType, MessageType, SigningAlgorithmSpec};
use wire::shapes::{Ciphertext, GrantTokens, Plaintext};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::encryption::failed;
use crate::key_use::KeyUse;
use crate::operations::CRYPTOGRAPHY;
use crate::signature::message;

/// Verify.
pub(crate) struct Verify;

structure! {
    /// Input of Verify.
    pub(crate) struct VerifyRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        message: Plaintext = required "Message",
        message_type: MessageType = optional "MessageType",
        signature: Ciphertext = required "Signature",
        signing_algorithm: SigningAlgorithmSpec = required "SigningAlgorithm",
        grant_tokens: GrantTokens = optional "GrantTokens",
        dry_run: bool = optional "DryRun",
    }

    /// Output of Verify.
    pub(crate) struct VerifyResponse {
        key_id: wire::shapes::KeyId = optional "KeyId",
        signature_valid: bool = optional "SignatureValid",
        signing_algorithm: SigningAlgorithmSpec = optional "SigningAlgorithm",
    }
}

impl Operation for Verify {
    type Service = Kms;
    type Input = VerifyRequest;
    type Output = VerifyResponse;
    type Target = KeyUse;

    const FILLED_IN: &'static [(&'static str, FilledIn)] =
        &[("MessageType", FilledIn::Text("RAW"))];
    const FACTS: Facts = Facts {
        name: "Verify",
        actions: &["kms:Verify"],
        usage: Some(KeyUsageType::SignVerify),
        errors: &[
            ErrorCode::NotFoundException,
            ErrorCode::DisabledException,
            ErrorCode::KeyUnavailableException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::InvalidKeyUsageException,
            ErrorCode::InvalidGrantTokenException,
            ErrorCode::KMSInternalException,
            ErrorCode::KMSInvalidStateException,
            ErrorCode::KMSInvalidSignatureException,
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
        let algorithm = input.signing_algorithm;
        let message = message(target, algorithm, input.message_type, input.message.as_bytes())?;
        let (_, material) = target.current_material(cx.service.key_store.as_ref()).await?;
        let signature = input.signature.as_bytes();
        if !material.verify(algorithm, message, signature).await.map_err(failed)? {
            return Err(Error::bare(ErrorCode::KMSInvalidSignatureException));
        }
        Ok(VerifyResponse {
            key_id: Some(target.arn_as_key_id()),
            signature_valid: Some(true),
            signing_algorithm: Some(algorithm),
        })
    }
}
