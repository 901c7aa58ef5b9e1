//! How much of the processor slow work gets while those who answer requests never rest.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::threads::is_under_way;

/// How often a thread is asked whether it left slow work its share, a fifth of the time. A pause is
/// a quarter of this at most if it never rests, which a quick request doesn't notice beside the
/// others that it waits for.
const PERIOD: Duration = Duration::from_micros(500);
/// The longest pause, for a thread that couldn't be asked for long.
const LONGEST: Duration = Duration::from_micros(250);
/// Less than this isn't worth a pause: to fall asleep and to wake takes some microseconds.
const SHORTEST: Duration = Duration::from_micros(20);

/// A stretch of time that a thread is asked about.
#[derive(Clone, Copy)]
struct Stretch {
    began: Instant,
    /// How long the thread had run when it began.
    had_run: Duration,
}

thread_local! {
    static STRETCH: Cell<Option<Stretch>> = const { Cell::new(None) };
}

/// To be called between two requests by a thread that answers them. If slow work is under way and
/// this thread has left it less than a fifth of the last half millisecond, it sleeps as long as is
/// missing.
///
/// It blocks the thread on purpose, and for [`LONGEST`] at most: only a thread that sleeps lets one
/// run that stands behind it. Without slow work it costs one load.
pub fn give_way() {
    if is_under_way() {
        leave_share();
    }
}

#[cold]
fn leave_share() {
    let now = Instant::now();
    let Some(stretch) = STRETCH.get() else {
        return STRETCH.set(Some(Stretch { began: now, had_run: own_time() }));
    };
    let elapsed = now.duration_since(stretch.began);
    if elapsed < PERIOD {
        return;
    }
    let ran = ran_since(stretch.had_run);
    let missing = missing(elapsed, ran);
    if missing >= SHORTEST {
        thread::sleep(missing);
    }
    STRETCH.set(Some(Stretch { began: Instant::now(), had_run: own_time() }));
}

/// How much longer a stretch must be for the thread to have run for four fifths of it.
fn missing(elapsed: Duration, ran: Duration) -> Duration {
    (ran * 5 / 4).saturating_sub(elapsed).min(LONGEST)
}

/// How long this thread has run.
fn own_time() -> Duration {
    // The kernel's time is never negative, nor are its nanoseconds as many as a second's.
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}

/// How long this thread has run since it had run that long.
fn ran_since(had_run: Duration) -> Duration {
    own_time().saturating_sub(had_run)
}

#[cfg(test)]
mod tests {
    use rustix::thread::{CpuSet, sched_setaffinity};

    use super::*;
    use crate::run;

    const fn micros(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    #[test]
    fn a_fifth_is_left_and_no_more() {
        assert_eq!(missing(micros(1000), micros(1000)), micros(250));
        assert_eq!(missing(micros(1000), micros(900)), micros(125));
        assert_eq!(missing(micros(1000), micros(800)), micros(0));
        assert_eq!(missing(micros(1000), micros(100)), micros(0));
        assert_eq!(missing(micros(900_000), micros(900_000)), LONGEST);
    }

    #[test]
    fn nobody_pauses_without_slow_work() {
        let start = own_time();
        let mut calls = 0;
        while ran_since(start) < micros(5000) {
            (0..1000).for_each(|_| give_way());
            calls += 1000;
        }
        assert!(calls > 50_000, "only {calls} calls in 5 ms");
    }

    /// How long a thread that never rests by itself has to run until slow work beside it, on the
    /// same core, has had 20 ms.
    fn busy_until_done() -> Duration {
        let mut one_core = CpuSet::new();
        one_core.set(0);
        sched_setaffinity(None, &one_core).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let working = thread::spawn(move || {
            runtime.block_on(run(move || {
                sched_setaffinity(None, &one_core).unwrap();
                let start = own_time();
                while ran_since(start) < micros(20_000) {}
            }))
        });
        let start = own_time();
        while !working.is_finished() {
            give_way();
        }
        working.join().unwrap().unwrap();
        ran_since(start)
    }

    #[test]
    fn slow_work_goes_on_beside_threads_that_never_rest() {
        // It takes 80 ms, and some seconds without pauses. Another program's load takes from both,
        // so one good try of some is enough.
        let tries: Vec<_> =
            (0..5).map(|_| thread::spawn(busy_until_done).join().unwrap()).collect();
        assert!(tries.iter().any(|ran| *ran < micros(300_000)), "{tries:?}");
    }
}
