//! Prints how many durable commits a second the embedded store does for 1, 16 and 64 clients.
//!
//! `cargo run --release -p storage --example commit_rate [DIRECTORY]`. The figure is the disk's
//! as much as the store's: give a directory on the disk that counts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use service::ports::{Commit, Store};
use storage::Embedded;

const SPAN: Duration = Duration::from_secs(3);

/// The size of a key's record with its policy.
const VALUE: usize = 1_500;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = match std::env::args_os().nth(1) {
        Some(directory) => tempfile::tempdir_in(directory)?,
        None => tempfile::tempdir()?,
    };
    let store = Arc::new(Embedded::open(&directory.path().join("store.db"))?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    for clients in [1, 16, 64] {
        let mut waits = runtime.block_on(measure(&store, clients));
        waits.sort_unstable();
        println!(
            "{clients:2} clients: {} commits/s, p50 {:.2} ms, p99 {:.2} ms, longest {:.1} ms",
            waits.len() / usize::try_from(SPAN.as_secs())?,
            millis(&waits, 50),
            millis(&waits, 99),
            millis(&waits, 100),
        );
    }
    Ok(())
}

/// Lets the clients commit as fast as they are answered; gives how long each commit took.
async fn measure(store: &Arc<Embedded>, clients: usize) -> Vec<Duration> {
    let end = Instant::now() + SPAN;
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut waits = Vec::new();
                while Instant::now() < end {
                    let key = format!("{clients}/{client}/{}", waits.len());
                    let puts = vec![(key, vec![7; VALUE])];
                    let started = Instant::now();
                    let committed = store.commit(Commit { puts, ..Commit::default() }).await;
                    assert!(committed.is_ok(), "{committed:?}");
                    waits.push(started.elapsed());
                }
                waits
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.unwrap_or_default());
    }
    all
}

fn millis(sorted: &[Duration], percent: usize) -> f64 {
    let at = sorted.len().saturating_sub(1) * percent / 100;
    sorted.get(at).copied().unwrap_or_default().as_secs_f64() * 1e3
}
