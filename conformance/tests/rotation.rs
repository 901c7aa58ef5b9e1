//! Rotation of domain keys and of the root key under everything that KMS and IAM store: whatever
//! happens when, every ciphertext opens and every secret signs, and in the end no record needs an
//! old domain key.

mod world;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::RootKey;
use iam::{Credentials, Directory, Iam, NoCredential, Secret, Sts, WrappedAccessKeys};
use keystores::software::{Progress, Rewrapping, Software, SystemEntropy};
use kms::WrappedKeys;
use proptest::prelude::*;
use serde_json::{Value, json};
use service::ports::{
    Commit, IssuerKeys, IssuerKeysError, KeyStore, Pending, Store, WrappedRecords,
};
use service::{Ids, Inbound, Origin, Pipeline};
use wire::Timestamp;

use world::failing::{ALL, Failing};
use world::{Evidence, Log, OWNER, REGION, World};

const REPLICA: &str = "eu-west-1";
const GLOBAL: &str = "aws-global";
const PREVIOUS: &str = "keystore/root-key/previous";

/// One process of the server over a store, all services in it.
struct House {
    store: Arc<Failing>,
    root_key: RootKey,
    software: Arc<Software>,
    work: Rewrapping,
    world: World,
    iam: Pipeline<Iam>,
    sts: Pipeline<Sts>,
    credentials: Credentials,
    users: usize,
    promises: Vec<Promise>,
}

/// What was answered and must hold from then on.
#[derive(Clone)]
enum Promise {
    Ciphertext(String),
    Mac(String, String),
    Signature(String, String),
    Secret(String, String),
}

struct NoIssuers;

impl IssuerKeys for NoIssuers {
    fn key_set<'a>(&'a self, _: &'a str) -> Pending<'a, Result<String, IssuerKeysError>> {
        Box::pin(std::future::ready(Err(IssuerKeysError::Unknown)))
    }
}

fn copied(root_key: &RootKey) -> RootKey {
    root_key.unwrap_root_key(&root_key.wrap_root_key(root_key).unwrap()).unwrap()
}

/// What stands in an element of an answer in XML.
fn element(answer: &str, name: &str) -> Option<String> {
    let (_, rest) = answer.split_once(&format!("<{name}>"))?;
    Some(rest.split_once('<')?.0.to_owned())
}

impl House {
    fn new() -> Self {
        Self::over(Failing::new(), RootKey::generate().unwrap())
    }

    fn over(store: Arc<Failing>, root_key: RootKey) -> Self {
        let software = Software::new(Arc::clone(&store) as _, copied(&root_key));
        let software = Arc::new(software.with_settling_time(Duration::ZERO));
        let (records, key_store) = (Arc::clone(&store), Arc::clone(&software) as Arc<dyn KeyStore>);
        let kinds: Vec<Arc<dyn WrappedRecords>> = vec![
            Arc::new(WrappedKeys::new(Arc::clone(&key_store))),
            Arc::new(WrappedAccessKeys::new(Arc::clone(&key_store))),
        ];
        let work = Rewrapping::new(Arc::clone(&software), kinds);
        let world = World::with_key_store(Arc::clone(&store) as _, Arc::clone(&key_store));
        let entropy = Arc::new(SystemEntropy);
        let directory = Directory::new(records, key_store, entropy, |_| true).unwrap();
        let directory = Arc::new(directory);
        let (clock, log) = (world.clock(), Arc::new(Log::default()));
        let iam = Iam { directory: Arc::clone(&directory) };
        let sts = Sts { directory: Arc::clone(&directory), issuer_keys: Arc::new(NoIssuers) };
        Self {
            iam: Pipeline::new(iam, Arc::clone(&clock) as _, Arc::clone(&log) as _),
            sts: Pipeline::new(sts, clock, log),
            credentials: Credentials::new(directory),
            store,
            root_key,
            software,
            work,
            world,
            users: 0,
            promises: Vec::new(),
        }
    }

    /// The process after a crash of this one.
    fn restarted(self) -> Self {
        self.store.takes(ALL);
        let (now, users, promises) = (self.world.now(), self.users, self.promises);
        let house = Self { users, promises, ..Self::over(self.store, self.root_key) };
        house.world.set_clock(now.millis());
        house
    }

    fn now(&self) -> Timestamp {
        self.world.now()
    }

