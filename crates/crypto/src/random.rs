//! Random bytes from the library's generator (CTR_DRBG, seeded from the operating system).
//!
//! It must not know what the bytes become.

use zeroize::Zeroizing;

use crate::Error;

/// The most random bytes that one data key or one GenerateRandom has (AWS KMS API Reference,
/// GenerateRandom: NumberOfBytes 1 to 1024; GenerateDataKey has the same bounds).
pub const LONGEST: usize = 1024;

/// Fills `bytes` with random bytes.
///
/// # Errors
/// [`Error::Random`] if the generator failed; `bytes` must not be used then.
pub fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    aws_lc_rs::rand::fill(bytes).map_err(|_| Error::Random)
}

/// Makes `bytes` random bytes to hand to a caller, wiped when they are dropped.
///
/// # Errors
/// [`Error::RandomLength`] outside 1 to [`LONGEST`], [`Error::Random`] if the generator failed.
pub fn data_key(bytes: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
    if !(1..=LONGEST).contains(&bytes) {
        return Err(Error::RandomLength { bytes });
    }
    let mut key = Zeroizing::new(vec![0; bytes]);
    fill(&mut key)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_key_has_the_length_asked_for_and_differs_each_time() {
        for bytes in [16, 32, 1024] {
            let (one, other) = (data_key(bytes).unwrap(), data_key(bytes).unwrap());
            assert_eq!((one.len(), other.len()), (bytes, bytes));
            assert_ne!(one, other);
        }
        assert_eq!(data_key(1).unwrap().len(), 1);
    }

    #[test]
    fn lengths_outside_the_bounds_are_refused() {
        for bytes in [0, 1025, usize::MAX] {
            let refused = data_key(bytes).expect_err("out of bounds");
            assert!(matches!(refused, Error::RandomLength { bytes: told } if told == bytes));
        }
    }
}
