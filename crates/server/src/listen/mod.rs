//! Connections: where they come in, how many there may be, and how long each may take over what.
//!
//! A [`Listener`] brings connections, plain or TLS; [`serve`] accepts them within [`Limits`] and
//! hands each request, with its [`Peer`], to whoever answers. HTTP/2 is spoken where TLS has
//! negotiated it, and nowhere else: no client of AWS speaks it without TLS, and a plain listener
//! that would have to guess is one that can be made to guess wrongly.
//!
//! Must not know what a request is for.

mod addresses;
mod connection;
mod limits;
mod patience;
mod plain;
mod stats;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, Response};
use rustix::process::{Resource, Rlimit};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use addresses::Addresses;
pub use limits::Limits;
pub use plain::{PlainRefused, check_plain};
pub use stats::Stats;

use crate::tls::{Negotiated, Tls};

/// How many open files are kept for everything that is no connection.
const FILES_RESERVED: usize = 128;
/// How long to wait after an accept that failed, which is mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often idle connections are asked to make room while there is none.
const PRESSING_PERIOD: Duration = Duration::from_secs(1);
/// How much longer than a connection the server waits for its end.
const DRAIN_MARGIN: Duration = Duration::from_secs(1);

/// A socket that connections come in at.
pub struct Listener {
    socket: TcpListener,
    tls: Option<Arc<Tls>>,
}

impl Listener {
    /// Listens at that address; port 0 lets the system choose. Without `tls` it speaks plain HTTP,
    /// which [`check_plain`] should have allowed.
    ///
    /// # Errors
    /// What the system says.
    pub async fn bind(address: SocketAddr, tls: Option<Arc<Tls>>) -> io::Result<Self> {
        Ok(Self { socket: TcpListener::bind(address).await?, tls })
    }

    /// Takes over a socket that listens already, such as one that systemd has opened.
    ///
    /// # Errors
    /// What the system says.
    pub fn from_socket(socket: std::net::TcpListener, tls: Option<Arc<Tls>>) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { socket: TcpListener::from_std(socket)?, tls })
    }

    /// The address that it listens at.
    ///
    /// # Errors
    /// What the system says.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// What its connections are secured by; none where they are plain.
    pub fn tls(&self) -> Option<&Arc<Tls>> {
        self.tls.as_ref()
    }
}

/// Who is at the other end of a connection.
#[derive(Clone)]
pub struct Peer {
    /// The address; one of IPv4 is never written as one of IPv6.
    pub address: SocketAddr,
    /// What the TLS handshake agreed on; none where the connection is plain.
    pub tls: Option<Negotiated>,
    /// The limits of the listener.
    pub limits: Arc<Limits>,
}

/// Serves connections until `stop` is ready, then lets those in flight end: a request that is under
/// way is answered, an idle connection is closed, and one that takes longer than
/// [`Limits::drain_time`] is cut.
///
/// Certificates are looked at meanwhile, and reloaded when they have changed.
pub async fn serve<A, F>(
    listeners: Vec<Listener>,
    limits: Limits,
    stats: Arc<Stats>,
    answer: A,
    stop: impl Future<Output = ()>,
) where
    A: Fn(Request<Incoming>, Peer) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let drain_time = limits.drain_time;
    let (stopping, stopped) = watch::channel(());
    let shared = Arc::new(Shared {
        places: Arc::new(Semaphore::new(connections_max(limits.connections))),
        addresses: Arc::new(Addresses::new(limits.connections_per_address)),
        requests: Semaphore::new(places(limits.requests)),
        handshakes: Semaphore::new(places(limits.handshakes)),
        pressing: watch::Sender::new(()),
        limits: Arc::new(limits),
        stats,
        answer,
    });
    let mut tasks = JoinSet::new();
    for listener in listeners {
        if let Some(tls) = listener.tls() {
            tasks.spawn(Arc::clone(tls).keep_fresh());
        }
        tasks.spawn(accept_all(listener, Arc::clone(&shared), stopped.clone()));
    }
    stop.await;
    tasks.shutdown().await;
    drop(stopped);
    // Nobody listens when there are no connections; then there is nothing to wait for.
    let _ = stopping.send(());
    let _ = timeout(drain_time + DRAIN_MARGIN, stopping.closed()).await;
}

/// What the connections of one call of [`serve`] share.
struct Shared<A> {
    places: Arc<Semaphore>,
    addresses: Arc<Addresses>,
    requests: Semaphore,
    handshakes: Semaphore,
    /// Told when there is no place for another connection.
    pressing: watch::Sender<()>,
    limits: Arc<Limits>,
    stats: Arc<Stats>,
    answer: A,
}

impl<A> Shared<A> {
    /// A place for a connection. While there is none, idle connections make room.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        loop {
            if self.places.available_permits() == 0 {
                self.pressing.send_replace(());
            }
            let place = Arc::clone(&self.places).acquire_owned();
            if let Ok(place) = timeout(PRESSING_PERIOD, place).await {
                // Nobody closes the semaphore.
                return place.ok();
            }
        }
    }
}

async fn accept_all<A, F>(listener: Listener, shared: Arc<Shared<A>>, stopped: watch::Receiver<()>)
where
    A: Fn(Request<Incoming>, Peer) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    while let Some(place) = shared.place().await {
        let Ok((stream, address)) = listener.socket.accept().await else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        let Some(share) = shared.addresses.enter(address.ip()) else {
            shared.stats.count_crowded_out();
            continue;
        };
        let (shared, tls) = (Arc::clone(&shared), listener.tls.clone());
        let stopped = stopped.clone();
        tokio::spawn(async move {
            shared.stats.count_accepted();
            connection::run(stream, address, tls, &shared, stopped).await;
            shared.stats.count_ended();
            drop((place, share));
        });
    }
}

/// As many connections as are wanted and as the limit on open files leaves room for, once it has
/// been raised as far as the system lets the process raise it.
fn connections_max(wanted: usize) -> usize {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // Not being allowed to is no failure: the limit that there is gets obeyed.
    let _ = rustix::process::setrlimit(Resource::Nofile, raised);
    let files = rustix::process::getrlimit(Resource::Nofile).current;
    let files = files.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX));
    places(wanted.min(files.saturating_sub(FILES_RESERVED)))
}

/// As many places as are wanted and as there can be. Without one nothing would ever go on.
fn places(wanted: usize) -> usize {
    wanted.clamp(1, Semaphore::MAX_PERMITS)
}

#[cfg(test)]
mod tests;
