//! Where the log stands: its files' names, and opening them safely.
//!
//! Must not know what stands in them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// How many digits of a segment's first sequence its name has, at least.
const NAME_DIGITS: usize = 12;
/// What a segment's name ends with.
const EXTENSION: &str = ".jsonl";

/// The paths below a data directory.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    data: PathBuf,
}

impl Layout {
    pub(crate) fn new(data: &Path) -> Self {
        Self { data: data.to_owned() }
    }

    /// The directory that holds the current segment.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// The segment that is being written.
    pub(crate) fn current(&self) -> PathBuf {
        self.data.join("audit.jsonl")
    }

    /// The directory of all else.
    pub(crate) fn directory(&self) -> PathBuf {
        self.data.join("audit")
    }

    /// The segment that is about to become the current one.
    pub(crate) fn next(&self) -> PathBuf {
        self.directory().join("next.jsonl")
    }

    /// The signed digests.
    pub(crate) fn digests(&self) -> PathBuf {
        self.directory().join("digests.jsonl")
    }

    /// The closed segment whose first record has that sequence.
    pub(crate) fn closed(&self, first: u64) -> PathBuf {
        self.directory().join(segment_name(first))
    }

    /// The first sequences of the closed segments, ascending.
    pub(crate) fn list_closed(&self) -> io::Result<Vec<u64>> {
        let entries = match fs::read_dir(self.directory()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut found = Vec::new();
        for entry in entries {
            found.extend(entry?.file_name().to_str().and_then(parse_name));
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Makes the directory of closed segments, which nobody else may read.
    pub(crate) fn make_directory(&self) -> io::Result<()> {
        match DirBuilder::new().mode(0o700).create(self.directory()) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    }
}

/// The name of the segment whose first record has that sequence.
pub(crate) fn segment_name(first: u64) -> String {
    format!("{first:0NAME_DIGITS$}{EXTENSION}")
}

/// The first sequence of the segment of that name; None for the current one and other files.
pub(crate) fn parse_name(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(EXTENSION)?;
    let first: u64 = digits.parse().ok()?;
    // One name for one segment: "+1" and too few or too many zeros are none.
    (first > 0 && segment_name(first) == name).then_some(first)
}

/// Opens a regular file for reading, without following a symbolic link.
pub(crate) fn open_to_read(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    open_regular(&mut options, path)
}

/// Opens a file for appending and reading, or makes it, readable by its owner alone.
pub(crate) fn open_to_append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    open_regular(&mut options, path)
}

/// Opens a file for writing anywhere in it.
pub(crate) fn open_to_mend(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    open_regular(&mut options, path)
}

fn open_regular(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    // Opening a pipe would wait for its other end but for NONBLOCK, which regular files ignore.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    let file = options.mode(0o600).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(not_regular());
    }
    Ok(file)
}

/// What is said of something that is no regular file.
pub(crate) fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")
}

/// Whether both are the same file.
pub(crate) fn same_file(one: &File, path: &Path) -> io::Result<bool> {
    let (one, other) = (one.metadata()?, fs::symlink_metadata(path)?);
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}

/// Makes what was done to the names in a directory survive the machine.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_sequences_and_no_others() {
        assert_eq!(segment_name(4_711), "000000004711.jsonl");
        for first in [1, 4_711, 999_999_999_999, 1_000_000_000_000, u64::MAX] {
            assert_eq!(parse_name(&segment_name(first)), Some(first));
        }
        for other in [
            "digests.jsonl",
            "next.jsonl",
            "1.jsonl",
            "0000000000001.jsonl",
            "000000000000.jsonl",
            "+00000000001.jsonl",
            "000000000001.json",
            "",
        ] {
            assert_eq!(parse_name(other), None, "{other}");
        }
    }

    #[test]
    fn segments_are_listed_in_their_order() {
        let data = tempfile::tempdir().unwrap();
        let layout = Layout::new(data.path());
        assert_eq!(layout.list_closed().unwrap(), [0; 0]);
        layout.make_directory().unwrap();
        for first in [1_000_000_000_000, 5, 70] {
            fs::write(layout.closed(first), "").unwrap();
        }
        fs::write(layout.digests(), "").unwrap();
        assert_eq!(layout.list_closed().unwrap(), [5, 70, 1_000_000_000_000]);
    }
}
