//! Prints what noting a key's use costs each request, in time of the processor.
//!
//! `cargo run --release -p conformance --example usage_rate`.

use std::hint::black_box;
use std::sync::Arc;

use crypto::RootKey;
use keystores::software::{Software, SystemEntropy};
use kms::Kms;
use service::ports::{Position, Store};
use service::{Ids, Resource, Service as _, Success};
use wire::{AccountId, Timestamp};

const ROUNDS: u32 = 3_000_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for keys in [1, 100, 10_000, 100_000] {
        let kms = kms()?;
        let resources: Vec<[Resource; 1]> = (0..keys).map(|number| [key(number)]).collect();
        let ids = Ids::draw(&SystemEntropy)?;
        let time = Timestamp::from_millis(1_700_000_000_000);
        let note = |round: u32, resources: &[Resource]| {
            let success = Success { operation: "GenerateDataKey", time, ids, resources };
            kms.succeeded(black_box(&success), Position(u64::from(round)));
        };
        let started = nanoseconds()?;
        for (round, resources) in (0..).zip(&resources) {
            note(round, resources);
        }
        // What takes less than a tick of the system's clock can't be told.
        if keys >= 10_000 {
            report(&format!("first use of {keys} keys"), nanoseconds()? - started, keys);
        }
        let started = nanoseconds()?;
        for (round, resources) in (0..ROUNDS).zip(resources.iter().cycle()) {
            note(keys + round, resources);
        }
        report(&format!("later uses of {keys} keys"), nanoseconds()? - started, ROUNDS);
    }
    Ok(())
}

fn kms() -> Result<Kms, Box<dyn std::error::Error>> {
    let store: Arc<dyn Store> = Arc::new(storage::Memory::new());
    let key_store = Software::new(Arc::clone(&store), RootKey::generate()?);
    Ok(Kms::new(store, Arc::new(key_store), Arc::new(SystemEntropy), 100)?)
}

fn key(number: u32) -> Resource {
    // As random in its last digits as a key's id is.
    let id = number.wrapping_mul(0x9e37_79b1);
    Resource {
        account: AccountId::parse("111122223333").expect("twelve digits"),
        arn: format!("arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234{id:08x}")
            .into(),
        kind: "AWS::KMS::Key",
    }
}

/// How long this thread has run: on a busy machine less than what has passed.
fn nanoseconds() -> Result<u64, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split(' ').next().unwrap_or_default().parse()?)
}

fn report(what: &str, nanoseconds: u64, times: u32) {
    println!("{what:30} {:6} ns", nanoseconds / u64::from(times));
}
