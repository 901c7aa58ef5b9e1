//! Simulations: what a request would be answered if these were the policies. The decision is that
//! of [`policy::decide`], which decides real requests too.
//!
//! Must not know where policies are stored.

pub(crate) mod entity;
pub(crate) mod source;

use policy::{
    Decision, Delegation, Identity, Outcome, Policies, Refusal, Request, Resource, Value,
};
use service::{Context, Error};
use wire::iam::{
    ActionNames, ContextEntry, ContextKeyName, ContextKeyType, EvalDecisionDetails,
    EvalDecisionSource, EvaluationResult, OrganizationPolicies, OrganizationsDecisionDetail,
    PermissionsBoundaryDecisionDetail, PolicyDocument, PolicyEvaluationDecision, ResourceName,
    ResourceNames, ResourceSpecificResult, ResourceSpecificResults, SimulationPolicies, Statement,
    Statements,
};
use wire::{AccountId, Arn, ErrorCode};

use crate::Iam;
use crate::entities::invalid;
use crate::paging::{Listing, Page};
use crate::simulation::source::{SourcePolicy, context_keys};

/// How many resources a request may name; each action is decided for each of them.
const RESOURCES_MAX: usize = 1_000;
/// How many decisions on single resources a page holds.
const DECISIONS_MAX: usize = 10_000;
/// How many bytes of policies a page may weigh, each as often as it is weighed: what bounds the
/// time that a page takes.
const WEIGHED_MAX: usize = 32 << 20;

/// The resource that stands for all.
const ALL: &str = "*";

/// What both operations ask.
pub(crate) struct Asked<'a> {
    pub(crate) actions: &'a ActionNames,
    pub(crate) resources: Option<&'a ResourceNames>,
    pub(crate) resource_policy: Option<&'a PolicyDocument>,
    pub(crate) resource_owner: Option<&'a ResourceName>,
    /// The ARN of the simulated caller, a user.
    pub(crate) caller_arn: Option<&'a str>,
    pub(crate) context: Option<&'a wire::iam::ContextEntries>,
}

/// A simulation: policies, and the requests to be decided by them.
pub(crate) struct Simulation<'a> {
    /// The caller's account and ARN.
    account: AccountId,
    caller_arn: &'a str,
    identity: Vec<SourcePolicy>,
    boundary: Option<SourcePolicy>,
    /// By level of the organization.
    organization: Vec<Vec<SourcePolicy>>,
    resource_policy: Option<SourcePolicy>,
    /// The account that owns resources whose ARNs don't say it.
    owner: AccountId,
    actions: &'a ActionNames,
    resources: Vec<&'a ResourceName>,
    context: policy::ContextEntries,
    missing: Vec<ContextKeyName>,
}

/// The decision on one action and one resource.
struct Verdict {
    decision: PolicyEvaluationDecision,
    matched: Vec<Statement>,
    by_organization: Option<bool>,
    by_boundary: Option<bool>,
    /// What the caller's side and the resource's say, where these are different accounts'.
    sides: Option<[PolicyEvaluationDecision; 2]>,
}

/// The refusal of an input.
pub(crate) fn refused(message: String) -> Error {
    Error::new(ErrorCode::InvalidInputException, message)
}

/// The permissions boundary that a request gives.
///
/// # Errors
/// InvalidInputException for more than one.
pub(crate) fn given_boundary(
    policies: Option<&SimulationPolicies>,
) -> Result<Option<SourcePolicy>, Error> {
    let mut listed = SourcePolicy::listed("PermissionsBoundaryPolicyInputList", policies)?;
    if listed.len() > 1 {
        return Err(invalid("You can specify only one permissions boundary."));
    }
    Ok(listed.pop())
}

/// The policies of an organization that a request gives, by level.
///
/// # Errors
/// InvalidInputException for what isn't understood.
pub(crate) fn given_organization(
    levels: Option<&OrganizationPolicies>,
) -> Result<Vec<Vec<SourcePolicy>>, Error> {
    let levels = levels.iter().flat_map(|levels| &levels.0).enumerate();
    let level = |(place, level): (usize, &wire::iam::OrderedOrganizationPolicy)| {
        let member = format!("OrderedOrganizationPolicyInputList.{}", place + 1);
        SourcePolicy::listed(&member, level.service_control_policy_input_list.as_ref())
    };
    levels.map(level).collect()
}

