//! AssumeRoleWithWebIdentity: temporary credentials of a role, for whom an identity token tells of.
//! The request isn't signed: the token, signed by an issuer that is a provider of the role's
//! account, says who calls.
//!
//! Errors, in order: ValidationException (ARN, ProviderId), InvalidIdentityTokenException (form,
//! provider, audience), ExpiredTokenException, IDPCommunicationErrorException,
//! InvalidIdentityTokenException (signature), AccessDeniedException, ValidationException
//! (duration), MalformedPolicyDocumentException, PackedPolicyTooLargeException.

use service::{Authorized, Caller, Context, Error, Facts, Operation};
use wire::sts::{
    AssumedRoleUser, Audience, Credentials, Issuer, MinimumSessionTokenSize, PackedPolicySize,
    PolicyDescriptors, PrincipalArn, ProviderId, RoleDurationSeconds, RoleSessionName,
    SessionPolicyDocument, SessionTokenSize, SessionTokenUtilization, SourceIdentity,
    WebIdentitySubject, WebIdentityToken,
};
use wire::{ErrorCode, Timestamp, structure};

use crate::Sts;
use crate::sts::OPERATION;
use crate::sts::role::{RoleArn, RoleSession};
use crate::sts::role_session::{Wanted, assume};
use crate::sts::web_identity::WebIdentity;

/// AssumeRoleWithWebIdentity.
pub(crate) struct AssumeRoleWithWebIdentity;

structure! {
    /// Input of AssumeRoleWithWebIdentity.
    pub(crate) struct AssumeRoleWithWebIdentityRequest {
        role_arn: PrincipalArn = required "RoleArn",
        role_session_name: RoleSessionName = required "RoleSessionName",
        web_identity_token: WebIdentityToken = required "WebIdentityToken",
        provider_id: ProviderId = optional "ProviderId",
        policy_arns: PolicyDescriptors = optional "PolicyArns",
        policy: SessionPolicyDocument = optional "Policy",
        duration_seconds: RoleDurationSeconds = optional "DurationSeconds",
        minimum_session_token_size: MinimumSessionTokenSize = optional "MinimumSessionTokenSize",
    }

    /// Output of AssumeRoleWithWebIdentity.
    pub(crate) struct AssumeRoleWithWebIdentityResponse {
        credentials: Credentials = optional "Credentials",
        subject_from_web_identity_token: WebIdentitySubject =
            optional "SubjectFromWebIdentityToken",
        assumed_role_user: AssumedRoleUser = optional "AssumedRoleUser",
        packed_policy_size: PackedPolicySize = optional "PackedPolicySize",
        provider: Issuer = optional "Provider",
        audience: Audience = optional "Audience",
        source_identity: SourceIdentity = optional "SourceIdentity",
        session_token_utilization: SessionTokenUtilization = optional "SessionTokenUtilization",
        session_token_size: SessionTokenSize = optional "SessionTokenSize",
    }
}

impl Operation for AssumeRoleWithWebIdentity {
    type Service = Sts;
    type Input = AssumeRoleWithWebIdentityRequest;
    type Output = AssumeRoleWithWebIdentityResponse;
    type Target = RoleSession;

    const SIGNED: bool = false;
    const ANSWER_RECORDED: bool = true;
    const FACTS: Facts = Facts {
        name: "AssumeRoleWithWebIdentity",
        actions: &["sts:AssumeRoleWithWebIdentity"],
        cross_account: true,
        errors: &[
            ErrorCode::MalformedPolicyDocumentException,
            ErrorCode::PackedPolicyTooLargeException,
            ErrorCode::IDPRejectedClaimException,
            ErrorCode::IDPCommunicationErrorException,
            ErrorCode::InvalidIdentityTokenException,
            ErrorCode::ExpiredTokenException,
            ErrorCode::RegionDisabledException,
        ],
        ..OPERATION
    };

    async fn identify(sts: &Sts, input: &Self::Input, now: Timestamp) -> Result<Caller, Error> {
        let role = RoleArn::parse(input.role_arn.as_str())?;
        if input.provider_id.is_some() {
            return Err(Error::validation("Access tokens of OAuth 2.0 are not taken: ProviderId"));
        }
        let token = input.web_identity_token.as_str();
        let identity = WebIdentity::claimed(&sts.directory, &role, token).await?;
        identity.prove(sts, token, now).await?;
        Ok(identity.caller(&role))
    }

    async fn resolve(cx: &Context<'_, Sts>, input: &Self::Input) -> Result<Self::Target, Error> {
        // What it claims was proved when the caller was identified.
        let role = RoleArn::parse(input.role_arn.as_str())?;
        let token = input.web_identity_token.as_str();
        let identity = WebIdentity::claimed(&cx.service.directory, &role, token).await?;
        let (tags, source) = (identity.tags()?, identity.source_identity()?);
        RoleSession::find(cx, role, tags, source, Some(identity)).await
    }

    async fn run(
        cx: &Context<'_, Sts>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let wanted = Wanted {
            name: &input.role_session_name,
            seconds: input.duration_seconds,
            chained: false,
            policy: input.policy.as_ref().map(SessionPolicyDocument::as_str),
            policy_arns: input.policy_arns.as_ref(),
            minimum_size: input.minimum_session_token_size,
        };
        let (opened, assumed_role_user) = assume(cx, target, wanted).await?;
        let identity = target.identity.as_ref();
        Ok(AssumeRoleWithWebIdentityResponse {
            credentials: Some(opened.credentials),
            subject_from_web_identity_token: identity
                .map(|identity| WebIdentitySubject::of(identity.subject())),
            assumed_role_user: Some(assumed_role_user),
            packed_policy_size: opened.packed_policy_size,
            provider: identity.map(|identity| Issuer::of(&identity.provider)),
            audience: identity.map(|identity| Audience::of(&identity.audience)),
            source_identity: target.source_identity.as_ref().map(SourceIdentity::of),
            session_token_utilization: Some(opened.session_token_utilization),
            session_token_size: Some(opened.session_token_size),
        })
    }
}
