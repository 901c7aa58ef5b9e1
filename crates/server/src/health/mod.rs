//! The operations listener: metrics, liveness and readiness, for whoever runs the server.
//!
//! Plain HTTP on an address of its own, without authentication: its place is the loopback interface
//! or a network of the operators'. It serves a few requests at a time, reads no bodies and tells no
//! secret. It runs while the server is sealed.
//!
//! Must not know: what metrics there are, what makes a server ready.

mod readiness;

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

pub use readiness::{Condition, Readiness, audit_log_takes_records, holds, store_takes_commits};

use crate::metrics::{Observed, render};

/// How many connections there may be: a few scrapers and probes. More wait.
const CONNECTIONS_MAX: usize = 32;
/// How long a client may take to send a request's head, and how long a connection may idle.
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// How long a connection may last. Scrapers open another one.
const CONNECTION_TIME_MAX: Duration = Duration::from_mins(5);
/// The longest head that is read.
const HEAD_MAX: usize = 16 * 1024;
/// How many headers are read.
const HEADERS_MAX: usize = 64;
/// How long to wait after an accept that failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// What the listener tells of.
pub struct Health {
    /// Where metrics are read from.
    pub observed: Arc<Observed>,
    /// What makes the server ready.
    pub readiness: Arc<Readiness>,
}

/// Answers on that listener until `stop` is ready. What is being answered then is left.
pub async fn serve(listener: TcpListener, health: Arc<Health>, stop: impl Future<Output = ()>) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => return,
            accepted = accept(&listener, &permits) => accepted,
        };
        let Some((stream, permit)) = accepted else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let health = Arc::clone(&health);
        tokio::spawn(async move {
            // A connection that breaks or takes too long is its peer's affair.
            let _ = timeout(CONNECTION_TIME_MAX, connection(stream, health)).await;
            drop(permit);
        });
    }
}

async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await.ok()?;
    let (stream, _) = listener.accept().await.ok()?;
    Some((stream, permit))
}

async fn connection(stream: TcpStream, health: Arc<Health>) {
    let answering = service_fn(move |request| {
        let health = Arc::clone(&health);
        async move { Ok::<_, Infallible>(health.answer(&request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_buf_size(HEAD_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), answering);
    let _ = connection.await;
}

impl Health {
    async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path();
        if !matches!(path, "/metrics" | "/livez" | "/readyz") {
            let known = "there are /metrics, /livez and /readyz\n";
            return response(StatusCode::NOT_FOUND, TEXT, known);
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let refused = "only GET and HEAD are answered\n";
            let mut refused = response(StatusCode::METHOD_NOT_ALLOWED, TEXT, refused);
            refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refused;
        }
        match path {
            "/metrics" => self.metrics(),
            "/livez" => response(StatusCode::OK, TEXT, "ok\n"),
            _ => match self.readiness.check().await {
                Ok(()) => response(StatusCode::OK, TEXT, "ok\n"),
                Err(reasons) => response(StatusCode::SERVICE_UNAVAILABLE, TEXT, reasons),
            },
        }
    }

    fn metrics(&self) -> Response<Full<Bytes>> {
        render(&self.observed).map_or_else(
            |_| {
                let failed = "the metrics cannot be written\n";
                response(StatusCode::INTERNAL_SERVER_ERROR, TEXT, failed)
            },
            |text| response(StatusCode::OK, OPENMETRICS, text),
        )
    }
}

fn response(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests;
