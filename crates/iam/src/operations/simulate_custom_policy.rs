//! SimulateCustomPolicy: how actions on resources would be decided by the policies of the request.
//!
//! Errors: InvalidInputException, those of a page.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{
    ActionNames, ContextEntries, EvaluationResults, Marker, MaxItems, OrganizationPolicies,
    PolicyDocument, ResourceHandlingOption, ResourceName, ResourceNames, ResponseMarker,
    SimulationPolicies,
};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Place;
use crate::operations::OPERATION;
use crate::paging::Listing;
use crate::simulation::source::SourcePolicy;
use crate::simulation::{Asked, Simulation, given_boundary, given_organization};

/// SimulateCustomPolicy.
pub(crate) struct SimulateCustomPolicy;

structure! {
    /// Input of SimulateCustomPolicy.
    pub(crate) struct SimulateCustomPolicyRequest {
        policies: SimulationPolicies = required "PolicyInputList",
        boundary: SimulationPolicies = optional "PermissionsBoundaryPolicyInputList",
        organization: OrganizationPolicies = optional "OrderedOrganizationPolicyInputList",
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

    /// Output of SimulateCustomPolicy.
    pub(crate) struct SimulateCustomPolicyResponse = "SimulatePolicyResponse" {
        evaluation_results: EvaluationResults = optional "EvaluationResults",
        is_truncated: bool = optional "IsTruncated",
        marker: ResponseMarker = optional "Marker",
    }
}

impl Operation for SimulateCustomPolicy {
    type Service = Iam;
    type Input = SimulateCustomPolicyRequest;
    type Output = SimulateCustomPolicyResponse;
    type Target = Place;

    const FACTS: Facts = Facts {
        name: "SimulateCustomPolicy",
        actions: &["iam:SimulateCustomPolicy"],
        read_only: true,
        errors: &[ErrorCode::InvalidInputException, ErrorCode::PolicyEvaluationException],
        ..OPERATION
    };

    async fn resolve(_: &Context<'_, Iam>, _: &Self::Input) -> Result<Self::Target, Error> {
        Ok(Place("*".to_owned()))
    }

    async fn run(
        cx: &Context<'_, Iam>,
        _: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let listing = Listing::of(Self::FACTS.name, input.max_items, input.marker.as_ref())?;
        let identity = SourcePolicy::listed("PolicyInputList", Some(&input.policies))?;
        let boundary = given_boundary(input.boundary.as_ref())?;
        let organization = given_organization(input.organization.as_ref())?;
        let asked = Asked {
            actions: &input.actions,
            resources: input.resources.as_ref(),
            resource_policy: input.resource_policy.as_ref(),
            resource_owner: input.resource_owner.as_ref(),
            caller_arn: input.caller_arn.as_ref().map(ResourceName::as_str),
            context: input.context.as_ref(),
        };
        let simulation = Simulation::new(cx, &asked, identity, boundary, organization)?;
        let page = simulation.page(&listing)?;
        Ok(SimulateCustomPolicyResponse {
            evaluation_results: Some(EvaluationResults(page.items)),
            is_truncated: Some(page.next.is_some()),
            marker: page.next,
        })
    }
}
