//! The system's clock, which dev mode can move forward.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use service::ports::Clock;
use wire::Timestamp;

/// How far the clock may be moved in all: a hundred years, in milliseconds.
const OFFSET_MAX_MS: i64 = 100 * 366 * 86_400_000;

/// The system's time plus an offset.
#[derive(Default)]
pub(crate) struct MovableClock {
    offset_ms: AtomicI64,
}

impl MovableClock {
    /// The system's time, whatever the offset: what signatures are held against.
    pub(crate) fn system() -> Timestamp {
        // A clock before 1970 reads as 1970; every signature is refused then.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// Moves the clock forward. Gives false, and moves nothing, where that would be back in time
    /// or too far.
    pub(crate) fn advance(&self, by_ms: i64) -> bool {
        by_ms >= 0
            && self
                .offset_ms
                .try_update(Ordering::SeqCst, Ordering::SeqCst, |offset| {
                    offset.checked_add(by_ms).filter(|offset| *offset <= OFFSET_MAX_MS)
                })
                .is_ok()
    }

    /// Sets the clock back to the system's time.
    pub(crate) fn reset(&self) {
        self.offset_ms.store(0, Ordering::SeqCst);
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        let offset = self.offset_ms.load(Ordering::SeqCst);
        Timestamp::from_millis(Self::system().millis().saturating_add(offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_forward_only() {
        let clock = MovableClock::default();
        assert!(clock.advance(86_400_000));
        let ahead = clock.now().millis() - MovableClock::system().millis();
        assert!((86_399_000..=86_401_000).contains(&ahead), "{ahead}");
        assert!(!clock.advance(-1));
        assert!(!clock.advance(OFFSET_MAX_MS));
        assert!(!clock.advance(i64::MAX));
        clock.reset();
        assert!(clock.now().millis() - MovableClock::system().millis() < 1000);
    }
}
