//! Sinks against receivers on the loopback interface: what arrives, how often, in which form.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audit::{Log, Options};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use service::ports::{AuditLog as _, Pending};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::{TcpListener, UdpSocket, UnixDatagram};
use tokio::time::timeout;

use super::*;
use crate::clock::MovableClock;

const PATIENCE: Duration = Duration::from_secs(20);

/// What arrived, shared with who looks at it.
type Arrived = Arc<Mutex<Vec<String>>>;

/// Takes lines. As often as it is told it takes one and then fails; or it never answers.
#[derive(Default)]
struct Collecting {
    arrived: Arrived,
    failures: u32,
    hangs: bool,
}

impl Sink for Collecting {
    fn deliver<'a>(&'a mut self, lines: &'a [u8]) -> Pending<'a, Result<(), Undelivered>> {
        if self.hangs {
            return Box::pin(std::future::pending());
        }
        let fails = self.failures > 0;
        self.failures = self.failures.saturating_sub(1);
        let mut taken = 0;
        for line in lines.split_inclusive(|byte| *byte == b'\n').take(if fails { 1 } else { 999 }) {
            taken += line.len();
            self.arrived.lock().unwrap().push(String::from_utf8(line.to_vec()).unwrap());
        }
        let cause = io::ErrorKind::ConnectionReset.into();
        let result = if fails { Err(Undelivered { taken, cause }) } else { Ok(()) };
        Box::pin(std::future::ready(result))
    }
}

struct Place {
    directory: TempDir,
    log: Arc<Log>,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = Options { segment_bytes: 1_000, ..Options::default() };
        let log = Arc::new(Log::open(directory.path(), options).unwrap());
        Self { directory, log }
    }

    async fn append(&self, records: std::ops::RangeInclusive<u64>) {
        for number in records {
            let record = format!(
                r#"{{"eventTime":"2026-11-22T07:00:00Z","eventName":"Decrypt","n":{number}}}"#
            );
            self.log.append(record.as_bytes()).await.unwrap();
        }
    }

    fn feed(&self, sink: impl Sink + 'static) -> Feed {
        let options = FeedOptions {
            batch_records: 4,
            timeout: Duration::from_millis(500),
            retry: Duration::from_millis(1),
            ..FeedOptions::default()
        };
        let clock = Arc::new(MovableClock::default());
        let log = Arc::clone(&self.log);
        let sink = Box::new(sink);
        Feed::open(self.directory.path(), "test", log, clock, sink, options).unwrap()
    }

    /// Feeds until nothing is left.
    async fn run(&self, feed: &mut Feed) {
        let stats = feed.stats();
        let done = async {
            while stats.lag(&self.log) != (Lag { records: 0, bytes: 0 }) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let all = async {
            tokio::select! {
                () = feed.run() => {}
                () = done => {}
            }
        };
        timeout(PATIENCE, all).await.unwrap();
    }
}

fn numbers(arrived: &Arrived) -> Vec<u64> {
    let number = |line: &String| {
        let rest = line.split_once("\"n\":").unwrap().1;
        rest.split_once(',').unwrap().0.parse().unwrap()
    };
    arrived.lock().unwrap().iter().map(number).collect()
}

#[tokio::test]
async fn each_record_arrives_also_over_restarts_and_failures() {
    let place = Place::new();
    place.append(1..=30).await;
    let sink = Collecting { failures: 3, ..Collecting::default() };
    let arrived = Arc::clone(&sink.arrived);
    let mut feed = place.feed(sink);
    place.run(&mut feed).await;
    assert_eq!(numbers(&arrived), (1..=30).collect::<Vec<_>>());
    let stats = feed.stats();
    assert_eq!((stats.delivered(), stats.failures(), stats.skipped()), (30, 3, 0));
    assert!(stats.last_failure() > 0);
    feed.finish().await;
    drop(feed);
    place.append(31..=35).await;
    let sink = Collecting::default();
    let arrived = Arc::clone(&sink.arrived);
    let mut feed = place.feed(sink);
    assert_eq!(feed.stats().lag(&place.log).records, 5);
    feed.finish().await;
    assert_eq!(numbers(&arrived), [31, 32, 33, 34, 35]);
}

#[tokio::test]
async fn a_receiver_that_hangs_costs_nothing_but_lag() {
    let place = Place::new();
    let mut feed = place.feed(Collecting { hangs: true, ..Collecting::default() });
    let stats = feed.stats();
    place.append(1..=3).await;
    let run = timeout(Duration::from_millis(1_200), feed.run()).await;
    assert!(run.is_err() && stats.failures() >= 1);
    place.append(4..=9).await;
    let lag = stats.lag(&place.log);
    assert_eq!((lag.records, stats.delivered()), (9, 0));
    assert!(lag.bytes > 900);
}

