//! The decision on a request, of all the policies that apply to it (IAM User Guide, "Policy
//! evaluation logic" and "Cross-account policy evaluation logic"). Owns the order of the layers and
//! the reason that decided. Must not know what any policy is attached to, nor how a grant came to
//! match.

use std::fmt;

use crate::document::Document;
use crate::evaluate::Outcome;
use crate::principal::{CallerKind, Means};
use crate::request::Request;

/// A document with the name under which a reason is to show it.
#[derive(Debug, Clone, Copy)]
pub struct Attached<'a> {
    /// The policy's ARN or name.
    pub name: &'a str,
    /// The policy.
    pub document: &'a Document,
}

/// All that decides a request.
#[derive(Debug, Clone, Copy)]
pub struct Policies<'a> {
    /// What the caller's identity may do.
    pub identity: Identity<'a>,
    /// The permissions boundary of the user or role, if it has one.
    pub boundary: Option<Attached<'a>>,
    /// The policies that were passed when the session was opened; together they bound it. None
    /// where none were passed. A session by GetFederationToken without them has no permissions.
    pub session: Option<&'a [Attached<'a>]>,
    /// The resource's side, if the action has a resource with one.
    pub resource: Option<Resource<'a>>,
}

/// What the caller's identity may do.
#[derive(Debug, Clone, Copy)]
pub enum Identity<'a> {
    /// Everything: the root user, and no one else.
    Root,
    /// What these policies say: inline, attached and those of groups.
    Policies(&'a [Attached<'a>]),
}

/// The resource's side of a decision.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'a> {
    /// The account that owns the resource.
    pub account: &'a str,
    /// Its policy, if it has one.
    pub policy: Option<Attached<'a>>,
    /// What an identity policy needs to count for it.
    pub delegation: Delegation,
    /// A grant that matches the request, if there is one.
    pub grant: Option<Grant<'a>>,
}

/// Whether an identity policy of the resource's own account counts by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delegation {
    /// It does, as for most resources.
    Assumed,
    /// Only where the resource's policy lets the account decide: keys and roles.
    Needed,
}

/// A grant that allows the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant<'a> {
    /// Its id.
    pub id: &'a str,
    /// By which of the caller's names it was given.
    pub means: Means,
}

/// The kinds of policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layer {
    /// Those of the user, its groups, or the role.
    Identity,
    /// That of the resource.
    Resource,
    /// The permissions boundary.
    Boundary,
    /// Those of the session.
    Session,
}

/// A statement of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source<'a> {
    /// The kind of the policy.
    pub layer: Layer,
    /// Its name.
    pub policy: &'a str,
    /// The statement's place in it, from 0.
    pub statement: usize,
    /// The statement's Sid, if it has one.
    pub sid: Option<&'a str>,
}

