//! A log in a directory of its own, a key, and a clock.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use audit::verify::{Head, Report, verify};
use audit::{DigestOptions, Digester, Log, Options, PublicKey};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use service::ports::{AuditLog as _, AuditUnavailable, Clock, DigestKey, DigestSigner, Pending};
use tempfile::TempDir;
use wire::Timestamp;

/// Signs, unless it is told to fail.
pub(crate) struct Key {
    pair: Ed25519KeyPair,
    number: u32,
    pub(crate) fails: AtomicBool,
}

impl Key {
    pub(crate) fn new(number: u32) -> Arc<Self> {
        let pair = Ed25519KeyPair::generate().unwrap();
        Arc::new(Self { pair, number, fails: AtomicBool::new(false) })
    }

    pub(crate) fn public(&self) -> PublicKey {
        PublicKey::from_bytes(self.key().public_key)
    }
}

impl DigestSigner for Key {
    fn key(&self) -> DigestKey {
        let public_key = self.pair.public_key().as_ref().try_into().unwrap();
        DigestKey { number: self.number, public_key }
    }

    fn sign<'a>(
        &'a self,
        number: u32,
        message: &'a [u8],
    ) -> Pending<'a, Result<[u8; 64], AuditUnavailable>> {
        assert_eq!(number, self.number);
        let failed = self.fails.load(Ordering::SeqCst);
        let signature = self.pair.sign(message).as_ref().try_into().unwrap();
        let result = if failed { Err(AuditUnavailable("sealed".into())) } else { Ok(signature) };
        Box::pin(std::future::ready(result))
    }
}

/// A second later each time that it is asked.
#[derive(Default)]
pub(crate) struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        let seconds = self.0.fetch_add(1, Ordering::SeqCst);
        Timestamp::from_millis(1_795_000_000_000 + seconds * 1_000)
    }
}

/// A data directory with a key.
pub(crate) struct Place {
    pub(crate) directory: TempDir,
    pub(crate) key: Arc<Key>,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), key: Key::new(1) }
    }

    /// Segments of six records.
    pub(crate) fn open(&self) -> Arc<Log> {
        self.open_with(Options { segment_bytes: 520, ..Options::default() })
    }

    pub(crate) fn open_with(&self, options: Options) -> Arc<Log> {
        Arc::new(Log::open(self.directory.path(), options).unwrap())
    }

    pub(crate) fn digester(&self, log: &Arc<Log>, options: DigestOptions) -> Digester {
        let key = Arc::clone(&self.key);
        Digester::new(Arc::clone(log), key, Arc::new(Ticking::default()), options)
    }

    /// A log of so many records in several segments, with a digest at least every three records
    /// and one behind the last.
    pub(crate) async fn filled(records: u64) -> Self {
        let place = Self::new();
        let log = place.open();
        let mut digester = place.digester(&log, DigestOptions { records: 3, ..<_>::default() });
        for number in 1..=records {
            append(&log, number).await;
            digester.turn().await.unwrap();
        }
        digester.finish().await.unwrap();
        place
    }

    pub(crate) fn verify(&self) -> Report {
        verify(self.directory.path(), &[self.key.public()], None).unwrap()
    }

    pub(crate) fn verify_head(&self, head: &Head) -> Report {
        verify(self.directory.path(), &[self.key.public()], Some(head)).unwrap()
    }

    /// The closed segments, the oldest first, and the current one.
    pub(crate) fn segments(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.directory.path().join("audit")).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with('0'));
        paths.sort();
        paths.push(self.directory.path().join("audit.jsonl"));
        paths
    }

    pub(crate) fn digests(&self) -> PathBuf {
        self.directory.path().join("audit/digests.jsonl")
    }
}

/// Appends a record, and waits until the segment is closed if it made it full.
pub(crate) async fn append(log: &Log, number: u64) {
    let closed = log.stats().rotations();
    log.append(format!("{{\"number\":{number}}}").as_bytes()).await.unwrap();
    if log.last_sequence().is_multiple_of(6) {
        for _ in 0..1_000 {
            if log.stats().rotations() > closed {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    }
}
