//! How far a sink has got, in a file that is replaced as a whole.
//!
//! Must not know what a mark says.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The longest mark that is read, in bytes.
const MARK_MAX: u64 = 256;
/// The longest name of a sink.
const NAME_MAX: usize = 32;

/// The file of one sink.
pub(super) struct Cursor {
    path: PathBuf,
    next: PathBuf,
}

impl Cursor {
    /// The file of the sink of that name, in the log's directory. None if it is no name: lower-case
    /// letters, digits and hyphens.
    pub(super) fn new(data: &Path, name: &str) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_name = (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(fits);
        let directory = data.join("audit");
        is_name.then(|| Self {
            path: directory.join(format!("sink-{name}.cursor")),
            next: directory.join(format!("sink-{name}.next")),
        })
    }

    /// The mark that was stored; an empty one if there is none.
    pub(super) fn read(&self) -> io::Result<String> {
        let file = match fs::File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
            other => other?,
        };
        let mut bytes = Vec::new();
        file.take(MARK_MAX).read_to_end(&mut bytes)?;
        // What isn't a mark is the log's beginning: records come again, but none is left out.
        Ok(String::from_utf8(bytes).unwrap_or_default().trim_end().to_owned())
    }

    /// Stores a mark.
    pub(super) fn write(&self, mark: &str) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&self.next)?;
        file.write_all(format!("{mark}\n").as_bytes())?;
        file.sync_data()?;
        fs::rename(&self.next, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let data = tempfile::tempdir().unwrap();
        fs::create_dir(data.path().join("audit")).unwrap();
        let cursor = Cursor::new(data.path(), "http-1").unwrap();
        assert_eq!(cursor.read().unwrap(), "");
        for mark in ["1-500-0123456789abcdef", ""] {
            cursor.write(mark).unwrap();
            assert_eq!(cursor.read().unwrap(), mark);
        }
        fs::write(&cursor.path, [0xff, 0xfe]).unwrap();
        assert_eq!(cursor.read().unwrap(), "");
    }

    #[test]
    fn names_are_file_names() {
        for name in ["", "A", "a/b", "..", "a.b", &"a".repeat(33)] {
            assert!(Cursor::new(Path::new("/"), name).is_none(), "{name}");
        }
    }
}
