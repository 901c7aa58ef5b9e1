//! KMS in this process, over real parts, with a caller who needs no signature: what the properties
//! over the registry run against.
#![allow(dead_code, reason = "each of the test programs uses a part of it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::RootKey;
use keystores::software::{Software, SystemEntropy};
use kms::Kms;
use parking_lot::Mutex;
use serde_json::{Value, json};
use service::ports::{AuditLog, AuditUnavailable, Clock, Pending, Store};
use service::{Authenticate, Caller, CallerKind, Error, Ids, Inbound, Origin, Pipeline, Session};
use wire::{AccountId, ErrorCode, Region, Timestamp};

pub(crate) const OWNER: &str = "111122223333";
pub(crate) const STRANGER: &str = "444455556666";
const REGION: &str = "us-east-1";

/// A KMS with one account's worth of state.
pub(crate) struct World {
    runtime: tokio::runtime::Runtime,
    pipeline: Pipeline<Kms>,
    store: Arc<dyn Store>,
    log: Arc<Log>,
}

/// A log that keeps its records and can fail.
#[derive(Default)]
struct Log {
    records: Mutex<Vec<Vec<u8>>>,
    broken: AtomicBool,
}

impl AuditLog for Log {
    fn append<'a>(&'a self, record: &'a [u8]) -> Pending<'a, Result<(), AuditUnavailable>> {
        let result = if self.broken.load(Ordering::SeqCst) {
            Err(AuditUnavailable("the disk is full".into()))
        } else {
            self.records.lock().push(record.to_vec());
            Ok(())
        };
        Box::pin(std::future::ready(result))
    }
}

struct FixedClock(AtomicI64);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

struct Evidence<'a>(Option<&'a str>);

impl Authenticate for Evidence<'_> {
    fn authenticate(&self) -> Pending<'_, Result<Session, Error>> {
        let session = match self.0 {
            None => Err(Error::bare(ErrorCode::MissingAuthenticationTokenException)),
            Some(account) => Ok(Session {
                caller: Caller {
                    account: AccountId::parse(account).unwrap(),
                    arn: format!("arn:aws:iam::{account}:root"),
                    principal_id: account.to_owned(),
                    kind: CallerKind::Root,
                    access_key_id: account.to_owned(),
                },
                region: Region::parse(REGION).unwrap(),
            }),
        };
        Box::pin(std::future::ready(session))
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::over(Arc::new(storage::Memory::new()))
    }

    pub(crate) fn on_disk(directory: &std::path::Path) -> Self {
        Self::over(Arc::new(storage::Embedded::open(&directory.join("state.sqlite3")).unwrap()))
    }

    fn over(store: Arc<dyn Store>) -> Self {
        let root_key = RootKey::generate().unwrap();
        let key_store = Arc::new(Software::new(Arc::clone(&store), root_key));
        let entropy = Arc::new(SystemEntropy);
        let kms = Kms::new(Arc::clone(&store), key_store, entropy, 100).unwrap();
        let clock = Arc::new(FixedClock(AtomicI64::new(1_700_000_000_000)));
        let log = Arc::new(Log::default());
        let pipeline = Pipeline::new(kms, clock, Arc::clone(&log) as _);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        Self { runtime, pipeline, store, log }
    }

    /// Sends a body; gives status and answer (null where the answer is empty).
    pub(crate) fn send(&self, account: Option<&str>, operation: &str, body: &[u8]) -> (u16, Value) {
        let ids = Ids::draw(&SystemEntropy).unwrap();
        let evidence = Evidence(account);
        let answer = self.runtime.block_on(self.pipeline.serve(Inbound {
            operation,
            body,
            evidence: &evidence,
            origin: Origin { ids: &ids, source_ip: "127.0.0.1", user_agent: "test" },
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

    /// All that is stored.
    pub(crate) fn stored(&self) -> Vec<(String, Vec<u8>)> {
        let page = self.runtime.block_on(self.store.range("", "", 10_000)).unwrap();
        page.items.into_iter().map(|item| (item.key, item.value)).collect()
    }

    pub(crate) fn stored_keys(&self) -> Vec<String> {
        self.stored().into_iter().map(|(key, _)| key).collect()
    }

    pub(crate) fn last_record(&self) -> Value {
        serde_json::from_slice(self.log.records.lock().last().unwrap()).unwrap()
    }

    /// From now on no record can be written.
    pub(crate) fn break_audit(&self) {
        self.log.broken.store(true, Ordering::SeqCst);
    }
}
