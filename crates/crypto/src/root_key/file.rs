//! The root key in a file that only its owner can read: the seal of dev mode.
//!
//! It owns the file's format and what makes a file acceptable. Its content is only ever in
//! locked memory on our side; on disk it is as safe as the disk.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::{error, fmt};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::{LEN, RootKey};
use crate::Error;
use crate::derive::{self, Label};
use crate::memory::Locked;

/// The file: magic, version, key, check value. The check value is derived from the key, so that
/// damage is told from a wrong key before anything is done with it.
const MAGIC: &[u8; 15] = b"strongroom-root";
const VERSION: u8 = 1;
const KEY_AT: usize = MAGIC.len() + 1;
const CHECK_AT: usize = KEY_AT + LEN;
const FILE_LEN: usize = CHECK_AT + derive::DERIVED;

/// What a root key file may allow: reading and writing by its owner.
const OTHERS: u32 = 0o077;

/// A root key file that can't be used. The text names the file and what to do about it.
#[derive(Debug)]
pub struct RootKeyFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a root key file.
#[derive(Debug)]
#[non_exhaustive]
pub enum Problem {
    /// It was to be created and exists.
    Exists,
    /// It was to be read and doesn't exist.
    Missing,
    /// It is a symbolic link.
    SymbolicLink,
    /// It is a directory, a device or another thing that isn't a regular file.
    NotRegular,
    /// It belongs to another user than the one this process runs as.
    Owner {
        /// The user id of the owner.
        owner: u32,
        /// The user id of this process.
        process: u32,
    },
    /// Its group or everybody may use it.
    Permissions {
        /// Its permission bits.
        mode: u32,
    },
    /// It has not the length of a root key file.
    Length {
        /// Its length in bytes.
        bytes: u64,
    },
    /// It is something else.
    NotARootKey,
    /// It was written by a version of the program that is newer than this one.
    Version {
        /// The version byte.
        found: u8,
    },
    /// Its content was altered.
    Damaged,
    /// The operating system refused.
    System(io::Error),
    /// The key could not be made or held.
    Key(Error),
}

impl fmt::Display for RootKeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        write!(f, "root key file {path}: ")?;
        match &self.problem {
            Problem::Exists => f.write_str(
                "it exists and is not overwritten; use it, or move it away if nothing that it \
                 protects is needed any more",
            ),
            Problem::Missing => f.write_str(
                "it doesn't exist; restore it from a backup, since what it protects can't be \
                 opened without it",
            ),
            Problem::SymbolicLink => {
                f.write_str("it is a symbolic link; give the path of the file itself")
            }
            Problem::NotRegular => {
                f.write_str("it is not a regular file; give the path of the file itself")
            }
            Problem::Owner { owner, process } => write!(
                f,
                "it belongs to user {owner} and this process runs as user {process}; run it as \
                 the owner, or change the owner with `chown {process} {path}`"
            ),
            Problem::Permissions { mode } => write!(
                f,
                "others may use it (mode {mode:04o}); run `chmod 0600 {path}`, and replace the \
                 key if somebody may have read it"
            ),
            Problem::Length { bytes } => write!(
                f,
                "it has {bytes} bytes instead of {FILE_LEN}; restore it from a backup, or remove \
                 it if it was never in use"
            ),
            Problem::NotARootKey => {
                f.write_str("it is not a root key file; give the path of the right one")
            }
            Problem::Version { found } => write!(
                f,
                "it has version {found} and this program reads version {VERSION}; use the \
                 program that wrote it"
            ),
            Problem::Damaged => f.write_str("its content is damaged; restore it from a backup"),
            Problem::System(source) => source.fmt(f),
            Problem::Key(source) => source.fmt(f),
        }
    }
}

impl error::Error for RootKeyFileError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.problem {
            Problem::System(source) => Some(source),
            Problem::Key(source) => Some(source),
            _ => None,
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Key(error)
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl From<Errno> for Problem {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::EXIST => Self::Exists,
            Errno::NOENT => Self::Missing,
            Errno::LOOP => Self::SymbolicLink,
            other => Self::System(other.into()),
        }
    }
}