impl<'a> Simulation<'a> {
    /// Puts a simulation together.
    ///
    /// # Errors
    /// InvalidInputException for an input that isn't understood.
    pub(crate) fn new(
        cx: &Context<'_, Iam>,
        asked: &Asked<'a>,
        identity: Vec<SourcePolicy>,
        boundary: Option<SourcePolicy>,
        organization: Vec<Vec<SourcePolicy>>,
    ) -> Result<Self, Error> {
        for action in &asked.actions.0 {
            check_action(action.as_str())?;
        }
        let resources: Vec<&ResourceName> =
            asked.resources.iter().flat_map(|resources| &resources.0).collect();
        if resources.len() > RESOURCES_MAX {
            return Err(refused(format!("ResourceArns can name at most {RESOURCES_MAX}.")));
        }
        for resource in &resources {
            let text = resource.as_str();
            if text != ALL && Arn::parse(text).is_none() {
                return Err(refused(format!("ARN {text} is not valid.")));
            }
        }
        let resource_policy = asked.resource_policy.map(SourcePolicy::of_resource).transpose()?;
        if resource_policy.is_some() && asked.caller_arn.is_none() {
            return Err(invalid("A CallerArn is required if you include a ResourcePolicy."));
        }
        let account = asked.caller_arn.map_or(Ok(*cx.account()), user_account)?;
        let owner =
            asked.resource_owner.map_or(Ok(account), |owner| root_account(owner.as_str()))?;
        let mut simulation = Self {
            account,
            caller_arn: asked.caller_arn.unwrap_or_default(),
            identity,
            boundary,
            organization,
            resource_policy,
            owner,
            actions: asked.actions,
            resources,
            context: context(asked.context.map_or(&[], |entries| &entries.0))?,
            missing: Vec::new(),
        };
        simulation.missing = simulation.missing();
        Ok(simulation)
    }

    /// The page of decisions, one for each action.
    ///
    /// # Errors
    /// ValidationException for a marker that isn't of this list, InvalidInputException for more
    /// than can be weighed.
    pub(crate) fn page(&self, listing: &Listing) -> Result<Page<EvaluationResult>, Error> {
        let start = match listing.after.as_str() {
            "" => 0,
            after => after.parse().map_err(|_| Error::validation("Invalid Marker"))?,
        };
        let resources = self.resources.len().max(1);
        let weighed = self.policies().map(SourcePolicy::len).sum::<usize>().max(1) * resources;
        if weighed > WEIGHED_MAX {
            return Err(invalid("There are too many policies for so many resources."));
        }
        let most = (WEIGHED_MAX / weighed).min(DECISIONS_MAX / resources).min(listing.limit).max(1);
        let actions = self.actions.0.get(start..).unwrap_or_default();
        let more = actions.len() > most;
        let page = actions.iter().take(most);
        let items = page.map(|action| self.evaluate(action.as_str())).collect();
        let next = more.then(|| listing.marker(&(start + most).to_string()));
        Ok(Page { items, next })
    }

    fn policies(&self) -> impl Iterator<Item = &SourcePolicy> {
        let single = self.boundary.iter().chain(&self.resource_policy);
        self.identity.iter().chain(single).chain(self.organization.iter().flatten())
    }

    /// The condition keys that the policies ask for and the request doesn't give.
    fn missing(&self) -> Vec<ContextKeyName> {
        let is_absent = |key: &ContextKeyName| {
            let values = policy::Context::values(&self.context, &key.as_str().to_lowercase());
            values == policy::Values::Absent
        };
        context_keys(self.policies()).into_iter().filter(is_absent).collect()
    }

