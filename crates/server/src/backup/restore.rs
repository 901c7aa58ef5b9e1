//! Reading a backup back: verifying all of it, and making a data directory of it.
//!
//! Must not know where secrets come from.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Component, Path};
use std::sync::Arc;

use ::seals::{Seals, Summary};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::RootKey;
use service::ports::{Commit, Item, Revision, Store};
use storage::CopyError;

use super::BackupError;
use super::content::{ContentReader, Contents, Entry};
use super::format::Sealed;
use crate::clock::MovableClock;
use crate::serve::{clear, prepare};
use crate::start::StartError;

/// What the store's file is called until everything is there: no server serves what isn't whole,
/// such as a store without its audit log.
const UNFINISHED: &str = "restoring.sqlite3";

/// A backup whose seals are known, and which is still sealed.
pub struct Backup {
    sealed: Sealed<BufReader<File>>,
    seals: Seals,
}

impl Backup {
    /// Opens a backup's file.
    ///
    /// # Errors
    /// [`BackupError`].
    pub async fn open(path: &Path) -> Result<Self, BackupError> {
        let sealed = Sealed::read(BufReader::with_capacity(1 << 20, File::open(path)?))?;
        // The seals are opened by what opens them in a server, over a store that has nothing else.
        let store: Arc<dyn Store> = Arc::new(storage::Memory::new());
        let mut puts = Vec::new();
        for (key, value) in &sealed.head.seals {
            let value = STANDARD.decode(value);
            let value = value.map_err(|_| BackupError::Altered { place: "the head" })?;
            if !seals::is_record(key) {
                return Err(BackupError::Altered { place: "the head" });
            }
            puts.push((key.clone(), value));
        }
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| BackupError::Seals(error);
        let commit = Commit { puts, ..Commit::default() };
        store.commit(commit).await.map_err(|error| failed(Box::new(error)))?;
        let seals = Seals::open(store, Arc::new(MovableClock::default())).await;
        let seals = seals.map_err(|error| failed(Box::new(error)))?;
        let seals = seals.ok_or(BackupError::Altered { place: "the head" })?;
        Ok(Self { sealed, seals })
    }

    /// When it was made, ISO 8601; not to be relied on before the backup was opened.
    pub fn created(&self) -> &str {
        &self.sealed.head.created
    }

    /// The revision of the store that it holds; not to be relied on before it was opened.
    pub fn revision(&self) -> u64 {
        self.sealed.head.revision
    }

    /// The seals that open it, of which one is to be opened.
    pub fn seals(&self) -> &Seals {
        &self.seals
    }

    /// What is known of them.
    ///
    /// # Errors
    /// [`BackupError::Seals`].
    pub async fn summaries(&self) -> Result<Vec<Summary>, BackupError> {
        self.seals.list().await.map_err(|error| BackupError::Seals(Box::new(error)))
    }

    /// Reads all of it, and tells what it holds.
    ///
    /// # Errors
    /// [`BackupError`]: then it is no backup to rely on.
    pub fn verify(self, root_key: &RootKey) -> Result<Contents, BackupError> {
        let mut content = ContentReader::new(self.sealed.open(root_key));
        loop {
            match content.next()? {
                Entry::Record(_) => {}
                Entry::File(_, length) => content.copy(length, io::sink())?,
                Entry::End => return content.end(),
            }
        }
    }
}

/// Makes a data directory of a backup. If that fails nothing is left behind.
///
/// # Errors
/// [`BackupError`]; [`BackupError::NotEmpty`] if there is anything in the directory.
pub fn restore(backup: Backup, root_key: &RootKey, data: &Path) -> Result<Contents, BackupError> {
    let existed = prepare(data).map_err(|error| match error {
        StartError::NotEmpty(path) => BackupError::NotEmpty(path),
        other => BackupError::Io(io::Error::other(other.to_string())),
    })?;
    let restored = write(backup, root_key, data);
    if restored.is_err() {
        clear(data, existed);
    }
    restored
}

fn write(backup: Backup, root_key: &RootKey, data: &Path) -> Result<Contents, BackupError> {
    let revision = Revision(backup.sealed.head.revision);
    let mut content = ContentReader::new(backup.sealed.open(root_key));
    let mut first = None;
    let records = || match content.next()? {
        Entry::Record(item) => Ok::<Option<Item>, BackupError>(Some(item)),
        other => {
            first = Some(other);
            Ok(None)
        }
    };
    let unfinished = data.join(UNFINISHED);
    storage::restore(&unfinished, revision, records).map_err(|error| match error {
        CopyError::Store(error) => BackupError::Store(Box::new(error)),
        CopyError::Other(error) => error,
    })?;
    let mut entry = match first {
        Some(entry) => entry,
        None => content.next()?,
    };
    loop {
        match entry {
            Entry::File(name, length) => file(&mut content, &name, length, data)?,
            Entry::End => break,
            Entry::Record(_) => return Err(BackupError::Altered { place: "the content" }),
        }
        entry = content.next()?;
    }
    let contents = content.end()?;
    // SQLite's files beside it, from which everything has come into it.
    for beside in ["-wal", "-shm"] {
        match fs::remove_file(data.join(format!("{UNFINISHED}{beside}"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    fs::rename(&unfinished, data.join("state.sqlite3"))?;
    File::open(data)?.sync_all()?;
    Ok(contents)
}

fn file(
    content: &mut ContentReader<'_, impl Read>,
    name: &str,
    length: u64,
    data: &Path,
) -> Result<(), BackupError> {
    let relative = Path::new(name);
    let plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
    if !plain || name.is_empty() {
        return Err(BackupError::Altered { place: "the content" });
    }
    let path = data.join(relative);
    if let Some(parent) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    content.copy(length, &file)?;
    file.sync_all()?;
    if let Some(parent) = path.parent() {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}
