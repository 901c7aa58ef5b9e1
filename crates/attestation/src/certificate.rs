//! One X.509 certificate of a chain (RFC 5280): its syntax, and what it allows by itself.
//!
//! Owns which certificates can be in such a chain at all. Must not know which place one has.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, EcdsaVerificationAlgorithm, UnparsedPublicKey,
};
use der::asn1::ObjectIdentifier;
use der::{Decode as _, Encode as _, Reader as _, SliceReader};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::{TbsCertificate, Version};

use crate::Refusal;

/// id-ecPublicKey (RFC 5480, 2.1.1).
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// id-ce-basicConstraints (RFC 5280, 4.2.1.9).
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
/// id-ce-keyUsage (RFC 5280, 4.2.1.3).
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");

/// The curves of a chain's keys, each with the one hash that goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
}

impl Curve {
    /// The curve's own identifier (RFC 5480, 2.1.1.1).
    const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::P256 => ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
            Self::P384 => ObjectIdentifier::new_unwrap("1.3.132.0.34"),
        }
    }

    /// ecdsa-with-SHA256 and ecdsa-with-SHA384 (RFC 5758, 3.2).
    const fn signature_oid(self) -> ObjectIdentifier {
        match self {
            Self::P256 => ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2"),
            Self::P384 => ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3"),
        }
    }

    fn algorithm(self) -> &'static EcdsaVerificationAlgorithm {
        match self {
            Self::P256 => &ECDSA_P256_SHA256_ASN1,
            Self::P384 => &ECDSA_P384_SHA384_ASN1,
        }
    }
}

/// A certificate that is well formed; that its issuer signed it is yet to be verified.
#[derive(Clone)]
pub(crate) struct Certificate {
    /// What is signed, byte for byte as it came.
    signed: Vec<u8>,
    signed_by: ObjectIdentifier,
    signature: Vec<u8>,
    issuer: Vec<u8>,
    subject: Vec<u8>,
    /// In seconds since 1970-01-01T00:00:00Z; both ends are within.
    valid: (u64, u64),
    /// What the extension says, and whether it is critical.
    constraints: Option<(bool, BasicConstraints)>,
    usage: KeyUsage,
    pub(crate) curve: Curve,
    /// The public key as an encoded point (SEC 1, 2.3.3).
    pub(crate) point: Vec<u8>,
}

impl Certificate {
    pub(crate) fn parse(der: &[u8]) -> Result<Self, Refusal> {
        Self::read(der).and_then(|parts| Self::of(&parts)).ok_or(Refusal::Certificate)
    }

    /// Takes the outermost sequence apart, whose first part must be kept as it is.
    fn read(der: &[u8]) -> Option<Parts> {
        let mut reader = SliceReader::new(der).ok()?;
        let parts = reader.sequence(|reader| {
            Ok(Parts {
                signed: reader.tlv_bytes()?.to_vec(),
                algorithm: reader.decode()?,
                signature: reader.decode::<der::asn1::BitString>()?,
            })
        });
        let parts = parts.ok()?;
        reader.is_finished().then_some(parts)
    }

    fn of(parts: &Parts) -> Option<Self> {
        let body = TbsCertificate::from_der(&parts.signed).ok()?;
        // RFC 5280, 4.1.1.2: the two must be the same, for only one is signed.
        let consistent = body.version == Version::V3
            && body.signature == parts.algorithm
            && parts.algorithm.parameters.is_none();
        if !consistent || !understood(body.extensions.as_deref()?) {
            return None;
        }
        let (curve, point) = public_key(&body.subject_public_key_info)?;
        Some(Self {
            signed: parts.signed.clone(),
            signed_by: parts.algorithm.oid,
            signature: parts.signature.as_bytes()?.to_vec(),
            issuer: body.issuer.to_der().ok()?,
            subject: body.subject.to_der().ok()?,
            valid: (
                body.validity.not_before.to_unix_duration().as_secs(),
                body.validity.not_after.to_unix_duration().as_secs(),
            ),
            constraints: body.get().ok()?,
            usage: body.get::<KeyUsage>().ok()??.1,
            curve,
            point,
        })
    }

    /// Whether it is valid at that moment, in seconds since 1970-01-01T00:00:00Z.
    pub(crate) fn is_valid_at(&self, now: i64) -> bool {
        u64::try_from(now).is_ok_and(|now| self.valid.0 <= now && now <= self.valid.1)
    }

    /// Whether it may issue certificates below which `following` more authorities stand.
    pub(crate) fn is_authority(&self, following: usize) -> bool {
        // RFC 5280, 4.2.1.9: critical in a certificate that signs others.
        let Some((true, constraints)) = &self.constraints else { return false };
        let long_enough =
            constraints.path_len_constraint.is_none_or(|most| following <= usize::from(most));
        constraints.ca && long_enough && self.usage.key_cert_sign()
    }

    /// Whether it may sign what isn't a certificate.
    pub(crate) fn is_end_entity(&self) -> bool {
        let no_authority = self.constraints.as_ref().is_none_or(|(_, constraints)| {
            !constraints.ca && constraints.path_len_constraint.is_none()
        });
        no_authority && self.usage.digital_signature()
    }

    /// Whether it carries its issuer's name.
    pub(crate) fn names(&self, issuer: &Self) -> bool {
        self.issuer == issuer.subject
    }

    /// Whether its issuer signed it.
    pub(crate) fn is_signed_by(&self, issuer: &Self) -> bool {
        let key = UnparsedPublicKey::new(issuer.curve.algorithm(), &issuer.point);
        self.signed_by == issuer.curve.signature_oid()
            && key.verify(&self.signed, &self.signature).is_ok()
    }
}

struct Parts {
    signed: Vec<u8>,
    algorithm: AlgorithmIdentifierOwned,
    signature: der::asn1::BitString,
}

/// Whether there is no extension twice, and none that is critical and not known here.
fn understood(extensions: &[Extension]) -> bool {
    let known = |id: ObjectIdentifier| id == BASIC_CONSTRAINTS || id == KEY_USAGE;
    extensions.iter().enumerate().all(|(index, extension)| {
        let repeated = extensions[..index].iter().any(|other| other.extn_id == extension.extn_id);
        !repeated && (!extension.critical || known(extension.extn_id))
    })
}

fn public_key(info: &SubjectPublicKeyInfoOwned) -> Option<(Curve, Vec<u8>)> {
    let named: ObjectIdentifier = info.algorithm.parameters.as_ref()?.decode_as().ok()?;
    let curve = [Curve::P256, Curve::P384].into_iter().find(|curve| curve.oid() == named)?;
    let point = info.subject_public_key.as_bytes()?.to_vec();
    (info.algorithm.oid == EC_PUBLIC_KEY).then_some((curve, point))
}
