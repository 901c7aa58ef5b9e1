//! A data set of the size that the server must bear: keys with aliases, tags and policies, grants
//! on one of them, users. It is made through the API of a running server, and goes on where an
//! earlier run was broken off. It must not know how the server keeps it.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::Outcome;
use crate::crowd::{Answered, Crowd};
use crate::paged::{self, ALIASES, GRANTS, KEYS};
use crate::place::{self, Account, Place};

/// How many keys are made before their aliases are.
const CHUNK: usize = 10_000;

/// The users that share the grants.
const GRANTEES: usize = 1_000;

/// Users of an account, and grants of a key, take turns in the server: more connections only wait.
const TURNS: usize = 4;

/// What to make, and where.
#[derive(clap::Args)]
pub(crate) struct Settings {
    /// Where the server listens, in plain HTTP.
    #[arg(long, default_value = "127.0.0.1:4566")]
    endpoint: SocketAddr,
    /// Access keys that may do everything in their accounts, as `strongroom dev
    /// --root-access-keys` reads them: lines of account id, access key id and secret access key.
    /// Without it, two accounts of dev mode, whose signatures aren't verified.
    #[arg(long)]
    access_keys: Option<PathBuf>,
    /// Keys, each with a policy, three tags and an alias: 100,000 in each Region.
    #[arg(long, default_value_t = 1_000_000)]
    keys: usize,
    /// Grants on the first of them, for users; none without users.
    #[arg(long, default_value_t = 50_000)]
    grants: usize,
    /// Users, 5,000 in each account.
    #[arg(long, default_value_t = 10_000)]
    users: usize,
    /// Keep-alive connections, each with one request under way.
    #[arg(long, default_value_t = 64)]
    connections: usize,
}

/// Makes what is missing, and says how fast.
pub(crate) fn make(settings: &Settings) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let accounts = place::accounts(settings.access_keys.as_deref(), settings.endpoint)?;
        let places = place::places(&accounts, settings.keys)?;
        let mut crowd = Crowd::open(settings.endpoint, settings.connections).await?;
        for place in &places {
            fill(&mut crowd, place).await?;
        }
        let mut few = Crowd::open(settings.endpoint, TURNS).await?;
        for (account, count) in place::users(&accounts, settings.users)? {
            make_users(&mut few, &account, count).await?;
        }
        match places.first() {
            Some(place) if settings.users > 0 => make_grants(&mut few, place, settings).await,
            _ => Ok(()),
        }
    })
}

/// Makes a place's keys and their aliases.
async fn fill(crowd: &mut Crowd, place: &Place) -> Outcome {
    let mut connection = place.account.connect().await?;
    let mut ids = paged::walk(&mut connection, place, &KEYS, None, KEYS.page).await?.0;
    ids.truncate(place.keys);
    let aliases = paged::walk(&mut connection, place, &ALIASES, None, ALIASES.page).await?.0;
    let aliases: HashSet<String> = aliases.into_iter().collect();
    let mut unnamed: Vec<_> = ids.iter().filter(|id| !aliases.contains(&alias(id))).collect();
    let found = ids.len();
    name(crowd, place, unnamed.drain(..).cloned().collect()).await?;
    for start in (found..place.keys).step_by(CHUNK) {
        let (count, place_here) = (CHUNK.min(place.keys - start), place.clone());
        let request = move |number| place_here.request("CreateKey", &key(&place_here, number));
        let made = crowd.send(count, Arc::new(request), key_id).await?;
        tell(place.region, &place.account, "keys", &made);
        name(crowd, place, made.results).await?;
    }
    Ok(())
}

async fn name(crowd: &mut Crowd, place: &Place, ids: Vec<String>) -> Outcome {
    let (count, to) = (ids.len(), place.clone());
    let request = move |number: usize| {
        let id = &ids[number];
        to.request("CreateAlias", &json!({ "AliasName": alias(id), "TargetKeyId": id }))
    };
    let named = crowd.send(count, Arc::new(request), |_| Ok(())).await?;
    tell(place.region, &place.account, "aliases", &named);
    Ok(())
}

async fn make_users(crowd: &mut Crowd, account: &Account, count: usize) -> Outcome {
    let mut connection = account.connect().await?;
    let names = paged::users(&mut connection, account, None).await?.0;
    let there: HashSet<String> = names.into_iter().collect();
    let missing: Vec<_> = (0..count).map(user).filter(|name| !there.contains(name)).collect();
    let (missing, of) = (Arc::new(missing), account.clone());
    let names = Arc::clone(&missing);
    let request = move |number: usize| {
        let name = &names[number];
        let tags = "Tags.member.1.Key=team&Tags.member.1.Value=data";
        of.query(&format!("Action=CreateUser&UserName={name}&Path=%2Fdata%2F&{tags}"))
    };
    let made = crowd.send(missing.len(), Arc::new(request), |_| Ok(())).await?;
    tell("IAM", account, "users", &made);
    Ok(())
}

