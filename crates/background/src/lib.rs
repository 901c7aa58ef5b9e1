//! Work that takes long, done so that nobody waits for it but who asked for it.
//!
//! It owns the threads of slow work ([`run`]) and how they share the processor with the threads
//! that answer requests ([`give_way`]). It must not know what the work is.
//!
//! The kernel lets a thread that computes run until its timer ticks, up to 10 ms, even if another
//! one wakes up; that is many times what a quick request takes. So slow work runs under the policy
//! for what is idle (sched(7), SCHED_IDLE), where whoever wakes up goes first. Such threads
//! get next to nothing while others never sleep. So those who answer requests do sleep, shortly,
//! when there is slow work and they have left no fifth of the time to it.
//! Decision 23 says what was measured.

mod share;
mod threads;

pub use share::give_way;
pub use threads::{Ended, run};
