//! A row of the table: rounds of a server, of its echo, and of the library, in turns. It must not
//! know which servers and operations there are.

use std::time::Duration;

use crate::certificate::Certificate;
use crate::child::Server;
use crate::http::Connection;
use crate::installation::folder;
use crate::library::{self, Library, Primitive};
use crate::load::{self, Round};
use crate::statistics::{Summary, median, one_after_another, ratio};
use crate::{Outcome, Settings, echo};

/// Loads a server before the first round: caches fill and the processor's clock rises.
const WARM_UP: Duration = Duration::from_millis(500);

/// An operation's rounds beside those of what it is compared with.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) server: Summary,
    /// The echo over plain HTTP.
    pub(crate) echo: Summary,
    /// The echo over TLS, where the server speaks it.
    pub(crate) tls_echo: Option<Summary>,
    /// Each library that can do the row's cryptography, and its operations a second.
    pub(crate) libraries: Vec<(&'static str, Vec<f64>)>,
    /// Whether the ratio to the library says something.
    is_signature: bool,
}

/// What is measured in a row.
pub(crate) struct Subject<'a> {
    pub(crate) name: String,
    pub(crate) server: &'a Server,
    /// Speaks for the echo where the server speaks TLS.
    pub(crate) tls: Option<&'a Certificate>,
    /// Makes the request; called for each round, so that none outlives its signature.
    pub(crate) request: &'a dyn Fn() -> Outcome<Vec<u8>>,
    pub(crate) primitive: Option<Primitive>,
}

/// Measures everything in turns, so that a slow minute meets all.
pub(crate) async fn measure(settings: &Settings, subject: Subject<'_>) -> Outcome<Row> {
    eprintln!("benches: {}", subject.name);
    let request = (subject.request)()?;
    let mut connection = Connection::open(subject.server.endpoint.clone()).await?;
    let answer = connection.exchange(&request).await;
    let answer_bytes = answer.map_err(|error| format!("{}: {error}", subject.name))?.len();
    drop(connection);

    let (plain, encrypted) = (folder()?, folder()?);
    let echo = echo::start(answer_bytes, None, plain.path())?;
    let tls_echo = match subject.tls {
        Some(made) => Some(echo::start(answer_bytes, Some(made), encrypted.path())?),
        None => None,
    };
    let libraries = match subject.primitive {
        Some(primitive) => library::libraries(primitive)?,
        None => Vec::new(),
    };
    let servers: Vec<&Server> = [&echo, subject.server].into_iter().chain(&tls_echo).collect();
    for server in &servers {
        load::round(server, &request, settings.connections, WARM_UP).await?;
    }
    let mut rounds: Vec<Vec<Round>> = servers.iter().map(|_| Vec::new()).collect();
    let mut rates: Vec<Vec<f64>> = libraries.iter().map(|_| Vec::new()).collect();
    for _ in 0..settings.rounds {
        let request = (subject.request)()?;
        for (server, rounds) in servers.iter().zip(&mut rounds) {
            let round = load::round(server, &request, settings.connections, settings.length()?);
            rounds.push(round.await?);
        }
        for (library, rates) in libraries.iter().zip(&mut rates) {
            rates.push(library.turn()?);
        }
    }
    let mut summaries = rounds.into_iter().map(Summary::of);
    // As many as there are servers, of which there are two or three.
    let (echo, server) = (summaries.next(), summaries.next());
    let (echo, server) = echo.zip(server).ok_or("no rounds")?;
    let names = libraries.iter().map(|library: &Library| library.name);
    Ok(Row {
        name: subject.name,
        server,
        echo,
        tls_echo: summaries.next(),
        libraries: names.zip(rates).collect(),
        is_signature: subject.primitive.is_some_and(Primitive::is_signature),
    })
}

impl Row {
    /// The rate's ratio to the plain echo's.
    pub(crate) fn of_echo(&self) -> f64 {
        ratio(&self.server.rates, &self.echo.rates)
    }

    /// The rate's ratio to that of the echo over TLS.
    pub(crate) fn of_tls_echo(&self) -> Option<f64> {
        self.tls_echo.as_ref().map(|echo| ratio(&self.server.rates, &echo.rates))
    }

    /// The server's CPU time for a request as a multiple of the plain echo's.
    pub(crate) fn cost_of_echo(&self) -> f64 {
        ratio(&self.server.costs, &self.echo.costs)
    }

    /// The rate's ratio to the fastest library's, for signatures.
    pub(crate) fn of_library(&self) -> Option<f64> {
        let fastest = self.fastest_library().filter(|_| self.is_signature)?;
        Some(ratio(&self.server.rates, fastest))
    }

    /// The rate's ratio to what the echo and the fastest library, one after the other, allow.
    pub(crate) fn of_both(&self) -> Option<f64> {
        let echo = self.tls_echo.as_ref().unwrap_or(&self.echo);
        let allowed = one_after_another(&echo.rates, self.fastest_library()?);
        Some(ratio(&self.server.rates, &allowed))
    }

    fn fastest_library(&self) -> Option<&Vec<f64>> {
        let rates = self.libraries.iter().map(|(_, rates)| rates);
        rates.max_by(|a, b| median((*a).clone()).total_cmp(&median((*b).clone())))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn summary(rate: f64) -> Summary {
        let server_micros = 1e6 / rate;
        let times = vec![Duration::from_micros(100)];
        let round = Round { requests_per_second: rate, server_micros, generator_share: 0.5, times };
        Summary::of(vec![round])
    }

    /// A row of a signature with a rate of 900 beside an echo of 9,000.
    pub(crate) fn row(name: &str) -> Row {
        let libraries = vec![("slow", vec![100.0]), ("quick", vec![1000.0])];
        let (server, echo) = (summary(900.0), summary(9000.0));
        let name = name.to_owned();
        Row { name, server, echo, tls_echo: None, libraries, is_signature: true }
    }

    #[test]
    fn the_fastest_library_is_the_measure() {
        let row = row("Sign");
        assert!((row.of_echo() - 0.1).abs() < 1e-9);
        assert!((row.cost_of_echo() - 10.0).abs() < 1e-9);
        assert!((row.of_library().expect("a signature") - 0.9).abs() < 1e-9);
        assert!((row.of_both().expect("a library") - 1.0).abs() < 1e-9);
        assert_eq!(row.of_tls_echo(), None);
        assert_eq!(Row { is_signature: false, ..row }.of_library(), None);
    }
}
