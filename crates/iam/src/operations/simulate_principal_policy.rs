//! SimulatePrincipalPolicy: how actions on resources would be decided by the policies of a user,
//! its groups included, a group or a role.
//!
//! Errors, in order: InvalidInputException (ARN), NoSuchEntityException, InvalidInputException,
//! those of a page.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{
    ActionNames, ArnText, ContextEntries, EvaluationResults, Marker, MaxItems, PolicyDocument,
    PolicyExclusions, ResourceHandlingOption, ResourceName, ResourceNames, ResponseMarker,
    SimulationPolicies,
};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::operations::OPERATION;
use crate::paging::Listing;
use crate::simulation::entity::PolicyHolder;
use crate::simulation::source::SourcePolicy;
use crate::simulation::{Asked, Simulation, given_boundary};

/// SimulatePrincipalPolicy.
pub(crate) struct SimulatePrincipalPolicy;

structure! {
    /// Input of SimulatePrincipalPolicy.
    pub(crate) struct SimulatePrincipalPolicyRequest {
        policy_source_arn: ArnText = required "PolicySourceArn",
        policies: SimulationPolicies = optional "PolicyInputList",
        boundary: SimulationPolicies = optional "PermissionsBoundaryPolicyInputList",
        exclusions: PolicyExclusions = optional "PolicyExclusionList",
        actions: ActionNames = required "ActionNames",
        resources: ResourceNames = optional "ResourceArns",
        resource_policy: PolicyDocument = optional "ResourcePolicy",
        resource_owner: ResourceName = optional "ResourceOwner",
        caller_arn: ResourceName = optional "CallerArn",
        context: ContextEntries = optional "ContextEntries",
        resource_handling_option: ResourceHandlingOption = optional "ResourceHandlingOption",
        max_items: MaxItems = optional "MaxItems",
        marker: Marker = optional "Marker",
    }

    /// Output of SimulatePrincipalPolicy.
    pub(crate) struct SimulatePrincipalPolicyResponse = "SimulatePolicyResponse" {
        evaluation_results: EvaluationResults = optional "EvaluationResults",
        is_truncated: bool = optional "IsTruncated",
        marker: ResponseMarker = optional "Marker",
    }
}

impl Operation for SimulatePrincipalPolicy {
    type Service = Iam;
    type Input = SimulatePrincipalPolicyRequest;
    type Output = SimulatePrincipalPolicyResponse;
    type Target = PolicyHolder;

    const FACTS: Facts = Facts {
        name: "SimulatePrincipalPolicy",
        actions: &["iam:SimulatePrincipalPolicy"],
        read_only: true,
        errors: &[
            ErrorCode::NoSuchEntityException,
            ErrorCode::InvalidInputException,
            ErrorCode::PolicyEvaluationException,
        ],
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
        let exclusions = input.exclusions.as_ref().map_or(&[][..], |exclusions| &exclusions.0);
        let held = target.policies(cx, exclusions).await?;
        let listing = Listing::of(Self::FACTS.name, input.max_items, input.marker.as_ref())?;
        let mut identity = held.identity;
        identity.extend(SourcePolicy::listed("PolicyInputList", input.policies.as_ref())?);
        let boundary = given_boundary(input.boundary.as_ref())?.or(held.boundary);
        let caller_arn = input.caller_arn.as_ref().map(ResourceName::as_str);
        let asked = Asked {
            actions: &input.actions,
            resources: input.resources.as_ref(),
            resource_policy: input.resource_policy.as_ref(),
            resource_owner: input.resource_owner.as_ref(),
            caller_arn: caller_arn.or(target.user_arn()),
            context: input.context.as_ref(),
        };
        let simulation = Simulation::new(cx, &asked, identity, boundary, Vec::new())?;
        let page = simulation.page(&listing)?;
        Ok(SimulatePrincipalPolicyResponse {
            evaluation_results: Some(EvaluationResults(page.items)),
            is_truncated: Some(page.next.is_some()),
            marker: page.next,
        })
    }
}
