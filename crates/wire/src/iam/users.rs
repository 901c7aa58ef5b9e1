//! Users and groups.

use crate::Timestamp;
use crate::declare::list;
use crate::iam::{
    ArnText, AttachedPermissionsBoundary, AttachedPolicies, EntityPath, GroupName, PolicyDetails,
    Tags, UniqueId, UserName,
};
use crate::shapes::UNBOUNDED;

list! {
    /// Users of a page.
    Users = "userListType" of User, 0..=UNBOUNDED;
    /// Groups of a page.
    Groups = "groupListType" of Group, 0..=UNBOUNDED;
    /// Names of the groups that a user is in.
    GroupNames = "groupNameListType" of GroupName, 0..=UNBOUNDED;
    /// Users of a page of GetAccountAuthorizationDetails.
    UserDetails = "userDetailListType" of UserDetail, 0..=UNBOUNDED;
    /// Groups of a page of GetAccountAuthorizationDetails.
    GroupDetails = "groupDetailListType" of GroupDetail, 0..=UNBOUNDED;
}

crate::structure! {
    /// A user.
    pub struct User {
        path: EntityPath = required "Path",
        user_name: UserName = required "UserName",
        user_id: UniqueId = required "UserId",
        arn: ArnText = required "Arn",
        create_date: Timestamp = required "CreateDate",
        password_last_used: Timestamp = optional "PasswordLastUsed",
        permissions_boundary: AttachedPermissionsBoundary = optional "PermissionsBoundary",
        tags: Tags = optional "Tags",
    }

    /// A group.
    pub struct Group {
        path: EntityPath = required "Path",
        group_name: GroupName = required "GroupName",
        group_id: UniqueId = required "GroupId",
        arn: ArnText = required "Arn",
        create_date: Timestamp = required "CreateDate",
    }

    /// A user with its groups and policies.
    pub struct UserDetail {
        path: EntityPath = optional "Path",
        user_name: UserName = optional "UserName",
        user_id: UniqueId = optional "UserId",
        arn: ArnText = optional "Arn",
        create_date: Timestamp = optional "CreateDate",
        user_policy_list: PolicyDetails = optional "UserPolicyList",
        group_list: GroupNames = optional "GroupList",
        attached_managed_policies: AttachedPolicies = optional "AttachedManagedPolicies",
        permissions_boundary: AttachedPermissionsBoundary = optional "PermissionsBoundary",
        tags: Tags = optional "Tags",
    }

    /// A group with its policies.
    pub struct GroupDetail {
        path: EntityPath = optional "Path",
        group_name: GroupName = optional "GroupName",
        group_id: UniqueId = optional "GroupId",
        arn: ArnText = optional "Arn",
        create_date: Timestamp = optional "CreateDate",
        group_policy_list: PolicyDetails = optional "GroupPolicyList",
        attached_managed_policies: AttachedPolicies = optional "AttachedManagedPolicies",
    }
}
