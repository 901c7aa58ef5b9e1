//! The PKCS#8 form of keys that are stored as their seed: ML-DSA (RFC 9881, 6) and ML-KEM
//! (RFC 9935, 6).
//!
//! It must not know how a key grows from its seed.

use crate::memory::Locked;
use crate::{Error, KeyRejection, der, random};

/// The length of an AlgorithmIdentifier of NIST's own algorithms, in bytes.
pub(crate) const ALGORITHM: usize = 13;

/// The version, in front of the algorithm.
const VERSION: [u8; 3] = [0x02, 0x01, 0x00];

/// AlgorithmIdentifier of 2.16.840.1.101.3.4 and two more arcs, without parameters.
pub(crate) const fn algorithm([arc, number]: [u8; 2]) -> [u8; ALGORITHM] {
    [0x30, 0x0B, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, arc, number]
}

/// The length of the PKCS#8 form of a seed of `seed` bytes.
pub(crate) const fn len(seed: usize) -> usize {
    2 + VERSION.len() + ALGORITHM + 4 + seed
}

/// A key with a new random seed.
pub(crate) fn generate(algorithm: &[u8; ALGORITHM], seed: usize) -> Result<Locked, Error> {
    filled(algorithm, seed, random::fill)
}

/// The key in `pkcs8`, in the one form that is stored.
///
/// # Errors
/// [`Error::KeyRejected`], also for keys that are given in their expanded form: a key can't be
/// brought back to its seed.
pub(crate) fn parse(
    algorithm: &[u8; ALGORITHM],
    seed: usize,
    pkcs8: &[u8],
) -> Result<Locked, Error> {
    let key = der::private_key(pkcs8, algorithm)?;
    filled(algorithm, seed, |slot| {
        // Nothing may follow the key, so the whole form has only one length.
        let prefix = seed_prefix(seed);
        let given = key.strip_prefix(&prefix).filter(|given| given.len() == seed);
        if pkcs8.len() != len(seed) {
            return Err(KeyRejection::Encoding.into());
        }
        slot.copy_from_slice(given.ok_or(KeyRejection::Encoding)?);
        Ok(())
    })
}

/// The tag `[0]` of a seed, and its length.
fn seed_prefix(seed: usize) -> [u8; 2] {
    [0x80, short(seed)]
}

/// A length that takes one byte; seeds have 32 or 64.
fn short(len: usize) -> u8 {
    let [.., low] = len.to_be_bytes();
    low
}

fn filled(
    algorithm: &[u8; ALGORITHM],
    seed: usize,
    fill: impl FnOnce(&mut [u8]) -> Result<(), Error>,
) -> Result<Locked, Error> {
    let prefix = [
        &[0x30, short(len(seed) - 2)],
        &VERSION[..],
        algorithm,
        &[0x04, short(seed + 2)],
        &seed_prefix(seed),
    ]
    .concat();
    Locked::filled(len(seed), |slot| {
        let (front, rest) = slot.split_at_mut(prefix.len());
        front.copy_from_slice(&prefix);
        fill(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ML_DSA_44: [u8; ALGORITHM] = algorithm([0x03, 0x11]);

    #[test]
    fn the_form_is_that_of_the_rfc() {
        let key = filled(&ML_DSA_44, 32, |slot| {
            slot.fill(7);
            Ok(())
        })
        .unwrap();
        let expected = [
            &[0x30, 0x34, 0x02, 0x01, 0x00, 0x30, 0x0B, 0x06, 0x09][..],
            &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11],
            &[0x04, 0x22, 0x80, 0x20],
            &[7; 32],
        ]
        .concat();
        assert_eq!(key.expose(), expected);
        assert_eq!(parse(&ML_DSA_44, 32, key.expose()).unwrap().expose(), expected);
    }

    #[test]
    fn other_forms_are_refused() {
        let key = generate(&ML_DSA_44, 32).unwrap();
        let refused = |pkcs8: &[u8], expected: KeyRejection| {
            let error = parse(&ML_DSA_44, 32, pkcs8).err().expect("refused");
            assert!(matches!(error, Error::KeyRejected(told) if told == expected), "{error}");
        };
        let bytes = key.expose();
        refused(&[bytes, &[0]].concat(), KeyRejection::Encoding);
        for len in 0..bytes.len() {
            refused(&bytes[..len], KeyRejection::Encoding);
        }
        for position in 0..bytes.len() - 32 {
            let mut altered = bytes.to_vec();
            altered[position] ^= 0x40;
            assert!(parse(&ML_DSA_44, 32, &altered).is_err(), "byte {position}");
        }
        let other = generate(&algorithm([0x03, 0x12]), 32).unwrap();
        refused(other.expose(), KeyRejection::Algorithm);
    }
}
