//! The operations that are measured, a row each. It must not know how they are measured.

use serde_json::json;

pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// The `X-Amz-Target` header.
    pub(crate) target: &'static str,
    /// The request's body for a key's id.
    pub(crate) body: fn(&str) -> String,
}

/// Makes the key that the rows use.
pub(crate) const CREATE_KEY: Operation =
    Operation { name: "CreateKey", target: "TrentService.CreateKey", body: |_| "{}".to_owned() };

pub(crate) const ROWS: [Operation; 1] = [Operation {
    name: "GenerateDataKey",
    target: "TrentService.GenerateDataKey",
    body: |key_id| json!({"KeyId": key_id, "KeySpec": "AES_256"}).to_string(),
}];

/// The quick operation that a slow one may hold up: 32 bytes.
pub(crate) const ENCRYPT: Operation = Operation {
    name: "Encrypt",
    target: "TrentService.Encrypt",
    body: |key_id| {
        let plaintext = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        json!({"KeyId": key_id, "Plaintext": plaintext}).to_string()
    },
};

/// The slow one.
pub(crate) const GENERATE_DATA_KEY_PAIR: Operation = Operation {
    name: "GenerateDataKeyPair, RSA_2048",
    target: "TrentService.GenerateDataKeyPair",
    body: |key_id| json!({"KeyId": key_id, "KeyPairSpec": "RSA_2048"}).to_string(),
};
