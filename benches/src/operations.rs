//! The operations that are measured, a row each. It must not know how they are measured.

use serde_json::{Value, json};

use crate::library::Primitive;
use crate::library::Scheme::{
    Ed25519, MlDsa44, MlDsa65, MlDsa87, P256, P384, P521, Rsa2048, Rsa3072, Rsa4096, Secp256k1,
};

/// What requests carry: 32 bytes in base 64.
const BYTES: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// A row of the table.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// The operation's name in the API.
    pub(crate) verb: &'static str,
    /// KeySpec and KeyUsage of its key.
    pub(crate) key: (&'static str, &'static str),
    body: fn(&Material, &'static str) -> Value,
    /// The algorithm that the body names, where it names one.
    algorithm: &'static str,
    /// What the library does for it.
    pub(crate) primitive: Option<Primitive>,
    /// Whether it is measured over TLS too.
    pub(crate) over_tls: bool,
}

/// What a row's request is made of.
#[derive(Debug, Default)]
pub(crate) struct Material {
    pub(crate) key_id: String,
    /// The key that ReEncrypt encrypts under.
    pub(crate) other_key_id: String,
    /// Of `BYTES` under the key, if it encrypts.
    pub(crate) ciphertext: Value,
    /// Of `BYTES` by the key, if it signs.
    pub(crate) signature: Value,
}

impl Operation {
    /// The `X-Amz-Target` header.
    pub(crate) fn target(&self) -> String {
        target(self.verb)
    }

    /// The request's body.
    pub(crate) fn body(&self, material: &Material) -> Value {
        (self.body)(material, self.algorithm)
    }
}

/// The `X-Amz-Target` header of an operation of KMS.
pub(crate) fn target(verb: &str) -> String {
    format!("TrentService.{verb}")
}

const SYMMETRIC: (&str, &str) = ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");

const fn symmetric(verb: &'static str, body: fn(&Material, &'static str) -> Value) -> Operation {
    let primitive = Some(Primitive::DeriveAndSeal);
    let (name, algorithm, over_tls) = (verb, "", true);
    Operation { name, verb, key: SYMMETRIC, body, algorithm, primitive, over_tls }
}

const fn sign(
    name: &'static str,
    spec: &'static str,
    algorithm: &'static str,
    primitive: Primitive,
) -> Operation {
    Operation {
        name,
        verb: "Sign",
        key: (spec, "SIGN_VERIFY"),
        body: to_sign,
        algorithm,
        primitive: Some(primitive),
        over_tls: false,
    }
}

fn to_sign(material: &Material, algorithm: &'static str) -> Value {
    json!({"KeyId": material.key_id, "Message": BYTES, "SigningAlgorithm": algorithm})
}

const fn verify(
    name: &'static str,
    spec: &'static str,
    algorithm: &'static str,
    primitive: Primitive,
) -> Operation {
    let body = |material: &Material, algorithm| {
        json!({"KeyId": material.key_id, "Message": BYTES, "SigningAlgorithm": algorithm,
            "Signature": material.signature})
    };
    Operation { verb: "Verify", body, ..sign(name, spec, algorithm, primitive) }
}

const PSS: &str = "RSASSA_PSS_SHA_256";
const ML_DSA: &str = "ML_DSA_SHAKE_256";

