//! `strongroom dev`: a server without configuration, for development and tests.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use server::config::{LogFormat, LogLevel};
use server::logging::Logging;
use server::tls::TlsFiles;
use server::{
    Data, InvalidLimit, InvalidQuota, KeySetFile, Limits, Options, QuotaSettings, Server,
};
use tokio::signal::unix::{SignalKind, signal};

use crate::connection::failed;

/// What `dev` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The address and port to listen on; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4566")]
    listen: SocketAddr,

    /// Speak TLS, and show this certificate: a file in PEM, in which those between it and the root
    /// follow. It is read again when it changes.
    #[arg(long, value_name = "FILE", requires = "tls_private_key")]
    tls_certificate: Option<PathBuf>,

    /// The certificate's private key, in PEM, which nobody else may read.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_private_key: Option<PathBuf>,

    /// The directory for keys, the root key and the audit log; made if it doesn't exist.
    #[arg(long, value_name = "DIRECTORY", default_value = "strongroom-data")]
    data_dir: PathBuf,

    /// Keep everything in memory and no audit log; all is gone when the server ends.
    #[arg(long, conflicts_with = "data_dir")]
    in_memory: bool,

    /// A file of root access keys whose signatures are verified: lines of account id, access key
    /// id and secret access key.
    #[arg(long, value_name = "FILE")]
    root_access_keys: Option<PathBuf>,

    /// A file of root certificates in PEM that attestation documents (Recipient) are trusted by,
    /// instead of AWS's; may be given several times.
    #[arg(long, value_name = "FILE")]
    attestation_root: Vec<PathBuf>,

    /// A file of the keys (JWKS) by which an issuer of identity tokens signs, such as
    /// `https://idp.example=keys.json`; may be given several times.
    #[arg(long, value_name = "ISSUER=FILE")]
    jwks: Vec<String>,

    /// A YAML file of keys with fixed ids, materials, aliases, tags and policies, which are made
    /// at the start unless they exist.
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,

    /// Another limit than AWS's, such as keys=10 or aliases-per-key=2; may be given several times.
    #[arg(long = "limit", value_name = "NAME=N")]
    limits: Vec<String>,

    /// Refuse requests over AWS's request quotas, as AWS does (docs/quotas.md).
    #[arg(long)]
    quotas: bool,

    /// A request quota, in requests a second, such as CreateKey=2 or
    /// 111122223333:cryptographic-rsa=0.5; may be given several times.
    #[arg(long = "quota", value_name = "[ACCOUNT:]CLASS=N")]
    quota: Vec<String>,

    /// The address and port of /metrics, /livez and /readyz; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS")]
    operations_listen: Option<SocketAddr>,
}

impl Arguments {
    fn tls(&self) -> Option<TlsFiles> {
        let certificate = self.tls_certificate.clone()?;
        let private_key = self.tls_private_key.clone()?;
        Some(TlsFiles { certificate, private_key, client_authorities: None, only_tls_1_3: false })
    }
}

/// Runs the server until it is asked to stop.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    if let Err(error) = Logging::start(LogLevel::Info, LogFormat::Text) {
        return failed(&error.to_string());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let served = runtime.and_then(|runtime| runtime.block_on(serve(arguments)));
    match served {
        Ok(code) => code,
        Err(error) => failed(&error.to_string()),
    }
}

async fn serve(arguments: Arguments) -> io::Result<ExitCode> {
    // Before anything listens, so that an early signal isn't lost.
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let data = if arguments.in_memory {
        Data::InMemory
    } else {
        Data::Directory(arguments.data_dir.clone())
    };
    let limits = match limits(&arguments.limits) {
        Ok(limits) => limits,
        Err(error) => return Ok(failed(&format!("--limit: {error}"))),
    };
    let quotas = match quotas(&arguments) {
        Ok(quotas) => quotas,
        Err(error) => return Ok(failed(&format!("--quota: {error}"))),
    };
    let key_sets: Result<Vec<KeySetFile>, _> =
        arguments.jwks.iter().map(|setting| KeySetFile::parse(setting)).collect();
    let key_sets = match key_sets {
        Ok(key_sets) => key_sets,
        Err(error) => return Ok(failed(&format!("--jwks: {error}"))),
    };
    let options = Options {
        listen: arguments.listen,
        tls: arguments.tls(),
        data,
        root_access_keys: arguments.root_access_keys.clone(),
        attestation_roots: arguments.attestation_root.clone(),
        seed: arguments.seed.clone(),
        key_sets,
        limits,
        quotas,
        operations_listen: arguments.operations_listen,
    };
    let server = match Server::start(&options).await {
        Ok(server) => server,
        Err(error) => return Ok(failed(&error.to_string())),
    };
    announce(&arguments, &server)?;
    server
        .serve(Box::pin(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }))
        .await;
    Ok(ExitCode::SUCCESS)
}

fn limits(settings: &[String]) -> Result<Limits, InvalidLimit> {
    let mut limits = Limits::default();
    settings.iter().try_for_each(|setting| limits.set(setting))?;
    Ok(limits)
}

fn quotas(arguments: &Arguments) -> Result<QuotaSettings, InvalidQuota> {
    let mut quotas = if arguments.quotas { QuotaSettings::aws() } else { QuotaSettings::none() };
    arguments.quota.iter().try_for_each(|setting| quotas.set(setting))?;
    Ok(quotas)
}

fn announce(arguments: &Arguments, server: &Server) -> io::Result<()> {
    let address = server.address()?;
    let mut out = io::stdout().lock();
    writeln!(out, "strongroom {} in dev mode: NOT FOR PRODUCTION", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "(any secret is accepted; whoever reaches the port is root of any account)")?;
    let scheme = if arguments.tls_certificate.is_some() { "https" } else { "http" };
    writeln!(out, "endpoint: {scheme}://{address}")?;
    if let Some(address) = server.operations_address()? {
        writeln!(out, "operations: http://{address}")?;
    }
    if arguments.in_memory {
        writeln!(out, "data: in memory, gone when the server ends; no audit log")?;
    } else {
        let data = arguments.data_dir.display();
        writeln!(out, "data: {data}")?;
        writeln!(out, "audit: {}", arguments.data_dir.join("audit.jsonl").display())?;
    }
    for note in server.notes() {
        writeln!(out, "note: {note}")?;
    }
    writeln!(out, "try: AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test \\")?;
    writeln!(
        out,
        "     aws --endpoint-url {scheme}://{address} --region us-east-1 kms create-key"
    )?;
    out.flush()
}
