//! Keys under keys: the stored form of a key that another key protects.
//!
//! It owns that form, version 1: a version byte and an envelope. It must not know which key
//! wraps which, nor what the binding says.

use std::ops::RangeInclusive;

use crate::derive::Label;
use crate::envelope::{self, Envelope, Salt};
use crate::memory::Locked;
use crate::{Error, Unopened};

const VERSION: u8 = 1;

/// Wraps `key` under `secret`, bound to `binding`.
pub(crate) fn wrap(
    secret: &Locked,
    label: Label,
    salt: &Salt,
    binding: &[u8],
    key: &Locked,
) -> Result<Vec<u8>, Error> {
    let key = key.expose();
    let mut wrapped = Vec::with_capacity(1 + key.len() + envelope::OVERHEAD);
    wrapped.push(VERSION);
    envelope::seal(secret, label, salt, &aad(label, binding), key, &mut wrapped)?;
    Ok(wrapped)
}

/// Opens what [`wrap`] made of a key whose length in bytes is one of `lengths`.
///
/// # Errors
/// [`Error::Unopened`], also for a key of another length; the arena's if there is no slot.
pub(crate) fn unwrap(
    secret: &Locked,
    label: Label,
    binding: &[u8],
    wrapped: &[u8],
    lengths: RangeInclusive<usize>,
) -> Result<Locked, Error> {
    let (&[version], envelope) = wrapped.split_first_chunk().ok_or(Unopened)?;
    let envelope = Envelope::parse(envelope)?;
    let len = envelope.ciphertext.len();
    if version != VERSION || !lengths.contains(&len) {
        return Err(Unopened.into());
    }
    Locked::filled(len, |slot| Ok(envelope.open(secret, label, &aad(label, binding), slot)?))
}

/// The label stands in front of the binding, so that the version of the form and the kind of the
/// key are authenticated as well.
fn aad(label: Label, binding: &[u8]) -> Vec<u8> {
    [label.as_bytes(), &[0], binding].concat()
}
