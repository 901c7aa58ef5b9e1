//! The one order in which every request is served: authenticate → count against the quotas → decode
//! → resolve → authorize → check usage and state → run → record → answer.
//!
//! The size of a request is bounded before it gets here. Each stage gives a value that the next
//! one needs and nobody else can make, so that leaving a stage out doesn't compile.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use wire::{ErrorCode, JsonWriter, Node, Region, Timestamp, Writer, XmlWriter};
use zeroize::Zeroizing;

use crate::caller::{Authenticate, Caller, CallerKind, Session, Verified};
use crate::context::Context;
use crate::error::Error;
use crate::ids::Ids;
use crate::notes::Notes;
use crate::operation::{Facts, Protocol, Resource, Service};
use crate::ports::{AuditLog, Clock, Outcome, Quotas, RequestObserver};
use crate::record::{Actor, Identity, Record, SessionIssuer};
use crate::registry::Trail;
use crate::success::Success;
use crate::throttling;

/// A request, as the network brought it.
pub struct Inbound<'a> {
    /// The operation's name, as the client wrote it.
    pub operation: &'a str,
    /// The body.
    pub body: &'a [u8],
    /// The evidence of who sent it.
    pub evidence: &'a dyn Authenticate,
    /// Where it came from.
    pub origin: Origin<'a>,
}

/// Where a request came from, and the ids that it got here.
#[derive(Clone, Copy)]
pub struct Origin<'a> {
    /// The ids of the request and of its audit record.
    pub ids: &'a Ids,
    /// The address that it came from.
    pub source_ip: &'a str,
    /// The client's name for itself.
    pub user_agent: &'a str,
    /// What its connection is secured by; none where it is plain.
    pub tls: Option<Tls<'a>>,
}

/// What a TLS handshake agreed on, in CloudTrail's names for it, and the host that the request was
/// sent to: CloudTrail's `tlsDetails`.
#[derive(Debug, Clone, Copy)]
pub struct Tls<'a> {
    /// The version, such as `TLSv1.3`.
    pub version: &'a str,
    /// The cipher suite.
    pub cipher_suite: &'a str,
    /// The host that the client names.
    pub host: Option<&'a str>,
    /// The key exchange, such as `X25519MLKEM768`.
    pub key_exchange: Option<&'a str>,
}

/// An answer, ready for the network.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, in the service's protocol.
    pub body: Zeroizing<Vec<u8>>,
    /// What the log should learn of a failure of ours.
    pub failure: Option<Error>,
}

/// Serves one service.
pub struct Pipeline<S: Service> {
    service: S,
    /// Where each operation stands in the registry.
    operations: HashMap<&'static str, usize>,
    clock: Arc<dyn Clock>,
    audit: Arc<dyn AuditLog>,
    quotas: Option<Arc<dyn Quotas>>,
    observer: Option<Arc<dyn RequestObserver>>,
}

impl<S: Service> Pipeline<S> {
    /// A pipeline in front of the service; without quotas, observed by nobody.
    pub fn new(service: S, clock: Arc<dyn Clock>, audit: Arc<dyn AuditLog>) -> Self {
        let names = S::registry().iter().map(|operation| operation.facts().name);
        let operations = names.enumerate().map(|(index, name)| (name, index)).collect();
        Self { service, operations, clock, audit, quotas: None, observer: None }
    }

    /// The same, where those quotas hold.
    pub fn with_quotas(self, quotas: Arc<dyn Quotas>) -> Self {
        Self { quotas: Some(quotas), ..self }
    }

