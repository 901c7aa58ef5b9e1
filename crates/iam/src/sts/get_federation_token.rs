//! GetFederationToken: temporary credentials for somebody whom the calling user vouches for. They
//! may do what both the user and the session policies allow; without session policies, nothing.
//!
//! Errors, in order: InvalidParameterValueException (tags), AccessDeniedException,
//! MalformedPolicyDocumentException, PackedPolicyTooLargeException.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::Tags;
use wire::sts::{
    Credentials, DurationSeconds, FederatedId, FederatedUser, FederatedUserName,
    MinimumSessionTokenSize, PackedPolicySize, PolicyDescriptors, PrincipalArn,
    SessionPolicyDocument, SessionTokenSize, SessionTokenUtilization,
};
use wire::{ErrorCode, structure};

use crate::Sts;
use crate::session::SessionKind;
use crate::sts::OPERATION;
use crate::sts::authorization::FederatedSession;
use crate::sts::get_session_token::seconds;
use crate::sts::new_session::{SessionPolicies, open, session_of};
use crate::sts::session_tags::SessionTags;

/// GetFederationToken.
pub(crate) struct GetFederationToken;

structure! {
    /// Input of GetFederationToken.
    pub(crate) struct GetFederationTokenRequest {
        name: FederatedUserName = required "Name",
        policy: SessionPolicyDocument = optional "Policy",
        policy_arns: PolicyDescriptors = optional "PolicyArns",
        duration_seconds: DurationSeconds = optional "DurationSeconds",
        tags: Tags = optional "Tags",
        minimum_session_token_size: MinimumSessionTokenSize = optional "MinimumSessionTokenSize",
    }

    /// Output of GetFederationToken.
    pub(crate) struct GetFederationTokenResponse {
        credentials: Credentials = optional "Credentials",
        federated_user: FederatedUser = optional "FederatedUser",
        packed_policy_size: PackedPolicySize = optional "PackedPolicySize",
        session_token_utilization: SessionTokenUtilization = optional "SessionTokenUtilization",
        session_token_size: SessionTokenSize = optional "SessionTokenSize",
    }
}

impl Operation for GetFederationToken {
    type Service = Sts;
    type Input = GetFederationTokenRequest;
    type Output = GetFederationTokenResponse;
    type Target = FederatedSession;

    const ANSWER_RECORDED: bool = true;
    const FACTS: Facts = Facts {
        name: "GetFederationToken",
        actions: &["sts:GetFederationToken"],
        read_only: false,
        errors: &[
            ErrorCode::MalformedPolicyDocumentException,
            ErrorCode::PackedPolicyTooLargeException,
            ErrorCode::RegionDisabledException,
        ],
        ..OPERATION
    };

    async fn resolve(cx: &Context<'_, Sts>, input: &Self::Input) -> Result<Self::Target, Error> {
        let (partition, account, name) = (cx.partition(), cx.account(), input.name.as_str());
        Ok(FederatedSession {
            arn: format!("arn:{partition}:sts::{account}:federated-user/{name}"),
            tags: SessionTags::asked(input.tags.as_ref(), None, None)?,
        })
    }

    async fn run(
        cx: &Context<'_, Sts>,
        target: &Authorized<Self::Target>,
        input: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let policy = input.policy.as_ref().map(SessionPolicyDocument::as_str);
        let policies = SessionPolicies::find(cx, cx.account(), policy, input.policy_arns.as_ref());
        let policies = policies.await?;
        let user = cx.caller.principal.as_deref();
        let principal = user.map(|user| (user.name.clone(), user.unique_id.clone()));
        let seconds = seconds(cx, input.duration_seconds);
        let mut record = session_of(SessionKind::Federated, principal, cx.now, seconds);
        policies.bound(&mut record);
        let name = input.name.as_str();
        name.clone_into(&mut record.name);
        record.tags = target.tags.all();
        let opened = open(cx, cx.account(), record, input.minimum_session_token_size).await?;
        Ok(GetFederationTokenResponse {
            credentials: Some(opened.credentials),
            federated_user: Some(FederatedUser {
                federated_user_id: FederatedId::of(format!("{}:{name}", cx.account())),
                arn: PrincipalArn::of(&target.arn),
            }),
            packed_policy_size: opened.packed_policy_size,
            session_token_utilization: Some(opened.session_token_utilization),
            session_token_size: Some(opened.session_token_size),
        })
    }
}