    /// The decision on an action, on each resource.
    fn evaluate(&self, action: &str) -> EvaluationResult {
        let (name, named) = match self.resources[..] {
            [one] => (one.as_str(), one.as_str() != ALL),
            // AWS names a pattern of the action's resources, of which nothing is known here.
            _ => (ALL, !self.resources.is_empty()),
        };
        if !named {
            let verdict = self.verdict(action, ALL);
            return EvaluationResult {
                missing_context_values: Some(self.missing_names()),
                ..result(action, name, &verdict)
            };
        }
        let verdicts: Vec<(&str, Verdict)> = self
            .resources
            .iter()
            .map(|resource| (resource.as_str(), self.verdict(action, resource.as_str())))
            .collect();
        let of_each = verdicts.iter().map(|(resource, verdict)| self.specific(resource, verdict));
        let specific = ResourceSpecificResults(of_each.collect());
        let verdict = together(verdicts);
        EvaluationResult {
            missing_context_values: Some(wire::iam::ContextKeyNames(Vec::new())),
            eval_decision_details: Some(verdict.details().unwrap_or(EvalDecisionDetails(vec![]))),
            resource_specific_results: Some(specific),
            ..result(action, name, &verdict)
        }
    }

    fn specific(&self, resource: &str, verdict: &Verdict) -> ResourceSpecificResult {
        ResourceSpecificResult {
            eval_resource_name: ResourceName::of(resource),
            eval_resource_decision: verdict.decision,
            matched_statements: Some(verdict.statements()),
            missing_context_values: Some(self.missing_names()),
            eval_decision_details: verdict.details(),
            permissions_boundary_decision_detail: verdict.boundary(),
        }
    }

    fn missing_names(&self) -> wire::iam::ContextKeyNames {
        wire::iam::ContextKeyNames(self.missing.clone())
    }

    fn verdict(&self, action: &str, resource: &str) -> Verdict {
        let caller = policy::Caller::user(self.account.as_str(), self.caller_arn, "");
        let request = Request { caller: &caller, action, resource, context: &self.context };
        let identity: Vec<policy::Attached<'_>> =
            self.identity.iter().map(SourcePolicy::attached).collect();
        let owner = self.owner_of(resource);
        let side = self.resource_policy.as_ref().map(|policy| Resource {
            account: owner,
            policy: Some(policy.attached()),
            delegation: delegation(resource),
            grant: None,
        });
        let policies = Policies {
            identity: Identity::Policies(&identity),
            boundary: self.boundary.as_ref().map(SourcePolicy::attached),
            session: None,
            resource: side,
        };
        let own = match policy::decide(&request, &policies) {
            Decision::Allow { .. } => PolicyEvaluationDecision::Allowed,
            Decision::Deny(Refusal::Explicit(_)) => PolicyEvaluationDecision::ExplicitDeny,
            Decision::Deny(Refusal::Implicit(_)) => PolicyEvaluationDecision::ImplicitDeny,
        };
        let levels = self.organization.iter().map(|level| said(level.iter(), &request));
        let by_organization = levels.reduce(both);
        let decision = by_organization.map_or(own, |organization| both(own, organization));
        let by_boundary = self.boundary.as_ref().map(|boundary| said([boundary], &request));
        let foreign = self.resource_policy.as_ref().filter(|_| owner != self.account.as_str());
        Verdict {
            decision,
            matched: self.matched(decision, &request),
            by_organization: by_organization.map(is_allowed),
            by_boundary: by_boundary.map(is_allowed),
            sides: foreign
                .map(|resource| [said(self.identity.iter(), &request), said([resource], &request)]),
        }
    }

    /// The account that owns a resource.
    fn owner_of<'b>(&'b self, resource: &'b str) -> &'b str {
        let named = Arn::parse(resource).map(|arn| arn.account);
        named.filter(|account| !account.is_empty()).unwrap_or(self.owner.as_str())
    }

