//! `process::harden`, in a process of its own because it can't be undone.

use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

#[test]
fn a_hardened_process_is_undumpable_and_stays_so() {
    assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::Dumpable);
    crypto::process::harden().unwrap();
    assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    let limit = getrlimit(Resource::Core);
    assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
    crypto::process::harden().expect("a second call changes nothing");
}
