//! The load: connections that each send a request again as soon as it is answered. It owns one
//! round; it must not know which server or operation it is.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::Outcome;
use crate::child::{Server, own_cpu_time};
use crate::http::Connection;

/// What one round showed.
pub(crate) struct Round {
    pub(crate) requests_per_second: f64,
    /// The server's CPU time for a request, in microseconds.
    pub(crate) server_micros: f64,
    /// The share of the round that the load generator was busy; near 1, it was the bottleneck.
    pub(crate) generator_share: f64,
    /// The time of each request, unordered.
    pub(crate) times: Vec<Duration>,
}

/// Loads the server for a while, from connections that are opened before the clock starts.
pub(crate) async fn round(
    server: &Server,
    request: &[u8],
    connections: usize,
    length: Duration,
) -> Outcome<Round> {
    let request: Arc<[u8]> = Arc::from(request);
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(prepared(server.address, &request).await?);
    }
    let (server_before, own_before) = (server.cpu_time()?, own_cpu_time()?);
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for connection in open {
        tasks.spawn(drive(connection, Arc::clone(&request), start + length));
    }
    let mut times = Vec::new();
    while let Some(joined) = tasks.join_next().await {
        times.extend(joined.map_err(|error| error.to_string())??);
    }
    let elapsed = start.elapsed().as_secs_f64();
    let server_time = server.cpu_time()?.saturating_sub(server_before).as_secs_f64();
    let own_time = own_cpu_time()?.saturating_sub(own_before).as_secs_f64();
    let count = u32::try_from(times.len()).map(f64::from).map_err(|error| error.to_string())?;
    Ok(Round {
        requests_per_second: count / elapsed,
        server_micros: server_time * 1e6 / count,
        generator_share: own_time / elapsed,
        times,
    })
}

/// A connection that has had its first answer.
async fn prepared(address: SocketAddr, request: &[u8]) -> Outcome<Connection> {
    let mut connection = Connection::open(address).await?;
    connection.exchange(request).await?;
    Ok(connection)
}

async fn drive(
    mut connection: Connection,
    request: Arc<[u8]>,
    end: Instant,
) -> Outcome<Vec<Duration>> {
    let mut times = Vec::new();
    let mut start = Instant::now();
    while start < end {
        connection.exchange(&request).await?;
        let now = Instant::now();
        times.push(now - start);
        start = now;
    }
    Ok(times)
}
