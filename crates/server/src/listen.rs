//! Connections: how many there may be, and how long each may take over what.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, Rlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;

use crate::dispatch::Services;

/// How many connections there may be, if the process may have that many files open; more wait in
/// the listener's queue.
const CONNECTIONS_MAX: usize = 10_000;
/// How many open files are kept for everything that is no connection.
const FILES_RESERVED: usize = 128;
/// How long a client may take to send a request's head, and how long a connection may idle.
const HEAD_TIME_MAX: Duration = Duration::from_secs(20);
/// How long a client may take nothing of its answer.
const WRITE_TIME_MAX: Duration = Duration::from_secs(20);
/// The longest head that is read. The signature's own limits are narrower and answered in words.
const HEAD_MAX: usize = 128 * 1024;
/// How many headers are read.
const HEADERS_MAX: usize = 256;
/// How long requests in flight may take to end once the server is asked to stop.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);
/// How long to wait after an accept that failed, which is mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves connections until `stop` is ready, then lets those in flight end.
pub(crate) async fn serve(
    listener: TcpListener,
    services: Arc<Services>,
    stop: impl Future<Output = ()>,
) {
    let permits = Arc::new(Semaphore::new(connections_max()));
    let (stopping, stopped) = watch::channel(());
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &permits) => accepted,
        };
        let Some((stream, peer, permit)) = accepted else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let (services, stopped) = (Arc::clone(&services), stopped.clone());
        tokio::spawn(async move {
            connection(stream, peer, services, stopped).await;
            drop(permit);
        });
    }
    drop(listener);
    // Nobody listens when there are no connections; then there is nothing to wait for.
    drop(stopped);
    let _ = stopping.send(());
    let _ = timeout(DRAIN_TIME_MAX, stopping.closed()).await;
}

/// As many connections as the limit on open files leaves room for, once it has been raised as far
/// as the system lets the process raise it.
fn connections_max() -> usize {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // Not being allowed to is no failure: the limit that there is gets obeyed.
    let _ = rustix::process::setrlimit(Resource::Nofile, raised);
    let files = rustix::process::getrlimit(Resource::Nofile).current;
    let files = files.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX));
    CONNECTIONS_MAX.min(files.saturating_sub(FILES_RESERVED)).max(1)
}

async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await.ok()?;
    let (stream, peer) = listener.accept().await.ok()?;
    // Answers are small and awaited; without this each may wait for the peer's acknowledgement.
    stream.set_nodelay(true).ok()?;
    Some((stream, peer, permit))
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    services: Arc<Services>,
    mut stopped: watch::Receiver<()>,
) {
    let answering = service_fn(move |request| {
        let services = Arc::clone(&services);
        async move { Ok::<_, Infallible>(services.answer(request, peer).await) }
    });
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIME_MAX));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_buf_size(HEAD_MAX)
        .max_headers(HEADERS_MAX)
        // Names have no case, but AWS writes `Content-Length`, and libmongocrypt knows no other.
        .title_case_headers(true)
        .serve_connection(TokioIo::new(Box::pin(stream)), answering);
    tokio::pin!(connection);
    // A connection that breaks is its peer's affair: whatever was answered was answered.
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
