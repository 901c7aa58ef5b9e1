//! Many connections that share a number of requests, each sending its next one when it is answered.
//! It must not know what is asked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::Outcome;
use crate::http::Connection;

/// Makes the request of a number.
pub(crate) type Requests = Arc<dyn Fn(usize) -> Outcome<Vec<u8>> + Send + Sync>;

/// Open connections.
pub(crate) struct Crowd(Vec<Connection>);

/// What became of the requests.
pub(crate) struct Answered<T> {
    /// What was made of each answer, in no order.
    pub(crate) results: Vec<T>,
    /// From the first request to the last answer.
    pub(crate) took: Duration,
}

impl<T> Answered<T> {
    /// Answers a second.
    pub(crate) fn rate(&self) -> f64 {
        let count = u32::try_from(self.results.len()).map_or(f64::NAN, f64::from);
        count / self.took.as_secs_f64()
    }
}

impl Crowd {
    pub(crate) async fn open(address: SocketAddr, connections: usize) -> Outcome<Self> {
        let mut open = Vec::new();
        for _ in 0..connections {
            open.push(Connection::open(address).await?);
        }
        Ok(Self(open))
    }

    /// Sends the requests of the numbers below `count`; `take` makes something of each answer.
    /// Ends with the first that isn't answered well.
    pub(crate) async fn send<T: Send + 'static>(
        &mut self,
        count: usize,
        request: Requests,
        take: fn(&[u8]) -> Outcome<T>,
    ) -> Outcome<Answered<T>> {
        let next = Arc::new(AtomicUsize::new(0));
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        for mut connection in self.0.drain(..) {
            let (next, request) = (Arc::clone(&next), Arc::clone(&request));
            tasks.spawn(async move {
                let mut taken = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return Ok::<_, String>((connection, taken));
                    }
                    taken.push(take(connection.exchange(&request(number)?).await?)?);
                }
            });
        }
        let mut results = Vec::with_capacity(count);
        while let Some(joined) = tasks.join_next().await {
            let (connection, taken) = joined.map_err(|error| error.to_string())??;
            self.0.push(connection);
            results.extend(taken);
        }
        Ok(Answered { results, took: start.elapsed() })
    }
}
