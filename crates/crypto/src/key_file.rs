//! A key in a file that only its owner can read: the root key of dev mode, and the key of a seal.
//!
//! It owns the files' format and what makes a file acceptable. Its content is only ever in
//! locked memory on our side; on disk it is as safe as the disk. It must not know what is done
//! with a key.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::{error, fmt};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::Error;
use crate::derive::{self, Label};
use crate::memory::Locked;
use crate::parsed::lock;

/// The length of the key in a file, in bytes.
pub(crate) const LEN: usize = 32;

/// The file: magic, version, key, check value. The check value is derived from the key, so that
/// damage is told from a wrong key before anything is done with it.
const MAGIC: usize = 15;
const VERSION: u8 = 1;
const KEY_AT: usize = MAGIC + 1;
const CHECK_AT: usize = KEY_AT + LEN;
const FILE_LEN: usize = CHECK_AT + derive::DERIVED;

/// What a key file may not allow: anything to others than its owner.
const OTHERS: u32 = 0o077;

/// Which key a file holds. A file of one kind is none of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFileKind {
    /// The root key, as dev mode keeps it.
    RootKey,
    /// The key of a seal.
    SealKey,
}

impl KeyFileKind {
    const fn magic(self) -> &'static [u8; MAGIC] {
        match self {
            Self::RootKey => b"strongroom-root",
            Self::SealKey => b"strongroom-seal",
        }
    }

    const fn label(self) -> Label {
        match self {
            Self::RootKey => Label::ROOT_KEY_FILE,
            Self::SealKey => Label::SEAL_KEY_FILE,
        }
    }
}

impl fmt::Display for KeyFileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RootKey => "root key file",
            Self::SealKey => "seal key file",
        })
    }
}

/// A key file that can't be used. The text names the file and what to do about it.
#[derive(Debug)]
pub struct KeyFileError {
    /// The file.
    pub path: PathBuf,
    /// What it was to hold.
    pub kind: KeyFileKind,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a key file.
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
    /// It has not the length of a key file.
    Length {
        /// Its length in bytes.
        bytes: u64,
    },
    /// It is something else.
    NotAKeyFile,
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

impl fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, path) = (self.kind, self.path.display());
        write!(f, "{kind} {path}: ")?;
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
            Problem::NotAKeyFile => {
                write!(f, "it is not a {kind}; give the path of the right one")
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

impl error::Error for KeyFileError {
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

/// Writes `key` to a new file; file and directory entry are on disk when this returns.
pub(crate) fn create(kind: KeyFileKind, path: &Path, key: &Locked) -> Result<(), KeyFileError> {
    // Written beside its place and then put there whole, so that a crash leaves either no key
    // file or a good one.
    let beside = beside(path);
    let placed = write(kind, &beside, key).and_then(|()| place(&beside, path));
    let _ = fs::remove_file(&beside);
    placed.map_err(|problem| KeyFileError { path: path.to_owned(), kind, problem })
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

fn write(kind: KeyFileKind, path: &Path, key: &Locked) -> Result<(), Problem> {
    // What a crash left there was never used.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::openat(CWD, path, flags, Mode::RUSR | Mode::WUSR)?);
    // The umask may have taken bits away, and the owner must be able to read the file again.
    rustix::fs::fchmod(&file, Mode::RUSR | Mode::WUSR)?;
    file.write_all(encode(kind, key)?.expose())?;
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

/// Reads the key that [`create`] wrote.
pub(crate) fn read(kind: KeyFileKind, path: &Path) -> Result<Locked, KeyFileError> {
    read_accepted(kind, path).map_err(|problem| KeyFileError {
        path: path.to_owned(),
        kind,
        problem,
    })
}

fn read_accepted(kind: KeyFileKind, path: &Path) -> Result<Locked, Problem> {
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
    decode(kind, &content)
}

/// Decides by what the kernel says about a file whether it may hold a key.
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

pub(crate) fn encode(kind: KeyFileKind, key: &Locked) -> Result<Locked, Error> {
    Locked::filled(FILE_LEN, |slot| {
        slot[..MAGIC].copy_from_slice(kind.magic());
        slot[MAGIC] = VERSION;
        slot[KEY_AT..CHECK_AT].copy_from_slice(key.expose());
        let value = check(kind, key, &slot[..KEY_AT])?;
        slot[CHECK_AT..].copy_from_slice(&value);
        Ok(())
    })
}

pub(crate) fn decode(kind: KeyFileKind, content: &Locked) -> Result<Locked, Problem> {
    let bytes = content.expose();
    if bytes.len() != FILE_LEN {
        return Err(Problem::Length { bytes: bytes.len() as u64 });
    }
    if &bytes[..MAGIC] != kind.magic() {
        return Err(Problem::NotAKeyFile);
    }
    if bytes[MAGIC] != VERSION {
        return Err(Problem::Version { found: bytes[MAGIC] });
    }
    let key = lock(&bytes[KEY_AT..CHECK_AT])?;
    verify_slices_are_equal(&bytes[CHECK_AT..], &check(kind, &key, &bytes[..KEY_AT])?)
        .map_err(|_| Problem::Damaged)?;
    Ok(key)
}

/// The check value tells nothing about the key: it is derived with a label of its own.
fn check(kind: KeyFileKind, key: &Locked, before: &[u8]) -> Result<[u8; derive::DERIVED], Error> {
    let mut value = [0; derive::DERIVED];
    derive::fill(key, kind.label(), before, &mut value)?;
    Ok(value)
}

#[cfg(test)]
mod tests;
