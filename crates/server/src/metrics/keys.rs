//! How many keys there are, of which kind and in which state: counted from time to time.
//!
//! Counting reads every key's record. It pauses nine times as long as each page took, so that a
//! count of many keys takes a tenth of a processor, and until the next count ten times as long as
//! the last one took, a minute at least: in the long run a hundredth. Must not know what a key is.

use std::time::{Duration, Instant, SystemTime};

use kms::{Census, Kms};
use parking_lot::Mutex;
use service::ports::Clock;
use tokio::time::sleep;

/// The shortest pause between two counts.
const PAUSE_MIN: Duration = Duration::from_mins(1);
/// How many times as long as a count the pause after it is.
const PAUSE_FACTOR: u32 = 10;
/// How long others get their turn after each page of records, at least.
const BREATH_MIN: Duration = Duration::from_millis(1);
/// How many times as long as a page others get their turn after it.
const BREATH_FACTOR: u32 = 9;

/// The last count of the keys.
#[derive(Default)]
pub struct KeyCensus {
    last: Mutex<Option<(Census, SystemTime)>>,
}

impl KeyCensus {
    /// Counts the keys again and again, until it is dropped. A count that fails is left out; the
    /// time of the last one tells.
    pub async fn keep(&self, kms: &Kms, clock: &dyn Clock) {
        loop {
            let began = Instant::now();
            if let Ok(census) = count(kms, clock).await {
                *self.last.lock() = Some((census, SystemTime::now()));
            }
            sleep(PAUSE_MIN.max(began.elapsed() * PAUSE_FACTOR)).await;
        }
    }

    /// As if one key had been counted.
    #[cfg(test)]
    pub(super) async fn count_once(&self, kms: &Kms, clock: &dyn Clock) {
        let census = count(kms, clock).await.unwrap();
        *self.last.lock() = Some((census, SystemTime::now()));
    }

    /// The last count, and when it ended.
    pub(super) fn last(&self) -> Option<(Census, SystemTime)> {
        self.last.lock().clone()
    }
}

async fn count(kms: &Kms, clock: &dyn Clock) -> Result<Census, service::Error> {
    let (mut census, mut after) = (Census::default(), Some(String::new()));
    while let Some(from) = after {
        let began = Instant::now();
        after = kms.count_page(&mut census, &from, clock.now()).await?;
        sleep(BREATH_MIN.max(began.elapsed() * BREATH_FACTOR)).await;
    }
    Ok(census)
}
