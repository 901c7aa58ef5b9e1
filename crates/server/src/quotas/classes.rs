//! The classes of operations that share a quota, with AWS's rates.
//!
//! Sources: AWS KMS Developer Guide, "Request quotas"
//! (<https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html>); IAM User
//! Guide, "IAM and AWS STS quotas"
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>). IAM throttles,
//! too, but AWS doesn't say at which rates.

use wire::Region;
use wire::enums::KeySpec;

/// Requests a second, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rate(u64);

impl Rate {
    /// As many whole requests a second.
    pub(super) const fn per_second(requests: u64) -> Self {
        Self(requests * 1000)
    }

    /// As many thousandths of a request a second; none at all is no rate.
    pub(super) const fn thousandths(thousandths: u64) -> Option<Self> {
        if thousandths == 0 { None } else { Some(Self(thousandths)) }
    }

    /// How long one request takes at that rate, in nanoseconds.
    pub(super) const fn interval(self) -> u64 {
        1_000_000_000_000 / self.0
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, rest) = (self.0 / 1000, self.0 % 1000);
        if rest == 0 {
            return write!(f, "{whole}");
        }
        f.write_str(format!("{whole}.{rest:03}").trim_end_matches('0'))
    }
}

/// Whether a quota holds for each Region by itself or for the account as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Region,
    Account,
}

