//! AssumeRole: temporary credentials of a role, for whom its trust policy lets assume it; across
//! accounts the caller's own policies must let it too.
//!
//! Errors, in order: ValidationException (ARN, what isn't there), InvalidParameterValueException
//! (tags), AccessDeniedException, ValidationException (duration), MalformedPolicyDocumentException,
//! PackedPolicyTooLargeException.

use service::{Authorized, CallerKind, Context, Error, Facts, Operation};
use wire::iam::{TagKeys, Tags};
use wire::sts::{
    AssumedRoleUser, Credentials, ExternalId, MinimumSessionTokenSize, PackedPolicySize,
    PolicyDescriptors, PrincipalArn, ProvidedContexts, RoleDurationSeconds, RoleSessionName,
    SerialNumber, SessionTokenSize, SessionTokenUtilization, SourceIdentity, TokenCode,
    UnrestrictedSessionPolicyDocument,
};
use wire::{ErrorCode, structure};

use crate::Sts;
use crate::sts::OPERATION;
use crate::sts::new_session::no_second_factor;
use crate::sts::role::{RoleArn, RoleSession};
use crate::sts::role_session::{Wanted, assume};
use crate::sts::session_tags::SessionTags;

/// AssumeRole.
pub(crate) struct AssumeRole;

structure! {
    /// Input of AssumeRole.
    pub(crate) struct AssumeRoleRequest {
        role_arn: PrincipalArn = required "RoleArn",
        role_session_name: RoleSessionName = required "RoleSessionName",
        policy_arns: PolicyDescriptors = optional "PolicyArns",
        policy: UnrestrictedSessionPolicyDocument = optional "Policy",
        duration_seconds: RoleDurationSeconds = optional "DurationSeconds",
        tags: Tags = optional "Tags",
        transitive_tag_keys: TagKeys = optional "TransitiveTagKeys",
        external_id: ExternalId = optional "ExternalId",
        serial_number: SerialNumber = optional "SerialNumber",
        token_code: TokenCode = optional "TokenCode",
        source_identity: SourceIdentity = optional "SourceIdentity",
        provided_contexts: ProvidedContexts = optional "ProvidedContexts",
        minimum_session_token_size: MinimumSessionTokenSize = optional "MinimumSessionTokenSize",
    }

    /// Output of AssumeRole.
    pub(crate) struct AssumeRoleResponse {
        credentials: Credentials = optional "Credentials",
        assumed_role_user: AssumedRoleUser = optional "AssumedRoleUser",
        packed_policy_size: PackedPolicySize = optional "PackedPolicySize",
        source_identity: SourceIdentity = optional "SourceIdentity",
        session_token_utilization: SessionTokenUtilization = optional "SessionTokenUtilization",
        session_token_size: SessionTokenSize = optional "SessionTokenSize",
    }
}

impl Operation for AssumeRole {
    type Service = Sts;
    type Input = AssumeRoleRequest;
    type Output = AssumeRoleResponse;
    type Target = RoleSession;

    const ANSWER_RECORDED: bool = true;
    const FACTS: Facts = Facts {
        name: "AssumeRole",
        actions: &["sts:AssumeRole"],
        cross_account: true,
        errors: &[
            ErrorCode::MalformedPolicyDocumentException,
            ErrorCode::PackedPolicyTooLargeException,
            ErrorCode::RegionDisabledException,
            ErrorCode::ExpiredTokenException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Sts>, input: &Self::Input) -> Result<Self::Target, Error> {
        let arn = RoleArn::parse(input.role_arn.as_str())?;
        if input.provided_contexts.is_some() {
            return Err(Error::validation("There are no context providers here: ProvidedContexts"));
        }
        let session = cx.caller.session.as_deref();
        let (tags, keys) = (input.tags.as_ref(), input.transitive_tag_keys.as_ref());
        let tags = SessionTags::asked(tags, keys, session)?;
        let inherited = session.and_then(|session| session.source_identity.as_deref());
        let source = source_identity(input.source_identity.as_ref(), inherited)?;
        RoleSession::find(cx, arn, tags, source, None).await
    }

    async fn run(
        cx: &Context<'_, Sts>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        no_second_factor(input.serial_number.as_ref(), input.token_code.as_ref())?;
        let wanted = Wanted {
            name: &input.role_session_name,
            seconds: input.duration_seconds,
            chained: cx.caller.kind == CallerKind::AssumedRole,
            policy: input.policy.as_ref().map(UnrestrictedSessionPolicyDocument::as_str),
            policy_arns: input.policy_arns.as_ref(),
            minimum_size: input.minimum_session_token_size,
        };
        let (opened, assumed_role_user) = assume(cx, target, wanted).await?;
        Ok(AssumeRoleResponse {
            credentials: Some(opened.credentials),
            assumed_role_user: Some(assumed_role_user),
            packed_policy_size: opened.packed_policy_size,
            source_identity: target.source_identity.as_ref().map(SourceIdentity::of),
            session_token_utilization: Some(opened.session_token_utilization),
            session_token_size: Some(opened.session_token_size),
        })
    }
}

/// The source identity of the session: once set, it stays for all sessions that come of it.
///
/// # Errors
/// AccessDeniedException for another one, ValidationException for one of AWS's own.
fn source_identity(
    asked: Option<&SourceIdentity>,
    inherited: Option<&str>,
) -> Result<Option<String>, Error> {
    let asked = asked.map(SourceIdentity::as_str);
    if asked.is_some_and(|asked| asked.to_lowercase().starts_with("aws:")) {
        return Err(Error::validation("SourceIdentity cannot start with 'aws:'."));
    }
    match (asked, inherited) {
        (Some(asked), Some(inherited)) if asked != inherited => Err(Error::new(
            ErrorCode::AccessDeniedException,
            "The source identity of the calling session cannot be changed.",
        )),
        _ => Ok(inherited.or(asked).map(str::to_owned)),
    }
}
