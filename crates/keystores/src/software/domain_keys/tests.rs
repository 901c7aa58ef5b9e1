//! Domain keys over their life, and under one root key and the next.

use super::*;
use crate::software::Software;
use crate::software::faulty::{ALL, Faulty};
use crate::software::root_keys::PREVIOUS;
use service::ports::{Binding, KeyStore as _, MaterialId, TokenError, TokenKind};
use wire::enums::KeySpec;

const DAY: Duration = Duration::from_hours(24);

fn at(days: i64) -> Timestamp {
    Timestamp::from_millis(0).plus_days(days)
}

fn binding(region: &str) -> Binding<'_> {
    Binding { region, key_arn: "arn:x", identity: [7; 25], spec: KeySpec::SymmetricDefault }
}

/// A root key twice: for the process that runs, and for the one after a crash.
fn twice(root_key: RootKey) -> (RootKey, RootKey) {
    let again = root_key.unwrap_root_key(&root_key.wrap_root_key(&root_key).unwrap()).unwrap();
    (root_key, again)
}

fn over(store: &Arc<Faulty>, root_key: RootKey) -> Software {
    Software::new(Arc::clone(store) as _, root_key)
}

fn fresh() -> (Arc<Faulty>, Software) {
    let store = Faulty::new();
    let software = over(&store, RootKey::generate().unwrap());
    (store, software)
}

async fn made(software: &Software, region: &str) -> (Vec<u8>, MaterialId) {
    let (wrapped, opened) = software.generate(binding(region)).await.unwrap();
    (wrapped, opened.id)
}

/// The number of the domain key that wrapped it.
fn number(wrapped: &[u8]) -> u32 {
    u32::from_be_bytes(*wrapped[1..].first_chunk().unwrap())
}

#[tokio::test]
async fn the_next_domain_key_wraps_at_once_and_those_before_open() {
    let (store, software) = fresh();
    assert_eq!(software.rotate("us-east-1", at(0)).await.unwrap(), None, "there is none yet");
    let (first, first_id) = made(&software, "us-east-1").await;
    assert_eq!(software.rotate("us-east-1", at(1)).await.unwrap(), Some(2));
    let (second, second_id) = made(&software, "us-east-1").await;
    assert_eq!((number(&first), number(&second)), (1, 2));
    assert_eq!(number(&made(&software, "eu-west-1").await.0), 1, "another Region's is untouched");
    for (wrapped, id) in [(&first, first_id), (&second, second_id)] {
        software.open(binding("us-east-1"), id, wrapped).await.unwrap();
    }
    let anew = software.rewrap(binding("us-east-1"), first_id, &first).await.unwrap().unwrap();
    assert_eq!(number(&anew), 2);
    software.open(binding("us-east-1"), first_id, &anew).await.unwrap();
    assert!(software.rewrap(binding("us-east-1"), first_id, &anew).await.unwrap().is_none());
    for wrong in [&first, &anew] {
        let other = software.rewrap(binding("us-east-1"), second_id, wrong).await;
        assert!(matches!(other, Err(KeyStoreError::Damaged)), "moved, and not wrapped anew");
    }
    assert_eq!(store.below(PREFIX).await.len(), 3);
}

#[tokio::test]
async fn a_token_is_sealed_anew_as_what_it_is() {
    let (_, software) = fresh();
    let kind = TokenKind::AccessKey;
    let token = software.seal_token("r", kind, b"secret", b"id").await.unwrap();
    assert!(software.rewrap_token("r", kind, &token, b"id").await.unwrap().is_none());
    software.rotate("r", at(0)).await.unwrap();
    let anew = software.rewrap_token("r", kind, &token, b"id").await.unwrap().unwrap();
    assert_eq!((number(&token), number(&anew)), (1, 2));
    assert_eq!(*software.open_token("r", kind, &anew, b"id").await.unwrap(), b"secret");
    for (kind, context) in [(TokenKind::Grant, &b"id"[..]), (kind, b"another")] {
        let moved = software.rewrap_token("r", kind, &token, context).await;
        assert!(matches!(moved, Err(KeyStoreError::Damaged)));
    }
}

#[tokio::test]
async fn rotations_at_once_leave_domain_keys_that_open() {
    let (store, software) = fresh();
    made(&software, "us-east-1").await;
    let software = Arc::new(software);
    let mut rotations = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let software = Arc::clone(&software);
        rotations.spawn(async move { software.rotate("us-east-1", at(1)).await.unwrap() });
    }
    let mut numbers = rotations.join_all().await;
    numbers.sort_unstable();
    assert_eq!(numbers.last(), Some(&Some(9)));
    assert_eq!(store.below(PREFIX).await.len(), 9);
    assert_eq!(number(&made(&software, "us-east-1").await.0), 9);
    software.verify().await.unwrap();
}

#[tokio::test]
async fn the_schedule_follows_from_dates_and_clock() {
    let (store, software) = fresh();
    made(&software, "us-east-1").await;
    let first = place("us-east-1", 1);
    assert_eq!(store.below(&first).await[0].value.len(), 77, "the form of earlier versions");
    let due = |days: i64| software.rotate_domain_keys(at(days), DAY * 30);
    assert!(due(100).await.unwrap().is_empty(), "one without a date gets one");
    assert_eq!(software.domain_keys().await.unwrap()[0].made, Some(at(100)));
    assert!(due(129).await.unwrap().is_empty());
    assert_eq!(due(130).await.unwrap(), ["us-east-1"]);
    assert!(due(130).await.unwrap().is_empty());
    assert_eq!(software.domain_keys().await.unwrap()[1].made, Some(at(130)));
    assert!(due(50).await.unwrap().is_empty(), "a clock that jumped back");
    assert_eq!(due(80).await.unwrap(), ["us-east-1"], "counts from there");
    let all = software.rotate_domain_keys(at(80), Duration::ZERO).await.unwrap();
    assert_eq!(all, ["us-east-1"]);
    assert_eq!(number(&made(&software, "us-east-1").await.0), 4);
}

