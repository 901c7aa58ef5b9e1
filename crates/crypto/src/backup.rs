//! Backups: frames under the root key.
//!
//! It owns the sealed form of a frame, an envelope; it must not know what a backup holds.

use crate::derive::Label;
use crate::envelope::{self, Envelope, Salt};
use crate::root_key::RootKey;
use crate::{Error, Unopened};

/// How much longer a sealed frame is than what is in it, in bytes.
pub const BACKUP_FRAME_OVERHEAD: usize = envelope::OVERHEAD;

impl RootKey {
    /// Appends a sealed frame to `out`. It opens only with the same `binding`, which says of which
    /// backup it is, which place it has there, and whether it is the last.
    ///
    /// # Errors
    /// [`Error::Random`], [`Error::Library`].
    pub fn seal_backup_frame(
        &self,
        binding: &[u8],
        content: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let (label, salt) = (Label::BACKUP, Salt::random()?);
        envelope::seal(self.locked(), label, &salt, &aad(label, binding), content, out)
    }

    /// Opens what [`Self::seal_backup_frame`] made.
    ///
    /// # Errors
    /// [`Error::Unopened`] if it was altered or has another root key or binding.
    pub fn open_backup_frame(&self, binding: &[u8], frame: &[u8]) -> Result<Vec<u8>, Error> {
        let envelope = Envelope::parse(frame)?;
        let mut content = vec![0; envelope.ciphertext.len()];
        let label = Label::BACKUP;
        envelope
            .open(self.locked(), label, &aad(label, binding), &mut content)
            .map_err(|Unopened| Error::from(Unopened))?;
        Ok(content)
    }
}

fn aad(label: Label, binding: &[u8]) -> Vec<u8> {
    [label.as_bytes(), &[0], binding].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_opens_in_its_place_and_under_its_key_only() {
        let (root, other) = (RootKey::generate().unwrap(), RootKey::generate().unwrap());
        let mut frame = Vec::new();
        root.seal_backup_frame(b"backup 1, frame 2", b"content", &mut frame).unwrap();
        assert_eq!(frame.len(), 7 + BACKUP_FRAME_OVERHEAD);
        assert_eq!(root.open_backup_frame(b"backup 1, frame 2", &frame).unwrap(), b"content");
        assert!(root.open_backup_frame(b"backup 1, frame 3", &frame).is_err());
        assert!(other.open_backup_frame(b"backup 1, frame 2", &frame).is_err());
        for position in 0..frame.len() {
            let mut altered = frame.clone();
            altered[position] ^= 1;
            assert!(root.open_backup_frame(b"backup 1, frame 2", &altered).is_err());
            assert!(root.open_backup_frame(b"backup 1, frame 2", &frame[..position]).is_err());
        }
    }
}
