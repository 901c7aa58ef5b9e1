//! `strongroom backup`: making a backup of a running server, verifying one, restoring one.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use http_body_util::BodyExt as _;
use hyper::Method;
use server::backup::{self, Backup, Contents};
use server::seals::{Outcome, RootKey, Secret};
use zeroize::Zeroizing;

use crate::connection::{Connection, end};
use crate::secrets::{self, PassphraseSource};
use crate::socket::{self, Failure};

/// What `backup` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a backup of a running server to a new file.
    Create {
        /// The file, which must not exist.
        file: PathBuf,
        #[command(flatten)]
        connection: Connection,
    },
    /// Read all of a backup, with a secret that unseals it.
    Verify {
        /// The backup.
        file: PathBuf,
        #[command(flatten)]
        secret: SecretSource,
    },
    /// Make a data directory of a backup, with a secret that unseals it.
    Restore {
        /// The backup.
        file: PathBuf,
        /// The data directory to make; it must not exist, or be empty.
        #[arg(
            long,
            value_name = "DIRECTORY",
            env = "STRONGROOM_DATA_DIR",
            default_value = "/var/lib/strongroom"
        )]
        data_dir: PathBuf,
        #[command(flatten)]
        secret: SecretSource,
    },
}

/// What opens a seal of the backup.
#[derive(clap::Args)]
struct SecretSource {
    #[command(flatten)]
    passphrase: PassphraseSource,

    /// Ask for shares until there are enough.
    #[arg(long, conflicts_with_all = ["passphrase_file", "passphrase_fd", "key_file", "kms"])]
    shares: bool,

    /// A file that holds a share; may be given several times.
    #[arg(
        long = "share-file",
        value_name = "FILE",
        conflicts_with_all = ["shares", "key_file", "kms"]
    )]
    share_files: Vec<PathBuf>,

    /// The file of a key-file seal.
    #[arg(long, value_name = "FILE", conflicts_with = "kms")]
    key_file: Option<PathBuf>,

    /// Ask the KMS of a KMS seal.
    #[arg(long)]
    kms: bool,
}

/// Makes, verifies or restores a backup.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    end(async {
        match &arguments.command {
            Command::Create { file, connection } => create(connection, file).await,
            Command::Verify { file, secret } => {
                let (backup, root_key) = opened(file, secret).await?;
                let about = about(&backup);
                let contents = backup.verify(&root_key).map_err(|error| of(file, &error))?;
                println!("{}: whole, {about}, {}", file.display(), shown(contents));
                Ok(())
            }
            Command::Restore { file, data_dir, secret } => {
                let (backup, root_key) = opened(file, secret).await?;
                let about = about(&backup);
                let contents = backup::restore(backup, &root_key, data_dir)
                    .map_err(|error| refused(&error))?;
                println!("restored to {}: {about}, {}", data_dir.display(), shown(contents));
                Ok(())
            }
        }
    })
}

/// Writes what the server sends under another name, and gives it its own when it is whole.
async fn create(connection: &Connection, file: &Path) -> Result<(), Failure> {
    let io = |error: io::Error| of(file, &error);
    if file.exists() {
        return Err(io(io::ErrorKind::AlreadyExists.into()));
    }
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(".part");
    let unfinished = PathBuf::from(unfinished);
    // Before the server is asked, so that it makes no backup that there is no place for.
    let mut out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .map_err(|error| {
            let (path, file) = (unfinished.display(), file.display());
            let text = match error.kind() {
                io::ErrorKind::AlreadyExists => format!(
                    "{path} is there: another backup to {file} is being made, or one broke off. \
                     If none is, remove it"
                ),
                _ => format!("{path}: {error}"),
            };
            Failure::Refused(text)
        })?;
    let copied = async {
        let response =
            socket::send(&connection.socket, Method::POST, "/v1/backup", Zeroizing::default());
        let response = response.await?;
        let is_backup = response.status().is_success();
        let mut body = response.into_body();
        if !is_backup {
            return Err(socket::refusal(body).await);
        }
        let mut length = 0;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Failure::Broken(error.to_string()))?;
            if let Some(data) = frame.data_ref() {
                out.write_all(data).map_err(io)?;
                length += data.len();
            }
        }
        out.sync_all().map_err(io)?;
        // Not a hard link, which would never take the place of anything: memory sticks and network
        // file systems, where backups go, don't have them.
        if file.exists() {
            return Err(io(io::ErrorKind::AlreadyExists.into()));
        }
        fs::rename(&unfinished, file).map_err(io)?;
        Ok(length)
    }
    .await;
    let _ = fs::remove_file(&unfinished);
    let length = copied?;
    println!("{}: {length} bytes; it opens with the seals of today", file.display());
    Ok(())
}

async fn opened(file: &Path, secret: &SecretSource) -> Result<(Backup, RootKey), Failure> {
    let backup = Backup::open(file).await.map_err(|error| of(file, &error))?;
    if secret.shares || !secret.share_files.is_empty() {
        let mut files = secret.share_files.iter();
        loop {
            let share = match files.next() {
                Some(path) => {
                    let content = secrets::read(path).map_err(|error| of(path, &error))?;
                    Zeroizing::new(String::from_utf8_lossy(&content).trim().to_owned())
                }
                None if secret.shares => secrets::ask("Share: ").map_err(Failure::Refused)?,
                None => return Err(refused(&"more shares are needed")),
            };
            let tried = backup.seals().unseal(Secret::Share(share), None).await;
            match tried.map_err(|error| refused(&error))? {
                Outcome::Opened { root_key, .. } => return Ok((backup, root_key)),
                Outcome::MoreShares(collected) => println!("{} more needed", collected.missing),
            }
        }
    }
    let secret = if secret.kms {
        Secret::Kms
    } else if let Some(path) = &secret.key_file {
        Secret::KeyFile(path.clone())
    } else {
        let passphrase = secret.passphrase.read("Passphrase: ");
        Secret::Passphrase(passphrase.map_err(Failure::Refused)?)
    };
    match backup.seals().unseal(secret, None).await.map_err(|error| refused(&error))? {
        Outcome::Opened { root_key, .. } => Ok((backup, root_key)),
        Outcome::MoreShares(_) => Err(refused(&"more shares are needed")),
    }
}

fn about(backup: &Backup) -> String {
    format!("of {}, revision {}", backup.created(), backup.revision())
}

fn shown(contents: Contents) -> String {
    let Contents { records, files, bytes } = contents;
    format!("{records} records, {files} files of the audit log, {bytes} bytes")
}

fn refused(error: &dyn fmt::Display) -> Failure {
    Failure::Refused(error.to_string())
}

/// What is wrong with a file.
fn of(file: &Path, error: &dyn fmt::Display) -> Failure {
    Failure::Refused(format!("{}: {error}", file.display()))
}
