//! `strongroom init`: a data directory, its root key under seals, an account with an administrator.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use server::{Founded, Founding, init};

use crate::connection::{self, failed};
use crate::seal_spec::SealSpec;
use crate::secrets::PassphraseSource;

/// What `init` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The data directory to make; it must not exist, or be empty.
    #[arg(
        long,
        value_name = "DIRECTORY",
        env = "STRONGROOM_DATA_DIR",
        default_value = "/var/lib/strongroom"
    )]
    data_dir: PathBuf,

    /// A seal, any one of which opens the root key: passphrase, shares:K-of-N, key-file:PATH or
    /// kms:REGION:KEY (@ENDPOINT behind it if it isn't AWS's), with NAME= before it if you like;
    /// may be given several times.
    #[arg(long = "seal", value_name = "SEAL", required = true)]
    seals: Vec<SealSpec>,

    #[command(flatten)]
    passphrase: PassphraseSource,

    /// The first account.
    #[arg(long, value_name = "ACCOUNT-ID", default_value = "111122223333")]
    account: String,

    /// The IAM user that may do everything in that account.
    #[arg(long, value_name = "NAME", default_value = "administrator")]
    administrator: String,
}

/// Makes it and shows, once, what is to be kept.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    match make(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => failed(&message),
    }
}

fn make(arguments: Arguments) -> Result<(), String> {
    let Arguments { data_dir, seals, passphrase, account, administrator } = arguments;
    let account = server::parse_account(&account)
        .ok_or_else(|| format!("--account {account}: an account id has twelve digits"))?;
    let seals = seals.into_iter().map(|seal| seal.seal(&passphrase)).collect::<Result<_, _>>()?;
    let founding = Founding { data: data_dir.clone(), seals, account, administrator };
    let founded = connection::run(init(founding))?.map_err(|error| error.to_string())?;
    show(&data_dir, &founded).map_err(|error| error.to_string())
}

fn show(data: &std::path::Path, founded: &Founded) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "installation {} in {}", founded.installation, data.display())?;
    for seal in &founded.seals {
        writeln!(out, "seal {} ({})", seal.name, seal.id)?;
        super::seal::show_shares(&mut out, seal.shares.iter().map(|share| share.text.as_str()))?;
    }
    let administrator = &founded.administrator;
    writeln!(out, "\nadministrator {}", administrator.arn)?;
    writeln!(out, "AWS_ACCESS_KEY_ID={}", administrator.access_key_id)?;
    writeln!(out, "AWS_SECRET_ACCESS_KEY={}", administrator.secret_access_key.expose())?;
    writeln!(out, "\nThe secrets above are shown this once and kept nowhere. Next:")?;
    writeln!(out, "    strongroom serve --data-dir {}", data.display())?;
    writeln!(out, "    strongroom unseal")?;
    out.flush()
}