#[test]
fn a_sink_has_a_name() {
    let place = Place::new();
    let open = |name| {
        let clock = Arc::new(MovableClock::default());
        let sink = Box::<Collecting>::default();
        let log = Arc::clone(&place.log);
        Feed::open(place.directory.path(), name, log, clock, sink, FeedOptions::default())
    };
    assert!(open("a/b").is_err() && open("b-1").is_ok());
}

#[tokio::test]
async fn the_standard_output_gets_lines() {
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);
    impl io::Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let place = Place::new();
    place.append(1..=9).await;
    let out = Shared::default();
    let mut feed = place.feed(StdoutSink::to(out.clone()).unwrap());
    place.run(&mut feed).await;
    let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.lines().count(), 9);
    assert!(text.ends_with("\"}\n"));
}

fn syslog(transport: SyslogTransport) -> SyslogSink {
    let hostname = Some("host.example".to_owned());
    SyslogSink::new(SyslogSinkOptions { hostname, ..SyslogSinkOptions::to(transport) }).unwrap()
}

fn assert_message(message: &str, number: u64) {
    let process = std::process::id();
    let head = format!(
        "<110>1 2026-11-22T07:00:00Z host.example strongroom {process} Decrypt - \
         {{\"eventTime\":\"2026-11-22T07:00:00Z\",\"eventName\":\"Decrypt\",\"n\":{number},"
    );
    assert!(message.starts_with(&head) && message.ends_with("\"}"), "{message}");
}

#[tokio::test]
async fn syslog_in_datagrams() {
    let place = Place::new();
    place.append(1..=5).await;
    let receiver = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = receiver.local_addr().unwrap().to_string();
    let mut feed = place.feed(syslog(SyslogTransport::Udp(address)));
    place.run(&mut feed).await;
    let path = place.directory.path().join("log.socket");
    let local = UnixDatagram::bind(&path).unwrap();
    let mut other = syslog(SyslogTransport::Unix(path));
    let mut buffer = vec![0; 4_096];
    for number in 1..=5 {
        let length = timeout(PATIENCE, receiver.recv(&mut buffer)).await.unwrap().unwrap();
        let message = String::from_utf8(buffer[..length].to_vec()).unwrap();
        assert_message(&message, number);
        let record = &message[message.find('{').unwrap()..];
        other.deliver(format!("{record}\n").as_bytes()).await.unwrap();
        let length = timeout(PATIENCE, local.recv(&mut buffer)).await.unwrap().unwrap();
        assert_message(std::str::from_utf8(&buffer[..length]).unwrap(), number);
    }
    // What no datagram holds is cut, not lost.
    let long = format!("{{\"x\":\"{}\"}}\n", "x".repeat(70_000));
    let mut sink = syslog(SyslogTransport::Udp(receiver.local_addr().unwrap().to_string()));
    sink.deliver(long.as_bytes()).await.unwrap();
    let mut buffer = vec![0; 80_000];
    let length = timeout(PATIENCE, receiver.recv(&mut buffer)).await.unwrap().unwrap();
    assert_eq!(length, 65_507);
    assert!(buffer.starts_with(b"<110>1 - host.example strongroom "));
}

