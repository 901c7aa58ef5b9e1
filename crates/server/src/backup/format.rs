//! The form of a backup: a head that anybody can read, and frames that only the root key opens.
//!
//! ```text
//! magic, version     "strongroom-backup", 1
//! head               its length (32 bits), then JSON: which backup it is, and the seals
//! frames             each its length (32 bits), then an envelope (crypto's)
//! ```
//! Every frame is bound to the head, to its number and to whether it is the last. So no frame can
//! be left out, moved, or taken from another backup, and a backup that was cut short is known from
//! one that is whole. Must not know what the frames say.

use std::io::{self, Read, Write};

use crypto::RootKey;
use serde::{Deserialize, Serialize};

use super::BackupError;

const MAGIC: &[u8; 17] = b"strongroom-backup";
const VERSION: u8 = 1;
/// How much content a frame has: enough that its overhead is nothing.
const FRAME: usize = 256 << 10;
/// How long a sealed frame may be.
const FRAME_MAX: usize = FRAME + crypto::BACKUP_FRAME_OVERHEAD;
/// How long a head may be: sixteen seals are far less.
const HEAD_MAX: usize = 1 << 20;

/// What stands before the frames.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    /// The backup's own id.
    pub(crate) backup: String,
    /// When it was made, ISO 8601.
    pub(crate) created: String,
    /// The version of the program that made it.
    pub(crate) program: String,
    /// The revision of the store that it holds.
    pub(crate) revision: u64,
    /// The records of the seals, by their keys in the store; in base64.
    pub(crate) seals: Vec<(String, String)>,
}

/// Writes a backup.
pub(crate) struct Writer<'a, W> {
    out: W,
    root_key: &'a RootKey,
    binding: Binding,
    content: Vec<u8>,
    sealed: Vec<u8>,
}

impl<'a, W: Write> Writer<'a, W> {
    /// Writes the head.
    pub(crate) fn begin(
        mut out: W,
        root_key: &'a RootKey,
        head: &Head,
    ) -> Result<Self, BackupError> {
        let json = serde_json::to_vec(head).map_err(io::Error::other)?;
        let length = u32::try_from(json.len()).map_err(io::Error::other)?;
        let head = [&MAGIC[..], &[VERSION], &length.to_be_bytes(), &json].concat();
        out.write_all(&head)?;
        let (content, sealed) = (Vec::with_capacity(FRAME), Vec::with_capacity(FRAME_MAX));
        Ok(Self { out, root_key, binding: Binding::new(&head), content, sealed })
    }

    /// Writes content, of any length.
    pub(crate) fn write(&mut self, mut content: &[u8]) -> Result<(), BackupError> {
        while !content.is_empty() {
            if self.content.len() == FRAME {
                self.frame(false)?;
            }
            let (now, later) = content.split_at(content.len().min(FRAME - self.content.len()));
            self.content.extend_from_slice(now);
            content = later;
        }
        Ok(())
    }

    /// Ends the backup. Without this it counts as cut short.
    pub(crate) fn finish(mut self) -> Result<W, BackupError> {
        self.frame(true)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn frame(&mut self, last: bool) -> Result<(), BackupError> {
        self.sealed.clear();
        let binding = self.binding.next(last);
        self.root_key.seal_backup_frame(binding, &self.content, &mut self.sealed)?;
        let length = u32::try_from(self.sealed.len()).map_err(io::Error::other)?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&self.sealed)?;
        self.content.clear();
        Ok(())
    }
}

/// A backup whose head was read.
pub(crate) struct Sealed<R> {
    pub(crate) head: Head,
    binding: Binding,
    input: R,
}

impl<R: Read> Sealed<R> {
    /// Reads the head.
    pub(crate) fn read(mut input: R) -> Result<Self, BackupError> {
        let mut start = [0; MAGIC.len() + 1 + 4];
        input.read_exact(&mut start).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => BackupError::NoBackup,
            _ => BackupError::Io(error),
        })?;
        let (magic, rest) = start.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(BackupError::NoBackup);
        }
        if rest[0] != VERSION {
            return Err(BackupError::Version { found: rest[0], known: VERSION });
        }
        let length = u32::from_be_bytes([rest[1], rest[2], rest[3], rest[4]]) as usize;
        if length > HEAD_MAX {
            return Err(BackupError::Altered { place: "the head" });
        }
        let mut json = vec![0; length];
        input.read_exact(&mut json).map_err(cut_short)?;
        let head = serde_json::from_slice(&json)
            .map_err(|_| BackupError::Altered { place: "the head" })?;
        Ok(Self { head, binding: Binding::new(&[&start[..], &json].concat()), input })
    }

    /// The content, by the root key that a seal of the head gave.
    pub(crate) fn open(self, root_key: &RootKey) -> Opened<'_, R> {
        let Self { binding, input, .. } = self;
        Opened { input, root_key, binding, content: Vec::new(), at: 0, ended: false }
    }
}

/// A backup that is being read.
pub(crate) struct Opened<'a, R> {
    input: R,
    root_key: &'a RootKey,
    binding: Binding,
    content: Vec<u8>,
    at: usize,
    ended: bool,
}