    /// The same, where that observer is told of every request.
    pub fn with_observer(self, observer: Arc<dyn RequestObserver>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// The service behind it.
    pub fn service(&self) -> &S {
        &self.service
    }

    /// Serves one request. The answer is given only once the audit log holds the request's record;
    /// if it can't, the answer is a refusal.
    pub async fn serve(&self, inbound: Inbound<'_>) -> Answer {
        let watch = Watch::begin(self.observer.as_deref());
        let mut telling = Telling { now: self.clock.now(), ..Telling::default() };
        let result = self.decide(&inbound, &mut telling).await;
        self.tell(inbound.operation, &inbound.origin, &telling, result, &watch).await
    }

    /// Answers a request that was refused before it got here, with its record.
    pub async fn refuse(&self, operation: &str, origin: &Origin<'_>, error: Error) -> Answer {
        let watch = Watch::begin(self.observer.as_deref());
        let operation_index = self.operations.get(operation).copied();
        let now = self.clock.now();
        let telling = Telling { now, operation: operation_index, ..Telling::default() };
        self.tell(operation, origin, &telling, Err(error), &watch).await
    }

    /// Records, then answers.
    async fn tell(
        &self,
        operation: &str,
        origin: &Origin<'_>,
        telling: &Telling,
        result: Result<Zeroizing<Vec<u8>>, Error>,
        watch: &Watch<'_>,
    ) -> Answer {
        let recorded = self.record(operation, origin, telling, result.as_ref().err()).await;
        let unrecorded = recorded.is_err();
        let result = recorded.and(result);
        watch.answered(telling, result.as_ref().err(), unrecorded);
        answer::<S>(operation, origin.ids, result)
    }

    async fn decide(
        &self,
        inbound: &Inbound<'_>,
        telling: &mut Telling,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let Some(index) = self.operations.get(inbound.operation).copied() else {
            return Err(unknown_operation::<S>(inbound.operation));
        };
        let operation = S::registry()[index];
        telling.operation = Some(index);
        telling.facts = Some(operation.facts());
        let (service, now) = (&self.service, telling.now);
        let (session, node) = if operation.is_signed() {
            (inbound.evidence.authenticate().await?, None)
        } else {
            let region = Region::parse(UNSIGNED_REGION);
            let region =
                region.ok_or_else(|| Error::internal("no Region for what isn't signed"))?;
            let region = telling.region.insert(region).clone();
            let node = parsed::<S>(inbound.body)?;
            let caller = operation.identify(service, now, &node, &mut telling.trail).await?;
            (Session { caller, region }, Some(node))
        };
        let caller = telling.caller.insert(Verified::new(session.caller));
        let region = telling.region.insert(session.region);
        let quotas = self.quotas.as_deref();
        let deferred = throttling::admit::<S>(quotas, &caller.account, region, index)?;
        let node = node.map_or_else(|| parsed::<S>(inbound.body), Ok)?;
        let notes = Notes::default();
        let cx = Context {
            service,
            caller,
            region,
            origin: inbound.origin,
            now,
            input: None,
            dry_run: false,
            withheld: None,
            deferred,
            notes: &notes,
        };
        operation.execute(cx, node, &mut telling.trail).await
    }

    async fn record(
        &self,
        operation: &str,
        origin: &Origin<'_>,
        telling: &Telling,
        error: Option<&Error>,
    ) -> Result<(), Error> {
        let caller = telling.caller.as_deref();
        let principal_id = caller.map(recorded_principal_id);
        let trail = &telling.trail;
        // What was denied is told in the caller's account alone, as AWS has it.
        let owners = match caller {
            Some(caller) if error.is_none() => other_owners(caller, &trail.resources),
            _ => Vec::new(),
        };
        let shared = origin.ids.shared();
        let record = Record {
            actor: caller.zip(principal_id.as_deref()).map_or(Actor::Unknown, |(caller, id)| {
                Actor::Caller(recorded_identity(caller, id))
            }),
            event_time: telling.now,
            event_source: S::EVENT_SOURCE,
            event_name: operation,
            aws_region: telling.region.as_ref().map_or("", Region::as_str),
            source_ip_address: origin.source_ip,
            user_agent: origin.user_agent,
            error_code: error.map(|error| error.code().recorded()),
            error_message: error.and_then(Error::message),
            request_parameters: trail.parameters.as_ref().map(|json| json.as_slice()),
            response_elements: trail.response.as_ref().map(|json| json.as_slice()),
            additional_event_data: trail.additional.as_deref(),
            request_id: Some(origin.ids.request()),
            event_id: origin.ids.event(),
            read_only: telling.facts.is_some_and(|facts| facts.read_only),
            resources: (S::RESOURCES_RECORDED || !trail.resources.is_empty())
                .then_some(trail.resources.as_slice()),
            recipient_account_id: caller.map(|caller| caller.account.as_str()),
            service_event_details: &[],
            shared_event_id: (!owners.is_empty()).then(|| shared.as_str()),
            tls: origin.tls,
        };
        self.tell_owners(&record, &owners, origin.ids).await?;
        let mut line = Vec::with_capacity(2048);
        record.write(&mut line);
        let appended = match (telling.facts, error) {
            (Some(facts), None) => {
                let success = Success {
                    operation: facts.name,
                    time: telling.now.to_the_second(),
                    ids: *origin.ids,
                    resources: &telling.trail.resources,
                };
                let witness = |at| self.service.succeeded(&success, at);
                self.audit.append_witnessed(&line, &witness).await
            }
            _ => self.audit.append(&line).await,
        };
        appended.map_err(Error::internal)
    }

    /// Records a request once more for each of these accounts, which own what was acted on.
    async fn tell_owners(
        &self,
        record: &Record<'_>,
        owners: &[&str],
        ids: &Ids,
    ) -> Result<(), Error> {
        let Actor::Caller(Identity { principal_id, account_id, .. }) = record.actor else {
            return Ok(());
        };
        for (number, owner) in (0..).zip(owners) {
            let event_id = ids.event_for(number);
            let resources = record.resources.unwrap_or_default().iter();
            let own: Vec<_> =
                resources.filter(|one| one.account.as_str() == *owner).cloned().collect();
            let copy = Record {
                actor: Actor::Foreign { principal_id, account_id },
                event_id: event_id.as_str(),
                resources: Some(&own),
                recipient_account_id: Some(owner),
                ..*record
            };
            let mut line = Vec::with_capacity(2048);
            copy.write(&mut line);
            self.audit.append(&line).await.map_err(Error::internal)?;
        }
        Ok(())
    }
}

/// The caller's unique id as records have it: that of a web identity begins with its provider's
/// ARN, not with the issuer.
fn recorded_principal_id(caller: &Caller) -> Cow<'_, str> {
    let issuer = caller.arn.split_once(":oidc-provider/").map(|(_, issuer)| issuer);
    let rest = match caller.kind {
        CallerKind::WebIdentity => issuer.and_then(|i| caller.principal_id.strip_prefix(i)),
        _ => None,
    };
    match rest {
        Some(rest) => Cow::Owned(format!("{}{rest}", caller.arn)),
        None => Cow::Borrowed(&caller.principal_id),
    }
}

