//! The table of settings. It owns their names, defaults, bounds and documentation; where a value
//! comes from and what it is used for it must not know.
//!
//! A row is a field: its name in the file, its type, its default, its kind with its bounds, and
//! whether a running server takes another value when it reloads. The sentences above it are what
//! the reference says.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::issuer_keys::KeySetFile;

use super::kinds::{Address, Count, File, Kind as _, List, Optional, Size, Switch, Time};
use super::setting::settings;
use super::values::{
    APP_NAME, AUDIT_SYNCS, AuditSync, CREDENTIAL, FACILITIES, GROUP, KEY_SET, LOG_FORMATS,
    LOG_LEVELS, LogFormat, LogLevel, MEMORY_LOCKS, MemoryLock, QUOTA, SYSLOG_ADDRESS,
    SyslogAddress, TLS_VERSIONS, TlsVersion, URL,
};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// That many seconds.
const fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

settings! {
    /// What stands above all sections of the file.
    [""] server: Server {
        /// The directory of the store and the audit log, which `strongroom init` makes. Nobody but
        /// the server's user may have access to it.
        data_dir: PathBuf = PathBuf::from("/var/lib/strongroom"), File, restart,
            "\"/srv/strongroom\"";
    }

    /// Where requests come in.
    ["listen"] listen: Listen {
        /// The addresses and ports to listen on. Sockets that the service manager hands over are
        /// listened on instead.
        addresses: Vec<SocketAddr> = vec![loopback(4566)], List(Address), restart,
            "[\"0.0.0.0:4566\", \"[::]:4566\"]";
        /// Whether to serve without TLS on an address that other machines can reach. Requests are
        /// signed, but what is to be encrypted and what was decrypted goes over the network as it
        /// is. For a server behind a proxy that speaks TLS.
        plain_http: bool = false, Switch, restart, "true";
    }

    /// TLS, which is spoken on all addresses if there is a certificate.
    ["tls"] tls: Tls {
        /// The server's certificate and those of its issuers up to the root, in PEM, its own first.
        /// The file is read again when it changes.
        certificate: Option<PathBuf> = None, Optional(File), restart, "\"server.pem\"";
        /// The certificate's private key, in PEM. Only the server's user may be able to read it.
        /// The file is read again when it changes.
        private_key: Option<PathBuf> = None, Optional(File), restart, "\"server.key\"";
        /// The oldest version of TLS that is spoken.
        min_version: TlsVersion = TlsVersion::V1_2, TLS_VERSIONS, restart, "\"1.3\"";
        /// Roots, in PEM, that clients' certificates must lead to. Clients without one are turned
        /// away; requests must be signed all the same.
        client_ca: Option<PathBuf> = None, Optional(File), restart, "\"clients.pem\"";
    }

    /// What clients may take of the server, and for how long.
    ["limits"] limits: Limits {
        /// How many connections there may be; more wait, and idle ones make room for them. The
        /// limit on open files of the process bounds them too.
        connections: usize = 10_000, Count(1, 1_000_000), restart;
        /// How many connections there may be from one address (of IPv6, from one /64). Behind a
        /// proxy all come from its own.
        connections_per_address: usize = 4_000, Count(1, 1_000_000), restart, "200";
        /// How many requests may be read and answered at once; more wait.
        requests: usize = 10_000, Count(1, 1_000_000), restart, "500";
        /// How many TLS handshakes may be computed at once; more wait. Without a number, as many as
        /// half of the processors.
        handshakes: Option<usize> = None, Optional(Count(1, 1_000)), restart, "4";
        /// How long a TLS handshake may take.
        handshake_time: Duration = seconds(10), Time(1, 5 * MINUTE), restart;
        /// How long a client may take to send a request's head.
        header_time: Duration = seconds(20), Time(1, 10 * MINUTE), restart;
        /// How long a client may take to send a request's body.
        body_time: Duration = seconds(10), Time(1, 10 * MINUTE), restart;
        /// How long a connection may stay open between requests.
        idle_time: Duration = seconds(MINUTE), Time(1, HOUR), restart, "\"75s\"";
        /// How long a client may take nothing of its answer.
        write_time: Duration = seconds(20), Time(1, 10 * MINUTE), restart;
        /// How long the head of a request may be.
        header_size: u64 = 128 * KIB, Size(16 * KIB, MIB), restart;
        /// How many headers a request may have.
        headers: usize = 100, Count(32, 1_000), restart;
        /// How many requests an HTTP/2 connection may have under way at once.
        http2_streams: usize = 64, Count(1, 10_000), restart;
        /// How long requests under way may take to end once the server is asked to stop.
        drain_time: Duration = seconds(10), Time(1, HOUR), restart, "\"30s\"";
    }

    /// The socket by which operators unseal the server and look after it.
    ["admin"] admin: Admin {
        /// The Unix socket. Who may open it may unseal the server, change its seals and take
        /// backups.
        socket: PathBuf = PathBuf::from("/run/strongroom/admin.sock"), File, restart;
        /// The group whose members may open the socket; without one, only the server's user and
        /// root may.
        group: Option<String> = None, Optional(GROUP), restart, "\"strongroom-operators\"";
    }

    /// Metrics and health.
    ["operations"] operations: Operations {
        /// The address of `/metrics`, `/livez` and `/readyz`, which are plain HTTP and ask nobody
        /// who they are.
        listen: Option<SocketAddr> = Some(loopback(9464)), Optional(Address), restart,
            "\"10.0.0.5:9464\"";
    }

    /// How the root key comes out of its seals. Without any of these, somebody unseals the server
    /// by hand. What makes up a seal is kept with the data, not here: see `strongroom seal`.
    ["seal"] seal: Seal {
        /// A file that holds the passphrase of a passphrase seal.
        passphrase_file: Option<PathBuf> = None, Optional(File), restart, "\"/run/keys/unseal\"";
        /// The name of the service manager's credential that holds the passphrase of a passphrase
        /// seal (`LoadCredential=` and `LoadCredentialEncrypted=` of systemd).
        passphrase_credential: Option<String> = None, Optional(CREDENTIAL), restart,
            "\"strongroom.passphrase\"";
        /// The file of a key-file seal.
        key_file: Option<PathBuf> = None, Optional(File), restart, "\"/media/usb/seal.key\"";
        /// Whether to unseal by the KMS seals that there are, at the start.
        kms: bool = true, Switch, restart, "false";
        /// How long to wait after an attempt that failed because a KMS didn't answer.
        retry_interval: Duration = seconds(30), Time(1, HOUR), restart;
    }

    /// The audit log, which has a record of every request before the answer leaves.
    ["audit"] audit: Audit {
        /// When a record counts as written: `group` when the disk has it, where records that come
        /// together share a wait; `none` when the operating system has it.
        sync: AuditSync = AuditSync::Group, AUDIT_SYNCS, restart, "\"none\"";
        /// The size at which a segment of the log is closed and the next one begun.
        segment_size: u64 = 64 * MIB, Size(MIB, 16 * GIB), restart;
        /// The age at which a segment of the log is closed and the next one begun.
        segment_age: Duration = seconds(DAY), Time(MINUTE, 366 * DAY), restart;
        /// The age at which closed segments are removed.
        retention_age: Option<Duration> = None, Optional(Time(HOUR, 36_525 * DAY)), restart,
            "\"400d\"";
        /// How much room the log may take before the oldest segments are removed. What a receiver
        /// below hasn't been sent yet stays.
        retention_size: Option<u64> = None, Optional(Size(MIB, 1_024 * TIB)), restart,
            "\"100GiB\"";
        /// How much room the log may take before segments are removed even if a receiver hasn't
        /// been sent them.
        undelivered_size: Option<u64> = None, Optional(Size(MIB, 1_024 * TIB)), restart,
            "\"500GiB\"";
        /// How often a signed digest of the log is written, if there is anything new.
        digest_interval: Duration = seconds(5 * MINUTE), Time(1, DAY), restart, "\"1m\"";
        /// After how many records a signed digest is written even before its time.
        digest_records: usize = 10_000, Count(1, 10_000_000), restart;
    }

    /// Audit records on the standard output, a line each.
    ["audit.stdout"] audit_stdout: AuditStdout {
        /// Whether to write them there.
        enabled: bool = false, Switch, restart, "true";
    }

    /// Audit records to a syslog receiver (RFC 5424).
    ["audit.syslog"] audit_syslog: AuditSyslog {
        /// Where the receiver is.
        address: Option<SyslogAddress> = None, Optional(SYSLOG_ADDRESS), restart,
            "\"tcp://siem.example:601\"";
        /// The facility of the messages.
        facility: u8 = 13, FACILITIES, restart, "\"local4\"";
        /// The name of the application in the messages.
        app_name: String = "strongroom".to_owned(), APP_NAME, restart;
    }

    /// Audit records to an HTTP receiver, in batches of JSON lines. The log itself is the queue: a
    /// receiver that doesn't answer costs nothing but its being behind.
    ["audit.http"] audit_http: AuditHttp {
        /// Where batches are posted to.
        url: Option<String> = None, Optional(URL), restart, "\"https://siem.example/ingest\"";
        /// A file that holds the bearer token to send along.
        token_file: Option<PathBuf> = None, Optional(File), restart, "\"siem.token\"";
        /// The roots, in PEM, that the receiver's certificate must lead to; without it, the
        /// system's.
        ca_file: Option<PathBuf> = None, Optional(File), restart, "\"siem-ca.pem\"";
        /// How many records a batch may have.
        batch_records: usize = 500, Count(1, 10_000), restart;
        /// How long a record may wait for its batch to fill.
        batch_time: Duration = seconds(1), Time(1, HOUR), restart;
        /// How long the receiver may take to answer.
        timeout: Duration = seconds(10), Time(1, 5 * MINUTE), restart;
    }

    /// When the server makes new keys for itself. Keys of customers rotate as AWS's do.
    ["rotation"] rotation: Rotation {
        /// The age at which a Region's domain key, under which key material is kept, gets a
        /// successor. What the old one wraps is wrapped anew in the background.
        domain_key_age: Option<Duration> = Some(seconds(365 * DAY)),
            Optional(Time(DAY, 3_653 * DAY)), restart, "\"90d\"";
        /// The age at which the root key gets a successor, under every seal; no secret of an
        /// operator's is needed for that. The age counts from the first start with that root key.
        root_key_age: Option<Duration> = Some(seconds(365 * DAY)),
            Optional(Time(DAY, 3_653 * DAY)), restart, "\"180d\"";
        /// How often it is looked for keys of that age.
        check_interval: Duration = seconds(HOUR), Time(1, 7 * DAY), restart;
    }

    /// The server's own log, on the standard error output. It never holds a secret.
    ["log"] log: Log {
        /// How much is logged.
        level: LogLevel = LogLevel::Info, LOG_LEVELS, reload, "\"debug\"";
        /// Whether a line is a JSON object or words.
        format: LogFormat = LogFormat::Json, LOG_FORMATS, restart, "\"text\"";
    }

    /// Request quotas: how many requests of a class an account may send in a second.
    ["quotas"] quotas: Quotas {
        /// Whether AWS's quotas apply.
        enabled: bool = true, Switch, reload, "false";
        /// Other rates than AWS's, in requests a second, for an account or for all of them (`*`);
        /// `none` lifts a quota. The later one counts, and one for an account before one for all.
        overrides: Vec<String> = Vec::new(), List(QUOTA), reload,
            "[\"*:CreateKey=50\", \"111122223333:CreateKey=none\"]";
    }

    /// Keys: how many are in memory, and AWS's quotas on resources.
    ["kms"] kms: Kms {
        /// How many resolved keys stay in memory, as many aliases, and as many principals' grants.
        /// A key with a short policy takes about 5 KiB. One whose record (policy, tags, materials)
        /// is longer takes the room of one more for each 2 KiB; that room is 8 KiB as policies
        /// are written, 32 KiB at worst. An alias takes half a KiB.
        cached_keys: usize = 20_000, Count(100, 10_000_000), restart;
        /// How many customer managed keys an account may have in a Region.
        keys: usize = 100_000, Count(1, 10_000_000), restart;
        /// How many aliases a key may have.
        aliases_per_key: usize = 50, Count(1, 60), restart;
        /// How many grants there may be on a key.
        grants_per_key: usize = 50_000, Count(1, 1_000_000), restart;
        /// How many tags a key may have.
        tags_per_key: usize = 50, Count(1, 200), restart;
        /// How long a key policy may be, in bytes.
        policy_bytes: usize = 32_768, Count(1, 131_072), restart;
        /// How often a key may be rotated on demand, in its life.
        on_demand_rotations: usize = 25, Count(1, 500), restart;
        /// Files of the roots, in PEM, that attestation documents must lead to; without any, AWS's
        /// own root.
        attestation_roots: Vec<PathBuf> = Vec::new(), List(File), restart, "[\"nitro.pem\"]";
    }

    /// Callers.
    ["iam"] iam: Iam {
        /// Files of the keys (JWKS) by which issuers of identity tokens sign. Nothing is fetched.
        jwks: Vec<KeySetFile> = Vec::new(), List(KEY_SET), restart,
            "[\"https://idp.example=idp.json\"]";
        /// How many access keys' signing keys stay in memory.
        cached_signing_keys: usize = 10_000, Count(100, 10_000_000), restart;
    }

    /// The memory of the process.
    ["memory"] memory: Memory {
        /// What is kept out of swap: `keys`, the memory that keys are in, or `all` of it. The
        /// server doesn't start if the system doesn't let it.
        lock: MemoryLock = MemoryLock::Keys, MEMORY_LOCKS, restart, "\"all\"";
    }

    /// The removal of keys whose deletion's date has come.
    ["removal"] removal: Removal {
        /// How long a key's material is kept after that date, by a clock that doesn't jump. The key
        /// can't be used any more from the date on.
        grace: Duration = seconds(DAY), Time(0, 30 * DAY), restart, "\"7d\"";
    }
}
