//! The yardstick: hyper, HTTP/1.1, one thread; reads the body and answers as many bytes as it was
//! told to. It must not know any service, so that nothing can be cheaper than it.

use std::convert::Infallible;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::child::{SERVER_CORE, Server, Start, address_behind};
use crate::{Outcome, certificate};

/// What the echo answers, and where.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    answer_bytes: usize,
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Speaks TLS with this certificate, in PEM.
    #[arg(long, requires = "private_key")]
    certificate: Option<PathBuf>,
    #[arg(long, requires = "certificate")]
    private_key: Option<PathBuf>,
}

/// Serves until the process is ended; prints its endpoint as the server does.
pub(crate) fn serve(arguments: &Arguments) -> Outcome {
    let answer = Bytes::from(vec![b'x'; arguments.answer_bytes]);
    let acceptor = match (&arguments.certificate, &arguments.private_key) {
        (Some(chain), Some(key)) => Some(TlsAcceptor::from(certificate::server(chain, key)?)),
        _ => None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let listener =
            TcpListener::bind(arguments.listen).await.map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        println!("endpoint: http://{address}");
        std::io::stdout().flush().map_err(|error| error.to_string())?;
        loop {
            let (stream, _) = listener.accept().await.map_err(|error| error.to_string())?;
            stream.set_nodelay(true).map_err(|error| error.to_string())?;
            let answer = answer.clone();
            // A connection that ends with an error has a client that sees it.
            match acceptor.clone() {
                None => drop(tokio::spawn(converse(stream, answer))),
                Some(acceptor) => drop(tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        converse(stream, answer).await;
                    }
                })),
            }
        }
    })
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, answer: Bytes) {
    let service = service_fn(move |request| echo(request, answer.clone()));
    // The client sees how it ended.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn echo(
    request: Request<Incoming>,
    answer: Bytes,
) -> Result<Response<Full<Bytes>>, Infallible> {
    // The body is read as the server has to; a broken one ends the connection on its own.
    let _ = request.into_body().collect().await;
    let mut response = Response::new(Full::new(answer));
    let json = HeaderValue::from_static("application/x-amz-json-1.1");
    response.headers_mut().insert(CONTENT_TYPE, json);
    Ok(response)
}

/// Starts this program as an echo, on the core that servers run on.
pub(crate) fn start(
    answer_bytes: usize,
    tls: Option<&certificate::Certificate>,
    folder: &Path,
) -> Outcome<Server> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut arguments = vec!["echo".into(), "--answer-bytes".into()];
    arguments.push(answer_bytes.to_string().into());
    if let Some(made) = tls {
        arguments.extend(["--certificate".into(), made.chain.clone().into()]);
        arguments.extend(["--private-key".into(), made.private_key.clone().into()]);
    }
    Server::start(Start {
        watcher: &[],
        program: &program,
        arguments,
        folder,
        cores: &[SERVER_CORE],
        ready: |output| address_behind(output, "endpoint: http://"),
        tls: tls.map(|made| made.client.clone()),
    })
}
