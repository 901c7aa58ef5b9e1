//! GetAccountSummary: how many of each the account has, and how many it may have.
//!
//! Errors: none of its own.

use service::{Authorized, Context, Error, Facts, Operation};
use wire::iam::{SummaryKey, SummaryMap, SummaryValue};
use wire::{ErrorCode, structure};

use crate::Iam;
use crate::authorization::Place;
use crate::limits::Limits;
use crate::operations::{Nothing, OPERATION};
use crate::records::AccountRecord;

/// AWS's quotas of what doesn't exist here (IAM User Guide, "IAM and AWS STS quotas").
const SERVER_CERTIFICATES: usize = 20;
const SIGNING_CERTIFICATES_PER_USER: usize = 2;
const INSTANCE_PROFILES: usize = 1_000;
/// A quota that AWS tells and that nothing here reaches.
const POLICY_VERSIONS_IN_USE: usize = 10_000;
/// Session tokens of the global endpoint are of the first form that AWS had: the only one here.
const TOKEN_VERSION: usize = 1;

/// GetAccountSummary.
pub(crate) struct GetAccountSummary;

structure! {
    /// Output of GetAccountSummary.
    pub(crate) struct GetAccountSummaryResponse {
        summary_map: SummaryMap = optional "SummaryMap",
    }
}

impl Operation for GetAccountSummary {
    type Service = Iam;
    type Input = Nothing;
    type Output = GetAccountSummaryResponse;
    type Target = Place;

    const FACTS: Facts = Facts {
        name: "GetAccountSummary",
        actions: &["iam:GetAccountSummary"],
        read_only: true,
        errors: &[ErrorCode::ServiceFailureException],
        ..OPERATION
    };

    async fn resolve(_: &Context<'_, Iam>, _: &Self::Input) -> Result<Self::Target, Error> {
        Ok(Place("*".to_owned()))
    }

    async fn run(
        cx: &Context<'_, Iam>,
        _: &Authorized<Self::Target>,
        _: &Self::Input,
    ) -> Result<Self::Output, Error> {
        let directory = &cx.service.directory;
        let account = directory.account(cx.account()).await?;
        let entry = |key: &SummaryKey| {
            let number = number(*key, &account.record, &directory.limits);
            (*key, SummaryValue::of(i32::try_from(number).unwrap_or(i32::MAX)))
        };
        let map = SummaryMap(SummaryKey::ALL.iter().map(entry).collect());
        Ok(GetAccountSummaryResponse { summary_map: Some(map) })
    }
}

fn number(key: SummaryKey, account: &AccountRecord, limits: &Limits) -> usize {
    match key {
        SummaryKey::Users => account.users,
        SummaryKey::UsersQuota => limits.users,
        SummaryKey::Groups => account.groups,
        SummaryKey::GroupsQuota => limits.groups,
        SummaryKey::Roles => account.roles,
        SummaryKey::RolesQuota => limits.roles,
        SummaryKey::Policies => account.policies,
        SummaryKey::PoliciesQuota => limits.policies,
        SummaryKey::PolicyVersionsInUse => account.policy_versions,
        SummaryKey::Providers => account.providers,
        SummaryKey::AccountAccessKeysPresent => usize::from(!account.root_access_keys.is_empty()),
        SummaryKey::UserPolicySizeQuota => limits.user_policy_size,
        SummaryKey::GroupPolicySizeQuota => limits.group_policy_size,
        SummaryKey::RolePolicySizeQuota => limits.role_policy_size,
        SummaryKey::AssumeRolePolicySizeQuota => limits.trust_policy_size,
        SummaryKey::PolicySizeQuota => limits.managed_policy_size,
        SummaryKey::GroupsPerUserQuota => limits.groups_per_user,
        SummaryKey::AccessKeysPerUserQuota => limits.access_keys_per_user,
        SummaryKey::AttachedPoliciesPerGroupQuota
        | SummaryKey::AttachedPoliciesPerRoleQuota
        | SummaryKey::AttachedPoliciesPerUserQuota => limits.attached_policies,
        SummaryKey::VersionsPerPolicyQuota => limits.policy_versions,
        SummaryKey::PolicyVersionsInUseQuota => POLICY_VERSIONS_IN_USE,
        SummaryKey::ServerCertificatesQuota => SERVER_CERTIFICATES,
        SummaryKey::SigningCertificatesPerUserQuota => SIGNING_CERTIFICATES_PER_USER,
        SummaryKey::InstanceProfilesQuota => INSTANCE_PROFILES,
        SummaryKey::GlobalEndpointTokenVersion => TOKEN_VERSION,
        // There are no certificates, passwords, second factors and instance profiles here.
        SummaryKey::ServerCertificates
        | SummaryKey::MfaDevices
        | SummaryKey::MfaDevicesInUse
        | SummaryKey::AccountMfaEnabled
        | SummaryKey::AccountPasswordPresent
        | SummaryKey::AccountSigningCertificatesPresent
        | SummaryKey::InstanceProfiles => 0,
    }
}
