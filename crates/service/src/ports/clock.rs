//! The clock.

use wire::Timestamp;

/// What time it is. Dev mode moves it; tests replace it.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}
