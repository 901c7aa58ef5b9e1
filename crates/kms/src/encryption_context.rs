//! The encryption context as authenticated data.

use wire::shapes::EncryptionContext;

/// The canonical bytes of a context: how many pairs, then each pair sorted by key, every string
/// with its length in front, so that no two contexts share their bytes. An absent context is an
/// empty one.
pub(crate) fn canonical(context: Option<&EncryptionContext>) -> Vec<u8> {
    let pairs = context.map_or(&[][..], |context| context.0.as_slice());
    let length: usize = pairs.iter().map(|(key, value)| 8 + key.len() + value.len()).sum();
    let mut out = Vec::with_capacity(4 + length);
    put_length(&mut out, pairs.len());
    // Reading has sorted the pairs and seen to it that keys are unique.
    for (key, value) in pairs {
        for text in [key, value] {
            put_length(&mut out, text.len());
            out.extend_from_slice(text.as_bytes());
        }
    }
    out
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    // A body of at most 1 MiB holds nothing that 32 bits can't count.
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Vec<u8> {
        let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        canonical(Some(&EncryptionContext(Arc::new(pairs))))
    }

    #[test]
    fn pairs_do_not_run_into_each_other() {
        assert_ne!(of(&[("a", "bc")]), of(&[("ab", "c")]));
        assert_ne!(of(&[("a", "")]), of(&[("", "a")]));
        assert_ne!(of(&[("a", "b"), ("c", "d")]), of(&[("a", "b")]));
        assert_eq!(canonical(None), of(&[]));
        assert_eq!(of(&[("a", "b")]), b"\0\0\0\x01\0\0\0\x01a\0\0\0\x01b");
    }
}
