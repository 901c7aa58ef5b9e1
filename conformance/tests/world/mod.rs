//! KMS in this process, over real parts, with a caller who needs no signature: what the properties
//! over the registry run against.
#![allow(dead_code, reason = "each of the test programs uses a part of it")]

pub(crate) mod counting;
pub(crate) mod failing;
pub(crate) mod identities;
pub(crate) mod samples;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::RootKey;
use keystores::software::{Software, SystemEntropy};
use kms::Kms;
use parking_lot::Mutex;
use serde_json::{Value, json};
use service::ports::{
    AuditHistory, AuditLog, AuditUnavailable, Clock, Commit, KeyStore, Pending, Position, Store,
    Witness,
};
use service::{Authenticate, Caller, Error, Ids, Inbound, Origin, Pipeline, Session};
use wire::{AccountId, ErrorCode, Region, Timestamp};

pub(crate) const OWNER: &str = "111122223333";
pub(crate) const STRANGER: &str = "444455556666";
pub(crate) const REGION: &str = "us-east-1";

/// A KMS with one account's worth of state.
pub(crate) struct World {
    runtime: tokio::runtime::Runtime,
    pipeline: Pipeline<Kms>,
    store: Arc<dyn Store>,
    key_store: Arc<dyn KeyStore>,
    clock: Arc<FixedClock>,
    log: Arc<Log>,
}

/// A log that keeps its records and can fail.
#[derive(Default)]
pub(crate) struct Log {
    records: Mutex<Vec<Vec<u8>>>,
    /// Where the last record ends.
    end: AtomicU64,
    broken: AtomicBool,
}

impl Log {
    /// The records.
    fn all(&self) -> Vec<Value> {
        self.records.lock().iter().map(|line| serde_json::from_slice(line).unwrap()).collect()
    }
}

impl AuditLog for Log {
    fn append_witnessed<'a>(
        &'a self,
        record: &'a [u8],
        witness: Witness<'a>,
    ) -> Pending<'a, Result<(), AuditUnavailable>> {
        let result = if self.broken.load(Ordering::SeqCst) {
            Err(AuditUnavailable("the disk is full".into()))
        } else {
            let mut records = self.records.lock();
            records.push(record.to_vec());
            let length = record.len() as u64 + 1;
            witness(Position(self.end.fetch_add(length, Ordering::SeqCst) + length));
            Ok(())
        };
        Box::pin(std::future::ready(result))
    }
}

impl AuditHistory for Log {
    fn end(&self) -> Position {
        Position(self.end.load(Ordering::SeqCst))
    }

    fn mark(&self, at: Position) -> Result<String, AuditUnavailable> {
        Ok(at.0.to_string())
    }

    fn find(&self, mark: &str) -> Result<Position, AuditUnavailable> {
        Ok(Position(mark.parse().unwrap_or_default()))
    }

    /// A few records at a time, so that there are several stretches.
    fn read(&self, from: Position) -> Result<Vec<u8>, AuditUnavailable> {
        let (mut at, mut lines) = (0, Vec::new());
        for record in self.records.lock().iter() {
            if at >= from.0 && lines.len() < 4_096 {
                lines.extend_from_slice(record);
                lines.push(b'\n');
            }
            at += record.len() as u64 + 1;
        }
        Ok(lines)
    }
}

pub(crate) struct FixedClock(AtomicI64);

impl FixedClock {
    fn at(millis: i64) -> Self {
        Self(AtomicI64::new(millis))
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct Evidence<'a>(pub(crate) Option<&'a str>);

impl Authenticate for Evidence<'_> {
    fn authenticate(&self) -> Pending<'_, Result<Session, Error>> {
        let session = match self.0 {
            None => Err(Error::bare(ErrorCode::MissingAuthenticationTokenException)),
            Some(account) => Ok(Session {
                caller: Caller::root(AccountId::parse(account).unwrap(), "aws", account),
                region: Region::parse(REGION).unwrap(),
            }),
        };
        Box::pin(std::future::ready(session))
    }
}

