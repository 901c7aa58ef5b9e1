//! The managed policies that AWS owns, as far as they are of use here: known in every account by
//! `arn:aws:iam::aws:policy/NAME`.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use policy::{Document, DocumentKind};
use service::Error;
use wire::{Arn, Timestamp};

/// A managed policy of AWS's.
pub(crate) struct AwsManaged {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its path.
    pub(crate) path: &'static str,
    /// Its unique id.
    pub(crate) id: &'static str,
    /// The number of the version in force.
    pub(crate) version: u32,
    /// When it was made, and when that version was, in ISO 8601.
    created: &'static str,
    updated: &'static str,
    /// What AWS says that it is for.
    pub(crate) description: &'static str,
    /// Its document.
    pub(crate) document: &'static str,
}

/// Makes the table of a name, a path, an id, the version in force, when the policy and when that
/// version were made, and a description. The document stands in a file of the name.
macro_rules! aws_managed {
    ($($name:literal $path:literal
        $id:literal v $version:literal, $created:literal, $updated:literal,
        $description:literal;)*) => {
        &[$(AwsManaged {
            name: $name,
            path: $path,
            id: $id,
            version: $version,
            created: $created,
            updated: $updated,
            description: $description,
            document: include_str!(concat!("aws_managed/", $name, ".json")),
        }),*]
    };
}

/// All of them, sorted by name. Names, documents and moments are AWS's (AWS Managed Policy
/// Reference; some moments to the minute), as are the ids that are known; those of `ANPAAAA…`
/// stand for ids that aren't. Where a document speaks of many services, it is cut down to those
/// that are here.
pub(crate) const AWS_MANAGED: &[AwsManaged] = aws_managed! {
    "AWSDenyAll" "/"
        "ANPAZKAPJZG4P43IUQ5E5" v 2, "2019-05-01T22:36:00Z", "2023-12-18T16:42:05Z",
        "Deny all access.";
    "AWSKeyManagementServiceCustomKeyStoresServiceRolePolicy" "/aws-service-role/"
        "ANPAAAAAAAAAAAAAAACKS" v 2, "2018-11-14T20:10:00Z", "2023-11-10T19:03:34Z",
        "Enables access to AWS services and resources required for AWS KMS custom key stores";
    "AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy" "/aws-service-role/"
        "ANPAAAAAAAAAAAAAAAMRK" v 1, "2021-06-16T15:37:37Z", "2021-06-16T15:37:37Z",
        "Enables access to AWS services and resources required for AWS KMS Multi-Region Keys";
    "AWSKeyManagementServicePowerUser" "/"
        "ANPAJNPP7PPPPMJRV2SA4" v 2, "2015-02-06T18:40:40Z", "2017-03-07T00:55:11Z",
        "Provides access to AWS Key Management Service (KMS).";
    "AdministratorAccess" "/"
        "ANPAIWMBCKSKIEE64ZLYK" v 1, "2015-02-06T18:39:46Z", "2015-02-06T18:39:46Z",
        "Provides full access to AWS services and resources.";
    "IAMAccessAdvisorReadOnly" "/"
        "ANPAAAAAAAAAAAAAAAIAA" v 1, "2019-06-21T19:33:45Z", "2019-06-21T19:33:45Z",
        "This policy grants access to read all access information provided by the IAM \
         access advisor such as service last accessed information.";
    "IAMFullAccess" "/"
        "ANPAI7XKCFMBPM3QQRRVQ" v 2, "2015-02-06T18:40:38Z", "2019-06-21T19:40:00Z",
        "Provides full access to IAM via the AWS Management Console.";
    "IAMReadOnlyAccess" "/"
        "ANPAJKSO7NDY4T57MWDSQ" v 4, "2015-02-06T18:40:39Z", "2018-01-25T19:11:27Z",
        "Provides read only access to IAM via the AWS Management Console.";
    "IAMSelfManageServiceSpecificCredentials" "/"
        "ANPAI4VT74EMXK2PMQJM2" v 1, "2016-12-22T17:25:18Z", "2016-12-22T17:25:18Z",
        "Allows an IAM user to manage their own Service Specific Credentials.";
    "IAMUserChangePassword" "/"
        "ANPAJ4L4MM2A7QIEB56MS" v 5, "2016-11-15T00:25:16Z", "2026-02-12T17:58:57Z",
        "Provides the ability for an IAM user to change their own password.";
    "IAMUserSSHKeys" "/"
        "ANPAJTSHUA4UXGXU7ANUA" v 1, "2015-07-09T17:08:54Z", "2015-07-09T17:08:54Z",
        "Provides the ability for an IAM user to manage their own SSH keys.";
    "PowerUserAccess" "/"
        "ANPAJYRXTHIB4FOVS3ZXS" v 5, "2015-02-06T18:39:47Z", "2023-07-06T22:04:00Z",
        "Provides full access to AWS services and resources, but does not allow \
         management of Users and groups.";
    "ReadOnlyAccess" "/"
        "ANPAILL3HVNFSB6DCOWYQ" v 1, "2015-02-06T18:39:48Z", "2015-02-06T18:39:48Z",
        "Provides read-only access to AWS services and resources.";
    "SecurityAudit" "/"
        "ANPAIX2T3QCXHR2OGGCTO" v 58, "2015-02-06T18:41:01Z", "2026-01-30T20:19:13Z",
        "The security audit template grants access to read security configuration \
         metadata. It is useful for software that audits the configuration of an AWS \
         account.";
    "SystemAdministrator" "/job-function/"
        "ANPAITJPEZXCYCBXANDSW" v 7, "2016-11-10T17:23:00Z", "2025-02-11T22:07:07Z",
        "Grants full access permissions necessary for resources required for application \
         and development operations.";
    "ViewOnlyAccess" "/job-function/"
        "ANPAID22R6XPJATWOFDK6" v 24, "2016-11-10T17:20:00Z", "2025-05-12T20:07:07Z",
        "This policy grants permissions to view resources and basic metadata across all \
         AWS services.";
};

