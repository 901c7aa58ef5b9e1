//! How many connections each address has, so that one client can't have them all.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// The connections of each address.
pub(super) struct Addresses {
    counts: Mutex<HashMap<IpAddr, usize>>,
    max: usize,
}

/// The place of one connection, which is free again when this is dropped.
pub(super) struct Place {
    addresses: Arc<Addresses>,
    block: IpAddr,
}

impl Addresses {
    pub(super) fn new(max: usize) -> Self {
        Self { counts: Mutex::default(), max }
    }

    /// A place for a connection from that address, unless it has too many.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let block = block(address);
        // Nothing panics while it holds the lock.
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(block).or_default();
        if *count >= self.max {
            return None;
        }
        *count += 1;
        Some(Place { addresses: Arc::clone(self), block })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.addresses.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.block) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.block);
            }
        }
    }
}

/// What counts as one client: an IPv4 address, or the /64 that an IPv6 host chooses its addresses
/// from as it likes (RFC 4291, 2.5.4).
fn block(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_its_share_and_gets_it_back() {
        let addresses = Arc::new(Addresses::new(2));
        let first = addresses.enter(address("192.0.2.1"));
        let second = addresses.enter(address("192.0.2.1"));
        assert!(first.is_some() && second.is_some());
        assert!(addresses.enter(address("192.0.2.1")).is_none());
        assert!(addresses.enter(address("::ffff:192.0.2.1")).is_none());
        assert!(addresses.enter(address("192.0.2.2")).is_some());
        drop(first);
        assert!(addresses.enter(address("192.0.2.1")).is_some());
        drop(second);
        assert!(addresses.counts.lock().unwrap().is_empty());
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        let addresses = Arc::new(Addresses::new(1));
        let _place = addresses.enter(address("2001:db8::1"));
        assert!(addresses.enter(address("2001:db8::ffff:2")).is_none());
        assert!(addresses.enter(address("2001:db8:0:1::1")).is_some());
    }
}
