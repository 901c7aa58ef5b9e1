//! Where the command line gets secrets from: a prompt, a file, a file descriptor. Never an
//! argument, which everybody on the machine can read.
//!
//! Must not know what a secret opens.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// The longest secret that is read, in bytes.
const SECRET_MAX: usize = 4096;

/// Where a passphrase comes from; asked for on the terminal unless one of these is given.
#[derive(clap::Args)]
#[group(multiple = false)]
pub(crate) struct PassphraseSource {
    /// Read the passphrase from this file; one line break at its end doesn't count.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,

    /// Read the passphrase from this file descriptor, such as 0 for the standard input.
    #[arg(long, value_name = "N")]
    passphrase_fd: Option<u32>,
}

impl PassphraseSource {
    /// Reads it; asks for it otherwise, once.
    ///
    /// # Errors
    /// A text for the operator.
    pub(crate) fn read(&self, prompt: &str) -> Result<Zeroizing<String>, String> {
        match self.given()? {
            Some(passphrase) => Ok(passphrase),
            None => ask(prompt),
        }
    }

    /// Reads a new one; asks for it twice otherwise.
    ///
    /// # Errors
    /// A text for the operator.
    pub(crate) fn read_new(&self, prompt: &str) -> Result<Zeroizing<String>, String> {
        if let Some(passphrase) = self.given()? {
            return Ok(passphrase);
        }
        let passphrase = ask(prompt)?;
        if *ask("The same again: ")? != *passphrase {
            return Err("the two aren't the same; nothing was done".to_owned());
        }
        Ok(passphrase)
    }

    fn given(&self) -> Result<Option<Zeroizing<String>>, String> {
        let path = match (&self.passphrase_file, self.passphrase_fd) {
            (Some(path), _) => path.clone(),
            (None, Some(number)) => PathBuf::from(format!("/dev/fd/{number}")),
            (None, None) => return Ok(None),
        };
        let content = read(&path).map_err(|error| {
            format!("cannot read the passphrase from {}: {error}", path.display())
        })?;
        server::seals::passphrase_from_file(&content)
            .map(Some)
            .ok_or_else(|| format!("{} holds no text", path.display()))
    }
}

/// Asks on the terminal for a secret, which isn't shown.
///
/// # Errors
/// A text for the operator.
pub(crate) fn ask(prompt: &str) -> Result<Zeroizing<String>, String> {
    rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(|error| {
        format!(
            "cannot ask on the terminal ({error}): give the secret in a file or by a file \
             descriptor"
        )
    })
}

/// Reads a file that holds a secret.
///
/// # Errors
/// The system's; `InvalidData` for one that is too long.
pub(crate) fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    // Room for all of it from the start, so that no copy is left behind by growing.
    let mut content = Zeroizing::new(Vec::with_capacity(SECRET_MAX + 1));
    File::open(path)?.take(SECRET_MAX as u64 + 1).read_to_end(&mut content)?;
    if content.len() > SECRET_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too long for a secret"));
    }
    Ok(content)
}