static COMPILED: LazyLock<HashMap<&'static str, Arc<Document>>> = LazyLock::new(|| {
    let compiled = AWS_MANAGED.iter().filter_map(|policy| {
        let document = Document::parse_stored(policy.document, DocumentKind::Managed).ok()?;
        Some((policy.name, Arc::new(document)))
    });
    compiled.collect()
});

impl AwsManaged {
    /// The policy of that ARN, in whatever partition.
    pub(crate) fn of_arn(arn: &str) -> Option<&'static Self> {
        let arn = Arn::parse(arn)
            .filter(|arn| arn.service == "iam" && arn.region.is_empty() && arn.account == "aws")?;
        let resource = arn.resource.strip_prefix("policy")?;
        AWS_MANAGED
            .iter()
            .find(|one| resource.strip_prefix(one.path).is_some_and(|name| name == one.name))
    }

    /// Its ARN.
    pub(crate) fn arn(&self, partition: &str) -> String {
        format!("arn:{partition}:iam::aws:policy{}{}", self.path, self.name)
    }

    /// When it was made.
    pub(crate) fn created(&self) -> Timestamp {
        moment(self.created)
    }

    /// When the version in force was made.
    pub(crate) fn updated(&self) -> Timestamp {
        moment(self.updated)
    }

    /// What it says.
    ///
    /// # Errors
    /// A failure of ours, which a test excludes: the document isn't understood.
    pub(crate) fn compiled(&self) -> Result<Arc<Document>, Error> {
        let document = COMPILED.get(self.name).cloned();
        document.ok_or_else(|| Error::internal("a managed policy of AWS's is not understood"))
    }
}

/// A moment of the table; a test excludes that it is none.
fn moment(text: &str) -> Timestamp {
    Timestamp::parse_iso8601(text).unwrap_or(Timestamp::from_millis(0))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn all_are_understood_and_found_by_their_arns() {
        assert!(AWS_MANAGED.is_sorted_by(|one, next| one.name < next.name));
        for policy in AWS_MANAGED {
            let found = AwsManaged::of_arn(&policy.arn("aws")).unwrap();
            assert_eq!(found.name, policy.name);
            found.compiled().unwrap();
            for moment in [policy.created, policy.updated] {
                assert!(Timestamp::parse_iso8601(moment).is_some(), "{}", policy.name);
            }
            assert!(policy.created() <= policy.updated(), "{}", policy.name);
        }
        for arn in ["policy/Nothing", "policy/job-function/ReadOnlyAccess", "policy/ViewOnlyAccess"]
        {
            assert!(AwsManaged::of_arn(&format!("arn:aws:iam::aws:{arn}")).is_none(), "{arn}");
        }
    }

    #[test]
    fn no_two_have_an_id_in_common() {
        let ids: HashSet<&str> = AWS_MANAGED.iter().map(|policy| policy.id).collect();
        assert_eq!(ids.len(), AWS_MANAGED.len());
        assert!(ids.iter().all(|id| id.len() == 21 && id.starts_with("ANPA")));
    }
}
