//! Unsealing without an operator: by a passphrase or a key file that the machine holds, or by a
//! KMS.
//!
//! Must not know what any of these is.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::seals::{Kind, Outcome, Refusal, Secret, Unopened, passphrase_from_file};
use serde_json::json;
use tokio::time::sleep;
use zeroize::Zeroizing;

use super::Instance;
use crate::admin::Event;
use crate::config::Config;

/// Where a service manager puts credentials (systemd.exec(5), "Credentials").
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";
/// The longest passphrase's file that is read, in bytes.
const FILE_MAX: u64 = 4096;
/// What others than its owner may do with it: nothing.
const OTHERS: u32 = 0o077;

/// A way to the root key that takes nobody.
enum Way {
    KeyFile(PathBuf),
    PassphraseFile(PathBuf),
    /// A passphrase that the service manager hands over.
    Credential(PathBuf),
    Kms,
}

/// What came of trying a way.
#[derive(PartialEq, Eq)]
enum Tried {
    /// The server is unsealed.
    Unsealed,
    /// What failed may be well again later.
    Later,
    /// It will not open anything.
    InVain,
}

/// Tries the ways that the configuration names, as often as there is hope.
pub(super) async fn unseal(instance: Arc<Instance>) {
    let config = instance.settings.lock().clone();
    let mut ways = ways(&instance, &config).await;
    while !ways.is_empty() {
        let mut later = Vec::new();
        for way in ways {
            if instance.is_unsealed() {
                return;
            }
            match attempt(&instance, &way).await {
                Tried::Unsealed => return,
                Tried::Later => later.push(way),
                Tried::InVain => {}
            }
        }
        ways = later;
        if !ways.is_empty() {
            sleep(config.seal.retry_interval).await;
        }
    }
    tracing::info!("the server is sealed: `strongroom unseal` unseals it");
}

/// What the configuration names, in the order in which it is tried.
async fn ways(instance: &Instance, config: &Config) -> Vec<Way> {
    let seal = &config.seal;
    let credential = seal.passphrase_credential.as_ref().and_then(|name| {
        let directory = std::env::var_os(CREDENTIALS);
        if directory.is_none() {
            tracing::error!(name, "there are no credentials: {CREDENTIALS} is not set");
        }
        Some(Path::new(&directory?).join(name))
    });
    let key_file = seal.key_file.iter().cloned().map(Way::KeyFile);
    let passphrase_file = seal.passphrase_file.iter().cloned().map(Way::PassphraseFile);
    let credential = credential.into_iter().map(Way::Credential);
    let mut ways: Vec<_> = key_file.chain(passphrase_file).chain(credential).collect();
    if seal.kms && has_kms_seal(instance).await {
        ways.push(Way::Kms);
    }
    ways
}

/// Reads a passphrase's file, which nobody else may use. A credential is the service manager's
/// affair: it may give it to the server's user by an access control list, and then the mode looks
/// as if the group might read it (acl(5)).
fn read_passphrase(path: &Path, is_credential: bool) -> io::Result<Zeroizing<String>> {
    let room = usize::try_from(FILE_MAX).unwrap_or(usize::MAX) + 1;
    let mut content = Zeroizing::new(Vec::with_capacity(room));
    let file = File::open(path)?;
    if !is_credential && file.metadata()?.permissions().mode() & OTHERS != 0 {
        let text = "others may use it: run `chmod go=` on it";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    file.take(FILE_MAX + 1).read_to_end(&mut content)?;
    if content.len() >= room {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too long for a passphrase"));
    }
    passphrase_from_file(&content)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is no text"))
}

async fn has_kms_seal(instance: &Instance) -> bool {
    match instance.seals.list().await {
        Ok(seals) => seals.iter().any(|seal| seal.kind == Kind::Kms),
        Err(error) => {
            tracing::error!(%error, "the seals can't be read");
            false
        }
    }
}

async fn attempt(instance: &Arc<Instance>, way: &Way) -> Tried {
    let secret = match way {
        Way::KeyFile(path) => Secret::KeyFile(path.clone()),
        Way::Kms => Secret::Kms,
        Way::PassphraseFile(path) | Way::Credential(path) => {
            match read_passphrase(path, matches!(way, Way::Credential(_))) {
                Ok(passphrase) => Secret::Passphrase(passphrase),
                Err(error) => {
                    let path = path.display();
                    tracing::error!(%path, %error, "what unseals the server can't be read");
                    return Tried::InVain;
                }
            }
        }
    };
    let kind = secret.kind().name();
    let outcome = instance.unseal(secret, None, false).await;
    let told = outcome.as_ref().err().map(ToString::to_string);
    let event = Event {
        operator: None,
        name: "Unseal",
        parameters: json!({ "kind": kind }),
        error: outcome.as_ref().err().map(Refusal::code).zip(told.as_deref()),
        read_only: false,
    };
    if let Err(error) = instance.record(event).await {
        tracing::error!(%error, "the server stays sealed, since nothing can be recorded");
        instance.stay_sealed().await;
        return Tried::Later;
    }
    match outcome {
        Ok(Outcome::Opened { root_key, name, .. }) => match instance.open(root_key).await {
            Ok(()) => Tried::Unsealed,
            Err(error) => {
                tracing::error!(seal = name, %error, "the server can't be opened");
                Tried::Later
            }
        },
        Ok(Outcome::MoreShares(_)) => Tried::InVain,
        Err(refusal) => {
            tracing::warn!(kind, %refusal, "the server could not unseal itself");
            if may_pass(&refusal) { Tried::Later } else { Tried::InVain }
        }
    }
}

/// Whether what was refused may be taken later.
fn may_pass(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::NotOpened(tried) => {
            !tried.is_empty() && tried.iter().all(|one| matches!(one.reason, Unopened::Kms(_)))
        }
        Refusal::TooSoon { .. } | Refusal::Failed(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_read_from_a_file_of_its_length() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("passphrase");
        let read = |content: &[u8]| {
            std::fs::write(&path, content).unwrap();
            read_passphrase(&path, true).map(|passphrase| passphrase.to_string())
        };
        assert_eq!(read(b"one two\n").unwrap(), "one two");
        assert_eq!(read(&[b'a'; 4096]).unwrap().len(), 4096);
        assert!(read(&[b'a'; 4097]).is_err());
        assert!(read(b"\xff").is_err());
        assert!(read_passphrase(&directory.path().join("none"), true).is_err());
    }

    #[test]
    fn a_file_that_others_may_use_is_a_credential_or_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("passphrase");
        std::fs::write(&path, "one two").unwrap();
        for (mode, is_credential, is_taken) in [
            (0o400, false, true),
            (0o440, false, false),
            (0o604, false, false),
            (0o440, true, true),
        ] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read_passphrase(&path, is_credential).is_ok(), is_taken, "{mode:o}");
        }
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let tried = |reason| {
            let (id, name) = ("a".to_owned(), "b".to_owned());
            Refusal::NotOpened(vec![::seals::Tried { id, name, reason }])
        };
        let unreachable = ::seals::KmsError::Unreachable { reason: String::new() };
        assert!(may_pass(&tried(Unopened::Kms(unreachable))));
        assert!(!may_pass(&tried(Unopened::WrongSecret)));
        assert!(!may_pass(&Refusal::NotOpened(Vec::new())));
        assert!(!may_pass(&Refusal::NoSuchSeal { kind: Kind::Kms }));
        assert!(!may_pass(&Refusal::Tampered(Vec::new())));
    }
}
