//! The kinds of material, and how each is made, taken from outside, wrapped and opened again.

use std::sync::Arc;

use crypto::{
    Curve, DataKeyPairSpec as PairSpec, DomainKey, EcKey, Ed25519Key, ImportedMaterial, MacKey,
    MacSpec, MlDsaKey, MlDsaSpec, MlKemKey, MlKemSpec, RsaKey, RsaSpec, StoredKind, SymmetricKey,
};
use service::ports::{DataKeyPair, KeyStoreError, Material, MaterialId};
use wire::enums::{DataKeyPairSpec, KeySpec};

use super::edwards::Edwards;
use super::elliptic::Elliptic;
use super::lattice::{Encapsulating, LatticeSigning};
use super::mac::Mac;
use super::offload::Workers;
use super::rsa::Rsa;
use super::symmetric::Symmetric;
use super::unavailable;

/// A kind of material.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Symmetric,
    Rsa(RsaSpec),
    Elliptic(Curve),
    Edwards,
    Mac(MacSpec),
    LatticeSigning(MlDsaSpec),
    Encapsulating(MlKemSpec),
}

impl Kind {
    /// The kind of a key spec.
    ///
    /// # Errors
    /// [`KeyStoreError::Unsupported`] for SM2.
    pub(super) fn of(spec: KeySpec) -> Result<Self, KeyStoreError> {
        Ok(match spec {
            KeySpec::SymmetricDefault => Self::Symmetric,
            KeySpec::Rsa2048 => Self::Rsa(RsaSpec::Rsa2048),
            KeySpec::Rsa3072 => Self::Rsa(RsaSpec::Rsa3072),
            KeySpec::Rsa4096 => Self::Rsa(RsaSpec::Rsa4096),
            KeySpec::EccNistP256 => Self::Elliptic(Curve::P256),
            KeySpec::EccNistP384 => Self::Elliptic(Curve::P384),
            KeySpec::EccNistP521 => Self::Elliptic(Curve::P521),
            KeySpec::EccSecgP256K1 => Self::Elliptic(Curve::Secp256k1),
            KeySpec::EccNistEdwards25519 => Self::Edwards,
            KeySpec::Hmac224 => Self::Mac(MacSpec::Hmac224),
            KeySpec::Hmac256 => Self::Mac(MacSpec::Hmac256),
            KeySpec::Hmac384 => Self::Mac(MacSpec::Hmac384),
            KeySpec::Hmac512 => Self::Mac(MacSpec::Hmac512),
            KeySpec::MlDsa44 => Self::LatticeSigning(MlDsaSpec::MlDsa44),
            KeySpec::MlDsa65 => Self::LatticeSigning(MlDsaSpec::MlDsa65),
            KeySpec::MlDsa87 => Self::LatticeSigning(MlDsaSpec::MlDsa87),
            KeySpec::MlKem512 => Self::Encapsulating(MlKemSpec::MlKem512),
            KeySpec::MlKem768 => Self::Encapsulating(MlKemSpec::MlKem768),
            KeySpec::MlKem1024 => Self::Encapsulating(MlKemSpec::MlKem1024),
            KeySpec::Sm2 => return Err(KeyStoreError::Unsupported),
        })
    }

    /// Whether making it takes so long that others would wait: finding RSA's primes does.
    pub(super) fn is_slow_to_make(self) -> bool {
        matches!(self, Self::Rsa(_))
    }

    /// How it is stored.
    pub(super) fn stored(self) -> StoredKind {
        match self {
            Self::Symmetric => StoredKind::Symmetric,
            Self::Rsa(_) => StoredKind::Rsa,
            Self::Elliptic(_) => StoredKind::Ec,
            Self::Edwards => StoredKind::Ed25519,
            Self::Mac(_) => StoredKind::Mac,
            Self::LatticeSigning(_) => StoredKind::MlDsa,
            Self::Encapsulating(_) => StoredKind::MlKem,
        }
    }

    /// Makes new material.
    pub(super) fn generate(self) -> Result<Secret, crypto::Error> {
        Ok(match self {
            Self::Symmetric => Secret::Symmetric(SymmetricKey::generate()?),
            Self::Rsa(spec) => Secret::Rsa(Box::new(RsaKey::generate(spec)?)),
            Self::Elliptic(curve) => Secret::Elliptic(EcKey::generate(curve)?),
            Self::Edwards => Secret::Edwards(Ed25519Key::generate()?),
            Self::Mac(spec) => Secret::Mac(MacKey::generate(spec)?),
            Self::LatticeSigning(spec) => Secret::LatticeSigning(MlDsaKey::generate(spec)?),
            Self::Encapsulating(spec) => Secret::Encapsulating(MlKemKey::generate(spec)?),
        })
    }

