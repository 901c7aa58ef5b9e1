//! Sign: a signature of a message, or of a digest that is not hashed again.
//!
//! Errors, in order: InvalidGrantTokenException, NotFoundException, AccessDeniedException,
//! DisabledException or KMSInvalidStateException, InvalidKeyUsageException (usage, then algorithm),
//! ValidationException (message type, length), DryRunOperationException.

use service::{Authorized, Context, Error, Facts, FilledIn, Operation};
use wire::enums::{KeyUsageType, MessageType, SigningAlgorithmSpec};
use wire::shapes::{Ciphertext, GrantTokens, Plaintext};
use wire::{ErrorCode, structure};
use zeroize::Zeroizing;

use crate::Kms;
use crate::encryption::failed;
use crate::key_use::KeyUse;
use crate::operations::CRYPTOGRAPHY;
use crate::signature::message;

/// Sign.
pub(crate) struct Sign;

structure! {
    /// Input of Sign.
    pub(crate) struct SignRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        message: Plaintext = required "Message",
        message_type: MessageType = optional "MessageType",
        grant_tokens: GrantTokens = optional "GrantTokens",
        signing_algorithm: SigningAlgorithmSpec = required "SigningAlgorithm",
        dry_run: bool = optional "DryRun",
    }

    /// Output of Sign.
    pub(crate) struct SignResponse {
        key_id: wire::shapes::KeyId = optional "KeyId",
        signature: Ciphertext = optional "Signature",
        signing_algorithm: SigningAlgorithmSpec = optional "SigningAlgorithm",
    }
}

impl Operation for Sign {
    type Service = Kms;
    type Input = SignRequest;
    type Output = SignResponse;
    type Target = KeyUse;

    const FILLED_IN: &'static [(&'static str, FilledIn)] =
        &[("MessageType", FilledIn::Text("RAW"))];
    const FACTS: Facts = Facts {
        name: "Sign",
        actions: &["kms:Sign"],
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
        let signature = material.sign(algorithm, message).await.map_err(failed)?;
        Ok(SignResponse {
            key_id: Some(target.arn_as_key_id()),
            signature: Some(Ciphertext::of(Zeroizing::new(signature))),
            signing_algorithm: Some(algorithm),
        })
    }
}
