//! The work of rotation over a store that fails, records that others change, and records that are
//! damaged.

use std::time::Duration;

use crypto::RootKey;
use service::ports::{Binding, KeyStore as _, MaterialId, Pending, TokenError, TokenKind};
use wire::enums::KeySpec;

use super::*;
use crate::software::faulty::{ALL, Faulty};

/// Records of one material each: at `test/REGION/NAME` its id and what was wrapped.
struct Records(Arc<Software>);

impl WrappedRecords for Records {
    fn prefix(&self) -> &'static str {
        "test/"
    }

    fn region<'a>(&self, place: &'a str) -> Option<&'a str> {
        Some(place.strip_prefix("test/")?.split_once('/')?.0)
    }

    fn rewrapped<'a>(
        &'a self,
        item: &'a Item,
    ) -> Pending<'a, Result<Option<Vec<u8>>, KeyStoreError>> {
        Box::pin(async move {
            let (binding, id, wrapped) = parse(&item.key, &item.value)?;
            let anew = self.0.rewrap(binding, id, wrapped).await?;
            Ok(anew.map(|anew| [&id.0, &anew[..]].concat()))
        })
    }
}

fn parse<'a>(
    place: &'a str,
    value: &'a [u8],
) -> Result<(Binding<'a>, MaterialId, &'a [u8]), KeyStoreError> {
    let region = place.split('/').nth(1).ok_or(KeyStoreError::Damaged)?;
    let (id, wrapped) = value.split_first_chunk().ok_or(KeyStoreError::Damaged)?;
    let spec = KeySpec::SymmetricDefault;
    Ok((Binding { region, key_arn: place, identity: [7; 25], spec }, MaterialId(*id), wrapped))
}

fn at(days: i64) -> Timestamp {
    Timestamp::from_millis(0).plus_days(days)
}

/// A process over a store, which can be started again.
struct Process {
    store: Arc<Faulty>,
    root_key: RootKey,
    software: Arc<Software>,
    work: Rewrapping,
}

impl Process {
    fn new() -> Self {
        Self::over(Faulty::new(), RootKey::generate().unwrap())
    }

    fn over(store: Arc<Faulty>, root_key: RootKey) -> Self {
        let copy = root_key.unwrap_root_key(&root_key.wrap_root_key(&root_key).unwrap()).unwrap();
        let software = Software::new(Arc::clone(&store) as _, copy);
        let software = Arc::new(software.with_settling_time(Duration::ZERO));
        let work = Rewrapping::new(
            Arc::clone(&software),
            vec![Arc::new(Records(Arc::clone(&software))) as Arc<dyn WrappedRecords>],
        );
        Self { store, root_key, software, work }
    }

    fn restarted(self) -> Self {
        self.store.takes(ALL);
        Self::over(self.store, self.root_key)
    }

    async fn make(&self, place: &str) {
        let (binding, _, _) = parse(place, &[0; 32]).unwrap();
        let (wrapped, opened) = self.software.generate(binding).await.unwrap();
        self.store.put(place, [&opened.id.0, &wrapped[..]].concat()).await;
    }

    /// Works until there is nothing left to do; gives all that was done.
    async fn work(&self, now: Timestamp) -> Progress {
        let mut all = Progress::default();
        for _ in 0..1_000 {
            let progress = self.work.step(now).await.unwrap();
            all.looked += progress.looked;
            all.rewrapped += progress.rewrapped;
            all.damaged.extend(progress.damaged);
            all.retired.extend(progress.retired);
            all.destroyed.extend(progress.destroyed);
            if !progress.more {
                return all;
            }
        }
        panic!("it doesn't end");
    }

    /// The numbers of the domain keys in all records, each of which must open.
    async fn numbers(&self) -> Vec<u32> {
        let mut numbers = Vec::new();
        for item in self.store.below("test/").await {
            let (binding, id, wrapped) = parse(&item.key, &item.value).unwrap();
            self.software.open(binding, id, wrapped).await.unwrap();
            numbers.push(u32::from_be_bytes(*wrapped[1..].first_chunk().unwrap()));
        }
        numbers
    }

    async fn status(&self) -> RotationStatus {
        self.work.status().await.unwrap().remove(0)
    }
}

fn place(number: usize) -> String {
    format!("test/us-east-1/{number:04}")
}

