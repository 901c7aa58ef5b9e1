//! The material of an HMAC key.

use std::future::ready;

use crypto::MacKey;
use service::ports::{Material, MaterialError, Pending};
use wire::enums::MacAlgorithmSpec;

use super::unavailable;

/// A handle of material in locked memory. The key's spec decides the hash; the services let no
/// other algorithm through.
pub(super) struct Mac(MacKey);

impl Mac {
    pub(super) fn new(key: MacKey) -> Self {
        Self(key)
    }
}

impl Material for Mac {
    fn mac<'a>(
        &'a self,
        _: MacAlgorithmSpec,
        message: &'a [u8],
    ) -> Pending<'a, Result<Vec<u8>, MaterialError>> {
        Box::pin(ready(self.0.mac(message).map_err(|error| unavailable(error).into())))
    }

    fn verify_mac<'a>(
        &'a self,
        _: MacAlgorithmSpec,
        message: &'a [u8],
        mac: &'a [u8],
    ) -> Pending<'a, Result<bool, MaterialError>> {
        let verified = match self.0.verify(message, mac) {
            Ok(()) => Ok(true),
            Err(crypto::Error::InvalidMac) => Ok(false),
            Err(error) => Err(unavailable(error).into()),
        };
        Box::pin(ready(verified))
    }
}
