//! Where a data set's records stand: accounts and Regions, as many as AWS's quotas demand. It owns
//! the order in which they are filled; it must not know with what.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

use crate::sign::{self, AccessKey};
use crate::{Outcome, http::Connection};

/// AWS's quota of keys in an account and Region.
const KEYS_PER_PLACE: usize = 100_000;
/// AWS's quota of users in an account.
const USERS_PER_ACCOUNT: usize = 5_000;

/// Filled in this order; the first is the one that IAM's requests are signed for.
const REGIONS: [&str; 12] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-north-1",
    "ap-south-1",
    "ap-northeast-1",
    "ap-southeast-1",
];

/// An account, with an access key that may do everything in it.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) id: String,
    key: AccessKey,
    address: SocketAddr,
}

/// A Region of an account.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) account: Account,
    pub(crate) region: &'static str,
    /// How many keys of the set stand there.
    pub(crate) keys: usize,
}

impl Account {
    /// A signed request of IAM; the body without its version.
    pub(crate) fn query(&self, body: &str) -> Outcome<Vec<u8>> {
        sign::query(&self.key, self.address, &format!("{body}&Version=2010-05-08"))
    }

    pub(crate) async fn connect(&self) -> Outcome<Connection> {
        Connection::open(self.address).await
    }
}

impl Place {
    /// A signed request of KMS.
    pub(crate) fn request(&self, operation: &str, body: &Value) -> Outcome<Vec<u8>> {
        let (account, target) = (&self.account, format!("TrentService.{operation}"));
        sign::request_in(self.region, &account.key, account.address, &target, &body.to_string())
    }
}

/// The accounts of a file of root access keys, or those that dev mode knows without one.
pub(crate) fn accounts(file: Option<&Path>, address: SocketAddr) -> Outcome<Vec<Account>> {
    let text = match file {
        Some(path) => {
            std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?
        }
        // In dev mode an account's id is an access key of its root user, with any secret.
        None => "111122223333 111122223333 any\n222233334444 222233334444 any\n".to_owned(),
    };
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let account = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        let (id, key, secret) = (words.next()?, words.next()?, words.next()?);
        Some(Account { id, key: AccessKey { id: key, secret }, address })
    };
    let accounts: Option<Vec<_>> = lines.map(account).collect();
    let expected = "expected lines of account id, access key id and secret access key";
    accounts.filter(|found| !found.is_empty()).ok_or_else(|| expected.to_owned())
}

/// The places of that many keys.
pub(crate) fn places(accounts: &[Account], keys: usize) -> Outcome<Vec<Place>> {
    let all = accounts.iter().flat_map(|account| REGIONS.map(|region| (account, region)));
    let mut left = keys;
    let mut places = Vec::new();
    for (account, region) in all {
        let keys = left.min(KEYS_PER_PLACE);
        if keys == 0 {
            break;
        }
        left -= keys;
        places.push(Place { account: account.clone(), region, keys });
    }
    if left > 0 {
        return Err(format!("{left} keys don't fit AWS's quotas; give more accounts"));
    }
    Ok(places)
}

/// How many of that many users each account gets.
pub(crate) fn users(accounts: &[Account], users: usize) -> Outcome<Vec<(Account, usize)>> {
    if users > accounts.len() * USERS_PER_ACCOUNT {
        return Err(format!("{users} users don't fit AWS's quota; give more accounts"));
    }
    let parts = accounts.iter().enumerate().map(|(at, account)| {
        let before = at * USERS_PER_ACCOUNT;
        (account.clone(), users.saturating_sub(before).min(USERS_PER_ACCOUNT))
    });
    Ok(parts.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Vec<Account> {
        accounts(None, SocketAddr::from(([127, 0, 0, 1], 4566))).expect("accounts")
    }

    #[test]
    fn quotas_hold_in_every_place() {
        let places = places(&two(), 1_250_000).expect("places");
        assert_eq!(places.len(), 13);
        assert_eq!(places.iter().map(|place| place.keys).sum::<usize>(), 1_250_000);
        assert!(places.iter().all(|place| place.keys <= 100_000));
        assert_ne!(places[0].account.id, places[12].account.id);
        assert!(super::places(&two(), 3_000_000).is_err());
    }

    #[test]
    fn users_are_spread_over_accounts() {
        let counts = |number| {
            users(&two(), number).map(|parts| parts.iter().map(|(_, count)| *count).collect())
        };
        assert_eq!(counts(10_000), Ok(vec![5_000, 5_000]));
        assert_eq!(counts(7), Ok(vec![7, 0]));
        assert!(counts(10_001).is_err());
    }
}