#[tokio::test]
async fn everything_comes_under_the_new_domain_key_and_the_old_one_goes_after_a_week() {
    let process = Process::new();
    for number in 0..150 {
        process.make(&place(number)).await;
    }
    let (sealed, kind) = (b"token", TokenKind::Session);
    let token = process.software.seal_token("us-east-1", kind, sealed, b"").await.unwrap();
    assert_eq!(process.work(at(0)).await, Progress::default(), "nothing was rotated");
    process.software.rotate("us-east-1", at(1)).await.unwrap();
    assert_eq!(process.status().await.remaining, None, "not counted yet");
    // It begins, counts, and looks at a first page.
    for _ in 0..3 {
        process.work.step(at(1)).await.unwrap();
    }
    let status = process.status().await;
    assert_eq!((status.rewrapped, status.remaining), (64, Some(86)));
    assert_eq!((status.current.number, status.older.len(), status.finished_at), (2, 1, None));
    let done = process.work(at(1)).await;
    assert_eq!((done.looked, done.rewrapped), (86, 86));
    assert_eq!(done.retired, [("us-east-1".to_owned(), 1)]);
    assert_eq!(process.numbers().await, [2; 150]);
    let status = process.status().await;
    assert_eq!((status.rewrapped, status.remaining), (150, Some(0)));
    assert_eq!((status.older[0].retired, status.finished_at), (Some(at(1)), Some(at(1))));

    assert_eq!(process.work(at(7)).await, Progress::default(), "callers may still need it");
    process.software.open_token("us-east-1", kind, &token, b"").await.unwrap();
    let done = process.work(at(8)).await;
    assert_eq!((done.looked, done.rewrapped), (150, 0));
    assert_eq!(done.destroyed, [("us-east-1".to_owned(), 1)]);
    let refused = process.software.open_token("us-east-1", kind, &token, b"").await;
    assert!(matches!(refused, Err(TokenError::Unopened)));
    let process = process.restarted();
    process.software.verify().await.unwrap();
    assert_eq!(process.numbers().await, [2; 150]);
    let status = process.status().await;
    assert_eq!((status.rewrapped, status.older.len()), (150, 0));
    assert_eq!(process.work(at(1_000)).await, Progress::default());
}

#[tokio::test]
async fn a_crash_after_any_commit_loses_nothing() {
    for commits in 0..10 {
        let mut process = Process::new();
        for number in 0..200 {
            process.make(&place(number)).await;
        }
        process.software.rotate("us-east-1", at(0)).await.unwrap();
        process.store.takes(commits);
        while process.work.step(at(0)).await.is_ok_and(|progress| progress.more) {}
        process = process.restarted();
        let _ = process.numbers().await;
        process.work(at(0)).await;
        assert_eq!(process.numbers().await, [2; 200], "{commits}");
        process.store.takes(commits);
        while process.work.step(at(7)).await.is_ok_and(|progress| progress.more) {}
        process = process.restarted();
        process.work(at(7)).await;
        assert_eq!(process.software.domain_keys().await.unwrap().len(), 1, "{commits}");
        assert_eq!(process.numbers().await, [2; 200], "{commits}");
    }
}

#[tokio::test]
async fn a_walk_goes_on_where_it_was() {
    let process = Process::new();
    let records = PAGE * (STEPS_STORED as usize + 4);
    for number in 0..records {
        process.make(&place(number)).await;
    }
    process.software.rotate("us-east-1", at(0)).await.unwrap();
    for _ in 0..STEPS_STORED + 2 {
        process.work.step(at(0)).await.unwrap();
    }
    let process = process.restarted();
    let done = process.work(at(0)).await;
    assert!(done.looked < records / 2, "{} of {records}", done.looked);
    assert!(process.numbers().await.iter().all(|number| *number == 2));
}

#[tokio::test]
async fn what_is_stored_behind_the_walks_back_is_found_before_anything_is_destroyed() {
    let process = Process::new();
    process.make(&place(1)).await;
    // Wrapped before the rotation, stored when the walk is over.
    let late = place(0);
    let (binding, _, _) = parse(&late, &[0; 32]).unwrap();
    let (wrapped, opened) = process.software.generate(binding).await.unwrap();
    process.software.rotate("us-east-1", at(0)).await.unwrap();
    process.work(at(0)).await;
    process.store.put(&late, [&opened.id.0, &wrapped[..]].concat()).await;
    assert_eq!(process.numbers().await, [1, 2]);
    let done = process.work(at(7)).await;
    assert_eq!((done.rewrapped, done.destroyed.len()), (1, 1));
    assert_eq!(process.numbers().await, [2, 2]);
}

