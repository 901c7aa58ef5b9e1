//! GenerateDataKeyPairWithoutPlaintext: a fresh key pair, its private key only encrypted under a
//! symmetric key.
//!
//! Errors, in order: InvalidGrantTokenException, NotFoundException, AccessDeniedException,
//! DisabledException or KMSInvalidStateException, InvalidKeyUsageException,
//! UnsupportedOperationException (SM2), DryRunOperationException.

use service::ports::Uses;
use service::{Authorized, Context, Error, Facts, Operation};
use wire::enums::{DataKeyPairSpec, KeyUsageType};
use wire::shapes::{Ciphertext, EncryptionContext, GrantTokens, KeyMaterialId, PublicKey};
use wire::{ErrorCode, structure};
use zeroize::Zeroizing;

use crate::Kms;
use crate::data_key::pair_spec;
use crate::key_use::KeyUse;
use crate::operations::{CRYPTOGRAPHY, KEY_MATERIAL_ID};

/// GenerateDataKeyPairWithoutPlaintext.
pub(crate) struct GenerateDataKeyPairWithoutPlaintext;

structure! {
    /// Input of GenerateDataKeyPairWithoutPlaintext.
    pub(crate) struct GenerateDataKeyPairWithoutPlaintextRequest {
        encryption_context: EncryptionContext = optional "EncryptionContext",
        key_id: wire::shapes::KeyId = required "KeyId",
        key_pair_spec: DataKeyPairSpec = required "KeyPairSpec",
        grant_tokens: GrantTokens = optional "GrantTokens",
        dry_run: bool = optional "DryRun",
    }

    /// Output of GenerateDataKeyPairWithoutPlaintext.
    pub(crate) struct GenerateDataKeyPairWithoutPlaintextResponse {
        private_key_ciphertext_blob: Ciphertext = optional "PrivateKeyCiphertextBlob",
        public_key: PublicKey = optional "PublicKey",
        key_id: wire::shapes::KeyId = optional "KeyId",
        key_pair_spec: DataKeyPairSpec = optional "KeyPairSpec",
        key_material_id: KeyMaterialId = optional "KeyMaterialId",
    }
}

impl Operation for GenerateDataKeyPairWithoutPlaintext {
    type Service = Kms;
    type Input = GenerateDataKeyPairWithoutPlaintextRequest;
    type Output = GenerateDataKeyPairWithoutPlaintextResponse;
    type Target = KeyUse;

    const FACTS: Facts = Facts {
        name: "GenerateDataKeyPairWithoutPlaintext",
        actions: &["kms:GenerateDataKeyPairWithoutPlaintext"],
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
            ErrorCode::UnsupportedOperationException,
            ErrorCode::DryRunOperationException,
        ],
        ..CRYPTOGRAPHY
    };

    async fn resolve(cx: &Context<'_, Kms>, input: &Self::Input) -> Result<Self::Target, Error> {
        let (action, tokens) = (Self::FACTS.actions[0], input.grant_tokens.as_ref());
        KeyUse::resolve(cx, &input.key_id, action, tokens, input.encryption_context.as_ref()).await
    }

    fn uses(input: &Self::Input, _: &Self::Target) -> Uses {
        Uses::of(input.key_pair_spec.into())
    }

    async fn run(
        cx: &Context<'_, Kms>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        target.encrypts_by(None)?;
        let spec = pair_spec(input.key_pair_spec)?;
        // A dry run has no use for the pair, whose making may take a second.
        cx.unless_dry_run()?;
        let pair = cx.service.key_store.data_key_pair(spec).await?;
        let context = input.encryption_context.as_ref();
        let sealed = cx.service.seal(target, context, &pair.private_key).await?;
        cx.notes().additional(KEY_MATERIAL_ID, sealed.material.as_str());
        Ok(GenerateDataKeyPairWithoutPlaintextResponse {
            private_key_ciphertext_blob: Some(sealed.ciphertext),
            public_key: Some(PublicKey::of(Zeroizing::new(pair.public_key))),
            key_id: Some(target.arn_as_key_id()),
            key_pair_spec: Some(spec),
            key_material_id: Some(sealed.material),
        })
    }
}