#[tokio::test]
async fn every_altered_byte_of_a_domain_key_is_refused_and_so_is_another_place() {
    let store = Faulty::new();
    let (root_key, again) = twice(RootKey::generate().unwrap());
    let software = over(&store, root_key);
    made(&software, "us-east-1").await;
    software.rotate("us-east-1", at(1)).await.unwrap();
    let again = over(&store, again);
    let place = place("us-east-1", 2);
    let record = store.below(&place).await.remove(0).value;
    assert_eq!((record.len(), record[0]), (94, 2));
    for position in 0..record.len() {
        let mut altered = record.clone();
        altered[position] ^= 1;
        store.put(&place, altered).await;
        let refused = again.verify().await;
        assert!(matches!(refused, Err(KeyStoreError::Damaged)), "byte {position}");
    }
    store.put(&place, record.clone()).await;
    again.verify().await.unwrap();
    store.put("keystore/domain-key/us-east-1/0000000003", record).await;
    assert!(matches!(again.verify().await, Err(KeyStoreError::Damaged)));
}

#[tokio::test]
async fn only_what_is_retired_and_not_current_is_destroyed() {
    let (store, software) = fresh();
    let (wrapped, id) = made(&software, "r").await;
    let token = software.seal_token("r", TokenKind::Grant, b"t", b"").await.unwrap();
    software.rotate("r", at(0)).await.unwrap();
    let keys = &software.domain_keys;
    assert!(!keys.destroy("r", 1).await.unwrap(), "not retired");
    keys.retire("r", 1, at(1)).await.unwrap();
    keys.retire("r", 2, at(1)).await.unwrap();
    assert!(!keys.destroy("r", 2).await.unwrap(), "current");
    assert!(!keys.destroy("r", 3).await.unwrap(), "not there");
    store.takes(-1);
    assert!(keys.destroy("r", 1).await.is_err());
    store.takes(ALL);
    software.open(binding("r"), id, &wrapped).await.unwrap();
    assert!(keys.destroy("r", 1).await.unwrap());
    let refused = software.open(binding("r"), id, &wrapped).await;
    assert!(matches!(refused, Err(KeyStoreError::Damaged)));
    let refused = software.open_token("r", TokenKind::Grant, &token, b"").await;
    assert!(matches!(refused, Err(TokenError::Unopened)));
    assert!(!keys.destroy("r", 1).await.unwrap());
}

#[tokio::test]
async fn another_root_key_is_taken_whenever_the_store_fails() {
    for commits in 0..9 {
        let store = Faulty::new();
        let software = over(&store, RootKey::generate().unwrap());
        let mut kept = Vec::new();
        for region in ["eu-west-1", "us-east-1", "us-east-1", "us-west-2"] {
            kept.push((region, made(&software, region).await));
            software.rotate(region, at(0)).await.unwrap();
        }
        let (new, again) = twice(RootKey::generate().unwrap());
        let current = software.domain_keys.root_keys.current();
        store.put(PREVIOUS, new.wrap_root_key(&current).unwrap()).await;
        store.takes(commits);
        let replaced = software.replace_root_key(new).await;
        assert_eq!(replaced.is_ok(), commits >= 8, "seven domain keys and one removal: {commits}");
        // Whatever happened, everything opens, here and after a crash, and more can be made.
        store.takes(ALL);
        let restarted = over(&store, again);
        restarted.verify().await.unwrap();
        for software in [&software, &restarted] {
            for (region, (wrapped, id)) in &kept {
                software.open(binding(region), *id, wrapped).await.unwrap();
            }
            kept.push(("eu-west-1", made(software, "eu-west-1").await));
        }
        let unfinished = !store.below(PREVIOUS).await.is_empty();
        assert_eq!(restarted.finish_root_key().await.unwrap(), unfinished, "{commits}");
        assert!(store.below(PREVIOUS).await.is_empty());
        assert!(!restarted.finish_root_key().await.unwrap());
        restarted.verify().await.unwrap();
    }
}

#[tokio::test]
async fn a_root_key_without_the_previous_one_is_not_taken() {
    let (store, software) = fresh();
    made(&software, "us-east-1").await;
    let refused = software.replace_root_key(RootKey::generate().unwrap()).await;
    assert!(matches!(refused, Err(KeyStoreError::Unavailable(_))));
    let (new, other) = (RootKey::generate().unwrap(), RootKey::generate().unwrap());
    store.put(PREVIOUS, new.wrap_root_key(&other).unwrap()).await;
    let refused = software.replace_root_key(new).await;
    assert!(matches!(refused, Err(KeyStoreError::Damaged)), "neither opens the domain key");
    assert!(!software.finish_root_key().await.unwrap(), "it is for a root key that isn't ours");
    software.verify().await.unwrap();
    assert_eq!(number(&made(&software, "us-east-1").await.0), 1);
}
