//! The quotas as pipelines ask for them.

use iam::{Iam, Sts};
use kms::Kms;
use service::ports::Uses;
use wire::enums::KeySpec;

use super::*;

const REGION: &str = "eu-north-1";

fn quotas(settings: &[&str]) -> Arc<RequestQuotas> {
    let mut parsed = QuotaSettings::none();
    for setting in settings {
        parsed.set(setting).unwrap();
    }
    Arc::new(RequestQuotas::new(parsed))
}

fn index<S: Service>(operation: &str) -> usize {
    S::registry().iter().position(|known| known.facts().name == operation).unwrap()
}

/// How many of twenty requests are served.
fn served<S: Service>(
    quotas: &Arc<RequestQuotas>,
    operation: &str,
    account: &str,
    region: &str,
    uses: Option<&Uses>,
) -> usize {
    let (account, region) = (AccountId::parse(account).unwrap(), Region::parse(region).unwrap());
    let operation = index::<S>(operation);
    let quotas = quotas.of::<S>();
    let claim = Claim { account: &account, region: &region, operation, uses };
    (0..20).filter(|_| quotas.admit(&claim) == Admission::Admitted).count()
}

fn uses(keys: [Option<KeySpec>; 2]) -> Uses {
    Uses { keys, elsewhere: None }
}

#[test]
fn accounts_and_regions_have_their_own() {
    let quotas = quotas(&["CreateKey=0.001", "444455556666:CreateKey=3"]);
    for (account, region, expected) in [
        ("111122223333", REGION, 1),
        ("111122223333", REGION, 0),
        ("111122223333", "us-east-1", 1),
        ("444455556666", REGION, 3),
    ] {
        assert_eq!(served::<Kms>(&quotas, "CreateKey", account, region, None), expected);
    }
    assert_eq!(served::<Kms>(&quotas, "CreateAlias", "111122223333", REGION, None), 20);
}

#[test]
fn a_class_is_shared_by_its_operations() {
    let quotas = quotas(&["cryptographic-symmetric=0.001", "cryptographic-rsa=0.001"]);
    let account = "111122223333";
    assert_eq!(served::<Kms>(&quotas, "GenerateRandom", account, REGION, None), 1);
    let symmetric = uses([Some(KeySpec::SymmetricDefault), None]);
    for operation in ["Encrypt", "Decrypt"] {
        assert_eq!(served::<Kms>(&quotas, operation, account, REGION, Some(&symmetric)), 0);
    }
    let rsa = uses([Some(KeySpec::Rsa4096), None]);
    assert_eq!(served::<Kms>(&quotas, "Sign", account, REGION, Some(&rsa)), 1);
    assert_eq!(served::<Kms>(&quotas, "Encrypt", account, REGION, Some(&rsa)), 0);
}

#[test]
fn what_depends_on_the_key_waits_for_it() {
    let quotas = quotas(&["CreateKey=1"]).of::<Kms>();
    let account = AccountId::parse("111122223333").unwrap();
    let region = Region::parse(REGION).unwrap();
    let deferred = |operation: &str| {
        let operation = index::<Kms>(operation);
        let claim = Claim { account: &account, region: &region, operation, uses: None };
        quotas.admit(&claim) == Admission::Deferred
    };
    for operation in [
        "Decrypt",
        "Encrypt",
        "ReEncrypt",
        "Sign",
        "Verify",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "ReplicateKey",
        "UpdatePrimaryRegion",
    ] {
        assert!(deferred(operation), "{operation}");
    }
    assert!(!deferred("GenerateDataKey") && !deferred("DescribeKey"));
}

#[test]
fn two_kinds_count_towards_both_or_neither() {
    let quotas = quotas(&["cryptographic-symmetric=0.001", "cryptographic-rsa=0.002"]);
    let account = "111122223333";
    let both = uses([Some(KeySpec::Rsa2048), Some(KeySpec::SymmetricDefault)]);
    assert_eq!(served::<Kms>(&quotas, "ReEncrypt", account, REGION, Some(&both)), 1);
    // The RSA class gave back what the other nineteen had taken, and no more.
    let region = Region::parse(REGION);
    let row = quotas.row(&AccountId::parse(account).unwrap(), region.as_ref());
    let rsa = classes::named("cryptographic-rsa").unwrap();
    assert!(!row.take(rsa, 1, quotas.now()));
    assert!(row.take(rsa, 1, quotas.now() + 501_000_000_000));
}

