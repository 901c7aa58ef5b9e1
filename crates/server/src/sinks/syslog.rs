//! Audit records as syslog messages (RFC 5424), each with a record as its text: over UDP
//! (RFC 5426), over TCP with octet counting (RFC 6587, section 3.4.1), or to the machine's own
//! daemon by a Unix datagram socket.
//!
//! None of these acknowledges anything: a record counts as delivered when the system has taken it.
//! Must not know where records come from.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;
use service::ports::Pending;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpStream, UdpSocket, UnixDatagram, lookup_host};

use super::{InvalidSink, Sink, Undelivered};

/// The longest message in a datagram, in bytes: what IPv4 and UDP leave (RFC 5426, section 3.2). A
/// longer one is cut, as RFC 5424 lets every relay do.
const DATAGRAM_MAX: usize = 65_507;
/// The most bytes that are written to a TCP connection at once.
const WRITE_MAX: usize = 64 << 10;
/// The severity of a record: informational (RFC 5424, table 2).
const SEVERITY: u8 = 6;
/// The facility of a record if none is set: log audit (RFC 5424, table 1).
const LOG_AUDIT: u8 = 13;
/// The highest facility.
const FACILITY_MAX: u8 = 23;
/// The longest HOSTNAME, APP-NAME and MSGID (RFC 5424, section 6).
const HOSTNAME_MAX: usize = 255;
const APP_NAME_MAX: usize = 48;
const MSGID_MAX: usize = 32;

/// Where messages go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyslogTransport {
    /// To `HOST:PORT`, in datagrams.
    Udp(String),
    /// To `HOST:PORT`, over a connection.
    Tcp(String),
    /// To a Unix datagram socket such as `/dev/log`.
    Unix(PathBuf),
}

/// How messages are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyslogSinkOptions {
    /// Where to.
    pub transport: SyslogTransport,
    /// The facility, from 0 to 23.
    pub facility: u8,
    /// The name of the application.
    pub app_name: String,
    /// The name of the machine; its own if there is none.
    pub hostname: Option<String>,
}

impl SyslogSinkOptions {
    /// What is usual, to that place.
    pub fn to(transport: SyslogTransport) -> Self {
        let app_name = "strongroom".to_owned();
        Self { transport, facility: LOG_AUDIT, app_name, hostname: None }
    }
}

enum Connected {
    Udp(UdpSocket, SocketAddr),
    Tcp(TcpStream),
    Unix(UnixDatagram),
}

/// Sends messages to a syslog receiver.
pub struct SyslogSink {
    transport: SyslogTransport,
    /// What a message begins with, up to the time.
    priority: String,
    /// What stands between the time and the message's kind.
    origin: String,
    connected: Option<Connected>,
    message: Vec<u8>,
}

impl SyslogSink {
    /// Sends messages so. Nothing is connected yet.
    ///
    /// # Errors
    /// [`InvalidSink`].
    pub fn new(options: SyslogSinkOptions) -> Result<Self, InvalidSink> {
        let SyslogSinkOptions { transport, facility, app_name, hostname } = options;
        if facility > FACILITY_MAX {
            return Err(InvalidSink(format!("there is no syslog facility {facility}")));
        }
        let hostname = hostname.or_else(own_hostname).unwrap_or_else(|| "-".to_owned());
        for (what, text, most) in
            [("host name", &hostname, HOSTNAME_MAX), ("application name", &app_name, APP_NAME_MAX)]
        {
            if !is_name(text, most) {
                return Err(InvalidSink(format!("'{text}' is no {what} for syslog (RFC 5424)")));
            }
        }
        Ok(Self {
            transport,
            priority: format!("<{}>1 ", u16::from(facility) * 8 + u16::from(SEVERITY)),
            origin: format!(" {hostname} {app_name} {} ", std::process::id()),
            connected: None,
            message: Vec::new(),
        })
    }

    /// The message of a record.
    fn write_message(&mut self, line: &[u8]) {
        let told: Told<'_> = serde_json::from_slice(line).unwrap_or_default();
        let time = told.event_time.filter(|time| is_name(time, MSGID_MAX)).unwrap_or("-");
        let kind = told.event_name.filter(|name| is_name(name, MSGID_MAX)).unwrap_or("-");
        self.message.clear();
        for part in [&self.priority, time, &self.origin, kind, " - "] {
            self.message.extend_from_slice(part.as_bytes());
        }
        self.message.extend_from_slice(line);
    }

    async fn connect(&self) -> io::Result<Connected> {
        Ok(match &self.transport {
            SyslogTransport::Tcp(address) => Connected::Tcp(TcpStream::connect(address).await?),
            SyslogTransport::Udp(address) => {
                let found = lookup_host(address).await?.next();
                let to = found.ok_or_else(|| io::Error::other("the name has no address"))?;
                let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                Connected::Udp(UdpSocket::bind(any).await?, to)
            }
            SyslogTransport::Unix(path) => {
                let socket = UnixDatagram::unbound()?;
                socket.connect(path)?;
                Connected::Unix(socket)
            }
        })
    }

    async fn send(&mut self, lines: &[u8], taken: &mut usize) -> io::Result<()> {
        let mut connected = match self.connected.take() {
            Some(Connected::Tcp(stream)) if has_ended(&stream) => self.connect().await?,
            Some(connected) => connected,
            None => self.connect().await?,
        };
        let mut framed = Vec::new();
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            self.write_message(line.strip_suffix(b"\n").unwrap_or(line));
            match &mut connected {
                Connected::Udp(socket, to) => {
                    socket.send_to(cut(&self.message), *to).await?;
                    *taken += line.len();
                }
                Connected::Unix(socket) => {
                    socket.send(cut(&self.message)).await?;
                    *taken += line.len();
                }
                Connected::Tcp(stream) => {
                    framed.extend_from_slice(format!("{} ", self.message.len()).as_bytes());
                    framed.extend_from_slice(&self.message);
                    if framed.len() >= WRITE_MAX {
                        stream.write_all(&framed).await?;
                        framed.clear();
                    }
                }
            }
        }
        if let Connected::Tcp(stream) = &mut connected {
            stream.write_all(&framed).await?;
            *taken = lines.len();
        }
        self.connected = Some(connected);
        Ok(())
    }
}

impl Sink for SyslogSink {
    /// Over TCP all of it is delivered or, as far as is known, nothing.
    fn deliver<'a>(&'a mut self, lines: &'a [u8]) -> Pending<'a, Result<(), Undelivered>> {
        Box::pin(async move {
            let mut taken = 0;
            let sent = self.send(lines, &mut taken).await;
            sent.map_err(|cause| Undelivered { taken, cause })
        })
    }
}

/// What a message tells of its record beside the record itself.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    #[serde(borrow)]
    event_time: Option<&'a str>,
    #[serde(borrow)]
    event_name: Option<&'a str>,
}

/// Whether a text is PRINTUSASCII of that length (RFC 5424, section 6).
fn is_name(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|byte| (33..=126).contains(&byte))
}

fn own_hostname() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| is_name(name, HOSTNAME_MAX))
}

/// As much of a message as a datagram holds.
fn cut(message: &[u8]) -> &[u8] {
    &message[..message.len().min(DATAGRAM_MAX)]
}

/// Whether the receiver has closed the connection: it never sends anything.
fn has_ended(stream: &TcpStream) -> bool {
    !matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}
