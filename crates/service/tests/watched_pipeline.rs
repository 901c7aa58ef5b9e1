//! The pipeline with quotas and an observer, over a service of one operation: who is asked and told
//! what, in which order, and that a request over its quota does nothing.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use service::ports::{
    Admission, AuditLog, AuditUnavailable, Claim, Clock, Outcome, Pending, Quotas, RequestObserver,
    Uses, Witness,
};
use service::{
    Answer, AnyOperation, Authenticate, Authorized, Caller, Context, Error, Facts, Ids, Inbound,
    Operation, Origin, Pipeline, Protocol, Resource, Service, Session, Target,
};
use wire::enums::KeySpec;
use wire::{AccountId, ErrorCode, Region, Timestamp, structure};

/// What happened, in order.
type Events = Arc<Mutex<Vec<String>>>;

struct Counting {
    events: Events,
    /// How often a change is overtaken before it takes place.
    conflicts: AtomicUsize,
}

impl Service for Counting {
    const RECORDED_DATES: wire::DateForm = wire::DateForm::Iso8601;
    const RESOURCES_RECORDED: bool = true;
    const SIGNING_NAME: &'static str = "counting";
    const EVENT_SOURCE: &'static str = "counting.amazonaws.com";
    const PROTOCOL: Protocol = Protocol::Json;
    fn registry() -> &'static [&'static dyn AnyOperation<Self>] {
        &[&Count]
    }
}

struct Count;

structure! {
    /// Input and output of the operation.
    pub(crate) struct Nothing {}
}

struct Thing;

impl Target<Counting> for Thing {
    async fn authorize(&self, _: &Facts, cx: &Context<'_, Counting>) -> Result<(), Error> {
        cx.service.say("authorized");
        Ok(())
    }

    fn check(&self, _: &Facts, _: &Context<'_, Counting>) -> Result<(), Error> {
        Ok(())
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }

    fn key_specs(&self) -> [Option<KeySpec>; 2] {
        [Some(KeySpec::Rsa2048), None]
    }
}

impl Counting {
    fn say(&self, what: &str) {
        self.events.lock().unwrap().push(what.to_owned());
    }
}

impl Operation for Count {
    type Service = Counting;
    type Input = Nothing;
    type Output = Nothing;
    type Target = Thing;
    const FACTS: Facts = Facts {
        name: "Count",
        actions: &["counting:Count"],
        states: &[],
        usage: None,
        grantable: false,
        dry_run: false,
        cross_account: false,
        read_only: false,
        errors: &[],
    };

    async fn resolve(cx: &Context<'_, Counting>, _: &Nothing) -> Result<Thing, Error> {
        cx.service.say("resolved");
        Ok(Thing)
    }

    async fn run(
        cx: &Context<'_, Counting>,
        _: &Authorized<Thing>,
        _: &Nothing,
    ) -> Result<Nothing, Error> {
        let more = |left: usize| left.checked_sub(1);
        if cx.service.conflicts.try_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok() {
            return Err(Error::conflict());
        }
        cx.service.say("ran");
        Ok(Nothing {})
    }
}

struct Log {
    events: Events,
    broken: bool,
}

impl AuditLog for Log {
    fn append_witnessed<'a>(
        &'a self,
        record: &'a [u8],
        _: Witness<'a>,
    ) -> Pending<'a, Result<(), AuditUnavailable>> {
        let text = String::from_utf8_lossy(record).into_owned();
        let code = text.split("\"errorCode\":\"").nth(1).and_then(|rest| rest.split('"').next());
        self.events.lock().unwrap().push(format!("recorded {}", code.unwrap_or("OK")));
        let failed = || AuditUnavailable("the disk is full".into());
        let result = if self.broken { Err(failed()) } else { Ok(()) };
        Box::pin(std::future::ready(result))
    }
}

/// Gives the answers in turn, and notes the questions.
struct Script {
    events: Events,
    answers: Mutex<Vec<Admission>>,
}

impl Quotas for Script {
    fn admit(&self, claim: &Claim<'_>) -> Admission {
        assert_eq!((claim.account.as_str(), claim.operation), ("111122223333", 0));
        assert_eq!(claim.region.as_str(), "eu-west-1");
        if let Some(uses) = claim.uses {
            assert_eq!(*uses, Uses::of(KeySpec::Rsa2048));
        }
        let what = if claim.uses.is_some() { "asked again" } else { "asked" };
        self.events.lock().unwrap().push(what.to_owned());
        self.answers.lock().unwrap().remove(0)
    }
}

struct Listener(Events);

impl RequestObserver for Listener {
    fn began(&self) {
        self.0.lock().unwrap().push("began".to_owned());
    }

    fn answered(&self, outcome: &Outcome<'_>) {
        let Outcome { operation, account, error, unrecorded, .. } = outcome;
        let error = error.map_or("OK", ErrorCode::as_str);
        let account = account.map_or("nobody", |account| account.as_str());
        let lost = if *unrecorded { " unrecorded" } else { "" };
        let what = format!("answered {operation:?} {account} {error}{lost}");
        self.0.lock().unwrap().push(what);
    }

    fn ended(&self) {
        self.0.lock().unwrap().push("ended".to_owned());
    }
}

struct Now;

impl Clock for Now {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000)
    }
}

/// Evidence that holds, that doesn't, or that is never found out.
enum Evidence {
    Good,
    Bad,
    Pending,
}

