//! Whether the clock can be trusted to remove what is gone by its date.
//!
//! A deleted key is out of use from its date on, and back if the clock was wrong and is set right.
//! Its material must not be destroyed meanwhile: that can't be taken back. So nothing is removed
//! before this process has seen its date pass and then lie in the past for a grace, by the
//! monotonic clock, while the wall clock went along with it. Must not know what is removed, nor
//! read a clock.

use std::time::Duration;

use wire::Timestamp;

/// How far the wall clock may stray from the monotonic one before that counts as a jump: what
/// setting a clock right now and then comes to.
const TOLERANCE_MS: i64 = 60_000;
/// One part in so many, by which it may go faster or slower for as long as it likes: more than a
/// time service lets it for long.
const SLEW: i64 = 100;

/// Watches the wall clock beside the monotonic one.
pub struct RemovalGuard {
    grace: Duration,
    /// Since when the two have gone along with each other.
    since: Option<Seen>,
}

#[derive(Clone, Copy)]
struct Seen {
    wall_ms: i64,
    monotonic: Duration,
}

/// What may be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// What was due at this moment or before it.
    DueBy(Timestamp),
    /// Nothing yet: the clock has not been watched for long enough.
    NotYet,
    /// Nothing: the wall clock has jumped, by so many milliseconds, and is watched from here on
    /// anew. An operator should know.
    ClockJumped {
        /// Forward, or back where it is negative.
        by_ms: i64,
    },
}

impl RemovalGuard {
    /// A guard that waits for so long. Without a grace it allows whatever the wall clock says, as
    /// where tests move it.
    pub fn new(grace: Duration) -> Self {
        Self { grace, since: None }
    }

