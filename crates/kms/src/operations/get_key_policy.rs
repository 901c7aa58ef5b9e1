//! GetKeyPolicy: the text of a key's policy.
//!
//! Errors, in order: NotFoundException (key), AccessDeniedException, NotFoundException (a policy's
//! name other than `default`: nothing is shared through RAM here, so there is no `AWS_RAM`).

use std::sync::Arc;

use service::{Authorized, Context, Error, Facts, FilledIn, Operation};
use wire::shapes::{PolicyName, PolicyText};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::key::Key;
use crate::key_id::Aliases;
use crate::key_policy::{DEFAULT_NAME, named};
use crate::operations::MANAGEMENT;

/// GetKeyPolicy.
pub(crate) struct GetKeyPolicy;

structure! {
    /// Input of GetKeyPolicy.
    pub(crate) struct GetKeyPolicyRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        policy_name: PolicyName = optional "PolicyName",
    }

    /// Output of GetKeyPolicy.
    pub(crate) struct GetKeyPolicyResponse {
        policy: PolicyText = optional "Policy",
        policy_name: PolicyName = optional "PolicyName",
    }
}

impl Operation for GetKeyPolicy {
    type Service = Kms;
    type Input = GetKeyPolicyRequest;
    type Output = GetKeyPolicyResponse;
    type Target = Arc<Key>;

    const FILLED_IN: &'static [(&'static str, FilledIn)] =
        &[("PolicyName", FilledIn::Text("default"))];
    const FACTS: Facts = Facts {
        name: "GetKeyPolicy",
        actions: &["kms:GetKeyPolicy"],
        read_only: true,
        errors: &[
            ErrorCode::NotFoundException,
            ErrorCode::InvalidArnException,
            ErrorCode::DependencyTimeoutException,
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
        named(input.policy_name.as_ref())?;
        Ok(GetKeyPolicyResponse {
            policy: Some(PolicyText::of(cx.service.shown_policy(target).await?)),
            policy_name: Some(PolicyName::of(DEFAULT_NAME)),
        })
    }
}