impl Authenticate for Evidence {
    fn authenticate(&self) -> Pending<'_, Result<Session, Error>> {
        let account = AccountId::parse("111122223333").unwrap();
        let session = match self {
            Self::Good => Ok(Session {
                caller: Caller::root(account, "aws", "a"),
                region: Region::parse("eu-west-1").unwrap(),
            }),
            Self::Bad => Err(Error::bare(ErrorCode::InvalidSignatureException)),
            Self::Pending => return Box::pin(std::future::pending()),
        };
        Box::pin(std::future::ready(session))
    }
}

struct World {
    pipeline: Pipeline<Counting>,
    events: Events,
}

impl World {
    fn new(answers: &[Admission], conflicts: usize, broken: bool) -> Self {
        let events = Events::default();
        let shared = || Arc::clone(&events);
        let service = Counting { events: shared(), conflicts: AtomicUsize::new(conflicts) };
        let log = Arc::new(Log { events: shared(), broken });
        let script = Script { events: shared(), answers: Mutex::new(answers.to_vec()) };
        let pipeline = Pipeline::new(service, Arc::new(Now), log)
            .with_quotas(Arc::new(script))
            .with_observer(Arc::new(Listener(shared())));
        Self { pipeline, events }
    }

    /// Serves one request as far as it gets without waiting.
    fn send(&self, operation: &str, body: &[u8], evidence: &Evidence) -> Option<Answer> {
        let id = "12345126-30d5-4b28-98b9-9153da559963";
        let ids = Ids::parse(id, id).unwrap();
        let origin = Origin { ids: &ids, source_ip: "192.0.2.1", user_agent: "", tls: None };
        let serving = self.pipeline.serve(Inbound { operation, body, evidence, origin });
        match pin!(serving).poll(&mut std::task::Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => None,
        }
    }

    fn events(&self) -> Vec<String> {
        std::mem::take(&mut self.events.lock().unwrap())
    }
}

const SERVED: &str = "answered Some(0) 111122223333 OK";
const THROTTLED: &str = "answered Some(0) 111122223333 ThrottlingException";

#[test]
fn an_operation_of_one_class_is_counted_before_anything_is_read() {
    let world = World::new(&[Admission::Admitted, Admission::Throttled], 0, false);
    assert_eq!(world.send("Count", b"{}", &Evidence::Good).unwrap().status, 200);
    let expected =
        ["began", "asked", "resolved", "authorized", "ran", "recorded OK", SERVED, "ended"];
    assert_eq!(world.events(), expected);
    // Refused whatever the body, and nothing is done.
    let answer = world.send("Count", b"no JSON", &Evidence::Good).unwrap();
    assert_eq!(answer.status, 400);
    assert_eq!(
        String::from_utf8_lossy(&answer.body),
        "{\"__type\":\"ThrottlingException\",\"message\":\"You have exceeded the rate at which you \
         may call KMS. Reduce the frequency of your calls.\"}"
    );
    let expected = ["began", "asked", "recorded ThrottlingException", THROTTLED, "ended"];
    assert_eq!(world.events(), expected);
}

#[test]
fn one_that_depends_on_its_key_is_counted_once_when_the_key_is_found() {
    let answers = [Admission::Deferred, Admission::Admitted];
    let world = World::new(&answers, 2, false);
    assert_eq!(world.send("Count", b"{}", &Evidence::Good).unwrap().status, 200);
    let events = world.events();
    let first = ["began", "asked", "resolved", "asked again", "authorized", "resolved"];
    assert_eq!(events[..6], first);
    let asked = events.iter().filter(|event| event.starts_with("asked")).count();
    assert_eq!(asked, 2, "however often the request is decided anew: {events:?}");

    let world = World::new(&[Admission::Deferred, Admission::Throttled], 0, false);
    assert_eq!(world.send("Count", b"{}", &Evidence::Good).unwrap().status, 400);
    let expected = [
        "began",
        "asked",
        "resolved",
        "asked again",
        "recorded ThrottlingException",
        THROTTLED,
        "ended",
    ];
    assert_eq!(world.events(), expected);
}

#[test]
fn who_is_nobody_is_not_counted() {
    let world = World::new(&[], 0, false);
    assert_eq!(world.send("Count", b"{}", &Evidence::Bad).unwrap().status, 400);
    let refused = "answered Some(0) nobody InvalidSignatureException";
    assert_eq!(world.events(), ["began", "recorded InvalidSignatureException", refused, "ended"]);
    world.send("Cuont", b"{}", &Evidence::Good).unwrap();
    let unknown = "answered None nobody UnknownOperationException";
    assert!(world.events().contains(&unknown.to_owned()));
}

#[test]
fn an_observer_learns_that_a_record_was_lost() {
    let world = World::new(&[Admission::Admitted], 0, true);
    assert_eq!(world.send("Count", b"{}", &Evidence::Good).unwrap().status, 500);
    let lost = "answered Some(0) 111122223333 KMSInternalException unrecorded";
    assert!(world.events().contains(&lost.to_owned()));
}

#[test]
fn a_client_that_leaves_ends_its_request() {
    let world = World::new(&[], 0, false);
    assert!(world.send("Count", b"{}", &Evidence::Pending).is_none());
    assert_eq!(world.events(), ["began", "ended"]);
}
