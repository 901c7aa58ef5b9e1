//! The files of TLS: who may read them, what they hold, whether they have changed.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use super::{TlsError, TlsFiles};

/// The longest file that is read. A chain of three certificates has some 6 KB; a bundle of
/// authorities has a few hundred.
const FILE_MAX: usize = 1 << 20;
/// The user who may own a private key beside the one that the process runs as.
const ROOT: u32 = 0;

/// What is wrong with a file.
#[derive(Debug)]
#[non_exhaustive]
pub enum Problem {
    /// The system refuses.
    System(io::Error),
    /// It is a directory, a device or another thing that isn't a regular file.
    NotRegular,
    /// It is longer than any such file.
    TooLong,
    /// Another user owns the private key.
    Owner {
        /// The user id of the owner.
        owner: u32,
        /// The user id of this process.
        process: u32,
    },
    /// Others may use the private key.
    Permissions {
        /// Its permission bits.
        mode: u32,
    },
    /// It has no certificate, or what it calls one is none.
    NotACertificate,
    /// It has no private key that can be read.
    NotAPrivateKey,
    /// The private key is of a kind that TLS doesn't use, or damaged.
    UnusableKey,
    /// A certificate in it can't be an authority's.
    UnusableAuthority,
}

impl Problem {
    /// Writes what is wrong and what to do about it.
    pub(super) fn tell(&self, path: &Path, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(error) => write!(f, "{error}"),
            Self::NotRegular => f.write_str("it is not a regular file"),
            Self::TooLong => write!(f, "it is longer than {FILE_MAX} bytes"),
            Self::Owner { owner, process } => write!(
                f,
                "it belongs to user {owner} and this process runs as user {process}; change the \
                 owner with `chown {process} {}`",
                path.display()
            ),
            Self::Permissions { mode } => write!(
                f,
                "others may use it (mode {mode:04o}); run `chmod 0600 {}`, and replace the key if \
                 somebody may have read it (0640 is right only where root owns it)",
                path.display()
            ),
            Self::NotACertificate => f.write_str("it holds no certificate in PEM"),
            Self::NotAPrivateKey => f.write_str(
                "it holds no private key in PEM; one that is encrypted has to be decrypted first",
            ),
            Self::UnusableKey => f.write_str("its private key is of no kind that TLS uses"),
            Self::UnusableAuthority => {
                f.write_str("it holds a certificate that can't be an authority's")
            }
        }
    }
}

/// The certificates of a file, of which there is one at least.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates = read(path, false).and_then(|text| {
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        read.ok().filter(|read| !read.is_empty()).ok_or(Problem::NotACertificate)
    });
    certificates.map_err(|problem| TlsError::File { path: path.to_owned(), problem })
}

/// The private key of a file.
pub(super) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let key = read(path, true)
        .and_then(|text| PrivateKeyDer::from_pem_slice(&text).map_err(|_| Problem::NotAPrivateKey));
    key.map_err(|problem| TlsError::File { path: path.to_owned(), problem })
}

/// Reads a file whole. Symbolic links are followed, since that is how certificates are replaced.
fn read(path: &Path, is_secret: bool) -> Result<Zeroizing<Vec<u8>>, Problem> {
    // Not blocking, because a named pipe without a writer would hold the start up for ever.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let system = |error: rustix::io::Errno| Problem::System(error.into());
    let file = rustix::fs::openat(CWD, path, flags, Mode::empty()).map_err(system)?;
    // What is checked is the open file, so nobody can put another in its place afterwards.
    let status = rustix::fs::fstat(&file).map_err(system)?;
    if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
        return Err(Problem::NotRegular);
    }
    if is_secret {
        accept(status.st_mode, status.st_uid, rustix::process::geteuid().as_raw())?;
    }
    let length = usize::try_from(status.st_size).unwrap_or(usize::MAX);
    if length > FILE_MAX {
        return Err(Problem::TooLong);
    }
    // With room for all of it, so that it doesn't move and leave copies behind.
    let mut content = Zeroizing::new(Vec::with_capacity(length + 1));
    File::from(file)
        .take(FILE_MAX as u64 + 1)
        .read_to_end(&mut content)
        .map_err(Problem::System)?;
    if content.len() > FILE_MAX {
        return Err(Problem::TooLong);
    }
    Ok(content)
}

/// Decides by what the kernel says about a file whether it may hold a private key: its owner alone
/// may use it, or, where root owns it, a group may read it. (PostgreSQL has the same rule, which
/// fits how distributions and orchestrators hand certificates out.)
fn accept(mode: u32, owner: u32, process: u32) -> Result<(), Problem> {
    if owner != process && owner != ROOT {
        return Err(Problem::Owner { owner, process });
    }
    let others = if owner == ROOT { 0o037 } else { 0o077 };
    if mode & others != 0 {
        return Err(Problem::Permissions { mode: mode & 0o7777 });
    }
    Ok(())
}

/// How the files look from outside; another look means that they may say something else.
#[derive(PartialEq, Eq)]
pub(super) struct Fingerprint([Option<Look>; 3]);

/// Device, inode, length, time of the last change of content and of anything.
type Look = (u64, u64, u64, (i64, i64), (i64, i64));

impl Fingerprint {
    pub(super) fn of(files: &TlsFiles) -> Self {
        let look = |path: &Path| {
            let seen = fs::metadata(path).ok()?;
            let (modified, changed) =
                ((seen.mtime(), seen.mtime_nsec()), (seen.ctime(), seen.ctime_nsec()));
            Some((seen.dev(), seen.ino(), seen.len(), modified, changed))
        };
        let authorities = files.client_authorities.as_deref().and_then(look);
        Self([look(&files.certificate), look(&files.private_key), authorities])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_key_is_its_owners() {
        for (mode, owner, process) in
            [(0o600, 7, 7), (0o400, 7, 7), (0o600, 0, 0), (0o640, 0, 7), (0o440, 0, 7)]
        {
            assert!(accept(mode, owner, process).is_ok(), "{mode:o} {owner} {process}");
        }
        for (mode, owner, process) in
            [(0o640, 7, 7), (0o604, 7, 7), (0o660, 0, 7), (0o644, 0, 0), (0o610, 7, 7)]
        {
            let refused = accept(mode, owner, process);
            assert!(matches!(refused, Err(Problem::Permissions { .. })), "{mode:o} {owner}");
        }
        assert!(matches!(accept(0o600, 8, 7), Err(Problem::Owner { owner: 8, process: 7 })));
    }
}
