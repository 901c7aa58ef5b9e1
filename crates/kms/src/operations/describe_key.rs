//! DescribeKey: all that may be told about a key.
//!
//! Errors, in order: InvalidGrantTokenException, NotFoundException, AccessDeniedException. It works
//! in every state.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::shapes::{GrantTokens, KeyMetadata};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::key_use::KeyUse;
use crate::operations::MANAGEMENT;

/// DescribeKey.
pub(crate) struct DescribeKey;

structure! {
    /// Input of DescribeKey.
    pub(crate) struct DescribeKeyRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        grant_tokens: GrantTokens = optional "GrantTokens",
    }

    /// Output of DescribeKey.
    pub(crate) struct DescribeKeyResponse {
        key_metadata: KeyMetadata = optional "KeyMetadata",
    }
}

impl Operation for DescribeKey {
    type Service = Kms;
    type Input = DescribeKeyRequest;
    type Output = DescribeKeyResponse;
    type Target = KeyUse;

    const FACTS: Facts = Facts {
        name: "DescribeKey",
        actions: &["kms:DescribeKey"],
        grantable: true,
        cross_account: true,
        read_only: true,
        errors: &[
            ErrorCode::NotFoundException,
            ErrorCode::InvalidArnException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::KMSInternalException,
        ],
        ..MANAGEMENT
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
        Ok(DescribeKeyResponse { key_metadata: Some(target.metadata(cx.now)) })
    }
}
