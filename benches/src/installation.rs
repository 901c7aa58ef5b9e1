//! A server of production: made by `init` under a key file, run by `serve` with everything on, with
//! an IAM user beside its administrator. It knows the command line; it must not know what is
//! measured.

use std::ffi::OsString;
use std::path::Path;

use tempfile::TempDir;

use crate::Outcome;
use crate::certificate::Certificate;
use crate::child::{SERVER_CORE, Server, Start, address_behind, command};
use crate::client::Client;
use crate::operations::Operation;
use crate::sign::{self, AccessKey};

/// Far above any rate of one machine: the quotas are counted and never reached.
const QUOTA: u32 = 10_000_000;
/// The quotas that the measured operations count towards, and those of their preparation.
const QUOTA_CLASSES: [&str; 9] = [
    "cryptographic-symmetric",
    "cryptographic-rsa",
    "cryptographic-ecc",
    "cryptographic-ml-dsa",
    "data-key-pair-rsa-2048",
    "DescribeKey",
    "CreateKey",
    "CreateGrant",
    "ListGrants",
];

/// When an audit record counts as written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    /// When the operating system has it.
    None,
    /// When the disk has it.
    Group,
}

/// A founded and unsealed server.
pub(crate) struct Installation {
    pub(crate) server: Server,
    pub(crate) user: AccessKey,
    administrator: AccessKey,
    folder: TempDir,
}

impl Installation {
    /// Founds one and waits until it serves.
    pub(crate) async fn start(
        program: &Path,
        sync: Sync,
        tls: Option<&Certificate>,
        cores: &[usize],
    ) -> Outcome<Self> {
        Self::watched(&[], program, sync, tls, cores).await
    }

    /// The same, run by another program that watches it.
    pub(crate) async fn watched(
        watcher: &[&str],
        program: &Path,
        sync: Sync,
        tls: Option<&Certificate>,
        cores: &[usize],
    ) -> Outcome<Self> {
        let folder = folder()?;
        let administrator = found(program, folder.path())?;
        let server = Server::start(Start {
            watcher,
            program,
            arguments: arguments(sync, tls),
            folder: folder.path(),
            cores,
            ready: |output| {
                let unsealed = output.contains("the server is unsealed");
                address_behind(output, r#""listening","address":""#).filter(|_| unsealed)
            },
            tls: tls.map(|made| made.client.clone()),
        })?;
        let user =
            Client::new(&server.endpoint, administrator.clone()).await?.create_user().await?;
        Ok(Self { server, user, administrator, folder })
    }

    /// On the core that servers run on.
    pub(crate) async fn on_one_core(
        program: &Path,
        sync: Sync,
        tls: Option<&Certificate>,
    ) -> Outcome<Self> {
        Self::start(program, sync, tls, &[SERVER_CORE]).await
    }

    /// Where it runs.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// An operation's body, for fresh keys.
    pub(crate) async fn body(&self, operation: &Operation) -> Outcome<String> {
        let material = self.administrator().await?.prepare(operation).await?;
        Ok(operation.body(&material).to_string())
    }

    /// An operation's request with that body, signed by the user; valid for minutes.
    pub(crate) fn signed(&self, operation: &Operation, body: &str) -> Outcome<Vec<u8>> {
        sign::request(&self.user, self.server.endpoint.address, &operation.target(), body)
    }

    /// An operation's request for fresh keys.
    pub(crate) async fn request(&self, operation: &Operation) -> Outcome<Vec<u8>> {
        self.signed(operation, &self.body(operation).await?)
    }

    /// Its administrator, who prepares keys.
    pub(crate) async fn administrator(&self) -> Outcome<Client> {
        Client::new(&self.server.endpoint, self.administrator.clone()).await
    }
}

/// A folder that goes with the value.
pub(crate) fn folder() -> Outcome<TempDir> {
    tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))
}

/// Makes the data directory; its administrator.
fn found(program: &Path, folder: &Path) -> Outcome<AccessKey> {
    let mut init = command(program);
    init.current_dir(folder).args(["init", "--data-dir", "data", "--seal", "key-file:seal.key"]);
    let output = init.output().map_err(|error| format!("{}: {error}", program.display()))?;
    if !output.status.success() {
        return Err(format!("init failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    administrator(&String::from_utf8_lossy(&output.stdout))
        .ok_or_else(|| "init told no access key".to_owned())
}

fn administrator(told: &str) -> Option<AccessKey> {
    let value = |name| told.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    let (id, secret) = (value("AWS_ACCESS_KEY_ID=")?, value("AWS_SECRET_ACCESS_KEY=")?);
    Some(AccessKey { id, secret })
}

fn arguments(sync: Sync, tls: Option<&Certificate>) -> Vec<OsString> {
    let sync = match sync {
        Sync::None => "none",
        Sync::Group => "group",
    };
    let words = [
        "serve --data-dir data --seal-key-file seal.key --admin-socket admin.sock",
        "--listen-addresses 127.0.0.1:0 --operations-listen 127.0.0.1:0",
        // A long measurement shall not fill the disk.
        "--audit-retention-size 1GiB --audit-sync",
        sync,
    ];
    let words = words.iter().flat_map(|words| words.split(' '));
    let mut arguments: Vec<OsString> = words.map(OsString::from).collect();
    for class in QUOTA_CLASSES {
        arguments.push("--quotas-overrides".into());
        arguments.push(format!("*:{class}={QUOTA}").into());
    }
    if let Some(made) = tls {
        arguments.extend(["--tls-certificate".into(), made.chain.clone().into()]);
        arguments.extend(["--tls-private-key".into(), made.private_key.clone().into()]);
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_administrator_is_read_from_what_init_tells() {
        let told = "seal key-file\n\nAWS_ACCESS_KEY_ID=AKIA1\nAWS_SECRET_ACCESS_KEY=a/b=c\n";
        let found = administrator(told).expect("both are there");
        assert_eq!((found.id.as_str(), found.secret.as_str()), ("AKIA1", "a/b=c"));
        assert!(administrator("AWS_ACCESS_KEY_ID=AKIA1\n").is_none());
    }
}