impl<R: Read> Opened<'_, R> {
    /// Reads exactly as much content as there is room for.
    pub(crate) fn read_exact(&mut self, mut room: &mut [u8]) -> Result<(), BackupError> {
        while !room.is_empty() {
            if self.at == self.content.len() {
                self.frame()?;
                continue;
            }
            let count = room.len().min(self.content.len() - self.at);
            let (now, later) = room.split_at_mut(count);
            now.copy_from_slice(&self.content[self.at..self.at + count]);
            self.at += count;
            room = later;
        }
        Ok(())
    }

    /// Demands that this be the end: of the content, of the frames, and of the file.
    pub(crate) fn end(mut self) -> Result<(), BackupError> {
        let behind = BackupError::Altered { place: "the end" };
        if self.at < self.content.len() {
            return Err(behind);
        }
        if !self.ended {
            self.frame()?;
        }
        let empty = self.content.len() == self.at && self.ended;
        let mut byte = [0];
        if empty && self.input.read(&mut byte)? == 0 { Ok(()) } else { Err(behind) }
    }

    fn frame(&mut self) -> Result<(), BackupError> {
        if self.ended {
            return Err(BackupError::Altered { place: "the end" });
        }
        let mut length = [0; 4];
        self.input.read_exact(&mut length).map_err(cut_short)?;
        let length = u32::from_be_bytes(length) as usize;
        if length > FRAME_MAX {
            return Err(BackupError::Altered { place: "a frame" });
        }
        let mut sealed = vec![0; length];
        self.input.read_exact(&mut sealed).map_err(cut_short)?;
        // Whether it is the last is what it opens as.
        let middle = self.root_key.open_backup_frame(self.binding.at(false), &sealed);
        self.content = match middle {
            Ok(content) => content,
            Err(crypto::Error::Unopened(_)) => {
                self.ended = true;
                self.root_key.open_backup_frame(self.binding.at(true), &sealed).map_err(
                    |error| match error {
                        crypto::Error::Unopened(_) => BackupError::Altered { place: "a frame" },
                        other => BackupError::Crypto(other),
                    },
                )?
            }
            Err(error) => return Err(error.into()),
        };
        self.binding.step();
        self.at = 0;
        Ok(())
    }
}

/// What frames are bound to: the head, then number and place, which change.
struct Binding {
    bytes: Vec<u8>,
    number: u64,
}

impl Binding {
    fn new(head: &[u8]) -> Self {
        Self { bytes: [head, &[0; 9]].concat(), number: 0 }
    }

    fn at(&mut self, last: bool) -> &[u8] {
        let tail = self.bytes.len() - 9;
        self.bytes[tail..tail + 8].copy_from_slice(&self.number.to_be_bytes());
        self.bytes[tail + 8] = u8::from(last);
        &self.bytes
    }

    fn step(&mut self) {
        self.number += 1;
    }

    fn next(&mut self, last: bool) -> &[u8] {
        self.at(last);
        self.number += 1;
        &self.bytes
    }
}

fn cut_short(error: io::Error) -> BackupError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => BackupError::CutShort,
        _ => BackupError::Io(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head {
            backup: "b".to_owned(),
            created: "2026-11-22T00:00:00Z".to_owned(),
            program: "0".to_owned(),
            revision: 7,
            seals: vec![("seal/a".to_owned(), "AA==".to_owned())],
        }
    }

    fn written(root_key: &RootKey, content: &[u8]) -> Vec<u8> {
        let mut writer = Writer::begin(Vec::new(), root_key, &head()).unwrap();
        for piece in content.chunks(100_000) {
            writer.write(piece).unwrap();
        }
        writer.finish().unwrap()
    }

    fn read(root_key: &RootKey, backup: &[u8], length: usize) -> Result<Vec<u8>, BackupError> {
        let sealed = Sealed::read(backup)?;
        let mut content = vec![0; length];
        let mut opened = sealed.open(root_key);
        opened.read_exact(&mut content)?;
        opened.end()?;
        Ok(content)
    }

    #[test]
    fn what_was_written_is_read() {
        let root_key = RootKey::generate().unwrap();
        for length in [0, 1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME] {
            let content: Vec<u8> = (0..=250).cycle().take(length).collect();
            let backup = written(&root_key, &content);
            assert_eq!(Sealed::read(&backup[..]).unwrap().head.revision, 7);
            assert!(read(&root_key, &backup, length).unwrap() == content, "{length}");
        }
    }

    #[test]
    fn every_cut_and_every_altered_byte_is_found() {
        let root_key = RootKey::generate().unwrap();
        let backup = written(&root_key, b"content");
        for at in 0..backup.len() {
            assert!(read(&root_key, &backup[..at], 7).is_err(), "cut at {at}");
            let mut altered = backup.clone();
            altered[at] ^= 1;
            assert!(read(&root_key, &altered, 7).is_err(), "altered at {at}");
        }
        assert!(read(&root_key, &[&backup[..], b"x"].concat(), 7).is_err());
        assert!(read(&RootKey::generate().unwrap(), &backup, 7).is_err());
    }

    #[test]
    fn frames_stay_in_their_places() {
        let root_key = RootKey::generate().unwrap();
        let content = vec![5; 3 * FRAME];
        let backup = written(&root_key, &content);
        let frames = backup.len() - 3 * (FRAME_MAX + 4);
        let frame = |number: usize| {
            &backup[frames + number * (FRAME_MAX + 4)..frames + (number + 1) * (FRAME_MAX + 4)]
        };
        let swapped = [&backup[..frames], frame(1), frame(0), frame(2)].concat();
        assert!(read(&root_key, &swapped, content.len()).is_err());
        let without = [&backup[..frames], frame(0), frame(2)].concat();
        assert!(read(&root_key, &without, 2 * FRAME).is_err());
        let ended_early = [&backup[..frames], frame(0), frame(1)].concat();
        assert!(read(&root_key, &ended_early, 2 * FRAME).is_err());
    }
}
