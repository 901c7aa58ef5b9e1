//! The buffer that answers are written into: wiped when it is dropped, and never left behind.
//!
//! Must not know an encoding.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Empties a vector, and overwrites all that it has had room for: at once, where dropping a
/// [`Zeroizing`] vector writes byte by byte, which for a whole request takes longer than to
/// encrypt.
pub fn wipe(bytes: &mut Vec<u8>) {
    bytes.clear();
    // Within the room that there is, so that nothing moves.
    bytes.resize(bytes.capacity(), 0);
    zeroize::optimization_barrier(bytes.as_slice());
    *bytes = Vec::new();
}

/// Bytes that may hold a secret. A vector that grew by itself would leave an unwiped copy behind,
/// so this one moves to its larger place by itself and wipes the old one.
pub(crate) struct Buffer(Zeroizing<Vec<u8>>);

impl Buffer {
    /// An empty buffer with room for that many bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(capacity)))
    }

    /// A buffer that continues what was written before.
    pub(crate) fn continuing(written: Zeroizing<Vec<u8>>) -> Self {
        Self(written)
    }

    /// What has been written.
    pub(crate) fn finish(self) -> Zeroizing<Vec<u8>> {
        self.0
    }

    /// Makes room for that many bytes more, at once for several small writes.
    #[inline]
    pub(crate) fn make_room(&mut self, more: usize) {
        if more > self.0.capacity() - self.0.len() {
            self.grow(more);
        }
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        let length = self.0.len() + more;
        let mut grown = Zeroizing::new(Vec::with_capacity(length.next_power_of_two()));
        grown.extend_from_slice(&self.0);
        self.0 = grown;
    }

    /// Appends bytes.
    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.make_room(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    /// Appends a byte.
    #[inline]
    pub(crate) fn push(&mut self, byte: u8) {
        self.make_room(1);
        self.0.push(byte);
    }

    /// Appends bytes as base64, padded.
    pub(crate) fn put_base64(&mut self, bytes: &[u8]) {
        let (start, length) = (self.0.len(), bytes.len().div_ceil(3) * 4);
        self.make_room(length);
        self.0.resize(start + length, 0);
        // The room is exactly what padded base64 takes.
        let written = STANDARD.encode_slice(bytes, &mut self.0[start..]).unwrap_or_default();
        self.0.truncate(start + written);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wiped_is_gone() {
        let mut bytes = b"secret".to_vec();
        wipe(&mut bytes);
        assert_eq!((bytes.len(), bytes.capacity()), (0, 0));
    }

    #[test]
    fn it_grows_without_a_vector_growing_by_itself() {
        let mut buffer = Buffer::with_capacity(2);
        for bytes in [&b"ab"[..], b"", b"c", &[b'd'; 100]] {
            let room = buffer.0.capacity();
            let (fits, pointer) = (buffer.0.len() + bytes.len() <= room, buffer.0.as_ptr());
            buffer.put(bytes);
            assert_eq!(fits, buffer.0.capacity() == room);
            assert!(!fits || pointer == buffer.0.as_ptr());
        }
        buffer.put_base64(b"secret");
        let written = buffer.finish();
        assert!(written.starts_with(b"abcdd") && written.ends_with(b"ddc2VjcmV0"));
        assert_eq!(written.len(), 111);
    }
}
