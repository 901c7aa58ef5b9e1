//! GetContextKeysForPrincipalPolicy: the condition keys that the policies of a user, its groups
//! included, a group or a role ask for.
//!
//! Errors, in order: InvalidInputException (ARN), NoSuchEntityException, InvalidInputException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ArnText, ContextKeyNames, SimulationPolicies};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::operations::OPERATION;
use crate::simulation::entity::PolicyHolder;
use crate::simulation::source::{SourcePolicy, context_keys};

/// GetContextKeysForPrincipalPolicy.
pub(crate) struct GetContextKeysForPrincipalPolicy;

structure! {
    /// Input of GetContextKeysForPrincipalPolicy.
    pub(crate) struct GetContextKeysForPrincipalPolicyRequest {
        policy_source_arn: ArnText = required "PolicySourceArn",
        policies: SimulationPolicies = optional "PolicyInputList",
    }

    /// Output of GetContextKeysForPrincipalPolicy.
    pub(crate) struct GetContextKeysForPrincipalPolicyResponse = "GetContextKeysForPolicyResponse" {
        context_key_names: ContextKeyNames = optional "ContextKeyNames",
    }
}

impl Operation for GetContextKeysForPrincipalPolicy {
    type Service = Iam;
    type Input = GetContextKeysForPrincipalPolicyRequest;
    type Output = GetContextKeysForPrincipalPolicyResponse;
    type Target = PolicyHolder;

    const FACTS: Facts = Facts {
        name: "GetContextKeysForPrincipalPolicy",
        actions: &["iam:GetContextKeysForPrincipalPolicy"],
        read_only: true,
        errors: &[ErrorCode::NoSuchEntityException, ErrorCode::InvalidInputException],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Iam>, input: &Self::Input) -> Result<Self::Target, Error> {
        PolicyHolder::find(cx, &input.policy_source_arn).await
    }

    async fn run(
        cx: &Context<'_, Iam>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let held = target.policies(cx, &[]).await?;
        let listed = SourcePolicy::listed("PolicyInputList", input.policies.as_ref())?;
        let policies = held.identity.iter().chain(&held.boundary).chain(&listed);
        let names = ContextKeyNames(context_keys(policies));
        Ok(GetContextKeysForPrincipalPolicyResponse { context_key_names: Some(names) })
    }
}
