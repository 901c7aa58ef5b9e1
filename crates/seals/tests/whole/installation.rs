//! A store with seals, what opens them, and what to prove that the root key is the right one.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use crypto::{DomainKey, PassphraseCost, RootKey};
use seals::{Finding, Issued, NewMethod, NewSeal, Outcome, Refusal, Seals, SealsError, Secret};
use service::ports::{
    Clock, Commit, Item, Observer, Page, Pending, Revision, Store, StoreError, Subscription,
};
use storage::Memory;
use tempfile::TempDir;
use wire::Timestamp;
use zeroize::Zeroizing;

pub(crate) const PASSPHRASE: &str = "correct horse battery staple";
const BINDING: &[u8] = b"eu-central-1\x001";

/// The least that Argon2 is let do, so that tests take no time.
pub(crate) fn cost() -> PassphraseCost {
    PassphraseCost::new(8 * 1024, 1, 1).unwrap()
}

/// A clock that a test sets.
#[derive(Default)]
pub(crate) struct Hands(pub(crate) AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A store that breaks at a commit: before it, or after it and without telling.
pub(crate) struct Breaking {
    store: Arc<Memory>,
    /// How many commits are still done.
    pub(crate) left: AtomicUsize,
    /// Whether the commit at which it breaks still takes place.
    pub(crate) does_the_last: bool,
}

impl Breaking {
    pub(crate) fn at(store: &Arc<Memory>, left: usize, does_the_last: bool) -> Arc<Self> {
        Arc::new(Self { store: Arc::clone(store), left: AtomicUsize::new(left), does_the_last })
    }
}

impl Store for Breaking {
    fn get<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreError>> {
        self.store.get(key)
    }

    fn range<'a>(
        &'a self,
        prefix: &'a str,
        after: &'a str,
        limit: usize,
    ) -> Pending<'a, Result<Page, StoreError>> {
        self.store.range(prefix, after, limit)
    }

    fn commit(&self, commit: Commit) -> Pending<'_, Result<Revision, StoreError>> {
        Box::pin(async move {
            let left = self.left.load(Ordering::SeqCst);
            if left == 0 {
                if self.does_the_last {
                    self.store.commit(commit).await?;
                }
                return Err(StoreError::Unavailable("the test breaks it here".into()));
            }
            self.left.store(left - 1, Ordering::SeqCst);
            self.store.commit(commit).await
        })
    }

    fn watch(
        &self,
        from: Revision,
        observer: Arc<dyn Observer>,
    ) -> Result<Subscription, StoreError> {
        self.store.watch(from, observer)
    }

    fn revision(&self) -> Revision {
        self.store.revision()
    }
}

/// An installation with a seal of each kind that needs no network.
pub(crate) struct Installation {
    pub(crate) store: Arc<Memory>,
    pub(crate) seals: Seals,
    pub(crate) root_key: RootKey,
    pub(crate) shares: Vec<String>,
    pub(crate) directory: TempDir,
    /// A domain key under the root key.
    pub(crate) proof: Vec<u8>,
}

pub(crate) fn named(name: &str, method: NewMethod) -> NewSeal {
    NewSeal { name: name.to_owned(), method }
}

pub(crate) fn by_passphrase(passphrase: &str) -> NewMethod {
    NewMethod::Passphrase { passphrase: Zeroizing::new(passphrase.to_owned()), cost: cost() }
}

pub(crate) fn passphrase(passphrase: &str) -> Secret {
    Secret::Passphrase(Zeroizing::new(passphrase.to_owned()))
}

pub(crate) fn share(text: &str) -> Secret {
    Secret::Share(Zeroizing::new(text.to_owned()))
}

pub(crate) fn texts(issued: &Issued) -> Vec<String> {
    issued.shares.iter().map(|share| share.text.to_string()).collect()
}

pub(crate) fn proof(root_key: &RootKey) -> Vec<u8> {
    root_key.wrap_domain_key(&DomainKey::generate().unwrap(), BINDING).unwrap()
}

