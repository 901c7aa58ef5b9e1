//! Random bytes drawn ahead of need, for ids: each call of the generator has a price, and every
//! request takes two ids.
//!
//! Must not be used for keys: what is drawn ahead stands in ordinary memory until it is taken.

use std::sync::Arc;

use parking_lot::Mutex;
use service::ports::{Entropy, EntropyUnavailable};

/// How many bytes are drawn at once: the ids of 64 requests.
const STRETCH: usize = 2048;

/// A source that draws from another in stretches. Every byte is given once.
pub(crate) struct DrawnAhead {
    source: Arc<dyn Entropy>,
    drawn: Mutex<Drawn>,
}

struct Drawn {
    bytes: [u8; STRETCH],
    /// How many of them have been given.
    given: usize,
}

impl DrawnAhead {
    /// Draws from that source, for the first time when it is asked.
    pub(crate) fn new(source: Arc<dyn Entropy>) -> Self {
        Self { source, drawn: Mutex::new(Drawn { bytes: [0; STRETCH], given: STRETCH }) }
    }
}

impl Entropy for DrawnAhead {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        if buffer.len() > STRETCH {
            return self.source.fill(buffer);
        }
        let mut drawn = self.drawn.lock();
        if STRETCH - drawn.given < buffer.len() {
            // Until it has succeeded nothing is left to give.
            drawn.given = STRETCH;
            self.source.fill(&mut drawn.bytes)?;
            drawn.given = 0;
        }
        let (from, to) = (drawn.given, drawn.given + buffer.len());
        buffer.copy_from_slice(&drawn.bytes[from..to]);
        drawn.given = to;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// Counts its calls and gives bytes that are never the same eight twice; the second call fails.
    #[derive(Default)]
    struct Counting(AtomicU64);

    impl Entropy for Counting {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
            let call = self.0.fetch_add(1, Ordering::Relaxed);
            for (chunk, number) in buffer.chunks_mut(8).zip(call * 1_000..) {
                chunk.copy_from_slice(&number.to_be_bytes()[..chunk.len()]);
            }
            if call == 1 { Err(EntropyUnavailable) } else { Ok(()) }
        }
    }

    #[test]
    fn every_byte_is_given_once_and_a_failure_gives_none() {
        let source = Arc::new(Counting::default());
        let ahead = DrawnAhead::new(Arc::clone(&source) as _);
        let mut seen = std::collections::HashSet::new();
        let mut failed = 0;
        for _ in 0..3 * STRETCH / 32 {
            let mut ids = [0; 32];
            match ahead.fill(&mut ids) {
                Ok(()) => assert!(ids.chunks(8).all(|chunk| seen.insert(chunk.to_vec()))),
                Err(EntropyUnavailable) => failed += 1,
            }
        }
        assert_eq!((failed, source.0.load(Ordering::Relaxed)), (1, 4));
    }

    #[test]
    fn what_is_longer_than_a_stretch_comes_from_the_source() {
        let source = Arc::new(Counting::default());
        let ahead = DrawnAhead::new(Arc::clone(&source) as _);
        ahead.fill(&mut [0; STRETCH + 1]).unwrap();
        assert_eq!(source.0.load(Ordering::Relaxed), 1);
    }
}
