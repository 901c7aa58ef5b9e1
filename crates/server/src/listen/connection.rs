//! One connection: its handshake, its version of HTTP, its requests, its end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HOST, HeaderValue};
use hyper::http::uri::Authority;
use hyper::server::conn::{http1, http2};
use hyper::service::{HttpService, service_fn};
use hyper::{Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::server::Acceptor;
use tokio_rustls::server::TlsStream;

use super::patience::{Overheard, Patience, Taken};
use super::{Limits, Peer, Shared};
use crate::tls::{HTTP_2, Negotiated, Tls};

/// What a connection gets to end in once patience has run out.
const LAST_WORDS_TIME: Duration = Duration::from_secs(1);

/// The shortest limit on heads that hyper takes.
const HEAD_BYTES_MIN: usize = 8 * 1024;
/// How many headers hyper reads without being told. Being told a number, even a smaller one, it
/// makes room on the heap for so many, and clears it, for each request.
const HEADERS_IN_PLACE: usize = 100;
/// How much of a body one stream of HTTP/2 may send ahead of what is read, and how much all streams
/// of a connection together. Bodies are short; what is read is bounded by other limits.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;
/// How much of the answers HTTP/2 may buffer for each stream.
const SEND_BUFFER_MAX: usize = 64 * 1024;
/// How many streams may be reset before they were looked at, and how many by us because of what
/// the client did wrong, until the connection is ended: what a flood of requests that are cancelled
/// at once ("rapid reset", CVE-2023-44487) runs into.
const PENDING_RESETS_MAX: usize = 20;
const OWN_RESETS_MAX: usize = 64;
/// How often a connection of HTTP/2 is asked for a sign of life, and how long that may take.
const PING_PERIOD: Duration = Duration::from_secs(20);
const PING_TIME_MAX: Duration = Duration::from_secs(10);

type Stream = Pin<Box<TimeoutStream<TcpStream>>>;

/// Serves one connection to its end.
pub(super) async fn run<A, F>(
    stream: TcpStream,
    address: SocketAddr,
    tls: Option<Arc<Tls>>,
    shared: &Arc<Shared<A>>,
    mut stopped: watch::Receiver<()>,
) where
    A: Fn(Request<Incoming>, Peer) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    // Answers are small and awaited; without this each may wait for the peer's acknowledgement.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let limits = Arc::clone(&shared.limits);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.write_time));
    let stream = Box::pin(stream);
    let Some(tls) = tls else {
        let served = Served::new(shared, Peer { address, tls: None, limits });
        return served.http1(stream, stopped).await;
    };
    let shaken = tokio::select! {
        shaken = timeout(limits.handshake_time, shake_hands(stream, &tls, shared)) => shaken,
        _ = stopped.changed() => return,
    };
    // Which of them was wrong is the peer's affair; that there are many is the operator's.
    let Ok(Ok(stream)) = shaken else {
        tracing::debug!(peer = %address, failure = ?shaken.err(), "TLS handshake failed");
        return shared.stats.count_handshake_failed();
    };
    let session = stream.get_ref().1;
    let is_http2 = session.alpn_protocol() == Some(HTTP_2);
    let peer = Peer { address, tls: Some(Negotiated::of(session)), limits };
    let served = Served::new(shared, peer);
    if is_http2 { served.http2(stream, stopped).await } else { served.http1(stream, stopped).await }
}

async fn shake_hands<A>(
    stream: Stream,
    tls: &Tls,
    shared: &Shared<A>,
) -> io::Result<TlsStream<Stream>> {
    // Whoever says nothing waits here, where nobody waits for him.
    let started = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let place = shared.handshakes.acquire().await.map_err(io::Error::other)?;
    // The signature is made in here, not in what is awaited afterwards.
    let accept = started.into_stream(tls.config());
    drop(place);
    accept.await
}

/// A connection that requests can be read from.
struct Served<A> {
    shared: Arc<Shared<A>>,
    peer: Peer,
    patience: Arc<Patience>,
}

