//! Protection of the whole process: no core dump, no debugger of the same user.
//!
//! It must not know what the process does.

use std::io;

use rustix::mm::MlockAllFlags;
use rustix::process::{DumpableBehavior, Resource, Rlimit};

use crate::Error;

/// Makes the process undumpable and sets its limit on core files to zero, for good.
///
/// Undumpable (prctl(2), PR_SET_DUMPABLE) also means that a process of the same user without
/// CAP_SYS_PTRACE can neither attach to this one nor read its `/proc` memory files. The limit is
/// set as well because it is inherited by child processes, which an `execve` makes dumpable
/// again. Call this before the first key is in memory.
///
/// # Errors
/// [`Error::NotHardened`] if the kernel refused; the process must not go on to load keys then.
pub fn harden() -> Result<(), Error> {
    let refused =
        |protection| move |errno| Error::NotHardened { protection, source: io::Error::from(errno) };
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(refused("PR_SET_DUMPABLE"))?;
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(Resource::Core, none).map_err(refused("RLIMIT_CORE"))
}

/// Locks all memory of the process into RAM, what it has and what it will get: each page from its
/// first use on (mlockall(2)). So parsed keys, which the library keeps on the ordinary heap, are
/// never written to swap.
///
/// # Errors
/// [`Error::NotHardened`] if the kernel refused, which it does where the limit on locked memory
/// (RLIMIT_MEMLOCK) is less than the process has.
pub fn lock_all_memory() -> Result<(), Error> {
    let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    rustix::mm::mlockall(flags).map_err(|errno| Error::NotHardened {
        protection: "mlockall; raise LimitMEMLOCK of the unit, or set memory.lock to \"keys\"",
        source: io::Error::from(errno),
    })
}
