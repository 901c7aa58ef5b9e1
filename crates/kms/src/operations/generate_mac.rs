//! GenerateMac: an HMAC of a message.
//!
//! Errors, in order: InvalidGrantTokenException, NotFoundException, AccessDeniedException,
//! DisabledException or KMSInvalidStateException, InvalidKeyUsageException (usage, then algorithm),
//! DryRunOperationException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::enums::{KeyUsageType, MacAlgorithmSpec};
use wire::shapes::{Ciphertext, GrantTokens, Plaintext};
use wire::{ErrorCode, structure};
use zeroize::Zeroizing;

use crate::Kms;
use crate::encryption::failed;
use crate::key_use::KeyUse;
use crate::operations::CRYPTOGRAPHY;
use crate::signature::macs_by;

/// GenerateMac.
pub(crate) struct GenerateMac;

structure! {
    /// Input of GenerateMac.
    pub(crate) struct GenerateMacRequest {
        message: Plaintext = required "Message",
        key_id: wire::shapes::KeyId = required "KeyId",
        mac_algorithm: MacAlgorithmSpec = required "MacAlgorithm",
        grant_tokens: GrantTokens = optional "GrantTokens",
        dry_run: bool = optional "DryRun",
    }

    /// Output of GenerateMac.
    pub(crate) struct GenerateMacResponse {
        mac: Ciphertext = optional "Mac",
        mac_algorithm: MacAlgorithmSpec = optional "MacAlgorithm",
        key_id: wire::shapes::KeyId = optional "KeyId",
    }
}

impl Operation for GenerateMac {
    type Service = Kms;
    type Input = GenerateMacRequest;
    type Output = GenerateMacResponse;
    type Target = KeyUse;

    const FACTS: Facts = Facts {
        name: "GenerateMac",
        actions: &["kms:GenerateMac"],
        usage: Some(KeyUsageType::GenerateVerifyMac),
        errors: &[
            ErrorCode::NotFoundException,
            ErrorCode::DisabledException,
            ErrorCode::KeyUnavailableException,
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
        macs_by(target, input.mac_algorithm)?;
        let (_, material) = target.current_material(cx.service.key_store.as_ref()).await?;
        let mac = material.mac(input.mac_algorithm, input.message.as_bytes()).await;
        Ok(GenerateMacResponse {
            mac: Some(Ciphertext::of(Zeroizing::new(mac.map_err(failed)?))),
            mac_algorithm: Some(input.mac_algorithm),
            key_id: Some(target.arn_as_key_id()),
        })
    }
}
