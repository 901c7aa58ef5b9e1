//! The enums of KMS, with their values in the model's order.

use crate::declare::enums;
use crate::leaf::{Shape, ShapeInfo, Write};
use crate::node::Node;
use crate::path::Path;
use crate::reader::Reader;
use crate::writer::Writer;

enums! {
    /// The deprecated name of [`KeySpec`], which older clients send and read.
    CustomerMasterKeySpec {
        Rsa2048 = "RSA_2048",
        Rsa3072 = "RSA_3072",
        Rsa4096 = "RSA_4096",
        EccNistP256 = "ECC_NIST_P256",
        EccNistP384 = "ECC_NIST_P384",
        EccNistP521 = "ECC_NIST_P521",
        EccSecgP256K1 = "ECC_SECG_P256K1",
        SymmetricDefault = "SYMMETRIC_DEFAULT",
        Hmac224 = "HMAC_224",
        Hmac256 = "HMAC_256",
        Hmac384 = "HMAC_384",
        Hmac512 = "HMAC_512",
        Sm2 = "SM2",
    }

    /// What kind of key material a key holds.
    KeySpec {
        Rsa2048 = "RSA_2048",
        Rsa3072 = "RSA_3072",
        Rsa4096 = "RSA_4096",
        EccNistP256 = "ECC_NIST_P256",
        EccNistP384 = "ECC_NIST_P384",
        EccNistP521 = "ECC_NIST_P521",
        EccSecgP256K1 = "ECC_SECG_P256K1",
        SymmetricDefault = "SYMMETRIC_DEFAULT",
        Hmac224 = "HMAC_224",
        Hmac256 = "HMAC_256",
        Hmac384 = "HMAC_384",
        Hmac512 = "HMAC_512",
        Sm2 = "SM2",
        MlDsa44 = "ML_DSA_44",
        MlDsa65 = "ML_DSA_65",
        MlDsa87 = "ML_DSA_87",
        EccNistEdwards25519 = "ECC_NIST_EDWARDS25519",
        MlKem512 = "ML_KEM_512",
        MlKem768 = "ML_KEM_768",
        MlKem1024 = "ML_KEM_1024",
    }

    /// What a key may be used for.
    KeyUsageType {
        SignVerify = "SIGN_VERIFY",
        EncryptDecrypt = "ENCRYPT_DECRYPT",
        GenerateVerifyMac = "GENERATE_VERIFY_MAC",
        KeyAgreement = "KEY_AGREEMENT",
        EncapsulateDecapsulate = "ENCAPSULATE_DECAPSULATE",
    }

    /// Where a key's material comes from.
    OriginType {
        AwsKms = "AWS_KMS",
        External = "EXTERNAL",
        AwsCloudHsm = "AWS_CLOUDHSM",
        ExternalKeyStore = "EXTERNAL_KEY_STORE",
    }

    /// The state of a key.
    KeyState {
        Creating = "Creating",
        Enabled = "Enabled",
        Disabled = "Disabled",
        PendingDeletion = "PendingDeletion",
        PendingImport = "PendingImport",
        PendingReplicaDeletion = "PendingReplicaDeletion",
        Unavailable = "Unavailable",
        Updating = "Updating",
    }

    /// Who manages a key.
    KeyManagerType { Aws = "AWS", Customer = "CUSTOMER" }

    /// Whether imported material expires.
    ExpirationModelType {
        KeyMaterialExpires = "KEY_MATERIAL_EXPIRES",
        KeyMaterialDoesNotExpire = "KEY_MATERIAL_DOES_NOT_EXPIRE",
    }

    /// Whether a multi-Region key is the primary or a replica.
    MultiRegionKeyType { Primary = "PRIMARY", Replica = "REPLICA" }

    /// The length of a data key.
    DataKeySpec { Aes256 = "AES_256", Aes128 = "AES_128" }

    /// What kind of data key pair is made.
    DataKeyPairSpec {
        Rsa2048 = "RSA_2048",
        Rsa3072 = "RSA_3072",
        Rsa4096 = "RSA_4096",
        EccNistP256 = "ECC_NIST_P256",
        EccNistP384 = "ECC_NIST_P384",
        EccNistP521 = "ECC_NIST_P521",
        EccSecgP256K1 = "ECC_SECG_P256K1",
        Sm2 = "SM2",
        EccNistEdwards25519 = "ECC_NIST_EDWARDS25519",
        MlKem512 = "ML_KEM_512",
        MlKem768 = "ML_KEM_768",
        MlKem1024 = "ML_KEM_1024",
    }

    /// What a message to sign is.
    MessageType { Raw = "RAW", Digest = "DIGEST", ExternalMu = "EXTERNAL_MU" }

    /// Which materials ListKeyRotations lists.
    IncludeKeyMaterial { AllKeyMaterial = "ALL_KEY_MATERIAL", RotationsOnly = "ROTATIONS_ONLY" }

    /// The operations that count as uses of a key.
    KeyLastUsageTrackingOperation {
        Decrypt = "Decrypt",
        DeriveSharedSecret = "DeriveSharedSecret",
        Encrypt = "Encrypt",
        GenerateDataKey = "GenerateDataKey",
        GenerateDataKeyPair = "GenerateDataKeyPair",
        GenerateDataKeyPairWithoutPlaintext = "GenerateDataKeyPairWithoutPlaintext",
        GenerateDataKeyWithoutPlaintext = "GenerateDataKeyWithoutPlaintext",
        GenerateMac = "GenerateMac",
        ReEncrypt = "ReEncrypt",
        Sign = "Sign",
        Verify = "Verify",
        VerifyMac = "VerifyMac",
        Encapsulate = "Encapsulate",
        Decapsulate = "Decapsulate",
    }

    /// What made a material current.
    RotationType { Automatic = "AUTOMATIC", OnDemand = "ON_DEMAND" }

    /// Which of a key's materials one is.
    KeyMaterialState {
        NonCurrent = "NON_CURRENT",
        Current = "CURRENT",
        PendingRotation = "PENDING_ROTATION",
        PendingMultiRegionImportAndRotation = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION",
    }

    /// Whether imported material is there.
    ImportState { Imported = "IMPORTED", PendingImport = "PENDING_IMPORT" }

    /// Whether material that comes in is known to its key already.
    ImportType {
        NewKeyMaterial = "NEW_KEY_MATERIAL",
        ExistingKeyMaterial = "EXISTING_KEY_MATERIAL",
    }

    /// How key material is encrypted on its way into KMS.
    AlgorithmSpec {
        RsaesPkcs1V15 = "RSAES_PKCS1_V1_5",
        RsaesOaepSha1 = "RSAES_OAEP_SHA_1",
        RsaesOaepSha256 = "RSAES_OAEP_SHA_256",
        RsaAesKeyWrapSha1 = "RSA_AES_KEY_WRAP_SHA_1",
        RsaAesKeyWrapSha256 = "RSA_AES_KEY_WRAP_SHA_256",
        Sm2Pke = "SM2PKE",
    }

    /// The key pair under which key material comes into KMS.
    WrappingKeySpec {
        Rsa2048 = "RSA_2048",
        Rsa3072 = "RSA_3072",
        Rsa4096 = "RSA_4096",
        Sm2 = "SM2",
    }

    /// How plaintext is encrypted.
    EncryptionAlgorithmSpec {
        SymmetricDefault = "SYMMETRIC_DEFAULT",
        RsaesOaepSha1 = "RSAES_OAEP_SHA_1",
        RsaesOaepSha256 = "RSAES_OAEP_SHA_256",
        Sm2Pke = "SM2PKE",
    }

    /// How a message is signed.
    SigningAlgorithmSpec {
        RsassaPssSha256 = "RSASSA_PSS_SHA_256",
        RsassaPssSha384 = "RSASSA_PSS_SHA_384",
        RsassaPssSha512 = "RSASSA_PSS_SHA_512",
        RsassaPkcs1V15Sha256 = "RSASSA_PKCS1_V1_5_SHA_256",
        RsassaPkcs1V15Sha384 = "RSASSA_PKCS1_V1_5_SHA_384",
        RsassaPkcs1V15Sha512 = "RSASSA_PKCS1_V1_5_SHA_512",
        EcdsaSha256 = "ECDSA_SHA_256",
        EcdsaSha384 = "ECDSA_SHA_384",
        EcdsaSha512 = "ECDSA_SHA_512",
        Sm2Dsa = "SM2DSA",
        MlDsaShake256 = "ML_DSA_SHAKE_256",
        Ed25519Sha512 = "ED25519_SHA_512",
        Ed25519PhSha512 = "ED25519_PH_SHA_512",
    }

    /// How a MAC is made.
    MacAlgorithmSpec {
        HmacSha224 = "HMAC_SHA_224",
        HmacSha256 = "HMAC_SHA_256",
        HmacSha384 = "HMAC_SHA_384",
        HmacSha512 = "HMAC_SHA_512",
    }

    /// How a shared secret is agreed on.
    KeyAgreementAlgorithmSpec { Ecdh = "ECDH" }

    /// How a shared secret is encapsulated.
    EncapsulationAlgorithmSpec { MlKem = "ML_KEM" }

    /// How an answer is encrypted for an attested environment.
    KeyEncryptionMechanism { RsaesOaepSha256 = "RSAES_OAEP_SHA_256" }

    /// What a dry run leaves out.
    DryRunModifierType { IgnoreCiphertext = "IGNORE_CIPHERTEXT" }

    /// What a grant can allow.
    GrantOperation {
        Decrypt = "Decrypt",
        Encrypt = "Encrypt",
        GenerateDataKey = "GenerateDataKey",
        GenerateDataKeyWithoutPlaintext = "GenerateDataKeyWithoutPlaintext",
        ReEncryptFrom = "ReEncryptFrom",
        ReEncryptTo = "ReEncryptTo",
        Sign = "Sign",
        Verify = "Verify",
        GetPublicKey = "GetPublicKey",
        CreateGrant = "CreateGrant",
        RetireGrant = "RetireGrant",
        DescribeKey = "DescribeKey",
        GenerateDataKeyPair = "GenerateDataKeyPair",
        GenerateDataKeyPairWithoutPlaintext = "GenerateDataKeyPairWithoutPlaintext",
        GenerateMac = "GenerateMac",
        VerifyMac = "VerifyMac",
        DeriveSharedSecret = "DeriveSharedSecret",
        Encapsulate = "Encapsulate",
        Decapsulate = "Decapsulate",
    }

    /// Whose keys ListKeys lists.
    ResourceOwnerType {
        Own = "SELF",
        OtherAccountsViaRam = "OTHER_ACCOUNTS_VIA_RAM",
    }
}

