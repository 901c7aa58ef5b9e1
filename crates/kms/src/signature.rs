//! What Sign, Verify and the MAC operations check before the material is asked.

use service::Error;
use service::ports::Message;
use wire::enums::{MacAlgorithmSpec, MessageType, SigningAlgorithmSpec};

use crate::key::Key;
use crate::spec::{Algorithms, digest_length};

/// The length of ML-DSA's message representative, in bytes (FIPS 204, section 6.2).
const MU_LENGTH: usize = 64;

/// The message as this algorithm takes it.
///
/// # Errors
/// In this order: InvalidKeyUsageException for an algorithm that the key doesn't have,
/// ValidationException for a message type that the algorithm doesn't take, or for a wrong length.
pub(crate) fn message<'a>(
    key: &Key,
    algorithm: SigningAlgorithmSpec,
    kind: Option<MessageType>,
    bytes: &'a [u8],
) -> Result<Message<'a>, Error> {
    use SigningAlgorithmSpec as Algorithm;
    match key.algorithms() {
        Some(Algorithms::Signing(list)) if list.contains(&algorithm) => {}
        _ => return Err(key.incompatible(algorithm.as_str())),
    }
    let kind = kind.unwrap_or(MessageType::Raw);
    let invalid_length =
        || Error::validation(format!("Digest is invalid length for algorithm {algorithm}."));
    match (kind, algorithm, digest_length(algorithm)) {
        (MessageType::Raw, Algorithm::Ed25519PhSha512, _) => Err(wrong_type(kind, algorithm)),
        (MessageType::Raw, _, _) => Ok(Message::Raw(bytes)),
        (MessageType::Digest, _, Some(length)) if bytes.len() == length => {
            Ok(Message::Digest(bytes))
        }
        (MessageType::ExternalMu, Algorithm::MlDsaShake256, _) if bytes.len() == MU_LENGTH => {
            Ok(Message::ExternalMu(bytes))
        }
        (MessageType::Digest, _, Some(_))
        | (MessageType::ExternalMu, Algorithm::MlDsaShake256, _) => Err(invalid_length()),
        (MessageType::Digest | MessageType::ExternalMu, _, _) => Err(wrong_type(kind, algorithm)),
    }
}

fn wrong_type(kind: MessageType, algorithm: SigningAlgorithmSpec) -> Error {
    Error::validation(format!("MessageType {kind} is not valid for algorithm {algorithm}."))
}

/// Refuses a MAC algorithm that the key doesn't have.
///
/// # Errors
/// InvalidKeyUsageException.
pub(crate) fn macs_by(key: &Key, algorithm: MacAlgorithmSpec) -> Result<(), Error> {
    match key.algorithms() {
        Some(Algorithms::Mac(list)) if list.contains(&algorithm) => Ok(()),
        _ => Err(key.incompatible(algorithm.as_str())),
    }
}
