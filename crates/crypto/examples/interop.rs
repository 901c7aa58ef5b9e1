//! Answers one request per line of standard input, so that another implementation can be held
//! against this crate: `conformance/vectors/asymmetric.py` asks. The keys are made for the one run.
//!
//! Requests and answers are JSON objects; bytes are in hex. A refusal is `{"refused": "<error>"}`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::error::Error;
use std::io::{self, BufRead, Write};

use crypto::{
    Curve, DataKeyPair, DataKeyPairSpec, EcKey, Ed25519Key, ImportKey, MacKey, MacSpec, Message,
    MlDsaKey, MlDsaSpec, MlKemKey, MlKemSpec, RsaEncryptionAlgorithm, RsaKey, RsaSigningAlgorithm,
    RsaSpec, WrappingAlgorithm,
};
use serde_json::{Value, json};

type Answer = Result<Value, Box<dyn Error>>;

fn text<'a>(request: &'a Value, name: &str) -> Result<&'a str, String> {
    request[name].as_str().ok_or_else(|| format!("{name} is missing"))
}

fn bytes(request: &Value, name: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let digits = text(request, name)?.as_bytes().chunks(2);
    digits.map(|two| Ok(u8::from_str_radix(str::from_utf8(two)?, 16)?)).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The entry of `table` that the request names.
fn named<T: Copy>(request: &Value, name: &str, table: &[(&str, T)]) -> Result<T, String> {
    let wanted = text(request, name)?;
    let found = table.iter().find(|entry| entry.0 == wanted);
    found.map(|entry| entry.1).ok_or_else(|| format!("no {name} is called {wanted}"))
}

const RSA: [(&str, RsaSpec); 3] = [
    ("RSA_2048", RsaSpec::Rsa2048),
    ("RSA_3072", RsaSpec::Rsa3072),
    ("RSA_4096", RsaSpec::Rsa4096),
];
const CURVES: [(&str, Curve); 4] = [
    ("ECC_NIST_P256", Curve::P256),
    ("ECC_NIST_P384", Curve::P384),
    ("ECC_NIST_P521", Curve::P521),
    ("ECC_SECG_P256K1", Curve::Secp256k1),
];
const ML_DSA: [(&str, MlDsaSpec); 3] = [
    ("ML_DSA_44", MlDsaSpec::MlDsa44),
    ("ML_DSA_65", MlDsaSpec::MlDsa65),
    ("ML_DSA_87", MlDsaSpec::MlDsa87),
];
const ML_KEM: [(&str, MlKemSpec); 3] = [
    ("ML_KEM_512", MlKemSpec::MlKem512),
    ("ML_KEM_768", MlKemSpec::MlKem768),
    ("ML_KEM_1024", MlKemSpec::MlKem1024),
];
const MACS: [(&str, MacSpec); 4] = [
    ("HMAC_224", MacSpec::Hmac224),
    ("HMAC_256", MacSpec::Hmac256),
    ("HMAC_384", MacSpec::Hmac384),
    ("HMAC_512", MacSpec::Hmac512),
];
const ENCRYPTION: [(&str, RsaEncryptionAlgorithm); 2] = [
    ("RSAES_OAEP_SHA_1", RsaEncryptionAlgorithm::OaepSha1),
    ("RSAES_OAEP_SHA_256", RsaEncryptionAlgorithm::OaepSha256),
];
const SIGNING: [(&str, RsaSigningAlgorithm); 6] = [
    ("RSASSA_PSS_SHA_256", RsaSigningAlgorithm::PssSha256),
    ("RSASSA_PSS_SHA_384", RsaSigningAlgorithm::PssSha384),
    ("RSASSA_PSS_SHA_512", RsaSigningAlgorithm::PssSha512),
    ("RSASSA_PKCS1_V1_5_SHA_256", RsaSigningAlgorithm::Pkcs1Sha256),
    ("RSASSA_PKCS1_V1_5_SHA_384", RsaSigningAlgorithm::Pkcs1Sha384),
    ("RSASSA_PKCS1_V1_5_SHA_512", RsaSigningAlgorithm::Pkcs1Sha512),
];
const WRAPPING: [(&str, WrappingAlgorithm); 4] = [
    ("RSAES_OAEP_SHA_1", WrappingAlgorithm::RsaesOaepSha1),
    ("RSAES_OAEP_SHA_256", WrappingAlgorithm::RsaesOaepSha256),
    ("RSA_AES_KEY_WRAP_SHA_1", WrappingAlgorithm::RsaAesKeyWrapSha1),
    ("RSA_AES_KEY_WRAP_SHA_256", WrappingAlgorithm::RsaAesKeyWrapSha256),
];

/// What is signed: `message`, or `digest` where that is given.
fn signed<'a>(request: &Value, bytes: &'a [u8]) -> Message<'a> {
    if request["digest"].is_string() { Message::Digest(bytes) } else { Message::Raw(bytes) }
}

