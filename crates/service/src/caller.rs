//! Who calls, and what its own policies say.
//!
//! Must not know how a caller was found out, nor where its policies are kept.

use std::ops::Deref;
use std::sync::Arc;

use policy::{Attached, Decision, Document, Identity, Policies};
use wire::{AccountId, ErrorCode, Region, Timestamp};

use crate::error::Error;
use crate::ports::Pending;

/// Who sent a request, as authentication found it.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The account it belongs to.
    pub account: AccountId,
    /// Its ARN: of root `arn:aws:iam::ACCOUNT:root`, of a role's session that of the session, of a
    /// web identity that of its provider.
    pub arn: String,
    /// Its unique id: of root the account id, of a session that of the role and its name, of a web
    /// identity `ISSUER:AUDIENCE:SUBJECT`.
    pub principal_id: String,
    /// What it is.
    pub kind: CallerKind,
    /// The access key that signed; empty where none did.
    pub access_key_id: String,
    /// Whom the token of an identity provider tells of; nothing for all other callers.
    pub subject: Option<String>,
    /// The user or role behind it; there is none behind root.
    pub principal: Option<Arc<Principal>>,
    /// What its temporary credentials bring along; nothing for long-term ones.
    pub session: Option<Arc<SessionContext>>,
}

/// What a caller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerKind {
    /// The root user of an account.
    Root,
    /// An IAM user, by a long-term access key or by GetSessionToken.
    User,
    /// A session of a role.
    AssumedRole,
    /// A session by GetFederationToken.
    FederatedUser,
    /// Whom a token of an identity provider tells of, on the way to a role. Its account is the
    /// role's, whose provider it is; it belongs to none.
    WebIdentity,
}

impl CallerKind {
    /// CloudTrail's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Root => "Root",
            Self::User => "IAMUser",
            Self::AssumedRole => "AssumedRole",
            Self::FederatedUser => "FederatedUser",
            Self::WebIdentity => "WebIdentityUser",
        }
    }

    /// The value of `aws:PrincipalType`.
    pub const fn principal_type(self) -> &'static str {
        match self {
            Self::Root => "Account",
            Self::User => "User",
            Self::AssumedRole => "AssumedRole",
            Self::FederatedUser => "FederatedUser",
            Self::WebIdentity => "Anonymous",
        }
    }
}

/// A user or role, with all that decides what it may do.
#[derive(Debug)]
pub struct Principal {
    /// Its name.
    pub name: String,
    /// Its ARN, with its path.
    pub arn: String,
    /// Its unique id: `AIDA…` or `AROA…`.
    pub unique_id: String,
    /// Its identity policies: inline, attached, those of its groups.
    pub policies: Vec<NamedPolicy>,
    /// Its permissions boundary.
    pub boundary: Option<NamedPolicy>,
    /// Its tags.
    pub tags: Vec<(String, String)>,
}

/// A policy that was understood, with the name by which a reason shows it.
#[derive(Debug, Clone)]
pub struct NamedPolicy {
    /// Its ARN, or the name of an inline policy.
    pub name: Arc<str>,
    /// What it says.
    pub document: Arc<Document>,
}

/// What temporary credentials bring along.
#[derive(Debug)]
pub struct SessionContext {
    /// When they were issued.
    pub issued: Timestamp,
    /// The session policies; `None` where none were passed.
    pub policies: Option<Vec<NamedPolicy>>,
    /// The session's tags, which hide those of the same keys on its role or user.
    pub tags: Vec<(String, String)>,
    /// The keys of those tags that the sessions keep which it opens itself.
    pub transitive: Vec<String>,
    /// The source identity that was set for it.
    pub source_identity: Option<String>,
    /// The identity provider whose token opened it.
    pub provider: Option<String>,
}

impl Caller {
    /// The root user of an account in that partition, by a long-term access key.
    pub fn root(account: AccountId, partition: &str, access_key_id: &str) -> Self {
        Self {
            account,
            arn: format!("arn:{partition}:iam::{account}:root"),
            principal_id: account.as_str().to_owned(),
            kind: CallerKind::Root,
            access_key_id: access_key_id.to_owned(),
            subject: None,
            principal: None,
            session: None,
        }
    }

