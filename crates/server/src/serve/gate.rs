//! What stands between the network and the services: while the server is sealed nothing passes.
//!
//! Must not know how a seal is opened.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use iam::Sts;
use keystores::software::SystemEntropy;
use kms::Kms;
use service::ports::{AuditLog, Clock};
use service::{Error, Ids, Protocol, Record, Service as _, refusal};
use wire::ErrorCode;

use crate::dev::health;
use crate::dispatch::{Services, user_agent};
use crate::listen::Peer;
use crate::outbound;
use crate::route::{TARGET, UNSIGNED_PREFIX, kms_operation};

/// What a request to a sealed server is answered.
const SEALED: &str = "The server is sealed. An operator has to unseal it.";

/// The services, once there are any.
pub(crate) struct Gate {
    services: OnceLock<Arc<Services>>,
    audit: Arc<dyn AuditLog>,
    clock: Arc<dyn Clock>,
}

impl Gate {
    pub(crate) fn new(audit: Arc<dyn AuditLog>, clock: Arc<dyn Clock>) -> Self {
        Self { services: OnceLock::new(), audit, clock }
    }

    /// Lets requests through from now on. The first time counts.
    pub(crate) fn open(&self, services: Arc<Services>) {
        let _ = self.services.set(services);
    }

    /// Answers a request.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        peer: Peer,
    ) -> Response<Full<Bytes>> {
        if let Some(services) = self.services.get() {
            return services.answer(request, peer).await;
        }
        // The body isn't read: nothing in it matters.
        let version = request.version();
        outbound::closing(self.sealed(request, &peer).await, version)
    }

    async fn sealed(&self, request: Request<Incoming>, peer: &Peer) -> Response<Full<Bytes>> {
        let Ok(ids) = Ids::draw(&SystemEntropy) else {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            return response;
        };
        let (head, _) = request.into_parts();
        let endpoint = head.uri.path().strip_prefix(UNSIGNED_PREFIX);
        if endpoint == Some("health") && head.method == Method::GET {
            return outbound::plain(503, health("sealed"), &ids);
        }
        let mut error = Error::new(ErrorCode::ServiceUnavailableException, SEALED);
        let is_json = head.headers.contains_key(TARGET);
        let protocol = if is_json { Protocol::Json } else { Sts::PROTOCOL };
        if let Some(operation) = kms_operation(&head)
            && let Err(unrecorded) = self.record(operation, &head, peer, &ids, &error).await
        {
            error = unrecorded;
        }
        outbound::answer(refusal(protocol, &ids, error), protocol, &ids)
    }

    /// Records a request of KMS that was refused; what other services would have been asked for
    /// stands in bodies, which aren't read.
    async fn record(
        &self,
        operation: &str,
        head: &Parts,
        peer: &Peer,
        ids: &Ids,
        error: &Error,
    ) -> Result<(), Error> {
        let source_ip = peer.address.ip().to_string();
        let record = Record {
            source_ip_address: &source_ip,
            user_agent: user_agent(head),
            error_code: Some(error.code().recorded()),
            error_message: error.message(),
            request_id: Some(ids.request()),
            ..Record::of(Kms::EVENT_SOURCE, operation, self.clock.now(), ids.event())
        };
        record.append_to(self.audit.as_ref()).await.map_err(Error::internal)
    }
}
