//! Users, groups, roles and managed policies with all that gives them permissions, as
//! GetAccountAuthorizationDetails tells of them.

use service::{Context, Error};
use wire::iam::{
    ArnText, AttachedPolicies, AttachedPolicy, GroupDetail, GroupName, GroupNames,
    InstanceProfiles, ManagedPolicyDetail, PolicyDetail, PolicyDetails, PolicyName, PolicyVersions,
    RoleDetail, Tags, UserDetail,
};

use crate::Iam;
use crate::document::encoded;
use crate::entities::{group, whole_user};
use crate::managed::{Told, Usage, Version};
use crate::membership::groups_of;
use crate::records::{GroupRecord, Permissions, RoleRecord, UserRecord};
use crate::roles::whole_role;

/// A user with its groups and policies.
///
/// # Errors
/// Those of the store.
pub(crate) async fn user_detail(
    cx: &Context<'_, Iam>,
    record: &UserRecord,
) -> Result<UserDetail, Error> {
    let user = whole_user(cx, record);
    let groups = groups_of(cx, record).await?;
    let groups = groups.iter().map(|group| GroupName::of(&group.name)).collect();
    Ok(UserDetail {
        path: Some(user.path),
        user_name: Some(user.user_name),
        user_id: Some(user.user_id),
        arn: Some(user.arn),
        create_date: Some(user.create_date),
        user_policy_list: Some(inline(&record.permissions)),
        group_list: Some(GroupNames(groups)),
        attached_managed_policies: Some(attached(&record.permissions)),
        permissions_boundary: user.permissions_boundary,
        tags: user.tags.or(Some(Tags(Vec::new()))),
    })
}

/// A group with its policies.
pub(crate) fn group_detail(cx: &Context<'_, Iam>, record: &GroupRecord) -> GroupDetail {
    let group = group(record, cx.partition(), cx.account());
    GroupDetail {
        path: Some(group.path),
        group_name: Some(group.group_name),
        group_id: Some(group.group_id),
        arn: Some(group.arn),
        create_date: Some(group.create_date),
        group_policy_list: Some(inline(&record.permissions)),
        attached_managed_policies: Some(attached(&record.permissions)),
    }
}

/// A role with its policies.
///
/// # Errors
/// Those of the store.
pub(crate) async fn role_detail(
    cx: &Context<'_, Iam>,
    record: &RoleRecord,
) -> Result<RoleDetail, Error> {
    let role = whole_role(cx, record).await?;
    Ok(RoleDetail {
        path: Some(role.path),
        role_name: Some(role.role_name),
        role_id: Some(role.role_id),
        arn: Some(role.arn),
        create_date: Some(role.create_date),
        assume_role_policy_document: role.assume_role_policy_document,
        // There are no instance profiles here.
        instance_profile_list: Some(InstanceProfiles(Vec::new())),
        role_policy_list: Some(inline(&record.permissions)),
        attached_managed_policies: Some(attached(&record.permissions)),
        permissions_boundary: role.permissions_boundary,
        tags: role.tags.or(Some(Tags(Vec::new()))),
        role_last_used: role.role_last_used,
    })
}

/// A managed policy with its versions and their documents.
pub(crate) fn policy_detail(
    cx: &Context<'_, Iam>,
    policy: Told<'_>,
    usage: &Usage,
) -> ManagedPolicyDetail {
    let versions = policy.versions().iter().map(Version::whole).collect();
    let policy = policy.whole(cx, usage);
    ManagedPolicyDetail {
        policy_name: policy.policy_name,
        policy_id: policy.policy_id,
        arn: policy.arn,
        path: policy.path,
        default_version_id: policy.default_version_id,
        attachment_count: policy.attachment_count,
        permissions_boundary_usage_count: policy.permissions_boundary_usage_count,
        is_attachable: policy.is_attachable,
        description: policy.description,
        create_date: policy.create_date,
        update_date: policy.update_date,
        policy_version_list: Some(PolicyVersions(versions)),
    }
}

fn inline(permissions: &Permissions) -> PolicyDetails {
    let detail = |(name, text): &(String, String)| PolicyDetail {
        policy_name: Some(PolicyName::of(name)),
        policy_document: Some(encoded(text)),
    };
    PolicyDetails(permissions.inline.iter().map(detail).collect())
}

fn attached(permissions: &Permissions) -> AttachedPolicies {
    let policy = |arn: &String| AttachedPolicy {
        policy_name: arn.rsplit('/').next().map(PolicyName::of),
        policy_arn: Some(ArnText::of(arn)),
    };
    AttachedPolicies(permissions.attached.iter().map(policy).collect())
}
