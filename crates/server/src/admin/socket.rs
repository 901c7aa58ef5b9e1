//! The operator's socket: made so that only its group can open it.
//!
//! Must not know what is said over it.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Gid};
use tokio::net::UnixListener;

/// The socket, removed from the file system when it is dropped.
pub(crate) struct Socket {
    pub(crate) listener: UnixListener,
    path: PathBuf,
}

/// What the socket lets its user and its group do.
const MODE: u32 = 0o660;
/// What it lets its user do, where no group is named.
const MODE_ALONE: u32 = 0o600;

impl Socket {
    /// Makes the socket. One that a server left behind when it was killed is removed.
    ///
    /// # Errors
    /// The system's; `AddrInUse` if another server listens there, or if something that is no
    /// socket stands in its place.
    pub(crate) fn bind(path: &Path, group: Option<&str>) -> io::Result<Self> {
        remove_stale(path)?;
        let group = group.map(group_id).transpose()?;
        // Nobody but this user gets in before the group is set.
        let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
        let bound = UnixListener::bind(path);
        rustix::process::umask(before);
        let socket = Self { listener: bound?, path: path.to_owned() };
        if let Some(group) = group {
            rustix::fs::chownat(CWD, path, None, Some(group), rustix::fs::AtFlags::empty())?;
        }
        let mode = if group.is_some() { MODE } else { MODE_ALONE };
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        Ok(socket)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Whoever finds it left behind removes it.
        let _ = fs::remove_file(&self.path);
    }
}

/// Removes a socket that nobody listens on.
fn remove_stale(path: &Path) -> io::Result<()> {
    let kind = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !kind.is_socket() {
        return Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "something that is no socket is there",
        ));
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another server listens there")),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
    }
}

/// The id of the group of that name or number, as `/etc/group` has it (group(5)).
fn group_id(name: &str) -> io::Result<Gid> {
    if let Ok(number) = name.parse() {
        return Ok(Gid::from_raw(number));
    }
    let groups = fs::read_to_string("/etc/group")?;
    let number = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
    });
    let unknown = || io::Error::new(io::ErrorKind::NotFound, format!("there is no group {name}"));
    number.map(Gid::from_raw).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn only_its_user_or_its_group_can_open_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin.sock");
        let socket = Socket::bind(&path, None).unwrap();
        assert_eq!(mode(&path), 0o600);
        drop(socket);
        assert!(!path.exists());
        let own = rustix::process::getegid().as_raw().to_string();
        let _socket = Socket::bind(&path, Some(&own)).unwrap();
        assert_eq!(mode(&path), 0o660);
        let second = Socket::bind(&path, None).err().unwrap();
        assert_eq!(second.kind(), io::ErrorKind::AddrInUse);
    }

    #[tokio::test]
    async fn what_a_killed_server_left_is_replaced_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        drop(Socket::bind(&path, None).unwrap());
        fs::write(&path, "a file").unwrap();
        assert!(Socket::bind(&path, None).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "a file");
        assert!(Socket::bind(&directory.path().join("x"), Some("no-such-group")).is_err());
    }
}