    /// The caller as policies see it.
    pub fn as_principal(&self) -> policy::Caller<'_> {
        let account = self.account.as_str();
        let (arn, id) = self
            .principal
            .as_deref()
            .map_or(("", ""), |principal| (principal.arn.as_str(), principal.unique_id.as_str()));
        match self.kind {
            CallerKind::Root => policy::Caller::root(account, &self.arn),
            CallerKind::User => policy::Caller::user(account, &self.arn, id),
            CallerKind::AssumedRole => policy::Caller::assumed_role(account, &self.arn, arn, id),
            CallerKind::FederatedUser => {
                policy::Caller::federated_user(account, &self.arn, arn, id)
            }
            CallerKind::WebIdentity => policy::Caller::federated(&self.arn),
        }
    }

    /// The value of a tag of the caller: of its session, else of its user or role.
    pub fn tag(&self, key: &str) -> Option<&str> {
        let session = self.session.iter().flat_map(|session| &session.tags);
        let own = self.principal.iter().flat_map(|principal| &principal.tags);
        let mut tags = session.chain(own);
        tags.find(|(known, _)| known.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
    }

    /// Decides what the caller asks for, by its own policies and by the resource's side, and gives
    /// the decision to `then`. The one place where policies of a caller are put together.
    pub fn decide<T>(
        &self,
        action: &str,
        resource: &str,
        context: &dyn policy::Context,
        side: Option<policy::Resource<'_>>,
        then: impl FnOnce(Decision<'_>) -> T,
    ) -> T {
        let caller = self.as_principal();
        let request = policy::Request { caller: &caller, action, resource, context };
        let principal = self.principal.as_deref();
        let own = attached(principal.map_or(&[], |principal| &principal.policies));
        let session = self.session.as_deref().and_then(|session| session.policies.as_deref());
        let session = session.map(attached);
        let boundary = principal.and_then(|principal| principal.boundary.as_ref());
        let policies = Policies {
            identity: principal.map_or(Identity::Root, |_| Identity::Policies(&own)),
            boundary: boundary.map(NamedPolicy::attached),
            session: session.as_deref(),
            resource: side,
        };
        then(policy::decide(&request, &policies))
    }

    /// Refuses unless the caller's own policies allow the action, whatever the resource says.
    ///
    /// # Errors
    /// AccessDeniedException.
    pub fn permit(
        &self,
        action: &str,
        resource: &str,
        context: &dyn policy::Context,
    ) -> Result<(), Error> {
        self.decide(action, resource, context, None, |decision| match decision {
            Decision::Allow { .. } => Ok(()),
            Decision::Deny(refusal) => Err(self.denied(action, resource, &refusal.clause(action))),
        })
    }

    /// The refusal of an action on a resource, with its reason, in AWS's words (IAM User Guide,
    /// "Troubleshoot access denied error messages").
    pub fn denied(&self, action: &str, resource: &str, reason: &str) -> Error {
        let arn = &self.arn;
        Error::new(
            ErrorCode::AccessDeniedException,
            format!(
                "User: {arn} is not authorized to perform: {action} on resource: {resource} \
                 {reason}"
            ),
        )
    }
}

impl NamedPolicy {
    /// The policy as decisions take it.
    pub fn attached(&self) -> Attached<'_> {
        Attached { name: &self.name, document: &self.document }
    }
}

fn attached(policies: &[NamedPolicy]) -> Vec<Attached<'_>> {
    policies.iter().map(NamedPolicy::attached).collect()
}

/// Something that the pipeline has verified; nobody else can make one.
pub struct Verified<T>(T);

impl<T> Verified<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// What authentication gives: who calls, and in which Region the request is to be served.
pub struct Session {
    /// The caller.
    pub caller: Caller,
    /// The Region of the credential's scope.
    pub region: Region,
}

/// A request's evidence of who sent it. The pipeline asks for it once, before it reads the body.
pub trait Authenticate: Send + Sync {
    /// Checks the evidence.
    fn authenticate(&self) -> Pending<'_, Result<Session, Error>>;
}
