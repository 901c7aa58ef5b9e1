//! The page of condition keys is made of the tables that requests are decided by.
//!
//! `STRONGROOM_WRITE_DOCS=1 cargo test -p conformance --test condition_keys` writes it anew.

use std::fmt::Write as _;

use iam::{Iam, Sts};
use kms::Kms;
use service::Service;
use service::conditions::{KeyInfo, KeyKind, SetBy, global_keys};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/condition-keys.md");

const HEAD: &str = "\
# Condition keys

What the `Condition` element of a policy, and policy variables, may speak of. Names ignore case.
A key of the services here (`aws:`, `kms:`, `iam:`, `sts:`) that isn't in these tables is refused
when a policy is written; keys of other services may stand in identity policies and are absent in
every request.

This page is made of the tables in the code by a test, `conformance/tests/condition_keys.rs`.
";

/// How many operations a row names; of more it tells the member by which they are found.
const SHOWN_MAX: usize = 4;

/// The operations of a service that have one of these members, with the service's name.
fn having<S: Service>(members: &[&str]) -> Vec<&'static str> {
    let has = |info: &wire::StructureInfo| info.members.iter().any(|m| members.contains(&m.name));
    let operations = S::registry().iter().filter(|operation| has(operation.input()));
    operations.map(|operation| operation.facts().name).collect()
}

fn set_by(key: &KeyInfo) -> String {
    match key.set_by {
        SetBy::Every => "every request".to_owned(),
        SetBy::EveryKey => "every request that acts on a key".to_owned(),
        SetBy::Caller(who) => who.to_owned(),
        SetBy::Actions(actions) => actions.join(", "),
        SetBy::Never => "none here".to_owned(),
        SetBy::Members(members) => {
            let of_kms = having::<Kms>(members);
            let (of_iam, of_sts) = (having::<Iam>(members), having::<Sts>(members));
            // A key of one service is set by its own operations.
            let operations = match &key.name[..4] {
                "kms:" => of_kms,
                "iam:" => of_iam,
                "sts:" => of_sts,
                _ => [of_kms, of_iam, of_sts].concat(),
            };
            assert!(!operations.is_empty(), "nothing sets {}", key.name);
            if operations.len() <= SHOWN_MAX {
                return operations.join(", ");
            }
            let members: Vec<_> = members.iter().map(|name| format!("`{name}`")).collect();
            format!("{} operations with {}", operations.len(), members.join(", "))
        }
    }
}

fn kind(key: &KeyInfo) -> &'static str {
    match key.kind {
        KeyKind::Text => "String",
        KeyKind::Texts => "ArrayOfString",
        KeyKind::Arn => "ARN",
        KeyKind::Number => "Numeric",
        KeyKind::Bool => "Bool",
        KeyKind::Time => "Date",
        KeyKind::Address => "IPAddress",
    }
}

fn table(page: &mut String, title: &str, keys: impl Iterator<Item = KeyInfo>) {
    let mut keys: Vec<KeyInfo> = keys.collect();
    keys.sort_by_key(|key| key.name.to_lowercase());
    write!(page, "\n## {title}\n\n| Key | Type | Set by |\n| --- | --- | --- |\n").unwrap();
    for key in keys {
        writeln!(page, "| `{}` | {} | {} |", key.name, kind(&key), set_by(&key)).unwrap();
    }
}

#[test]
fn the_page_tells_of_every_condition_key() {
    let mut page = HEAD.to_owned();
    table(&mut page, "Global keys", global_keys());
    table(&mut page, "AWS KMS", kms::condition_keys());
    table(&mut page, "IAM and STS", iam::condition_keys());
    if std::env::var_os("STRONGROOM_WRITE_DOCS").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(written == page, "docs/condition-keys.md is out of date; see this test's first lines");
}

#[test]
fn every_key_of_the_page_is_known_to_policies() {
    let sample = |key: &KeyInfo| {
        let name = key.name.to_lowercase();
        name.replace("<id>", "7").replace("context-key", "a")
    };
    for key in global_keys().chain(kms::condition_keys()) {
        assert!(kms::is_condition_key(&sample(&key)), "{}", key.name);
    }
    for key in iam::condition_keys() {
        assert!(iam::is_condition_key(&sample(&key)), "{}", key.name);
    }
}
