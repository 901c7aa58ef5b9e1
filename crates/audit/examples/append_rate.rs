//! Prints what a record costs: building it, building and appending it, and appending it when each
//! must be on the disk, one at a time and many at once.
//!
//! `cargo run --release -p audit --example append_rate [DIRECTORY]`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use audit::{Log, Options, Sync};
use service::ports::AuditLog as _;
use service::{Actor, Identity, Record, Resource};
use wire::AccountId;

const ROUNDS: u32 = 300_000;
const ROUNDS_TO_DISK: u32 = 6_400;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = match std::env::args_os().nth(1) {
        Some(directory) => tempfile::tempdir_in(directory)?,
        None => tempfile::tempdir()?,
    };
    let log = Log::open(directory.path(), Options::default())?;
    let resources = [Resource {
        account: AccountId::parse("111122223333").map_err(|_| "no account id")?,
        arn: "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab".into(),
        kind: "AWS::KMS::Key",
    }];
    let mut line = Vec::with_capacity(2048);
    let started = Instant::now();
    for _ in 0..ROUNDS {
        line.clear();
        black_box(record(&resources)).write(&mut line);
        black_box(&line);
    }
    report("build", started, ROUNDS, line.len());
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let started = Instant::now();
    runtime.block_on(async {
        for _ in 0..ROUNDS {
            line.clear();
            record(&resources).write(&mut line);
            log.append(&line).await?;
        }
        Ok::<_, service::ports::AuditUnavailable>(())
    })?;
    report("build and append", started, ROUNDS, line.len());
    drop(log);
    let log =
        Arc::new(Log::open(directory.path(), Options { sync: Sync::Group, ..<_>::default() })?);
    for (tasks, what) in [(1, "to the disk, one at a time"), (64, "to the disk, 64 at once")] {
        let started = Instant::now();
        runtime.block_on(to_disk(&log, tasks, &line));
        report(what, started, ROUNDS_TO_DISK, line.len());
    }
    Ok(())
}

/// Appends from so many tasks at once.
async fn to_disk(log: &Arc<Log>, tasks: u32, line: &[u8]) {
    let appending: Vec<_> = (0..tasks)
        .map(|_| {
            let (log, line) = (Arc::clone(log), line.to_vec());
            tokio::spawn(async move {
                for _ in 0..ROUNDS_TO_DISK / tasks {
                    log.append(&line).await.expect("the disk works");
                }
            })
        })
        .collect();
    for task in appending {
        task.await.expect("no task panics");
    }
}

fn record(resources: &[Resource]) -> Record<'_> {
    Record {
        actor: Actor::Caller(Identity {
            kind: "Root",
            principal_id: "111122223333",
            arn: "arn:aws:iam::111122223333:root",
            account_id: "111122223333",
            access_key_id: "AKIAIOSFODNN7EXAMPLE",
            session: None,
            user_name: None,
            is_federated: false,
        }),
        aws_region: "us-west-2",
        source_ip_address: "192.0.2.0",
        user_agent: "aws-cli/1.45.5 md/Botocore#1.43.5 ua/2.1 os/linux lang/python#3.13",
        request_parameters: Some(
            br#"{"keyId":"alias/a","encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#,
        ),
        request_id: Some("12345126-30d5-4b28-98b9-9153da559963"),
        read_only: true,
        resources: Some(resources),
        recipient_account_id: Some("111122223333"),
        ..Record::of(
            "kms.amazonaws.com",
            "Encrypt",
            wire::Timestamp::from_millis(1_440_938_160_000),
            "abcde202-ba1a-467c-b4ba-f729d45ae521",
        )
    }
}

fn report(what: &str, started: Instant, rounds: u32, length: usize) {
    let each = started.elapsed() / rounds;
    println!("{what}: {} ns a record of {length} bytes", each.as_nanos());
}
