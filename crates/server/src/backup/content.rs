//! What the frames of a backup hold: the store's records at one revision, then the files of the
//! audit log, then what there should have been.
//!
//! ```text
//! record   1, key: 16 bits and bytes, revision: 64 bits, value: 32 bits and bytes
//! file     2, name: 16 bits and bytes, content: 64 bits and bytes
//! end      3, records: 64 bits, files: 64 bits
//! ```
//! Must not know what a record means, nor how frames are sealed.

use std::io::{self, Read, Write};

use service::ports::{Item, Revision};

use super::BackupError;
use super::format::{Opened, Writer};

const RECORD: u8 = 1;
const FILE: u8 = 2;
const END: u8 = 3;
/// The longest key and value that are read: more than any store takes.
const KEY_MAX: usize = 4 << 10;
const VALUE_MAX: usize = 16 << 20;
/// How much of a file is copied at once.
const PIECE: usize = 64 << 10;

/// How much of each a backup holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Contents {
    /// Records of the store.
    pub records: u64,
    /// Files of the audit log.
    pub files: u64,
    /// Their length together, in bytes.
    pub bytes: u64,
}

/// What comes next in a backup.
pub(crate) enum Entry {
    /// A record of the store.
    Record(Item),
    /// A file of that name and length, whose content follows.
    File(String, u64),
    /// Nothing more.
    End,
}

/// Writes content into a backup.
pub(crate) struct ContentWriter<'a, W> {
    out: Writer<'a, W>,
    written: Contents,
}

impl<'a, W: Write> ContentWriter<'a, W> {
    pub(crate) fn new(out: Writer<'a, W>) -> Self {
        Self { out, written: Contents::default() }
    }

    /// Writes a record.
    pub(crate) fn record(&mut self, item: &Item) -> Result<(), BackupError> {
        let key = item.key.as_bytes();
        self.out.write(&[RECORD])?;
        self.out.write(&u16::try_from(key.len()).map_err(io::Error::other)?.to_be_bytes())?;
        self.out.write(key)?;
        self.out.write(&item.revision.0.to_be_bytes())?;
        let length = u32::try_from(item.value.len()).map_err(io::Error::other)?;
        self.out.write(&length.to_be_bytes())?;
        self.out.write(&item.value)?;
        self.written.records += 1;
        self.written.bytes += (key.len() + item.value.len()) as u64;
        Ok(())
    }

    /// Writes that much of a file, which must have it.
    pub(crate) fn file(
        &mut self,
        name: &str,
        length: u64,
        mut content: impl Read,
    ) -> Result<(), BackupError> {
        self.out.write(&[FILE])?;
        self.out.write(&u16::try_from(name.len()).map_err(io::Error::other)?.to_be_bytes())?;
        self.out.write(name.as_bytes())?;
        self.out.write(&length.to_be_bytes())?;
        let mut piece = vec![0; PIECE];
        let mut rest = length;
        while rest > 0 {
            let count = usize::try_from(rest).unwrap_or(PIECE).min(PIECE);
            content.read_exact(&mut piece[..count])?;
            self.out.write(&piece[..count])?;
            rest -= count as u64;
        }
        self.written.files += 1;
        self.written.bytes += length;
        Ok(())
    }

    /// Ends the backup.
    pub(crate) fn finish(mut self) -> Result<(W, Contents), BackupError> {
        self.out.write(&[END])?;
        self.out.write(&self.written.records.to_be_bytes())?;
        self.out.write(&self.written.files.to_be_bytes())?;
        Ok((self.out.finish()?, self.written))
    }
}

/// Reads content out of a backup.
pub(crate) struct ContentReader<'a, R> {
    input: Opened<'a, R>,
    read: Contents,
}

impl<'a, R: Read> ContentReader<'a, R> {
    pub(crate) fn new(input: Opened<'a, R>) -> Self {
        Self { input, read: Contents::default() }
    }

    /// What comes next. The content of a file must have been taken before.
    pub(crate) fn next(&mut self) -> Result<Entry, BackupError> {
        match self.number::<1>()? {
            [RECORD] => {
                let key = usize::from(u16::from_be_bytes(self.number()?));
                let key = self.text(key, KEY_MAX)?;
                let revision = Revision(u64::from_be_bytes(self.number()?));
                let length = u32::from_be_bytes(self.number()?) as usize;
                let value = self.bytes(length, VALUE_MAX)?;
                self.read.records += 1;
                self.read.bytes += (key.len() + value.len()) as u64;
                Ok(Entry::Record(Item { key, value, revision }))
            }
            [FILE] => {
                let name = usize::from(u16::from_be_bytes(self.number()?));
                let name = self.text(name, KEY_MAX)?;
                let length = u64::from_be_bytes(self.number()?);
                self.read.files += 1;
                self.read.bytes += length;
                Ok(Entry::File(name, length))
            }
            [END] => {
                let records = u64::from_be_bytes(self.number()?);
                let files = u64::from_be_bytes(self.number()?);
                if (records, files) != (self.read.records, self.read.files) {
                    return Err(malformed());
                }
                Ok(Entry::End)
            }
            _ => Err(malformed()),
        }
    }

    /// Takes that much of the content of the file that came last.
    pub(crate) fn copy(&mut self, length: u64, mut out: impl Write) -> Result<(), BackupError> {
        let mut piece = vec![0; PIECE];
        let mut rest = length;
        while rest > 0 {
            let count = usize::try_from(rest).unwrap_or(PIECE).min(PIECE);
            self.input.read_exact(&mut piece[..count])?;
            out.write_all(&piece[..count])?;
            rest -= count as u64;
        }
        Ok(())
    }

    /// Demands that this be the end of the backup, and tells what there was.
    pub(crate) fn end(self) -> Result<Contents, BackupError> {
        self.input.end()?;
        Ok(self.read)
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], BackupError> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn bytes(&mut self, length: usize, max: usize) -> Result<Vec<u8>, BackupError> {
        if length > max {
            return Err(malformed());
        }
        let mut bytes = vec![0; length];
        self.input.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn text(&mut self, length: usize, max: usize) -> Result<String, BackupError> {
        String::from_utf8(self.bytes(length, max)?).map_err(|_| malformed())
    }
}

/// What opened and isn't what a server writes: a later version's, or a fault of the program.
fn malformed() -> BackupError {
    BackupError::Altered { place: "the content" }
}
