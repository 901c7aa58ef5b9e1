//! `strongroom dev`: a server without configuration, for development and tests.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use server::{Data, InvalidLimit, KeySetFile, Limits, Options, Server};
use tokio::signal::unix::{SignalKind, signal};

/// What `dev` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The address and port to listen on; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4566")]
    listen: SocketAddr,

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
}

/// Runs the server until it is asked to stop.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let served = runtime.and_then(|runtime| runtime.block_on(serve(arguments)));
    match served {
        Ok(code) => code,
        Err(error) => failed(&error.to_string()),
    }
}

fn failed(message: &str) -> ExitCode {
    eprintln!("strongroom: {message}");
    ExitCode::FAILURE
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
    let key_sets: Result<Vec<KeySetFile>, _> =
        arguments.jwks.iter().map(|setting| KeySetFile::parse(setting)).collect();
    let key_sets = match key_sets {
        Ok(key_sets) => key_sets,
        Err(error) => return Ok(failed(&format!("--jwks: {error}"))),
    };
    let options = Options {
        listen: arguments.listen,
        data,
        root_access_keys: arguments.root_access_keys.clone(),
        attestation_roots: arguments.attestation_root.clone(),
        seed: arguments.seed.clone(),
        key_sets,
        limits,
    };
    let server = match Server::start(&options).await {
        Ok(server) => server,
        Err(error) => return Ok(failed(&error.to_string())),
    };
    announce(&arguments, &server)?;
    server
        .serve(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
        .await;
    Ok(ExitCode::SUCCESS)
}

fn limits(settings: &[String]) -> Result<Limits, InvalidLimit> {
    let mut limits = Limits::default();
    settings.iter().try_for_each(|setting| limits.set(setting))?;
    Ok(limits)
}

fn announce(arguments: &Arguments, server: &Server) -> io::Result<()> {
    let address = server.address()?;
    let mut out = io::stdout().lock();
    writeln!(out, "strongroom {} in dev mode: NOT FOR PRODUCTION", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "(any secret is accepted; whoever reaches the port is root of any account)")?;
    writeln!(out, "endpoint: http://{address}")?;
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
    writeln!(out, "     aws --endpoint-url http://{address} --region us-east-1 kms create-key")?;
    out.flush()
}