pub(crate) fn proves(root_key: &RootKey, proof: &[u8]) -> bool {
    root_key.unwrap_domain_key(proof, BINDING).is_ok()
}

impl Installation {
    /// Seals `desk` (passphrase), `holders` (3 of 5 shares) and `usb` (key file).
    pub(crate) async fn new() -> Self {
        let (store, directory) = (Arc::new(Memory::new()), tempfile::tempdir().unwrap());
        let wanted = vec![
            named("desk", by_passphrase(PASSPHRASE)),
            named("holders", NewMethod::Shares { threshold: 3, count: 5 }),
            named("usb", NewMethod::KeyFile { path: directory.path().join("usb.key") }),
        ];
        let clock = Arc::new(Hands::default());
        let (seals, root_key, issued) =
            Seals::create(Arc::clone(&store) as _, clock, wanted).await.unwrap();
        let (shares, proof) = (texts(&issued[1]), proof(&root_key));
        Self { store, seals, root_key, shares, directory, proof }
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.directory.path().join("usb.key")
    }

    /// The seals after a start.
    pub(crate) async fn started(&self) -> Seals {
        started(Arc::clone(&self.store) as _).await
    }

    /// Every record of the store, by key.
    pub(crate) async fn records(&self) -> Vec<(String, Vec<u8>)> {
        let page = self.store.range("", "", 1000).await.unwrap();
        page.items.into_iter().map(|item| (item.key, item.value)).collect()
    }

    /// Writes or removes a record as somebody with the disk would.
    pub(crate) async fn tamper(&self, key: &str, value: Option<Vec<u8>>) {
        let mut commit = Commit::default();
        match value {
            Some(value) => commit.puts.push((key.to_owned(), value)),
            None => commit.deletes.push(key.to_owned()),
        }
        self.store.commit(commit).await.unwrap();
    }

    /// Puts all records back as they were.
    pub(crate) async fn put_back(&self, records: &[(String, Vec<u8>)]) {
        let now = self.records().await;
        let gone = |key: &&(String, Vec<u8>)| !records.iter().any(|(other, _)| *other == key.0);
        let commit = Commit {
            puts: records.to_vec(),
            deletes: now.iter().filter(gone).map(|(key, _)| key.clone()).collect(),
            ..Commit::default()
        };
        self.store.commit(commit).await.unwrap();
    }

    pub(crate) async fn place_of(&self, name: &str) -> String {
        let seals = self.seals.list().await.unwrap();
        let seal = seals.iter().find(|seal| seal.name == name).expect("the seal");
        format!("seal/{}", seal.id)
    }
}

pub(crate) async fn started(store: Arc<dyn Store>) -> Seals {
    Seals::open(store, Arc::new(Hands::default())).await.unwrap().expect("seals in the store")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The root key of an attempt that must open, and the name of the seal.
pub(crate) fn opened<K>(outcome: Result<Outcome<K>, Refusal>) -> (K, String) {
    match outcome.unwrap() {
        Outcome::Opened { root_key, name, .. } => (root_key, name),
        Outcome::MoreShares(collected) => panic!("{collected:?}"),
    }
}

/// The refusal of an attempt that must not open.
pub(crate) fn refused<K>(outcome: Result<Outcome<K>, Refusal>) -> Refusal {
    match outcome {
        Err(refusal) => refusal,
        Ok(Outcome::Opened { name, .. }) => panic!("{name} opened"),
        Ok(Outcome::MoreShares(collected)) => panic!("{collected:?}"),
    }
}

/// How many more shares are needed, of an attempt that must say so.
pub(crate) fn missing<K>(outcome: Result<Outcome<K>, Refusal>) -> u8 {
    match outcome.unwrap() {
        Outcome::MoreShares(collected) => collected.missing,
        Outcome::Opened { name, .. } => panic!("{name} opened"),
    }
}

pub(crate) fn findings(refusal: Refusal) -> Vec<Finding> {
    match refusal {
        Refusal::Tampered(findings) => findings,
        other => panic!("{other}"),
    }
}

pub(crate) fn failed<T>(result: Result<T, SealsError>) -> SealsError {
    result.err().expect("an error")
}
