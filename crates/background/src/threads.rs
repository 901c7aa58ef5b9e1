//! The threads of slow work, and how much of it there is.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::{error, fmt};

use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id, thread_schedule_policy,
};
use tokio::runtime::{Builder, Runtime};
use tokio::task::spawn_blocking;

/// The policy for what is idle, which anybody may choose and nobody may leave again without
/// privileges. That is why the threads are slow work's for as long as they live.
const IDLE: ThreadSchedulePolicy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);

/// How much slow work waits for its turn behind everybody else, or has it.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// Whether the system refused the policy, as it may in a container.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// The threads, which begin when they are needed and end when they aren't any more. They are those
/// that a runtime has for blocking work; it is never driven. `None` if the system refused it.
static THREADS: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    Builder::new_current_thread().thread_name("slow-work").on_thread_start(stand_back).build().ok()
});

/// Puts this thread behind all others. Without the policy it works all the same, and others wait
/// longer for it.
fn stand_back() {
    // What comes of it is asked for below: the priority within the policy, which has only one, may
    // be refused although the policy was taken.
    let _ = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, IDLE);
    if thread_schedule_policy() != Ok(IDLE) {
        REFUSED.store(true, Ordering::Relaxed);
    }
}

/// Slow work that is under way. It counts from the moment when it is handed over, because its
/// thread needs the processor to begin.
struct UnderWay;

impl UnderWay {
    fn begin() -> Option<Self> {
        // Threads that aren't behind anybody take their share themselves.
        (!REFUSED.load(Ordering::Relaxed)).then(|| {
            UNDER_WAY.fetch_add(1, Ordering::Relaxed);
            Self
        })
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether slow work stands behind those who answer requests.
pub(crate) fn is_under_way() -> bool {
    UNDER_WAY.load(Ordering::Relaxed) > 0
}

/// The work didn't end: it panicked, or the process is ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended;

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("slow work didn't end")
    }
}

impl error::Error for Ended {}

/// Runs slow work on a thread that stands behind those of the async runtime. It may wait for disks
/// and locks. Work that has begun goes on when nobody awaits it any more.
///
/// How much may run at once is the caller's to bound.
///
/// # Errors
/// [`Ended`].
pub async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Ended> {
    let under_way = UnderWay::begin();
    let work = move || {
        let _under_way = under_way;
        work()
    };
    let working = match &*THREADS {
        Some(threads) => threads.spawn_blocking(work),
        None => spawn_blocking(work),
    };
    working.await.map_err(|_| Ended)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn slow_work_runs_behind_all_others() {
        // Field 41 of proc(5)'s stat is the policy; 5 is SCHED_IDLE.
        let policy = || {
            let stat = fs::read_to_string("/proc/thread-self/stat").unwrap();
            let (_, fields) = stat.rsplit_once(')').unwrap();
            fields.split_whitespace().nth(38).unwrap().to_owned()
        };
        assert_eq!(run(policy).await.unwrap(), "5");
        assert_eq!(policy(), "0", "who awaits it stays where it is");
        assert!(run(is_under_way).await.unwrap());
    }

    #[tokio::test]
    async fn a_panic_is_told_and_the_threads_go_on() {
        assert_eq!(run(|| panic!("a test")).await, Err::<(), _>(Ended));
        assert_eq!(run(|| 7).await, Ok(7));
    }
}
