//! Opening a role's session, whatever admitted the caller to it.

use service::{Context, Error};
use wire::Integer as _;
use wire::sts::{
    AssumedRoleId, AssumedRoleUser, MinimumSessionTokenSize, PolicyDescriptors, PrincipalArn,
    RoleDurationSeconds, RoleSessionName,
};

use crate::Sts;
use crate::session::SessionKind;
use crate::sts::new_session::{Opened, SessionPolicies, open, session_of};
use crate::sts::role::RoleSession;

/// How long a role's session lasts if the request doesn't say, and at most where a role's session
/// opened it, in seconds.
const HOUR: i32 = 3_600;

/// What a request wants of a role's session.
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a RoleSessionName,
    pub(crate) seconds: Option<RoleDurationSeconds>,
    /// Whether a role's session asks for it.
    pub(crate) chained: bool,
    pub(crate) policy: Option<&'a str>,
    pub(crate) policy_arns: Option<&'a PolicyDescriptors>,
    pub(crate) minimum_size: Option<MinimumSessionTokenSize>,
}

/// Opens the session.
///
/// # Errors
/// ValidationException for one that would last too long; those of [`SessionPolicies::find`] and
/// [`open`].
pub(crate) async fn assume(
    cx: &Context<'_, Sts>,
    target: &RoleSession,
    wanted: Wanted<'_>,
) -> Result<(Opened, AssumedRoleUser), Error> {
    let (role, arn) = target.role()?;
    let role = &role.record;
    let seconds = wanted.seconds.map_or(HOUR, RoleDurationSeconds::value);
    if wanted.chained && seconds > HOUR {
        return Err(Error::validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by \
             role chaining.",
        ));
    }
    if seconds > role.max_session_duration {
        return Err(Error::validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    let policies = SessionPolicies::find(cx, &arn.account, wanted.policy, wanted.policy_arns);
    let policies = policies.await?;
    let principal = Some((role.name.clone(), role.id.clone()));
    let name = wanted.name.as_str();
    let mut record = session_of(SessionKind::Role, principal, cx.now, seconds);
    policies.bound(&mut record);
    name.clone_into(&mut record.name);
    record.tags = target.tags.all();
    record.transitive = target.tags.transitive();
    record.source_identity.clone_from(&target.source_identity);
    record.provider = target.identity.as_ref().map(|identity| identity.provider.clone());
    let opened = open(cx, &arn.account, record, wanted.minimum_size).await?;
    let (partition, account) = (&arn.partition, arn.account);
    let session = format!("arn:{partition}:sts::{account}:assumed-role/{}/{name}", role.name);
    let user = AssumedRoleUser {
        assumed_role_id: AssumedRoleId::of(format!("{}:{name}", role.id)),
        arn: PrincipalArn::of(session),
    };
    Ok((opened, user))
}