/// The rows, in the order of the table.
pub(crate) const ROWS: [Operation; 20] = [
    symmetric(
        "GenerateDataKey",
        |material, _| json!({"KeyId": material.key_id, "KeySpec": "AES_256"}),
    ),
    ENCRYPT,
    symmetric("Decrypt", |material, _| json!({"CiphertextBlob": material.ciphertext})),
    Operation {
        // Opens under one key and seals under another.
        primitive: None,
        ..symmetric("ReEncrypt", |material, _| {
            json!({"CiphertextBlob": material.ciphertext,
                "DestinationKeyId": material.other_key_id})
        })
    },
    Operation {
        primitive: None,
        ..symmetric("DescribeKey", |material, _| json!({"KeyId": material.key_id}))
    },
    Operation {
        name: "GenerateMac HMAC_256",
        verb: "GenerateMac",
        key: ("HMAC_256", "GENERATE_VERIFY_MAC"),
        body: |material, algorithm| {
            let key_id = &material.key_id;
            json!({"KeyId": key_id, "Message": BYTES, "MacAlgorithm": algorithm})
        },
        algorithm: "HMAC_SHA_256",
        primitive: Some(Primitive::Mac),
        over_tls: false,
    },
    sign("Sign RSA_2048", "RSA_2048", PSS, Primitive::Sign(Rsa2048)),
    sign("Sign RSA_3072", "RSA_3072", PSS, Primitive::Sign(Rsa3072)),
    SIGN_RSA_4096,
    Operation {
        over_tls: true,
        ..sign("Sign ECC_NIST_P256", "ECC_NIST_P256", "ECDSA_SHA_256", Primitive::Sign(P256))
    },
    sign("Sign ECC_NIST_P384", "ECC_NIST_P384", "ECDSA_SHA_384", Primitive::Sign(P384)),
    sign("Sign ECC_NIST_P521", "ECC_NIST_P521", "ECDSA_SHA_512", Primitive::Sign(P521)),
    sign("Sign ECC_SECG_P256K1", "ECC_SECG_P256K1", "ECDSA_SHA_256", Primitive::Sign(Secp256k1)),
    sign(
        "Sign ECC_NIST_EDWARDS25519",
        "ECC_NIST_EDWARDS25519",
        "ED25519_SHA_512",
        Primitive::Sign(Ed25519),
    ),
    sign("Sign ML_DSA_44", "ML_DSA_44", ML_DSA, Primitive::Sign(MlDsa44)),
    sign("Sign ML_DSA_65", "ML_DSA_65", ML_DSA, Primitive::Sign(MlDsa65)),
    sign("Sign ML_DSA_87", "ML_DSA_87", ML_DSA, Primitive::Sign(MlDsa87)),
    verify("Verify RSA_2048", "RSA_2048", PSS, Primitive::Verify(Rsa2048)),
    verify("Verify ECC_NIST_P256", "ECC_NIST_P256", "ECDSA_SHA_256", Primitive::Verify(P256)),
    verify("Verify ML_DSA_65", "ML_DSA_65", ML_DSA, Primitive::Verify(MlDsa65)),
];

/// The quick operation that slow ones may hold up.
pub(crate) const ENCRYPT: Operation =
    symmetric("Encrypt", |material, _| json!({"KeyId": material.key_id, "Plaintext": BYTES}));

const SIGN_RSA_4096: Operation = sign("Sign RSA_4096", "RSA_4096", PSS, Primitive::Sign(Rsa4096));

/// The operations that take long.
pub(crate) const SLOW: [Operation; 3] = [
    SIGN_RSA_4096,
    Operation {
        name: "GenerateDataKeyPair RSA_2048",
        ..symmetric(
            "GenerateDataKeyPair",
            |material, _| json!({"KeyId": material.key_id, "KeyPairSpec": "RSA_2048"}),
        )
    },
    Operation {
        name: "ListGrants 100 of 1,100",
        ..symmetric("ListGrants", |material, _| json!({"KeyId": material.key_id, "Limit": 100}))
    },
];

/// How many grants there are on the key of ListGrants, whose pages have at most 100.
pub(crate) const GRANTS: usize = 1100;

/// What a row's signature is made by, for rows that verify one.
pub(crate) fn signing(operation: &Operation, material: &Material) -> Value {
    to_sign(material, operation.algorithm)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn rows_are_told_apart_by_their_names() {
        let names: BTreeSet<_> = ROWS.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), ROWS.len());
        for row in &ROWS {
            assert!(row.name.starts_with(row.verb), "{}", row.name);
        }
    }

    #[test]
    fn bodies_name_their_key_and_algorithm() {
        let material = Material { key_id: "a".into(), ..Material::default() };
        assert_eq!(ENCRYPT.body(&material), json!({"KeyId": "a", "Plaintext": BYTES}));
        assert_eq!(SIGN_RSA_4096.body(&material)["SigningAlgorithm"], PSS);
    }
}