fn recorded_identity<'a>(caller: &'a Caller, principal_id: &'a str) -> Identity<'a> {
    Identity {
        kind: caller.kind.as_str(),
        principal_id,
        arn: &caller.arn,
        account_id: caller.account.as_str(),
        access_key_id: &caller.access_key_id,
        session: caller.session.as_deref().map(|session| SessionIssuer {
            issuer: caller.principal.as_deref(),
            is_role: caller.kind == CallerKind::AssumedRole,
            issued: session.issued,
            provider: session.provider.as_deref(),
            source_identity: session.source_identity.as_deref(),
        }),
        user_name: match caller.kind {
            CallerKind::User => caller.principal.as_deref().map(|user| user.name.as_str()),
            _ => caller.subject.as_deref(),
        },
        is_federated: caller.kind == CallerKind::WebIdentity,
    }
}

/// The accounts beside the caller's that own what was acted on.
fn other_owners<'a>(caller: &Caller, resources: &'a [Resource]) -> Vec<&'a str> {
    let mut owners: Vec<&str> = Vec::new();
    for resource in resources {
        let owner = resource.account.as_str();
        if owner != caller.account.as_str() && !owners.contains(&owner) {
            owners.push(owner);
        }
    }
    owners
}

/// What becomes known of a request while it is served, for its record.
struct Telling {
    now: Timestamp,
    caller: Option<Verified<Caller>>,
    region: Option<Region>,
    operation: Option<usize>,
    facts: Option<&'static Facts>,
    trail: Trail,
}

