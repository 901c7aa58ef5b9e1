//! What a data set's size does to a server: starting, use of ten keys and of many, the first use of
//! a key, pages of lists, memory. It must not know how a request is sent.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::Outcome;
use crate::child::Server;
use crate::crowd::Crowd;
use crate::dataset::{alias, granted_key};
use crate::http::Connection;
use crate::paged::{self, ALIASES, GRANTS, KEYS, TAGS};
use crate::place::{self, Account, Place};
use crate::startup;
use crate::statistics::Spread;

/// How many keys are few.
const FEW: usize = 10;
/// How often a page is asked for.
const ASKED: usize = 50;
/// How many requests are signed before they are sent, when many keys are used once.
const BATCH: usize = 20_000;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Settings {
    /// The server's program.
    program: PathBuf,
    /// A data directory of dev mode with a data set in it, which no server uses.
    #[arg(long)]
    data_dir: PathBuf,
    /// The access keys by which the set was made.
    #[arg(long)]
    access_keys: PathBuf,
    /// How many keys the set has.
    #[arg(long, default_value_t = 1_000_000)]
    keys: usize,
    /// How many of them take turns in the rounds; fewer than the server's cache has room for.
    #[arg(long, default_value_t = 10_000)]
    working_set: usize,
    /// How many keys, and how many aliases, are used for the first time on one connection.
    #[arg(long, default_value_t = 2_000)]
    cold: usize,
    /// How many keys are used once, by all connections, to see what stays in memory.
    #[arg(long, default_value_t = 1_000_000)]
    touched: usize,
    /// How often the server is started, and how many rounds there are.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Requests of a round.
    #[arg(long, default_value_t = 30_000)]
    requests: usize,
    /// Keep-alive connections, each with one request under way.
    #[arg(long, default_value_t = 16)]
    connections: usize,
}

/// A request with the key that it uses, ready to be sent.
type Ready = Arc<Vec<Vec<u8>>>;

/// Measures and prints a table.
pub(crate) fn measure(settings: &Settings) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut times = Vec::new();
    for _ in 0..settings.rounds {
        let server = start(settings, folder.path())?;
        times.push(server.until_healthy()?.as_secs_f64() * 1e3);
    }
    let starts = Spread::of(times);
    println!("| | median | range |\n|---|---:|---:|");
    println!(
        "| start until healthy, after SIGKILL, ms | {:.0} | {:.0}–{:.0} |",
        starts.median, starts.least, starts.most
    );
    let server = start(settings, folder.path())?;
    server.until_healthy()?;
    resident(&server, "after the start")?;
    runtime.block_on(all(settings, &server))
}

fn start(settings: &Settings, folder: &Path) -> Outcome<Server> {
    let absolute = |path: &Path| std::path::absolute(path).map_err(|error| error.to_string());
    let (data, keys) = (absolute(&settings.data_dir)?, absolute(&settings.access_keys)?);
    let state = ["--data-dir".into(), data.into(), "--root-access-keys".into(), keys.into()];
    startup::dev(&absolute(&settings.program)?, state, folder)
}

async fn all(settings: &Settings, server: &Server) -> Outcome {
    let accounts = place::accounts(Some(&settings.access_keys), server.endpoint.address)?;
    let places = place::places(&accounts, settings.keys)?;
    let mut connection = Connection::open(server.endpoint.address).await?;
    let first = places.first().ok_or("a set without keys")?;
    pages(&mut connection, server, first, &accounts[0]).await?;
    resident(server, "after the lists")?;
    let keys = spread(&mut connection, &places).await?;
    let needed = FEW + settings.working_set + 2 * settings.cold;
    if keys.len() < needed {
        return Err(format!("{needed} keys are needed, there are {}", keys.len()));
    }
    let (few, rest) = keys.split_at(FEW);
    let (working, rest) = rest.split_at(settings.working_set);
    let (cold, rest) = rest.split_at(settings.cold);
    let behind_aliases = &rest[..settings.cold];
    for (what, keys, name) in
        [("key", cold, None), ("alias", behind_aliases, Some(alias as fn(&str) -> String))]
    {
        for turn in ["first", "second"] {
            let requests = signed(&places, keys, name)?;
            let times = one_by_one(&mut connection, &requests).await?;
            latency(&format!("Encrypt, {turn} use by {what}"), times);
        }
    }
    rounds(settings, server, &places, few, working).await?;
    resident(server, &format!("after using {} keys", settings.working_set))?;
    touch(settings, server, &places, &keys).await
}