    /// The statements that determine the decision: all that deny, or else all that allow.
    fn matched(&self, decision: PolicyEvaluationDecision, request: &Request<'_>) -> Vec<Statement> {
        let allows = decision == PolicyEvaluationDecision::Allowed;
        let of = |policy: &SourcePolicy| {
            let speaking = policy.document.applying(request).filter(|(_, allow)| *allow == allows);
            speaking.map(|_| policy.statement()).collect::<Vec<Statement>>()
        };
        match decision {
            PolicyEvaluationDecision::ImplicitDeny => Vec::new(),
            PolicyEvaluationDecision::ExplicitDeny => self.policies().flat_map(of).collect(),
            // What only bounds gives no permission.
            PolicyEvaluationDecision::Allowed => {
                self.identity.iter().chain(&self.resource_policy).flat_map(of).collect()
            }
        }
    }
}

impl Verdict {
    fn statements(&self) -> Statements {
        let copy = |statement: &Statement| Statement {
            source_policy_id: statement.source_policy_id.clone(),
            source_policy_type: statement.source_policy_type,
            start_position: None,
            end_position: None,
        };
        Statements(self.matched.iter().map(copy).collect())
    }

    fn boundary(&self) -> Option<PermissionsBoundaryDecisionDetail> {
        self.by_boundary.map(|allowed| PermissionsBoundaryDecisionDetail {
            allowed_by_permissions_boundary: Some(allowed),
        })
    }

    fn details(&self) -> Option<EvalDecisionDetails> {
        let [identity, resource] = self.sides?;
        let named = |name, decision| (EvalDecisionSource::of(name), decision);
        Some(EvalDecisionDetails(vec![
            named("IAM Policy", identity),
            named("Resource Policy", resource),
        ]))
    }
}

fn result(action: &str, resource: &str, verdict: &Verdict) -> EvaluationResult {
    EvaluationResult {
        eval_action_name: wire::iam::ActionName::of(action),
        eval_resource_name: Some(ResourceName::of(resource)),
        eval_decision: verdict.decision,
        matched_statements: Some(verdict.statements()),
        missing_context_values: None,
        organizations_decision_detail: verdict
            .by_organization
            .map(|allowed| OrganizationsDecisionDetail { allowed_by_organizations: Some(allowed) }),
        permissions_boundary_decision_detail: verdict.boundary(),
        eval_decision_details: None,
        resource_specific_results: None,
    }
}

/// The decision on several resources together, as AWS gives it beside those on each: a denial of
/// one, else a permission of one.
fn together(verdicts: Vec<(&str, Verdict)>) -> Verdict {
    let mut verdicts = verdicts.into_iter().map(|(_, verdict)| verdict);
    let first = verdicts.next().unwrap_or(Verdict {
        decision: PolicyEvaluationDecision::ImplicitDeny,
        matched: Vec::new(),
        by_organization: None,
        by_boundary: None,
        sides: None,
    });
    verdicts.fold(first, |one, next| Verdict {
        decision: [PolicyEvaluationDecision::ExplicitDeny, PolicyEvaluationDecision::Allowed]
            .into_iter()
            .find(|decision| [one.decision, next.decision].contains(decision))
            .unwrap_or(PolicyEvaluationDecision::ImplicitDeny),
        matched: Vec::new(),
        by_organization: one.by_organization.and_then(|yes| Some(yes && next.by_organization?)),
        by_boundary: one.by_boundary.and_then(|yes| Some(yes && next.by_boundary?)),
        sides: None,
    })
}

/// What several policies of a kind say to a request.
fn said<'p>(
    policies: impl IntoIterator<Item = &'p SourcePolicy>,
    request: &Request<'_>,
) -> PolicyEvaluationDecision {
    let mut decision = PolicyEvaluationDecision::ImplicitDeny;
    for policy in policies {
        match policy.document.evaluate(request) {
            Outcome::Deny(_) => return PolicyEvaluationDecision::ExplicitDeny,
            Outcome::Allow { .. } => decision = PolicyEvaluationDecision::Allowed,
            Outcome::Silent => {}
        }
    }
    decision
}

