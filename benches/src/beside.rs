//! What slow operations do to a quick one on other connections: Encrypt alone, and Encrypt beside
//! each of them at full tilt, in turns. It must not know how a round is made.

use std::time::Duration;

use crate::installation::Installation;
use crate::load::{self, Ready, Round};
use crate::operations::{ENCRYPT, Operation, SLOW};
use crate::statistics::Summary;
use crate::{Outcome, Settings, sign};

/// Connections that ask for the slow operation, each again as soon as it is answered.
pub(crate) const SLOW_CONNECTIONS: usize = 2;

pub(crate) struct Beside {
    pub(crate) alone: Summary,
    pub(crate) neighbours: Vec<Neighbour>,
}

/// A slow operation, alone and beside the quick one.
pub(crate) struct Neighbour {
    pub(crate) name: &'static str,
    /// The quick one's.
    pub(crate) quick: Summary,
    /// Its own.
    pub(crate) slow: Summary,
    pub(crate) slow_alone: Summary,
}

/// An operation whose requests are signed anew for each round.
struct Prepared<'a> {
    installation: &'a Installation,
    operation: &'a Operation,
    body: String,
}

#[derive(Default)]
struct Rounds {
    quick: Vec<Round>,
    slow: Vec<Round>,
    slow_alone: Vec<Round>,
}

/// Measures Encrypt with and without its slow neighbours.
pub(crate) async fn measure(settings: &Settings, installation: &Installation) -> Outcome<Beside> {
    let quick = Prepared::new(installation, &ENCRYPT).await?;
    let mut slow = Vec::new();
    for operation in &SLOW {
        slow.push((Prepared::new(installation, operation).await?, Rounds::default()));
    }
    let length = settings.length()?;
    let mut alone = Vec::new();
    for _ in 0..settings.rounds {
        alone.push(quick.round(settings.connections, length).await?);
        for (slow, rounds) in &mut slow {
            eprintln!("benches: {} beside {}", ENCRYPT.name, slow.operation.name);
            rounds.slow_alone.push(slow.round(SLOW_CONNECTIONS, length).await?);
            let server = &installation.server;
            let (ready, slow_ready) =
                (quick.open(settings.connections).await?, slow.open(SLOW_CONNECTIONS).await?);
            let both = tokio::try_join!(ready.run(server, length), slow_ready.run(server, length));
            let (quick, slow) = both?;
            rounds.quick.push(quick);
            rounds.slow.push(slow);
        }
    }
    let neighbours = slow.into_iter().map(|(slow, rounds)| Neighbour {
        name: slow.operation.name,
        quick: Summary::of(rounds.quick),
        slow: Summary::of(rounds.slow),
        slow_alone: Summary::of(rounds.slow_alone),
    });
    let neighbours = neighbours.collect();
    Ok(Beside { alone: Summary::of(alone), neighbours })
}

impl<'a> Prepared<'a> {
    async fn new(installation: &'a Installation, operation: &'a Operation) -> Outcome<Self> {
        let material = installation.administrator().await?.prepare(operation).await?;
        Ok(Self { installation, operation, body: operation.body(&material).to_string() })
    }

    async fn open(&self, connections: usize) -> Outcome<Ready> {
        let Installation { server, user, .. } = self.installation;
        let target = self.operation.target();
        let request = sign::request(user, server.endpoint.address, &target, &self.body)?;
        load::open(server, &request, connections).await
    }

    async fn round(&self, connections: usize, length: Duration) -> Outcome<Round> {
        self.open(connections).await?.run(&self.installation.server, length).await
    }
}

impl Neighbour {
    /// How many times longer the quick one's 99th percentile is than alone.
    pub(crate) fn stretch(&self, alone: &Summary) -> f64 {
        self.quick.p99.as_secs_f64() / alone.p99.as_secs_f64()
    }

    /// The share of its own rate that the quick one keeps.
    pub(crate) fn kept(&self, alone: &Summary) -> f64 {
        self.quick.rate().median / alone.rate().median
    }
}
