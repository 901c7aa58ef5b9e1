//! Where records stand in the store: the one place that makes and takes apart store keys.

use wire::{AccountId, Region, Timestamp};

/// The prefix of everything that KMS keeps.
pub const PREFIX: &str = "kms/";
/// The prefix of key records.
pub(crate) const KEYS: &str = "kms/key/";
/// The prefix of alias records.
pub(crate) const ALIASES: &str = "kms/alias/";
/// The prefix of the index of grants by grantee.
pub(crate) const GRANTEES: &str = "kms/grantee/";
/// The prefix of the index of pending deletions, ordered by date.
pub(crate) const DELETIONS: &str = "kms/deletion/";

/// The prefix of the index of imported materials' expirations, ordered by date.
pub(crate) const EXPIRATIONS: &str = "kms/expiration/";
/// What says that the index of expirations has all of them: earlier versions had no such index.
pub(crate) const EXPIRATIONS_INDEXED: &str = "kms/expirations-indexed";

/// What says how far the uses of keys have been stored.
pub(crate) const USAGE_TRACKING: &str = "kms/usage-tracking";

/// The record of a key's last use.
pub(crate) fn usage(account: &AccountId, region: &Region, key_id: &str) -> String {
    format!("kms/usage/{account}/{region}/{key_id}")
}

/// Below which an account's keys of one Region stand.
pub(crate) fn keys(account: &AccountId, region: &Region) -> String {
    format!("{KEYS}{account}/{region}/")
}

/// The record of a key.
pub(crate) fn key(account: &AccountId, region: &Region, key_id: &str) -> String {
    [KEYS, account.as_str(), "/", region.as_str(), "/", key_id].concat()
}

/// Whose key stands at that place.
pub(crate) fn parse_key(place: &str) -> Option<(AccountId, &str, &str)> {
    let mut parts = place.strip_prefix(KEYS)?.splitn(3, '/');
    let account = AccountId::parse(parts.next()?).ok()?;
    Some((account, parts.next()?, parts.next()?))
}

/// Below which an account's aliases of one Region stand.
pub(crate) fn aliases(account: &AccountId, region: &Region) -> String {
    format!("{ALIASES}{account}/{region}/")
}

/// The record of an alias; the name with its prefix.
pub(crate) fn alias(account: &AccountId, region: &Region, name: &str) -> String {
    [ALIASES, account.as_str(), "/", region.as_str(), "/", name].concat()
}

/// Below which the names of a key's aliases stand.
pub(crate) fn key_aliases(account: &AccountId, region: &Region, key_id: &str) -> String {
    format!("kms/key-alias/{account}/{region}/{key_id}/")
}

/// The entry that says that this alias is one of the key's.
pub(crate) fn key_alias(account: &AccountId, region: &Region, key_id: &str, name: &str) -> String {
    format!("kms/key-alias/{account}/{region}/{key_id}/{name}")
}

/// The entry that says that this key is to be deleted at that time.
pub(crate) fn deletion(
    at: Timestamp,
    account: &AccountId,
    region: &Region,
    key_id: &str,
) -> String {
    // Sixteen digits of milliseconds order as text until the year 318857.
    format!("{DELETIONS}{:016}/{account}/{region}/{key_id}", at.millis())
}

/// What an entry of the index of deletions says.
pub(crate) fn parse_deletion(key: &str) -> Option<(Timestamp, AccountId, Region, &str)> {
    parse_dated(key.strip_prefix(DELETIONS)?)
}

fn parse_dated(entry: &str) -> Option<(Timestamp, AccountId, Region, &str)> {
    let mut parts = entry.splitn(4, '/');
    let at = Timestamp::from_millis(parts.next()?.parse().ok()?);
    let account = AccountId::parse(parts.next()?).ok()?;
    let region = Region::parse(parts.next()?)?;
    Some((at, account, region, parts.next()?))
}

/// The entry that says that a key has material that expires at that time.
pub(crate) fn expiration(
    at: Timestamp,
    account: &AccountId,
    region: &Region,
    key_id: &str,
) -> String {
    format!("{EXPIRATIONS}{:016}/{account}/{region}/{key_id}", at.millis())
}

/// What an entry of the index of expirations says.
pub(crate) fn parse_expiration(key: &str) -> Option<(Timestamp, AccountId, Region, &str)> {
    parse_dated(key.strip_prefix(EXPIRATIONS)?)
}

/// Below which a key's grants stand.
pub(crate) fn grants(account: &AccountId, region: &Region, key_id: &str) -> String {
    format!("kms/grant/{account}/{region}/{key_id}/")
}

/// The record that counts a key's grants.
pub(crate) fn grant_count(account: &AccountId, region: &Region, key_id: &str) -> String {
    format!("kms/grant-count/{account}/{region}/{key_id}")
}

/// Below which a grantee's grants on a key stand. No principal has an exclamation mark in it, so
/// that none's name begins another's entries.
pub(crate) fn grantee(
    account: &AccountId,
    region: &Region,
    key_id: &str,
    principal: &str,
) -> String {
    format!("{GRANTEES}{account}/{region}/{key_id}/{principal}!")
}

/// Below which the grants stand that a principal may retire in a Region, whose keys they may be.
pub(crate) fn retirable(region: &Region, principal: &str) -> String {
    format!("kms/grant-retiring/{region}/{principal}!")
}

/// The part of an entry below [`retirable`] that names the grant.
pub(crate) fn retirable_part(account: &AccountId, key_id: &str, grant_id: &str) -> String {
    format!("{account}/{key_id}/{grant_id}")
}

/// The account, key and grant that such a part names.
pub(crate) fn parse_retirable(part: &str) -> Option<(AccountId, &str, &str)> {
    let mut parts = part.splitn(3, '/');
    let account = AccountId::parse(parts.next()?).ok()?;
    Some((account, parts.next()?, parts.next()?))
}

/// Below which those of a key's grants stand that have a name and whose parameters hash alike.
pub(crate) fn repeatable(account: &AccountId, region: &Region, key_id: &str, hash: u64) -> String {
    format!("kms/grant-parameters/{account}/{region}/{key_id}/{hash:016x}/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deletions_order_by_date_and_parse_back() {
        let account = AccountId::parse("111122223333").unwrap();
        let region = Region::parse("eu-west-1").unwrap();
        let early = deletion(Timestamp::from_millis(999), &account, &region, "k");
        let late = deletion(Timestamp::from_millis(1_000), &account, &region, "k");
        assert!(early < late);
        let expiration = expiration(Timestamp::from_millis(7), &account, &region, "k");
        assert_eq!(
            parse_expiration(&expiration),
            Some((Timestamp::from_millis(7), account, region.clone(), "k"))
        );
        assert_eq!(parse_key(&key(&account, &region, "k")), Some((account, region.as_str(), "k")));
        assert_eq!(parse_deletion(&expiration), None);
        assert_eq!(
            parse_deletion(&late),
            Some((Timestamp::from_millis(1_000), account, region, "k"))
        );
    }
}
