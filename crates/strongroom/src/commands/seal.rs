//! `strongroom unseal` and `strongroom seal`: the seals of a running server.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use hyper::Method as Http;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::connection::{Connection, end};
use crate::seal_spec::SealSpec;
use crate::secrets::{self, PassphraseSource};
use crate::socket::Failure;

/// What `unseal` takes.
#[derive(clap::Args)]
pub(crate) struct Unseal {
    #[command(flatten)]
    connection: Connection,

    #[command(flatten)]
    secret: SecretSource,

    /// Go on although records of seals were tampered with, and remove those that were. Look into
    /// what has happened first.
    #[arg(long)]
    mend: bool,

    /// Forget the shares that were entered, and do nothing else.
    #[arg(long, conflicts_with_all = ["mend", "share", "key_file", "kms"])]
    forget_shares: bool,
}

/// What opens a seal.
#[derive(clap::Args)]
struct SecretSource {
    /// The seal, by name or id, if not all of the kind are meant.
    #[arg(long, value_name = "SEAL")]
    seal: Option<String>,

    #[command(flatten)]
    passphrase: PassphraseSource,

    /// Ask for a share; each of its holders gives one, in any order.
    #[arg(long, conflicts_with_all = ["passphrase_file", "passphrase_fd", "key_file", "kms"])]
    share: bool,

    /// Read the share from this file instead of asking for it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["share", "key_file", "kms"])]
    share_file: Option<PathBuf>,

    /// The file of a key-file seal, which the server must be able to read.
    #[arg(long, value_name = "FILE", conflicts_with = "kms")]
    key_file: Option<PathBuf>,

    /// Ask the KMS of a KMS seal.
    #[arg(long)]
    kms: bool,
}

/// What `seal` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the seals, and what is wrong with their records.
    List,
    /// Add a seal: passphrase, shares:K-of-N, key-file:PATH or kms:REGION:KEY (@ENDPOINT behind it
    /// if it isn't AWS's), with NAME= before it if you like.
    Add {
        /// The seal.
        seal: SealSpec,
        #[command(flatten)]
        passphrase: PassphraseSource,
    },
    /// Remove a seal; the last one stays.
    Remove {
        /// Its name or id.
        seal: String,
    },
    /// Give a seal a new secret of the same kind; the old one opens it no more.
    Rotate {
        /// Its name or id.
        seal: String,
        /// The new secret, as `add` takes it.
        method: SealSpec,
        #[command(flatten)]
        passphrase: PassphraseSource,
    },
    /// Try whether a secret would unseal the server; nothing is changed.
    Rehearse {
        #[command(flatten)]
        secret: SecretSource,
    },
}

impl SecretSource {
    fn json(&self) -> Result<Value, String> {
        let mut call = if self.kms {
            json!({ "kms": null })
        } else if let Some(path) = &self.key_file {
            json!({ "key-file": std::path::absolute(path).map_err(|e| e.to_string())? })
        } else if let Some(path) = &self.share_file {
            let content = secrets::read(path);
            let content = content.map_err(|error| format!("{}: {error}", path.display()))?;
            let text = String::from_utf8_lossy(&content);
            json!({ "share": text.trim() })
        } else if self.share {
            json!({ "share": secrets::ask("Share: ")?.as_str() })
        } else {
            json!({ "passphrase": self.passphrase.read("Passphrase: ")?.as_str() })
        };
        if let Some(seal) = &self.seal {
            call["seal"] = json!(seal);
        }
        Ok(call)
    }
}

/// Unseals a server.
pub(crate) fn unseal(arguments: &Unseal) -> ExitCode {
    let work = async {
        if arguments.forget_shares {
            arguments.connection.call(Http::DELETE, "/v1/unseal", None).await?;
            println!("the shares that had been entered are forgotten");
            return Ok(());
        }
        let mut call = arguments.secret.json().map_err(Failure::Refused)?;
        call["mend"] = json!(arguments.mend);
        let answer = arguments.connection.call(Http::POST, "/v1/unseal", Some(call)).await?;
        match answer["sealed"].as_bool() {
            Some(false) => println!("unsealed by seal {}", text(&answer["seal"]["name"])),
            _ => show_collected(&answer["collected"]),
        }
        Ok(())
    };
    end(work)
}

