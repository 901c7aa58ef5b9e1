//! Questions about permissions, answered from a data directory: beside the server that uses it, or
//! without one. Nothing is changed, and no key is opened.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use iam::{Directory, Iam};
use keystores::Closed;
use keystores::software::SystemEntropy;
use kms::{Kms, NoAnswer, Question, Route};
use service::ports::{Entropy, KeyStore, Store};
use service::{Caller, Error, Explanation};
use storage::Reading;
use wire::{AccountId, Region, Timestamp};

use crate::clock::MovableClock;

/// How many keys and grants stay in memory while questions are answered.
const CACHED: usize = 1_000;

/// What was opened to answer questions.
pub struct Inspection {
    kms: Kms,
    directory: Arc<Directory>,
    now: Timestamp,
}

/// Why a question can't be answered. Every text says what to do.
#[derive(Debug)]
pub enum InspectError {
    /// The data directory can't be read.
    Open(storage::OpenError),
    /// The data can't be read.
    Read(Error),
    /// There is no such principal.
    UnknownPrincipal(String),
    /// There is no such key.
    UnknownKey(String),
    /// There is no such action.
    UnknownAction(String),
    /// A resource or Region that is none.
    Malformed(String),
}

impl fmt::Display for InspectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => error.fmt(f),
            Self::Read(error) => {
                f.write_str("the data can't be read")?;
                error.cause().map_or(Ok(()), |cause| write!(f, ": {cause}"))
            }
            Self::UnknownPrincipal(arn) => write!(
                f,
                "there is no principal {arn}: give the ARN of a user, a role, a role's session or \
                 a root user, or an account id"
            ),
            Self::UnknownKey(name) => write!(
                f,
                "there is no key {name}: give its ARN or an alias ARN, or --account and --region \
                 with an id or alias"
            ),
            Self::UnknownAction(action) => {
                write!(f, "there is no action {action}: name one like kms:Decrypt")
            }
            Self::Malformed(what) => write!(f, "not understood: {what}"),
        }
    }
}

impl std::error::Error for InspectError {}

impl From<Error> for InspectError {
    fn from(error: Error) -> Self {
        Self::Read(error)
    }
}

/// Who can use a key: for each principal its routes, each with the actions that it allows.
pub struct KeyUsers {
    /// The key's ARN.
    pub key: String,
    /// By ARN.
    pub principals: Vec<(String, BTreeMap<Route, Vec<&'static str>>)>,
    /// Principals that the key's policy or a grant names and that aren't known here: other
    /// servers' accounts, services, everybody (`*`).
    pub unknown: Vec<String>,
}

impl Inspection {
    /// Opens the data directory for reading.
    ///
    /// # Errors
    /// [`InspectError`].
    pub fn open(data: &Path) -> Result<Self, InspectError> {
        let store = Reading::open(&data.join("state.sqlite3")).map_err(InspectError::Open)?;
        let store: Arc<dyn Store> = Arc::new(store);
        let key_store: Arc<dyn KeyStore> = Arc::new(Closed);
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let read = |error: service::ports::StoreError| InspectError::Read(error.into());
        let directory = Directory::new(
            Arc::clone(&store),
            Arc::clone(&key_store),
            Arc::clone(&entropy),
            kms::is_condition_key,
        );
        let directory = Arc::new(directory.map_err(read)?);
        let kms = Kms::new(store, key_store, entropy, CACHED).map_err(read)?;
        let kms = kms.with_principals(Arc::clone(&directory) as _);
        Ok(Self { kms, directory, now: MovableClock::system() })
    }

    /// Whether the principal may do that to the resource, and why.
    ///
    /// # Errors
    /// [`InspectError`].
    pub async fn explain(
        &self,
        principal: &str,
        region: &str,
        question: Question<'_>,
    ) -> Result<(Caller, Explanation), InspectError> {
        let caller = self.caller(principal).await?;
        let region = parse_region(region)?;
        let told = if question.action.to_ascii_lowercase().starts_with("kms:") {
            let told = self.kms.explain(caller.clone(), &region, self.now, question).await;
            told.map_err(|none| no_answer(none, question.resource, question.action))?
        } else {
            let iam = Iam { directory: Arc::clone(&self.directory) };
            let Question { action, resource, context } = question;
            iam.explain(&caller, &region, self.now, action, resource, context).await?
        };
        Ok((caller, told))
    }

    /// Who can do one of these actions to the key of that name.
    ///
    /// # Errors
    /// [`InspectError`].
    pub async fn users_of(
        &self,
        key: &str,
        account: &str,
        region: &str,
        actions: &[&'static str],
    ) -> Result<KeyUsers, InspectError> {
        let own = AccountId::parse(account)
            .map_err(|_| InspectError::Malformed(format!("account {account}")))?;
        let found = self.kms.key_in_question(key, own, &parse_region(region)?, self.now).await;
        let found = found.map_err(|none| no_answer(none, key, ""))?;
        let (mut callers, mut unknown) = (Vec::new(), Vec::new());
        let partition = wire::Arn::parse(found.arn()).map_or("aws", |arn| arn.partition);
        callers.push(Caller::root(*found.account(), partition, ""));
        callers.extend(self.directory.callers(found.account(), partition).await?);
        for named in found.named() {
            match AccountId::parse(&named) {
                Ok(account) => {
                    callers.push(Caller::root(account, partition, ""));
                    callers.extend(self.directory.callers(&account, partition).await?);
                }
                Err(_) => match self.directory.caller(&named).await? {
                    Some(caller) => callers.push(caller),
                    None => unknown.push(named),
                },
            }
        }
        callers.sort_by(|one, next| shown(one).cmp(shown(next)));
        callers.dedup_by(|one, next| shown(one) == shown(next));
        let mut principals = Vec::new();
        for caller in callers {
            let routes = self.kms.routes(&caller, self.now, &found, actions)?;
            if !routes.is_empty() {
                principals.push((shown(&caller).to_owned(), routes));
            }
        }
        Ok(KeyUsers { key: found.arn().to_owned(), principals, unknown })
    }

    async fn caller(&self, principal: &str) -> Result<Caller, InspectError> {
        let found = self.directory.caller(principal).await?;
        found.ok_or_else(|| InspectError::UnknownPrincipal(principal.to_owned()))
    }
}

/// The ARN under which a caller is listed: of a role's session that of the role.
fn shown(caller: &Caller) -> &str {
    caller.principal.as_deref().map_or(&caller.arn, |principal| &principal.arn)
}

fn parse_region(region: &str) -> Result<Region, InspectError> {
    Region::parse(region).ok_or_else(|| InspectError::Malformed(format!("Region {region}")))
}

fn no_answer(none: NoAnswer, resource: &str, action: &str) -> InspectError {
    match none {
        NoAnswer::UnknownAction => InspectError::UnknownAction(action.to_owned()),
        NoAnswer::UnknownKey => InspectError::UnknownKey(resource.to_owned()),
        NoAnswer::Failed(error) => InspectError::Read(error),
    }
}
