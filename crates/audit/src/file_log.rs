//! The log file: one JSON record a line, appended and never changed.
//!
//! A record is whole in the file or not at all: what a failing disk took of it is cut off again,
//! and so is what a crash left of it. Must not know what a record says.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, IoSlice, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use rustix::fs::OFlags;
use service::ports::{AuditHistory, AuditLog, AuditUnavailable, Pending, Position, Witness};

use crate::history;
use crate::tail::whole_length;

/// The longest record, in bytes. The pipeline's are shorter: each of a record's parts that may
/// grow has a limit of its own.
pub const RECORD_MAX: usize = 1 << 20;

/// An audit log in a file.
///
/// Each record is written by one `write` call before its future is ready, so that it survives
/// the process, though not the machine's loss of power.
pub struct FileLog {
    file: Mutex<Appender<File>>,
    /// The same file, to be read without the lock.
    reader: File,
    torn: u64,
}

impl FileLog {
    /// Opens the log for appending, or creates it, readable by its owner alone. The file must
    /// be a regular one that no other process has open as its log.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let unusable = |cause: io::Error| OpenError::Unusable { path: path.to_owned(), cause };
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let flags = i32::try_from(flags.bits()).map_err(io::Error::other).map_err(unusable)?;
        // Opening a pipe would wait for its other end but for NONBLOCK, which regular files ignore.
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags(flags)
            .open(path)
            .map_err(unusable)?;
        let metadata = file.metadata().map_err(unusable)?;
        if !metadata.is_file() {
            return Err(OpenError::NotALog { path: path.to_owned() });
        }
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse { path: path.to_owned() });
            }
            Err(TryLockError::Error(cause)) => return Err(unusable(cause)),
        }
        // Only now, since the length may have changed until the lock was ours.
        let length = file.metadata().map_err(unusable)?.len();
        let whole = whole_length(&file, length, RECORD_MAX as u64).map_err(unusable)?;
        let Some(whole) = whole else {
            return Err(OpenError::NotALog { path: path.to_owned() });
        };
        if whole < length {
            file.set_len(whole).map_err(unusable)?;
        }
        let reader = file.try_clone().map_err(unusable)?;
        let file = Mutex::new(Appender { medium: file, end: whole, whole: None });
        Ok(Self { file, reader, torn: length - whole })
    }

    /// How many bytes of an unfinished record were cut off when the log was opened: more than
    /// none if the machine or the process had died in the middle of writing. The request that it
    /// told of was never answered.
    pub fn torn(&self) -> u64 {
        self.torn
    }
}

impl AuditLog for FileLog {
    fn append_witnessed<'a>(
        &'a self,
        record: &'a [u8],
        witness: Witness<'a>,
    ) -> Pending<'a, Result<(), AuditUnavailable>> {
        Box::pin(async move {
            if record.is_empty() || record.len() > RECORD_MAX || record.contains(&b'\n') {
                let cause = io::Error::new(io::ErrorKind::InvalidInput, "not a record of one line");
                return Err(AuditUnavailable(Box::new(cause)));
            }
            // The write takes microseconds, too few to be worth another thread.
            let mut file = self.file.lock();
            file.append(record).map_err(unavailable)?;
            // Still under the lock: whoever learns the log's end finds all before it witnessed.
            witness(Position(file.end));
            Ok(())
        })
    }
}

/// Reads take place on the calling thread, mostly from the system's cache.
impl AuditHistory for FileLog {
    fn end(&self) -> Position {
        Position(self.file.lock().end)
    }

    fn mark(&self, at: Position) -> Result<String, AuditUnavailable> {
        history::mark(&self.reader, at).map_err(unavailable)
    }

    fn find(&self, mark: &str) -> Result<Position, AuditUnavailable> {
        history::find(&self.reader, mark, self.end()).map_err(unavailable)
    }

    fn read(&self, from: Position) -> Result<Vec<u8>, AuditUnavailable> {
        history::read(&self.reader, from, self.end()).map_err(unavailable)
    }
}

fn unavailable(cause: io::Error) -> AuditUnavailable {
    AuditUnavailable(Box::new(cause))
}