/// See [`RootKey::create_file`].
pub(super) fn create(path: &Path) -> Result<RootKey, RootKeyFileError> {
    let made = RootKey::generate().map_err(Problem::from).and_then(|key| {
        // Written beside its place and then put there whole, so that a crash leaves either no root
        // key file or a good one.
        let beside = beside(path);
        let placed = write(&beside, &key).and_then(|()| place(&beside, path));
        let _ = fs::remove_file(&beside);
        placed.map(|()| key)
    });
    made.map_err(|problem| RootKeyFileError { path: path.to_owned(), problem })
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

fn write(path: &Path, key: &RootKey) -> Result<(), Problem> {
    // What a crash left there was never used.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::openat(CWD, path, flags, Mode::RUSR | Mode::WUSR)?);
    // The umask may have taken bits away, and the owner must be able to read the file again.
    rustix::fs::fchmod(&file, Mode::RUSR | Mode::WUSR)?;
    file.write_all(encode(key)?.expose())?;
    file.sync_all()?;
    Ok(())
}

/// Gives the file its name. A link, unlike a renaming, never takes the place of what is there.
fn place(beside: &Path, path: &Path) -> Result<(), Problem> {
    rustix::fs::linkat(CWD, beside, CWD, path, AtFlags::empty())?;
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)?.sync_all()?;
    Ok(())
}

/// See [`RootKey::read_file`].
pub(super) fn read(path: &Path) -> Result<RootKey, RootKeyFileError> {
    read_accepted(path).map_err(|problem| RootKeyFileError { path: path.to_owned(), problem })
}

fn read_accepted(path: &Path) -> Result<RootKey, Problem> {
    // Not blocking, because a named pipe without a writer would hold the start up for ever.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
    // What is checked is the open file, so nobody can put another in its place afterwards.
    let status = rustix::fs::fstat(&file)?;
    accept(
        status.st_mode,
        status.st_uid,
        rustix::process::geteuid().as_raw(),
        // A regular file has no negative length; what isn't regular is refused all the same.
        u64::try_from(status.st_size).unwrap_or(0),
    )?;
    let content =
        Locked::filled(FILE_LEN, |slot| File::from(file).read_exact(slot).map_err(Problem::from))?;
    decode(&content)
}

/// Decides by what the kernel says about a file whether it may hold a root key.
fn accept(mode: u32, owner: u32, process: u32, bytes: u64) -> Result<(), Problem> {
    if FileType::from_raw_mode(mode) != FileType::RegularFile {
        return Err(Problem::NotRegular);
    }
    if owner != process {
        return Err(Problem::Owner { owner, process });
    }
    if mode & OTHERS != 0 {
        return Err(Problem::Permissions { mode: mode & 0o7777 });
    }
    if bytes != FILE_LEN as u64 {
        return Err(Problem::Length { bytes });
    }
    Ok(())
}

pub(crate) fn encode(key: &RootKey) -> Result<Locked, Error> {
    Locked::filled(FILE_LEN, |slot| {
        slot[..MAGIC.len()].copy_from_slice(MAGIC);
        slot[MAGIC.len()] = VERSION;
        slot[KEY_AT..CHECK_AT].copy_from_slice(key.locked().expose());
        let value = check(key, &slot[..KEY_AT])?;
        slot[CHECK_AT..].copy_from_slice(&value);
        Ok(())
    })
}

pub(crate) fn decode(content: &Locked) -> Result<RootKey, Problem> {
    let bytes = content.expose();
    if bytes.len() != FILE_LEN {
        return Err(Problem::Length { bytes: bytes.len() as u64 });
    }
    if &bytes[..MAGIC.len()] != MAGIC {
        return Err(Problem::NotARootKey);
    }
    if bytes[MAGIC.len()] != VERSION {
        return Err(Problem::Version { found: bytes[MAGIC.len()] });
    }
    let key = Locked::filled::<Error>(LEN, |slot| {
        slot.copy_from_slice(&bytes[KEY_AT..CHECK_AT]);
        Ok(())
    })?;
    let key = RootKey::from_locked(key);
    verify_slices_are_equal(&bytes[CHECK_AT..], &check(&key, &bytes[..KEY_AT])?)
        .map_err(|_| Problem::Damaged)?;
    Ok(key)
}

/// The check value tells nothing about the key: it is derived with a label of its own.
fn check(key: &RootKey, before: &[u8]) -> Result<[u8; derive::DERIVED], Error> {
    let mut value = [0; derive::DERIVED];
    derive::fill(key.locked(), Label::ROOT_KEY_FILE, before, &mut value)?;
    Ok(value)
}

#[cfg(test)]
mod tests;
