//! Birth: a data directory, the root key under its first seals, an account's administrator.
//!
//! Must not know where secrets come from, nor how they are shown.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::seals::{Issued, NewMethod, NewSeal, Seals};
use iam::{Administrator, Directory};
use keystores::software::{Software, SystemEntropy};
use serde_json::json;
use service::ports::{Clock, KeyStore, Store};
use service::{Actor, Ids, Record};
use storage::Embedded;
use wire::AccountId;

use crate::admin::EVENT_SOURCE;
use crate::clock::MovableClock;
use crate::start::{StartError, make_directory};

/// What is to be made.
pub struct Founding {
    /// The data directory, which doesn't exist or is empty.
    pub data: PathBuf,
    /// The seals.
    pub seals: Vec<NewSeal>,
    /// The first account.
    pub account: AccountId,
    /// The name of its administrator.
    pub administrator: String,
}

/// What was made, with what is told once.
pub struct Founded {
    /// The installation's id.
    pub installation: String,
    /// The seals, with the shares that were issued.
    pub seals: Vec<Issued>,
    /// The administrator.
    pub administrator: Administrator,
}

/// Makes an installation. If that fails nothing is left behind.
///
/// # Errors
/// [`StartError`].
pub async fn init(founding: Founding) -> Result<Founded, StartError> {
    crypto::process::harden().map_err(StartError::Protection)?;
    let data = founding.data.clone();
    let existed = prepare(&data)?;
    let key_files = founding.seals.iter().filter_map(|seal| match &seal.method {
        NewMethod::KeyFile { path } if !path.exists() => Some(path.clone()),
        _ => None,
    });
    let key_files: Vec<_> = key_files.collect();
    let founded = found(founding).await;
    if founded.is_err() {
        clear(&data, existed);
        for path in key_files {
            let _ = fs::remove_file(path);
        }
    }
    founded
}

/// Makes a data directory that nobody else may read, of nothing or of a directory that is empty;
/// gives whether it was there.
///
/// # Errors
/// [`StartError::NotEmpty`], [`StartError::Io`].
pub(crate) fn prepare(data: &Path) -> Result<bool, StartError> {
    let existed = data.exists();
    refuse_unless_empty(data)?;
    make_directory(data)?;
    // Service managers and installers make directories that everybody can look into.
    fs::set_permissions(data, fs::Permissions::from_mode(0o700)).map_err(|source| {
        StartError::Io { action: "set the mode of", path: data.to_owned(), source }
    })?;
    Ok(existed)
}

/// Refuses a directory that holds anything.
///
/// # Errors
/// [`StartError::NotEmpty`], [`StartError::Io`].
fn refuse_unless_empty(data: &Path) -> Result<(), StartError> {
    match fs::read_dir(data) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(StartError::NotEmpty(data.to_owned())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(StartError::Io { action: "read", path: data.to_owned(), source }),
    }
}

/// Removes what was made in a directory that had been empty.
pub(crate) fn clear(data: &Path, existed: bool) {
    // What can't be removed is named by the next attempt, which refuses it.
    if !existed {
        let _ = fs::remove_dir_all(data);
    } else if let Ok(entries) = fs::read_dir(data) {
        for path in entries.flatten().map(|entry| entry.path()) {
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
    }
}

async fn found(founding: Founding) -> Result<Founded, StartError> {
    let Founding { data, seals, account, administrator } = founding;
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| StartError::Store(error);
    let store = Embedded::open(&data.join("state.sqlite3")).map_err(|e| failed(Box::new(e)))?;
    let store: Arc<dyn Store> = Arc::new(store);
    let clock: Arc<dyn Clock> = Arc::new(MovableClock::default());
    let created = Seals::create(Arc::clone(&store), Arc::clone(&clock), seals).await;
    let (seals, root_key, issued) = created.map_err(StartError::Seals)?;
    let installation = seals.installation().await.map_err(StartError::Seals)?;
    let key_store: Arc<dyn KeyStore> = Arc::new(Software::new(Arc::clone(&store), root_key));
    let directory = Directory::new(
        Arc::clone(&store),
        key_store,
        Arc::new(SystemEntropy),
        iam::is_condition_key,
    );
    let directory = directory.map_err(|error| failed(Box::new(error)))?;
    let administrator = directory.found_administrator(&account, &administrator, clock.now()).await;
    let administrator = administrator.map_err(StartError::Administrator)?;
    let log = audit::Log::open(&data, audit::Options::default());
    let log = log.map_err(|error| StartError::Audit(Box::new(error)))?;
    record(&log, clock.as_ref(), &account, &issued, &administrator).await?;
    Ok(Founded { installation, seals: issued, administrator })
}

/// The log's first record: what was made.
async fn record(
    log: &audit::Log,
    clock: &dyn Clock,
    account: &AccountId,
    seals: &[Issued],
    administrator: &Administrator,
) -> Result<(), StartError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| StartError::Audit(error);
    let ids = Ids::draw(&SystemEntropy).map_err(|error| failed(Box::new(error)))?;
    let seals: Vec<_> =
        seals.iter().map(|seal| json!({ "id": seal.id, "name": seal.name })).collect();
    let parameters = json!({
        "account": account.as_str(),
        "administrator": administrator.arn,
        "accessKeyId": administrator.access_key_id,
        "seals": seals,
    })
    .to_string();
    let user = rustix::process::getuid().as_raw().to_string();
    let record = Record {
        actor: Actor::Operator { user: &user },
        source_ip_address: "command line",
        user_agent: "strongroom",
        request_parameters: Some(parameters.as_bytes()),
        ..Record::of(EVENT_SOURCE, "Initialize", clock.now(), ids.event())
    };
    record.append_to(log).await.map_err(|error| failed(Box::new(error)))?;
    log.sync().await.map_err(|error| failed(Box::new(error)))?;
    Ok(())
}
