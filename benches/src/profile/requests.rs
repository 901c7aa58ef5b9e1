//! The requests that are profiled, a row each. It must not know how they are profiled.

use serde_json::{Value, json};

/// 32 bytes in base64.
const PLAINTEXT: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// One request.
pub(crate) struct Row {
    /// What it is called in reports; an operation of KMS, with the key's spec where that matters.
    pub(crate) name: &'static str,
    /// The operation's name.
    pub(crate) verb: &'static str,
    /// The spec and the usage of its key.
    pub(crate) key: (&'static str, &'static str),
    /// How often it is sent while instructions are counted.
    pub(crate) repeats: u32,
}

const SYMMETRIC: (&str, &str) = ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");

pub(crate) const ROWS: [Row; 6] = [
    Row { name: "GenerateDataKey", verb: "GenerateDataKey", key: SYMMETRIC, repeats: 400 },
    Row { name: "Encrypt", verb: "Encrypt", key: SYMMETRIC, repeats: 400 },
    Row { name: "Decrypt", verb: "Decrypt", key: SYMMETRIC, repeats: 400 },
    Row { name: "DescribeKey", verb: "DescribeKey", key: SYMMETRIC, repeats: 400 },
    Row {
        name: "Sign-ECC_NIST_P256",
        verb: "Sign",
        key: ("ECC_NIST_P256", "SIGN_VERIFY"),
        repeats: 200,
    },
    Row { name: "Sign-RSA_2048", verb: "Sign", key: ("RSA_2048", "SIGN_VERIFY"), repeats: 50 },
];

/// What makes the ciphertext that Decrypt is given.
pub(crate) fn encrypt(key_id: &str) -> Value {
    json!({"KeyId": key_id, "Plaintext": PLAINTEXT})
}

impl Row {
    /// The request's body; `ciphertext` is one of 32 bytes under the key.
    pub(crate) fn body(&self, key_id: &str, ciphertext: &Value) -> Value {
        let algorithm = match self.key.0 {
            "RSA_2048" => "RSASSA_PSS_SHA_256",
            _ => "ECDSA_SHA_256",
        };
        match self.verb {
            "GenerateDataKey" => json!({"KeyId": key_id, "KeySpec": "AES_256"}),
            "Encrypt" => encrypt(key_id),
            "Decrypt" => json!({"KeyId": key_id, "CiphertextBlob": ciphertext}),
            "Sign" => json!({
                "KeyId": key_id,
                "Message": PLAINTEXT,
                "MessageType": "DIGEST",
                "SigningAlgorithm": algorithm,
            }),
            _ => json!({"KeyId": key_id}),
        }
    }
}

/// The rows whose names begin so; all of them where nothing is asked for.
pub(crate) fn chosen(only: &[String]) -> Vec<&'static Row> {
    let wanted = |row: &&Row| only.is_empty() || only.iter().any(|one| row.name.starts_with(one));
    ROWS.iter().filter(wanted).collect()
}
