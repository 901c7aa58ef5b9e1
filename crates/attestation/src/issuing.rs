//! Issues certificates and documents for the tests, with a wrong part wherever one is wanted.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING,
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _,
};
use ciborium::Value;
use coset::iana::Algorithm;
use coset::{CborSerializable as _, CoseSign1Builder, HeaderBuilder};
use der::asn1::{Any, BitString, ObjectIdentifier, OctetString, UtcTime};
use der::{DateTime, Encode as _};
use x509_cert::ext::Extension;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity};
use x509_cert::{Certificate, TbsCertificate, Version};

use crate::Roots;

/// The moment at which what is issued here is valid, for an hour before and after.
pub(crate) const NOW: i64 = 1_800_000_000;

pub(crate) const CA: &[u8] = &[0x30, 0x03, 0x01, 0x01, 0xFF];
pub(crate) const NO_CA: &[u8] = &[0x30, 0x00];
pub(crate) const CERT_SIGN: &[u8] = &[0x03, 0x02, 0x02, 0x04];
pub(crate) const DIGITAL_SIGNATURE: &[u8] = &[0x03, 0x02, 0x07, 0x80];

/// BasicConstraints of an authority below which `most` more may stand.
pub(crate) fn ca_below(most: u8) -> Vec<u8> {
    vec![0x30, 0x06, 0x01, 0x01, 0xFF, 0x02, 0x01, most]
}

pub(crate) fn extension(id: &str, critical: bool, value: &[u8]) -> Extension {
    Extension {
        extn_id: id.parse().unwrap(),
        critical,
        extn_value: OctetString::new(value).unwrap(),
    }
}

/// A key pair on P-384, or on P-256.
pub(crate) struct Key {
    pair: EcdsaKeyPair,
    curve: &'static str,
    algorithm: &'static str,
}

impl Key {
    pub(crate) fn p384() -> Self {
        Self::on(&ECDSA_P384_SHA384_ASN1_SIGNING, "1.3.132.0.34", "1.2.840.10045.4.3.3")
    }

    pub(crate) fn p256() -> Self {
        Self::on(&ECDSA_P256_SHA256_ASN1_SIGNING, "1.2.840.10045.3.1.7", "1.2.840.10045.4.3.2")
    }

    fn on(
        signing: &'static EcdsaSigningAlgorithm,
        curve: &'static str,
        algorithm: &'static str,
    ) -> Self {
        Self { pair: EcdsaKeyPair::generate(signing).unwrap(), curve, algorithm }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }

    /// The same key's signature in the form that COSE has.
    fn sign_fixed(&self, message: &[u8]) -> Vec<u8> {
        let pkcs8 = self.pair.to_pkcs8v1().unwrap();
        let fixed = &ECDSA_P384_SHA384_FIXED_SIGNING;
        let Ok(pair) = EcdsaKeyPair::from_pkcs8(fixed, pkcs8.as_ref()) else {
            return vec![0; 96];
        };
        pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }
}

/// What a certificate says, to be changed before it is signed.
pub(crate) struct Draft {
    pub(crate) body: TbsCertificate,
}

impl Draft {
    pub(crate) fn new(subject: &str, issuer: &str, key: &Key, extensions: Vec<Extension>) -> Self {
        let at = |seconds: i64| {
            let time = std::time::Duration::from_secs(u64::try_from(seconds).unwrap());
            Time::UtcTime(
                UtcTime::from_date_time(DateTime::from_unix_duration(time).unwrap()).unwrap(),
            )
        };
        let body = TbsCertificate {
            version: Version::V3,
            serial_number: SerialNumber::new(&[1]).unwrap(),
            signature: identifier("1.2.840.10045.4.3.3"),
            issuer: issuer.parse().unwrap(),
            validity: Validity { not_before: at(NOW - 3600), not_after: at(NOW + 3600) },
            subject: subject.parse().unwrap(),
            subject_public_key_info: SubjectPublicKeyInfoOwned {
                algorithm: AlgorithmIdentifierOwned {
                    oid: ObjectIdentifier::new_unwrap("1.2.840.10045.2.1"),
                    parameters: Some(
                        Any::encode_from(&key.curve.parse::<ObjectIdentifier>().unwrap()).unwrap(),
                    ),
                },
                subject_public_key: BitString::from_bytes(key.pair.public_key().as_ref()).unwrap(),
            },
            issuer_unique_id: None,
            subject_unique_id: None,
            extensions: Some(extensions),
        };
        Self { body }
    }

