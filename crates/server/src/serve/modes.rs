//! Who may read a data directory: nobody but its owner, whom the server must run as.
//!
//! Must not know what the files hold.

use std::fmt;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// What others than the owner may do with a file.
const OTHERS: u32 = 0o077;
/// How many files are looked at. A directory of ours has far fewer beside its audit log's segments.
const FILES_MAX: usize = 100_000;

/// A file that somebody else may use, or that isn't ours.
#[derive(Debug)]
pub enum Exposed {
    /// Others may use it.
    Mode(PathBuf, u32),
    /// It belongs to somebody else.
    Owner(PathBuf, u32),
    /// It can't be looked at.
    Unreadable(PathBuf, io::Error),
}

impl fmt::Display for Exposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mode(path, mode) => {
                let path = path.display();
                write!(
                    f,
                    "others may use {path} (mode {mode:04o}): run `chmod go= {path}`, and consider \
                     who may have read it"
                )
            }
            Self::Owner(path, owner) => write!(
                f,
                "{} belongs to user {owner}, not to the user that the server runs as",
                path.display()
            ),
            Self::Unreadable(path, error) => {
                write!(f, "cannot look at {}: {error}", path.display())
            }
        }
    }
}

/// Looks at the data directory and all that is in it.
///
/// # Errors
/// [`Exposed`]: the first that is.
pub(crate) fn check(data: &Path) -> Result<(), Exposed> {
    let own = rustix::process::geteuid().as_raw();
    // The directory itself may be a link, which leads to what is served.
    let data =
        fs::canonicalize(data).map_err(|error| Exposed::Unreadable(data.to_owned(), error))?;
    let mut waiting = vec![data];
    let mut seen = 0;
    while let Some(path) = waiting.pop() {
        let unreadable = |error| Exposed::Unreadable(path.clone(), error);
        let metadata = match fs::symlink_metadata(&path) {
            // The log's and the store's files come and go.
            Err(error) if error.kind() == io::ErrorKind::NotFound && seen > 0 => continue,
            found => found.map_err(unreadable)?,
        };
        look_at(&path, &metadata, own)?;
        seen += 1;
        if metadata.is_dir() && seen < FILES_MAX {
            for entry in fs::read_dir(&path).map_err(unreadable)? {
                waiting.push(entry.map_err(unreadable)?.path());
            }
        }
    }
    Ok(())
}

fn look_at(path: &Path, metadata: &Metadata, own: u32) -> Result<(), Exposed> {
    if metadata.uid() != own {
        return Err(Exposed::Owner(path.to_owned(), metadata.uid()));
    }
    let mode = metadata.permissions().mode() & 0o7777;
    // A link's own mode means nothing; what it leads to isn't followed anywhere.
    if metadata.is_symlink() || mode & OTHERS == 0 {
        return Ok(());
    }
    Err(Exposed::Mode(path.to_owned(), mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_may_use_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        let inner = data.join("audit");
        fs::create_dir_all(&inner).unwrap();
        for path in [&data, &inner] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
        }
        let file = inner.join("000000000001.jsonl");
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        check(&data).unwrap();
        for (path, mode) in [(&file, 0o640), (&inner, 0o701), (&data, 0o755)] {
            let before = fs::metadata(path).unwrap().permissions();
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            let told = check(&data).unwrap_err().to_string();
            assert!(told.contains(&path.display().to_string()), "{told}");
            fs::set_permissions(path, before).unwrap();
        }
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&data, &link).unwrap();
        check(&link).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o604)).unwrap();
        assert!(matches!(check(&link), Err(Exposed::Mode(..))));
        assert!(matches!(check(&directory.path().join("no")), Err(Exposed::Unreadable(..))));
    }
}
