//! Making a backup, beside a server that goes on serving.
//!
//! Must not know where the backup goes to.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::RootKey;
use service::ports::Item;
use storage::{CopyError, Snapshot};
use wire::Timestamp;

use super::BackupError;
use super::content::{ContentWriter, Contents};
use super::format::{Head, Writer};

/// The segment of the audit log that is being written.
const CURRENT: &str = "audit.jsonl";
/// Where the closed ones and the digests are.
const AUDIT: &str = "audit";
/// The digests.
const DIGESTS: &str = "digests.jsonl";
/// How far from its end a segment is looked at for the end of its last whole line: the longest
/// record.
const LINE_MAX: u64 = 1 << 20;

/// What a backup will hold, as it is at one moment: the store at one revision, and the audit log up
/// to about then.
pub struct Moment {
    snapshot: Snapshot,
    files: Vec<(String, File, u64)>,
}

impl Moment {
    /// Takes hold of what a data directory has now. It blocks for a short time.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn of(data: &Path) -> Result<Self, BackupError> {
        // The store before the log: no change is in the backup without the record that tells of it.
        let snapshot = Snapshot::take(&data.join("state.sqlite3"));
        let snapshot = snapshot.map_err(|error| BackupError::Store(Box::new(error)))?;
        Ok(Self { snapshot, files: audit_files(data)? })
    }

    /// Writes the backup. `root_key` must be the one that the store's seals opened at that moment.
    ///
    /// # Errors
    /// [`BackupError`]; what was written by then is no backup.
    pub fn write(
        self,
        root_key: &RootKey,
        now: Timestamp,
        out: impl Write,
    ) -> Result<Contents, BackupError> {
        let Self { snapshot, files } = self;
        let mut seals = Vec::new();
        each(&snapshot, |item| {
            if seals::is_record(&item.key) {
                seals.push((item.key, STANDARD.encode(item.value)));
            }
            Ok(())
        })?;
        let mut id = [0; 16];
        crypto::random::fill(&mut id)?;
        let head = Head {
            backup: format!("{:032x}", u128::from_be_bytes(id)),
            created: now.to_string(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            revision: snapshot.revision().0,
            seals,
        };
        let mut content = ContentWriter::new(Writer::begin(out, root_key, &head)?);
        each(&snapshot, |item| content.record(&item))?;
        drop(snapshot);
        for (name, file, length) in files {
            content.file(&name, length, FromStart { file: &file, at: 0 })?;
        }
        let (_, contents) = content.finish()?;
        Ok(contents)
    }
}

fn each(
    snapshot: &Snapshot,
    each: impl FnMut(Item) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    snapshot.records(each).map_err(|error| match error {
        CopyError::Store(error) => BackupError::Store(Box::new(error)),
        CopyError::Other(error) => error,
    })
}

/// The audit log's files, each with how much of it belongs to the backup. What is closed or removed
/// meanwhile stays readable, since it is open.
fn audit_files(data: &Path) -> io::Result<Vec<(String, File, u64)>> {
    let mut files = Vec::new();
    let mut seen = HashSet::new();
    // Digests before records: one that speaks of a record which isn't there would look like a cut.
    for name in [format!("{AUDIT}/{DIGESTS}"), CURRENT.to_owned()] {
        if let Some(file) = open(&data.join(&name))? {
            seen.insert(file.metadata()?.ino());
            let length = whole_lines(&file)?;
            files.push((name, file, length));
        }
    }
    let entries = match fs::read_dir(data.join(AUDIT)) {
        Ok(entries) => entries.collect::<Result<Vec<_>, _>>()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let number = name.strip_suffix(".jsonl").unwrap_or_default();
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        // One that was closed just now is the one that was open before.
        if let Some(file) = open(&entry.path())?
            && seen.insert(file.metadata()?.ino())
        {
            let length = file.metadata()?.len();
            files.push((format!("{AUDIT}/{name}"), file, length));
        }
    }
    Ok(files)
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// How much of a file that is being appended to is whole lines.
fn whole_lines(file: &File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(LINE_MAX + 1);
    let mut tail = vec![0; usize::try_from(length - start).map_err(io::Error::other)?];
    file.read_exact_at(&mut tail, start)?;
    Ok(tail.iter().rposition(|byte| *byte == b'\n').map_or(start, |at| start + at as u64 + 1))
}

/// Reads a file from its beginning, wherever somebody else reads.
struct FromStart<'a> {
    file: &'a File,
    at: u64,
}

impl io::Read for FromStart<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(room, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}