fn data_key_pair(request: &Value) -> Answer {
    let spec = named(request, "spec", &RSA)
        .map(DataKeyPairSpec::Rsa)
        .or_else(|_| named(request, "spec", &CURVES).map(DataKeyPairSpec::Ec))
        .or_else(|_| named(request, "spec", &ML_KEM).map(DataKeyPairSpec::MlKem))
        .or_else(|_| {
            named(request, "spec", &[("ECC_NIST_EDWARDS25519", DataKeyPairSpec::Ed25519)])
        })?;
    let pair = DataKeyPair::generate(spec)?;
    Ok(json!({ "private": hex(&pair.private_key), "public": hex(&pair.public_key) }))
}

fn rsa(request: &Value) -> Answer {
    let key = RsaKey::from_pkcs8(named(request, "spec", &RSA)?, &bytes(request, "private")?)?;
    let subject = if request["digest"].is_string() { "digest" } else { "message" };
    Ok(match text(request, "do")? {
        "public" => json!({ "public": hex(key.public_key()) }),
        "encrypt" => {
            let algorithm = named(request, "algorithm", &ENCRYPTION)?;
            json!({ "ciphertext": hex(&key.encrypt(algorithm, &bytes(request, "plaintext")?)?) })
        }
        "decrypt" => {
            let algorithm = named(request, "algorithm", &ENCRYPTION)?;
            json!({ "plaintext": hex(&key.decrypt(algorithm, &bytes(request, "ciphertext")?)?) })
        }
        "sign" => {
            let (algorithm, subject) =
                (named(request, "algorithm", &SIGNING)?, bytes(request, subject)?);
            json!({ "signature": hex(&key.sign(algorithm, signed(request, &subject))?) })
        }
        _ => {
            let (algorithm, subject) =
                (named(request, "algorithm", &SIGNING)?, bytes(request, subject)?);
            key.verify(algorithm, signed(request, &subject), &bytes(request, "signature")?)?;
            json!({ "valid": true })
        }
    })
}

fn ec(request: &Value) -> Answer {
    let key = EcKey::from_pkcs8(named(request, "spec", &CURVES)?, &bytes(request, "private")?)?;
    let subject = if request["digest"].is_string() { "digest" } else { "message" };
    Ok(match text(request, "do")? {
        "public" => json!({ "public": hex(key.public_key()) }),
        "agree" => json!({ "secret": hex(&key.agree(&bytes(request, "peer")?)?) }),
        "sign" => {
            let subject = bytes(request, subject)?;
            json!({ "signature": hex(&key.sign(signed(request, &subject))?) })
        }
        _ => {
            let subject = bytes(request, subject)?;
            key.verify(signed(request, &subject), &bytes(request, "signature")?)?;
            json!({ "valid": true })
        }
    })
}

fn ed25519(request: &Value) -> Answer {
    let key = Ed25519Key::from_pkcs8(&bytes(request, "private")?)?;
    Ok(match text(request, "do")? {
        "public" => json!({ "public": hex(key.public_key()) }),
        "sign" => json!({ "signature": hex(&key.sign(&bytes(request, "message")?)?) }),
        _ => {
            key.verify(&bytes(request, "message")?, &bytes(request, "signature")?)?;
            json!({ "valid": true })
        }
    })
}

