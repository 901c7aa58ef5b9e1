//! Roles, those linked to services, and the instance profiles that name them.

use crate::Timestamp;
use crate::declare::{enums, integer, list, text};
use crate::iam::{
    AnyText, ArnText, AttachedPermissionsBoundary, AttachedPolicies, EntityPath,
    InstanceProfileName, PolicyDetails, PolicyDocument, RoleName, Tags, UniqueId,
};
use crate::shapes::UNBOUNDED;

fn is_description(text: &str) -> bool {
    text.chars()
        .all(|c| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{7e}' | '\u{a1}'..='\u{ff}'))
}

text! {
    /// A role's description.
    RoleDescription = "roleDescriptionType", 0..=1000,
        pattern "[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*" by is_description;
    /// The id of the deletion of a service-linked role.
    DeletionTaskId = "DeletionTaskIdType", 1..=1000;
    /// Why such a deletion failed.
    Reason = "ReasonType", 0..=1000;
    /// The Region in which a service uses its role.
    RegionName = "RegionNameType", 1..=100;
}

integer! {
    /// How long a session of the role may last at most, in seconds.
    RoleMaxSessionDuration = "roleMaxSessionDurationType", 3600..=43_200;
    /// A number without bounds.
    AnyInteger = "integerType", i32::MIN..=i32::MAX;
}

enums! {
    /// How far the deletion of a service-linked role has got.
    DeletionTaskStatus = "DeletionTaskStatusType" {
        Succeeded = "SUCCEEDED",
        InProgress = "IN_PROGRESS",
        Failed = "FAILED",
        NotStarted = "NOT_STARTED",
    }
}

list! {
    /// Roles of a page.
    Roles = "roleListType" of Role, 0..=UNBOUNDED;
    /// Roles of a page of GetAccountAuthorizationDetails.
    RoleDetails = "roleDetailListType" of RoleDetail, 0..=UNBOUNDED;
    /// Instance profiles of a page.
    InstanceProfiles = "instanceProfileListType" of InstanceProfile, 0..=UNBOUNDED;
    /// Where a service uses its role.
    RoleUsages = "RoleUsageListType" of RoleUsage, 0..=UNBOUNDED;
    /// ARNs of resources.
    Arns = "ArnListType" of ArnText, 0..=UNBOUNDED;
}

crate::structure! {
    /// A role.
    pub struct Role {
        path: EntityPath = required "Path",
        role_name: RoleName = required "RoleName",
        role_id: UniqueId = required "RoleId",
        arn: ArnText = required "Arn",
        create_date: Timestamp = required "CreateDate",
        assume_role_policy_document: PolicyDocument = optional "AssumeRolePolicyDocument",
        description: RoleDescription = optional "Description",
        max_session_duration: RoleMaxSessionDuration = optional "MaxSessionDuration",
        permissions_boundary: AttachedPermissionsBoundary = optional "PermissionsBoundary",
        tags: Tags = optional "Tags",
        role_last_used: RoleLastUsed = optional "RoleLastUsed",
        source_role_template: SourceRoleTemplate = optional "SourceRoleTemplate",
    }

    /// The last use of a role; without members for a role that was not used.
    pub struct RoleLastUsed {
        last_used_date: Timestamp = optional "LastUsedDate",
        region: AnyText = optional "Region",
    }

    /// The template that a role was made from.
    pub struct SourceRoleTemplate {
        template_arn: ArnText = required "TemplateArn",
        template_minor_version: AnyInteger = required "TemplateMinorVersion",
    }

    /// A role with its policies and instance profiles.
    pub struct RoleDetail {
        path: EntityPath = optional "Path",
        role_name: RoleName = optional "RoleName",
        role_id: UniqueId = optional "RoleId",
        arn: ArnText = optional "Arn",
        create_date: Timestamp = optional "CreateDate",
        assume_role_policy_document: PolicyDocument = optional "AssumeRolePolicyDocument",
        instance_profile_list: InstanceProfiles = optional "InstanceProfileList",
        role_policy_list: PolicyDetails = optional "RolePolicyList",
        attached_managed_policies: AttachedPolicies = optional "AttachedManagedPolicies",
        permissions_boundary: AttachedPermissionsBoundary = optional "PermissionsBoundary",
        tags: Tags = optional "Tags",
        role_last_used: RoleLastUsed = optional "RoleLastUsed",
    }

    /// What gives a virtual machine its role.
    pub struct InstanceProfile {
        path: EntityPath = required "Path",
        instance_profile_name: InstanceProfileName = required "InstanceProfileName",
        instance_profile_id: UniqueId = required "InstanceProfileId",
        arn: ArnText = required "Arn",
        create_date: Timestamp = required "CreateDate",
        roles: Roles = required "Roles",
        tags: Tags = optional "Tags",
    }

    /// Why a service-linked role wasn't deleted.
    pub struct DeletionTaskFailureReason = "DeletionTaskFailureReasonType" {
        reason: Reason = optional "Reason",
        role_usage_list: RoleUsages = optional "RoleUsageList",
    }

    /// The resources of one Region for which a service uses its role.
    pub struct RoleUsage = "RoleUsageType" {
        region: RegionName = optional "Region",
        resources: Arns = optional "Resources",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_printable_latin_1() {
        for good in ["", "a\tb\r\n", "~ \u{a1}\u{ff}"] {
            assert!(is_description(good), "{good:?}");
        }
        for bad in ["\u{7f}", "\u{80}", "\u{a0}", "\u{100}", "\u{b}"] {
            assert!(!is_description(bad), "{bad:?}");
        }
    }
}