/// How much there is room for in memory.
#[derive(Clone, Copy)]
struct Sizes {
    cached_keys: usize,
    recent_uses: usize,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::over(Arc::new(storage::Memory::new()))
    }

    pub(crate) fn on_disk(directory: &std::path::Path) -> Self {
        Self::over(Arc::new(storage::Embedded::open(&directory.join("state.sqlite3")).unwrap()))
    }

    pub(crate) fn over(store: Arc<dyn Store>) -> Self {
        Self::with_cache(store, 100)
    }

    pub(crate) fn with_cache(store: Arc<dyn Store>, cached_keys: usize) -> Self {
        let root_key = RootKey::generate().unwrap();
        let key_store = Arc::new(Software::new(Arc::clone(&store), root_key));
        let clock = Arc::new(FixedClock::at(1_700_000_000_000));
        Self::of(store, key_store, clock, Arc::default(), Sizes { cached_keys, recent_uses: 1_000 })
    }

    /// One whose material is in that key store.
    pub(crate) fn with_key_store(store: Arc<dyn Store>, key_store: Arc<dyn KeyStore>) -> Self {
        let sizes = Sizes { cached_keys: 100, recent_uses: 1_000 };
        Self::of(
            store,
            key_store,
            Arc::new(FixedClock::at(1_700_000_000_000)),
            Arc::default(),
            sizes,
        )
    }

    fn of(
        store: Arc<dyn Store>,
        key_store: Arc<dyn KeyStore>,
        clock: Arc<FixedClock>,
        log: Arc<Log>,
        sizes: Sizes,
    ) -> Self {
        let entropy = Arc::new(SystemEntropy);
        let kms = Kms::new(Arc::clone(&store), Arc::clone(&key_store), entropy, sizes.cached_keys);
        let kms = kms.unwrap().with_recent_uses(sizes.recent_uses);
        let kms = kms.with_audit(Arc::clone(&log) as _);
        let pipeline = Pipeline::new(kms, Arc::clone(&clock) as _, Arc::clone(&log) as _);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        Self { runtime, pipeline, store, key_store, clock, log }
    }

    /// Another process over what survives of this one, with room for so many recent uses.
    pub(crate) fn restarted(&self, recent_uses: usize) -> Self {
        let (store, key_store) = (Arc::clone(&self.store), Arc::clone(&self.key_store));
        let (clock, log) = (Arc::clone(&self.clock), Arc::clone(&self.log));
        Self::of(store, key_store, clock, log, Sizes { cached_keys: 100, recent_uses })
    }

    /// The same over a log that begins anew.
    pub(crate) fn restarted_without_log(&self, recent_uses: usize) -> Self {
        let (store, key_store) = (Arc::clone(&self.store), Arc::clone(&self.key_store));
        let sizes = Sizes { cached_keys: 100, recent_uses };
        Self::of(store, key_store, Arc::clone(&self.clock), Arc::default(), sizes)
    }

    pub(crate) fn kms(&self) -> &Kms {
        self.pipeline.service()
    }

    pub(crate) fn history(&self) -> Arc<dyn AuditHistory> {
        Arc::clone(&self.log) as _
    }

    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn clock(&self) -> Arc<FixedClock> {
        Arc::clone(&self.clock)
    }

    pub(crate) fn set_clock(&self, millis: i64) {
        self.clock.0.store(millis, Ordering::SeqCst);
    }

    /// Sends a body; gives status and answer (null where the answer is empty).
    pub(crate) fn send(&self, account: Option<&str>, operation: &str, body: &[u8]) -> (u16, Value) {
        let ids = Ids::draw(&SystemEntropy).unwrap();
        let evidence = Evidence(account);
        let answer = self.runtime.block_on(self.pipeline.serve(Inbound {
            operation,
            body,
            evidence: &evidence,
            origin: Origin { ids: &ids, source_ip: "127.0.0.1", user_agent: "test", tls: None },
        }));
        let body = match answer.body.as_slice() {
            b"" => Value::Null,
            json => serde_json::from_slice(json).unwrap(),
        };
        (answer.status, body)
    }

    pub(crate) fn call(&self, account: &str, operation: &str, input: &Value) -> (u16, Value) {
        self.send(Some(account), operation, input.to_string().as_bytes())
    }

    /// Calls as the owner; it must work.
    pub(crate) fn ok(&self, operation: &str, input: &Value) -> Value {
        let (status, body) = self.call(OWNER, operation, input);
        assert_eq!(status, 200, "{operation} {input}: {body}");
        body
    }

    /// A new key's id.
    pub(crate) fn key(&self) -> String {
        let made = self.ok("CreateKey", &json!({}));
        made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
    }

    /// A new key of that spec and usage; gives its id.
    pub(crate) fn key_of(&self, spec: &str, usage: &str) -> String {
        let made = self.ok("CreateKey", &json!({"KeySpec": spec, "KeyUsage": usage}));
        made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
    }

    /// A new key of that spec and usage that waits for its material; gives its id.
    pub(crate) fn external_key(&self, spec: &str, usage: &str) -> String {
        let input = json!({"KeySpec": spec, "KeyUsage": usage, "Origin": "EXTERNAL"});
        self.ok("CreateKey", &input)["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
    }

    /// An input of ImportKeyMaterial that brings material to that key, for good.
    pub(crate) fn import(&self, key: &str, material: &[u8]) -> Value {
        let parameters = self.ok(
            "GetParametersForImport",
            &json!({
                "KeyId": key,
                "WrappingAlgorithm": "RSAES_OAEP_SHA_256",
                "WrappingKeySpec": "RSA_2048",
            }),
        );
        let public_key = STANDARD.decode(parameters["PublicKey"].as_str().unwrap()).unwrap();
        let public_key = PublicEncryptingKey::from_der(&public_key).unwrap();
        let public_key = OaepPublicEncryptingKey::new(public_key).unwrap();
        let mut encrypted = vec![0; public_key.ciphertext_size()];
        public_key.encrypt(&OAEP_SHA256_MGF1SHA256, material, &mut encrypted, None).unwrap();
        json!({
            "KeyId": key,
            "ImportToken": parameters["ImportToken"],
            "EncryptedKeyMaterial": STANDARD.encode(encrypted),
            "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        })
    }

    pub(crate) fn arn(&self, key: &str) -> String {
        let _ = self;
        format!("arn:aws:kms:{REGION}:{OWNER}:key/{key}")
    }

    /// A ciphertext of that key, in base64. (`key` may be an ARN.)
    pub(crate) fn sealed(&self, key: &str) -> String {
        let input = json!({"KeyId": key, "Plaintext": STANDARD.encode("hidden")});
        self.ok("Encrypt", &input)["CiphertextBlob"].as_str().unwrap().to_owned()
    }

    /// A new alias of that key.
    pub(crate) fn alias(&self, key: &str) -> String {
        self.ok("CreateAlias", &json!({"AliasName": "alias/there", "TargetKeyId": key}));
        "alias/there".to_owned()
    }

    /// A policy that lets these accounts do everything.
    pub(crate) fn policy(accounts: &[&str]) -> String {
        json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": accounts}, "Action": "kms:*", "Resource": "*"
        }]})
        .to_string()
    }

    pub(crate) fn open_to(&self, key: &str, accounts: &[&str]) {
        self.ok("PutKeyPolicy", &json!({"KeyId": key, "Policy": Self::policy(accounts)}));
    }

    /// Lets the owner do everything with the key but these actions.
    pub(crate) fn deny(&self, key: &str, actions: &[&str]) {
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": OWNER}, "Action": "kms:*", "Resource": "*"},
            {"Effect": "Deny", "Principal": "*", "Action": actions, "Resource": "*"},
        ]});
        self.ok(
            "PutKeyPolicy",
            &json!({
                "KeyId": key,
                "Policy": policy.to_string(),
                "BypassPolicyLockoutSafetyCheck": true,
            }),
        );
    }

    /// Grants another account's root user these operations; gives the answer.
    pub(crate) fn grant(&self, key: &str, account: &str, operations: &[&str]) -> Value {
        let grantee = format!("arn:aws:iam::{account}:root");
        let input = json!({"KeyId": key, "GranteePrincipal": grantee, "Operations": operations});
        self.ok("CreateGrant", &input)
    }

    /// Moves the clock on.
    pub(crate) fn pass_days(&self, days: i64) {
        self.clock.0.fetch_add(days * 86_400_000, Ordering::SeqCst);
    }

    /// Does what the job does that removes deleted keys.
    pub(crate) fn remove_due(&self) -> Result<usize, Error> {
        self.runtime.block_on(self.pipeline.service().remove_due(self.clock.now()))
    }

    /// Does what the job does that removes expired material.
    pub(crate) fn remove_expired(&self) -> Result<usize, Error> {
        self.runtime.block_on(self.pipeline.service().remove_expired(self.clock.now()))
    }

    /// Removes records behind the service's back.
    pub(crate) fn forget_records(&self, prefix: &str) {
        let keys = self.stored_keys().into_iter();
        let deletes = keys.filter(|key| key.starts_with(prefix)).collect();
        let commit = Commit { deletes, ..Commit::default() };
        self.runtime.block_on(self.store.commit(commit)).unwrap();
    }

    /// Writes a record behind the service's back.
    pub(crate) fn store_record(&self, key: &str, value: &[u8]) {
        let puts = vec![(key.to_owned(), value.to_vec())];
        let commit = Commit { puts, ..Commit::default() };
        self.runtime.block_on(self.store.commit(commit)).unwrap();
    }

    /// All that is stored.
    pub(crate) fn stored(&self) -> Vec<(String, Vec<u8>)> {
        let page = self.runtime.block_on(self.store.range("", "", 10_000)).unwrap();
        page.items.into_iter().map(|item| (item.key, item.value)).collect()
    }

    pub(crate) fn stored_keys(&self) -> Vec<String> {
        self.stored().into_iter().map(|(key, _)| key).collect()
    }

    /// The records of the log.
    pub(crate) fn records(&self) -> Vec<Value> {
        self.log.all()
    }

    /// The events that the server told of itself, in their order.
    pub(crate) fn own_events(&self) -> Vec<Value> {
        let is_own = |record: &Value| record["eventType"] == "AwsServiceEvent";
        self.records().into_iter().filter(is_own).collect()
    }

    pub(crate) fn last_record(&self) -> Value {
        serde_json::from_slice(self.log.records.lock().last().unwrap()).unwrap()
    }

    /// From now on no record can be written.
    pub(crate) fn break_audit(&self) {
        self.log.broken.store(true, Ordering::SeqCst);
    }

    /// From now on they can again.
    pub(crate) fn mend_audit(&self) {
        self.log.broken.store(false, Ordering::SeqCst);
    }
}