/// Uses many keys once each.
async fn touch(settings: &Settings, server: &Server, places: &[Place], keys: &[Key]) -> Outcome {
    let mut crowd = Crowd::open(server.endpoint.address, settings.connections).await?;
    let (mut count, mut took) = (0_u32, Duration::ZERO);
    let before = server.cpu_time()?;
    for part in keys[..settings.touched.min(keys.len())].chunks(BATCH) {
        let requests = signed(places, part, None)?;
        took += send(&mut crowd, &requests, part.len()).await?;
        count += u32::try_from(part.len()).unwrap_or(u32::MAX);
    }
    let cost = (server.cpu_time()?.saturating_sub(before)).as_secs_f64() * 1e6 / f64::from(count);
    let rate = f64::from(count) / took.as_secs_f64();
    println!("| Encrypt, {count} keys once each, requests/s (CPU µs) | {rate:.0} ({cost:.1}) | |");
    resident(server, &format!("after using {count} keys"))
}

/// A key's id, and its place's number.
type Key = (usize, String);

/// The ids of all keys, neighbours from different Regions.
async fn spread(connection: &mut Connection, places: &[Place]) -> Outcome<Vec<Key>> {
    let mut lists = Vec::new();
    for place in places {
        lists.push(paged::walk(connection, place, &KEYS, None, KEYS.page).await?.0.into_iter());
    }
    let mut keys = Vec::new();
    loop {
        let before = keys.len();
        for (at, list) in lists.iter_mut().enumerate() {
            keys.extend(list.next().map(|id| (at, id)));
        }
        if keys.len() == before {
            return Ok(keys);
        }
    }
}

fn signed(places: &[Place], keys: &[Key], name: Option<fn(&str) -> String>) -> Outcome<Ready> {
    let plaintext = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let request = |(place, id): &Key| {
        let id = name.map_or_else(|| id.clone(), |name| name(id));
        places[*place].request("Encrypt", &json!({ "KeyId": id, "Plaintext": plaintext }))
    };
    keys.iter().map(request).collect::<Outcome<_>>().map(Arc::new)
}

async fn one_by_one(connection: &mut Connection, requests: &Ready) -> Outcome<Vec<Duration>> {
    let mut times = Vec::with_capacity(requests.len());
    for request in requests.iter() {
        let start = Instant::now();
        connection.exchange(request).await?;
        times.push(start.elapsed());
    }
    Ok(times)
}

async fn send(crowd: &mut Crowd, requests: &Ready, count: usize) -> Outcome<Duration> {
    let requests = Arc::clone(requests);
    let request = move |number: usize| Ok(requests[number % requests.len()].clone());
    Ok(crowd.send(count, Arc::new(request), |_| Ok(())).await?.took)
}

