//! systemd: sockets that it has opened, and what it is told. Outside systemd nothing happens.
//!
//! Must not know what the sockets are for.

use std::env;
use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use listenfd::ListenFd;
use sd_notify::NotifyState;
use tokio::time::sleep;

/// A socket that listens already, under the name that its unit gives it (`FileDescriptorName=`, by
/// default the unit's own).
pub struct PassedSocket {
    /// The name, if there are names.
    pub name: Option<String>,
    /// The socket.
    pub socket: Passed,
}

/// What kind of socket it is.
pub enum Passed {
    /// One of TCP.
    Tcp(TcpListener),
    /// One of the machine's own.
    Unix(UnixListener),
}

/// The sockets that the process was started with (`sd_listen_fds(3)`), in the unit's order. They
/// can be taken once; the environment then no longer tells of them. It has to be called before the
/// process has a second thread.
///
/// # Errors
/// One is no socket that listens, by TCP or on the machine.
pub fn passed_sockets() -> io::Result<Vec<PassedSocket>> {
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':').filter(|name| !name.is_empty());
    let mut passed = ListenFd::from_env();
    let mut sockets = Vec::with_capacity(passed.len());
    for index in 0..passed.len() {
        let name = names.next().map(str::to_owned);
        let socket = match passed.take_unix_listener(index) {
            Ok(Some(socket)) => Passed::Unix(socket),
            _ => match passed.take_tcp_listener(index)? {
                Some(socket) => Passed::Tcp(socket),
                None => continue,
            },
        };
        sockets.push(PassedSocket { name, socket });
    }
    Ok(sockets)
}

/// Tells systemd that the server is ready, at the start and after reloading, and how it is.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(one_line(status))]);
}

/// Tells systemd that the configuration is being read again; [`ready`] has to follow
/// (`Type=notify-reload`).
pub fn reloading() {
    // Without the time systemd takes it for an older protocol, in which all else is the same.
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// Tells systemd that the server is stopping.
pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
}

/// Tells systemd how the server is, in one line for `systemctl status`.
pub fn status(text: &str) {
    tell(&[NotifyState::Status(one_line(text))]);
}

/// Tells systemd's watchdog, as often as it wants (`WatchdogSec=`), that the server is alive, for
/// as long as `is_well` says so; then systemd ends the process and starts another. Ends at once
/// where nobody watches.
pub async fn keep_watchdog(is_well: impl Fn() -> bool) {
    let Some(period) = sd_notify::watchdog_enabled().filter(|period| !period.is_zero()) else {
        return;
    };
    loop {
        if is_well() {
            tell(&[NotifyState::Watchdog]);
        }
        // Half of the time, as sd_watchdog_enabled(3) wants it.
        sleep((period / 2).max(Duration::from_millis(1))).await;
    }
}

/// Being heard by systemd is no condition for serving.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd does not listen");
    }
}

/// What stands in another line would be another message.
fn one_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpStream};
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixDatagram;
    use std::process::{Command, Stdio};

    use super::*;

    /// Runs one of this file's tests in a process of its own, as systemd would.
    fn started(test: &str) -> Command {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", &format!("systemd::tests::{test}"), "--ignored"]);
        command.stdout(Stdio::null());
        command
    }

    #[test]
    fn sockets_are_taken_over_by_name() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut child = started("as_one_with_a_socket");
        child.env("LISTEN_FDS", "1").env("LISTEN_FDS_FIRST_FD", "0");
        child.env("LISTEN_FDNAMES", "api").env("EXPECTED", address.to_string());
        child.stdin(Stdio::from(OwnedFd::from(listener)));
        assert!(child.status().unwrap().success());
        let mut without = started("as_one_without");
        assert!(without.stdin(Stdio::null()).status().unwrap().success());
    }

    #[test]
    #[ignore = "the test above runs it, in a process with a socket"]
    fn as_one_with_a_socket() {
        let expected: SocketAddr = env::var("EXPECTED").unwrap().parse().unwrap();
        let sockets = passed_sockets().unwrap();
        assert_eq!(sockets.len(), 1);
        assert_eq!(sockets[0].name.as_deref(), Some("api"));
        let Passed::Tcp(socket) = &sockets[0].socket else { panic!("it is one of TCP") };
        assert_eq!(socket.local_addr().unwrap(), expected);
        let _client = TcpStream::connect(expected).unwrap();
        socket.accept().unwrap();
        assert!(passed_sockets().unwrap().is_empty());
    }

    #[test]
    #[ignore = "the test above runs it, in a process without a socket"]
    fn as_one_without() {
        assert!(passed_sockets().unwrap().is_empty());
        ready("nobody hears this");
    }

    #[test]
    fn systemd_is_told() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("notify");
        let systemd = UnixDatagram::bind(&path).unwrap();
        systemd.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut child = started("as_one_that_tells");
        child.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "20000");
        assert!(child.status().unwrap().success());
        let told = || {
            let mut buffer = [0; 256];
            let length = systemd.recv(&mut buffer).unwrap();
            String::from_utf8(buffer[..length].to_vec()).unwrap()
        };
        assert_eq!(told(), "READY=1\nSTATUS=serving\n");
        let reloading = told();
        assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
        assert_eq!(told(), "STATUS=sealed\n");
        assert_eq!(told(), "STOPPING=1\nSTATUS=stopping\n");
        assert_eq!(told(), "WATCHDOG=1\n");
        assert_eq!(told(), "WATCHDOG=1\n");
        assert_eq!(told(), "STATUS=it was not well\n");
    }

    #[tokio::test]
    #[ignore = "the test above runs it, in a process that is listened to"]
    async fn as_one_that_tells() {
        ready("serving");
        reloading();
        status("sealed\nREADY=1");
        stopping();
        let well = std::cell::Cell::new(2);
        let is_well = || {
            let left = well.get();
            well.set(left - 1);
            left > 0
        };
        let watching = keep_watchdog(is_well);
        let _ = tokio::time::timeout(Duration::from_millis(200), watching).await;
        assert!(well.get() < 0);
        status("it was not well");
    }
}
