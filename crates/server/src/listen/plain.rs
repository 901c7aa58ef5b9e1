//! Where plain HTTP may be spoken.

use std::fmt;
use std::net::SocketAddr;

/// An address at which plain HTTP would leave the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainRefused(SocketAddr);

impl fmt::Display for PlainRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "refusing plain HTTP on {}: whoever is on the way could read plaintexts and session \
             tokens; give the listener a certificate and its private key, listen on a loopback \
             address such as 127.0.0.1, or allow plain HTTP there by name",
            self.0
        )
    }
}

impl std::error::Error for PlainRefused {}

/// Whether plain HTTP may be spoken at that address: on the loopback interface, and elsewhere only
/// where the operator allows it.
///
/// # Errors
/// [`PlainRefused`], with what to do.
pub fn check_plain(address: SocketAddr, is_allowed: bool) -> Result<(), PlainRefused> {
    if is_allowed || address.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    Err(PlainRefused(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_the_machine() {
        for address in ["127.0.0.1:80", "127.9.9.9:1", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
            assert_eq!(check_plain(address.parse().unwrap(), false), Ok(()), "{address}");
        }
        for address in ["0.0.0.0:80", "[::]:80", "192.0.2.1:80", "[2001:db8::1]:80"] {
            let address = address.parse().unwrap();
            let refused = check_plain(address, false).unwrap_err().to_string();
            assert!(refused.contains(&address.to_string()), "{refused}");
            assert_eq!(check_plain(address, true), Ok(()));
        }
    }
}
