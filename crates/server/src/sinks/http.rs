//! Audit records to an HTTP server: batches of JSON lines by POST, over TLS unless it is on this
//! machine or asked for otherwise. A record is delivered when the server has answered with 2xx.
//!
//! Must not know where records come from.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use service::ports::Pending;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use super::{InvalidSink, Sink, Undelivered};

/// The most bytes of an answer that are read; what they say doesn't matter.
const ANSWER_MAX: usize = 64 << 10;
/// The longest bearer token, in bytes.
const TOKEN_MAX: u64 = 8 << 10;

/// Where records are sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSinkOptions {
    /// The address: `https://HOST[:PORT]/PATH`, or `http://`.
    pub url: String,
    /// A file with the token that is sent as `Authorization: Bearer`; it is read again for each
    /// connection. It goes to another machine over TLS only.
    pub bearer_token_file: Option<PathBuf>,
    /// A file of the certificates that the server's must come from, in PEM, instead of those that
    /// the system trusts.
    pub ca_file: Option<PathBuf>,
}

/// Sends batches to an HTTP server.
pub struct HttpSink {
    host: String,
    port: u16,
    path: String,
    /// The value of the `Host` header.
    authority: HeaderValue,
    token_file: Option<PathBuf>,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    connection: Option<Connection>,
}

struct Connection {
    requests: SendRequest<Full<Bytes>>,
    authorization: Option<HeaderValue>,
    /// Moves the bytes; ends with the connection.
    driver: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl HttpSink {
    /// Sends to that address. Nothing is connected yet.
    ///
    /// # Errors
    /// [`InvalidSink`]: the address is none, certificates can't be read, or a token would go over
    /// the network in the clear.
    pub fn new(options: HttpSinkOptions) -> Result<Self, InvalidSink> {
        let HttpSinkOptions { url, bearer_token_file, ca_file } = options;
        let invalid = || InvalidSink(format!("'{url}' is no http or https address"));
        let uri: Uri = url.parse().map_err(|_| invalid())?;
        let authority = uri.authority().ok_or_else(invalid)?;
        if authority.as_str().contains('@') {
            return Err(InvalidSink("the address holds a user; use a token file".to_owned()));
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let (is_tls, port) = match uri.scheme_str() {
            Some("https") => (true, 443),
            Some("http") => (false, 80),
            _ => return Err(invalid()),
        };
        if !is_tls && bearer_token_file.is_some() && !is_loopback(&host) {
            let why = "a bearer token is sent to another machine over https only";
            return Err(InvalidSink(why.to_owned()));
        }
        let tls = if is_tls {
            let name = ServerName::try_from(host.clone()).map_err(|_| invalid())?;
            Some((TlsConnector::from(Arc::new(client_config(ca_file.as_ref())?)), name))
        } else {
            None
        };
        Ok(Self {
            port: authority.port_u16().unwrap_or(port),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            authority: HeaderValue::from_str(authority.as_str()).map_err(|_| invalid())?,
            host,
            token_file: bearer_token_file,
            tls,
            connection: None,
        })
    }

    async fn connect(&self) -> io::Result<Connection> {
        let authorization = self.authorization().await?;
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        let (requests, driver) = match &self.tls {
            None => shake_hands(stream).await?,
            Some((connector, name)) => {
                shake_hands(connector.connect(name.clone(), stream).await?).await?
            }
        };
        Ok(Connection { requests, authorization, driver })
    }

    async fn authorization(&self) -> io::Result<Option<HeaderValue>> {
        let Some(path) = self.token_file.clone() else { return Ok(None) };
        let reading = tokio::task::spawn_blocking(move || {
            let mut token = zeroize::Zeroizing::new(String::new());
            io::Read::read_to_string(
                &mut io::Read::take(std::fs::File::open(path)?, TOKEN_MAX),
                &mut token,
            )?;
            Ok::<_, io::Error>(token)
        });
        let token = reading.await.map_err(io::Error::other)??;
        let bearer = zeroize::Zeroizing::new(format!("Bearer {}", token.trim()));
        let problem = |_| io::Error::other("the token can't stand in a header");
        let mut value = HeaderValue::from_str(&bearer).map_err(problem)?;
        value.set_sensitive(true);
        Ok(Some(value))
    }

    async fn post(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut connection = match self.connection.take() {
            Some(connection) if connection.requests.is_ready() => connection,
            _ => self.connect().await?,
        };
        let mut request = Request::post(&self.path)
            .header(HOST, &self.authority)
            .header(USER_AGENT, concat!("strongroom/", env!("CARGO_PKG_VERSION")))
            .header(CONTENT_TYPE, "application/x-ndjson");
        if let Some(authorization) = &connection.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let body = Full::new(Bytes::copy_from_slice(lines));
        let request = request.body(body).map_err(io::Error::other)?;
        let answer = connection.requests.send_request(request).await.map_err(io::Error::other)?;
        let status = answer.status();
        if !status.is_success() {
            return Err(io::Error::other(format!("the server answered {status}")));
        }
        // The answer is read so that the connection can be used again; without it, it ends here.
        if Limited::new(answer.into_body(), ANSWER_MAX).collect().await.is_ok() {
            self.connection = Some(connection);
        }
        Ok(())
    }
}

impl Sink for HttpSink {
    fn deliver<'a>(&'a mut self, lines: &'a [u8]) -> Pending<'a, Result<(), Undelivered>> {
        Box::pin(async move { self.post(lines).await.map_err(Undelivered::all) })
    }
}

/// Begins to speak HTTP over a connection.
async fn shake_hands<S>(stream: S) -> io::Result<(SendRequest<Full<Bytes>>, JoinHandle<()>)>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let shaken = http1::handshake(TokioIo::new(stream)).await;
    let (requests, driver) = shaken.map_err(io::Error::other)?;
    // How a connection ends is told by the request that meets it.
    Ok((requests, tokio::spawn(async move { drop(driver.await) })))
}

/// TLS with the roots of that file, or those of the system.
fn client_config(ca_file: Option<&PathBuf>) -> Result<ClientConfig, InvalidSink> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = ca_file {
        let unusable = |error: &dyn std::fmt::Display| {
            InvalidSink(format!("{} holds no certificates: {error}", path.display()))
        };
        let found = CertificateDer::pem_file_iter(path).map_err(|error| unusable(&error))?;
        for certificate in found {
            let certificate = certificate.map_err(|error| unusable(&error))?;
            roots.add(certificate).map_err(|error| unusable(&error))?;
        }
    } else {
        // What the system has and can't be read is left out, as everywhere else.
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
    }
    if roots.is_empty() {
        return Err(InvalidSink("there are no certificates to trust a server by".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| InvalidSink(format!("TLS can't be set up: {error}")))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn is_loopback(host: &str) -> bool {
    let address: Option<std::net::IpAddr> = host.parse().ok();
    host == "localhost" || address.is_some_and(|address| address.is_loopback())
}
