//! VerifyMac: whether an HMAC is one of this message and key. It never answers false.
//!
//! Errors, in order: InvalidGrantTokenException, NotFoundException, AccessDeniedException,
//! DisabledException or KMSInvalidStateException, InvalidKeyUsageException (usage, then algorithm),
//! KMSInvalidMacException without a message, DryRunOperationException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::enums::{KeyUsageType, MacAlgorithmSpec};
use wire::shapes::{Ciphertext, GrantTokens, Plaintext};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::encryption::failed;
use crate::key_use::KeyUse;
use crate::operations::CRYPTOGRAPHY;
use crate::signature::macs_by;

/// VerifyMac.
pub(crate) struct VerifyMac;

structure! {
    /// Input of VerifyMac.
    pub(crate) struct VerifyMacRequest {
        message: Plaintext = required "Message",
        key_id: wire::shapes::KeyId = required "KeyId",
        mac_algorithm: MacAlgorithmSpec = required "MacAlgorithm",
        mac: Ciphertext = required "Mac",
        grant_tokens: GrantTokens = optional "GrantTokens",
        dry_run: bool = optional "DryRun",
    }

    /// Output of VerifyMac.
    pub(crate) struct VerifyMacResponse {
        key_id: wire::shapes::KeyId = optional "KeyId",
        mac_valid: bool = optional "MacValid",
        mac_algorithm: MacAlgorithmSpec = optional "MacAlgorithm",
    }
}

impl Operation for VerifyMac {
    type Service = Kms;
    type Input = VerifyMacRequest;
    type Output = VerifyMacResponse;
    type Target = KeyUse;

    const FACTS: Facts = Facts {
        name: "VerifyMac",
        actions: &["kms:VerifyMac"],
        usage: Some(KeyUsageType::GenerateVerifyMac),
        errors: &[
            ErrorCode::NotFoundException,
            ErrorCode::DisabledException,
            ErrorCode::KeyUnavailableException,
            ErrorCode::InvalidKeyUsageException,
            ErrorCode::InvalidGrantTokenException,
            ErrorCode::KMSInternalException,
            ErrorCode::KMSInvalidMacException,
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
        macs_by(target, input.mac_algorithm)?;
        let (_, material) = target.current_material(cx.service.key_store.as_ref()).await?;
        let (message, mac) = (input.message.as_bytes(), input.mac.as_bytes());
        if !material.verify_mac(input.mac_algorithm, message, mac).await.map_err(failed)? {
            return Err(Error::bare(ErrorCode::KMSInvalidMacException));
        }
        Ok(VerifyMacResponse {
            key_id: Some(target.arn_as_key_id()),
            mac_valid: Some(true),
            mac_algorithm: Some(input.mac_algorithm),
        })
    }
}