/// What counts towards a quota.
#[derive(Debug, Clone, Copy)]
pub(super) enum Counted {
    /// One operation of KMS, which the class is named after.
    Operation,
    /// The operations of KMS in which keys of these kinds are used; those of `operations` by their
    /// name, the others by the key that they name.
    Keys(&'static [KeySpec]),
    /// Data key pairs of that kind.
    Pairs(KeySpec),
    /// The operations of a service.
    Service(&'static str),
}

/// Operations that share a quota.
#[derive(Debug, Clone, Copy)]
pub(super) struct Class {
    /// How settings name it.
    pub(super) name: &'static str,
    /// AWS's name for the quota; empty where it follows from that of the class, or there is none.
    #[cfg_attr(not(test), expect(dead_code, reason = "what the documentation is made of"))]
    pub(super) quota: &'static str,
    pub(super) counted: Counted,
    /// Operations that count by their name alone.
    pub(super) operations: &'static [&'static str],
    /// AWS's rate; `None` where AWS publishes none.
    pub(super) rate: Option<Rate>,
    /// Where the rate is another one.
    pub(super) elsewhere: &'static [(Rate, &'static [&'static str])],
    pub(super) scope: Scope,
}

impl Class {
    /// AWS's rate in that Region.
    pub(super) fn aws_rate(&self, region: Option<&Region>) -> Option<Rate> {
        let named =
            |regions: &[&str]| region.is_some_and(|region| regions.contains(&region.as_str()));
        let other = self.elsewhere.iter().find(|(_, regions)| named(regions));
        other.map(|(rate, _)| *rate).or(self.rate)
    }
}

/// The operations that count by the kind of the key that they name.
pub(super) const BY_KEY: &[&str] = &["Decrypt", "Encrypt", "ReEncrypt", "Sign", "Verify"];

/// The operations that count by the kind of the pair that they make.
pub(super) const BY_PAIR: &[&str] = &["GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"];

const CHINA: &[&str] = &["cn-north-1", "cn-northwest-1"];

/// A class with the name of its only operation.
const fn one(name: &'static str, rate: u64) -> Class {
    Class {
        name,
        quota: "",
        counted: Counted::Operation,
        operations: &[],
        rate: Some(Rate::per_second(rate)),
        elsewhere: &[],
        scope: Scope::Region,
    }
}

const fn keys(
    name: &'static str,
    quota: &'static str,
    specs: &'static [KeySpec],
    operations: &'static [&'static str],
    rate: Option<Rate>,
) -> Class {
    let counted = Counted::Keys(specs);
    Class { name, quota, counted, operations, rate, ..one(name, 0) }
}

const fn pair(
    name: &'static str,
    quota: &'static str,
    spec: KeySpec,
    rate: u64,
    elsewhere: &'static [(Rate, &'static [&'static str])],
) -> Class {
    let counted = Counted::Pairs(spec);
    Class { name, quota, counted, elsewhere, ..one(name, rate) }
}

/// Every class. Settings name them, rows hold one place for each.
pub(super) const CLASSES: &[Class] = &[
    Class {
        elsewhere: &[
            (
                Rate::per_second(20_000),
                &[
                    "us-east-2",
                    "ap-southeast-1",
                    "ap-southeast-2",
                    "ap-northeast-1",
                    "eu-central-1",
                    "eu-west-2",
                ],
            ),
            (Rate::per_second(100_000), &["us-east-1", "us-west-2", "eu-west-1"]),
        ],
        ..keys(
            "cryptographic-symmetric",
            "Cryptographic operations (symmetric) request rate",
            &[
                KeySpec::SymmetricDefault,
                KeySpec::Hmac224,
                KeySpec::Hmac256,
                KeySpec::Hmac384,
                KeySpec::Hmac512,
            ],
            &[
                "GenerateDataKey",
                "GenerateDataKeyWithoutPlaintext",
                "GenerateMac",
                "GenerateRandom",
                "VerifyMac",
            ],
            Some(Rate::per_second(10_000)),
        )
    },
    keys(
        "cryptographic-rsa",
        "Cryptographic operations (RSA) request rate",
        &[KeySpec::Rsa2048, KeySpec::Rsa3072, KeySpec::Rsa4096],
        &[],
        Some(Rate::per_second(1000)),
    ),
    keys(
        "cryptographic-ml-dsa",
        "Cryptographic operations (ML-DSA) request rate",
        &[KeySpec::MlDsa44, KeySpec::MlDsa65, KeySpec::MlDsa87],
        &[],
        Some(Rate::per_second(1000)),
    ),
    keys(
        "cryptographic-ecc",
        "Cryptographic operations (ECC and SM2) request rate",
        &[
            KeySpec::EccNistP256,
            KeySpec::EccNistP384,
            KeySpec::EccNistP521,
            KeySpec::EccSecgP256K1,
            KeySpec::EccNistEdwards25519,
            KeySpec::Sm2,
        ],
        &["DeriveSharedSecret"],
        Some(Rate::per_second(1000)),
    ),
    // The guide's table has neither of these operations yet.
    keys(
        "cryptographic-ml-kem",
        "",
        &[KeySpec::MlKem512, KeySpec::MlKem768, KeySpec::MlKem1024],
        &["Decapsulate", "Encapsulate"],
        None,
    ),
    one("CancelKeyDeletion", 5),
    one("ConnectCustomKeyStore", 5),
    one("CreateAlias", 5),
    one("CreateCustomKeyStore", 5),
    one("CreateGrant", 50),
    one("CreateKey", 5),
    one("DeleteAlias", 15),
    one("DeleteCustomKeyStore", 5),
    one("DeleteImportedKeyMaterial", 15),
    one("DescribeCustomKeyStores", 5),
    one("DescribeKey", 2000),
    one("DisableKey", 5),
    one("DisableKeyRotation", 5),
    one("DisconnectCustomKeyStore", 5),
    one("EnableKey", 5),
    one("EnableKeyRotation", 15),
    pair(
        "data-key-pair-ecc-nist-p256",
        "GenerateDataKeyPair (ECC_NIST_P256) request rate",
        KeySpec::EccNistP256,
        100,
        &[],
    ),
    pair(
        "data-key-pair-ecc-nist-p384",
        "GenerateDataKeyPair (ECC_NIST_P384) request rate",
        KeySpec::EccNistP384,
        100,
        &[],
    ),
    pair(
        "data-key-pair-ecc-nist-p521",
        "GenerateDataKeyPair (ECC_NIST_P521) request rate",
        KeySpec::EccNistP521,
        100,
        &[],
    ),
    pair(
        "data-key-pair-ecc-secg-p256k1",
        "GenerateDataKeyPair (ECC_SECG_P256K1) request rate",
        KeySpec::EccSecgP256K1,
        100,
        &[],
    ),
    pair(
        "data-key-pair-ecc-nist-edwards25519",
        "GenerateDataKeyPair (ECC_NIST_EDWARDS25519) request rate",
        KeySpec::EccNistEdwards25519,
        100,
        &[],
    ),
    pair(
        "data-key-pair-rsa-2048",
        "GenerateDataKeyPair (RSA_2048) request rate",
        KeySpec::Rsa2048,
        20,
        &[(Rate::per_second(1), CHINA)],
    ),
    pair(
        "data-key-pair-rsa-3072",
        "GenerateDataKeyPair (RSA_3072) request rate",
        KeySpec::Rsa3072,
        4,
        &[(Rate(500), CHINA)],
    ),
    pair(
        "data-key-pair-rsa-4096",
        "GenerateDataKeyPair (RSA_4096) request rate",
        KeySpec::Rsa4096,
        1,
        &[(Rate(100), CHINA)],
    ),
    pair("data-key-pair-sm2", "GenerateDataKeyPair (SM2) request rate", KeySpec::Sm2, 25, &[]),
    one("GetKeyLastUsage", 5),
    one("GetKeyPolicy", 1000),
    one("GetKeyRotationStatus", 1000),
    one("GetParametersForImport", 1),
    one("GetPublicKey", 2000),
    one("ImportKeyMaterial", 15),
    one("ListAliases", 500),
    one("ListGrants", 100),
    one("ListKeyPolicies", 100),
    one("ListKeyRotations", 100),
    one("ListKeys", 500),
    one("ListResourceTags", 2000),
    one("ListRetirableGrants", 100),
    one("PutKeyPolicy", 15),
    one("ReplicateKey", 5),
    one("RetireGrant", 50),
    one("RevokeGrant", 50),
    one("RotateKeyOnDemand", 5),
    one("ScheduleKeyDeletion", 15),
    one("TagResource", 10),
    one("UntagResource", 5),
    one("UpdateAlias", 5),
    one("UpdateCustomKeyStore", 5),
    one("UpdateKeyDescription", 5),
    one("UpdatePrimaryRegion", 5),
    Class {
        quota: "Requests made using AWS credentials",
        counted: Counted::Service("sts"),
        operations: &[
            "AssumeRole",
            "DecodeAuthorizationMessage",
            "GetAccessKeyInfo",
            "GetCallerIdentity",
            "GetFederationToken",
            "GetSessionToken",
        ],
        ..one("sts", 600)
    },
    Class { counted: Counted::Service("iam"), rate: None, scope: Scope::Account, ..one("iam", 0) },
];

/// The place of the class of that name.
pub(super) fn named(name: &str) -> Option<usize> {
    CLASSES.iter().position(|class| class.name == name)
}