/// Few keys and many in turns, so that a slow minute meets both.
async fn rounds(
    settings: &Settings,
    server: &Server,
    places: &[Place],
    few: &[Key],
    many: &[Key],
) -> Outcome {
    let mut crowd = Crowd::open(server.endpoint.address, settings.connections).await?;
    let mut found = [(Vec::new(), Vec::new()), (Vec::new(), Vec::new())];
    for round in 0..=settings.rounds {
        for (keys, (rates, costs)) in [few, many].iter().zip(&mut found) {
            let requests = signed(places, keys, None)?;
            let count = settings.requests.max(keys.len());
            let before = server.cpu_time()?;
            let took = send(&mut crowd, &requests, count).await?;
            let count = u32::try_from(count).map_or(f64::NAN, f64::from);
            // The first round fills the caches.
            if round > 0 {
                rates.push(count / took.as_secs_f64());
                let cost = server.cpu_time()?.saturating_sub(before);
                costs.push(cost.as_secs_f64() * 1e6 / count);
            }
        }
    }
    for (keys, (rates, costs)) in [few, many].iter().zip(found) {
        let (rate, cost, keys) = (Spread::of(rates), Spread::of(costs), keys.len());
        let (most, least) = (rate.most, rate.least);
        println!(
            "| Encrypt, {keys} keys, requests/s | {:.0} | {least:.0}–{most:.0} |",
            rate.median
        );
        let (most, least) = (cost.most, cost.least);
        println!("| Encrypt, {keys} keys, CPU µs | {:.1} | {least:.1}–{most:.1} |", cost.median);
    }
    Ok(())
}

/// The first page, the one in the middle and the last of each list.
async fn pages(
    connection: &mut Connection,
    server: &Server,
    place: &Place,
    account: &Account,
) -> Outcome {
    let key_id = granted_key(connection, place).await?;
    let of_key = Some(key_id.as_str());
    for (list, key_id, limit) in [
        (&KEYS, None, 100),
        (&KEYS, None, KEYS.page),
        (&ALIASES, None, ALIASES.page),
        (&GRANTS, of_key, GRANTS.page),
        (&TAGS, of_key, TAGS.page),
    ] {
        let bodies = paged::walk(connection, place, list, key_id, limit).await?.1;
        for (at, body) in chosen(&bodies) {
            let request = place.request(list.name, body)?;
            page(connection, server, list.name, limit, at, &request).await?;
        }
    }
    let limit = 100;
    let bodies = paged::users(connection, account, Some(limit)).await?.1;
    for (at, body) in chosen(&bodies) {
        page(connection, server, "ListUsers", limit, at, &account.query(body)?).await?;
    }
    Ok(())
}

fn chosen<T>(bodies: &[T]) -> Vec<(usize, &T)> {
    let mut at = vec![0, bodies.len() / 2, bodies.len().saturating_sub(1)];
    at.dedup();
    at.into_iter().filter_map(|at| Some((at, bodies.get(at)?))).collect()
}

async fn page(
    connection: &mut Connection,
    server: &Server,
    name: &str,
    limit: usize,
    at: usize,
    request: &[u8],
) -> Outcome {
    let before = server.cpu_time()?;
    let mut times = Vec::new();
    for _ in 0..ASKED {
        let start = Instant::now();
        connection.exchange(request).await?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let cost = server.cpu_time()?.saturating_sub(before) / u32::try_from(ASKED).unwrap_or(1);
    let (number, cost, time) = (at + 1, cost.as_secs_f64() * 1e3, Spread::of(times));
    println!(
        "| {name}, {limit} a page, page {number}, ms (CPU {cost:.1}) | {:.2} | {:.2}–{:.2} |",
        time.median, time.least, time.most
    );
    Ok(())
}

fn latency(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let of = |hundredths: usize| {
        let rank = (times.len() * hundredths).div_ceil(100).saturating_sub(1);
        times.get(rank).copied().unwrap_or_default().as_secs_f64() * 1e3
    };
    let (p50, p99, longest) = (of(50), of(99), of(100));
    println!("| {what}, ms: p50, p99–longest | {p50:.3} | {p99:.3}–{longest:.3} |");
}

fn resident(server: &Server, when: &str) -> Outcome {
    println!("| resident {when}, MiB | {} | |", server.resident()? >> 20);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_the_middle_and_the_last_page_are_chosen() {
        let at = |bodies: &[u8]| chosen(bodies).iter().map(|(at, _)| *at).collect::<Vec<_>>();
        assert_eq!(at(&[0; 1000]), [0, 500, 999]);
        assert_eq!(at(&[0]), [0]);
        assert_eq!(at(&[]), [0_usize; 0]);
    }
}