impl Default for Telling {
    fn default() -> Self {
        Self {
            now: Timestamp::from_millis(0),
            caller: None,
            region: None,
            operation: None,
            facts: None,
            trail: Trail::default(),
        }
    }
}

/// Tells the observer of one request, that it is over included, however it ends. Without an
/// observer it does nothing, not even look at the time.
struct Watch<'a>(Option<(&'a dyn RequestObserver, Instant)>);

impl<'a> Watch<'a> {
    fn begin(observer: Option<&'a dyn RequestObserver>) -> Self {
        Self(observer.map(|observer| {
            observer.began();
            (observer, Instant::now())
        }))
    }

    fn answered(&self, telling: &Telling, error: Option<&Error>, unrecorded: bool) {
        if let Some((observer, began)) = self.0 {
            observer.answered(&Outcome {
                operation: telling.operation,
                account: telling.caller.as_ref().map(|caller| &caller.account),
                error: error.map(Error::code),
                unrecorded,
                duration: began.elapsed(),
            });
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some((observer, _)) = self.0 {
            observer.ended();
        }
    }
}

/// A request that isn't signed names no Region; AWS's global endpoint, which takes such requests,
/// is in this one.
const UNSIGNED_REGION: &str = "us-east-1";

fn parsed<S: Service>(body: &[u8]) -> Result<Node<'_>, Error> {
    match S::PROTOCOL {
        Protocol::Json => Node::from_json(body),
        Protocol::Query { .. } => Node::from_query(body),
    }
    .map_err(|malformed| Error::from(wire::Invalid::Malformed(malformed)))
}

fn unknown_operation<S: Service>(operation: &str) -> Error {
    match S::PROTOCOL {
        Protocol::Json => Error::bare(ErrorCode::UnknownOperationException),
        Protocol::Query { .. } => Error::new(
            ErrorCode::UnknownOperationException,
            format!("Could not find operation {operation}"),
        ),
    }
}

/// Puts the answer into the protocol's envelope.
fn answer<S: Service>(
    operation: &str,
    ids: &Ids,
    result: Result<Zeroizing<Vec<u8>>, Error>,
) -> Answer {
    match (result, S::PROTOCOL) {
        (Ok(body), Protocol::Json) => Answer { status: 200, body, failure: None },
        (Ok(body), Protocol::Query { namespace }) => {
            Answer { status: 200, body: enveloped(operation, namespace, ids, &body), failure: None }
        }
        (Err(error), protocol) => refusal(protocol, ids, error),
    }
}

fn enveloped(operation: &str, namespace: &str, ids: &Ids, body: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = XmlWriter::new();
    out.root(&format!("{operation}Response"), namespace, |out| {
        out.raw(body);
        out.element("ResponseMetadata", |out| {
            out.element("RequestId", |out| out.text(ids.request()));
        });
    });
    out.finish()
}

/// An error as the protocol writes it. The server uses it too, for what it refuses by itself.
pub fn refusal(protocol: Protocol, ids: &Ids, error: Error) -> Answer {
    let (status, body) = match protocol {
        Protocol::Json => {
            let mut out = JsonWriter::answer(256);
            out.structure(|out| {
                out.name("__type");
                out.text(error.code().as_str());
                if let Some(message) = error.message() {
                    out.name("message");
                    out.text(message);
                }
            });
            (error.code().status(), out.finish())
        }
        Protocol::Query { namespace } => {
            let (code, status) = error.code().query();
            let mut out = XmlWriter::new();
            out.root("ErrorResponse", namespace, |out| {
                out.element("Error", |out| {
                    let kind = if status < 500 { "Sender" } else { "Receiver" };
                    out.element("Type", |out| out.text(kind));
                    out.element("Code", |out| out.text(code));
                    if let Some(message) = error.message() {
                        out.element("Message", |out| out.text(message));
                    }
                });
                out.element("RequestId", |out| out.text(ids.request()));
            });
            (status, out.finish())
        }
    };
    let failure = error.cause().is_some().then_some(error);
    Answer { status, body, failure }
}