    /// What may be removed at this moment, of which `monotonic` is the time since any fixed one.
    ///
    /// Every call is a look at the clocks; a jump there and back between two looks is none.
    pub fn at(&mut self, wall: Timestamp, monotonic: Duration) -> Removal {
        if self.grace.is_zero() {
            return Removal::DueBy(wall);
        }
        let now = Seen { wall_ms: wall.millis(), monotonic };
        let Some(since) = self.since else {
            self.since = Some(now);
            return Removal::NotYet;
        };
        // A monotonic clock doesn't go back; one that did would have shown nothing.
        let elapsed = monotonic.saturating_sub(since.monotonic);
        let elapsed_ms = milliseconds(elapsed);
        let by_ms = now.wall_ms.saturating_sub(since.wall_ms).saturating_sub(elapsed_ms);
        let allowed = TOLERANCE_MS.saturating_add(elapsed_ms / SLEW);
        if by_ms.saturating_abs() > allowed {
            self.since = Some(now);
            return Removal::ClockJumped { by_ms };
        }
        if elapsed < self.grace {
            return Removal::NotYet;
        }
        let grace_ms = milliseconds(self.grace);
        Removal::DueBy(Timestamp::from_millis(now.wall_ms.saturating_sub(grace_ms)))
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    const YEAR: i64 = 365 * DAY;
    /// When these tests begin, by the wall clock.
    const START: i64 = 1_700_000_000_000;

    /// Two clocks and a guard that looks at them once a minute.
    struct Machine {
        guard: RemovalGuard,
        wall: i64,
        monotonic: i64,
        jumps: Vec<i64>,
        /// The latest date up to which something might have been removed.
        removed: Option<i64>,
    }

    impl Machine {
        fn new(grace_ms: i64) -> Self {
            let grace = Duration::from_millis(grace_ms.unsigned_abs());
            let guard = RemovalGuard::new(grace);
            Self { guard, wall: START, monotonic: 7, jumps: Vec::new(), removed: None }
        }

        fn look(&mut self) {
            let monotonic = Duration::from_millis(self.monotonic.unsigned_abs());
            match self.guard.at(Timestamp::from_millis(self.wall), monotonic) {
                Removal::DueBy(date) => self.removed = self.removed.max(Some(date.millis())),
                Removal::NotYet => {}
                Removal::ClockJumped { by_ms } => self.jumps.push(by_ms),
            }
        }

        fn run(&mut self, time: i64) {
            for _ in 0..time / MINUTE {
                self.wall += MINUTE;
                self.monotonic += MINUTE;
                self.look();
            }
        }
    }

    #[test]
    fn a_date_is_removed_one_grace_after_it_passed() {
        let mut machine = Machine::new(DAY);
        machine.look();
        machine.run(DAY - MINUTE);
        assert_eq!(machine.removed, None);
        machine.run(2 * MINUTE);
        assert_eq!(machine.removed, Some(START + MINUTE));
        machine.run(30 * DAY);
        assert_eq!(machine.removed, Some(machine.wall - DAY));
        assert!(machine.jumps.is_empty());
    }

    #[test]
    fn a_clock_that_is_years_ahead_for_less_than_the_grace_removes_nothing_more() {
        for ahead in [HOUR, YEAR, 40 * YEAR, i64::MAX / 4] {
            for stay in [MINUTE, HOUR, DAY - MINUTE] {
                let mut machine = Machine::new(DAY);
                machine.run(3 * DAY);
                machine.wall += ahead;
                machine.run(stay);
                machine.wall -= ahead;
                machine.run(3 * DAY);
                assert_eq!(machine.removed, Some(machine.wall - DAY));
                assert_eq!(machine.jumps.len(), 2, "{ahead} {stay}");
                assert!((machine.jumps[0] - ahead).abs() < MINUTE);
            }
        }
    }

    #[test]
    fn a_jump_back_starts_the_watch_anew() {
        let mut machine = Machine::new(DAY);
        machine.run(3 * DAY);
        let before = machine.removed;
        machine.wall -= 10 * YEAR;
        machine.run(2 * DAY);
        assert_eq!(machine.removed, before);
        assert_eq!(machine.jumps.len(), 1);
    }

    #[test]
    fn a_start_while_the_clock_is_wrong_waits_as_long() {
        let mut machine = Machine::new(DAY);
        machine.wall += 10 * YEAR;
        machine.run(DAY - HOUR);
        machine.wall -= 10 * YEAR;
        machine.run(DAY - HOUR);
        assert_eq!(machine.removed, None);
    }

    #[test]
    fn being_set_right_is_no_jump() {
        let mut machine = Machine::new(DAY);
        for minute in 0..3 * 24 * 60 {
            machine.run(MINUTE);
            // Half a second ahead, then back again; and a second faster every ten minutes.
            machine.wall += if minute % 2 == 0 { 500 } else { -500 };
            machine.wall += i64::from(minute % 10 == 0) * 1000;
        }
        assert!(machine.jumps.is_empty(), "{:?}", machine.jumps);
        assert!(machine.removed.is_some());
    }

    #[test]
    fn many_small_steps_are_a_jump() {
        let mut machine = Machine::new(DAY);
        for _ in 0..60 {
            machine.wall += 50_000;
            machine.run(MINUTE);
        }
        assert!(!machine.jumps.is_empty());
        assert_eq!(machine.removed, None);
    }

    #[test]
    fn a_machine_that_slept_is_watched_anew() {
        let mut machine = Machine::new(DAY);
        machine.run(2 * DAY);
        // The monotonic clock stands still while a machine sleeps.
        machine.wall += 8 * HOUR;
        machine.look();
        assert_eq!(machine.jumps, [8 * HOUR]);
    }

    #[test]
    fn without_a_grace_the_wall_clock_is_believed() {
        let mut machine = Machine::new(0);
        machine.wall += YEAR;
        machine.look();
        assert_eq!(machine.removed, Some(machine.wall));
    }

    #[test]
    fn extreme_times_are_no_trouble() {
        let mut guard = RemovalGuard::new(Duration::from_hours(24));
        for wall in [i64::MIN, i64::MAX, 0, -1, i64::MAX] {
            for monotonic in [Duration::MAX, Duration::ZERO] {
                guard.at(Timestamp::from_millis(wall), monotonic);
            }
        }
    }
}