/// What allowed a request, on one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission<'a> {
    /// A statement.
    Statement(Source<'a>),
    /// The grant of that id.
    Grant(&'a str),
    /// The caller is the root user of its account.
    Root,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal<'a> {
    /// A statement denies it.
    Explicit(Source<'a>),
    /// No policy of this kind allows it.
    Implicit(Layer),
}

/// The decision on a request, with its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision<'a> {
    /// It is allowed: by the caller's own side, by the resource's, or by both where both are
    /// needed. One of the two is always there.
    Allow {
        /// What allowed it on the caller's side.
        identity: Option<Permission<'a>>,
        /// What allowed it on the resource's side.
        resource: Option<Permission<'a>>,
    },
    /// It is refused.
    Deny(Refusal<'a>),
}

/// Decides a request.
///
/// An explicit denial in any policy comes first; where several deny, the caller's own policies are
/// named before the resource's, the boundary's and the session's. Then, within the account, a
/// permission of the resource for the caller itself suffices; one for the role or user behind its
/// session suffices within boundary and session policies; and else the identity policies decide,
/// within boundary and session policies, for a key or role only where the resource's policy lets
/// the account decide. Across accounts both sides must allow, within boundary and session policies.
/// Whoever has no account needs the resource's policy alone.
pub fn decide<'a>(request: &Request<'_>, policies: &Policies<'a>) -> Decision<'a> {
    match policies.permit(request) {
        Ok((identity, resource)) => Decision::Allow { identity, resource },
        Err(refusal) => Decision::Deny(refusal),
    }
}

type Sides<'a> = (Option<Permission<'a>>, Option<Permission<'a>>);

impl<'a> Policies<'a> {
    fn permit(&self, request: &Request<'_>) -> Result<Sides<'a>, Refusal<'a>> {
        let bounded = self.boundary.is_some();
        let policy = self.resource.and_then(|resource| resource.policy);
        let identity = match self.identity {
            Identity::Root => Some(Permission::Root),
            Identity::Policies(policies) => union(policies, Layer::Identity, request, bounded)?,
        };
        let by_policy = policy
            .map(|policy| policy.evaluate(Layer::Resource, request, bounded))
            .transpose()?
            .flatten();
        // A denial in a policy that only bounds counts also where nothing needs to be bounded.
        let limit = self.limit(request, bounded)?;
        let resource = self.resource_side(by_policy);
        let means = resource.map(|(_, means)| means);
        let by_resource = resource.map(|(permission, _)| permission);

        let caller = request.caller;
        let homeless = caller.account.is_empty();
        let foreign = self.resource.is_some_and(|resource| resource.account != caller.account);
        if homeless {
            return match means {
                Some(Means::Itself) => Ok((None, by_resource)),
                _ => Err(Refusal::Implicit(Layer::Resource)),
            };
        }
        if !foreign && means == Some(Means::Itself) {
            return Ok((None, by_resource));
        }
        let own = self.resource.is_none_or(|resource| resource.delegation == Delegation::Assumed);
        if by_resource.is_none() && (foreign || !own) {
            return Err(Refusal::Implicit(Layer::Resource));
        }
        if foreign || means != Some(Means::Identity) {
            let identity = identity.ok_or(Refusal::Implicit(Layer::Identity))?;
            limit.map_or(Ok(()), Err)?;
            return Ok((Some(identity), by_resource));
        }
        limit.map_or(Ok(()), Err)?;
        Ok((None, by_resource))
    }

    /// The stronger of what the resource's policy and a grant give, the policy's where they are
    /// alike.
    fn resource_side(
        &self,
        by_policy: Option<(Source<'a>, Means)>,
    ) -> Option<(Permission<'a>, Means)> {
        let policy = by_policy.map(|(source, means)| (Permission::Statement(source), means));
        let grant = self.resource.and_then(|resource| resource.grant);
        let grant = grant.map(|grant| (Permission::Grant(grant.id), grant.means));
        match (policy, grant) {
            (Some(policy), Some(grant)) if grant.1 > policy.1 => Some(grant),
            (policy, grant) => policy.or(grant),
        }
    }

    /// The first of boundary and session policies that doesn't allow the request.
    ///
    /// # Errors
    /// A statement in them that denies it.
    fn limit(
        &self,
        request: &Request<'_>,
        bounded: bool,
    ) -> Result<Option<Refusal<'a>>, Refusal<'a>> {
        let boundary = match self.boundary {
            None => true,
            Some(policy) => policy.evaluate(Layer::Boundary, request, bounded)?.is_some(),
        };
        let federated = request.caller.kind == CallerKind::FederatedUser;
        let session = match self.session {
            None => !federated,
            Some(policies) => union(policies, Layer::Session, request, bounded)?.is_some(),
        };
        Ok(match (boundary, session) {
            (false, _) => Some(Refusal::Implicit(Layer::Boundary)),
            (true, false) => Some(Refusal::Implicit(Layer::Session)),
            (true, true) => None,
        })
    }
}

/// What several policies of a kind allow together.
fn union<'a>(
    policies: &'a [Attached<'a>],
    layer: Layer,
    request: &Request<'_>,
    bounded: bool,
) -> Result<Option<Permission<'a>>, Refusal<'a>> {
    let mut allowed = None;
    for policy in policies {
        let found = policy.evaluate(layer, request, bounded)?;
        allowed = allowed.or(found.map(|(source, _)| Permission::Statement(source)));
    }
    Ok(allowed)
}

impl<'a> Attached<'a> {
    /// The statement that allows the request, if one does.
    ///
    /// # Errors
    /// The statement that denies it.
    fn evaluate(
        self,
        layer: Layer,
        request: &Request<'_>,
        bounded: bool,
    ) -> Result<Option<(Source<'a>, Means)>, Refusal<'a>> {
        let source = |ruling: crate::evaluate::Ruling<'a>| Source {
            layer,
            policy: self.name,
            statement: ruling.statement,
            sid: ruling.sid,
        };
        match self.document.evaluate_as(request, bounded) {
            Outcome::Deny(ruling) => Err(Refusal::Explicit(source(ruling))),
            Outcome::Allow { by, means } => Ok(Some((source(by), means))),
            Outcome::Silent => Ok(None),
        }
    }
}

impl Decision<'_> {
    /// Whether the request may be served.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow { .. })
    }
}

impl Refusal<'_> {
    /// The end of AWS's sentence "User: … is not authorized to perform: … on resource: …" (IAM User
    /// Guide, "Troubleshoot access denied error messages").
    pub fn clause(&self, action: &str) -> String {
        match self {
            Self::Explicit(source) => {
                format!("with an explicit deny in {} {}", source.layer.article(), source.layer)
            }
            Self::Implicit(layer) => format!("because no {layer} allows the {action} action"),
        }
    }
}

impl Layer {
    const fn article(self) -> &'static str {
        match self {
            Self::Identity => "an",
            Self::Resource | Self::Boundary | Self::Session => "a",
        }
    }
}

/// AWS's name for it.
impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identity => "identity-based policy",
            Self::Resource => "resource-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
        })
    }
}
