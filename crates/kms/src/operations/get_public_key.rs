//! GetPublicKey: the public key of an asymmetric key.
//!
//! Errors, in order: InvalidGrantTokenException, NotFoundException, AccessDeniedException,
//! DisabledException or KMSInvalidStateException, UnsupportedOperationException (a key without a
//! public one).

use service::{Authorized, Context, Error, Facts, Operation};
use wire::enums::{AnsweredCustomerMasterKeySpec, KeySpec, KeyUsageType};
use wire::shapes::{
    EncapsulationAlgorithms, EncryptionAlgorithms, GrantTokens, KeyAgreementAlgorithms, PublicKey,
    SigningAlgorithms,
};
use wire::{ErrorCode, structure};
use zeroize::Zeroizing;

use crate::Kms;
use crate::key_use::KeyUse;
use crate::operations::CRYPTOGRAPHY;
use crate::spec::is_asymmetric;

/// GetPublicKey.
pub(crate) struct GetPublicKey;

structure! {
    /// Input of GetPublicKey.
    pub(crate) struct GetPublicKeyRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        grant_tokens: GrantTokens = optional "GrantTokens",
    }

    /// Output of GetPublicKey.
    pub(crate) struct GetPublicKeyResponse {
        key_id: wire::shapes::KeyId = optional "KeyId",
        public_key: PublicKey = optional "PublicKey",
        customer_master_key_spec: AnsweredCustomerMasterKeySpec =
            optional "CustomerMasterKeySpec",
        key_spec: KeySpec = optional "KeySpec",
        key_usage: KeyUsageType = optional "KeyUsage",
        encryption_algorithms: EncryptionAlgorithms = optional "EncryptionAlgorithms",
        signing_algorithms: SigningAlgorithms = optional "SigningAlgorithms",
        key_agreement_algorithms: KeyAgreementAlgorithms = optional "KeyAgreementAlgorithms",
        encapsulation_algorithms: EncapsulationAlgorithms = optional "EncapsulationAlgorithms",
    }
}

impl Operation for GetPublicKey {
    type Service = Kms;
    type Input = GetPublicKeyRequest;
    type Output = GetPublicKeyResponse;
    type Target = KeyUse;

    const FACTS: Facts = Facts {
        name: "GetPublicKey",
        actions: &["kms:GetPublicKey"],
        dry_run: false,
        errors: &[
            ErrorCode::NotFoundException,
            ErrorCode::DisabledException,
            ErrorCode::KeyUnavailableException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::UnsupportedOperationException,
            ErrorCode::InvalidArnException,
            ErrorCode::InvalidGrantTokenException,
            ErrorCode::InvalidKeyUsageException,
            ErrorCode::KMSInternalException,
            ErrorCode::KMSInvalidStateException,
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
        _: &Self::Input,
    ) -> Result<Self::Output, Error> {
        if !is_asymmetric(target.record.spec) {
            return Err(Error::bare(ErrorCode::UnsupportedOperationException));
        }
        let (_, material) = target.current_material(cx.service.key_store.as_ref()).await?;
        let public_key = material.public_key().await?;
        let algorithms = target.algorithm_lists();
        Ok(GetPublicKeyResponse {
            key_id: Some(target.arn_as_key_id()),
            public_key: Some(PublicKey::of(Zeroizing::new(public_key))),
            customer_master_key_spec: Some(AnsweredCustomerMasterKeySpec(target.record.spec)),
            key_spec: Some(target.record.spec),
            key_usage: Some(target.record.usage),
            encryption_algorithms: algorithms.encryption,
            signing_algorithms: algorithms.signing,
            key_agreement_algorithms: algorithms.key_agreement,
            encapsulation_algorithms: algorithms.encapsulation,
        })
    }
}
