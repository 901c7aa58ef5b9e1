//! The one order in which every request is served: authenticate → decode → resolve → authorize →
//! check usage and state → run → record → answer.
//!
//! The size of a request is bounded before it gets here. Each stage gives a value that the next
//! one needs and nobody else can make, so that leaving a stage out doesn't compile.

use std::collections::HashMap;
use std::sync::Arc;

use wire::{ErrorCode, JsonWriter, Node, Region, Timestamp, Writer, XmlWriter};
use zeroize::Zeroizing;

use crate::caller::{Authenticate, Caller, CallerKind, Session, Verified};
use crate::context::Context;
use crate::error::Error;
use crate::ids::Ids;
use crate::operation::{Facts, Protocol, Service};
use crate::ports::{AuditLog, Clock};
use crate::record::{Identity, Record, SessionIssuer};
use crate::registry::{AnyOperation, Trail};
use crate::success::Success;

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
    /// Whether it came over TLS.
    pub secure: bool,
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
    operations: HashMap<&'static str, &'static dyn AnyOperation<S>>,
    clock: Arc<dyn Clock>,
    audit: Arc<dyn AuditLog>,
}

impl<S: Service> Pipeline<S> {
    /// A pipeline in front of the service.
    pub fn new(service: S, clock: Arc<dyn Clock>, audit: Arc<dyn AuditLog>) -> Self {
        let operations = S::REGISTRY.iter().map(|o| (o.facts().name, *o)).collect();
        Self { service, operations, clock, audit }
    }

    /// The service behind it.
    pub fn service(&self) -> &S {
        &self.service
    }

    /// Serves one request. The answer is given only once the audit log holds the request's record;
    /// if it can't, the answer is a refusal.
    pub async fn serve(&self, inbound: Inbound<'_>) -> Answer {
        let mut telling = Telling { now: self.clock.now(), ..Telling::default() };
        let result = self.decide(&inbound, &mut telling).await;
        self.tell(inbound.operation, &inbound.origin, &telling, result).await
    }

    /// Answers a request that was refused before it got here, with its record.
    pub async fn refuse(&self, operation: &str, origin: &Origin<'_>, error: Error) -> Answer {
        let telling = Telling { now: self.clock.now(), ..Telling::default() };
        self.tell(operation, origin, &telling, Err(error)).await
    }

    /// Records, then answers.
    async fn tell(
        &self,
        operation: &str,
        origin: &Origin<'_>,
        telling: &Telling,
        result: Result<Zeroizing<Vec<u8>>, Error>,
    ) -> Answer {
        let recorded = self.record(operation, origin, telling, result.as_ref().err()).await;
        answer::<S>(operation, origin.ids, recorded.and(result))
    }

    async fn decide(
        &self,
        inbound: &Inbound<'_>,
        telling: &mut Telling,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let Some(operation) = self.operations.get(inbound.operation) else {
            return Err(unknown_operation::<S>(inbound.operation));
        };
        telling.facts = Some(operation.facts());
        let (service, now) = (&self.service, telling.now);
        let (session, node) = if operation.is_signed() {
            let session = inbound.evidence.authenticate().await?;
            (session, parsed::<S>(inbound.body)?)
        } else {
            let region = Region::parse(UNSIGNED_REGION);
            let region =
                region.ok_or_else(|| Error::internal("no Region for what isn't signed"))?;
            let region = telling.region.insert(region).clone();
            let node = parsed::<S>(inbound.body)?;
            let caller = operation.identify(service, now, &node, &mut telling.trail).await?;
            (Session { caller, region }, node)
        };
        let caller = telling.caller.insert(Verified::new(session.caller));
        let region = telling.region.insert(session.region);
        let cx = Context {
            service,
            caller,
            region,
            origin: inbound.origin,
            now,
            input: None,
            dry_run: false,
            withheld: None,
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
        let record = Record {
            identity: telling.caller.as_deref().map(|caller| Identity {
                kind: caller.kind.as_str(),
                principal_id: &caller.principal_id,
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
                    _ => None,
                },
                is_federated: caller.kind == CallerKind::WebIdentity,
            }),
            event_time: telling.now,
            event_source: S::EVENT_SOURCE,
            event_name: operation,
            aws_region: telling.region.as_ref().map_or("", Region::as_str),
            source_ip_address: origin.source_ip,
            user_agent: origin.user_agent,
            error_code: error.map(|error| error.code().as_str()),
            error_message: error.and_then(Error::message),
            request_parameters: telling.trail.parameters.as_ref().map(|json| json.as_slice()),
            response_elements: telling.trail.response.as_ref().map(|json| json.as_slice()),
            request_id: origin.ids.request(),
            event_id: origin.ids.event(),
            read_only: telling.facts.is_some_and(|facts| facts.read_only),
            resources: &telling.trail.resources,
        };
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
}

/// What becomes known of a request while it is served, for its record.
struct Telling {
    now: Timestamp,
    caller: Option<Verified<Caller>>,
    region: Option<Region>,
    facts: Option<&'static Facts>,
    trail: Trail,
}

impl Default for Telling {
    fn default() -> Self {
        Self {
            now: Timestamp::from_millis(0),
            caller: None,
            region: None,
            facts: None,
            trail: Trail::default(),
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
