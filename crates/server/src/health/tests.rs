//! The listener, as its clients meet it.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::oneshot;

use super::*;

struct Listener {
    address: std::net::SocketAddr,
    ready: Arc<AtomicBool>,
    stop: Option<oneshot::Sender<()>>,
    served: tokio::task::JoinHandle<()>,
}

impl Listener {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let ready = Arc::new(AtomicBool::new(false));
        let known = Arc::clone(&ready);
        let unsealed = holds(move || known.load(Ordering::SeqCst), "the server is sealed");
        let readiness = Arc::new(Readiness::new(vec![("unsealed", unsealed)]));
        let health = Arc::new(Health { observed: Arc::default(), readiness });
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(serve(listener, health, async {
            let _ = stopped.await;
        }));
        Self { address, ready, stop: Some(stop), served }
    }

    async fn send(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn ask(&self, line: &str) -> String {
        let request = format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        self.send(request.as_bytes()).await
    }
}

#[tokio::test]
async fn it_lives_before_it_is_ready() {
    let mut listener = Listener::start().await;
    assert!(listener.ask("GET /livez").await.starts_with("HTTP/1.1 200 OK\r\n"));
    let answer = listener.ask("GET /readyz").await;
    assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nunsealed: the server is sealed\n"), "{answer}");
    listener.ready.store(true, Ordering::SeqCst);
    sleep(Duration::from_millis(1100)).await;
    let answer = listener.ask("GET /readyz?verbose").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    drop(listener.stop.take());
    listener.served.await.unwrap();
    assert!(TcpStream::connect(listener.address).await.is_err());
}

#[tokio::test]
async fn metrics_say_what_they_are() {
    let listener = Listener::start().await;
    let answer = listener.ask("GET /metrics").await;
    assert!(answer.contains("content-type: application/openmetrics-text; version=1.0.0"));
    assert!(answer.ends_with("# EOF\n"), "{answer}");
    assert!(listener.ask("HEAD /metrics").await.ends_with("\r\n\r\n"));
}

#[tokio::test]
async fn nothing_else_is_answered() {
    let listener = Listener::start().await;
    for (line, status) in [
        ("GET /", "404"),
        ("GET /metrics/", "404"),
        ("POST /metrics", "405"),
        ("DELETE /readyz", "405"),
        ("CONNECT a:1", "404"),
    ] {
        let answer = listener.ask(line).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{line}: {answer}");
    }
    // What isn't HTTP, or too long a head, ends the connection.
    let long = format!("GET /livez HTTP/1.1\r\nA: {}\r\n\r\n", "a".repeat(64 << 10));
    for bytes in [&b"\x16\x03\x01\x02\x00\x01"[..], b"nonsense\r\n\r\n"] {
        assert!(!listener.send(bytes).await.contains("200"));
    }
    let mut stream = TcpStream::connect(listener.address).await.unwrap();
    let _ = stream.write_all(long.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!String::from_utf8_lossy(&answer).contains("200 OK"));
    assert!(listener.ask("GET /livez").await.contains("200 OK"));
}
