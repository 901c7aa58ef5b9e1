//! The materials of a seed file: hex, base64, PEM or another file, decoded into buffers that are
//! wiped.
//!
//! Must not know which material a key may have: the key store refuses what isn't one. No message
//! tells anything of what was decoded but its length or its kind.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_saphyr::Spanned;
use zeroize::Zeroizing;

use super::document::{Material, Secret};
use super::{Mistake, mistake, read_at_most};

/// The longest file with a material, in bytes: several times an RSA_4096 key in PEM.
const FILE_MAX: usize = 64 << 10;

/// How every kind of key becomes a PKCS#8 one.
const CONVERT: &str = "openssl pkey -in KEY.pem -out KEY-pkcs8.pem";

type Bytes = Zeroizing<Vec<u8>>;

/// The materials of a key, the oldest first.
pub(super) fn of(
    one: Option<Spanned<Material>>,
    several: Option<Vec<Spanned<Material>>>,
    folder: &Path,
) -> Result<Vec<Bytes>, Mistake> {
    match (one, several) {
        (Some(one), Some(_)) => Err(mistake(&one, "a key has material or materials, not both")),
        (Some(one), None) => Ok(vec![bytes(&one, folder)?]),
        (None, several) => {
            several.iter().flatten().map(|material| bytes(material, folder)).collect()
        }
    }
}

fn bytes(material: &Spanned<Material>, folder: &Path) -> Result<Bytes, Mistake> {
    let Material { hex, base64, pem, file } = &material.value;
    match (hex, base64, pem, file) {
        (Some(text), None, None, None) => from_hex(text),
        (None, Some(text), None, None) => from_base64(text),
        (None, None, Some(text), None) => {
            let pem = text.value.0.trim_start();
            from_pem(pem.as_bytes()).map_err(|message| mistake(text, message))
        }
        (None, None, None, Some(file)) => from_file(file, folder),
        _ => Err(mistake(material, "exactly one of hex, base64, pem and file is expected")),
    }
}

fn from_hex(text: &Spanned<Secret>) -> Result<Bytes, Mistake> {
    let invalid = || mistake(text, "an even number of hex digits is expected");
    let digits = text.value.0.as_bytes();
    // Long enough from the start: nothing is moved and left behind unwiped.
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() / 2));
    for pair in digits.chunks(2) {
        let [high, low] = pair else { return Err(invalid()) };
        let digit = |byte: u8| char::from(byte).to_digit(16).ok_or_else(invalid);
        // Two hex digits fit a byte.
        bytes.push(u8::try_from(digit(*high)? << 4 | digit(*low)?).unwrap_or_default());
    }
    Ok(bytes)
}

fn from_base64(text: &Spanned<Secret>) -> Result<Bytes, Mistake> {
    // Long base64 is written over several lines.
    let mut packed = Zeroizing::new(String::with_capacity(text.value.0.len()));
    packed.extend(text.value.0.split_ascii_whitespace());
    let bytes = STANDARD.decode(packed.as_bytes()).map(Zeroizing::new);
    bytes.map_err(|_| mistake(text, "base64 is expected"))
}

/// PKCS#8 out of a PEM text; what is wrong with it otherwise, and what to do.
fn from_pem(pem: &[u8]) -> Result<Bytes, String> {
    let label = pem_rfc7468::decode_label(pem).map_err(not_pem)?;
    let why = match label {
        "PRIVATE KEY" => {
            let (_, der) = pem_rfc7468::decode_vec(pem).map_err(not_pem)?;
            return Ok(Zeroizing::new(der));
        }
        "EC PRIVATE KEY" | "EC PARAMETERS" | "RSA PRIVATE KEY" => "is in an older form",
        "ENCRYPTED PRIVATE KEY" => "is encrypted",
        "OPENSSH PRIVATE KEY" => {
            return Err("this OPENSSH PRIVATE KEY is in OpenSSH's own form; convert it with: \
                        ssh-keygen -p -m PKCS8 -f KEY"
                .to_owned());
        }
        "PUBLIC KEY" | "RSA PUBLIC KEY" | "CERTIFICATE" => {
            return Err(format!("a PRIVATE KEY (PKCS#8) is expected, not a {label}"));
        }
        _ => return Err("a PRIVATE KEY (PKCS#8) is expected".to_owned()),
    };
    Err(format!(
        "this {label} {why}; a PRIVATE KEY (PKCS#8) is expected. Convert it with: {CONVERT}"
    ))
}

fn not_pem(error: pem_rfc7468::Error) -> String {
    format!("a private key in PEM is expected: {error}")
}

/// A file that holds a key in PEM, or the material's bytes as they are.
fn from_file(file: &Spanned<String>, folder: &Path) -> Result<Bytes, Mistake> {
    let path = folder.join(&file.value);
    let failed = |message: String| mistake(file, format!("{}: {message}", path.display()));
    let bytes = read_at_most(&path, FILE_MAX).map_err(|error| failed(error.to_string()))?;
    if bytes.starts_with(b"-----BEGIN ") {
        return from_pem(&bytes).map_err(failed);
    }
    Ok(bytes)
}