    /// Sends a request of the query protocol; gives the answer of one that worked.
    fn query(&self, operation: &str, parameters: &str) -> Option<String> {
        let ids = Ids::draw(&SystemEntropy).unwrap();
        let body = format!("Action={operation}&{parameters}");
        let inbound = |evidence| Inbound {
            operation,
            body: body.as_bytes(),
            evidence,
            origin: Origin { ids: &ids, source_ip: "127.0.0.1", user_agent: "t", tls: None },
        };
        let evidence = Evidence(Some(OWNER));
        let answer = self.world.wait(async {
            if operation == "GetSessionToken" {
                self.sts.serve(inbound(&evidence)).await
            } else {
                self.iam.serve(inbound(&evidence)).await
            }
        });
        (answer.status == 200).then(|| String::from_utf8(answer.body.to_vec()).unwrap())
    }

    fn call(&self, operation: &str, input: &Value) -> Option<Value> {
        let (status, body) = self.world.call(OWNER, operation, input);
        (status == 200).then_some(body)
    }

    fn key(&self, input: &Value) -> Option<String> {
        let made = self.call("CreateKey", input)?;
        Some(made["KeyMetadata"]["KeyId"].as_str()?.to_owned())
    }

    fn encrypt(&mut self, key: &str) -> Option<()> {
        let input = json!({"KeyId": key, "Plaintext": STANDARD.encode("hidden")});
        let blob = self.call("Encrypt", &input)?["CiphertextBlob"].as_str()?.to_owned();
        self.promises.push(Promise::Ciphertext(blob));
        Some(())
    }

