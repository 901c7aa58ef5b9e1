//! What a key of each spec can be: its usages and algorithms, as one table.
//!
//! Source: the developer guide's "Key spec reference".

use wire::enums::EncryptionAlgorithmSpec as Encryption;
use wire::enums::SigningAlgorithmSpec as Signing;
use wire::enums::{
    EncapsulationAlgorithmSpec, KeyAgreementAlgorithmSpec, KeySpec, KeyUsageType, MacAlgorithmSpec,
};

/// The algorithms of a key, by its usage; exactly one list of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithms {
    Encryption(&'static [Encryption]),
    Signing(&'static [Signing]),
    Mac(&'static [MacAlgorithmSpec]),
    KeyAgreement(&'static [KeyAgreementAlgorithmSpec]),
    Encapsulation(&'static [EncapsulationAlgorithmSpec]),
}

const OAEP: &[Encryption] = &[Encryption::RsaesOaepSha1, Encryption::RsaesOaepSha256];
const RSA_SIGNING: &[Signing] = &[
    Signing::RsassaPkcs1V15Sha256,
    Signing::RsassaPkcs1V15Sha384,
    Signing::RsassaPkcs1V15Sha512,
    Signing::RsassaPssSha256,
    Signing::RsassaPssSha384,
    Signing::RsassaPssSha512,
];

/// The algorithms of a key with this spec and usage; `None` where the two don't go together, or no
/// key of that spec can be made (SM2 exists in AWS's China Regions alone).
pub(crate) fn algorithms(spec: KeySpec, usage: KeyUsageType) -> Option<Algorithms> {
    use KeySpec as Spec;
    use KeyUsageType as Usage;
    let algorithms = match (spec, usage) {
        (Spec::SymmetricDefault, Usage::EncryptDecrypt) => {
            Algorithms::Encryption(&[Encryption::SymmetricDefault])
        }
        (Spec::Rsa2048 | Spec::Rsa3072 | Spec::Rsa4096, Usage::EncryptDecrypt) => {
            Algorithms::Encryption(OAEP)
        }
        (Spec::Rsa2048 | Spec::Rsa3072 | Spec::Rsa4096, Usage::SignVerify) => {
            Algorithms::Signing(RSA_SIGNING)
        }
        (Spec::EccNistP256 | Spec::EccSecgP256K1, Usage::SignVerify) => {
            Algorithms::Signing(&[Signing::EcdsaSha256])
        }
        (Spec::EccNistP384, Usage::SignVerify) => Algorithms::Signing(&[Signing::EcdsaSha384]),
        (Spec::EccNistP521, Usage::SignVerify) => Algorithms::Signing(&[Signing::EcdsaSha512]),
        (Spec::EccNistP256 | Spec::EccNistP384 | Spec::EccNistP521, Usage::KeyAgreement) => {
            Algorithms::KeyAgreement(&[KeyAgreementAlgorithmSpec::Ecdh])
        }
        (Spec::EccNistEdwards25519, Usage::SignVerify) => {
            Algorithms::Signing(&[Signing::Ed25519Sha512, Signing::Ed25519PhSha512])
        }
        (Spec::MlDsa44 | Spec::MlDsa65 | Spec::MlDsa87, Usage::SignVerify) => {
            Algorithms::Signing(&[Signing::MlDsaShake256])
        }
        (Spec::MlKem512 | Spec::MlKem768 | Spec::MlKem1024, Usage::EncapsulateDecapsulate) => {
            Algorithms::Encapsulation(&[EncapsulationAlgorithmSpec::MlKem])
        }
        (Spec::Hmac224, Usage::GenerateVerifyMac) => {
            Algorithms::Mac(&[MacAlgorithmSpec::HmacSha224])
        }
        (Spec::Hmac256, Usage::GenerateVerifyMac) => {
            Algorithms::Mac(&[MacAlgorithmSpec::HmacSha256])
        }
        (Spec::Hmac384, Usage::GenerateVerifyMac) => {
            Algorithms::Mac(&[MacAlgorithmSpec::HmacSha384])
        }
        (Spec::Hmac512, Usage::GenerateVerifyMac) => {
            Algorithms::Mac(&[MacAlgorithmSpec::HmacSha512])
        }
        _ => return None,
    };
    Some(algorithms)
}

/// Whether keys of that spec have a public key.
pub(crate) fn is_asymmetric(spec: KeySpec) -> bool {
    !matches!(
        spec,
        KeySpec::SymmetricDefault
            | KeySpec::Hmac224
            | KeySpec::Hmac256
            | KeySpec::Hmac384
            | KeySpec::Hmac512
    )
}

/// The longest plaintext that this algorithm encrypts under a key of that spec, in bytes: for OAEP
/// the modulus less two digests and two bytes (RFC 8017, section 7.1.1).
pub(crate) fn plaintext_max(spec: KeySpec, algorithm: Encryption) -> usize {
    let modulus = match spec {
        KeySpec::Rsa2048 => 256,
        KeySpec::Rsa3072 => 384,
        KeySpec::Rsa4096 => 512,
        _ => return 4096,
    };
    let digest = if algorithm == Encryption::RsaesOaepSha1 { 20 } else { 32 };
    modulus - 2 * digest - 2
}

/// The length of the digest that an algorithm signs, in bytes; `None` for those that take no
/// digest.
pub(crate) fn digest_length(algorithm: Signing) -> Option<usize> {
    match algorithm {
        Signing::RsassaPssSha256 | Signing::RsassaPkcs1V15Sha256 | Signing::EcdsaSha256 => Some(32),
        Signing::RsassaPssSha384 | Signing::RsassaPkcs1V15Sha384 | Signing::EcdsaSha384 => Some(48),
        Signing::RsassaPssSha512
        | Signing::RsassaPkcs1V15Sha512
        | Signing::EcdsaSha512
        | Signing::Ed25519PhSha512 => Some(64),
        Signing::Sm2Dsa | Signing::MlDsaShake256 | Signing::Ed25519Sha512 => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spec_but_sm2_has_a_usage_and_only_its_own() {
        for spec in KeySpec::ALL {
            let usages: Vec<_> =
                KeyUsageType::ALL.iter().filter(|u| algorithms(*spec, **u).is_some()).collect();
            let expected = match spec {
                KeySpec::Sm2 => 0,
                KeySpec::Rsa2048
                | KeySpec::Rsa3072
                | KeySpec::Rsa4096
                | KeySpec::EccNistP256
                | KeySpec::EccNistP384
                | KeySpec::EccNistP521 => 2,
                _ => 1,
            };
            assert_eq!(usages.len(), expected, "{spec}: {usages:?}");
        }
    }

    #[test]
    fn oaep_leaves_room_for_its_digests() {
        for (spec, sha1, sha256) in [
            (KeySpec::Rsa2048, 214, 190),
            (KeySpec::Rsa3072, 342, 318),
            (KeySpec::Rsa4096, 470, 446),
        ] {
            assert_eq!(plaintext_max(spec, Encryption::RsaesOaepSha1), sha1);
            assert_eq!(plaintext_max(spec, Encryption::RsaesOaepSha256), sha256);
        }
    }
}
