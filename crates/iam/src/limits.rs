//! How many of each there may be, and how long documents may be: AWS's quotas (IAM User Guide,
//! "IAM and AWS STS quotas").

/// The quotas of an account and of what is in it.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Access keys of a user.
    pub access_keys_per_user: usize,
    /// Groups of a user.
    pub groups_per_user: usize,
    /// Managed policies attached to a user, group or role.
    pub attached_policies: usize,
    /// Versions of a managed policy.
    pub policy_versions: usize,
    /// Tags of a user, role, policy or provider.
    pub tags: usize,
    /// Users in an account.
    pub users: usize,
    /// Groups in an account.
    pub groups: usize,
    /// Roles in an account.
    pub roles: usize,
    /// Customer managed policies in an account.
    pub policies: usize,
    /// OpenID Connect providers in an account.
    pub providers: usize,
    /// Client ids (audiences) of an OpenID Connect provider.
    pub client_ids_per_provider: usize,
    /// Thumbprints of an OpenID Connect provider.
    pub thumbprints_per_provider: usize,
    /// Characters of a managed policy, white space not counted.
    pub managed_policy_size: usize,
    /// Characters of all of a user's inline policies together, white space not counted.
    pub user_policy_size: usize,
    /// The same of a group.
    pub group_policy_size: usize,
    /// The same of a role.
    pub role_policy_size: usize,
    /// Characters of a role's trust policy, white space counted.
    pub trust_policy_size: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            access_keys_per_user: 2,
            groups_per_user: 10,
            attached_policies: 10,
            policy_versions: 5,
            tags: 50,
            users: 5_000,
            groups: 300,
            roles: 1_000,
            policies: 1_500,
            providers: 100,
            client_ids_per_provider: 100,
            thumbprints_per_provider: 5,
            managed_policy_size: 6_144,
            user_policy_size: 2_048,
            group_policy_size: 5_120,
            role_policy_size: 10_240,
            trust_policy_size: 2_048,
        }
    }
}
