//! Managed policies, their versions, and what they are attached to.

use crate::Timestamp;
use crate::declare::{enums, integer, list, text};
use crate::iam::{ArnText, GroupName, PolicyName, RoleName, Tags, UniqueId, UserName};
use crate::shapes::{UNBOUNDED, is_policy};

fn is_policy_path(text: &str) -> bool {
    let is_step = |step: &str| {
        let signs = ['.', ',', '+', '@', '=', '_', '-'];
        !step.is_empty() && step.chars().all(|c| c.is_ascii_alphanumeric() || signs.contains(&c))
    };
    let steps = || text.strip_prefix('/')?.strip_suffix('/');
    text == "/" || steps().is_some_and(|steps| steps.split('/').all(is_step))
}

fn is_version_id(text: &str) -> bool {
    // v[1-9][0-9]*(\.[A-Za-z0-9-]*)?
    let Some(rest) = text.strip_prefix('v') else { return false };
    let (number, suffix) = rest.split_once('.').unwrap_or((rest, ""));
    number.starts_with(|c: char| matches!(c, '1'..='9'))
        && number.bytes().all(|b| b.is_ascii_digit())
        && suffix.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

text! {
    /// A policy document, as a request brings it; answers have it percent-encoded (RFC 3986).
    PolicyDocument = "policyDocumentType", 1..=131_072,
        pattern "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+" by is_policy;
    /// The path of a managed policy: `/` or `/division/team/`.
    PolicyPath = "policyPathType", 1..=512,
        pattern "((/[A-Za-z0-9\\.,\\+@=_-]+)*)/" by is_policy_path;
    /// The id of a version of a managed policy, such as `v1`.
    PolicyVersionId = "policyVersionIdType", 0..=UNBOUNDED,
        pattern "v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?" by is_version_id;
    /// A managed policy's description.
    PolicyDescription = "policyDescriptionType", 0..=1000;
}

integer! {
    /// How many entities a managed policy is attached to.
    AttachmentCount = "attachmentCountType", i32::MIN..=i32::MAX;
}

enums! {
    /// Whose managed policies to list.
    PolicyScope = "policyScopeType" {
        All = "All",
        Aws = "AWS",
        Local = "Local",
    }

    /// What a managed policy serves as.
    PolicyUsage = "PolicyUsageType" {
        PermissionsPolicy = "PermissionsPolicy",
        PermissionsBoundary = "PermissionsBoundary",
    }

    /// What a permissions boundary is: always a managed policy.
    PermissionsBoundaryAttachment = "PermissionsBoundaryAttachmentType" {
        PermissionsBoundaryPolicy = "PermissionsBoundaryPolicy",
    }
}

list! {
    /// Managed policies of a page.
    Policies = "policyListType" of Policy, 0..=UNBOUNDED;
    /// Names of inline policies.
    PolicyNames = "policyNameListType" of PolicyName, 0..=UNBOUNDED;
    /// Versions of a managed policy.
    PolicyVersions = "policyDocumentVersionListType" of PolicyVersion, 0..=UNBOUNDED;
    /// Managed policies that are attached to an entity.
    AttachedPolicies = "attachedPoliciesListType" of AttachedPolicy, 0..=UNBOUNDED;
    /// Groups that a managed policy is attached to.
    PolicyGroups = "PolicyGroupListType" of PolicyGroup, 0..=UNBOUNDED;
    /// Users that a managed policy is attached to.
    PolicyUsers = "PolicyUserListType" of PolicyUser, 0..=UNBOUNDED;
    /// Roles that a managed policy is attached to.
    PolicyRoles = "PolicyRoleListType" of PolicyRole, 0..=UNBOUNDED;
}

crate::structure! {
    /// A managed policy.
    pub struct Policy {
        policy_name: PolicyName = optional "PolicyName",
        policy_id: UniqueId = optional "PolicyId",
        arn: ArnText = optional "Arn",
        path: PolicyPath = optional "Path",
        default_version_id: PolicyVersionId = optional "DefaultVersionId",
        attachment_count: AttachmentCount = optional "AttachmentCount",
        permissions_boundary_usage_count: AttachmentCount =
            optional "PermissionsBoundaryUsageCount",
        is_attachable: bool = optional "IsAttachable",
        description: PolicyDescription = optional "Description",
        create_date: Timestamp = optional "CreateDate",
        update_date: Timestamp = optional "UpdateDate",
        tags: Tags = optional "Tags",
    }

    /// A version of a managed policy.
    pub struct PolicyVersion {
        document: PolicyDocument = optional "Document",
        version_id: PolicyVersionId = optional "VersionId",
        is_default_version: bool = optional "IsDefaultVersion",
        create_date: Timestamp = optional "CreateDate",
    }

    /// A managed policy, where an entity's are listed.
    pub struct AttachedPolicy {
        policy_name: PolicyName = optional "PolicyName",
        policy_arn: ArnText = optional "PolicyArn",
    }

    /// The managed policy that bounds what a user or role may do.
    pub struct AttachedPermissionsBoundary {
        permissions_boundary_type: PermissionsBoundaryAttachment =
            optional "PermissionsBoundaryType",
        permissions_boundary_arn: ArnText = optional "PermissionsBoundaryArn",
    }

    /// A group that a managed policy is attached to.
    pub struct PolicyGroup {
        group_name: GroupName = optional "GroupName",
        group_id: UniqueId = optional "GroupId",
    }

    /// A user that a managed policy is attached to.
    pub struct PolicyUser {
        user_name: UserName = optional "UserName",
        user_id: UniqueId = optional "UserId",
    }

    /// A role that a managed policy is attached to.
    pub struct PolicyRole {
        role_name: RoleName = optional "RoleName",
        role_id: UniqueId = optional "RoleId",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_policies_have_no_empty_step() {
        for good in ["/", "/a/", "/division_1/team.b,c+d@e=f-g/"] {
            assert!(is_policy_path(good), "{good}");
        }
        for bad in ["", "a", "/a", "a/", "//", "/a//b/", "///", "/a b/", "/a!/", "/é/"] {
            assert!(!is_policy_path(bad), "{bad:?}");
        }
    }

    #[test]
    fn versions_are_numbered_from_one() {
        for good in ["v1", "v10", "v1.", "v2.a-Z9"] {
            assert!(is_version_id(good), "{good}");
        }
        for bad in ["", "v", "v0", "v01", "1", "V1", "v1.a.b", "v1.é", "v1a", "v.1", "v1\n"] {
            assert!(!is_version_id(bad), "{bad:?}");
        }
    }
}
