//! The kinds of material, and how each is made, wrapped and opened again.

use std::sync::Arc;

use crypto::{
    Curve, DataKeyPairSpec as PairSpec, DomainKey, EcKey, Ed25519Key, MacKey, MacSpec, MlDsaKey,
    MlDsaSpec, MlKemKey, MlKemSpec, RsaKey, RsaSpec, SymmetricKey,
};
use service::ports::{DataKeyPair, KeyStoreError, Material, MaterialId, Opened};
use wire::enums::{DataKeyPairSpec, KeySpec};

use super::edwards::Edwards;
use super::elliptic::Elliptic;
use super::lattice::{Encapsulating, LatticeSigning};
use super::mac::Mac;
use super::offload::Workers;
use super::rsa::Rsa;
use super::symmetric::Symmetric;
use super::{BoundName, unavailable, unopened};

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

    /// Makes new material; gives it wrapped under the domain key, and its handle.
    pub(super) fn make(
        self,
        domain: &DomainKey,
        name: &BoundName,
        workers: &Arc<Workers>,
    ) -> Result<(Vec<u8>, Opened), KeyStoreError> {
        /// The same four steps for each kind, by the methods of that kind.
        macro_rules! make {
            ($key:expr, $wrap:ident, $handle:expr) => {{
                let key = $key.map_err(unavailable)?;
                let id = MaterialId(key.material_id(&name.identity).map_err(unavailable)?);
                let wrapped = domain.$wrap(&key, &name.associated(id)).map_err(unavailable)?;
                let material: Arc<dyn Material> = Arc::new($handle(key));
                Ok((wrapped, Opened { id, material }))
            }};
        }
        match self {
            Self::Symmetric => make!(SymmetricKey::generate(), wrap_symmetric, Symmetric::new),
            Self::Rsa(spec) => {
                make!(RsaKey::generate(spec), wrap_rsa, |key| Rsa::new(key, workers))
            }
            Self::Elliptic(curve) => make!(EcKey::generate(curve), wrap_ec, Elliptic::new),
            Self::Edwards => make!(Ed25519Key::generate(), wrap_ed25519, Edwards::new),
            Self::Mac(spec) => make!(MacKey::generate(spec), wrap_mac, Mac::new),
            Self::LatticeSigning(spec) => {
                make!(MlDsaKey::generate(spec), wrap_ml_dsa, LatticeSigning::new)
            }
            Self::Encapsulating(spec) => {
                make!(MlKemKey::generate(spec), wrap_ml_kem, Encapsulating::new)
            }
        }
    }

    /// Opens wrapped material.
    pub(super) fn open(
        self,
        domain: &DomainKey,
        wrapped: &[u8],
        bound: &[u8],
        workers: &Arc<Workers>,
    ) -> Result<Arc<dyn Material>, KeyStoreError> {
        Ok(match self {
            Self::Symmetric => {
                Arc::new(Symmetric::new(domain.unwrap_symmetric(wrapped, bound).map_err(unopened)?))
            }
            Self::Rsa(spec) => {
                let key = domain.unwrap_rsa(spec, wrapped, bound).map_err(unopened)?;
                Arc::new(Rsa::new(key, workers))
            }
            Self::Elliptic(curve) => {
                Arc::new(Elliptic::new(domain.unwrap_ec(curve, wrapped, bound).map_err(unopened)?))
            }
            Self::Edwards => {
                Arc::new(Edwards::new(domain.unwrap_ed25519(wrapped, bound).map_err(unopened)?))
            }
            Self::Mac(spec) => {
                Arc::new(Mac::new(domain.unwrap_mac(spec, wrapped, bound).map_err(unopened)?))
            }
            Self::LatticeSigning(spec) => {
                let key = domain.unwrap_ml_dsa(spec, wrapped, bound).map_err(unopened)?;
                Arc::new(LatticeSigning::new(key))
            }
            Self::Encapsulating(spec) => {
                let key = domain.unwrap_ml_kem(spec, wrapped, bound).map_err(unopened)?;
                Arc::new(Encapsulating::new(key))
            }
        })
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