    /// Takes material that came from outside.
    pub(super) fn take(self, material: &ImportedMaterial) -> Result<Secret, crypto::Error> {
        Ok(match self {
            Self::Symmetric => Secret::Symmetric(material.symmetric()?),
            Self::Rsa(spec) => Secret::Rsa(Box::new(material.rsa(spec)?)),
            Self::Elliptic(curve) => Secret::Elliptic(material.ec(curve)?),
            Self::Edwards => Secret::Edwards(material.ed25519()?),
            Self::Mac(spec) => Secret::Mac(material.mac(spec)?),
            Self::LatticeSigning(spec) => Secret::LatticeSigning(material.ml_dsa(spec)?),
            Self::Encapsulating(spec) => Secret::Encapsulating(material.ml_kem(spec)?),
        })
    }

    /// Opens wrapped material.
    pub(super) fn unwrap(
        self,
        domain: &DomainKey,
        wrapped: &[u8],
        bound: &[u8],
    ) -> Result<Secret, crypto::Error> {
        Ok(match self {
            Self::Symmetric => Secret::Symmetric(domain.unwrap_symmetric(wrapped, bound)?),
            Self::Rsa(spec) => Secret::Rsa(Box::new(domain.unwrap_rsa(spec, wrapped, bound)?)),
            Self::Elliptic(curve) => Secret::Elliptic(domain.unwrap_ec(curve, wrapped, bound)?),
            Self::Edwards => Secret::Edwards(domain.unwrap_ed25519(wrapped, bound)?),
            Self::Mac(spec) => Secret::Mac(domain.unwrap_mac(spec, wrapped, bound)?),
            Self::LatticeSigning(spec) => {
                Secret::LatticeSigning(domain.unwrap_ml_dsa(spec, wrapped, bound)?)
            }
            Self::Encapsulating(spec) => {
                Secret::Encapsulating(domain.unwrap_ml_kem(spec, wrapped, bound)?)
            }
        })
    }
}

/// A key, as crate `crypto` holds it.
pub(super) enum Secret {
    Symmetric(SymmetricKey),
    Rsa(Box<RsaKey>),
    Elliptic(EcKey),
    Edwards(Ed25519Key),
    Mac(MacKey),
    LatticeSigning(MlDsaKey),
    Encapsulating(MlKemKey),
}

impl Secret {
    /// The id of the material, bound to the key's identity.
    pub(super) fn id(&self, identity: &[u8]) -> Result<MaterialId, crypto::Error> {
        let id = match self {
            Self::Symmetric(key) => key.material_id(identity),
            Self::Rsa(key) => key.material_id(identity),
            Self::Elliptic(key) => key.material_id(identity),
            Self::Edwards(key) => key.material_id(identity),
            Self::Mac(key) => key.material_id(identity),
            Self::LatticeSigning(key) => key.material_id(identity),
            Self::Encapsulating(key) => key.material_id(identity),
        };
        id.map(MaterialId)
    }

    /// Wraps it for storage.
    pub(super) fn wrap(&self, domain: &DomainKey, bound: &[u8]) -> Result<Vec<u8>, crypto::Error> {
        match self {
            Self::Symmetric(key) => domain.wrap_symmetric(key, bound),
            Self::Rsa(key) => domain.wrap_rsa(key, bound),
            Self::Elliptic(key) => domain.wrap_ec(key, bound),
            Self::Edwards(key) => domain.wrap_ed25519(key, bound),
            Self::Mac(key) => domain.wrap_mac(key, bound),
            Self::LatticeSigning(key) => domain.wrap_ml_dsa(key, bound),
            Self::Encapsulating(key) => domain.wrap_ml_kem(key, bound),
        }
    }

    /// Makes it ready for use.
    pub(super) fn handle(self, workers: &Arc<Workers>) -> Arc<dyn Material> {
        match self {
            Self::Symmetric(key) => Arc::new(Symmetric::new(key)),
            Self::Rsa(key) => Arc::new(Rsa::new(*key, workers)),
            Self::Elliptic(key) => Arc::new(Elliptic::new(key)),
            Self::Edwards(key) => Arc::new(Edwards::new(key)),
            Self::Mac(key) => Arc::new(Mac::new(key)),
            Self::LatticeSigning(key) => Arc::new(LatticeSigning::new(key)),
            Self::Encapsulating(key) => Arc::new(Encapsulating::new(key)),
        }
    }
}

/// Makes a key pair to be given away.
pub(super) fn data_key_pair(spec: DataKeyPairSpec) -> Result<DataKeyPair, KeyStoreError> {
    let spec = match Kind::of(spec.into())? {
        Kind::Rsa(spec) => PairSpec::Rsa(spec),
        Kind::Elliptic(curve) => PairSpec::Ec(curve),
        Kind::Edwards => PairSpec::Ed25519,
        Kind::Encapsulating(spec) => PairSpec::MlKem(spec),
        Kind::Symmetric | Kind::Mac(_) | Kind::LatticeSigning(_) => {
            return Err(KeyStoreError::Unsupported);
        }
    };
    let pair = crypto::DataKeyPair::generate(spec).map_err(unavailable)?;
    Ok(DataKeyPair { private_key: pair.private_key, public_key: pair.public_key })
}
