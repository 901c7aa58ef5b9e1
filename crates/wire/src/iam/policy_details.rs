//! Policies as GetAccountAuthorizationDetails tells them: with their documents.

use crate::Timestamp;
use crate::declare::list;
use crate::iam::{
    ArnText, AttachmentCount, PolicyDescription, PolicyDocument, PolicyName, PolicyPath,
    PolicyVersionId, PolicyVersions, UniqueId,
};
use crate::shapes::UNBOUNDED;

list! {
    /// Inline policies of an entity.
    PolicyDetails = "policyDetailListType" of PolicyDetail, 0..=UNBOUNDED;
    /// Managed policies of a page.
    ManagedPolicyDetails = "ManagedPolicyDetailListType" of ManagedPolicyDetail, 0..=UNBOUNDED;
}

crate::structure! {
    /// An inline policy.
    pub struct PolicyDetail {
        policy_name: PolicyName = optional "PolicyName",
        policy_document: PolicyDocument = optional "PolicyDocument",
    }

    /// A managed policy with its versions.
    pub struct ManagedPolicyDetail {
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
        policy_version_list: PolicyVersions = optional "PolicyVersionList",
    }
}
