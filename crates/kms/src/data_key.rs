//! What the makers of random bytes share.

use service::Error;
use wire::enums::{DataKeyPairSpec, DataKeySpec};
use wire::shapes::NumberOfBytes;
use wire::{ErrorCode, Integer as _};

/// The length of a data key, in bytes.
///
/// # Errors
/// ValidationException unless the request gives exactly one of the two.
pub(crate) fn length(
    spec: Option<DataKeySpec>,
    number_of_bytes: Option<NumberOfBytes>,
) -> Result<usize, Error> {
    match (spec, number_of_bytes) {
        (Some(DataKeySpec::Aes256), None) => Ok(32),
        (Some(DataKeySpec::Aes128), None) => Ok(16),
        // The shape's bounds are 1 to 1,024.
        (None, Some(number)) => Ok(usize::try_from(number.value()).unwrap_or(1)),
        _ => Err(Error::validation("Please specify either number of bytes or key spec.")),
    }
}

/// The spec of a data key pair, if one can be made.
///
/// # Errors
/// UnsupportedOperationException for SM2, which exists in AWS's China Regions alone.
pub(crate) fn pair_spec(spec: DataKeyPairSpec) -> Result<DataKeyPairSpec, Error> {
    match spec {
        DataKeyPairSpec::Sm2 => Err(Error::new(
            ErrorCode::UnsupportedOperationException,
            format!("KeyPairSpec {spec} is not supported in this Region"),
        )),
        other => Ok(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_length_is_given() {
        let bytes = NumberOfBytes::of(5);
        assert_eq!(length(Some(DataKeySpec::Aes256), None).unwrap(), 32);
        assert_eq!(length(Some(DataKeySpec::Aes128), None).unwrap(), 16);
        assert_eq!(length(None, Some(bytes)).unwrap(), 5);
        assert!(length(None, None).is_err());
        assert!(length(Some(DataKeySpec::Aes256), Some(bytes)).is_err());
    }
}