#[tokio::test]
async fn nothing_is_destroyed_before_it_has_settled() {
    let process = Process::new();
    process.make(&place(0)).await;
    let copy = process.root_key.wrap_root_key(&process.root_key).unwrap();
    let copy = process.root_key.unwrap_root_key(&copy).unwrap();
    let software = Software::new(Arc::clone(&process.store) as _, copy);
    let software = Arc::new(software.with_settling_time(Duration::from_hours(1)));
    let records = Arc::new(Records(Arc::clone(&software)));
    let work = Rewrapping::new(Arc::clone(&software), vec![records as _]);
    software.rotate("us-east-1", at(0)).await.unwrap();
    for days in [0, 1_000] {
        while work.step(at(days)).await.unwrap().more {}
    }
    assert_eq!(software.domain_keys().await.unwrap().len(), 2, "the clock jumped");
    // Nothing that another process began is still under way.
    assert_eq!(process.restarted().work(at(1_000)).await.destroyed.len(), 1);
}

#[tokio::test]
async fn a_damaged_or_moved_record_keeps_its_domain_key_and_is_named() {
    let process = Process::new();
    for number in 0..3 {
        process.make(&place(number)).await;
    }
    process.make("test/eu-west-1/0").await;
    let [whole, moved] = [0, 1].map(place);
    let record = process.store.below(&whole).await.remove(0).value;
    let right = process.store.below(&moved).await.remove(0).value;
    process.store.put(&moved, record).await;
    for region in ["us-east-1", "eu-west-1"] {
        process.software.rotate(region, at(0)).await.unwrap();
    }
    let done = process.work(at(0)).await;
    assert_eq!((done.looked, done.rewrapped, &done.damaged), (4, 3, &vec![moved.clone()]));
    assert_eq!(done.retired, [("eu-west-1".to_owned(), 1)]);
    let status = process.work.status().await.unwrap().remove(1);
    assert_eq!((status.finished_at, status.remaining), (None, Some(1)));
    assert_eq!(status.damaged, [moved.as_str()]);
    assert_eq!(process.work(at(0)).await, Progress::default(), "not again and again");
    assert_eq!(process.work(at(1)).await.damaged, [moved.as_str()]);
    // Put back, it is taken along.
    process.store.put(&moved, right).await;
    let done = process.work(at(2)).await;
    assert_eq!((done.rewrapped, done.retired), (1, vec![("us-east-1".to_owned(), 1)]));
    assert_eq!(process.numbers().await, [2; 4]);
}

#[tokio::test]
async fn whoever_changes_a_record_meanwhile_wins() {
    /// Changes each record once while it is wrapped anew.
    struct Busy(Records, Arc<Faulty>, parking_lot::Mutex<Vec<String>>);

    impl WrappedRecords for Busy {
        fn prefix(&self) -> &'static str {
            self.0.prefix()
        }

        fn region<'a>(&self, place: &'a str) -> Option<&'a str> {
            self.0.region(place)
        }

        fn rewrapped<'a>(
            &'a self,
            item: &'a Item,
        ) -> Pending<'a, Result<Option<Vec<u8>>, KeyStoreError>> {
            Box::pin(async move {
                let anew = self.0.rewrapped(item).await;
                let is_new = !self.2.lock().contains(&item.key);
                if is_new {
                    self.2.lock().push(item.key.clone());
                    let (binding, ..) = parse(&item.key, &item.value)?;
                    let (wrapped, opened) = self.0.0.generate(binding).await?;
                    self.1.put(&item.key, [&opened.id.0, &wrapped[..]].concat()).await;
                }
                anew
            })
        }
    }

    let process = Process::new();
    for number in 0..5 {
        process.make(&place(number)).await;
    }
    let before = process.store.below("test/").await;
    process.software.rotate("us-east-1", at(0)).await.unwrap();
    let records = Records(Arc::clone(&process.software));
    let busy = Busy(records, Arc::clone(&process.store), parking_lot::Mutex::default());
    let work = Rewrapping::new(Arc::clone(&process.software), vec![Arc::new(busy) as _]);
    while work.step(at(0)).await.unwrap().more {}
    assert_eq!(process.numbers().await, [2; 5]);
    let after = process.store.below("test/").await;
    assert!(before.iter().zip(&after).all(|(one, other)| one.value[..32] != other.value[..32]));
}
