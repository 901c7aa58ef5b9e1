//! GetParametersForImport: a fresh public key under which material may come into a key, and the
//! token that goes with it. Nothing is stored.
//!
//! Errors, in order: NotFoundException, AccessDeniedException, KMSInvalidStateException (pending
//! deletion), UnsupportedOperationException (a key of another origin; a way of wrapping that there
//! isn't, or that can't carry the key's kind of material).

use std::sync::Arc;

use service::{Authorized, Context, Error, Facts, Operation};
use wire::Timestamp;
use wire::enums::{AlgorithmSpec, WrappingKeySpec};
use wire::shapes::{Ciphertext, Plaintext};
use wire::{ErrorCode, structure};
use zeroize::Zeroizing;

use crate::Kms;
use crate::import_token::{ImportToken, VALID_MS};
use crate::imports::{IMPORTABLE, can_carry, takes_imports};
use crate::key::Key;
use crate::key_id::Aliases;
use crate::operations::MANAGEMENT;

/// GetParametersForImport.
pub(crate) struct GetParametersForImport;

structure! {
    /// Input of GetParametersForImport.
    pub(crate) struct GetParametersForImportRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        wrapping_algorithm: AlgorithmSpec = required "WrappingAlgorithm",
        wrapping_key_spec: WrappingKeySpec = required "WrappingKeySpec",
    }

    /// Output of GetParametersForImport.
    pub(crate) struct GetParametersForImportResponse {
        key_id: wire::shapes::KeyId = optional "KeyId",
        import_token: Ciphertext = optional "ImportToken",
        public_key: Plaintext = optional "PublicKey",
        parameters_valid_to: Timestamp = optional "ParametersValidTo",
    }
}

impl Operation for GetParametersForImport {
    type Service = Kms;
    type Input = GetParametersForImportRequest;
    type Output = GetParametersForImportResponse;
    type Target = Arc<Key>;

    const FACTS: Facts = Facts {
        name: "GetParametersForImport",
        actions: &["kms:GetParametersForImport"],
        states: IMPORTABLE,
        read_only: true,
        errors: &[
            ErrorCode::InvalidArnException,
            ErrorCode::UnsupportedOperationException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::NotFoundException,
            ErrorCode::KMSInternalException,
            ErrorCode::KMSInvalidStateException,
        ],
        ..MANAGEMENT
    };

    async fn resolve(cx: &Context<'_, Kms>, input: &Self::Input) -> Result<Self::Target, Error> {
        cx.service.key_named(cx, &input.key_id, Aliases::Refused, Self::FACTS.actions[0]).await
    }

    async fn run(
        cx: &Context<'_, Kms>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        takes_imports(target)?;
        let (spec, algorithm) = (input.wrapping_key_spec, input.wrapping_algorithm);
        can_carry(target.record.spec, algorithm, spec)?;
        let made = cx.service.key_store.import_key(target.binding(), spec).await?;
        let valid_to = Timestamp::from_millis(cx.now.millis().saturating_add(VALID_MS));
        let token = ImportToken { spec, algorithm, valid_to, wrapped: made.wrapped };
        Ok(GetParametersForImportResponse {
            key_id: Some(target.arn_as_key_id()),
            import_token: Some(cx.service.seal_import_token(target, &token).await?),
            public_key: Some(Plaintext::of(Zeroizing::new(made.public_key))),
            parameters_valid_to: Some(valid_to),
        })
    }
}