/// What records are appended to; a trait, so that tests can let it fail.
trait Medium: Write {
    fn length(&self) -> io::Result<u64>;
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

impl Medium for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

/// Appends whole lines.
struct Appender<M> {
    medium: M,
    /// Where the last record that was appended ends.
    end: u64,
    /// Up to where the medium holds whole lines, if there is a piece of one behind that.
    whole: Option<u64>,
}

impl<M: Medium> Appender<M> {
    fn append(&mut self, record: &[u8]) -> io::Result<()> {
        self.repair()?;
        let mut written = 0;
        let result = self.write_line(record, &mut written);
        if result.is_ok() {
            self.end += written;
        } else if written > 0 {
            // The lock and the append mode make this the only writer, so the piece is at the end.
            let length = self.medium.length()?;
            self.whole = Some(length.saturating_sub(written));
            // Where this fails too, the next record isn't written before it has succeeded.
            let _ = self.repair();
        }
        result
    }

    /// Cuts off the piece of a line that a failed write has left.
    fn repair(&mut self) -> io::Result<()> {
        if let Some(whole) = self.whole {
            self.medium.cut(whole)?;
            self.whole = None;
        }
        Ok(())
    }

    /// Writes the record and its line's end: by one call, unless the medium takes only a part.
    fn write_line(&mut self, record: &[u8], written: &mut u64) -> io::Result<()> {
        let mut line = [IoSlice::new(record), IoSlice::new(b"\n")];
        let mut rest = &mut line[..];
        while !rest.is_empty() {
            match self.medium.write_vectored(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    *written += count as u64;
                    IoSlice::advance_slices(&mut rest, count);
                }
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(cause),
            }
        }
        Ok(())
    }
}

/// Why a log couldn't be opened.
#[derive(Debug)]
pub enum OpenError {
    /// The path is not a regular file, or one without lines: nothing that a log could be. It was
    /// left as it is.
    NotALog {
        /// The file.
        path: PathBuf,
    },
    /// Another process has it open as its log.
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// It can't be opened, read or repaired.
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotALog { path } => write!(f, "{} is not an audit log", path.display()),
            Self::InUse { path } => {
                write!(f, "another server writes to the audit log {}", path.display())
            }
            Self::Unusable { path, cause } => {
                write!(f, "the audit log {} cannot be used: {cause}", path.display())
            }
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unusable { cause, .. } => Some(cause),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory that takes as many bytes a call as it is told to, and then fails.
    #[derive(Default)]
    struct Failing {
        bytes: Vec<u8>,
        takes: Vec<Result<usize, io::ErrorKind>>,
        cut_fails: u32,
    }

    impl Write for Failing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let take = if self.takes.is_empty() { Ok(usize::MAX) } else { self.takes.remove(0) };
            let take = take.map_err(io::Error::from)?.min(bytes.len());
            self.bytes.extend_from_slice(&bytes[..take]);
            Ok(take)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Medium for Failing {
        fn length(&self) -> io::Result<u64> {
            Ok(self.bytes.len() as u64)
        }

        fn cut(&mut self, length: u64) -> io::Result<()> {
            if self.cut_fails > 0 {
                self.cut_fails -= 1;
                return Err(io::ErrorKind::Other.into());
            }
            self.bytes.truncate(usize::try_from(length).unwrap());
            Ok(())
        }
    }

    fn appender(takes: &[Result<usize, io::ErrorKind>], cut_fails: u32) -> Appender<Failing> {
        let medium = Failing { bytes: b"old\n".to_vec(), takes: takes.to_vec(), cut_fails };
        Appender { medium, end: 4, whole: None }
    }

    #[test]
    fn short_writes_are_completed() {
        let interrupted = Err(io::ErrorKind::Interrupted);
        let mut log = appender(&[Ok(2), interrupted, Ok(1), Ok(2), Ok(1)], 0);
        log.append(b"record").unwrap();
        assert_eq!(log.medium.bytes, b"old\nrecord\n");
        assert_eq!(log.end, 11);
    }

    #[test]
    fn a_piece_is_cut_off() {
        let full = Err(io::ErrorKind::StorageFull);
        for takes in [vec![full], vec![Ok(3), full], vec![Ok(6), full], vec![Ok(3), Ok(0)]] {
            let mut log = appender(&takes, 0);
            log.append(b"record").unwrap_err();
            assert_eq!(log.medium.bytes, b"old\n");
            log.append(b"next").unwrap();
            assert_eq!(log.medium.bytes, b"old\nnext\n");
            assert_eq!(log.end, 9);
        }
    }

    #[test]
    fn nothing_is_written_behind_a_piece() {
        let mut log = appender(&[Ok(3), Err(io::ErrorKind::StorageFull)], 3);
        log.append(b"record").unwrap_err();
        for _ in 0..2 {
            log.append(b"next").unwrap_err();
            assert_eq!(log.medium.bytes, b"old\nrec");
        }
        log.append(b"last").unwrap();
        assert_eq!(log.medium.bytes, b"old\nlast\n");
    }
}
