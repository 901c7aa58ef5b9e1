//! The load: connections that each send a request again as soon as it is answered. It owns one
//! round; it must not know which server or operation it is.

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

/// Connections that have had their first answer.
pub(crate) struct Ready {
    open: Vec<Connection>,
    request: Arc<[u8]>,
}

/// Opens connections, which takes no part in what is measured.
pub(crate) async fn open(server: &Server, request: &[u8], connections: usize) -> Outcome<Ready> {
    let mut open = Vec::new();
    for _ in 0..connections {
        let mut connection = Connection::open(server.endpoint.clone()).await?;
        connection.exchange(request).await?;
        open.push(connection);
    }
    Ok(Ready { open, request: Arc::from(request) })
}

/// Loads the server for a while, from connections that are opened before the clock starts.
pub(crate) async fn round(
    server: &Server,
    request: &[u8],
    connections: usize,
    length: Duration,
) -> Outcome<Round> {
    open(server, request, connections).await?.run(server, length).await
}

impl Ready {
    /// Loads the server for a while.
    pub(crate) async fn run(self, server: &Server, length: Duration) -> Outcome<Round> {
        let (server_before, own_before) = (server.cpu_time()?, own_cpu_time()?);
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        for connection in self.open {
            tasks.spawn(drive(connection, Arc::clone(&self.request), start + length));
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