/// Lists and changes seals.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    end(change(&arguments.connection, &arguments.command))
}

async fn change(connection: &Connection, command: &Command) -> Result<(), Failure> {
    match command {
        Command::List => {
            let answer = connection.call(Http::GET, "/v1/seals", None).await?;
            list(&answer);
        }
        Command::Add { seal, passphrase } => {
            let method = seal.method.json(passphrase).map_err(Failure::Refused)?;
            let call = json!({ "name": seal.name, "method": method });
            issued(&connection.call(Http::POST, "/v1/seals", Some(call)).await?)?;
        }
        Command::Remove { seal } => {
            connection.call(Http::DELETE, &place(seal), None).await?;
            println!("seal {seal} is removed; backups that were made before still open with it");
        }
        Command::Rotate { seal, method, passphrase } => {
            let call = method.method.json(passphrase).map_err(Failure::Refused)?;
            issued(&connection.call(Http::POST, &place(seal), Some(call)).await?)?;
            println!("backups that were made before still open with its old secret");
        }
        Command::Rehearse { secret } => {
            let call = secret.json().map_err(Failure::Refused)?;
            let answer = connection.call(Http::POST, "/v1/seals/rehearsal", Some(call)).await?;
            match answer["opens"].as_bool() {
                Some(true) => println!("it opens seal {}", text(&answer["seal"]["name"])),
                _ => show_collected(&answer["collected"]),
            }
        }
    }
    Ok(())
}

fn place(seal: &str) -> String {
    let kept = percent_encoding::NON_ALPHANUMERIC;
    format!("/v1/seals/{}", percent_encoding::utf8_percent_encode(seal, kept))
}

fn list(answer: &Value) {
    println!("{:<20} {:<18} {:<11} {:<25} DETAILS", "NAME", "ID", "KIND", "SECRET SET");
    for seal in answer["seals"].as_array().into_iter().flatten() {
        let details = &seal["details"];
        let details = match text(&seal["kind"]).as_str() {
            "shares" => format!(
                "{} of {}, set {}",
                details["threshold"],
                details["count"],
                text(&details["set"])
            ),
            "kms" => format!("{} {}", text(&details["region"]), text(&details["key"])),
            _ => String::new(),
        };
        println!(
            "{:<20} {:<18} {:<11} {:<25} {details}",
            text(&seal["name"]),
            text(&seal["id"]),
            text(&seal["kind"]),
            text(&seal["renewed"]),
        );
    }
    for finding in answer["findings"].as_array().into_iter().flatten() {
        eprintln!("warning: {}", text(finding));
    }
}

fn issued(answer: &Value) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let shares: Vec<Zeroizing<String>> = answer["shares"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|share| Zeroizing::new(text(&share["text"])))
        .collect();
    writeln!(out, "seal {} ({})", text(&answer["name"]), text(&answer["id"]))
        .and_then(|()| show_shares(&mut out, shares.iter().map(|share| share.as_str())))
        .map_err(|error| Failure::Broken(error.to_string()))
}

/// Shows shares, which nobody can show again.
pub(crate) fn show_shares<'a>(
    out: &mut impl Write,
    shares: impl Iterator<Item = &'a str>,
) -> io::Result<()> {
    for (index, share) in shares.enumerate() {
        if index == 0 {
            writeln!(out, "  shares, one for each holder, shown this once:")?;
        }
        writeln!(out, "  {share}")?;
    }
    Ok(())
}

fn show_collected(collected: &Value) {
    println!(
        "share taken, {} more needed within {} s (set {})",
        collected["missing"],
        collected["remainingSeconds"],
        text(&collected["set"])
    );
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
