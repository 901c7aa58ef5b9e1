//! What connections may use: how many, how large, how slow.
//!
//! Owns the numbers that hold unless an operator sets others. Must not know how they are held.

use std::num::NonZero;
use std::thread;
use std::time::Duration;

/// The limits of the network. Whoever breaks one is refused or let go; nobody else notices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How many connections there may be, if the process may have that many files open; more wait
    /// in the listener's queue, and idle connections make room for them.
    pub connections: usize,
    /// How many of them may come from one address, of IPv6 from one /64.
    pub connections_per_address: usize,
    /// How many requests may be read and answered at once; more wait. A connection of HTTP/1.1 has
    /// one at a time, one of HTTP/2 as many as [`Self::streams`].
    pub requests: usize,
    /// How many TLS handshakes may be computed at once; more wait. Signing is the dearest thing
    /// that a stranger can ask for, and the requests of others go on beside it.
    pub handshakes: usize,
    /// How long a TLS handshake may take, waiting included.
    pub handshake_time: Duration,
    /// How long a client may take to send a request's head; for the first of a connection, from
    /// its beginning.
    pub head_time: Duration,
    /// How long a client may take to send a request's body, waiting for memory included.
    pub body_time: Duration,
    /// How long a connection may idle between requests.
    pub idle_time: Duration,
    /// How long a client may take nothing of its answer.
    pub write_time: Duration,
    /// The longest head that is read, in bytes. The signature's own limits are narrower and
    /// answered in words.
    pub head_bytes: u32,
    /// How many headers are read.
    pub headers: usize,
    /// How many requests one connection of HTTP/2 may have under way.
    pub streams: u32,
    /// How long requests in flight may take to end once the server is asked to stop.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            connections: 10_000,
            connections_per_address: 4_000,
            requests: 10_000,
            handshakes: cores.div_ceil(2),
            handshake_time: Duration::from_secs(10),
            head_time: Duration::from_secs(20),
            body_time: Duration::from_secs(10),
            idle_time: Duration::from_mins(1),
            write_time: Duration::from_secs(20),
            head_bytes: 128 * 1024,
            headers: 100,
            streams: 64,
            drain_time: Duration::from_secs(10),
        }
    }
}
