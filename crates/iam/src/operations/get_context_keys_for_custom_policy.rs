//! GetContextKeysForCustomPolicy: the condition keys that the policies of the request ask for.
//!
//! Errors: InvalidInputException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{ContextKeyNames, SimulationPolicies};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Place;
use crate::operations::OPERATION;
use crate::simulation::source::{SourcePolicy, context_keys};

/// GetContextKeysForCustomPolicy.
pub(crate) struct GetContextKeysForCustomPolicy;

structure! {
    /// Input of GetContextKeysForCustomPolicy.
    pub(crate) struct GetContextKeysForCustomPolicyRequest {
        policies: SimulationPolicies = required "PolicyInputList",
    }

    /// Output of GetContextKeysForCustomPolicy.
    pub(crate) struct GetContextKeysForCustomPolicyResponse = "GetContextKeysForPolicyResponse" {
        context_key_names: ContextKeyNames = optional "ContextKeyNames",
    }
}

impl Operation for GetContextKeysForCustomPolicy {
    type Service = Iam;
    type Input = GetContextKeysForCustomPolicyRequest;
    type Output = GetContextKeysForCustomPolicyResponse;
    type Target = Place;

    const FACTS: Facts = Facts {
        name: "GetContextKeysForCustomPolicy",
        actions: &["iam:GetContextKeysForCustomPolicy"],
        read_only: true,
        errors: &[ErrorCode::InvalidInputException],
        ..OPERATION
    };

    async fn resolve(_: &Context<'_, Iam>, _: &Self::Input) -> Result<Self::Target, Error> {
        Ok(Place("*".to_owned()))
    }

    async fn run(
        _: &Context<'_, Iam>,
        _: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let policies = SourcePolicy::listed("PolicyInputList", Some(&input.policies))?;
        let names = ContextKeyNames(context_keys(policies.iter()));
        Ok(GetContextKeysForCustomPolicyResponse { context_key_names: Some(names) })
    }
}
