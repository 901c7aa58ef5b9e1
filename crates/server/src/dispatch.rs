//! From a request to its answer: the services behind one port, each with its pipeline.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use hyper::{Request, Response, header};
use iam::{Credentials, Iam, Sts};
use kms::{Kms, UsageKeeper};
use service::ports::{Clock, Store};
use service::{Answer, Error, Ids, Origin, Pipeline, Protocol, Service, Tls, refusal};
use sigv4::SigningKeyCache;
use wire::ErrorCode;

use crate::clock::MovableClock;
use crate::drawn_ahead::DrawnAhead;
use crate::evidence::SignedRequest;
use crate::inbound::{Inbound, Refused};
use crate::listen::Peer;
use crate::metrics::KeyCensus;
use crate::outbound;
use crate::route::{Parameters, QueryService, Route, TARGET, kms_operation};

/// All that serves requests.
pub(crate) struct Services {
    pub(crate) kms: Pipeline<Kms>,
    pub(crate) iam: Pipeline<Iam>,
    pub(crate) sts: Pipeline<Sts>,
    pub(crate) credentials: Credentials,
    pub(crate) signing_keys: SigningKeyCache,
    /// What requests' ids are made of.
    pub(crate) id_entropy: DrawnAhead,
    pub(crate) clock: Arc<dyn Clock>,
    /// The same clock where it can be moved: in dev mode, whose endpoints there are then.
    pub(crate) movable_clock: Option<Arc<MovableClock>>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) usage: tokio::sync::Mutex<UsageKeeper>,
    pub(crate) key_census: Arc<KeyCensus>,
}

impl Services {
    /// Answers one request.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        peer: Peer,
    ) -> Response<Full<Bytes>> {
        let Ok(ids) = Ids::draw(&self.id_entropy) else {
            // Without randomness nothing can be served, not even a name for the failure.
            let mut response = Response::new(Full::default());
            *response.status_mut() = hyper::StatusCode::SERVICE_UNAVAILABLE;
            return response;
        };
        match Inbound::read(request, peer).await {
            Ok(inbound) => self.route(&inbound, &ids).await,
            Err(refused) => {
                let version = refused.head.version;
                outbound::closing(self.refuse(*refused, &ids).await, version)
            }
        }
    }

    /// Answers a request that wasn't read to its end. One that names an operation is recorded.
    async fn refuse(&self, refused: Refused, ids: &Ids) -> Response<Full<Bytes>> {
        let Refused { head, error, peer } = refused;
        let (answer, protocol) = if let Some(operation) = kms_operation(&head) {
            let source_ip = peer.address.ip().to_string();
            let origin = origin(&head, &peer, &source_ip, ids);
            (self.kms.refuse(operation, &origin, error).await, Kms::PROTOCOL)
        } else {
            let is_json = head.headers.contains_key(TARGET);
            let protocol = if is_json { Protocol::Json } else { Sts::PROTOCOL };
            (refusal(protocol, ids, error), protocol)
        };
        outbound::answer(answer, protocol, ids)
    }

    async fn route(&self, inbound: &Inbound, ids: &Ids) -> Response<Full<Bytes>> {
        let (answer, protocol) = match Route::of(inbound) {
            Route::Kms(operation) => {
                let body = inbound.body.as_bytes();
                (self.serve(&self.kms, operation, body, inbound, ids).await, Kms::PROTOCOL)
            }
            Route::Query { service, operation, parameters } => {
                let body = match parameters {
                    Parameters::Body => inbound.body.as_bytes(),
                    Parameters::Target => inbound.head.uri.query().unwrap_or_default().as_bytes(),
                };
                match service {
                    QueryService::Iam => {
                        (self.serve(&self.iam, &operation, body, inbound, ids).await, Iam::PROTOCOL)
                    }
                    QueryService::Sts => {
                        (self.serve(&self.sts, &operation, body, inbound, ids).await, Sts::PROTOCOL)
                    }
                }
            }
            Route::Unsigned(endpoint) => return self.unsigned(endpoint, inbound, ids).await,
            Route::UnknownQuery { operation, version } => {
                let message = format!("Could not find operation {operation} for version {version}");
                let error = Error::new(ErrorCode::UnknownOperationException, message);
                (refusal(Sts::PROTOCOL, ids, error), Sts::PROTOCOL)
            }
            Route::MalformedQuery(malformed) => {
                let error = Error::new(ErrorCode::SerializationException, malformed.0);
                (refusal(Sts::PROTOCOL, ids, error), Sts::PROTOCOL)
            }
            Route::Unknown => {
                let error = Error::bare(ErrorCode::UnknownOperationException);
                (refusal(Protocol::Json, ids, error), Protocol::Json)
            }
        };
        outbound::answer(answer, protocol, ids)
    }

    async fn serve<S: Service>(
        &self,
        pipeline: &Pipeline<S>,
        operation: &str,
        body: &[u8],
        inbound: &Inbound,
        ids: &Ids,
    ) -> Answer {
        let headers: Vec<(&str, &[u8])> = inbound
            .head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let evidence = SignedRequest {
            request: sigv4::Request {
                method: inbound.head.method.as_str(),
                path: inbound.head.uri.path(),
                query: inbound.head.uri.query().unwrap_or_default(),
                headers: &headers,
                body: inbound.body.as_bytes(),
            },
            service: S::SIGNING_NAME,
            credentials: &self.credentials,
            signing_keys: &self.signing_keys,
            system_now: MovableClock::system().seconds(),
            now: self.clock.now(),
        };
        let source_ip = inbound.peer.address.ip().to_string();
        let origin = origin(&inbound.head, &inbound.peer, &source_ip, ids);
        pipeline.serve(service::Inbound { operation, body, evidence: &evidence, origin }).await
    }
}

fn origin<'a>(head: &'a Parts, peer: &Peer, source_ip: &'a str, ids: &'a Ids) -> Origin<'a> {
    let text = |name| head.headers.get(name).and_then(|text: &HeaderValue| text.to_str().ok());
    let tls = peer.tls.map(|agreed| Tls {
        version: agreed.version,
        cipher_suite: agreed.cipher_suite,
        host: text(header::HOST),
        key_exchange: agreed.key_exchange,
    });
    Origin { ids, source_ip, user_agent: user_agent(head), tls }
}

/// The client's name for itself.
pub(crate) fn user_agent(head: &Parts) -> &str {
    head.headers.get(header::USER_AGENT).and_then(|name| name.to_str().ok()).unwrap_or_default()
}