#[tokio::test]
async fn syslog_over_a_connection_counts_octets() {
    let place = Place::new();
    place.append(1..=5).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut feed = place.feed(syslog(SyslogTransport::Tcp(address)));
    // The receiver goes away behind five messages, and comes again.
    for numbers in [1..=5, 6..=9] {
        let first = *numbers.start();
        if first > 1 {
            place.append(numbers.clone()).await;
        }
        place.run(&mut feed).await;
        let (mut stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
        for number in numbers {
            let mut length = 0;
            loop {
                match stream.read_u8().await.unwrap() {
                    b' ' => break,
                    digit => length = length * 10 + usize::from(digit - b'0'),
                }
            }
            let mut message = vec![0; length];
            stream.read_exact(&mut message).await.unwrap();
            assert_message(std::str::from_utf8(&message).unwrap(), number);
        }
        drop(stream);
        // Until the sender's side has heard of it: what is sent before is lost with a connection.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[test]
fn syslog_settings_are_checked() {
    let options = SyslogSinkOptions::to(SyslogTransport::Udp("localhost:514".to_owned()));
    assert!(SyslogSink::new(options.clone()).is_ok());
    for bad in [
        SyslogSinkOptions { facility: 24, ..options.clone() },
        SyslogSinkOptions { app_name: "a b".to_owned(), ..options.clone() },
        SyslogSinkOptions { hostname: Some(String::new()), ..options },
    ] {
        assert!(SyslogSink::new(bad).is_err());
    }
}

/// Answers requests on one connection after the other: the first two with 503.
async fn receive(listener: TcpListener, arrived: Arrived, tls: Option<tokio_rustls::TlsAcceptor>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        match &tls {
            Some(tls) => {
                if let Ok(stream) = tls.accept(stream).await {
                    answer(stream, &arrived).await;
                }
            }
            None => answer(stream, &arrived).await,
        }
    }
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, arrived: &Arrived) {
    let service = hyper::service::service_fn(|request: Request<Incoming>| async {
        let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
        let told = [header("authorization"), header("content-type"), header("host")].join(" ");
        let path = request.uri().to_string();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let mut arrived = arrived.lock().unwrap();
        let status = if arrived.len() < 2 { 503 } else { 202 };
        let body = String::from_utf8(body.to_vec()).unwrap();
        arrived.push(format!("{path} {told}\n{body}"));
        Ok::<_, Infallible>(
            Response::builder().status(status).body(Full::new(Bytes::from("thanks"))).unwrap(),
        )
    });
    let served = hyper::server::conn::http1::Builder::new();
    // How the connection ends doesn't matter.
    let _ = served.serve_connection(TokioIo::new(stream), service).await;
}

async fn posted(tls: Option<(tokio_rustls::TlsAcceptor, &str)>, scheme: &str) {
    let place = Place::new();
    place.append(1..=10).await;
    let token = place.directory.path().join("token");
    std::fs::write(&token, "secret\n").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let arrived = Arrived::default();
    let (acceptor, ca_file) = match tls {
        Some((acceptor, pem)) => {
            let path = place.directory.path().join("ca.pem");
            std::fs::write(&path, pem).unwrap();
            (Some(acceptor), Some(path))
        }
        None => (None, None),
    };
    let receiving = tokio::spawn(receive(listener, Arc::clone(&arrived), acceptor));
    let sink = HttpSink::new(HttpSinkOptions {
        url: format!("{scheme}://localhost:{port}/audit?a=b"),
        bearer_token_file: Some(token),
        ca_file,
    });
    let mut feed = place.feed(sink.unwrap());
    place.run(&mut feed).await;
    receiving.abort();
    let arrived = arrived.lock().unwrap();
    // Two refusals of the first batch, then three batches.
    assert_eq!(arrived.len(), 5);
    let head = format!("/audit?a=b Bearer secret application/x-ndjson localhost:{port}");
    assert!(arrived.iter().all(|one| one.starts_with(&head)), "{}", arrived[0]);
    let lines: Vec<usize> = arrived.iter().map(|one| one.lines().count() - 1).collect();
    assert_eq!(lines, [4, 4, 4, 4, 2]);
    assert_eq!(feed.stats().failures(), 2);
}

#[tokio::test]
async fn batches_are_posted() {
    posted(None, "http").await;
}

#[tokio::test]
async fn batches_are_posted_over_tls_to_whom_the_file_trusts() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    posted(Some((acceptor.clone(), &made.cert.pem())), "https").await;
    // Nobody else is.
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let place = Place::new();
    place.append(1..=1).await;
    let ca_file = place.directory.path().join("ca.pem");
    std::fs::write(&ca_file, other.cert.pem()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    let arrived = Arrived::default();
    let receiving = tokio::spawn(receive(listener, Arc::clone(&arrived), Some(acceptor)));
    let options = HttpSinkOptions { url, bearer_token_file: None, ca_file: Some(ca_file) };
    let mut sink = HttpSink::new(options).unwrap();
    let refused = timeout(PATIENCE, sink.deliver(b"{}\n")).await.unwrap().unwrap_err();
    assert!(refused.cause.to_string().contains("certificate"), "{}", refused.cause);
    assert!(arrived.lock().unwrap().is_empty());
    receiving.abort();
}

#[test]
fn http_settings_are_checked() {
    let token = Some(std::path::PathBuf::from("/nowhere"));
    for (url, bearer_token_file, ca_file) in [
        ("ftp://localhost/", None, None),
        ("localhost", None, None),
        ("/path", None, None),
        ("http://user:word@localhost/", None, None),
        ("http://logs.example/", token.clone(), None),
        ("https://logs.example/", None, token.clone()),
    ] {
        let url = url.to_owned();
        assert!(HttpSink::new(HttpSinkOptions { url, bearer_token_file, ca_file }).is_err());
    }
    for host in ["localhost", "127.0.0.1:80", "[::1]:8080"] {
        let url = format!("http://{host}/");
        let options = HttpSinkOptions { url, bearer_token_file: token.clone(), ca_file: None };
        assert!(HttpSink::new(options).is_ok(), "{host}");
    }
}
