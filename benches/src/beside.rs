//! What a slow operation does to quick ones on other connections: Encrypt alone, and Encrypt while
//! RSA key pairs are being made, in turns. It must not know how a round is made.

use std::time::{Duration, Instant};

use crate::child::Server;
use crate::http::Connection;
use crate::load::{self, Round};
use crate::operations::{ENCRYPT, GENERATE_DATA_KEY_PAIR};
use crate::{Outcome, Settings, sign};

/// Connections that ask for key pairs, each again as soon as it is answered.
const SLOW_CONNECTIONS: usize = 2;

pub(crate) struct Beside {
    pub(crate) alone: Vec<Round>,
    pub(crate) accompanied: Vec<Round>,
    /// The times of the slow operation, unordered.
    pub(crate) slow: Vec<Duration>,
}

/// Measures Encrypt with and without the slow neighbour.
pub(crate) async fn measure(settings: &Settings, server: &Server, key_id: &str) -> Outcome<Beside> {
    let length = Duration::try_from_secs_f64(settings.seconds).map_err(|e| e.to_string())?;
    let mut found = Beside { alone: Vec::new(), accompanied: Vec::new(), slow: Vec::new() };
    for _ in 0..settings.rounds {
        let quick = sign::request(
            &sign::AccessKey::root(),
            server.address,
            ENCRYPT.target,
            &(ENCRYPT.body)(key_id),
        )?;
        found.alone.push(load::round(server, &quick, settings.connections, length).await?);
        let slow = sign::request(
            &sign::AccessKey::root(),
            server.address,
            GENERATE_DATA_KEY_PAIR.target,
            &(GENERATE_DATA_KEY_PAIR.body)(key_id),
        )?;
        let end = Instant::now() + length;
        let mut neighbours = tokio::task::JoinSet::new();
        for _ in 0..SLOW_CONNECTIONS {
            neighbours.spawn(until(Connection::open(server.address).await?, slow.clone(), end));
        }
        found.accompanied.push(load::round(server, &quick, settings.connections, length).await?);
        while let Some(joined) = neighbours.join_next().await {
            found.slow.extend(joined.map_err(|error| error.to_string())??);
        }
    }
    Ok(found)
}

async fn until(
    mut connection: Connection,
    request: Vec<u8>,
    end: Instant,
) -> Outcome<Vec<Duration>> {
    let mut times = Vec::new();
    while Instant::now() < end {
        let start = Instant::now();
        connection.exchange(&request).await?;
        times.push(start.elapsed());
    }
    Ok(times)
}
