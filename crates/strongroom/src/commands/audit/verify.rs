//! Verifying the log, and the keys for it.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use server::audit::PublicKey;
use server::audit::verify::{Head, verify};

use super::{FAULTS, Failure, Place};
use crate::connection;

/// The longest file of public keys.
const KEYS_MAX: u64 = 1 << 20;

#[derive(clap::Args)]
pub(super) struct Verify {
    /// A file of public keys in PEM, as `audit public-key` printed them; may be given several
    /// times. Without one, the keys in the data directory are used, which proves nothing against
    /// somebody who could write there.
    #[arg(long, value_name = "FILE")]
    public_key: Vec<PathBuf>,
    /// A digest that was noted elsewhere (`last digest` of an earlier verification) and must be in
    /// the log.
    #[arg(long, value_name = "NUMBER:HASH")]
    head: Option<Head>,
    #[command(flatten)]
    place: Place,
}

impl Verify {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let data = &self.place.data_dir;
        let keys = if self.public_key.is_empty() {
            eprintln!(
                "strongroom: the public keys are taken from {} itself; give --public-key with \
                 ones kept elsewhere to prove anything against whoever can write there",
                data.display()
            );
            numbered_keys(data)?.into_iter().map(|(_, key)| key).collect()
        } else {
            read_keys(&self.public_key)?
        };
        let report = verify(data, &keys, self.head.as_ref()).map_err(|error| {
            format!("the audit log in {} can't be read: {error}", data.display())
        })?;
        writeln!(io::stdout(), "{report}")?;
        let code = if report.is_whole() { ExitCode::SUCCESS } else { ExitCode::from(FAULTS) };
        Ok(code)
    }
}

fn read_keys(files: &[PathBuf]) -> Result<Vec<PublicKey>, Failure> {
    let mut keys = Vec::new();
    for file in files {
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let mut text = String::new();
        let opened = std::fs::File::open(file).map_err(|error| named(&error))?;
        io::Read::read_to_string(&mut io::Read::take(opened, KEYS_MAX), &mut text)
            .map_err(|error| named(&error))?;
        keys.extend(PublicKey::all_from_pem(&text).map_err(|error| named(&error))?);
    }
    Ok(keys)
}

fn numbered_keys(data: &Path) -> Result<Vec<(u32, PublicKey)>, Failure> {
    Ok(connection::run(server::audit_public_keys(data))??)
}

/// Prints all public keys, the oldest first.
pub(super) fn print_keys(place: &Place) -> Result<(), Failure> {
    let keys = numbered_keys(&place.data_dir)?;
    if keys.is_empty() {
        return Err("the audit log has no signing key yet".into());
    }
    let mut out = io::stdout().lock();
    for (number, key) in keys {
        writeln!(out, "# audit signing key {number}, fingerprint {}", key.fingerprint_text())?;
        out.write_all(key.to_pem().as_bytes())?;
    }
    Ok(())
}
