//! How attempts are slowed: one at a time for each kind of secret, and after a wrong one a delay
//! that grows.
//!
//! Must not know what an attempt is made of. Kept in memory: whoever can restart the server has
//! the store, and with it attempts that nobody counts, against which Argon2 stands.

use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use crate::error::Refusal;
use crate::kind::Kind;

/// The delay after the first wrong attempt; each further one doubles it.
const FIRST: Duration = Duration::from_secs(1);
/// The longest delay: an operator who can be kept out for longer by somebody else's guesses is
/// worse off than with a passphrase that can be guessed once a minute.
const LONGEST: Duration = Duration::from_mins(1);

/// What is known of earlier attempts, for each kind.
#[derive(Default)]
pub(crate) struct Attempts {
    passphrase: Mutex<Wrong>,
    shares: Mutex<Wrong>,
    key_file: Mutex<Wrong>,
    kms: Mutex<Wrong>,
}

/// The wrong attempts since the last right one.
#[derive(Default, Clone, Copy)]
struct Wrong {
    count: u32,
    not_before: Option<Instant>,
}

impl Wrong {
    fn counted(self) -> Self {
        let doublings = self.count.min(16);
        let delay = FIRST.saturating_mul(1 << doublings).min(LONGEST);
        Self { count: self.count.saturating_add(1), not_before: Some(Instant::now() + delay) }
    }
}

/// The turn of one attempt. While it lasts no other attempt of its kind is made. Dropped without
/// a word on how it went, as when a client hangs up, it counts as wrong.
pub(crate) struct Turn<'a> {
    wrong: MutexGuard<'a, Wrong>,
    before: Wrong,
}

impl Attempts {
    /// Waits for the attempt's turn.
    ///
    /// # Errors
    /// [`Refusal::TooSoon`] if the last one was wrong and its delay isn't over.
    pub(crate) async fn turn(&self, kind: Kind) -> Result<Turn<'_>, Refusal> {
        let mut wrong = match kind {
            Kind::Passphrase => &self.passphrase,
            Kind::Shares => &self.shares,
            Kind::KeyFile => &self.key_file,
            Kind::Kms => &self.kms,
        }
        .lock()
        .await;
        if let Some(not_before) = wrong.not_before {
            let wait = not_before.saturating_duration_since(Instant::now());
            if !wait.is_zero() {
                return Err(Refusal::TooSoon { kind, wait });
            }
        }
        let before = *wrong;
        *wrong = before.counted();
        Ok(Turn { wrong, before })
    }
}

impl Turn<'_> {
    /// The secret was right: what was wrong before is forgotten.
    pub(crate) fn right(mut self) {
        *self.wrong = Wrong::default();
    }

    /// The secret was wrong: the delay begins now, whatever the attempt took.
    pub(crate) fn wrong(mut self) {
        *self.wrong = self.before.counted();
    }

    /// The attempt said nothing about the secret.
    pub(crate) fn void(mut self) {
        *self.wrong = self.before;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    async fn wait_of(attempts: &Attempts) -> Option<u64> {
        match attempts.turn(Kind::Passphrase).await {
            Ok(turn) => {
                turn.void();
                None
            }
            Err(Refusal::TooSoon { wait, .. }) => Some(wait.as_secs()),
            Err(other) => panic!("{other}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn delays_double_up_to_a_minute_and_a_right_attempt_ends_them() {
        let attempts = Attempts::default();
        for expected in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            attempts.turn(Kind::Passphrase).await.unwrap().wrong();
            assert_eq!(wait_of(&attempts).await, Some(expected));
            assert!(attempts.turn(Kind::Shares).await.is_ok(), "kinds don't slow each other");
            attempts.shares.lock().await.not_before = None;
            tokio::time::advance(Duration::from_secs(expected)).await;
            assert_eq!(wait_of(&attempts).await, None);
        }
        attempts.turn(Kind::Passphrase).await.unwrap().right();
        assert_eq!(wait_of(&attempts).await, None);
        attempts.turn(Kind::Passphrase).await.unwrap().wrong();
        assert_eq!(wait_of(&attempts).await, Some(1));
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_attempts_and_abandoned_ones_are_slowed_too() {
        let attempts = Arc::new(Attempts::default());
        let first = attempts.turn(Kind::Passphrase).await.unwrap();
        let others: Vec<_> = (0..10)
            .map(|_| {
                let attempts = Arc::clone(&attempts);
                tokio::spawn(async move { attempts.turn(Kind::Passphrase).await.map(Turn::wrong) })
            })
            .collect();
        tokio::task::yield_now().await;
        first.wrong();
        for other in others {
            assert!(matches!(other.await.unwrap(), Err(Refusal::TooSoon { .. })));
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        drop(attempts.turn(Kind::Passphrase).await.unwrap());
        assert_eq!(wait_of(&attempts).await, Some(2));
    }
}
