//! The limit on locked memory, in a process of its own because the limit is the process's.

use crypto::{DomainKey, Error, RootKey, SymmetricKey};
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};

/// Root may lock memory without limit, which would make this test of nothing.
fn give_up_the_capability() {
    let CapabilitySets { effective, permitted, inheritable } = capabilities(None).unwrap();
    let without = |set: CapabilitySet| set - CapabilitySet::IPC_LOCK;
    let sets = CapabilitySets {
        effective: without(effective),
        permitted: without(permitted),
        inheritable: without(inheritable),
    };
    set_capabilities(None, sets).unwrap();
}

#[test]
fn a_limit_that_is_reached_is_an_error_and_never_unlocked_memory() {
    give_up_the_capability();
    let limit = Rlimit { current: Some(64 * 1024), maximum: Some(64 * 1024) };
    setrlimit(Resource::Memlock, limit).unwrap();

    let root = RootKey::generate().unwrap();
    let domain = DomainKey::generate().unwrap();
    let mut keys = Vec::new();
    let refused = loop {
        match SymmetricKey::generate() {
            Ok(key) => keys.push(key),
            Err(refused) => break refused,
        }
        assert!(keys.len() < 100_000, "the limit holds nothing back");
    };
    assert!(matches!(refused, Error::MemoryNotLocked { .. }));
    assert!(refused.to_string().contains("LimitMEMLOCK"), "{refused}");
    // Nearly all of what the limit allows was used: 64 KiB are 2,048 keys.
    assert!(keys.len() > 1900, "only {} keys fit", keys.len());

    // What is there goes on working, and what is given back can be taken again.
    let wrapped = domain.wrap_symmetric(&keys[0], b"binding").unwrap();
    assert!(matches!(
        domain.unwrap_symmetric(&wrapped, b"binding").err(),
        Some(Error::MemoryNotLocked { .. })
    ));
    drop(keys);
    assert!(domain.unwrap_symmetric(&wrapped, b"binding").is_ok());
    assert!(root.wrap_domain_key(&domain, b"binding").is_ok());
}