/// The decision where both must allow.
fn both(one: PolicyEvaluationDecision, next: PolicyEvaluationDecision) -> PolicyEvaluationDecision {
    match (one, next) {
        (PolicyEvaluationDecision::ExplicitDeny, _)
        | (_, PolicyEvaluationDecision::ExplicitDeny) => PolicyEvaluationDecision::ExplicitDeny,
        (PolicyEvaluationDecision::Allowed, PolicyEvaluationDecision::Allowed) => {
            PolicyEvaluationDecision::Allowed
        }
        _ => PolicyEvaluationDecision::ImplicitDeny,
    }
}

fn is_allowed(decision: PolicyEvaluationDecision) -> bool {
    decision == PolicyEvaluationDecision::Allowed
}

/// Of a key, an identity policy counts only where the key's policy says so.
fn delegation(resource: &str) -> Delegation {
    let is_key = Arn::parse(resource).is_some_and(|arn| arn.service == "kms");
    if is_key { Delegation::Needed } else { Delegation::Assumed }
}

/// An action of one service, without wildcards.
fn check_action(action: &str) -> Result<(), Error> {
    let is_action = action.split_once(':').is_some_and(|(service, name)| {
        !service.is_empty() && !name.is_empty() && !name.contains([':', '*', '?'])
    });
    if is_action { Ok(()) } else { Err(refused(format!("Invalid action: {action}"))) }
}

/// The account of a simulated caller, who can only be a user.
fn user_account(arn: &str) -> Result<AccountId, Error> {
    let user = Arn::parse(arn).filter(|arn| {
        let name = arn.resource.strip_prefix("user/");
        arn.service == "iam" && name.is_some_and(|name| !name.is_empty())
    });
    let account = user.and_then(|arn| AccountId::parse(arn.account).ok());
    account.ok_or_else(|| refused(format!("CallerArn must be the ARN of an IAM user: {arn}")))
}

/// The account that a request names by its root's ARN.
fn root_account(arn: &str) -> Result<AccountId, Error> {
    let root = Arn::parse(arn).filter(|arn| arn.service == "iam" && arn.resource == "root");
    let account = root.and_then(|arn| AccountId::parse(arn.account).ok());
    account.ok_or_else(|| refused(format!("ResourceOwner must be the ARN of an account: {arn}")))
}

/// The condition keys of the simulated request.
fn context(entries: &[ContextEntry]) -> Result<policy::ContextEntries, Error> {
    let mut context = policy::ContextEntries::default();
    for entry in entries {
        let Some(key) = &entry.context_key_name else {
            return Err(invalid("A context entry must have a ContextKeyName."));
        };
        let values = entry.context_key_values.as_ref().map_or(&[][..], |values| &values.0);
        let kind = entry.context_key_type.unwrap_or(if values.len() == 1 {
            ContextKeyType::String
        } else {
            ContextKeyType::StringList
        });
        let typed: Result<Vec<Value<'static>>, Error> =
            values.iter().map(|value| typed(key, kind, value.as_str())).collect();
        let mut typed = typed?;
        let is_list = kind.as_str().ends_with("List");
        match (is_list, typed.pop()) {
            (false, Some(value)) if typed.is_empty() => context.insert(key.as_str(), value),
            (false, _) => {
                let key = key.as_str();
                return Err(refused(format!("The context key {key} must have one value.")));
            }
            (true, last) => context.insert_all(key.as_str(), typed.into_iter().chain(last)),
        }
    }
    Ok(context)
}

/// A value, which must be of its type. Operators read it from its text.
fn typed(key: &ContextKeyName, kind: ContextKeyType, text: &str) -> Result<Value<'static>, Error> {
    let is_typed = match kind {
        ContextKeyType::Numeric | ContextKeyType::NumericList => text.parse::<f64>().is_ok(),
        ContextKeyType::Boolean | ContextKeyType::BooleanList => {
            ["true", "false"].iter().any(|word| text.eq_ignore_ascii_case(word))
        }
        ContextKeyType::Ip | ContextKeyType::IpList => text.parse::<std::net::IpAddr>().is_ok(),
        _ => true,
    };
    if !is_typed {
        let key = key.as_str();
        return Err(refused(format!("A value of the context key {key} is not of type {kind}.")));
    }
    Ok(text.to_owned().into())
}
