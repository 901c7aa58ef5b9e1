//! `docs/quotas.md`, made of the table of classes.

use std::fmt::Write as _;

use super::classes::{BY_PAIR, CLASSES, Class, Counted};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/quotas.md");

const HEAD: &str = "\
# Request quotas

AWS lets an account send so many requests a second and refuses the others. Strongroom can do the
same: to keep one account from taking what all need, and to find out how a client takes it.

A request over its quota is refused with ThrottlingException (400) by KMS, with Throttling (400) and
the words \"Rate exceeded\" by IAM and STS, as AWS does. It changes nothing and is recorded in the
audit log like every other one. AWS's SDKs try again by themselves.

In dev mode nothing is limited unless asked for: `strongroom dev --quotas` switches AWS's rates on,
`--quota CLASS=N` sets one. Production has the settings `quotas.enabled` and `quotas.overrides`. A
setting is `CLASS=N` or `*:CLASS=N` for every account, or `ACCOUNT:CLASS=N` for one, which goes
before those for all; of two for the same, the later one holds. N is a number of requests a second,
or `none` for no quota.

## How requests are counted

- Towards the account whose credentials signed, whoever owns the key.
- Each account and Region by itself; IAM, which has no Regions, each account.
- After the signature has been verified and before anything else, so that what is refused later
  counts too. Where the class depends on the key, the request is counted when the key has been found
  and before permissions are looked at; one that names no key isn't counted.
- Decrypt, Encrypt, ReEncrypt, Sign and Verify count by the kind of their key. ReEncrypt between
  keys of two kinds counts towards both.
- GenerateDataKeyPair and GenerateDataKeyPairWithoutPlaintext count by the kind of the pair alone.
- ReplicateKey counts once here and as two CreateKey in the replica's Region, UpdatePrimaryRegion
  once in each of its two Regions.
- AssumeRoleWithWebIdentity, which nobody signs, counts towards nothing.

AWS says that a quota holds for each interval of one second, not how it counts. Here each class has
a bucket of what one second brings, or of one request where that is less, which fills at the quota's
rate. What 4,096 pairs of account and Region have used is kept in memory; another one takes the
place of the one that was used least lately, which then begins with a full bucket.

## The classes

AWS's default rates, from the [developer guide of AWS
KMS](https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html) and the [user
guide of IAM](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html). Where AWS
publishes no rate, there is no quota unless one is set. A class that has an operation's name counts
that operation alone.

";

fn page() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("| class | requests a second | AWS's name |\n|---|---|---|\n");
    for class in CLASSES {
        let quota = match (class.quota, class.counted) {
            ("", Counted::Operation) => format!("{} request rate", class.name),
            (quota, _) => quota.to_owned(),
        };
        let rate = class.rate.map_or("not published".to_owned(), |rate| rate.to_string());
        // Writing to a string doesn't fail.
        let _ = writeln!(page, "| `{}` | {rate} | {quota} |", class.name);
    }
    page.push_str("\n## Other rates\n\nIn these Regions, AWS's rates are others.\n\n");
    for class in CLASSES {
        for (rate, regions) in class.elsewhere {
            let _ = writeln!(page, "- `{}`: {rate} in {}", class.name, regions.join(", "));
        }
    }
    page.push_str("\n## What counts towards the classes of several operations\n\n");
    for class in CLASSES {
        let counted = counted(class);
        for (place, line) in counted.iter().enumerate() {
            let name = if place == 0 { format!("- `{}`: ", class.name) } else { "  ".to_owned() };
            let end = if place + 1 < counted.len() { ";" } else { "" };
            let _ = writeln!(page, "{name}{line}{end}");
        }
    }
    page
}

/// What counts towards a class that isn't one operation's, a line for each way.
fn counted(class: &Class) -> Vec<String> {
    let by_name = match class.operations {
        [] => None,
        operations => Some(operations.join(", ")),
    };
    let more = match class.counted {
        Counted::Keys(specs) => {
            let specs: Vec<_> = specs.iter().map(ToString::to_string).collect();
            Some(format!("by key: {}", specs.join(", ")))
        }
        Counted::Pairs(spec) => Some(format!("{} of {spec}", BY_PAIR.join(", "))),
        Counted::Service(_) if class.operations.is_empty() => Some("all of IAM".to_owned()),
        Counted::Operation | Counted::Service(_) => None,
    };
    by_name.into_iter().chain(more).collect()
}

#[test]
fn the_page_is_what_the_table_says() {
    let expected = page();
    if std::env::var_os("STRONGROOM_WRITE_DOCS").is_some() {
        std::fs::write(PAGE, &expected).unwrap();
    }
    let found = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(found == expected, "write it anew: STRONGROOM_WRITE_DOCS=1 cargo test -p server page");
}