async fn make_grants(crowd: &mut Crowd, place: &Place, settings: &Settings) -> Outcome {
    let (count, grantees) = (settings.grants, settings.users.min(GRANTEES));
    let mut connection = place.account.connect().await?;
    let key_id = granted_key(&mut connection, place).await?;
    let there = paged::walk(&mut connection, place, &GRANTS, Some(&key_id), GRANTS.page).await?.0;
    let (start, to) = (there.len(), place.clone());
    let request = move |number: usize| {
        let grantee = user((start + number) % grantees);
        to.request("CreateGrant", &grant(&to, &key_id, &grantee, start + number))
    };
    let made = crowd.send(count.saturating_sub(start), Arc::new(request), |_| Ok(())).await?;
    tell(place.region, &place.account, "grants", &made);
    Ok(())
}

/// The key that has the grants: the first in the list of its place.
pub(crate) async fn granted_key(
    connection: &mut crate::http::Connection,
    place: &Place,
) -> Outcome<String> {
    let first = place.request("ListKeys", &paged::body(None, 1, None))?;
    let answer: Value = serde_json::from_slice(connection.exchange(&first).await?)
        .map_err(|error| error.to_string())?;
    let id = answer["Keys"][0]["KeyId"].as_str();
    id.map(str::to_owned).ok_or_else(|| "there are no keys".to_owned())
}

fn tell<T>(region: &str, account: &Account, what: &str, made: &Answered<T>) {
    let count = made.results.len();
    if count > 0 {
        println!("{region} {}: {count} {what}, {:.0} a second", account.id, made.rate());
    }
}

/// The name of a key's alias.
pub(crate) fn alias(key_id: &str) -> String {
    format!("alias/data/{key_id}")
}

fn user(number: usize) -> String {
    format!("user-{number:06}")
}

/// What makes a key: the account may do everything with it, and who carries the key's team as a
/// tag may use it.
fn key(place: &Place, number: usize) -> Value {
    let root = format!("arn:aws:iam::{}:root", place.account.id);
    let team = format!("team-{}", number % 100);
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Administration",
                "Effect": "Allow",
                "Principal": { "AWS": root },
                "Action": "kms:*",
                "Resource": "*"
            },
            {
                "Sid": "Use",
                "Effect": "Allow",
                "Principal": { "AWS": "*" },
                "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*", "kms:DescribeKey"],
                "Resource": "*",
                "Condition": {
                    "StringEquals": {
                        "kms:CallerAccount": place.account.id,
                        "aws:PrincipalTag/team": team
                    }
                }
            }
        ]
    });
    json!({
        "Description": format!("key {number} of a data set"),
        "Policy": policy.to_string(),
        "Tags": [
            { "TagKey": "team", "TagValue": team },
            { "TagKey": "environment", "TagValue": "production" },
            { "TagKey": "number", "TagValue": number.to_string() }
        ]
    })
}

fn key_id(answer: &[u8]) -> Outcome<String> {
    let answer: Value = serde_json::from_slice(answer).map_err(|error| error.to_string())?;
    let id = answer["KeyMetadata"]["KeyId"].as_str();
    id.map(str::to_owned).ok_or_else(|| "CreateKey answered no KeyId".to_owned())
}

/// Each grant is for another encryption context.
fn grant(place: &Place, key_id: &str, grantee: &str, number: usize) -> Value {
    json!({
        "KeyId": key_id,
        "GranteePrincipal": format!("arn:aws:iam::{}:user/data/{grantee}", place.account.id),
        "Operations": ["Encrypt", "Decrypt", "GenerateDataKey"],
        "Constraints": { "EncryptionContextSubset": { "number": number.to_string() } }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_names_its_account_and_number() {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let accounts = place::accounts(None, address).expect("accounts");
        let place = &place::places(&accounts, 1).expect("places")[0];
        let key = key(place, 7);
        assert_eq!(key["Tags"][2]["TagValue"], "7");
        let policy: Value =
            serde_json::from_str(key["Policy"].as_str().expect("text")).expect("JSON");
        assert_eq!(policy["Statement"][0]["Principal"]["AWS"], "arn:aws:iam::111122223333:root");
        let grant = grant(place, "k", &user(7), 1_007);
        let grantee = "arn:aws:iam::111122223333:user/data/user-000007";
        assert_eq!(grant["GranteePrincipal"], grantee);
        assert_eq!(grant["Constraints"]["EncryptionContextSubset"]["number"], "1007");
    }
}
