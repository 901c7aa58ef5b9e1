//! The values of settings that no type of the language stands for, with their syntax.
//!
//! Must not know which setting a value is for.

use std::path::{Path, PathBuf};

use hyper::Uri;

use crate::issuer_keys::KeySetFile;

use super::kinds::{Choice, Text};

/// The oldest version of TLS that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsVersion {
    /// RFC 5246.
    V1_2,
    /// RFC 8446.
    V1_3,
}

/// When an audit record counts as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditSync {
    /// When the disk has it; records that come together share a wait.
    Group,
    /// When the operating system has it: a loss of power may take the last seconds' records along.
    None,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// What an operator must act on.
    Error,
    /// What may need one.
    Warn,
    /// Starts, stops, reloads, and what else an operator wants to have seen afterwards.
    Info,
    /// What helps to find a fault.
    Debug,
    /// Everything.
    Trace,
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A JSON object a line.
    Json,
    /// Words, for people.
    Text,
}

/// What is kept in memory and out of swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryLock {
    /// All memory of the process.
    All,
    /// The memory that keys are in.
    Keys,
}

/// Where a syslog receiver is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyslogAddress {
    /// `udp://HOST:PORT`, a datagram a record (RFC 5426).
    Udp(String),
    /// `tcp://HOST:PORT`, with octet counting (RFC 6587).
    Tcp(String),
    /// `unix://PATH`, a datagram socket such as `/dev/log`.
    Unix(PathBuf),
}

pub(super) const TLS_VERSIONS: Choice<TlsVersion> =
    Choice(&[("1.2", TlsVersion::V1_2), ("1.3", TlsVersion::V1_3)]);

pub(super) const AUDIT_SYNCS: Choice<AuditSync> =
    Choice(&[("group", AuditSync::Group), ("none", AuditSync::None)]);

pub(super) const LOG_LEVELS: Choice<LogLevel> = Choice(&[
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
    ("trace", LogLevel::Trace),
]);

pub(super) const LOG_FORMATS: Choice<LogFormat> =
    Choice(&[("json", LogFormat::Json), ("text", LogFormat::Text)]);

pub(super) const MEMORY_LOCKS: Choice<MemoryLock> =
    Choice(&[("all", MemoryLock::All), ("keys", MemoryLock::Keys)]);

/// The facilities by their usual names, with their codes (RFC 5424, section 6.2.1).
pub(super) const FACILITIES: Choice<u8> = Choice(&[
    ("auth", 4),
    ("authpriv", 10),
    ("daemon", 3),
    ("audit", 13),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
]);

/// Where a syslog receiver is.
pub(super) const SYSLOG_ADDRESS: Text<SyslogAddress> = Text {
    expected: "udp://HOST:PORT, tcp://HOST:PORT or unix:///PATH",
    parse: |text, directory| match text.split_once("://")? {
        ("udp", peer) => is_peer(peer).then(|| SyslogAddress::Udp(peer.to_owned())),
        ("tcp", peer) => is_peer(peer).then(|| SyslogAddress::Tcp(peer.to_owned())),
        ("unix", path) if !path.is_empty() => Some(SyslogAddress::Unix(directory.join(path))),
        _ => None,
    },
    show: |address| match address {
        SyslogAddress::Udp(peer) => format!("udp://{peer}"),
        SyslogAddress::Tcp(peer) => format!("tcp://{peer}"),
        SyslogAddress::Unix(path) => format!("unix://{}", path.display()),
    },
};

/// A host and a port, and nothing else.
fn is_peer(text: &str) -> bool {
    text.parse::<hyper::http::uri::Authority>().is_ok_and(|authority| {
        !authority.host().is_empty()
            && authority.port_u16().is_some_and(|port| port != 0)
            && !text.contains('@')
    })
}

/// The URL of an HTTP receiver. A name and a password in it would be shown with it.
pub(super) const URL: Text<String> = Text {
    expected: "a URL that begins with https:// or http://, without a user name in it",
    parse: |text, _| {
        let uri = text.parse::<Uri>().ok()?;
        let scheme = uri.scheme_str().is_some_and(|scheme| matches!(scheme, "http" | "https"));
        let host = uri.host().is_some_and(|host| !host.is_empty());
        let bare = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        (scheme && host && bare).then(|| text.to_owned())
    },
    show: String::clone,
};

/// A name as it stands in a syslog message's header: RFC 5424's APP-NAME.
pub(super) const APP_NAME: Text<String> = Text {
    expected: "1 to 48 visible ASCII characters",
    parse: |text, _| {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        (visible && (1..=48).contains(&text.len())).then(|| text.to_owned())
    },
    show: String::clone,
};

/// The name of a group of the system's.
pub(super) const GROUP: Text<String> = Text {
    expected: "the name of a group, or its number",
    parse: |text, _| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@$".contains(&byte);
        let named = text.bytes().all(plain) && !text.starts_with('-');
        (named && (1..=256).contains(&text.len())).then(|| text.to_owned())
    },
    show: String::clone,
};

/// The name of a credential that the service manager hands over (systemd.exec, `LoadCredential=`).
pub(super) const CREDENTIAL: Text<String> = Text {
    expected: "the name of a credential, without a slash",
    parse: |text, _| {
        let named = (1..=255).contains(&text.len()) && text != "." && text != "..";
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/');
        (named && plain).then(|| text.to_owned())
    },
    show: String::clone,
};

/// The file of an issuer's keys.
pub(super) const KEY_SET: Text<KeySetFile> = Text {
    expected: "ISSUER=FILE, with an issuer such as https://idp.example",
    parse: |text, directory: &Path| KeySetFile::parse(text).ok().map(|file| file.under(directory)),
    show: ToString::to_string,
};

/// Another rate than AWS's. Which classes there are, the quotas know.
pub(super) const QUOTA: Text<String> = Text {
    expected: "ACCOUNT:CLASS=N: an account or *, a class of docs/quotas.md, a rate or none",
    parse: |text, _| {
        let (account, rest) = text.split_once(':')?;
        let (class, rate) = rest.split_once('=')?;
        let all = |text: &str, fits: fn(u8) -> bool| !text.is_empty() && text.bytes().all(fits);
        let of_account = account.len() == 12 && all(account, |byte| byte.is_ascii_digit());
        let plain = all(class, |byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let number = all(rate, |byte| byte.is_ascii_digit() || byte == b'.');
        let fits = (account == "*" || of_account) && plain && (number || rate == "none");
        fits.then(|| text.to_owned())
    },
    show: String::clone,
};