    pub(crate) fn authority(subject: &str, issuer: &str, key: &Key, constraints: &[u8]) -> Self {
        let extensions = vec![
            extension("2.5.29.19", true, constraints),
            extension("2.5.29.15", true, CERT_SIGN),
        ];
        Self::new(subject, issuer, key, extensions)
    }

    pub(crate) fn end_entity(subject: &str, issuer: &str, key: &Key) -> Self {
        let extensions = vec![
            extension("2.5.29.19", true, NO_CA),
            extension("2.5.29.15", false, DIGITAL_SIGNATURE),
        ];
        Self::new(subject, issuer, key, extensions)
    }

    pub(crate) fn extensions(&mut self) -> &mut Vec<Extension> {
        self.body.extensions.as_mut().unwrap()
    }

    pub(crate) fn signed_by(mut self, issuer: &Key) -> Vec<u8> {
        self.body.signature = identifier(issuer.algorithm);
        self.signed_as_it_is_by(issuer)
    }

    pub(crate) fn signed_as_it_is_by(self, issuer: &Key) -> Vec<u8> {
        let signature = issuer.sign(&self.body.to_der().unwrap());
        let certificate = Certificate {
            tbs_certificate: self.body,
            signature_algorithm: identifier(issuer.algorithm),
            signature: BitString::from_bytes(&signature).unwrap(),
        };
        certificate.to_der().unwrap()
    }
}

fn identifier(oid: &str) -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned { oid: oid.parse().unwrap(), parameters: None }
}

/// A chain of a root, two intermediates and a signer, each with its key.
pub(crate) struct Issuer {
    pub(crate) keys: [Key; 4],
    /// Root, intermediates and signer, in that order.
    pub(crate) chain: Vec<Vec<u8>>,
}

pub(crate) const NAMES: [&str; 4] = ["CN=root", "CN=zone", "CN=instance", "CN=enclave"];

impl Issuer {
    pub(crate) fn new() -> Self {
        Self::with_keys([(); 4].map(|()| Key::p384()))
    }

    pub(crate) fn with_keys(keys: [Key; 4]) -> Self {
        let [root, zone, instance, enclave] = &keys;
        let chain = vec![
            Draft::authority(NAMES[0], NAMES[0], root, CA).signed_by(root),
            Draft::authority(NAMES[1], NAMES[0], zone, &ca_below(1)).signed_by(root),
            Draft::authority(NAMES[2], NAMES[1], instance, &ca_below(0)).signed_by(zone),
            Draft::end_entity(NAMES[3], NAMES[2], enclave).signed_by(instance),
        ];
        Self { keys, chain }
    }

    pub(crate) fn roots(&self) -> Roots {
        Roots::from_pem(&self.root_pem()).unwrap()
    }

    pub(crate) fn root_pem(&self) -> String {
        der::pem::encode_string("CERTIFICATE", der::pem::LineEnding::LF, &self.chain[0]).unwrap()
    }

    /// The fields of a document that is as it should be.
    pub(crate) fn fields(&self) -> Vec<(Value, Value)> {
        let (signer, bundle) = self.chain.split_last().unwrap();
        let pcrs = (0..16_u8).map(|index| (index.into(), Value::Bytes(vec![index; 48])));
        let field = |name: &str, value| (Value::from(name), value);
        vec![
            field("module_id", "i-0123-enc0123".into()),
            field("digest", "SHA384".into()),
            field("timestamp", 1_800_000_000_000_u64.into()),
            field("pcrs", Value::Map(pcrs.collect())),
            field("certificate", Value::Bytes(signer.clone())),
            field("cabundle", bundle.iter().cloned().map(Value::Bytes).collect::<Vec<_>>().into()),
            field("public_key", Value::Bytes(rsa_key(KeySize::Rsa2048))),
            field("user_data", Value::Null),
            field("nonce", Value::Bytes(Vec::new())),
        ]
    }

    pub(crate) fn document(&self) -> Vec<u8> {
        self.signed(&cbor(&Value::Map(self.fields())))
    }

    pub(crate) fn signed(&self, payload: &[u8]) -> Vec<u8> {
        CoseSign1Builder::new()
            .protected(HeaderBuilder::new().algorithm(Algorithm::ES384).build())
            .payload(payload.to_vec())
            .create_signature(&[], |message| self.keys[3].sign_fixed(message))
            .build()
            .to_vec()
            .unwrap()
    }
}

pub(crate) fn cbor(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

pub(crate) fn rsa_key(size: KeySize) -> Vec<u8> {
    use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
    let pair = RsaKeyPair::generate(size).unwrap();
    let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    spki.as_ref().to_vec()
}