#[test]
fn a_replica_counts_as_two_new_keys_where_it_is_made() {
    let quotas = quotas(&["CreateKey=4", "ReplicateKey=100"]);
    let account = "111122223333";
    let there = Uses { elsewhere: Region::parse("us-west-2"), ..Uses::default() };
    assert_eq!(served::<Kms>(&quotas, "ReplicateKey", account, REGION, Some(&there)), 2);
    assert_eq!(served::<Kms>(&quotas, "CreateKey", account, REGION, None), 4);
    assert_eq!(served::<Kms>(&quotas, "CreateKey", account, "us-west-2", None), 0);
}

#[test]
fn a_primary_counts_in_both_regions() {
    let quotas = quotas(&["UpdatePrimaryRegion=0.001"]);
    let account = "111122223333";
    let there = Uses { elsewhere: Region::parse("us-west-2"), ..Uses::default() };
    let back = Uses { elsewhere: Region::parse(REGION), ..Uses::default() };
    let update =
        |region, uses| served::<Kms>(&quotas, "UpdatePrimaryRegion", account, region, Some(uses));
    assert_eq!(update("us-west-2", &there), 1, "one Region counts once");
    assert_eq!(update(REGION, &there), 0, "the other one has none left");
    assert_eq!(update(REGION, &back), 1, "and nothing was taken here for that");
}

#[test]
fn iam_is_counted_for_the_whole_account_and_sts_by_region() {
    let quotas = quotas(&["iam=0.001", "sts=0.001"]);
    let account = "111122223333";
    assert_eq!(served::<Iam>(&quotas, "CreateUser", account, "us-east-1", None), 1);
    assert_eq!(served::<Iam>(&quotas, "ListUsers", account, REGION, None), 0);
    assert_eq!(served::<Sts>(&quotas, "AssumeRole", account, REGION, None), 1);
    assert_eq!(served::<Sts>(&quotas, "GetCallerIdentity", account, REGION, None), 0);
    assert_eq!(served::<Sts>(&quotas, "GetCallerIdentity", account, "us-east-1", None), 1);
    let web = "AssumeRoleWithWebIdentity";
    assert_eq!(served::<Sts>(&quotas, web, account, REGION, None), 20);
}

#[test]
fn other_settings_hold_at_once() {
    let quotas = quotas(&["CreateKey=0.001"]);
    let account = "111122223333";
    assert_eq!(served::<Kms>(&quotas, "CreateKey", account, REGION, None), 1);
    quotas.set(QuotaSettings::none());
    assert_eq!(served::<Kms>(&quotas, "CreateKey", account, REGION, None), 20);
    quotas.set(QuotaSettings::aws());
    assert_eq!(served::<Kms>(&quotas, "CreateKey", account, REGION, None), 5);
}

#[test]
fn memory_is_bounded() {
    let quotas = quotas(&["CreateKey=1"]);
    for number in 0..3 * ROWS_MAX {
        let account = format!("{number:012}");
        served::<Kms>(&quotas, "CreateKey", &account, REGION, None);
    }
    assert!(quotas.rows.len() <= ROWS_MAX, "{}", quotas.rows.len());
}

#[test]
fn every_operation_of_kms_has_a_class() {
    for operation in Kms::registry() {
        let name = operation.facts().name;
        assert_ne!(Rule::of("kms", name), Rule::Free, "{name}");
    }
}

/// What asking costs: `cargo test -p server --release -- --ignored --nocapture asking_costs`.
#[test]
#[ignore = "a measurement"]
fn asking_costs() {
    const REQUESTS: u32 = 5_000_000;
    for (what, settings) in [("off", QuotaSettings::none()), ("AWS's", QuotaSettings::aws())] {
        let quotas = Arc::new(RequestQuotas::new(settings)).of::<Kms>();
        let account = AccountId::parse("111122223333").unwrap();
        let region = Region::parse(REGION).unwrap();
        let operation = index::<Kms>("Encrypt");
        let uses = Uses::of(KeySpec::SymmetricDefault);
        let began = Instant::now();
        for _ in 0..REQUESTS {
            let claim = Claim { account: &account, region: &region, operation, uses: None };
            std::hint::black_box(quotas.admit(&claim));
            std::hint::black_box(quotas.admit(&Claim { uses: Some(&uses), ..claim }));
        }
        println!("quotas {what}: {:?} a request", began.elapsed() / REQUESTS);
    }
}
