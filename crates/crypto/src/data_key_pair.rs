//! Key pairs that are made for a caller and forgotten: GenerateDataKeyPair.
//!
//! It must not know under which key the private half is encrypted.

use zeroize::Zeroizing;

use crate::memory::Locked;
use crate::{Curve, EcKey, Ed25519Key, Error, MlKemKey, MlKemSpec, RsaKey, RsaSpec};

/// The kinds of data key pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataKeyPairSpec {
    /// RSA_2048, RSA_3072, RSA_4096.
    Rsa(RsaSpec),
    /// ECC_NIST_P256, ECC_NIST_P384, ECC_NIST_P521, ECC_SECG_P256K1.
    Ec(Curve),
    /// ECC_NIST_EDWARDS25519.
    Ed25519,
    /// ML_KEM_512, ML_KEM_768, ML_KEM_1024.
    MlKem(MlKemSpec),
}

/// A key pair of which this crate keeps nothing.
pub struct DataKeyPair {
    /// The private key in DER-encoded PKCS#8 (RFC 5208), wiped when it is dropped. An ML-KEM key
    /// is its seed (RFC 9935, 6).
    pub private_key: Zeroizing<Vec<u8>>,
    /// The public key as a DER SubjectPublicKeyInfo.
    pub public_key: Vec<u8>,
}

impl DataKeyPair {
    /// Makes a new key pair. RSA takes 30 ms to 2 s.
    ///
    /// # Errors
    /// [`Error::Library`], [`Error::Random`], [`Error::MemoryNotLocked`].
    pub fn generate(spec: DataKeyPairSpec) -> Result<Self, Error> {
        match spec {
            DataKeyPairSpec::Rsa(spec) => {
                let key = RsaKey::generate(spec)?;
                Ok(Self::new(&key.pkcs8()?, key.public_key()))
            }
            DataKeyPairSpec::Ec(curve) => {
                let key = EcKey::generate(curve)?;
                Ok(Self::new(&key.pkcs8()?, key.public_key()))
            }
            DataKeyPairSpec::Ed25519 => {
                let key = Ed25519Key::generate()?;
                Ok(Self::new(&key.pkcs8()?, key.public_key()))
            }
            DataKeyPairSpec::MlKem(spec) => {
                let key = MlKemKey::generate(spec)?;
                Ok(Self::new(key.pkcs8(), key.public_key()))
            }
        }
    }

    fn new(private_key: &Locked, public_key: &[u8]) -> Self {
        Self {
            private_key: Zeroizing::new(private_key.expose().to_vec()),
            public_key: public_key.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_private_key_is_that_of_the_public_one() {
        let pair = |spec| DataKeyPair::generate(spec).unwrap();
        let made = pair(DataKeyPairSpec::Rsa(RsaSpec::Rsa2048));
        let key = RsaKey::from_pkcs8(RsaSpec::Rsa2048, &made.private_key).unwrap();
        assert_eq!(key.public_key(), made.public_key);
        for curve in [Curve::P256, Curve::P384, Curve::P521, Curve::Secp256k1] {
            let made = pair(DataKeyPairSpec::Ec(curve));
            let key = EcKey::from_pkcs8(curve, &made.private_key).unwrap();
            assert_eq!(key.public_key(), made.public_key);
        }
        let made = pair(DataKeyPairSpec::Ed25519);
        let key = Ed25519Key::from_pkcs8(&made.private_key).unwrap();
        assert_eq!(key.public_key(), made.public_key);
        for spec in [MlKemSpec::MlKem512, MlKemSpec::MlKem768, MlKemSpec::MlKem1024] {
            let made = pair(DataKeyPairSpec::MlKem(spec));
            let key = MlKemKey::from_pkcs8(spec, &made.private_key).unwrap();
            assert_eq!(key.public_key(), made.public_key);
        }
    }

    #[test]
    fn no_two_pairs_are_the_same() {
        let [one, other] =
            [(); 2].map(|()| DataKeyPair::generate(DataKeyPairSpec::Ec(Curve::P256)).unwrap());
        assert_ne!(one.private_key, other.private_key);
        assert_ne!(one.public_key, other.public_key);
    }
}