fn ml_dsa(request: &Value) -> Answer {
    let spec = named(request, "spec", &ML_DSA)?;
    let key = MlDsaKey::from_pkcs8(spec, &bytes(request, "private")?)?;
    Ok(match (text(request, "do")?, request["mu"].is_string()) {
        ("public", _) => json!({ "public": hex(key.public_key()) }),
        ("sign", false) => json!({ "signature": hex(&key.sign(&bytes(request, "message")?)?) }),
        ("sign", true) => json!({ "signature": hex(&key.sign_mu(&bytes(request, "mu")?)?) }),
        (_, false) => {
            key.verify(&bytes(request, "message")?, &bytes(request, "signature")?)?;
            json!({ "valid": true })
        }
        (_, true) => {
            key.verify_mu(&bytes(request, "mu")?, &bytes(request, "signature")?)?;
            json!({ "valid": true })
        }
    })
}

fn ml_kem(request: &Value) -> Answer {
    let spec = named(request, "spec", &ML_KEM)?;
    let key = MlKemKey::from_pkcs8(spec, &bytes(request, "private")?)?;
    Ok(match text(request, "do")? {
        "public" => json!({ "public": hex(key.public_key()) }),
        "encapsulate" => {
            let made = key.encapsulate()?;
            json!({ "secret": hex(&made.shared_secret), "ciphertext": hex(&made.ciphertext) })
        }
        _ => json!({ "secret": hex(&key.decapsulate(&bytes(request, "ciphertext")?)?) }),
    })
}

fn mac(request: &Value) -> Answer {
    let key = MacKey::from_bytes(named(request, "spec", &MACS)?, &bytes(request, "private")?)?;
    let message = bytes(request, "message")?;
    if text(request, "do")? == "mac" {
        return Ok(json!({ "mac": hex(&key.mac(&message)?) }));
    }
    key.verify(&message, &bytes(request, "mac")?)?;
    Ok(json!({ "valid": true }))
}

/// Shows what came in by what can be told about it: a public key, or a MAC of `message`.
fn import(request: &Value, keys: &mut HashMap<RsaSpec, ImportKey>) -> Answer {
    let wrapping = named(request, "wrapping_spec", &RSA)?;
    let key = match keys.entry(wrapping) {
        Entry::Occupied(made) => made.into_mut(),
        Entry::Vacant(place) => place.insert(ImportKey::generate(wrapping)?),
    };
    if text(request, "do")? == "parameters" {
        return Ok(json!({ "public": hex(key.public_key()) }));
    }
    let algorithm = named(request, "algorithm", &WRAPPING)?;
    let material = key.open(algorithm, &bytes(request, "encrypted")?)?;
    if let Ok(spec) = named(request, "spec", &MACS) {
        let mac = material.mac(spec)?.mac(&bytes(request, "message")?)?;
        return Ok(json!({ "mac": hex(&mac) }));
    }
    let public = if let Ok(spec) = named(request, "spec", &RSA) {
        material.rsa(spec)?.public_key().to_vec()
    } else if let Ok(spec) = named(request, "spec", &ML_DSA) {
        material.ml_dsa(spec)?.public_key().to_vec()
    } else if let Ok(curve) = named(request, "spec", &CURVES) {
        material.ec(curve)?.public_key().to_vec()
    } else {
        material.ed25519()?.public_key().to_vec()
    };
    Ok(json!({ "public": hex(&public) }))
}

fn answer(request: &Value, keys: &mut HashMap<RsaSpec, ImportKey>) -> Answer {
    match text(request, "kind")? {
        "pair" => data_key_pair(request),
        "rsa" => rsa(request),
        "ec" => ec(request),
        "ed25519" => ed25519(request),
        "ml_dsa" => ml_dsa(request),
        "ml_kem" => ml_kem(request),
        "mac" => mac(request),
        "import" => import(request, keys),
        other => Err(format!("no kind is called {other}").into()),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut keys = HashMap::new();
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let request = serde_json::from_str(&line?)?;
        let told = answer(&request, &mut keys)
            .unwrap_or_else(|error| json!({ "refused": error.to_string() }));
        writeln!(output, "{told}")?;
        output.flush()?;
    }
    Ok(())
}
