//! Prints what a record costs: building it, and building and appending it.
//!
//! `cargo run --release -p audit --example append_rate [DIRECTORY]`.

use std::hint::black_box;
use std::time::Instant;

use audit::FileLog;
use service::ports::AuditLog as _;
use service::{Identity, Record, Resource};

const ROUNDS: u32 = 300_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = match std::env::args_os().nth(1) {
        Some(directory) => tempfile::tempdir_in(directory)?,
        None => tempfile::tempdir()?,
    };
    let log = FileLog::open(&directory.path().join("audit.log"))?;
    let resources = [Resource {
        account: "111122223333".to_owned(),
        arn: "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
            .to_owned(),
        kind: "AWS::KMS::Key",
    }];
    let mut line = Vec::with_capacity(2048);
    let started = Instant::now();
    for _ in 0..ROUNDS {
        line.clear();
        black_box(record(&resources)).write(&mut line);
        black_box(&line);
    }
    report("build", started, line.len());
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
    report("build and append", started, line.len());
    Ok(())
}

fn record(resources: &[Resource]) -> Record<'_> {
    Record {
        identity: Some(Identity {
            kind: "Root",
            principal_id: "111122223333",
            arn: "arn:aws:iam::111122223333:root",
            account_id: "111122223333",
            access_key_id: "AKIAIOSFODNN7EXAMPLE",
            session: None,
            user_name: None,
            is_federated: false,
        }),
        event_time: wire::Timestamp::from_millis(1_440_938_160_000),
        event_source: "kms.amazonaws.com",
        event_name: "Encrypt",
        aws_region: "us-west-2",
        source_ip_address: "192.0.2.0",
        user_agent: "aws-cli/1.45.5 md/Botocore#1.43.5 ua/2.1 os/linux lang/python#3.13",
        error_code: None,
        error_message: None,
        request_parameters: Some(
            br#"{"keyId":"alias/a","encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#,
        ),
        response_elements: None,
        request_id: "12345126-30d5-4b28-98b9-9153da559963",
        event_id: "abcde202-ba1a-467c-b4ba-f729d45ae521",
        read_only: true,
        resources,
    }
}

fn report(what: &str, started: Instant, length: usize) {
    let each = started.elapsed() / ROUNDS;
    println!("{what}: {} ns a record of {length} bytes", each.as_nanos());
}
