//! Where records stand in the store: the one place that makes and takes apart store keys.
//!
//! Names are unique without regard to case, so that they stand in lower case there.

use wire::AccountId;

/// The prefix of everything that IAM keeps.
pub const PREFIX: &str = "iam/";
/// The prefix of what belongs to accounts: `iam/account/ACCOUNT/…`.
pub(crate) const ACCOUNTS: &str = "iam/account/";
/// The prefix of access keys.
pub(crate) const ACCESS_KEYS: &str = "iam/access-key/";

/// The account part of a key below [`ACCOUNTS`], with the prefix.
pub(crate) fn account_of(key: &str) -> &str {
    key.get(..ACCOUNTS.len() + 12).unwrap_or(key)
}

/// The key under which all that is known of an account stands together.
pub(crate) fn account(account: &AccountId) -> String {
    [ACCOUNTS, account.as_str()].concat()
}

/// The record of what an account has beside its entities.
pub(crate) fn account_record(account: &AccountId) -> String {
    format!("{ACCOUNTS}{account}/account")
}

/// Below which an account's records of that kind stand.
pub(crate) fn entities(account: &AccountId, kind: &str) -> String {
    format!("{ACCOUNTS}{account}/{kind}/")
}

/// The record of that kind and name.
pub(crate) fn entity(account: &AccountId, kind: &str, name: &str) -> String {
    format!("{ACCOUNTS}{account}/{kind}/{}", name.to_lowercase())
}

/// The entry that gives the name of the group of that unique id.
pub(crate) fn group_id(account: &AccountId, id: &str) -> String {
    format!("{ACCOUNTS}{account}/group-id/{id}")
}

/// Below which the members of the group of that unique id stand.
pub(crate) fn members(account: &AccountId, group_id: &str) -> String {
    format!("{ACCOUNTS}{account}/member/{group_id}/")
}

/// The entry that says that this user is in the group.
pub(crate) fn member(account: &AccountId, group_id: &str, user: &str) -> String {
    format!("{ACCOUNTS}{account}/member/{group_id}/{}", user.to_lowercase())
}

/// Below which those stand that the policy of that unique id is attached to.
pub(crate) fn attachments(account: &AccountId, policy_id: &str) -> String {
    format!("{ACCOUNTS}{account}/attached/{policy_id}/")
}

/// The entry that says that a policy is attached in that way (`user`, `group`, `role`,
/// `user-boundary`, `role-boundary`) to the entity of that name.
pub(crate) fn attachment(account: &AccountId, policy_id: &str, way: &str, name: &str) -> String {
    format!("{ACCOUNTS}{account}/attached/{policy_id}/{way}/{}", name.to_lowercase())
}

/// The entry that holds the id of the task that last deleted the service-linked role of that name.
pub(crate) fn deletion_task(account: &AccountId, role: &str) -> String {
    format!("{ACCOUNTS}{account}/deletion-task/{}", role.to_lowercase())
}

/// The record of an access key.
pub(crate) fn access_key(id: &str) -> String {
    [ACCESS_KEYS, id].concat()
}

/// The entry that says which account an alias is of. Aliases of accounts are unique among all.
pub(crate) fn account_alias(alias: &str) -> String {
    format!("iam/account-alias/{alias}")
}

/// The record of when an access key, or a role's session, was last used. Apart from the rest, so
/// that writing it forgets nothing that is cached.
pub(crate) fn last_use(id: &str) -> String {
    format!("iam/last-use/{id}")
}