impl From<DataKeyPairSpec> for KeySpec {
    fn from(spec: DataKeyPairSpec) -> Self {
        // Each spec of a data key pair is one of a key, as the test below holds.
        Self::parse(spec.as_str()).unwrap_or(Self::Rsa2048)
    }
}

/// A spec under its deprecated name, as answers hold it: AWS names the later specs there too, which
/// the model's [`CustomerMasterKeySpec`] lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnsweredCustomerMasterKeySpec(pub KeySpec);

impl Shape for AnsweredCustomerMasterKeySpec {
    const INFO: &'static ShapeInfo = CustomerMasterKeySpec::INFO;

    fn read(node: &Node<'_>, at: &Path<'_>, reader: &mut Reader) -> Option<Self> {
        CustomerMasterKeySpec::read(node, at, reader).map(|spec| Self(spec.into()))
    }
}

impl Write for AnsweredCustomerMasterKeySpec {
    fn write<W: Writer>(&self, out: &mut W) {
        out.text(self.0.as_str());
    }
}

impl From<CustomerMasterKeySpec> for KeySpec {
    fn from(spec: CustomerMasterKeySpec) -> Self {
        // Each of the older names is among the newer ones, as the test below holds.
        Self::parse(spec.as_str()).unwrap_or(Self::SymmetricDefault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_older_key_spec_has_its_newer_name() {
        for spec in CustomerMasterKeySpec::ALL {
            assert_eq!(KeySpec::from(*spec).as_str(), spec.as_str());
        }
    }

    #[test]
    fn every_data_key_pair_spec_is_one_of_a_key() {
        for spec in DataKeyPairSpec::ALL {
            assert_eq!(KeySpec::from(*spec).as_str(), spec.as_str());
        }
    }
}
