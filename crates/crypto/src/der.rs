//! The outermost layer of PKCS#8 and SubjectPublicKeyInfo, and nothing below it.
//!
//! The library parses what is inside but takes bytes behind a key, and keys of other algorithms
//! and parameters, which AWS refuses. So it is made sure here that a value is one DER element and
//! names its algorithm byte for byte. It must not know what a key's own bytes mean.

use crate::KeyRejection;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const SEQUENCE: u8 = 0x30;

/// The content of the OCTET STRING in a PKCS#8 private key (RFC 5208, 5) of `algorithm`, which
/// is a whole AlgorithmIdentifier. What may follow (attributes, a public key) is the library's
/// to check.
pub(crate) fn private_key<'a>(pkcs8: &'a [u8], algorithm: &[u8]) -> Result<&'a [u8], KeyRejection> {
    let content = only(SEQUENCE, pkcs8).ok_or(KeyRejection::Encoding)?;
    let (version, rest) = element(INTEGER, content).ok_or(KeyRejection::Encoding)?;
    // 0 is RFC 5208's only version, 1 is RFC 5958's with a public key.
    if !matches!(version, [0 | 1]) {
        return Err(KeyRejection::Encoding);
    }
    element(SEQUENCE, rest).ok_or(KeyRejection::Encoding)?;
    let rest = rest.strip_prefix(algorithm).ok_or(KeyRejection::Algorithm)?;
    let (key, _) = element(OCTET_STRING, rest).ok_or(KeyRejection::Encoding)?;
    Ok(key)
}

/// Whether `spki` is one SubjectPublicKeyInfo (RFC 5280, 4.1) of `algorithm` and nothing else.
pub(crate) fn is_public_key(spki: &[u8], algorithm: &[u8]) -> bool {
    only(SEQUENCE, spki)
        .and_then(|content| content.strip_prefix(algorithm))
        .is_some_and(|rest| only(BIT_STRING, rest).is_some())
}

/// The SubjectPublicKeyInfo of a key whose bytes are `key`.
pub(crate) fn public_key(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    // The first byte of a bit string is the number of bits that its last byte lacks.
    let mut content = header(BIT_STRING, key.len() + 1);
    content.push(0);
    content.extend_from_slice(key);
    let mut spki = header(SEQUENCE, algorithm.len() + content.len());
    spki.extend_from_slice(algorithm);
    spki.extend_from_slice(&content);
    spki
}

/// Tag and length of an element of less than 64 KiB; longer ones aren't written here.
pub(crate) fn header(tag: u8, len: usize) -> Vec<u8> {
    let [.., high, low] = len.to_be_bytes();
    match len {
        0..=0x7F => vec![tag, low],
        0x80..=0xFF => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    }
}

fn only(tag: u8, der: &[u8]) -> Option<&[u8]> {
    let (content, rest) = element(tag, der)?;
    rest.is_empty().then_some(content)
}

/// The content of the first element and what follows it. The length must be in its shortest
/// form and less than 64 KiB: no key has more.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = der.split_first_chunk()?;
    let (len, rest) = match first {
        0..=0x7F => (usize::from(first), rest),
        0x81 => {
            let (&[low], rest) = rest.split_first_chunk()?;
            (usize::from(low), rest)
        }
        0x82 => {
            let (&length, rest) = rest.split_first_chunk()?;
            (usize::from(u16::from_be_bytes(length)), rest)
        }
        _ => return None,
    };
    let shortest = match first {
        0x81 => len > 0x7F,
        0x82 => len > 0xFF,
        _ => true,
    };
    if found != tag || !shortest {
        return None;
    }
    rest.split_at_checked(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALGORITHM: [u8; 4] = [0x30, 0x02, 0x05, 0x00];

    #[test]
    fn a_private_key_is_one_element_of_its_algorithm() {
        let key = [0x30, 12, 2, 1, 0, 0x30, 2, 5, 0, 4, 3, 7, 8, 9];
        assert_eq!(private_key(&key, &ALGORITHM), Ok(&[7, 8, 9][..]));
        assert_eq!(
            private_key(&[&key[..], &[0]].concat(), &ALGORITHM),
            Err(KeyRejection::Encoding)
        );
        for len in 0..key.len() {
            assert_eq!(private_key(&key[..len], &ALGORITHM), Err(KeyRejection::Encoding));
        }
        let mut other = key;
        other[7] = 6;
        assert_eq!(private_key(&other, &ALGORITHM), Err(KeyRejection::Algorithm));
        let mut version = key;
        version[4] = 2;
        assert_eq!(private_key(&version, &ALGORITHM), Err(KeyRejection::Encoding));
    }

    #[test]
    fn lengths_are_in_their_shortest_form() {
        assert_eq!(only(4, &[4, 0x81, 1, 7]), None);
        assert_eq!(only(4, &[4, 0x82, 0, 1, 7]), None);
        assert_eq!(only(4, &[4, 0x80, 7, 0, 0]), None);
        assert_eq!(only(4, &[4, 0x83, 0, 0, 1, 7]), None);
        assert_eq!(only(5, &[4, 1, 7]), None);
        for len in [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF] {
            let bytes = [header(4, len), vec![7; len]].concat();
            assert_eq!(only(4, &bytes).map(<[u8]>::len), Some(len));
        }
    }

    #[test]
    fn a_public_key_that_is_written_is_one() {
        for len in [1, 32, 200, 1184] {
            let spki = public_key(&ALGORITHM, &vec![7; len]);
            assert!(is_public_key(&spki, &ALGORITHM));
            assert!(!is_public_key(&spki, &[0x30, 0x02, 0x05, 0x01]));
            assert!(!is_public_key(&spki[..spki.len() - 1], &ALGORITHM));
            assert!(!is_public_key(&[&spki[..], &[0]].concat(), &ALGORITHM));
        }
    }
}
