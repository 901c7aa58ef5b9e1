//! What is told of an account as a whole.

use crate::declare::{enums, integer, list, map, text};
use crate::shapes::UNBOUNDED;

fn is_account_alias(text: &str) -> bool {
    // ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$
    let is_end = |byte: Option<&u8>| byte.is_some_and(|b| *b != b'-');
    let bytes = text.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && is_end(bytes.first())
        && is_end(bytes.last())
        && !text.contains("--")
}

text! {
    /// An account's alias.
    AccountAlias = "accountAliasType", 3..=63,
        pattern "^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$" by is_account_alias;
}

integer! {
    /// A count or a quota.
    SummaryValue = "summaryValueType", i32::MIN..=i32::MAX;
}

enums! {
    /// What GetAccountSummary counts.
    SummaryKey = "summaryKeyType" {
        Users = "Users",
        UsersQuota = "UsersQuota",
        Groups = "Groups",
        GroupsQuota = "GroupsQuota",
        ServerCertificates = "ServerCertificates",
        ServerCertificatesQuota = "ServerCertificatesQuota",
        UserPolicySizeQuota = "UserPolicySizeQuota",
        GroupPolicySizeQuota = "GroupPolicySizeQuota",
        GroupsPerUserQuota = "GroupsPerUserQuota",
        SigningCertificatesPerUserQuota = "SigningCertificatesPerUserQuota",
        AccessKeysPerUserQuota = "AccessKeysPerUserQuota",
        MfaDevices = "MFADevices",
        MfaDevicesInUse = "MFADevicesInUse",
        AccountMfaEnabled = "AccountMFAEnabled",
        AccountAccessKeysPresent = "AccountAccessKeysPresent",
        AccountPasswordPresent = "AccountPasswordPresent",
        AccountSigningCertificatesPresent = "AccountSigningCertificatesPresent",
        AttachedPoliciesPerGroupQuota = "AttachedPoliciesPerGroupQuota",
        AttachedPoliciesPerRoleQuota = "AttachedPoliciesPerRoleQuota",
        AttachedPoliciesPerUserQuota = "AttachedPoliciesPerUserQuota",
        Policies = "Policies",
        PoliciesQuota = "PoliciesQuota",
        PolicySizeQuota = "PolicySizeQuota",
        PolicyVersionsInUse = "PolicyVersionsInUse",
        PolicyVersionsInUseQuota = "PolicyVersionsInUseQuota",
        VersionsPerPolicyQuota = "VersionsPerPolicyQuota",
        GlobalEndpointTokenVersion = "GlobalEndpointTokenVersion",
        AssumeRolePolicySizeQuota = "AssumeRolePolicySizeQuota",
        InstanceProfiles = "InstanceProfiles",
        InstanceProfilesQuota = "InstanceProfilesQuota",
        Providers = "Providers",
        RolePolicySizeQuota = "RolePolicySizeQuota",
        Roles = "Roles",
        RolesQuota = "RolesQuota",
    }

    /// Of which kind the entities of a list are to be.
    EntityType {
        User = "User",
        Role = "Role",
        Group = "Group",
        LocalManagedPolicy = "LocalManagedPolicy",
        AwsManagedPolicy = "AWSManagedPolicy",
    }
}

list! {
    /// The aliases of an account: at most one, though it is a list.
    AccountAliases = "accountAliasListType" of AccountAlias, 0..=UNBOUNDED;
    /// Kinds of entities.
    EntityTypes = "entityListType" of EntityType, 0..=UNBOUNDED;
}

map! {
    /// Counts and quotas of an account.
    SummaryMap = "summaryMapType" of SummaryKey => SummaryValue;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Write as _, XmlWriter};

    #[test]
    fn aliases_have_no_hyphen_at_an_end_or_beside_another() {
        let longest = "a".repeat(63);
        for good in ["abc", "a-b", "0-1-2", "a1b", &longest] {
            assert!(is_account_alias(good), "{good}");
        }
        let long = "a".repeat(64);
        for bad in ["", "a", "ab", "-ab", "ab-", "a--b", "Abc", "a_b", "a.b", "abé", &long] {
            assert!(!is_account_alias(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_summary_has_an_entry_for_each_count() {
        let map = SummaryMap(vec![
            (SummaryKey::Users, SummaryValue::of(2)),
            (SummaryKey::UsersQuota, SummaryValue::of(5000)),
        ]);
        let mut out = XmlWriter::new();
        map.write(&mut out);
        assert_eq!(
            String::from_utf8(out.finish().to_vec()).unwrap(),
            "<entry><key>Users</key><value>2</value></entry>\
             <entry><key>UsersQuota</key><value>5000</value></entry>"
        );
    }
}
