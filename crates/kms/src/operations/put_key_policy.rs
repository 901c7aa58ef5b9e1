//! PutKeyPolicy: replaces a key's policy; it is in force when this is answered.
//!
//! Errors, in order: NotFoundException (key), AccessDeniedException, ValidationException (a policy
//! that only RAM may change), NotFoundException (another name than `default`),
//! LimitExceededException, MalformedPolicyDocumentException. It works in every state, also while
//! the key is pending deletion.

use std::sync::Arc;

use service::{Authorized, Context, Error, Facts, FilledIn, Operation};
use wire::shapes::{PolicyName, PolicyText};
use wire::{ErrorCode, structure};

use crate::Kms;
use crate::key::Key;
use crate::key_id::Aliases;
use crate::key_policy::{self, named};
use crate::operations::{MANAGEMENT, Nothing};
use crate::records::KeyRecord;

/// PutKeyPolicy.
pub(crate) struct PutKeyPolicy;

structure! {
    /// Input of PutKeyPolicy.
    pub(crate) struct PutKeyPolicyRequest {
        key_id: wire::shapes::KeyId = required "KeyId",
        policy_name: PolicyName = optional "PolicyName",
        policy: PolicyText = required "Policy",
        bypass_policy_lockout_safety_check: bool = optional "BypassPolicyLockoutSafetyCheck",
    }
}

impl Operation for PutKeyPolicy {
    type Service = Kms;
    type Input = PutKeyPolicyRequest;
    type Output = Nothing;
    type Target = Arc<Key>;

    const FILLED_IN: &'static [(&'static str, FilledIn)] = &[
        ("PolicyName", FilledIn::Text("default")),
        ("BypassPolicyLockoutSafetyCheck", FilledIn::Boolean(false)),
    ];
    const FACTS: Facts = Facts {
        name: "PutKeyPolicy",
        actions: &["kms:PutKeyPolicy"],
        errors: &[
            ErrorCode::NotFoundException,
            ErrorCode::InvalidArnException,
            ErrorCode::MalformedPolicyDocumentException,
            ErrorCode::DependencyTimeoutException,
            ErrorCode::UnsupportedOperationException,
            ErrorCode::KMSInternalException,
            ErrorCode::LimitExceededException,
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
        if input.policy_name.as_ref().is_some_and(|name| name.as_str() == "AWS_RAM") {
            return Err(Error::validation(
                "The AWS_RAM policy can only be managed by the RAM service.",
            ));
        }
        named(input.policy_name.as_ref())?;
        let bypass = input.bypass_policy_lockout_safety_check.unwrap_or(false);
        let policy = key_policy::check(cx, &input.policy, bypass, &target.arn).await?;
        let change = |record: &mut KeyRecord| {
            record.policy = policy.text;
            record.bound = policy.bound;
        };
        cx.service.replace(target, change).await?;
        Ok(Nothing {})
    }
}
