//! Connections of every kind, with limits short enough to wait for.

use std::net::SocketAddr;
use std::time::Instant;

use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::version::{TLS12, TLS13};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::tls::fixtures::{Authority, NAME, NOW, write};

/// Longer than any limit here, so that only what isn't held runs into it.
const AGES: Duration = Duration::from_secs(20);
const HEAD: &[u8] = b"POST /now HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n";

struct World {
    address: SocketAddr,
    authority: Authority,
    stats: Arc<Stats>,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
    tls: Option<Arc<Tls>>,
    home: TempDir,
}

/// Tells what is known of the request; `/after/N` takes N milliseconds for that.
async fn tell(request: Request<Incoming>, peer: Peer) -> Response<Full<Bytes>> {
    if let Some(time) = request.uri().path().strip_prefix("/after/") {
        sleep(Duration::from_millis(time.parse().unwrap())).await;
    }
    let host = request.headers().get("host").map_or("none", |host| host.to_str().unwrap());
    let text = format!("{:?} {host} {} {:?}", request.version(), peer.address.ip(), peer.tls);
    Response::new(Full::from(text))
}

impl World {
    async fn start(is_secure: bool, limits: Limits) -> Self {
        let home = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let files = write(home.path(), &authority.issue(NOW));
        let tls = is_secure.then(|| Arc::new(Tls::open(files).unwrap()));
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), tls.clone()).await.unwrap();
        let address = listener.address().unwrap();
        let stats = Arc::new(Stats::default());
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(serve(vec![listener], limits, Arc::clone(&stats), tell, async {
            let _ = stopped.await;
        }));
        Self { address, authority, stats, stop: Some(stop), served, tls, home }
    }

    async fn plain(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn secure(&self, protocols: &[&[u8]]) -> TlsStream<TcpStream> {
        let config = self.authority.client(&[&TLS13, &TLS12], protocols, None);
        let connector = TlsConnector::from(config);
        connector.connect(NAME.try_into().unwrap(), self.plain().await).await.unwrap()
    }

    async fn http2(&self) -> http2::SendRequest<Full<Bytes>> {
        let stream = TokioIo::new(self.secure(&[b"h2"]).await);
        let handshake = http2::handshake(TokioExecutor::new(), stream);
        let (client, connection) = handshake.await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Asks the server to stop, and tells how long it took.
    async fn stop(&mut self) -> Duration {
        let began = Instant::now();
        self.stop.take().unwrap().send(()).unwrap();
        timeout(AGES, &mut self.served).await.unwrap().unwrap();
        began.elapsed()
    }
}

fn request(target: &str) -> Request<Full<Bytes>> {
    Request::post(target).header("host", "kms.example").body(Full::default()).unwrap()
}

async fn text(response: Response<Incoming>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

/// What still comes until the connection ends, and when that is.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> (Vec<u8>, Duration) {
    let (began, mut rest) = (Instant::now(), Vec::new());
    // A reset is an end as well.
    let _ = timeout(AGES, stream.read_to_end(&mut rest)).await.expect("it ends");
    (rest, began.elapsed())
}

/// One request on a connection that stays open.
async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> String {
    stream.write_all(HEAD).await.unwrap();
    let mut answer = vec![0; 4096];
    let length = timeout(AGES, stream.read(&mut answer)).await.unwrap().unwrap();
    String::from_utf8(answer[..length].to_vec()).unwrap()
}

fn short(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[tokio::test]
async fn plain_http_is_version_1_alone() {
    let world = World::start(false, Limits::default()).await;
    let mut stream = world.plain().await;
    for _ in 0..2 {
        let answer = ask(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\nContent-Length"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nHTTP/1.1 h 127.0.0.1 None"), "{answer}");
    }
    let mut other = world.plain().await;
    other.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    assert_eq!(rest(&mut other).await.0, b"");
    assert_eq!((world.stats.accepted(), world.stats.requests()), (2, 2));
}

#[tokio::test]
async fn what_a_handshake_agreed_on_is_known() {
    let world = World::start(true, Limits::default()).await;
    for (versions, expected) in [
        (vec![&TLS13, &TLS12], r#""TLSv1.3", cipher_suite: "TLS_A"#),
        (vec![&TLS12], r#""TLSv1.2", cipher_suite: "ECDHE-ECDSA-AES"#),
    ] {
        let connector = TlsConnector::from(world.authority.client(&versions, &[], None));
        let stream = connector.connect(NAME.try_into().unwrap(), world.plain().await);
        let answer = ask(&mut stream.await.unwrap()).await;
        assert!(answer.contains("\r\n\r\nHTTP/1.1 h 127.0.0.1 Some"), "{answer}");
        assert!(answer.contains(expected), "{answer}");
        let is_new = versions.len() == 2;
        assert_eq!(answer.contains(r#"key_exchange: Some("X25519MLKEM768")"#), is_new, "{answer}");
    }
}

#[tokio::test]
async fn http_2_is_spoken_where_it_was_negotiated() {
    let world = World::start(true, Limits::default()).await;
    let mut client = world.http2().await;
    let send = |client: &mut http2::SendRequest<_>| {
        let request = Request::get("https://kms.example:4566/now").body(Full::default()).unwrap();
        client.send_request(request)
    };
    let (first, second) = (send(&mut client), send(&mut client));
    for answer in [first.await.unwrap(), second.await.unwrap()] {
        let answer = text(answer).await;
        assert!(answer.starts_with("HTTP/2.0 kms.example:4566 127.0.0.1 Some"), "{answer}");
    }
    assert_eq!(world.stats.accepted(), 1);
    // Whoever offers nothing else, or nothing at all, gets HTTP/1.1.
    for protocols in [vec![], vec![b"http/1.1".as_slice()]] {
        let answer = ask(&mut world.secure(&protocols).await).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[tokio::test]
async fn two_hosts_are_one_too_many() {
    let world = World::start(true, Limits::default()).await;
    let mut client = world.http2().await;
    let mut status = async |target: &str, host: &[&str]| {
        let mut request = Request::get(target);
        for host in host {
            request = request.header("host", *host);
        }
        let sent = client.send_request(request.body(Full::default()).unwrap());
        sent.await.unwrap().status().as_u16()
    };
    assert_eq!(status("https://a.example/", &["a.example"]).await, 200);
    assert_eq!(status("https://a.example/", &["b.example"]).await, 400);
    assert_eq!(status("https://a.example/", &["a.example", "a.example"]).await, 400);
    for head in ["GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"] {
        let mut stream = world.secure(&[]).await;
        stream.write_all(head.as_bytes()).await.unwrap();
        let answer = String::from_utf8(rest(&mut stream).await.0).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\nConnection: close"), "{answer}");
    }
}

#[tokio::test]
async fn many_headers_are_refused_in_both_versions() {
    let world = World::start(true, Limits { headers: 20, ..Limits::default() }).await;
    let mut client = world.http2().await;
    let mut more = request("https://kms.example/");
    for number in 0..30 {
        let name = hyper::header::HeaderName::try_from(format!("h{number}")).unwrap();
        more.headers_mut().insert(name, "x".try_into().unwrap());
    }
    let (head, body) = more.into_parts();
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(world.secure(&[]).await)).await.unwrap();
    tokio::spawn(connection);
    let answer = sender.send_request(Request::from_parts(head.clone(), body.clone())).await;
    assert_eq!(answer.unwrap().status(), 431);
    let answer = client.send_request(Request::from_parts(head, body)).await.unwrap();
    assert_eq!(answer.status(), 431);
    // One beyond the limit on bytes doesn't get that far, and harms no other stream.
    let long = "x".repeat(200_000);
    let mut long_head = request("https://kms.example/");
    long_head.headers_mut().insert("long", long.try_into().unwrap());
    let answer = client.send_request(long_head).await;
    assert!(answer.is_err() || answer.unwrap().status() == 431);
}

#[tokio::test]
async fn slow_heads_and_idle_connections_are_let_go() {
    let (head_time, idle_time) = (short(500), short(1500));
    let limits = Limits { head_time, idle_time, ..Limits::default() };
    let world = World::start(false, limits).await;
    let mut silent = world.plain().await;
    let mut begun = world.plain().await;
    begun.write_all(b"POST / HT").await.unwrap();
    for stream in [&mut silent, &mut begun] {
        assert_eq!(rest(stream).await.0, b"");
    }
    let mut idle = world.plain().await;
    ask(&mut idle).await;
    let (bytes, time) = rest(&mut idle).await;
    assert!(bytes.is_empty() && time + short(100) >= idle_time, "{time:?}");
    // Between requests there is time, but a head that has begun has its own.
    let mut slow = world.plain().await;
    ask(&mut slow).await;
    sleep(short(700)).await;
    ask(&mut slow).await;
    slow.write_all(b"POST").await.unwrap();
    let (bytes, time) = rest(&mut slow).await;
    assert!(bytes.is_empty() && time + short(100) >= head_time, "{time:?}");
    assert_eq!(world.stats.let_go(), 4);
    // An answer that takes longer than all of this is awaited.
    let mut patient = world.plain().await;
    patient.write_all(b"GET /after/2500 HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    assert!(rest(&mut patient).await.0.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn idle_connections_of_http_2_are_let_go() {
    let limits = Limits { idle_time: short(500), ..Limits::default() };
    let world = World::start(true, limits).await;
    let mut client = world.http2().await;
    client.send_request(request("https://kms.example/")).await.unwrap();
    let began = Instant::now();
    while client.ready().await.is_ok() {
        assert!(began.elapsed() < AGES);
        sleep(short(50)).await;
    }
    assert!(began.elapsed() > short(400));
}

/// The beginning of a connection of HTTP/2: the preface and an empty SETTINGS, or other settings.
fn preface(settings: &[u8]) -> Vec<u8> {
    let length = u8::try_from(settings.len()).unwrap();
    let frame = [&[0, 0, length, 4, 0, 0, 0, 0, 0], settings].concat();
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &frame].concat()
}

/// A frame HEADERS that is a whole request: `GET https://h` and the path, by entries 2, 7, 4 and 1
/// of HPACK's table (RFC 7541, A).
fn headers(stream: u32, path: &str) -> Vec<u8> {
    let length = u8::try_from(path.len()).unwrap();
    let block = [&[0x82, 0x87, 0x04, length], path.as_bytes(), &[0x41, 0x01, b'h']].concat();
    let length = u8::try_from(block.len()).unwrap();
    [&[0, 0, length, 1, 0x5], stream.to_be_bytes().as_slice(), &block].concat()
}

#[tokio::test]
async fn answers_that_nobody_takes_are_not_kept() {
    let limits = Limits { write_time: short(700), ..Limits::default() };
    let world = World::start(true, limits).await;
    let mut stream = world.secure(&[b"h2"]).await;
    // SETTINGS_INITIAL_WINDOW_SIZE of 0: no answer may be sent.
    stream.write_all(&preface(&[0, 4, 0, 0, 0, 0])).await.unwrap();
    stream.write_all(&headers(1, "/")).await.unwrap();
    let (_, time) = rest(&mut stream).await;
    assert!(time >= short(600), "{time:?}");
    assert_eq!((world.stats.let_go(), world.stats.requests_under_way()), (1, 0));
}

#[tokio::test]
async fn a_flood_of_requests_that_are_cancelled_ends_its_connection() {
    let world = World::start(true, Limits::default()).await;
    let mut stream = world.secure(&[b"h2"]).await;
    let mut flood = preface(&[]);
    for stream in (1..40_000).step_by(2) {
        flood.extend(headers(stream, "/"));
        // RST_STREAM with CANCEL.
        flood.extend([&[0, 0, 4, 3, 0], stream.to_be_bytes().as_slice(), &[0, 0, 0, 8]].concat());
    }
    // It may be cut before all of it was taken.
    let _ = stream.write_all(&flood).await;
    let (frames, _) = rest(&mut stream).await;
    // GOAWAY with ENHANCE_YOUR_CALM, where it arrives.
    let is_calming = |frame: &[u8]| frame[0] == 7 && frame[10..14] == [0, 0, 0, 0xb];
    assert!(frames.is_empty() || frames.windows(14).any(is_calming), "{frames:x?}");
    assert!(world.stats.requests() < 5_000, "{}", world.stats.requests());
    assert!(ask(&mut world.secure(&[]).await).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn no_more_streams_than_agreed_are_answered() {
    let world = World::start(true, Limits { streams: 4, ..Limits::default() }).await;
    let mut stream = world.secure(&[b"h2"]).await;
    let mut many = preface(&[]);
    for stream in (1..100).step_by(2) {
        many.extend(headers(stream, "/after/60000"));
    }
    stream.write_all(&many).await.unwrap();
    // The others are refused at once: RST_STREAM with REFUSED_STREAM, 46 times.
    let (mut refused, mut buffer) = (0, vec![0; 65_536]);
    while refused < 46 {
        let length = timeout(AGES, stream.read(&mut buffer)).await.unwrap().unwrap();
        assert_ne!(length, 0);
        let is_refusal = |frame: &&[u8]| frame[..5] == [0, 0, 4, 3, 0] && frame[12] == 7;
        refused += buffer[..length].windows(13).filter(is_refusal).count();
    }
    assert_eq!(world.stats.requests(), 4);
}

#[tokio::test]
async fn what_is_no_handshake_harms_nobody() {
    let limits = Limits { handshake_time: short(700), ..Limits::default() };
    let world = World::start(true, limits).await;
    let mut silent = world.plain().await;
    for garbage in [HEAD, &[0x16, 3, 1, 0xff, 0xff], &[0xff; 1000], &[0x16, 3, 1, 0, 4, 1, 0, 0, 0]]
    {
        let mut stream = world.plain().await;
        stream.write_all(garbage).await.unwrap();
        rest(&mut stream).await;
    }
    assert_eq!(rest(&mut silent).await.0, b"");
    let stranger = Authority::new().client(&[&TLS13], &[], None);
    let connector = TlsConnector::from(stranger);
    assert!(connector.connect(NAME.try_into().unwrap(), world.plain().await).await.is_err());
    assert!(ask(&mut world.secure(&[]).await).await.starts_with("HTTP/1.1 200"));
    assert!(world.stats.handshakes_failed() >= 5);
}

#[tokio::test]
async fn requests_in_flight_are_answered_before_the_end() {
    let mut world = World::start(true, Limits::default()).await;
    let mut client = world.http2().await;
    let slow = client.send_request(request("https://kms.example/after/800"));
    let mut first = world.secure(&[]).await;
    first.write_all(b"GET /after/800 HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let mut idle = world.secure(&[]).await;
    ask(&mut idle).await;
    while world.stats.requests() < 3 {
        sleep(short(10)).await;
    }
    let address = world.address;
    let (stopped, slow, (bytes, _), (idle, closed)) =
        tokio::join!(world.stop(), slow, rest(&mut first), rest(&mut idle));
    assert!(text(slow.unwrap()).await.starts_with("HTTP/2.0"));
    assert!(bytes.starts_with(b"HTTP/1.1 200"));
    assert!(idle.is_empty() && closed < short(700), "{closed:?}");
    assert!(stopped < Duration::from_secs(8), "{stopped:?}");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn what_takes_too_long_is_cut_at_the_end() {
    let mut world =
        World::start(false, Limits { drain_time: short(300), ..Limits::default() }).await;
    let mut slow = world.plain().await;
    slow.write_all(b"GET /after/60000 HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    while world.stats.requests() < 1 {
        sleep(short(10)).await;
    }
    let stopped = world.stop().await;
    assert!(stopped >= short(300) && stopped < Duration::from_secs(5), "{stopped:?}");
    assert_eq!(rest(&mut slow).await.0, b"");
}

#[tokio::test]
async fn an_address_has_no_more_than_its_share() {
    let world =
        World::start(false, Limits { connections_per_address: 2, ..Limits::default() }).await;
    let (mut first, mut second) = (world.plain().await, world.plain().await);
    ask(&mut first).await;
    ask(&mut second).await;
    let mut third = world.plain().await;
    assert_eq!(rest(&mut third).await.0, b"");
    assert_eq!(world.stats.crowded_out(), 1);
    drop(first);
    while world.stats.open() > 1 {
        sleep(short(10)).await;
    }
    assert!(ask(&mut world.plain().await).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn idle_connections_make_room() {
    let world = World::start(false, Limits { connections: 3, ..Limits::default() }).await;
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(world.plain().await);
    }
    let mut newcomer = world.plain().await;
    // They are let go a few at a time, each after a second of silence.
    assert!(ask(&mut newcomer).await.starts_with("HTTP/1.1 200"));
    assert!(world.stats.open() <= 3);
}

#[tokio::test]
async fn a_new_certificate_is_shown_while_old_connections_go_on() {
    let world = World::start(true, Limits::default()).await;
    let serial =
        |stream: &TlsStream<TcpStream>| stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
    let mut old = world.secure(&[]).await;
    write(world.home.path(), &world.authority.issue(NOW));
    assert!(world.tls.as_ref().unwrap().reload_if_changed().unwrap());
    let mut new = world.secure(&[]).await;
    assert_ne!(serial(&old), serial(&new));
    for stream in [&mut old, &mut new] {
        assert!(ask(stream).await.starts_with("HTTP/1.1 200"));
    }
}