impl<A, F> Served<A>
where
    A: Fn(Request<Incoming>, Peer) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    fn new(shared: &Arc<Shared<A>>, peer: Peer) -> Self {
        let patience = Patience::new(Arc::clone(&shared.limits), Arc::clone(&shared.stats));
        Self { shared: Arc::clone(shared), peer, patience: Arc::new(patience) }
    }

    async fn http1<S>(self, stream: S, stopped: watch::Receiver<()>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let limits = &self.shared.limits;
        let answering =
            answering(Arc::clone(&self.shared), self.peer.clone(), Arc::clone(&self.patience));
        let stream = Overheard::new(stream, Arc::clone(&self.patience));
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            // The time for a head would be that for idling as well.
            .header_read_timeout(None)
            .max_buf_size((limits.head_bytes as usize).max(HEAD_BYTES_MIN))
            // Names have no case, but AWS writes `Content-Length`, and libmongocrypt knows no
            // other.
            .title_case_headers(true);
        if limits.headers > HEADERS_IN_PLACE {
            builder.max_headers(limits.headers);
        }
        let connection = builder.serve_connection(TokioIo::new(stream), answering);
        self.drive(connection, http1::Connection::graceful_shutdown, stopped).await;
    }

    async fn http2<S>(self, stream: S, stopped: watch::Receiver<()>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let limits = &self.shared.limits;
        let answering =
            answering(Arc::clone(&self.shared), self.peer.clone(), Arc::clone(&self.patience));
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams.max(1))
            .max_header_list_size(limits.head_bytes)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buf_size(SEND_BUFFER_MAX)
            .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
            .max_local_error_reset_streams(OWN_RESETS_MAX)
            .keep_alive_interval(PING_PERIOD)
            .keep_alive_timeout(PING_TIME_MAX)
            .serve_connection(TokioIo::new(stream), answering);
        self.drive(connection, http2::Connection::graceful_shutdown, stopped).await;
    }

    /// Lets a connection run until it ends, patience runs out or the server stops.
    async fn drive<C: Future>(
        &self,
        connection: C,
        wind_down: impl Fn(Pin<&mut C>),
        mut stopped: watch::Receiver<()>,
    ) {
        let mut connection = pin!(connection);
        // A connection that breaks is its peer's affair: whatever was answered was answered.
        let time = tokio::select! {
            _ = connection.as_mut() => return,
            () = self.patience.run_out(self.shared.pressing.subscribe()) => {
                self.shared.stats.count_let_go();
                LAST_WORDS_TIME
            }
            _ = stopped.changed() => self.shared.limits.drain_time,
        };
        wind_down(connection.as_mut());
        tokio::select! {
            _ = connection => {}
            () = sleep(time) => {}
        }
    }
}

/// What hyper calls for each request.
fn answering<A, F>(
    shared: Arc<Shared<A>>,
    peer: Peer,
    patience: Arc<Patience>,
) -> impl HttpService<
    Incoming,
    ResBody = Taken,
    Error = Infallible,
    Future = impl Future<Output = Result<Response<Taken>, Infallible>> + Send + 'static,
>
where
    A: Fn(Request<Incoming>, Peer) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    service_fn(move |mut request: Request<Incoming>| {
        let (shared, peer) = (Arc::clone(&shared), peer.clone());
        let under_way = patience.begin();
        async move {
            background::give_way();
            let response = match admit(&mut request, &shared.limits) {
                Ok(()) => {
                    // Nobody closes the semaphore.
                    let _place = shared.requests.acquire().await.ok();
                    (shared.answer)(request, peer).await
                }
                Err(status) => refused(status, request.version()),
            };
            Ok(response.map(|body| under_way.answered(body)))
        }
    })
}

/// Whether a request's head is one that every reader understands alike. A request of HTTP/2 gets
/// the header `Host` that its signature is over.
fn admit(request: &mut Request<Incoming>, limits: &Limits) -> Result<(), StatusCode> {
    // Most of what is too much was refused while it was read.
    if request.headers().len() > limits.headers {
        return Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    let mut hosts = request.headers().get_all(HOST).iter();
    let (host, another) = (hosts.next(), hosts.next());
    if another.is_some() {
        return Err(StatusCode::BAD_REQUEST);
    }
    match request.version() {
        Version::HTTP_2 => {
            let authority = request.uri().authority().map(Authority::as_str);
            match (authority, host) {
                // RFC 9113, 8.3.1: where both are there they say the same.
                (Some(authority), Some(host)) if authority != host => Err(StatusCode::BAD_REQUEST),
                (Some(authority), None) => {
                    let host = HeaderValue::from_str(authority);
                    let host = host.map_err(|_| StatusCode::BAD_REQUEST)?;
                    request.headers_mut().insert(HOST, host);
                    Ok(())
                }
                _ => Ok(()),
            }
        }
        // RFC 9112, 3.2.
        Version::HTTP_11 if host.is_none() => Err(StatusCode::BAD_REQUEST),
        _ => Ok(()),
    }
}

/// A refusal in HTTP's own terms, after which a connection of HTTP/1.1 ends.
fn refused(status: StatusCode, version: Version) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    if version != Version::HTTP_2 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