    /// Makes something that holds wrapped material; whatever is answered is a promise.
    fn make(&mut self, kind: u8) -> Option<()> {
        let message = STANDARD.encode("message");
        match kind {
            0 => {
                let key = self.key(&json!({}))?;
                self.encrypt(&key)?;
                self.call("RotateKeyOnDemand", &json!({"KeyId": key}))?;
                self.encrypt(&key)?;
            }
            1 => {
                let key =
                    self.key(&json!({"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}))?;
                let mut input = json!({"KeyId": key, "Message": message});
                input["MacAlgorithm"] = "HMAC_SHA_256".into();
                let mac = self.call("GenerateMac", &input)?["Mac"].as_str()?.to_owned();
                self.promises.push(Promise::Mac(key, mac));
            }
            2 => {
                let key =
                    self.key(&json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}))?;
                let mut input = json!({"KeyId": key, "Message": message});
                input["SigningAlgorithm"] = "ECDSA_SHA_256".into();
                let signature = self.call("Sign", &input)?["Signature"].as_str()?.to_owned();
                self.promises.push(Promise::Signature(key, signature));
            }
            3 => {
                let key = self.key(&json!({"MultiRegion": true}))?;
                self.call("ReplicateKey", &json!({"KeyId": key, "ReplicaRegion": REPLICA}))?;
                self.encrypt(&key)?;
            }
            _ => {
                self.users += 1;
                let user = format!("UserName=user-{}", self.users);
                self.query("CreateUser", &user)?;
                let answer = self.query("CreateAccessKey", &user)?;
                let secret = element(&answer, "SecretAccessKey")?;
                self.promises.push(Promise::Secret(element(&answer, "AccessKeyId")?, secret));
            }
        }
        Some(())
    }

    /// Whether everything that was ever answered still holds.
    fn keeps_its_promises(&self) {
        let message = STANDARD.encode("message");
        for promise in &self.promises {
            match promise {
                Promise::Ciphertext(blob) => {
                    let opened = self.call("Decrypt", &json!({"CiphertextBlob": blob}));
                    assert_eq!(opened.unwrap()["Plaintext"], STANDARD.encode("hidden"));
                }
                Promise::Mac(key, mac) => {
                    let mut input = json!({"KeyId": key, "Message": message, "Mac": mac});
                    input["MacAlgorithm"] = "HMAC_SHA_256".into();
                    assert!(self.call("VerifyMac", &input).is_some());
                }
                Promise::Signature(key, signature) => {
                    let mut input = json!({"KeyId": key, "Message": message});
                    input["Signature"] = signature.as_str().into();
                    input["SigningAlgorithm"] = "ECDSA_SHA_256".into();
                    assert!(self.call("Verify", &input).is_some());
                }
                Promise::Secret(id, secret) => {
                    let found = self.credentials.find(id, None, REGION, self.now());
                    let found = self.world.wait(found).map(|found| found.secret);
                    let Ok(Secret::Key(known)) = found else { panic!("{id} is unknown") };
                    assert_eq!(known.expose(), secret);
                }
            }
        }
    }

    fn rotate(&self, region: &str) {
        let rotated = self.software.rotate(region, self.now());
        // The store may be failing just now.
        let _ = self.world.wait(rotated);
    }

    fn steps(&self, steps: usize) {
        for _ in 0..steps {
            let _ = self.world.wait(self.work.step(self.now()));
        }
    }

    /// Works until nothing is left to do; gives what was retired and destroyed.
    fn finish(&self) -> Progress {
        let mut all = Progress::default();
        loop {
            let progress = self.world.wait(self.work.step(self.now())).unwrap();
            assert!(progress.damaged.is_empty());
            all.retired.extend(progress.retired);
            all.destroyed.extend(progress.destroyed);
            if !progress.more {
                return all;
            }
        }
    }

    /// Replaces the root key, as a seal does: the previous one is stored first.
    fn replace_root_key(&mut self) {
        // Another one is under way; it has to end first.
        if self.world.stored_keys().iter().any(|key| key == PREVIOUS) {
            let _ = self.world.wait(self.software.finish_root_key());
            return;
        }
        let new = RootKey::generate().unwrap();
        let puts = vec![(PREVIOUS.to_owned(), new.wrap_root_key(&self.root_key).unwrap())];
        let stored = self.store.commit(Commit { puts, ..Commit::default() });
        if self.world.wait(stored).is_ok() {
            self.root_key = copied(&new);
            let _ = self.world.wait(self.software.replace_root_key(new));
        }
    }

    /// The numbers of the current domain keys, and whether older ones are there.
    fn domain_keys(&self) -> (Vec<(String, u32)>, bool) {
        let keys = self.world.wait(self.software.domain_keys()).unwrap();
        let mut currents: Vec<(String, u32)> = Vec::new();
        for key in &keys {
            currents.retain(|(region, _)| *region != key.region);
            currents.push((key.region.clone(), key.number));
        }
        let older = keys.len() > currents.len();
        (currents, older)
    }

    /// Whether every record is wrapped by the current domain key of its Region.
    fn is_current(&self) {
        let (currents, _) = self.domain_keys();
        let is_current = |region: &str, wrapped: &Value| {
            let wrapped = STANDARD.decode(wrapped.as_str().unwrap()).unwrap();
            let number = u32::from_be_bytes(*wrapped[1..].first_chunk().unwrap());
            assert!(currents.contains(&(region.to_owned(), number)), "{region}: {number}");
        };
        for (place, value) in self.world.stored() {
            let json = || serde_json::from_slice::<Value>(&value[1..]).unwrap();
            if place.starts_with("kms/key/") {
                for material in json()["materials"].as_array().unwrap() {
                    is_current(place.split('/').nth(3).unwrap(), &material["wrapped"]);
                }
            } else if place.starts_with("iam/access-key/") {
                is_current(GLOBAL, &json()["sealed_secret"]);
            }
        }
    }
}

/// Something that happens.
#[derive(Debug, Clone)]
enum Event {
    Make(u8),
    Rotate(&'static str),
    ReplaceRootKey,
    Steps(usize),
    Days(i64),
    Crash(i64, Box<Event>),
}

fn event() -> impl Strategy<Value = Event> {
    let quiet = prop_oneof![
        4 => (0..5_u8).prop_map(Event::Make),
        3 => prop::sample::select(&[REGION, REPLICA, GLOBAL][..]).prop_map(Event::Rotate),
        1 => Just(Event::ReplaceRootKey),
        4 => (1..8_usize).prop_map(Event::Steps),
        1 => (1..9_i64).prop_map(Event::Days),
    ];
    let crash = |(commits, event)| Event::Crash(commits, Box::new(event));
    prop_oneof![4 => quiet.clone(), 1 => (0..6_i64, quiet).prop_map(crash)]
}

fn happens(mut house: House, event: &Event) -> House {
    match event {
        Event::Make(kind) => {
            let _ = house.make(*kind);
        }
        Event::Rotate(region) => house.rotate(region),
        Event::ReplaceRootKey => house.replace_root_key(),
        Event::Steps(steps) => house.steps(*steps),
        Event::Days(days) => house.world.pass_days(*days),
        Event::Crash(commits, event) => {
            house.store.takes(*commits);
            house = happens(house, event).restarted();
            house.world.wait(house.software.verify()).unwrap();
        }
    }
    house
}

/// As many as fit a daily run, or what the environment says.
fn cases() -> u32 {
    let said = std::env::var("PROPTEST_CASES").ok();
    said.and_then(|cases| cases.parse().ok()).unwrap_or(40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_nothing_is_lost(events in prop::collection::vec(event(), 1..40)) {
        let mut house = House::new();
        for kind in 0..5 {
            prop_assert!(house.make(kind).is_some(), "{kind}");
        }
        for event in &events {
            house = happens(house, event);
            house.keeps_its_promises();
        }
        house.finish();
        house.is_current();
        house.keeps_its_promises();
        house.world.pass_days(8);
        house.finish();
        prop_assert!(!house.domain_keys().1, "old domain keys are left");
        prop_assert!(!house.world.stored_keys().iter().any(|key| key == PREVIOUS));
        house = house.restarted();
        house.world.wait(house.software.verify()).unwrap();
        house.is_current();
        house.keeps_its_promises();
    }
}

#[test]
fn what_callers_hold_opens_for_a_week_and_is_refused_cleanly_then() {
    let house = House::new();
    let key = house.world.key();
    let grant = house.world.grant(&key, OWNER, &["Encrypt"]);
    let external = house.world.external_key("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
    let import = house.world.import(&external, &[7; 32]);
    let session = house.query("GetSessionToken", "DurationSeconds=129600").unwrap();
    let [id, token] = ["AccessKeyId", "SessionToken"].map(|name| element(&session, name).unwrap());
    for region in [REGION, GLOBAL] {
        house.rotate(region);
    }
    assert_eq!(house.finish().retired.len(), 2);
    let encrypt = json!({"KeyId": key, "Plaintext": "eA==", "GrantTokens": [grant["GrantToken"]]});
    let house = house.restarted();
    house.world.ok("Encrypt", &encrypt);
    let find = |house: &House| {
        let found = house.credentials.find(&id, Some(&token), REGION, house.now());
        house.world.wait(found)
    };
    assert!(find(&house).is_ok());
    house.world.ok("ImportKeyMaterial", &import);

    let now = house.now().millis();
    house.world.pass_days(7);
    assert_eq!(house.finish().destroyed.len(), 2);
    let house = house.restarted();
    let (status, refused) = house.world.call(OWNER, "Encrypt", &encrypt);
    assert_eq!((status, &refused["__type"]), (400, &json!("InvalidGrantTokenException")));
    let (status, refused) = house.world.call(OWNER, "ImportKeyMaterial", &import);
    assert_eq!((status, &refused["__type"]), (400, &json!("InvalidImportTokenException")));
    // Also on a clock that was set back, on which they would still be good.
    house.world.set_clock(now);
    assert!(matches!(find(&house), Err(NoCredential::Unknown)));
    assert!(house.world.call(OWNER, "ImportKeyMaterial", &import).0 < 500);
}

#[test]
fn requests_go_on_while_everything_is_wrapped_anew() {
    let directory = tempfile::tempdir().unwrap();
    let store = storage::Embedded::open(&directory.path().join("state.sqlite3")).unwrap();
    let store: Arc<dyn Store> = Arc::new(store);
    let software = Software::new(Arc::clone(&store), RootKey::generate().unwrap());
    let software = Arc::new(software.with_settling_time(Duration::ZERO));
    let world = World::with_key_store(store, Arc::clone(&software) as _);
    let kinds = vec![Arc::new(WrappedKeys::new(Arc::clone(&software) as _)) as _];
    let work = Rewrapping::new(Arc::clone(&software), kinds);
    let keys: Vec<String> = (0..150).map(|_| world.key()).collect();
    let sealed: Vec<String> = keys.iter().map(|key| world.sealed(key)).collect();
    std::thread::scope(|scope| {
        let (world, keys, sealed) = (&world, &keys, &sealed);
        let worker = |part: usize| {
            move || {
                for (key, blob) in keys.iter().zip(sealed).skip(part).step_by(2) {
                    world.ok("Decrypt", &json!({"CiphertextBlob": blob}));
                    let tags = json!([{"TagKey": "k", "TagValue": "v"}]);
                    world.ok("TagResource", &json!({"KeyId": key, "Tags": tags}));
                    world.ok("RotateKeyOnDemand", &json!({"KeyId": key}));
                    world.ok("Decrypt", &json!({"CiphertextBlob": blob}));
                }
            }
        };
        let workers = [scope.spawn(worker(0)), scope.spawn(worker(1))];
        while workers.iter().any(|worker| !worker.is_finished()) {
            world.wait(software.rotate(REGION, world.now())).unwrap();
            while world.wait(work.step(world.now())).unwrap().more {}
        }
    });
    world.wait(software.rotate(REGION, world.now())).unwrap();
    world.pass_days(7);
    while world.wait(work.step(world.now())).unwrap().more {}
    world.pass_days(7);
    while world.wait(work.step(world.now())).unwrap().more {}
    assert_eq!(world.wait(software.domain_keys()).unwrap().len(), 1);
    for (key, blob) in keys.iter().zip(&sealed) {
        world.ok("Decrypt", &json!({"CiphertextBlob": blob}));
        let tags = world.ok("ListResourceTags", &json!({"KeyId": key}));
        assert_eq!(tags["Tags"][0]["TagValue"], "v", "a change that was answered stays");
    }
}
